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
from autograder.testing.remembered import Memory, digest, file_digest, measured
from autograder.testing.untouched import expect_untouched, untouched

__all__ = [
    "Memory",
    "Unexpected",
    "Worth",
    "digest",
    "expect_close",
    "expect_equal",
    "expect_finite",
    "expect_shape",
    "expect_tensor",
    "expect_true",
    "expect_untouched",
    "file_digest",
    "measured",
    "non_contiguous",
    "normal",
    "points",
    "simplex",
    "spd",
    "uniform",
    "untouched",
]
