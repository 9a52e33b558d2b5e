"""Numbers and identities that the model answers of problem set 4's extensions claim, each computed here."""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import norm


def subsets(T: int) -> list[frozenset[int]]:
    return [frozenset(c) for m in range(T + 1) for c in itertools.combinations(range(T), m)]


def test_x1_the_masked_loss_is_the_average_over_orders() -> None:
    """For a network that is no distribution's: a cost for naming position i given the set of those known."""
    T, rng = 4, np.random.default_rng(0)
    cost = {(known, i): rng.exponential() for known in subsets(T) for i in set(range(T)) - known}
    orders = list(itertools.permutations(range(T)))
    by_order = np.mean([sum(cost[frozenset(o[:k]), o[k]] for k in range(T)) for o in orders])
    nodes, weights = np.polynomial.legendre.leggauss(T + 1)
    integral = 0.0
    for t, w in zip((nodes + 1) / 2, weights / 2, strict=True):
        for known in subsets(T):
            masked = set(range(T)) - known
            chance = t ** len(masked) * (1 - t) ** len(known)
            integral += w / t * chance * sum(cost[known, i] for i in masked)
    assert integral == pytest.approx(by_order, rel=1e-12)


def test_x2_a_rejection_that_draws_from_the_target_is_drawn_towards_the_draft() -> None:
    p, q = np.array([0.5, 0.5]), np.array([0.9, 0.1])
    overlap = np.minimum(p, q)
    assert overlap + (1 - overlap.sum()) * p == pytest.approx([0.7, 0.3])
    assert 1 - overlap.sum() == pytest.approx(np.abs(p - q).sum() / 2)
    p, q = np.array([0.4, 0.6, 0.0]), np.array([0.2, 0.3, 0.5])  # q is half of p where p is positive
    overlap = np.minimum(p, q)
    assert overlap + (1 - overlap.sum()) * p == pytest.approx(p)


def test_x2_two_guesses_are_best_for_an_even_chance_at_a_tenth_of_the_price() -> None:
    yields = {n: sum(0.5**k for k in range(n + 1)) / (1 + 0.1 * n) for n in range(9)}
    assert max(yields, key=lambda n: yields[n]) == 2


def test_x3_the_group_mean_shortens_the_gradient_by_one_over_n() -> None:
    """Three tries from a softmax over three answers, all of them listed."""
    z, r, N = np.array([0.3, -0.5, 1.0]), np.array([1.0, 0.2, -0.7]), 3
    pi = np.exp(z) / np.exp(z).sum()
    slope = np.eye(3) - pi  # row y: the gradient of log pi(y) in z
    truth = (pi * r) @ slope
    mean = np.zeros(3)
    for ys in itertools.product(range(3), repeat=N):
        away = r[list(ys)] - r[list(ys)].mean()
        mean += pi[list(ys)].prod() * (away[:, None] * slope[list(ys)]).mean(axis=0)
    assert mean == pytest.approx((1 - 1 / N) * truth)


def test_x3_the_optimal_policy_gives_the_reward_back_in_differences() -> None:
    ref, r, beta = np.array([0.2, 0.5, 0.3]), np.array([1.0, -0.3, 0.4]), 0.7
    best = ref * np.exp(r / beta)
    best /= best.sum()
    implied = beta * np.log(best / ref)
    assert np.diff(implied) == pytest.approx(np.diff(r))

    def value(pi: np.ndarray) -> float:
        return float(pi @ r - beta * (pi * np.log(pi / ref)).sum())

    rng = np.random.default_rng(0)
    assert all(value(best) > value(rng.dirichlet(np.ones(3))) for _ in range(200))


def test_x5_numbers_of_the_watermark() -> None:
    e2 = math.exp(2)
    green = e2 / (e2 + 1)
    assert round(green, 3) == 0.881
    rate = (green - 0.5) / 0.5
    assert (round(rate, 3), math.ceil((4.75 / rate) ** 2)) == (0.762, 39)
    assert round(0.001 * e2 / (0.001 * e2 + 0.999), 3) == 0.007
    assert norm.sf(4.75) == pytest.approx(1e-6, rel=0.05)
    assert round(norm.sf(4.75 / 2), 3) == 0.009
    first, second = 0.9 * e2 / (0.9 * e2 + 0.1), 0.9 / (0.9 + 0.1 * e2)
    assert (round(first, 3), round(second, 3), round((first + second) / 2, 3)) == (0.985, 0.549, 0.767)
    assert round(1 - 0.5**0.5, 2) == 0.29
