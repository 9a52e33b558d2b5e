"""The last step of an image build: grade two bundled submissions, and fail unless their outcomes are the expected ones.

The smoke set has one test that passes, one whose answer never returns and one whose answer ends its process: when these
come out right, the worker, its walls and the time limits work in this container. The set's own release, untouched, must
score 0 and be "not implemented yet" in every test: when it is, every hidden test can be loaded and run.

What this does not prove: that the hidden tests are right. `python -m autograder verify` does, before packaging.
"""

import json
import sys
from pathlib import Path

from autograder.course import load_course
from autograder.grading import Grader, Report
from autograder.grading.outcomes import NotImplementedYet
from pskit.notebook import read_submission

SMOKE_SET = Path(__file__).parent / "smoke_set"
EXPECTED = {"1a.1": "Passed", "1b.1": "TooSlow", "1c.1": "ProcessEnded"}


class SmokeFailed(Exception):
    """A smoke submission did not come out as expected; the text says which and how."""


def smoke_grader() -> Grader:
    """The grader of the smoke set."""
    return Grader("smoke", SMOKE_SET / "smoke.ipynb", SMOKE_SET / "hidden", seed=0)


def check_smoke_set(grader: Grader) -> str:
    """Grade the smoke submission and compare each outcome; a sentence for the log, or SmokeFailed."""
    report = grader.grade(read_submission(SMOKE_SET / "submission.ipynb", grader.names))
    found = {test.number: type(test.outcome).__name__ for test in report.tests}
    if found != EXPECTED:
        raise SmokeFailed(f"the smoke submission came out as {found}, expected {EXPECTED}. {_details(report)}")
    missing = [name for name, stands, _ in report.walls if not stands]
    return f"smoke submission: {report.score:g} of {report.max_score:g}, as expected. " + (
        f"Walls missing here: {', '.join(missing)}." if missing else "All walls stand."
    )


def check_stub(grader: Grader, release: Path) -> str:
    """Grade the untouched release; a sentence for the log, or SmokeFailed."""
    report = grader.grade(read_submission(release, grader.names))
    if report.score or report.unanswered != len(report.tests):
        answered = [test.number for test in report.tests if not isinstance(test.outcome, NotImplementedYet)]
        raise SmokeFailed(
            f"the untouched release scores {report.score:g}, and these tests did not say "
            f'"not implemented yet": {", ".join(answered)}. {_details(report)}'
        )
    return f"untouched release: 0 of {report.max_score:g} in {len(report.tests)} tests, as expected."


def _details(report: Report) -> str:
    return " ".join(f"{test.number}: {test.outcome!r}." for test in report.ungraded)


def main(manifest: Path) -> int:
    """Run both; 0, or 1 with a sentence."""
    package, app = json.loads(manifest.read_text(encoding="utf-8")), manifest.parent / "app"
    name, release = package["set"], app / package["release"]
    try:
        with smoke_grader() as grader:
            print(check_smoke_set(grader))
        with Grader(name, release, app / "autograder" / "hidden" / name, load_course(app).hidden_seed) as grader:
            print(check_stub(grader, release))
    except SmokeFailed as failure:
        print(f"The image must not be used: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
