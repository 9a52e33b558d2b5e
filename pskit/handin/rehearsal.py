"""The public checks in a fresh process, on the definitions that the grader will select from the file that was written.

It uses the grader's own reading and slicing. What it does not show: the hidden tests, and the grader's limits of memory
and files. The code of a question gets more time than the grader gives it, since a laptop may be slow.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pskit
from pskit.handin.pack import Packed
from pskit.notebook import BadRelease, Question, Release, Submission, Unreadable, read_submission, release_of
from pskit.slicing import slice_for, slice_for_checks

START, SECONDS, TOTAL = 60.0, 20.0, 180.0  # to load torch on a busy machine; for a question's checks; for all of them
WORDS = {"passed": "all passed", "not implemented": "not implemented yet", "error": "stopped"}
LONGEST = 300


@dataclass(frozen=True)
class Outcome:
    """What the checks of one part said: state as in pskit.checks, or "too slow", and the first message."""

    part: str
    state: str
    message: str = ""


def rehearse(packed: Packed) -> Iterator[str]:
    """Print a line for each part; yield a sentence for each that does not hold and for what was odd in the file."""
    try:
        submission = read_submission(packed.path)
        release = release_of(packed.path, packed.notebook)
    except Unreadable as reason:
        yield f"The grader will not read this: {reason}"
        return
    except BadRelease:
        yield "This notebook has lost the marks of its cells and was not tried out. The grader finds answers by name."
        return
    yield from submission.notes
    print("Trying your answers in a fresh process, as the grader will, with the public checks alone ...")
    plans = [_plan(release, submission, question) for question in release.questions]
    points = {part.part: part.points for question in release.questions for part in question.parts}
    for outcome in run([plan for plan in plans if plan["checks"]], submission.artifacts):
        print(f"  {outcome.part:<5}{points.get(outcome.part, 0):>4g} points   {_in_words(outcome)}")
        if outcome.state not in ("passed", "not implemented"):
            yield f"{outcome.part} in a fresh process: {outcome.message or _in_words(outcome)}"
    yield from dict.fromkeys(note for plan in plans for note in plan["notes"])


def run(plans: Sequence[dict[str, Any]], files: Any) -> Iterator[Outcome]:
    """The outcome of every check, in order; a question that hangs or ends its process costs the next one nothing."""
    left, until = list(plans), time.monotonic() + TOTAL
    with tempfile.TemporaryDirectory(prefix="pskit-", ignore_cleanup_errors=True) as folder:
        for name, data in files.items():
            Path(folder, Path(name).name).write_bytes(data)
        while left and time.monotonic() < until:
            done = 0
            for outcomes in _child(left, Path(folder), until):
                yield from outcomes
                done += 1
            if done < len(left):
                yield from (Outcome(part, "too slow", _gave_up(until)) for part in _parts(left[done]))
            left = left[done + 1 :] if done < len(left) else []
    yield from (Outcome(part, "too slow", "not tried for want of time") for plan in left for part in _parts(plan))


def _child(plans: list[dict[str, Any]], folder: Path, until: float) -> Iterator[list[Outcome]]:
    """Outcomes question by question, until all are there, one takes too long, or the process ends."""
    script, results = folder / ".plan.json", folder / ".results.jsonl"
    script.write_text(json.dumps(plans), encoding="utf-8")
    results.write_text("", encoding="utf-8")
    home = str(Path(pskit.__file__).parents[1])
    code = f"import sys; sys.path.append({home!r}); from pskit.handin import child; child.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(script), str(results)],
        cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        seen, deadline = 0, min(until, time.monotonic() + START)
        while seen <= len(plans) and time.monotonic() < deadline:
            ended = process.poll() is not None
            lines = results.read_text(encoding="utf-8").split("\n")[:-1]
            for line in lines[seen:]:
                deadline = min(until, time.monotonic() + SECONDS)
                if line:  # the first one is empty and says that torch is loaded
                    yield [Outcome(**each) for each in json.loads(line)]
            seen = len(lines)
            if ended:
                return
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def _plan(release: Release, submission: Submission, question: Question) -> dict[str, Any]:
    # Those of artifact parts need networks that only the session has; the grader leaves them out as well.
    parts = {part.part for part in question.parts if part.kind != "artifact"}
    checks = [check for check in release.checks if check.part in parts]
    graded = slice_for(question.names, release.given, submission.cells)  # what the grader says of its own slice
    missing = (f"{name} is asked for, but no cell defines it." for name in graded.missing)
    tried = slice_for_checks(question.names, checks, release.given, submission.cells)
    return {
        "pieces": [[piece.filename, piece.first_line, piece.source] for piece in tried.pieces],
        "checks": [[check.part, check.source] for check in checks],
        "notes": [*graded.notes, *missing],
    }


def _parts(plan: dict[str, Any]) -> list[str]:
    return list(dict.fromkeys(part for part, _ in plan["checks"]))


def _gave_up(until: float) -> str:
    if time.monotonic() >= until:
        return "not tried for want of time"
    return f"its code took longer than {SECONDS:g} s, or ended the process"


def _in_words(outcome: Outcome) -> str:
    return WORDS.get(outcome.state) or outcome.message or outcome.state
