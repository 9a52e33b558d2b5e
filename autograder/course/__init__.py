"""`course.toml` read into dataclasses, with errors for people."""

from autograder.course.clock import moment_of
from autograder.course.errors import CourseError, Refusal, did_you_mean
from autograder.course.load import load_course, read_course, repository_root
from autograder.course.model import Course, Gradescope, Late, ProblemSet

__all__ = [
    "Course",
    "CourseError",
    "Gradescope",
    "Late",
    "ProblemSet",
    "Refusal",
    "did_you_mean",
    "load_course",
    "moment_of",
    "read_course",
    "repository_root",
]
