"""From a submission to its results: the `ps` object, hidden tests under pytest of their own, outcomes, results.json.

`Grader`, `GradingBroke`, `Report`, `TestReport` and `render` are imported when they are first used: the command line
and Gradescope's harness have something to do before torch and pytest are loaded.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograder.grading.grader import Grader, GradingBroke
    from autograder.grading.messages import render
    from autograder.grading.report import Report, TestReport

__all__ = ["Grader", "GradingBroke", "Report", "TestReport", "render"]

# Set before numpy and torch load: what the hidden tests compute must not depend on how many cores a machine has, and
# threads that wait for each other are slower than one on a container's half core.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

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
