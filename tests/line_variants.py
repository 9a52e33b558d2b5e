"""Variants that prove the graders of the tiny course's first question."""

GOOD = """
from autograder.verify.variants import right, wrong


@wrong("fit_line")
def swaps_slope_and_intercept(xs, ys):
    slope, intercept = fit_line(xs, ys)
    return intercept, slope


@wrong("fit_line")
def adds_one(xs, ys):
    slope, intercept = fit_line(xs, ys)
    return slope + 1, intercept + 1


@wrong("fit_line")
def returns_text(xs, ys):
    return "slope", "intercept"


@right("fit_line")
def by_covariance(xs, ys):
    n, x, y = len(xs), mean(xs), mean(ys)
    slope = (mean([a * b for a, b in zip(xs, ys)]) - x * y) / (mean([a * a for a in xs]) - x * x)
    return slope, y - slope * x


@right("fit_line")
def by_numpy(xs, ys):
    import numpy as np
    slope, intercept = np.polyfit(xs, ys, 1)
    return float(slope), float(intercept)
"""
