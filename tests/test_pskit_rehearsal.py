"""Answers tried in a fresh process before they are handed in, and notebooks that are not what was run."""

import json
import time
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from autograder.grading.checks import run_checks
from autograder.worker import ForkServer, Limits
from pskit.handin import rehearsal
from pskit.handin.pack import pack
from pskit.notebook import read_submission, release_of

GIVEN = "import math\nfrom pskit import check\n\ndef half(x):\n    return x / 2\n"
ANSWERS = {
    "1a": "def f(x):\n    return half(x) + math.pi\n",
    "2a": "STEP = 2\n\ndef g(x):\n    return STEP * x\n",
    "3a": "def h(x):\n    return g(x)\n",
}
CHECKS = {
    "1a": 'with check("1a") as c:\n    c.close(f(2.0), 1 + math.pi, "half of two and pi")',
    "2a": 'with check("2a") as c:\n    c.equal(g(3), 6, "twice three")',
    "3a": 'with check("3a") as c:\n    c.equal(h(1), 2, "twice one")',
}
NAMES = {"1a": ["f"], "2a": ["g"], "3a": ["h"]}


@pytest.fixture(autouse=True)
def notebook_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(rehearsal, "START", 200.0)  # a busy machine may need long to load torch


def notebook(answers: dict[str, str] | None = None, before: str = "", after: str = "") -> bytes:
    """A notebook of three questions as a release makes it, with these answers; `before` and `after` are more cells."""
    made, content = nbformat.v4, ANSWERS | (answers or {})
    cells = [made.new_code_cell(GIVEN, metadata={"pskit": {"role": "given"}}), made.new_code_cell(before)]
    for part in ANSWERS:
        marks = {"question": f"q{part[0]}_x", "part": part}
        answer = {"role": "answer", "names": NAMES[part], **marks}
        cells.append(made.new_code_cell(content[part], metadata={"pskit": answer}))
        cells.append(made.new_code_cell(CHECKS[part], metadata={"pskit": {"role": "check", **marks}}))
    cells.append(made.new_code_cell(after))
    code = {"kind": "code", "points": 2}
    questions = [
        {"name": f"q{p[0]}_x", "number": p[0], "title": p, "points": 2, "parts": [{"part": p, **code}]} for p in ANSWERS
    ]
    metadata = {"pskit": {"set": "ps7_x", "questions": questions}}
    return nbformat.writes(made.new_notebook(cells=cells, metadata=metadata)).encode()


def tried(content: bytes, capsys: Any) -> tuple[list[str], list[str]]:
    """The table's lines and the sentences."""
    sentences = list(rehearsal.rehearse(pack("ps7", content, ())))
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()[1:]], sentences


def test_right_answers_pass_and_nothing_is_said(capsys):
    table, sentences = tried(notebook(), capsys)
    assert table == [f"{part} 2 points all passed" for part in ANSWERS]
    assert sentences == []


def test_stubs_and_wrong_answers_are_told_apart(capsys):
    stub = 'def f(x):\n    raise NotImplementedError("Question 1a: f")\n'
    table, sentences = tried(notebook({"1a": stub, "2a": "def g(x):\n    return x\n"}), capsys)
    assert table[0] == "1a 2 points not implemented yet"
    assert table[1].startswith("2a 2 points ✗ failed: twice three got 3, expected 6")
    assert sentences[0].startswith("2a in a fresh process: ✗ failed: twice three")
    assert sentences[1].startswith("3a in a fresh process: ✗ failed: twice one")


def test_what_only_a_run_made_is_missing_there_as_it_is_for_the_grader(capsys):
    """The notebook's own kernel knows STEP, from a training loop; the grader does not run the loop."""
    loop = "for STEP in range(3):\n    pass"
    table, sentences = tried(notebook({"2a": "def g(x):\n    return STEP * x\n"}, before=loop), capsys)
    assert "NameError" not in table[0]
    assert "your code uses `STEP`, which does not exist" in sentences[0]
    assert any("only cell 2, line 1 binds it, in a block that is not run when grading" in each for each in sentences)


def test_a_definition_that_is_gone_is_said(capsys):
    _, sentences = tried(notebook({"1a": "ff = 1\n"}), capsys)
    assert "f is asked for, but no cell defines it." in sentences


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("while True:\n        pass", "took longer than 5 s, or ended the process"),
        ("import os\n    os._exit(3)", "took longer than 5 s, or ended the process"),
        ("raise SystemExit", "SystemExit"),
        ("return [0] * 10**18", "memory does not suffice"),
    ],
)
def test_an_answer_that_hangs_or_ends_the_process_costs_only_itself(monkeypatch, capsys, source, words):
    monkeypatch.setattr(rehearsal, "SECONDS", 5.0)
    start = time.monotonic()
    table, sentences = tried(notebook({"1a": f"def f(x):\n    {source}\n"}), capsys)
    assert words in sentences[0]
    assert table[1:] == ["2a 2 points all passed", "3a 2 points all passed"]
    assert time.monotonic() - start < rehearsal.START


def test_parts_that_are_judged_by_their_files_are_not_tried(capsys):
    """Their checks read networks that only the session has, so a right hand-in would look wrong."""
    content = json.loads(notebook({"2a": "def g(x):\n    return 0\n"}))
    content["metadata"]["pskit"]["questions"][1]["parts"][0]["kind"] = "artifact"
    table, sentences = tried(json.dumps(content).encode(), capsys)
    assert [line.split()[0] for line in table] == ["1a", "3a"]
    assert [sentence[:2] for sentence in sentences] == ["3a"]


def test_the_whole_is_bounded(monkeypatch, capsys):
    monkeypatch.setattr(rehearsal, "TOTAL", 0.0)
    table, _ = tried(notebook(), capsys)
    assert table == [f"{part} 2 points not tried for want of time" for part in ANSWERS]


def test_nothing_that_the_answers_print_or_write_is_left(capsys, tmp_path):
    loud = "def f(x):\n    print('loud' * 9)\n    open('left.txt', 'w').close()\n    return half(x) + math.pi\n"
    table, _ = tried(notebook({"1a": loud}), capsys)
    assert table[0] == "1a 2 points all passed"
    assert [path.name for path in tmp_path.iterdir()] == ["ps7_submission.zip"]


def test_the_grader_comes_to_the_same_states():
    """On right, wrong and missing answers, and on those that raise or need what is not there."""
    wrong = {"1a": "def f(x):\n    return missing_name\n", "2a": "def g(x):\n    return x\n"}
    with ForkServer(Limits()) as server:
        for content in (notebook(), notebook(wrong), notebook({"3a": "def h(x):\n    return 1 / 0\n"})):
            packed = pack("ps7", content, ())
            release, submission = release_of(packed.path, content), read_submission(packed.path)
            reports = run_checks(release, submission, release.questions, server.fork, 100.0)
            plans = [rehearsal._plan(release, submission, question) for question in release.questions]
            ours = [(outcome.part, outcome.state) for outcome in rehearsal.run(plans, {})]
            assert ours == [(report.part, report.state) for report in reports]


LOOK = """
from pathlib import Path
from pskit.handin.pack import pack
from pskit.handin.session import out_of_step
packed = pack("ps7", Path("saved.ipynb").read_bytes(), ())
print("\\n".join(out_of_step(packed)) or "in step")
"""


def test_a_notebook_that_is_not_what_ran_is_told(tmp_path):
    newer = ANSWERS["1a"].replace("math.pi", "math.tau")
    with_magic = json.loads(notebook())
    with_magic["cells"][2]["source"] = "%%time\n" + ANSWERS["1a"]
    steps: list[tuple[str, bytes, str]] = [
        ("x = 1", notebook(), "in step"),  # nothing of it ran: the fresh process tries it
        (ANSWERS["1a"] + "# a comment\n", notebook(), "in step"),
        ("%%time\n" + ANSWERS["1a"], json.dumps(with_magic).encode(), "in step"),
        (newer, notebook(), "f in the notebook is not what you ran last here."),
        (newer, notebook(after=newer), "in step"),
        (ANSWERS["1a"], notebook(after=newer), "f is defined several times, and what you ran last is not the last"),
        ("def broken(:", notebook(), "in step"),
    ]
    cells = []
    for number, (ran, saved, _) in enumerate(steps):
        (tmp_path / f"saved{number}.ipynb").write_bytes(saved)
        cells += [nbformat.v4.new_code_cell(text) for text in (ran, LOOK.replace("saved", f"saved{number}"))]
    session = nbformat.v4.new_notebook(cells=cells)
    folder = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(session, timeout=120, resources=folder, allow_errors=True).execute()
    for (ran, _, words), cell in zip(steps, session.cells[1::2], strict=True):
        assert cell.outputs[0].text.startswith(words), ran
