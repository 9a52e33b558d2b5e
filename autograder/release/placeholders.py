"""`{{mirror}}` and its like: the course's values in the text of cells."""

import re
from collections.abc import Mapping
from pathlib import Path

from autograder.course import Course, ProblemSet, did_you_mean
from autograder.release.wheel import pskit_wheel, wheel_url
from autograder.source import Cell, SourceError

PLACEHOLDER = re.compile(r"\{\{ *([A-Za-z_][A-Za-z0-9_]*) *\}\}")


def colab_url(course: Course, plan: ProblemSet) -> str:
    """The address that opens the mirror's notebook in Colab."""
    repository = course.mirror.removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{repository}/blob/{course.mirror_ref}/{plan.name}/{plan.notebook}"


def due_text(plan: ProblemSet) -> str:
    """`Friday, 12 February 2027, 23:59 (America/New_York)`."""
    return f"{plan.due:%A}, {plan.due.day} {plan.due:%B %Y, %H:%M} ({plan.due.tzinfo})"


def values(course: Course, plan: ProblemSet) -> dict[str, str]:
    """What each placeholder stands for. The hidden seed is not among them."""
    wheel = pskit_wheel(course.root)
    return {
        "course": course.title,
        "term": course.term,
        "mirror": course.mirror,
        "mirror_ref": course.mirror_ref,
        "pskit_wheel": wheel_url(course, wheel),
        "pskit_sha256": wheel.sha256,
        "pskit_version": wheel.version,
        "colab_url": colab_url(course, plan),
        "set": plan.name,
        "set_short": plan.short,
        "set_title": plan.title,
        "notebook": plan.notebook,
        "due": due_text(plan),
        "late_hours": str(course.late.hours),
        "percent_per_hour": f"{course.late.percent_per_hour:g}",
        "core_points": str(course.core_points),
    }


def fill(file: Path, cell: Cell, known: Mapping[str, str]) -> str:
    """The cell's source with every placeholder replaced; SourceError with the line of an unknown one."""
    for number, line in enumerate(cell.source.split("\n"), start=cell.first_line):
        for name in PLACEHOLDER.findall(line):
            if name not in known:
                near = did_you_mean(name, known)
                raise SourceError(
                    file, number, f"{{{{{name}}}}} stands for nothing. {near} (For braces, put spaces between.)"
                )
    return PLACEHOLDER.sub(lambda match: known[match[1]], cell.source)
