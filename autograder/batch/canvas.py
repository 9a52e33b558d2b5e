"""Canvas's download of submissions: one flat folder of files, each student's sorted into a folder of its own."""

import shutil
from collections import defaultdict
from pathlib import Path

from autograder.batch.canvas_names import NOT_CANVAS, CanvasName, canvas_name
from autograder.batch.entries import Download, Entry, Student, in_order

STRAY = "Canvas calls no file so, and nobody knows whose it is. Hand it to `grade` by itself."


def read_canvas(folder: Path, work: Path) -> Download:
    """A submission per student, its files copied to `work`; a file that Canvas does not name so is named as a problem.

    Canvas's user number stands as the student's sid. The download does not say when a file was handed in.
    """
    files: dict[tuple[str, str], list[tuple[CanvasName, Path]]] = defaultdict(list)
    entries = []
    for path in folder.iterdir():
        name = canvas_name(path.name) if path.is_file() else None
        if name is not None:
            files[name.who, name.user].append((name, path))
        elif not path.name.startswith(NOT_CANVAS):
            entries.append(Entry(path.name, path, problem=STRAY))
    entries += [_entry(who, user, found, work) for (who, user), found in files.items()]
    return Download("a Canvas download", in_order(entries))


def _entry(who: str, user: str, files: list[tuple[CanvasName, Path]], work: Path) -> Entry:
    name = f"{who}_{user}"
    place = work / name
    if place.exists():
        shutil.rmtree(place)  # what an earlier download left there is not handed in now
    place.mkdir(parents=True)
    for each, path in sorted(files, key=lambda found: found[0].file):  # a later file of the same name is the newer one
        shutil.copyfile(path, place / each.original)
    anonymous = who == "anon"
    return Entry(name, place, (Student(name=name) if anonymous else Student(name=who, sid=user),))
