"""Properties of problem set 4's reference transformer, cache and sampling over generated cases, and the texts' numbers.

Causality and the equality of passes with and without a cache are claims about every model, text and way to cut it, so
Hypothesis draws all three.
"""

import itertools
import math
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import load_course
from autograder.source import definitions

SOURCES = load_course().root / "solutions" / "ps4_language_models"
FILES = ["intro", "q3_transformer", "q4_kv_cache", "q6_sampling"]
SIZES = st.tuples(st.integers(1, 3), st.integers(1, 3), st.sampled_from([2, 4, 6]), st.integers(2, 9))
SEEDS = st.integers(0, 2**31 - 1)


@cache
def notebook() -> SimpleNamespace:
    """The solved notebook's definitions of questions 3, 4 and 6; nothing is trained."""
    return SimpleNamespace(**definitions(SOURCES, FILES))


def model(kind: str, sizes: tuple[int, int, int, int], seed: int) -> Any:
    """A GPT of L layers, H heads of D numbers and V tokens, in double precision, with large random weights."""
    book = notebook()
    L, H, D, V = sizes
    made = getattr(book, kind)(book.GPTConfig(V, 64, L, H, H * D)).double().eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator, dtype=torch.float64) / 2)
    return made


def tokens(V: int, B: int, T: int, seed: int) -> torch.Tensor:
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(seed))


@settings(deadline=None, max_examples=40)
@given(SIZES, st.integers(1, 3), st.integers(1, 16), SEEDS, st.data())
def test_no_logit_depends_on_a_later_token(
    sizes: tuple[int, int, int, int], B: int, T: int, seed: int, data: st.DataObject
) -> None:
    j = data.draw(st.integers(0, T - 1), label="first changed token")
    gpt, idx = model("GPT", sizes, seed), tokens(sizes[3], B, T, seed)
    other = torch.cat([idx[:, :j], tokens(sizes[3], B, T - j, seed + 1)], dim=1)
    with torch.no_grad():
        assert torch.equal(gpt(idx)[:, :j], gpt(other)[:, :j])


@settings(deadline=None, max_examples=40)
@given(SIZES, st.integers(1, 3), st.lists(st.integers(1, 7), min_size=1, max_size=6), SEEDS)
def test_a_cache_changes_no_logit_however_the_text_is_cut(
    sizes: tuple[int, int, int, int], B: int, chunks: list[int], seed: int
) -> None:
    gpt, idx = model("CachedGPT", sizes, seed), tokens(sizes[3], B, sum(chunks), seed)
    memory = notebook().new_cache(gpt)
    with torch.no_grad():
        pieces = torch.cat([gpt(piece, memory) for piece in idx.split(chunks, dim=1)], dim=1)
        torch.testing.assert_close(pieces, gpt(idx), rtol=1e-9, atol=1e-9)
    held = sum(each.element_size() * each.numel() for layer in memory for each in layer.values())
    assert held == notebook().cache_bytes(gpt.cfg, B, sum(chunks), 8)


@settings(deadline=None, max_examples=20)
@given(SIZES, st.integers(1, 2), st.integers(1, 6), st.integers(0, 12), SEEDS, st.sampled_from([0.0, 0.5, 1.0, 3.0]))
def test_a_cache_changes_no_token_that_is_written(
    sizes: tuple[int, int, int, int], B: int, T: int, n: int, seed: int, tau: float
) -> None:
    book, gpt, idx = notebook(), model("CachedGPT", sizes, seed), tokens(sizes[3], B, T, seed)
    us = torch.rand(B, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    plain = book.generate(gpt, idx, n, us, tau, 3, 0.9)
    assert torch.equal(book.generate(gpt, idx, n, us, tau, 3, 0.9, book.new_cache(gpt)), plain)
    assert torch.equal(plain[:, :T], idx)


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(0, 300), st.integers(0, 300), st.integers(0, 300), SEEDS)
def test_rotated_inner_products_depend_on_the_distance(half: int, m: int, n: int, shift: int, seed: int) -> None:
    q, k = torch.randn(2, 1, 2 * half, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    meet = lambda a, b: (notebook().rotate(q, torch.tensor([a])) * notebook().rotate(k, torch.tensor([b]))).sum()  # noqa: E731
    torch.testing.assert_close(meet(m, n), meet(m + shift, n + shift))


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1.0), min_size=1, max_size=6), st.floats(0.01, 0.99), SEEDS)
def test_the_nucleus_is_the_smallest_set(weights: list[float], p: float, seed: int) -> None:
    probs = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    kept = notebook().top_p(probs.log(), p).isfinite()
    assert probs[kept].sum() >= p - 1e-9
    for fewer in itertools.combinations(probs.tolist(), int(kept.sum()) - 1):
        assert sum(fewer) < p + 1e-9


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([0.0, 0.1, 1.0, 3.0]), min_size=1, max_size=6).filter(any),
    st.floats(0, 1, exclude_max=True),
)
def test_a_drawn_token_is_possible_and_u_falls_onto_it(weights: list[float], u: float) -> None:
    probs = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    token = int(notebook().sample_from(probs[None], torch.tensor([u], dtype=torch.float64)))
    assert probs[token] > 0
    assert probs[:token].sum() <= u + 1e-12
    assert u < probs[: token + 1].sum() + 1e-12


def test_the_written_rms_norm_has_the_gradient_of_torchs() -> None:
    norm = notebook().RMSNorm(5).double()
    x = torch.randn(3, 2, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(norm, (x,))


@pytest.mark.parametrize(("V", "L", "H", "C", "N"), [(65, 6, 6, 384, 10_671_744), (50, 3, 2, 16, 10_928)])
def test_parameters_are_as_many_as_the_text_counts(V: int, L: int, H: int, C: int, N: int) -> None:
    book = notebook()
    with torch.device("meta"):
        gpt = book.GPT(book.GPTConfig(V, 256, L, H, C))
    assert sum(p.numel() for p in gpt.parameters()) == 2 * V * C + C + L * (12 * C * C + 2 * C) == N


def test_numbers_of_3f_are_right() -> None:
    L, C, V, T, B = 6, 384, 65, 256, 64
    maps, attention = 2 * (12 * L * C * C + V * C), 4 * L * T * C
    assert (maps, attention) == (21_283_584, 2_359_296)
    step = 3 * (maps + attention) * B * T
    assert step == pytest.approx(1.16e12, rel=0.01)
    assert step / 2e13 == pytest.approx(0.058, rel=0.01)
    assert B * 6 * T**2 == 25_165_824


def test_numbers_of_4d_are_right() -> None:
    N, L, C, n = 10.6e6, 6, 384, 256
    without = sum(2 * N * t + 4 * L * C * t * t for t in range(1, n + 1))
    cached = sum(2 * N + 4 * L * C * t for t in range(1, n + 1))
    assert without / cached == pytest.approx(130, rel=0.02)
    cfg = notebook().GPTConfig(1, 8192, 32, 32, 4096)
    assert notebook().cache_bytes(cfg, 1, 1, 2) == 2**19
    one, many = notebook().cache_bytes(cfg, 1, 8192, 2), notebook().cache_bytes(cfg, 16, 8192, 2)
    assert (one, many) == (2**32, 2**36)
    assert (14e9 + one) / 2e12 == pytest.approx(9e-3, rel=0.05)
    assert (14e9 + many) / 2e12 == pytest.approx(41e-3, rel=0.02)
    assert (14e9 + many / 8) / 2e12 == pytest.approx(11e-3, rel=0.05)


def test_numbers_of_6e_are_right() -> None:
    p = {"AA": 0.3, "AB": 0.3, "BA": 0.0, "BB": 0.4}
    assert max(p, key=lambda text: p[text]) == "BB"
    assert p["BB"] ** 2 / (0.6**2 + 0.4**2) == pytest.approx(0.308, abs=1e-3)
    assert p["BB"] ** 2 / sum(each**2 for each in p.values()) == pytest.approx(0.471, abs=1e-3)
    assert math.pow(0.99, 200) == pytest.approx(0.134, abs=1e-3)
    us = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    left, right = ([0.5, 0.5, 0.0], [0.0, 0.5, 0.5])
    draws = [notebook().sample_from(torch.tensor([probs] * 1000).double(), us) for probs in (left, right)]
    assert not bool((draws[0] == draws[1]).any())
    assert math.isclose(0.5 * sum(abs(a - b) for a, b in zip(left, right, strict=True)), 0.5)
