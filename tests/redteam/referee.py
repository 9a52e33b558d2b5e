"""The referee: grades a submission to the target as the command line does, and says what must hold for any."""

import base64
import importlib.util
import json
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save

from autograder.grading import Grader
from autograder.grading.batch import grade_one
from autograder.worker import watch

HERE = Path(__file__).parent
TARGET = HERE / "target"

STUB_WEIGHTS = save({"w": torch.zeros(3)})
GOOD_WEIGHTS = save({"w": torch.tensor([2.0, 3.0, 6.0])})
FULL, STUB = 11.0, 0.0
SLACK = 25.0  # seconds beyond an attack's own limit: starting and ending workers on a busy machine

# Of the hidden tests, and of what a student's function receives: none of it may be read in a report.
FILE_SECRETS = ("heron", "lagoon", "rwwhu", "phdgrz")
WORDS = ("otter8846meadow", "ottermeadow")
NUMBERS = ("7316294851", "4861125", "48611.25")


def require_walls(walls: Sequence[tuple[str, bool, str]]) -> None:
    """Skip, saying why, where hostile code would run as whoever runs the tests. A user of its own may be missing."""
    missing = [f"{name} ({detail})" for name, stands, detail in walls if not stands and name != "own user"]
    if missing:
        pytest.skip(f"NOT RUN, hostile code is not safe on this host, which lacks: {'; '.join(missing)}")


class Referee:
    """Grades a submission as the command line does, and says what must hold whatever the submission holds."""

    def __init__(self, grader: Grader, folder: Path) -> None:
        self.grader, self._folder = grader, folder

    def grade(self, submission: Path, seconds: float = 60.0, questions: Sequence[str] | None = None) -> dict[str, Any]:
        """The results.json of a submission, within its time and with nothing left behind."""
        self.grader.time_limit, started = seconds, time.monotonic()
        output = self._folder / f"results of {submission.name}"
        grade_one(self.grader, submission, output, questions)
        assert time.monotonic() - started < seconds + SLACK, "it took longer than its deadline"
        assert [path.name for path in output.iterdir()] == ["results.json"]
        self.assert_nothing_stays()
        results: dict[str, Any] = json.loads((output / "results.json").read_text(encoding="ascii"))
        return results

    def assert_nothing_stays(self) -> None:
        """No process below the fork server, no folder of a worker."""
        server = self.grader._server
        assert list(watch.descendants(server.pid, watch.processes())) == []
        assert sorted(path.name for path in server._base.iterdir()) == ["empty", "trial"]

    def assert_healthy(self) -> None:
        """Right answers still get every point: here of one question, which needs all that another would."""
        results = self.grade(write_good(self._folder), questions=["q1_affine"])
        assert results["score"] == 3, [test["output"] for test in results["tests"]]


def write_good(folder: Path) -> Path:
    """A submission of right answers."""
    good = folder / "good"
    good.mkdir(exist_ok=True)
    (good / "notebook.py").write_bytes((TARGET / "good.py").read_bytes())
    (good / "target.safetensors").write_bytes(GOOD_WEIGHTS)
    return good


def leaks(results: dict[str, Any]) -> list[str]:
    """The secrets that a report holds, in whichever usual encoding."""
    extra = {key: value for key, value in results["extra_data"].items() if not key.endswith("sha256")}
    text = json.dumps({**results, "extra_data": extra}, ensure_ascii=False)
    letters = re.sub(r"[^a-z0-9]", "", text.lower())
    spelt = [form for word in (*FILE_SECRETS, *WORDS) for form in (word, word[::-1], word.encode().hex())]
    found = [form for form in spelt if form in letters]
    raw = [*NUMBERS, *(number[::-1] for number in NUMBERS), *_encoded("<<otter-8846-meadow>>")]
    return found + [form for form in raw if form in text]


def _encoded(word: str) -> list[str]:
    """base64 at its three offsets without the ends, and character codes."""
    bases = [base64.b64encode(b"x" * shift + word.encode()).decode()[4:-4] for shift in range(3)]
    codes = [str(ord(character)) for character in word]
    return [*bases, ", ".join(codes[:8]), " ".join(codes[:8]), "".join(codes)]


def _gradescopes_form() -> Callable[[dict[str, Any]], None]:
    """The check of the form that the tests of grading use."""
    spec = importlib.util.spec_from_file_location("grading_results", HERE.parent / "test_grading_results.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.assert_is_gradescopes


assert_is_gradescopes = _gradescopes_form()
