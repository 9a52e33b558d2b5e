"""Extension 4: scores of samples, against singular values of factors, scipy's entropies, and loops over points."""

import math

import numpy as np
import torch
from scipy.stats import entropy

from autograder.testing import expect_close, expect_finite, expect_shape, expect_true, non_contiguous, normal, points


def gaussians(rng, D, ranks):
    """Two means (D,) and the factors A (D, rank) of two covariances A A'."""
    return [(normal(rng, D), normal(rng, D, rank)) for rank in ranks]


def squared_distance(first, second):
    """The Fréchet distance of Gaussians given by factors: the trace of the root is the nuclear norm of A1' A2."""
    (mu1, A1), (mu2, A2) = [[each.numpy() for each in gaussian] for gaussian in (first, second)]
    cross = np.linalg.svd(A1.T @ A2, compute_uv=False).sum()
    return float(((mu1 - mu2) ** 2).sum() + (A1**2).sum() + (A2**2).sum() - 2 * cross)


def distance_by_student(ps, first, second, dtype=torch.float64):
    """The student's distance of two Gaussians given by factors."""
    (mu1, A1), (mu2, A2) = [[each.to(dtype) for each in gaussian] for gaussian in (first, second)]
    return ps.frechet_distance(mu1, non_contiguous(A1 @ A1.T), mu2, A2 @ A2.T)


@points(1, part="x4a", hint="a matrix root, not the root of each entry; covariances need not commute")
def test_frechet_distance_is_that_of_full_covariances(ps, rng):
    """The distance is exact for covariances with different axes, in both orders, and 0 between equals."""
    for D in (4, 2, 1):
        first, second = gaussians(rng, D, (D + 2, D + 3))
        for pair in ((first, second), (second, first), (first, first)):
            got = distance_by_student(ps, *pair)
            expect_shape(got)
            expect_close(got, squared_distance(*pair), rtol=1e-5, atol=1e-6)


@points(1, part="x4a", hint="zero eigenvalues may come out slightly negative: the root of that is NaN")
def test_singular_covariances_have_a_distance_too(ps, rng):
    """With fewer samples than features the covariances are singular, and the distance is still finite and exact."""
    for ranks in ((2, 3), (1, 1), (6, 2)):
        first, second = gaussians(rng, 6, ranks)
        got = distance_by_student(ps, first, second)
        expect_finite(got, "zero eigenvalues may come out slightly negative: the root of that is NaN")
        expect_close(got, squared_distance(first, second), rtol=1e-5, atol=1e-5)
    zero = (first[0], torch.zeros(6, 1, dtype=torch.float64))
    expect_close(distance_by_student(ps, zero, second), squared_distance(zero, second), rtol=1e-5, atol=1e-5)


def score(logits):
    """The Inception score, by scipy's relative entropies."""
    p = torch.softmax(logits.double(), dim=1).numpy()
    return float(np.exp(np.mean([entropy(row, p.mean(axis=0)) for row in p])))


@points(1, part="x4b", hint="the mean over samples of KL from each sample's classes to their average, then exp")
def test_score_is_the_exponential_of_the_mean_divergence(ps, rng):
    """The score is exp of the mean KL(p(y | x) || p(y)), whatever is added to a sample's logits."""
    for N, K in ((7, 4), (3, 5), (1, 3)):
        logits = 2 * normal(rng, N, K)
        got = ps.inception_score(non_contiguous(logits))
        expect_shape(got)
        expect_close(got, score(logits))
        expect_close(ps.inception_score(logits + 100 * normal(rng, N, 1)), score(logits), "only a softmax counts")
        expect_close(ps.inception_score(logits.float()), torch.tensor(score(logits)).float())


@points(1, part="x4b", hint="sure classifiers have probabilities of exactly 0: stay in log space, 0 log 0 is 0")
def test_sure_classifiers_give_finite_scores(ps, rng):
    """With logits of a thousand the score is that of the labels: the exponential of their entropy."""
    for counts in ([3, 1, 2], [2, 0, 0, 5], [4, 0]):
        labels = torch.from_numpy(rng.permutation(np.repeat(np.arange(len(counts)), counts)))
        sure = torch.nn.functional.one_hot(labels, len(counts)).double()
        want = math.exp(entropy(np.array(counts) / sum(counts)))
        for scale in (1000.0, 2e4):
            got = ps.inception_score(scale * (2 * sure - 1))
            expect_finite(got, "sure classifiers have probabilities of exactly 0: stay in log space, 0 log 0 is 0")
            expect_close(got, want)


def share(queries, centres, k):
    """The share of queries in a ball around a centre to its k-th nearest other centre, one by one."""
    radii = []
    for i, centre in enumerate(centres):
        radii.append(sorted(math.dist(centre, other) for j, other in enumerate(centres) if j != i)[k - 1])
    inside = [any(math.dist(x, c) <= r for c, r in zip(centres, radii, strict=True)) for x in queries]
    return float(sum(inside) / len(inside))


def both(ps, real, fake, k):
    """The student's two numbers and the right ones."""
    got = ps.precision_recall(real, fake, k)
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two results: precision, then recall")
    real, fake = real.tolist(), fake.tolist()
    return got, (share(fake, real, k), share(real, fake, k))


def heaps(rng, N, M, D):
    """Real points around 0 and fakes that are wider and beside them, so that neither share is 0 or 1."""
    return normal(rng, N, D), 1.4 * normal(rng, M, D) + 0.8


@points(1, part="x4c", hint="precision: fakes in balls of real points, whose radii are distances among real points")
def test_precision_counts_fakes_in_balls_of_the_data(ps, rng):
    """Precision is the share of fakes in the union of the real points' balls, for several k and dimensions."""
    for N, M, D, k in ((17, 12, 2, 3), (9, 20, 3, 1), (30, 8, 1, 2)):
        (got, want) = both(ps, *heaps(rng, N, M, D), k)
        expect_close(got[0], want[0])


@points(1, part="x4c", hint="recall: real points in balls of fakes, whose radii are distances among fakes")
def test_recall_counts_data_in_balls_of_the_fakes(ps, rng):
    """Recall is the share of real points in the union of the fakes' balls, for several k and dimensions."""
    for N, M, D, k in ((17, 12, 2, 3), (9, 20, 3, 1), (30, 8, 1, 2)):
        (got, want) = both(ps, *heaps(rng, N, M, D), k)
        expect_close(got[1], want[1])


@points(1, part="x4c", hint="a point is not its own neighbour, a copy of it is; the border belongs to the ball")
def test_borders_copies_and_outliers_count_as_defined(ps, rng):
    """Points on a grid lie exactly on borders, copies have balls of radius 0, and one outlier's ball covers much."""
    grid = torch.tensor([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0], [0.0, 0.0], [40.0, 0.0]], dtype=torch.float64)
    edge = torch.tensor([[-3.0, 4.0], [-3.1, 4.0], [9.0, 12.0], [3.0, 4.0]], dtype=torch.float64)
    for real, fake in ((grid, edge), (edge, grid), (grid, grid), (grid[[0, 3]], edge)):
        for k in (1, 2) if len(real) > 2 else (1,):
            got, want = both(ps, real, fake, k)
            for mine, right in zip(got, want, strict=True):
                expect_close(mine, right)
