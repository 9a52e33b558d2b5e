"""A class of submissions on one fork server: a results.json for each, a table on the terminal, an exit code."""

import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.course import Gradescope, Refusal
from autograder.grading.grader import Grader, GradingBroke
from autograder.grading.messages import printable
from autograder.grading.report import Report
from autograder.grading.results import EVERYTHING, results_of
from autograder.grading.results_file import ResultsFile, pessimistic
from autograder.grading.setting import Setting
from autograder.grading.table import print_table
from autograder.worker import ForkServer, IsolationError
from pskit.notebook import BadRelease, Unreadable, read_submission


def grade_each(setting: Setting, folders: Mapping[Path, Path], server: ForkServer | None = None) -> int:
    """Grade each submission into its folder; 0, or 1 where something could not be graded. Raises Refusal."""
    try:
        waiting = setting.grader(server)
        waiting.choose(setting.questions)  # a misspelt name is said before anything runs
        with waiting as grader:
            codes = [grade_one(grader, path, folder, setting.questions) for path, folder in folders.items()]
    except (BadRelease, IsolationError) as error:
        raise Refusal(f"grade: {error}") from None
    return max(codes)


def grade_one(grader: Grader, path: Path, folder: Path, questions: Sequence[str] | None = None) -> int:
    """Grade one submission into `folder`/results.json; 0, or 1 where something could not be graded."""
    try:
        file = ResultsFile(folder)
    except OSError as error:
        _tell(f"{folder} cannot be written ({error.strerror}); {path.name} was not graded.")
        return 1
    try:
        return grade_into(file, grader, path, questions)
    except Exception as error:  # a surprise of one submission must not end the grading of the others
        traceback.print_exception(error, chain=False)
        _tell(f"{path.name} could not be graded: the grader failed on it ({type(error).__name__}).")
        return 1
    finally:
        file.close()


def grade_into(
    file: ResultsFile,
    grader: Grader,
    path: Path,
    questions: Sequence[str] | None = None,
    extra: Mapping[str, Any] | None = None,
    shown: Gradescope = EVERYTHING,
    notes: Sequence[str] = (),
) -> int:
    """Grade one submission into its results file; 0, or 1 as in `grade_one`.

    Its `extra_data` also gets `extra`, and its output the lines of `notes`; `shown` is as in `results_of`.
    """
    try:
        submission = read_submission(path, grader.names)
        report = grader.grade(submission, questions)
    except Unreadable as sentence:
        print(printable(f"{path.name}: 0 points. {sentence}"))
        results = pessimistic(str(sentence)) | {"extra_data": {"set": grader.set_name, **(extra or {})}}
        return _write(file, results, 0)
    except GradingBroke as error:
        _tell(f"{path.name} could not be graded: {error}")
        return 1
    results = results_of(replace(report, notes=(*report.notes, *notes)), shown)
    results["extra_data"].update(extra or {})
    print_table(report, path.name, file.path)
    return _write(file, results, _tell_staff(report, path.name))


def _write(file: ResultsFile, results: dict[str, Any], code: int) -> int:
    try:
        file.write(results)
    except OSError as error:
        _tell(f"{file.path} could not be replaced ({error.strerror}); grade again.")
        return 1
    return code


def _tell(sentence: str) -> None:
    print(printable(f"grade: {sentence}"), file=sys.stderr)


def _tell_staff(report: Report, name: str) -> int:
    for line in report.attention:
        print(printable(f"STAFF: {name}: {line}"), file=sys.stderr)
    return 1 if report.ungraded else 0
