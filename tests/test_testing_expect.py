"""Comparisons of hidden tests: what they accept, what they reject, and that they never say a value."""

import numpy as np
import pytest
import torch

from autograder.grading.seeds import generator_for
from autograder.testing import (
    Unexpected,
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    simplex,
    spd,
)

WANT = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (WANT * (1 + 1e-7), WANT),
        (WANT.float() * (1 + 1e-5), WANT.float()),
        (WANT, WANT.numpy()),
        (non_contiguous(WANT), WANT),
        (torch.tensor(2.0), 2.0),
        (np.float64(2.0), 2.0),
        (2, 2.0),
        (torch.tensor([1, 2]), torch.tensor([1, 2])),
        (torch.tensor([float("-inf")]), torch.tensor([float("-inf")])),
    ],
)
def test_right_results_are_accepted(got, want):
    expect_close(got, want)


@pytest.mark.parametrize(
    ("got", "want", "aspect"),
    [
        (WANT.tolist(), WANT, "type"),
        (WANT.numpy(), WANT, "type"),
        (None, WANT, "type"),
        (WANT.T, WANT, "shape"),
        (torch.tensor(1.0, dtype=torch.float64), WANT, "shape"),
        (WANT[:, :1], WANT, "shape"),
        (WANT.float(), WANT, "dtype"),
        (WANT.long(), WANT, "dtype"),
        (WANT * float("nan"), WANT, "finite"),
        (WANT * (1 + 1e-5), WANT, "value"),
        (WANT.float() * (1 + 1e-3), WANT.float(), "value"),
        (WANT * float("inf"), WANT, "value"),
        (torch.tensor([1, 3]), torch.tensor([1, 2]), "value"),
        (2.1, 2.0, "value"),
        (True, 1.0, "type"),
        ("2.0", 2.0, "type"),
        (torch.tensor([2.0]), 2.0, "shape"),
    ],
)
def test_wrong_results_are_rejected_for_the_right_reason(got, want, aspect):
    with pytest.raises(Unexpected) as caught:
        expect_close(got, want, "the idea")
    assert caught.value.aspect == aspect
    assert not any(digit in caught.value.what for digit in ("1.0", "2.1", "4.0", "nan,"))


def test_plain_data_must_be_equal_in_type_too():
    expect_equal([1, 2], [1, 2])
    for got, want in (((1, 2), [1, 2]), (1.0, 1), ([1, 3], [1, 2])):
        with pytest.raises(Unexpected):
            expect_equal(got, want)


def test_shape_finiteness_and_properties():
    expect_shape(WANT, 2, 3)
    expect_finite(WANT, "")
    expect_true(True, "")
    with pytest.raises(Unexpected, match=r"shape \(2, 3\), expected \(3, 2\)"):
        expect_shape(WANT, 3, 2)
    with pytest.raises(Unexpected, match="NaN or infinity"):
        expect_finite(WANT / 0, "")
    with pytest.raises(Unexpected) as caught:
        expect_true(False, "the idea")
    assert caught.value.hint == "the idea"


def test_draws_depend_on_seed_question_and_test_and_on_nothing_else():
    def draw(seed, question, test):
        return generator_for(seed, question, test).standard_normal(3).tolist()

    first = draw(1, "q1", "test_a")
    assert draw(1, "q1", "test_a") == first
    others = [draw(2, "q1", "test_a"), draw(1, "q2", "test_a"), draw(1, "q1", "test_b")]
    assert len({tuple(each) for each in [first, *others]}) == 4


def test_draws_are_what_they_say():
    rng = np.random.default_rng(0)
    assert normal(rng, 2, 5, dtype=torch.float32).dtype == torch.float32
    assert torch.allclose(simplex(rng, 4, 3).sum(-1), torch.ones(4, dtype=torch.float64))
    assert torch.linalg.eigvalsh(spd(rng, 5, 3)).min() > 0.3 - 1e-12
    assert not non_contiguous(WANT).is_contiguous()
