"""Similar submissions: renamed copies are found, common ways and the release's own code are not."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.cli import main
from autograder.course import load_course
from autograder.similarity.code import Code, code_of, released_grams
from autograder.similarity.pairs import Pair, outstanding, pairs
from autograder.similarity.side_page import beside, side_page
from pskit.notebook import Release, read_release, read_submission
from tests.browsers import EVIL, assert_sound, browser

TINY = Path(__file__).parent / "fixtures" / "tiny_set" / "tiny.ipynb"

# A function of some length, as students write it, in ways that differ.
ORIGINAL = '''
def line(x, slope, intercept=0.0):
    """Mine."""
    scaled = x * slope           # first the slope
    shifted = scaled + intercept
    for step in range(3):
        shifted = shifted + step * 0.0
    if shifted.ndim > 5:
        raise ValueError("too many dimensions")
    return shifted.clone()
'''
RENAMED = """
def line(x, slope, intercept=0.0):
    # all by myself
    a = x*slope

    b = a+intercept
    for k in range(3):
        b = b + k*0.0
    if b.ndim > 5: raise ValueError("!")
    return b.clone()
"""
WAYS = (
    "return slope * x + intercept",
    "return torch.add(x * slope, intercept)",
    "out = torch.empty_like(x)\n    out[:] = slope * x\n    return out + intercept",
    "return torch.addcmul(torch.full_like(x, intercept), x, torch.full_like(x, slope))",
    "return sum([slope * x, torch.ones_like(x) * intercept])",
    "y = x.clone()\n    y *= slope\n    y += intercept\n    return y",
    "return torch.stack([slope * v + intercept for v in x])",
    "return (x - (-intercept / slope)) * slope",
    "terms = (x * slope, intercept)\n    return terms[0] + terms[1]",
    "return torch.lerp(torch.zeros_like(x), x, slope) + intercept",
)


def source(way: str) -> str:
    return f"import torch\n\ndef line(x, slope, intercept=0.0):\n    {way}\n"


@pytest.fixture(scope="module")
def release() -> Release:
    return read_release(TINY)


def code(release: Release, tmp_path: Path, name: str, text: str) -> Code:
    (tmp_path / f"{name}.py").write_text(text)
    return code_of(name, release, read_submission(tmp_path / f"{name}.py", release.names))


def a_class(release: Release, tmp_path: Path) -> list[Code]:
    return [code(release, tmp_path, f"way{i}", source(way)) for i, way in enumerate(WAYS)]


def given(release: Release) -> frozenset[str]:
    return released_grams(read_submission(TINY).cells)


def test_a_renamed_copy_stands_out_of_its_class(release: Release, tmp_path: Path) -> None:
    copies = [code(release, tmp_path, "ada", ORIGINAL), code(release, tmp_path, "ben", RENAMED)]
    found = pairs([*a_class(release, tmp_path), *copies], given(release))
    assert [(pair.one, pair.other) for pair in found if pair.stands_out] == [("ada", "ben")]
    assert found[0].similarity > 0.95
    assert found[0].verbatim < 0.3, "to the letter they share little"


def test_where_everybody_writes_the_same_nobody_stands_out(release: Release, tmp_path: Path) -> None:
    same = [code(release, tmp_path, f"s{i}", source(WAYS[0])) for i in range(12)]
    noted = pairs(same, given(release))
    assert len(noted) == 66
    assert all(pair.similarity > 0.99 and not pair.stands_out for pair in noted)


def test_where_everybody_writes_in_another_way_nobody_stands_out(release: Release, tmp_path: Path) -> None:
    assert not [pair for pair in pairs(a_class(release, tmp_path), given(release)) if pair.stands_out]


def test_two_who_share_what_nobody_else_writes_stand_out_of_a_class_of_one_way(
    release: Release, tmp_path: Path
) -> None:
    same = [code(release, tmp_path, f"s{i}", source(WAYS[0])) for i in range(12)]
    copies = [code(release, tmp_path, "ada", ORIGINAL), code(release, tmp_path, "ben", RENAMED)]
    found = pairs([*same, *copies], given(release))
    assert [(pair.one, pair.other) for pair in found if pair.stands_out] == [("ada", "ben")]


def test_an_equal_pair_stands_out_however_much_the_others_vary() -> None:
    """Similarities from 0.1 to 0.97: six deviations above the middle nothing is left but equality."""
    varied = {(i, j): (7 * i + 11 * j) % 30 * 0.03 + 0.1 for j in range(12) for i in range(j)}
    assert outstanding(varied) == set()
    assert outstanding({**varied, (3, 8): 1.0}) == {(3, 8)}


def test_a_large_class_in_which_few_have_code_of_their_own_is_compared_as_a_small_one(
    release: Release, tmp_path: Path
) -> None:
    own = [code(release, tmp_path, name, text) for name, text in (("ada", ORIGINAL), ("ben", RENAMED))]
    empty = [code(release, tmp_path, f"none{i}", "x = 1\n") for i in range(12)]
    assert pairs(empty, given(release)) == []
    assert [pair.stands_out for pair in pairs([*empty, *own], given(release))] == [True]
    assert pairs([*empty, own[0]], given(release)) == []


def test_what_the_release_gives_is_no_ones_own(release: Release, tmp_path: Path) -> None:
    stubs = []
    for name in ("ada", "ben"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "n.ipynb").write_bytes(TINY.read_bytes())
        stubs.append(code_of(name, release, read_submission(folder, release.names)))
    assert pairs(stubs, given(release)) == [], "two untouched releases share nothing of their own"


def test_order_names_comments_and_annotations_do_not_count(release: Release, tmp_path: Path) -> None:
    one = code(release, tmp_path, "one", ORIGINAL)
    two = code(release, tmp_path, "two", RENAMED)
    assert one.plain == two.plain
    assert one.lines != two.lines
    assert [line.same for line in beside(one, two)] == [True] * len(one.lines)


def test_only_what_is_graded_is_compared(release: Release, tmp_path: Path) -> None:
    own = code(release, tmp_path, "own", f"{ORIGINAL}\ndef unused_plot():\n    return 'never graded'\n")
    assert "unused_plot" not in "\n".join(own.lines)
    broken = code(release, tmp_path, "broken", "def line(:\n")
    assert broken.lines == ()


def test_in_a_small_class_only_near_equality_stands_out() -> None:
    assert outstanding({(0, 1): 0.2, (0, 2): 0.9, (1, 2): 0.89}) == {(0, 2)}


def test_nothing_of_a_grade_is_touched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    papers, output = tmp_path / "class", tmp_path / "graded"
    papers.mkdir()
    for name, text in (("ada", ORIGINAL), ("ben", RENAMED), ("bad", "x = (")):
        (papers / f"{name}.py").write_text(text)
    (papers / "deep.py").write_text("def line(x, slope):\n    return " + "-" * 3000 + "x\n")
    (papers / "damaged.ipynb").write_text("no")
    (papers / "other.ipynb").write_text("no")
    (output / "results" / "ada").mkdir(parents=True)
    kept = output / "results" / "ada" / "results.json"
    kept.write_text("{}")
    assert main(["similarity", "ps0", str(papers), "-o", str(output), "--release", str(TINY)]) == 0
    assert kept.read_text() == "{}"
    assert json.loads((output / "similarity.json").read_text())["pairs"][0]["stands_out"]
    out = capsys.readouterr().out
    assert "damaged is not compared" in out
    assert "deep" not in (output / "similarity.json").read_text()
    assert "1 pairs stand out" in out


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as found:
        yield found


def test_the_page_in_a_real_browser(opened: Any, release: Release, tmp_path: Path) -> None:
    one, two = code(release, tmp_path, "ada", ORIGINAL), code(release, tmp_path, "ben", RENAMED)
    texts = tuple(f"x = {text!r}" for text in EVIL)
    evil = Code("evil<b>", (*one.lines, *texts), (*one.plain, *texts), one.raw, one.grams)
    other = Code(EVIL[1], (*two.lines, *texts), (*two.plain, *texts), two.raw, two.grams)
    found = [Pair(evil.name, other.name, 0.97, 0.2, stands_out=True), Pair("a", "b", 0.2, 0.1, stands_out=False)]
    file = tmp_path / "similarity.html"
    file.write_text(side_page("ps0", 12, found, {evil.name: evil, other.name: other}), "utf-8", "backslashreplace")
    page = opened.new_page()
    page.goto(file.as_uri())
    assert_sound(page, "ps0: similar submissions")
    assert "onerror" in page.inner_text("h2#pair1")
    page.screenshot(path=str(tmp_path / "similarity.png"), full_page=True)
    page.close()


def test_the_release_of_a_real_set_shares_nothing_with_itself(tmp_path: Path) -> None:
    path = load_course().root / "ps1_probabilistic" / "ps1.ipynb"
    release, cells = read_release(path), read_submission(path).cells
    stub = code_of("stub", release, read_submission(path, release.names))
    assert stub.lines, "the stubs are there"
    assert not set(stub.grams) - released_grams(cells)
