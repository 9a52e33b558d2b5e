"""Grade one submission in whatever process this is: results.json's content comes back, and nothing is written."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.grading import Grader, GradingBroke
from autograder.grading.results import results_of
from autograder.grading.results_file import pessimistic
from pskit.notebook import Unreadable, read_submission


@dataclass(frozen=True)
class Job:
    """A submission to grade. `key` names its content and what it is graded against."""

    name: str
    path: Path
    key: str


@dataclass(frozen=True)
class Answer:
    """What came of it: the content of a results.json, or why there is none."""

    results: dict[str, Any] | None = None
    failure: str = ""


def answer(grader: Grader, path: Path, questions: tuple[str, ...] | None) -> Answer:
    """Grade; a submission that cannot be read has a result, a machine that fails has none."""
    try:
        submission = read_submission(path, grader.names)
        report = grader.grade(submission, questions)
    except Unreadable as sentence:
        results = pessimistic(str(sentence))
        results["extra_data"] = {
            "set": grader.set_name,
            "max_score": grader.max_score(questions),
            "staff": [f"It cannot be read: {sentence}"],
            "unreadable": True,
        }
        return Answer(results)
    except GradingBroke as error:
        return Answer(failure=f"This machine failed: {error}")
    except Exception as error:  # a surprise of one submission must not end the grading of the others
        return Answer(failure=f"The grader failed on it: {type(error).__name__}: {str(error)[:300]}")
    results = results_of(report)
    results["extra_data"]["staff"] = list(report.attention)
    return Answer(results)
