"""Gradescope's harness: `python -m autograder.grading.gradescope /autograder` grades the submission that lies there.

The results file stands before anything heavy is imported. The time limit of a submission is 80 % of the container's; a
watchdog ends this process at 92 %, with the pessimistic file in place, should anything here hang.

What this does not protect against: a container that is stopped before its own time limit, or a limit that is set lower
on Gradescope than in package.json (`timeout_seconds`, ten minutes by default).
"""

import faulthandler
import json
import sys
import time
import traceback
from pathlib import Path

from autograder.grading.about import about, before, lateness_lines
from autograder.grading.rate import kept_results, over_limit
from autograder.grading.results_file import FILE, ResultsFile
from autograder.grading.upload import read_upload

TIMEOUT = 600.0
OUR_SHARE, LAST_RESORT = 0.8, 0.92


def main() -> int:
    """Grade below the harness's root, the only argument. The exit code says whether there is a results file at all.

    A harness may take another exit code for a crash, and then throw away what could be graded.
    """
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "/autograder")
    grade_for_gradescope(root)
    return 0 if (root / "results" / FILE).is_file() else 1


def grade_for_gradescope(root: Path, home: Path | None = None) -> int:
    """Grade `root`/submission into `root`/results/results.json; 0, or 1 where staff must look.

    home: the folder with package.json ({"set", "release", optionally "timeout_seconds"}) and app/, which holds
    course.toml, the release and autograder/hidden/; by default the folder above the one that this package lies in.
    """
    started = time.monotonic()
    try:
        file = ResultsFile(root / "results")
    except OSError as error:
        print(f"{root / 'results'} cannot be written: {error.strerror}. There is no result.", file=sys.stderr)
        return 1
    try:
        return _grade(root, home or Path(__file__).resolve().parents[3], file, started)
    except Exception:  # whatever it is, the pessimistic file stands; staff read this in the autograder's output
        traceback.print_exc()
        return 1
    finally:
        faulthandler.cancel_dump_traceback_later()
        file.close()


def _grade(root: Path, home: Path, file: ResultsFile, started: float) -> int:
    package = json.loads((home / "package.json").read_text(encoding="utf-8"))
    timeout = float(package.get("timeout_seconds", TIMEOUT))
    faulthandler.dump_traceback_later(LAST_RESORT * timeout, exit=True, file=2)

    from autograder.course import load_course

    course = load_course(home / "app")
    upload = read_upload(root / "submission_metadata.json")
    over = over_limit(upload, course.gradescope)
    if over is not None:
        print(over.sentence)
        file.write(kept_results(over, about(upload)))
        return 0

    from autograder.grading.early import early_server

    with early_server() as server:
        from autograder.grading.batch import grade_into
        from autograder.grading.grader import Grader

        app, name = home / "app", package["set"]
        limit = OUR_SHARE * timeout - (time.monotonic() - started)
        places = name, app / package["release"], app / "autograder" / "hidden" / name
        with Grader(*places, course.hidden_seed, time_limit=limit, checks=True, server=server) as grader:
            said = [*lateness_lines(upload), *before(upload)]
            return grade_into(file, grader, root / "submission", None, about(upload), course.gradescope, said)


if __name__ == "__main__":
    sys.exit(main())
