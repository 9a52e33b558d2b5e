"""Figures for people who cannot see them, or not in colour: words for each, colours that everybody can tell apart."""

import ast
import json
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pskit.figures import COLOURS

ROOT = Path(__file__).parents[1]
RELEASES = sorted(ROOT.glob("ps[0-9]_*/ps[0-9].ipynb"))
SOURCES = sorted(path for path in (ROOT / "solutions").rglob("*.py") if "variants" not in path.parts)
IMAGE = re.compile(r"!\[(.*?)\][\[(]")
WORDS = 4  # fewer say what a figure is, not what is to be seen in it
GREY = re.compile(r"#([0-9A-Fa-f]{2})\1\1")
NEUTRAL = {"black", "white", "none", "grey", "gray", "silver", "lightgrey", "lightgray", "dimgrey", "dimgray", "k", "w"}
# One hue or two that differ in lightness; not the rainbow, and not red against green.
MAPS = {"gray", "gray_r", "Greys", "Blues", "Oranges", "Purples", "viridis", "magma", "cividis", "coolwarm", "PuOr"}
# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as people without one kind of cone see it.
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])  # sRGB, D65


def texts(notebook: Path) -> Iterator[str]:
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "markdown":
            yield "".join(cell["source"])


@pytest.mark.parametrize("notebook", RELEASES, ids=lambda path: path.stem)
def test_every_figure_of_a_release_says_what_is_to_be_seen(notebook: Path) -> None:
    """Figures that cells draw are looked at when the cells run, in test_colab.py."""
    found = [alt for text in texts(notebook) for alt in IMAGE.findall(text)]
    assert len(found) > 1
    seen = [re.sub(r"^What to expect[^:]*:?", "", alt) for alt in found if alt != "Open in Colab"]
    assert [alt for alt in seen if len(alt.split()) < WORDS] == []


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_colour_is_not_the_only_mark(source: Path) -> None:
    """A list of colours, one for each point, tells labels apart by colour alone; a call for each label has a marker."""
    calls = [node for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    for keyword in (each for call in calls for each in call.keywords if each.arg == "c"):
        assert not isinstance(keyword.value, ast.ListComp), f"line {keyword.value.lineno}"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_cells_show_figures_by_the_function_that_asks_for_words(source: Path) -> None:
    calls = [node for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    assert not [call.lineno for call in calls if ast.unparse(call.func) in ("plt.show", "fig.show", "plt.figure")]
    for call in (call for call in calls if ast.unparse(call.func) == "figures.show"):
        assert len(call.args) + len(call.keywords) == 2, f"line {call.lineno}: figures.show(figure, words)"


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_colours_are_the_houses_or_grey(source: Path) -> None:
    for keyword in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(keyword, ast.keyword) and isinstance(keyword.value, ast.Constant):
            value = keyword.value.value
            if keyword.arg == "cmap":
                assert value in MAPS, f"line {keyword.value.lineno}: {value}"
            if keyword.arg in ("color", "facecolor", "edgecolor", "facecolors", "edgecolors", "colors"):
                assert value in NEUTRAL or GREY.fullmatch(value), f"line {keyword.value.lineno}: {value}"


def lab(colour: str, sight: Any) -> np.ndarray:
    """CIE L*a*b* of a colour as it is seen."""
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    seen = XYZ @ np.clip(np.asarray(sight) @ linear, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(seen > 216 / 24389, np.cbrt(seen), (24389 / 27 * seen + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_for_every_kind_of_colour_vision(sight: str) -> None:
    """A distance of 10 in L*a*b* is plain to see; one hue against another of red and green fails it."""
    pairs = combinations(COLOURS, 2)
    distances = {(a, b): np.linalg.norm(lab(a, SIGHT[sight]) - lab(b, SIGHT[sight])) for a, b in pairs}
    assert min(distances.values()) > 10, min(distances, key=lambda pair: distances[pair])


def test_the_measure_knows_red_and_green() -> None:
    """Of equal lightness they are one colour to a person without the medium cone, and two to others."""
    red, green = "#D04030", "#7C7300"
    apart = {sight: np.linalg.norm(lab(red, SIGHT[sight]) - lab(green, SIGHT[sight])) for sight in SIGHT}
    assert apart["deuteranopia"] < 20 < 50 < apart["all cones"]
