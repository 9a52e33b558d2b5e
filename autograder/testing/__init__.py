"""What hidden tests import: worth, comparisons and draws."""

from autograder.testing.draws import non_contiguous, normal, simplex, spd, uniform
from autograder.testing.expect import (
    Unexpected,
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_tensor,
    expect_true,
)
from autograder.testing.points import Worth, points

__all__ = [
    "Unexpected",
    "Worth",
    "expect_close",
    "expect_equal",
    "expect_finite",
    "expect_shape",
    "expect_tensor",
    "expect_true",
    "non_contiguous",
    "normal",
    "points",
    "simplex",
    "spd",
    "uniform",
]
