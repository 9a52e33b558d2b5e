"""From a submission to its results: the `ps` object, hidden tests under pytest, outcomes, results.json."""

from autograder.grading.grader import Grader, GradingBroke
from autograder.grading.messages import render
from autograder.grading.report import Report, TestReport

__all__ = ["Grader", "GradingBroke", "Report", "TestReport", "render"]
