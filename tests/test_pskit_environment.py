"""The first cell, the cost of the import, and the figures' words."""

import math
import random
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch

from pskit import data, figures, setup

HEAVY = ("matplotlib", "pooch", "requests", "PIL", "IPython", "sklearn", "scipy", "pandas", "ipywidgets")


def test_importing_pskit_loads_nothing_heavy_beyond_torch():
    code = f"import sys, pskit; print([m for m in {HEAVY} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_setup_seeds_everything_and_says_where_it_runs(capsys):
    draws = []
    for _ in range(2):
        here = setup(seed=3, quick=True)
        draws.append((torch.rand(1).item(), np.random.rand(), random.random()))
    assert draws[0] == draws[1]
    assert (here.quick, here.seed) == (True, 3)
    out = capsys.readouterr().out
    assert f"torch {torch.__version__}" in out
    assert f"Data folder: {data.folder()}" in out
    assert "GB free" in out
    assert "QUICK = True: small data and short runs." in out


@pytest.mark.parametrize(
    ("needs_gpu", "words"),
    [
        (False, "No GPU: this run needs none."),
        (True, "No GPU: in Colab choose Runtime > Change runtime type > T4 GPU."),
    ],
)
def test_without_a_gpu_the_advice_fits_the_set(monkeypatch, capsys, needs_gpu, words):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert setup(quick=True, needs_gpu=needs_gpu).device.type == "cpu"
    assert words in capsys.readouterr().out


@pytest.fixture
def shown(monkeypatch):
    """The figures that were shown, with their texts."""
    matplotlib.use("agg")
    seen = []
    monkeypatch.setattr(figures, "show", lambda figure, alt: seen.append((figure, alt)))
    yield seen
    matplotlib.pyplot.close("all")


def test_patches_stand_on_the_sheet_row_by_row(shown):
    P = torch.arange(4.0).repeat_interleave(4).reshape(4, 4)  # patch i is all i
    figures.patches(P, "four", columns=3)
    sheet = shown[0][0].axes[0].images[0].get_array()
    assert sheet.shape == (7, 10)
    assert [sheet[1, 1], sheet[1, 4], sheet[1, 7], sheet[4, 1]] == [0, 1, 2, 3]


def test_a_scale_makes_zero_middle_grey(shown):
    figures.patches(torch.zeros(1, 4), scale=2.0)
    assert shown[0][0].axes[0].images[0].get_clim() == (-2.0, 2.0)


def test_photographs_are_named_with_their_psnr(shown):
    clean = torch.full((6, 9), 0.5)
    figures.photographs({"clean": clean, "noisy": clean + 0.1}, clean=clean)
    assert [ax.get_title() for ax in shown[0][0].axes] == ["clean", "noisy: 20.00 dB"]
    assert shown[0][1] == "Photographs side by side. clean, noisy: 20.00 dB"


def test_psnr_of_equal_images_is_infinite():
    assert figures.psnr(torch.ones(2, 2), torch.ones(2, 2)) == math.inf
    assert figures.psnr(torch.ones(2, 2), torch.zeros(2, 2)) == 0


def test_curves_differ_in_more_than_colour_and_say_their_ends(shown):
    figures.curves({"train": [1.0, 3.0], "test": [0.5, 2.0]}, ylabel="nats", band=(2.5, 3.5), title="EM")
    lines = shown[0][0].axes[0].lines
    assert len({line.get_linestyle() for line in lines}) == 2
    assert shown[0][1] == "EM (nats by iteration): train goes from 1 to 3; test goes from 0.5 to 2"
    assert "reference: 2.5 to 3.5" in [text.get_text() for text in shown[0][0].axes[0].get_legend().get_texts()]


def test_a_ladder_says_every_number(shown):
    figures.ladder({"Gaussian": 97.6, "mixture": 155.4}, xlabel="nats", reference={"Gaussian": 97.0, "other": 1.0})
    assert shown[0][1] == "nats: Gaussian 97.60, mixture 155.40"
    assert list(shown[0][0].axes[0].lines[-1].get_xdata()) == [97.0]


def test_ellipses_lie_at_their_mahalanobis_distance(shown):
    _, (ax,) = figures._axes(1, 4, 1)
    mu, Sigma = torch.tensor([[1.0, -2.0]]).double(), torch.tensor([[[2.0, 0.6], [0.6, 0.5]]]).double()
    figures.ellipses(ax, mu, Sigma, levels=(2,))
    points = torch.tensor(np.stack(ax.lines[0].get_data()))  # (2, 100)
    away = points - mu.T
    squared = (away * torch.linalg.solve(Sigma[0], away)).sum(0)
    torch.testing.assert_close(squared, torch.full_like(squared, 4.0))


def test_showing_outside_of_a_notebook_is_harmless():
    matplotlib.use("agg")
    figures.patches(torch.rand(3, 9))
    assert not matplotlib.pyplot.get_fignums()
