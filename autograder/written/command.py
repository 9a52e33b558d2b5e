"""A class's written answers, for people to grade: one PDF per student, or submissions in an nbgrader course.

In the PDFs each written part starts on the same page for everybody, in the release's order: upload them to a Gradescope
assignment for PDFs. With --nbgrader COURSE the answers go into COURSE/submitted/ instead, for formgrader. Nothing of a
submission is executed. written.csv says who left which part empty.

Exit codes: 0 all written, 1 a submission could not be read, 2 a wrong command line.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.batch.entries import Entry
from autograder.course import Refusal, load_course
from autograder.written.answers import Answer, answers
from pskit.notebook import BadRelease, Release, Unreadable, read_as_saved, read_release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words after `written`."""
    parser.add_argument("set", metavar="PS", help="the set, ps1 or ps1_probabilistic")
    parser.add_argument("submissions", metavar="EXPORT", type=Path, help="a class's download, as `grade` takes it")
    parser.add_argument("-o", "--output", metavar="DIR", type=Path, default=Path("written"), help="default: written/")
    parser.add_argument("--nbgrader", metavar="COURSE", type=Path, help="a folder by `export nbgrader --written`")
    parser.add_argument("--release", metavar="PATH", type=Path, help="the release that they started from")


def run(arguments: argparse.Namespace) -> int:
    """Write; 1 where a submission could not be read."""
    from autograder.batch.download import read_download

    path = arguments.release or load_course().release(arguments.set)
    try:
        release = read_release(path)
    except BadRelease as error:
        raise Refusal(f"written: {error}") from None
    entries = read_download(arguments.submissions, arguments.output / "submissions").entries
    found = dict(_answers(entries, release, path))
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.nbgrader:
        _to_nbgrader(arguments.nbgrader, path.stem, found)
    else:
        _to_pdf(arguments.output, release, found)
    _to_csv(arguments.output / "written.csv", found)
    return int(len(found) < len(entries))


def _answers(entries: Sequence[Entry], release: Release, path: Path) -> Iterator[tuple[Entry, tuple[Answer, ...]]]:
    """Each readable submission's answers; the others are named, and left to a person."""
    from autograder.grading.messages import printable

    released = read_as_saved(path)
    for entry in entries:
        try:
            if entry.problem:
                raise Unreadable(entry.problem)
            yield entry, answers(release, released, read_as_saved(entry.path, release.names))
        except Unreadable as reason:
            print(printable(f"{entry.name} needs a person: {reason}"))


def _to_pdf(output: Path, release: Release, found: dict[Entry, tuple[Answer, ...]]) -> None:
    from rich.progress import track

    from autograder.written.pdf import padded, page_counts, printer

    folder = output / "pdf"
    folder.mkdir(exist_ok=True)
    printed = {}
    with printer() as press:
        for entry, given in track(found.items(), "printing", total=len(found)):
            printed[entry] = press.pdf(_cover(entry, release), given)
    wanted = [max(counts) for counts in zip(*map(page_counts, printed.values()), strict=True)]
    for entry, pdf in printed.items():
        (folder / f"{entry.name}.pdf").write_bytes(padded(pdf, wanted))
    print(f"{len(printed)} PDFs of {sum(wanted)} pages each in {folder}")


def _cover(entry: Entry, release: Release) -> str:
    who = ", ".join(" ".join(filter(None, (each.name, each.email, each.sid))) for each in entry.students)
    return f"{who or entry.name}: written answers of {release.set}"


def _to_nbgrader(course: Path, name: str, found: dict[Entry, tuple[Answer, ...]]) -> None:
    import nbformat

    from autograder.written.formgrader import course_release, submitted_notebook

    release = course_release(course, name)
    count = 0
    for entry, given in found.items():
        notebook = submitted_notebook(release, given)
        for student in _ids(entry):
            place = course / "submitted" / student / name / f"{name}.ipynb"
            place.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(notebook, place)  # type: ignore[no-untyped-call]
            count += 1
    print(
        f"{count} submissions in {course / 'submitted'}. Next: nbgrader autograde {name} --create, nbgrader formgrader."
    )


def _ids(entry: Entry) -> list[str]:
    """nbgrader's names of the students: their addresses as they are, for the gradebook knows students by them."""
    ids = [each.email or each.sid or each.name for each in entry.students]
    return [each.replace("/", "_") for each in filter(None, ids)] or [entry.name]  # each is a folder


def _to_csv(file: Path, found: dict[Entry, tuple[Answer, ...]]) -> None:
    from autograder.batch.grades import plain

    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("submission", "students", "empty"))
        for entry, given in found.items():
            who = "; ".join(each.email or each.name for each in entry.students)
            empty = " ".join(answer.part.part for answer in given if not answer.cells)
            writer.writerow([plain(cell) for cell in (entry.name, who, empty)])
    print(f"Who left which part empty: {file}")
