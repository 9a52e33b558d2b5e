"""A report in the form of Gradescope's results.json."""

import platform
import sys
from typing import Any

from autograder.course import Gradescope
from autograder.grading.messages import printable, render
from autograder.grading.outcomes import CouldNotBeGraded, Passed
from autograder.grading.report import CheckReport, Report, TestReport, WrittenPart

MOST_TEXT = 20_000  # characters per output; Gradescope cuts at 100,000
EVERYTHING = Gradescope()
LONG_TEST = 120  # characters of a test's name: a line of its source


def results_of(report: Report, shown: Gradescope = EVERYTHING) -> dict[str, Any]:
    """A report in Gradescope's form; `shown` says when students see the hidden tests' lines, and the leaderboard.

    Lines of public checks and the first line, with the score so far, are visible at once whatever `shown` says.
    """
    results = {
        "score": report.score,
        "execution_time": round(report.seconds, 3),
        "output": _cut(headline(report)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            *(_test(test, shown.hidden_tests) for test in report.tests),
            *map(_check, report.checks),
            *map(_written, report.written),
        ],
        "extra_data": _extra(report),
    }
    if shown.leaderboard and report.measures:
        results["leaderboard"] = [
            {"name": measure.name, "value": measure.value, "order": measure.order} for measure in report.measures
        ]
    return results


def headline(report: Report) -> str:
    """The first lines that a student and staff read."""
    lines = [
        first_line(report),
        *_loud(report),
        f"Graded: {report.set}, release {report.release[:12]}, submission {report.submission[:12]}.",
    ]
    if report.written:
        parts = ", ".join(f"{part.part} ({part.points:g})" for part in report.written)
        lines.append(f"Graded by people, and not part of this score: {parts}.")
    missing = [name for name, stands, _ in report.walls if not stands]
    if missing:
        lines.append(f"Staff: this machine lacks walls around the submitted code: {', '.join(missing)}.")
    return "\n".join([*lines, *(f"Note: {note}" for note in report.notes)])


def first_line(report: Report) -> str:
    """What carries no points, and then what does: a student must not take the one for the other."""
    score = (
        f"Score so far: {report.score:g} of {report.max_score:g} points by {len(report.tests)} hidden tests,"
        f" {report.passed} passed."
    )
    if not report.checks:
        return score
    held = sum(check.state == "passed" for check in report.checks)
    return f"Public checks passed: {held} of {len(report.checks)} parts (no points). {score}"


def _loud(report: Report) -> list[str]:
    if not report.ungraded:
        return []
    numbers = ", ".join(test.number for test in report.ungraded)
    return [f"COULD NOT BE GRADED, by the course's fault; no points are lost, staff must look: {numbers}."]


def _test(test: TestReport, visibility: str) -> dict[str, Any]:
    return {
        "name": test.claim if len(test.claim) <= LONG_TEST else f"{test.claim[: LONG_TEST - 1].rstrip()}…",
        "number": test.number,
        "score": test.score,
        "max_score": test.points,
        "status": "passed" if isinstance(test.outcome, Passed) else "failed",
        "output": _cut(output_of(test)),
        "output_format": "text",
        "visibility": visibility,
        "tags": _tags(test),
    }


def output_of(test: TestReport) -> str:
    """What a student reads under a test's claim."""
    lines = [render(test.outcome)]
    if test.called:
        lines.append(f"Called with: {test.called}")
    if test.hint:
        lines.append(f"Hint: {test.hint}")
    return "\n".join(lines)


def _tags(test: TestReport) -> list[str]:
    kind = "could not be graded" if isinstance(test.outcome, CouldNotBeGraded) else type(test.outcome).__name__
    return [test.question, test.part, kind]


def _check(check: CheckReport) -> dict[str, Any]:
    """A line without a score, which Gradescope does not count."""
    said = {"passed": "They hold.", "not implemented": "Not implemented yet."}.get(check.state, "They do not hold.")
    return {
        "name": f"Public checks of {check.part}, as the grader ran them (no points)",
        "number": check.part,
        "status": "passed" if check.state == "passed" else "failed",
        "output": _cut("\n".join(check.messages) or said),
        "output_format": "text",
        "visibility": "visible",
        "tags": ["public check", check.part, check.state],
    }


def _written(part: WrittenPart) -> dict[str, Any]:
    """A line without a score, which Gradescope neither counts nor marks."""
    return {
        "name": f"{part.title or 'Written answer'} (written, {part.points:g} points)",
        "number": part.part,
        "output": "Graded by people.",
        "output_format": "text",
        "visibility": "visible",
        "tags": ["written", part.part],
    }


def _extra(report: Report) -> dict[str, Any]:
    """All that a regrade needs, and all that staff count; Gradescope shows none of it to students."""
    return {
        "set": report.set,
        "max_score": report.max_score,
        "written_points": sum(part.points for part in report.written),
        "seed": report.seed,
        "time_limit": report.time_limit,
        "release_sha256": report.release,
        "hidden_sha256": report.hidden,
        "tool_sha256": report.tool,
        "submission_sha256": report.submission,
        "versions": _versions(),
        "walls": [{"name": name, "stands": stands, "detail": detail} for name, stands, detail in report.walls],
        "tests": {test.number: _for_staff(test) for test in report.tests},
        "memory_mb": dict(report.memory),
        "public_checks": {check.part: check.state for check in report.checks},
        "measures": {measure.name: measure.value for measure in report.measures},
        "titles": dict(report.titles),
    }


def _for_staff(test: TestReport) -> dict[str, Any]:
    return {
        "test": f"{test.question}/{test.name}",
        "outcome": type(test.outcome).__name__,
        "hint": test.hint,
        "seconds": round(test.seconds, 4),
    }


def _versions() -> dict[str, str]:
    found = {name: getattr(sys.modules.get(name), "__version__", "") for name in ("torch", "numpy", "scipy", "pytest")}
    return {"python": platform.python_version(), **{name: str(version) for name, version in found.items() if version}}


def _cut(text: str) -> str:
    """The text without control characters and halves of characters, which not every reader of JSON survives."""
    text = printable(text)
    if len(text) <= MOST_TEXT:
        return text
    return f"{text[:MOST_TEXT]}\n(the rest, {len(text) - MOST_TEXT} characters, is cut)"
