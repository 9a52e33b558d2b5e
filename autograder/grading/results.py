"""A report in the form of Gradescope's results.json."""

import platform
import sys
from typing import Any

from autograder.grading.messages import printable, render
from autograder.grading.outcomes import CouldNotBeGraded, Passed
from autograder.grading.report import Report, TestReport, WrittenPart

MOST_TEXT = 20_000  # characters per output; Gradescope cuts at 100,000
LONG_TEST = 100  # characters of a test's name


def results_of(report: Report) -> dict[str, Any]:
    """A report in Gradescope's form."""
    return {
        "score": report.score,
        "execution_time": round(report.seconds, 3),
        "output": _cut(headline(report)),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [*map(_test, report.tests), *map(_written, report.written)],
        "extra_data": _extra(report),
    }


def headline(report: Report) -> str:
    """The first lines that a student and staff read."""
    lines = [
        *_loud(report),
        f"{report.score:g} of {report.max_score:g} points by {len(report.tests)} hidden tests, {report.passed} passed"
        f" ({report.set}, release {report.release[:12]}, submission {report.submission[:12]}).",
        *_checks(report),
    ]
    if report.written:
        parts = ", ".join(f"{part.part} ({part.points:g})" for part in report.written)
        lines.append(f"Graded by people, and not part of this score: {parts}.")
    missing = [name for name, stands, _ in report.walls if not stands]
    if missing:
        lines.append(f"Staff: this machine lacks walls around the submitted code: {', '.join(missing)}.")
    return "\n".join([*lines, *(f"Note: {note}" for note in report.notes)])


def _loud(report: Report) -> list[str]:
    if not report.ungraded:
        return []
    numbers = ", ".join(test.number for test in report.ungraded)
    return [f"COULD NOT BE GRADED, by the course's fault; no points are lost, staff must look: {numbers}."]


def _checks(report: Report) -> list[str]:
    if not report.checks:
        return []
    held = sum(check.state == "passed" for check in report.checks)
    first = (
        f"Public checks passed: {held} of {len(report.checks)} parts, as the grader ran them (they carry no points)."
    )
    failed = [check for check in report.checks if check.state in ("failed", "error")]
    return [first, *(f"Public check {check.part}: {message}" for check in failed for message in check.messages)]


def _test(test: TestReport) -> dict[str, Any]:
    return {
        "name": test.claim if len(test.claim) <= LONG_TEST else f"{test.claim[: LONG_TEST - 1].rstrip()}…",
        "number": test.number,
        "score": test.score,
        "max_score": test.points,
        "status": "passed" if isinstance(test.outcome, Passed) else "failed",
        "output": _cut(output_of(test)),
        "output_format": "text",
        "visibility": "visible",
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


def _written(part: WrittenPart) -> dict[str, Any]:
    """A line without a score, which Gradescope neither counts nor marks."""
    return {
        "name": f"{part.title or 'Written answer'} (written, {part.points:g} points)",
        "number": part.part,
        "output": "Graded by people.",
        "output_format": "text",
        "visibility": "visible",
        "tags": [part.part, "written"],
    }


def _extra(report: Report) -> dict[str, Any]:
    return {
        "set": report.set,
        "max_score": report.max_score,
        "written_points": sum(part.points for part in report.written),
        "seed": report.seed,
        "release_sha256": report.release,
        "submission_sha256": report.submission,
        "walls": [{"name": name, "stands": stands, "detail": detail} for name, stands, detail in report.walls],
        "seconds": {test.number: round(test.seconds, 4) for test in report.tests},
        "public_checks": {check.part: check.state for check in report.checks},
        "versions": _versions(),
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
