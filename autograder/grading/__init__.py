"""From a submission to its results: the `ps` object, hidden tests under pytest of their own, outcomes, results.json.

`Grader`, `GradingBroke`, `Report`, `TestReport` and `render` are imported when they are first used: the command line
and Gradescope's harness have something to do before torch and pytest are loaded.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.grading.grader import Grader, GradingBroke
    from autograder.grading.messages import render
    from autograder.grading.report import Report, TestReport

__all__ = ["Grader", "GradingBroke", "Report", "TestReport", "render"]

_ROOMS = {
    "Grader": "grader",
    "GradingBroke": "grader",
    "Report": "report",
    "TestReport": "report",
    "render": "messages",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_ROOMS[name]}"), name)
