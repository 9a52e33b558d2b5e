"""Hidden tests of question 3: grey values on the line, against scipy, slopes, and probabilities that add up."""

import math

import numpy as np
import torch
from scipy.special import expit, logit
from scipy.stats import norm

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_shape,
    expect_true,
    non_contiguous,
    points,
    uniform,
    untouched,
)

SHAPES = ((5, 3), (1, 6), (3, 2, 4, 5))
NARROW = "a margin may be as small as 1e-6: the formula alone, without a clamp, and nothing added inside of a logarithm"


def grey(rng, *shape):
    """Grey values of all sizes, black and white among them."""
    x = torch.from_numpy(rng.integers(0, 256, shape).astype(np.uint8))
    x[..., 0], x[..., -1] = 0, 255
    return x


def at_the_walls(u):
    """The noise that leaves the first pixels, black, at 0, and brings the last ones, white, next to 256."""
    u = u.clone()
    u[..., 0], u[..., -1] = 0, 1 - 1e-9
    return u


def on_the_line(v, alpha):
    """y of v in [0, 256), by scipy."""
    return logit(alpha + (1 - 2 * alpha) * np.asarray(v) / 256)


def log_slopes(v, alpha):
    """log|det dy/dv|, (B,), by central differences; good to about 1e-9 while v is some way from the walls."""
    h, v = 1e-3, np.asarray(v)
    # Richardson: two step sizes cancel the error of order h^2.
    wide = (on_the_line(v + 2 * h, alpha) - on_the_line(v - 2 * h, alpha)) / (4 * h)
    narrow = (on_the_line(v + h, alpha) - on_the_line(v - h, alpha)) / (2 * h)
    return np.log((4 * narrow - wide) / 3).reshape(len(v), -1).sum(1)


def two(got):
    """y and logdet, or a sentence."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two results: y and its log-determinant")
    return got


@points(1, part="3a", hint="add the noise, divide by 256, shrink by the margin on both sides, then the logit")
def test_grey_values_and_noise_land_on_the_line(ps, rng):
    """y is the logit of alpha + (1 - 2 alpha) (x + u) / 256, in the shape and dtype of u."""
    for shape in SHAPES:
        x, u, alpha = grey(rng, *shape), uniform(rng, *shape), 0.01 + 0.2 * rng.random()
        want = on_the_line(x.numpy() + u.numpy(), alpha)
        expect_close(two(ps.logit_preprocess(x, non_contiguous(u), alpha))[0], want)
        small = u.float().clamp(max=1 - 1e-6)
        want = torch.from_numpy(on_the_line(x.numpy() + small.double().numpy(), alpha)).float()
        expect_close(two(ps.logit_preprocess(x, small, alpha))[0], want)
        walls = at_the_walls(u)
        narrow = on_the_line(x.numpy() + walls.numpy(), 1e-6)
        expect_close(two(ps.logit_preprocess(x, walls, 1e-6))[0], narrow, NARROW)
        untouched(ps, "logit_preprocess", x, u, alpha)


@points(1, part="3a", hint="the slope of the whole map, from x + u to y, for every pixel; their logarithms add up")
def test_log_determinant_is_the_slope_of_the_whole_map(ps, rng):
    """logdet is the sum of log dy/d(x + u) over the pixels of an image: margin, division and logit all count."""
    for shape in SHAPES:
        x, u, alpha = grey(rng, *shape), 0.1 + 0.8 * uniform(rng, *shape), 0.01 + 0.2 * rng.random()
        want = log_slopes(x.numpy() + u.numpy(), alpha)
        expect_close(two(ps.logit_preprocess(x, u, alpha))[1], want)
        got = two(ps.logit_preprocess(x, u.float(), alpha))[1]
        expect_close(got, torch.from_numpy(want).float())
        walls = at_the_walls(u)
        s = 1e-6 + (1 - 2e-6) * (x.numpy() + walls.numpy()) / 256
        narrow = np.log((1 - 2e-6) / 256 / (s * (1 - s))).reshape(len(x), -1).sum(1)
        expect_close(two(ps.logit_preprocess(x, walls, 1e-6))[1], narrow, NARROW)


@points(1, part="3a", hint="no probability may be lost or made: the density of x + u must integrate to that of y")
def test_probability_is_conserved(ps, rng):
    """The density of x + u that a normal y implies integrates over each grey value to the normal's own probability."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    for alpha in (0.05, 0.2):
        mean, std = rng.standard_normal(), 0.5 + rng.random()
        x = torch.arange(256).repeat_interleave(8)[:, None].to(torch.uint8)
        u = torch.from_numpy(np.tile((nodes + 1) / 2, 256))[:, None]
        y, logdet = two(ps.logit_preprocess(x, u, alpha))
        expect_shape(y, 2048, 1)
        expect_shape(logdet, 2048)
        density = norm(mean, std).pdf(y[:, 0].numpy()) * np.exp(logdet.numpy())
        cells = density.reshape(256, 8) @ (weights / 2)
        walls = norm(mean, std).cdf(on_the_line(np.arange(257), alpha))
        expect_close(torch.from_numpy(cells), np.diff(walls), rtol=1e-5, atol=1e-8)


@points(1, part="3b", hint="undo the logit, then the margin, then the division; the whole part is the grey value")
def test_every_grey_value_comes_back(ps, rng):
    """All 256 grey values come back from y, for noise anywhere between two whole numbers, in any shape."""
    for alpha in (0.05, 1e-3, 0.3):
        x = torch.arange(256).reshape(2, 4, 32).to(torch.uint8)
        for u in (0.02, 0.98, 0.02 + 0.96 * rng.random((2, 4, 32))):
            y = torch.from_numpy(on_the_line(x.numpy() + u, alpha))
            got = ps.logit_inverse(non_contiguous(y), alpha)
            expect_close(got, x)
    single = torch.from_numpy(on_the_line(x.numpy()[:1] + 0.5, 0.3)).float()
    expect_close(ps.logit_inverse(single, 0.3), x[:1])


@points(1, part="3b", hint="a model's y may lie beyond the margin: black stays black, white stays white")
def test_pixels_beyond_the_margin_are_black_or_white(ps, rng):
    """Values of y beyond the logits of alpha and 1 - alpha give 0 and 255, however far out they are."""
    alpha = 0.1 + 0.1 * rng.random()
    edge = float(logit(1 - alpha))
    out = edge + torch.tensor([[1e-3, 0.05, 0.5], [2.0, 50.0, 800.0]], dtype=torch.float64)
    for dtype in (torch.float64, torch.float32):
        expect_close(ps.logit_inverse(out.to(dtype), alpha), torch.full((2, 3), 255, dtype=torch.uint8))
        expect_close(ps.logit_inverse(-out.to(dtype), alpha), torch.zeros(2, 3, dtype=torch.uint8))
    inside = torch.tensor([[-edge + 1e-3, edge - 1e-3]], dtype=torch.float64)
    v = 256 * (expit(inside.numpy()) - alpha) / (1 - 2 * alpha)
    expect_equal(ps.logit_inverse(inside, alpha).tolist(), [[int(v[0, 0]), int(v[0, 1])]])


@points(1, part="3c", hint="nats to bits, and per dimension; the 256 is already in the log-determinant")
def test_uniform_images_cost_eight_bits(ps, rng):
    """Equally likely grey values cost exactly 8 bits per dimension, and every nat less costs 1 / (D ln 2) bits more."""
    for B, D in ((5, 12), (1, 784), (3, 1)):
        nats = 10 * D * torch.from_numpy(rng.standard_normal(B))
        uniform_nats = torch.full((B,), -D * math.log(256), dtype=torch.float64)
        expect_close(ps.bits_per_dim(uniform_nats, D), torch.full((B,), 8.0, dtype=torch.float64), rtol=1e-12)
        want = -np.log2(np.e) * nats.numpy() / D
        expect_close(ps.bits_per_dim(nats, D), want)
        expect_close(ps.bits_per_dim(nats.float(), D), torch.from_numpy(want).float())
