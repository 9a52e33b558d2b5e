"""docs/add-a-question.md, done step by step in a small course: its commands, its files, its promises."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from autograder.cli import existing_verbs, main
from autograder.course import load_course
from autograder.new.skeletons import skeletons
from autograder.new.term import with_question
from autograder.testing import Unexpected

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "add-a-question.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(?P<language>\w+)(?: file=(?P<file>\S+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
SET = "ps1_probabilistic"
COURSE = f"""
[course]
title = "A course"
term = "Spring 2027"
timezone = "America/New_York"
mirror = "https://github.com/example/problem-sets"
mirror_ref = "main"
hidden_seed = 1

[late]
hours = 120
percent_per_hour = 1

[points]
core = 8

[sets.{SET}]
title = "Simple probabilistic models"
due = 2027-02-12T23:59:00
core = ["q1_start"]
available = []   # extensions
extensions = []
"""

INTRO = """\
# %% [markdown] role="text"
# # Problem set

# %% role="given"
import math

import torch
from torch import Tensor

from pskit import check
"""


def put(root: Path, path: Path | str, text: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(text, encoding="utf-8")


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course whose only question is a skeleton."""
    put(tmp_path, "course.toml", COURSE)
    put(tmp_path, "pyproject.toml", (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for package in ("", "testing/", "verify/"):  # so that ruff sorts these among our own imports
        put(tmp_path, f"autograder/{package}__init__.py", '"""Ours."""\n')
    put(tmp_path, f"solutions/{SET}/intro.py", INTRO)
    put(tmp_path, f"solutions/{SET}/outro.py", '# %% [markdown] role="text"\n# # Submit\n')
    for path, text in skeletons(SET, "q1_start").items():
        put(tmp_path, path, text)
    return tmp_path


def ruff(root: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "ruff", *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def step(root: Path, command: str) -> int:
    """One command of the page, in the course at `root`; a verb that this copy does not hold yet is passed over."""
    words = shlex.split(command)
    if words[0] == "ruff":
        ruff(root, *words[1:])
        return 0
    assert words[:3] == ["python", "-m", "autograder"], command
    if words[3] not in existing_verbs():
        return 0
    words = [str(root / word) if word.startswith("build/") else word for word in words]
    return main([*words[3:], "--root", str(root)])


def switch_on(root: Path, question: str) -> None:
    """What the page asks its reader to do by hand in course.toml."""
    changed = with_question((root / "course.toml").read_text(encoding="utf-8"), SET, "extensions", question)
    assert changed
    put(root, "course.toml", changed)


def test_every_block_of_the_page_works(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for block in BLOCK.finditer(PAGE):
        text = block["text"]
        if block["file"]:
            assert (course / block["file"]).is_file(), "the skeleton stands before it is filled in"
            put(course, block["file"], text)
        elif block["language"] == "text":
            assert text in capsys.readouterr().out
        else:
            if "verify" in text:
                switch_on(course, "x4_entropy")
            assert [step(course, line) for line in text.splitlines()] == [0] * len(text.splitlines())
    ruff(course, "format", "--check", ".")
    for folder in (course / "build" / "draft", course):
        notebook = (folder / SET / "ps1.ipynb").read_text(encoding="utf-8")
        assert "Question x4a: entropy" in notebook
        assert "torch.where(p > 0" not in notebook


def test_the_pages_graders_tell_its_right_answers_from_its_wrong_ones() -> None:
    source, hidden, variants = (block["text"] for block in BLOCK.finditer(PAGE) if block["file"])
    reference = reference_answer(source)
    tests = {name: test for name, test in namespace(hidden).items() if name.startswith("test_")}
    answers = {name: answer for name, answer in namespace(variants).items() if hasattr(answer, "mark")}
    failed = {name: failing(tests, answer) for name, answer in answers.items()}
    assert failing(tests, reference) == set()
    assert {name for name, by in failed.items() if not by} == {
        n for n, a in answers.items() if a.mark.verdict == "right"
    }
    for test in tests:
        assert sum(test in by for by in failed.values()) >= 3, f"{test} is failed by too few wrong variants"


def namespace(source: str) -> dict[str, Any]:
    module = ModuleType("page")
    exec(source, module.__dict__)
    return module.__dict__


def reference_answer(source: str) -> Callable[..., Any]:
    cell = source.split('# %% role="answer" part="x4a"\n')[1].split("# %%")[0]
    return namespace(f"import math, torch\nfrom torch import Tensor\n{cell}")["entropy"]


def failing(tests: dict[str, Callable[..., Any]], answer: Callable[..., Any]) -> set[str]:
    """Names of the hidden tests that this answer fails."""
    names = set()
    for name, test in tests.items():
        try:
            test(SimpleNamespace(entropy=answer), np.random.default_rng(7))
        except Unexpected:
            names.add(name)
    return names


@pytest.mark.parametrize("question", ["q9_flows", "x7_two_words"])
def test_skeletons_lint_and_build_and_fail_with_what_to_write_next(course: Path, question: str) -> None:
    assert main(["new", "ps1", question, "--root", str(course)]) == 0
    ruff(course, "check", ".")
    ruff(course, "format", "--check", ".")
    assert main(["release", "ps1", "--draft", str(course / "draft"), "--root", str(course)]) == 0
    listed = load_course(course).problem_set("ps1")
    assert question in (listed.core if question[0] == "q" else listed.available)
    name = question.partition("_")[2]
    (test,) = [t for n, t in namespace(hidden_text(course, question)).items() if n.startswith("test_")]
    with pytest.raises(Unexpected) as unexpected:
        test(SimpleNamespace(**{name: torch.clone}), np.random.default_rng(0))
    assert unexpected.value.hint == f"this test is still the skeleton: compare ps.{name}(x) with an independent oracle"


def hidden_text(root: Path, question: str) -> str:
    return (root / "autograder" / "hidden" / SET / f"test_{question}.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("q1_other", "ps1_probabilistic already has q1_start. Take the next number"),
        ("flows", "'flows' is no question's name. Write qN_topic or xN_topic"),
        ("q9_Flows", "is no question's name"),
        ("../q9_x", "is no question's name"),
        ("x9_lambda", "called like a word of Python"),
        ("x8_half", "exists already and is not overwritten"),
    ],
)
def test_what_cannot_be_started_is_refused_and_nothing_is_written(
    course: Path, question: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    put(course, f"solutions/{SET}/variants/x8_half.py", "")
    before = sorted(course.rglob("*"))
    assert main(["new", "ps1", question, "--root", str(course)]) == 1
    assert sentence in capsys.readouterr().err
    assert sorted(course.rglob("*")) == before
    assert (course / "course.toml").read_text() == COURSE


def lists(layout: str) -> str:
    return f'[sets.ps1_a]\ntitle = "a"  # core = ["no"]\n{layout}\n\n[sets.ps2_b]\ncore = []\n'


@pytest.mark.parametrize(
    ("layout", "changed"),
    [
        ('core = ["q1_a"]  # order', 'core = ["q1_a", "q2_b"]  # order'),
        ("core = []", 'core = ["q2_b"]'),
        ('core = [\n    "q1_a",\n]', 'core = [\n    "q1_a",\n    "q2_b",\n]'),
        ('core = [\n    "q1_a", "q3_c"\n]', 'core = [\n    "q1_a", "q3_c",\n    "q2_b",\n]'),
        ('core = [\n    "q1_a",  # the first\n]', None),
    ],
)
def test_the_line_of_course_toml_keeps_the_files_layout(layout: str, changed: str | None) -> None:
    assert with_question(lists(layout), "ps1_a", "core", "q2_b") == (changed and lists(changed))


def test_an_unusual_layout_is_left_alone_and_the_line_is_told(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unusual = COURSE.replace("available = []", "available = [  # none\n]")
    put(course, "course.toml", unusual)
    assert main(["new", "ps1", "x1_new", "--root", str(course)]) == 0
    assert 'Add "x1_new" to available of [sets.ps1_probabilistic] in course.toml by hand' in capsys.readouterr().out
    assert (course / "course.toml").read_text() == unusual
