"""Question 7. Oracles: layers of torch.nn whose numbers are counted, a count of multiplications, laws without noise."""

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import nn

from autograder.testing import expect_close, expect_equal, expect_true, points


def counted(V, L, C):
    """The numbers in torch's own layers of these sizes."""
    layer = [*(nn.Linear(C, C, bias=False) for _ in range(4)), nn.Linear(C, 4 * C, bias=False)]
    layer += [nn.Linear(4 * C, C, bias=False), nn.RMSNorm(C), nn.RMSNorm(C)]
    rest = [nn.Embedding(V, C), nn.RMSNorm(C), nn.Linear(C, V, bias=False)]
    one, more = (sum(p.numel() for each in part for p in each.parameters()) for part in (layer, rest))
    return L * one + more


def probe_count(ns, sizes):
    """count_params of the notebook's configuration, or of any object with these sizes where it has none."""
    import types

    make = ns.GPTConfig if "GPTConfig" in ns else types.SimpleNamespace
    return ns.count_params(make(**sizes))


@points(
    1, part="7a", hint="an embedding, a head of its own, L layers with 12 C^2 numbers and two gains, and one more gain"
)
def test_every_parameter_is_counted_once(ps, rng):
    """The count is that of the layers, for any sizes; heads, context and dropout do not change it."""
    for V, T, L, H, C in ((65, 32, 3, 4, 24), (7, 9, 1, 1, 2), (300, 16, 2, 2, 12), (11, 128, 5, 3, 6)):
        sizes = {"vocab_size": V, "block_size": T, "n_layer": L, "n_head": H, "n_embd": C, "dropout": 0.1}
        expect_equal(ps.run(probe_count, sizes), counted(V, L, C))
    for heads, context in ((1, 7), (6, 500)):
        sizes = {"vocab_size": 31, "block_size": context, "n_layer": 2, "n_head": heads, "n_embd": 12, "dropout": 0.0}
        expect_equal(ps.run(probe_count, sizes), counted(31, 2, 12), "neither the context nor the heads have numbers")


@points(1, part="7a", hint="two operations per parameter and token on the way forward, twice as many on the way back")
def test_training_costs_three_passes(ps, rng):
    """A token costs each parameter a multiplication and an addition, and backward costs twice what forward does."""
    for n, tokens in ((1000, 17), (123_457, 1_000_003), (70 * 10**9, 14 * 10**11), (1, 1)):
        forward = n * tokens + n * tokens  # multiplications and additions
        expect_close(ps.train_flops(n, tokens), float(forward + 2 * forward), rtol=1e-9)


LAWS = (  # E, A, alpha, smallest and largest size in powers of ten, how many
    (1.7, 400.0, 0.34, 5.0, 9.0, 7),
    (0.5, 8.0, 0.2, 3.4, 5.6, 5),
    (2.2, 30.0, 0.55, 4.0, 6.5, 9),
    (3.0, 1500.0, 0.95, 3.0, 5.0, 6),
    (1.0, 3e5, 1.6, 3.0, 5.0, 6),
)


def sized(rng, low, high, K):
    """Sizes (K,), about evenly apart in their logarithms, in no order."""
    return torch.from_numpy(10 ** rng.permutation(np.linspace(low, high, K) + rng.uniform(-0.03, 0.03, K)))


def three(got):
    """The three numbers that were asked for, as floats."""
    expect_true(isinstance(got, list | tuple) and len(got) == 3, "three numbers are asked for: E, A and alpha")
    for each in got:
        expect_true(isinstance(each, int | float | torch.Tensor | np.generic), "E, A and alpha are numbers")
    return [float(each) for each in got]


@points(1, part="7b", hint="all three together: a line through log L against log N knows no floor", timeout=60)
def test_noiseless_laws_are_recovered(ps, rng):
    """Without noise the floor, the factor and the exponent are found to one per cent, wherever the sizes lie."""
    for E, A, alpha, low, high, K in LAWS:
        N = sized(rng, low, high, K)
        got = three(ps.fit_power_law(N, E + A * N**-alpha))
        for value, want in zip(got, (E, A, alpha), strict=True):
            expect_close(value, want, rtol=0.01)


@points(
    0.5,
    part="7b",
    hint="the floor is a number to be found: it may be 0, and it may be far below the smallest loss",
    timeout=60,
)
def test_the_floor_may_be_anything(ps, rng):
    """A floor of zero is found, and one far below or just below the smallest loss; the exponent with it."""
    for share in (0.0, 0.3, 0.9, 0.99):
        N = sized(rng, 4.0, 7.0, 8)
        A, alpha = float(rng.uniform(5, 50)), float(rng.uniform(0.25, 0.5))
        smallest = A * float(N.max()) ** -alpha
        E = share / (1 - share) * smallest
        got = three(ps.fit_power_law(N, E + A * N**-alpha))
        expect_close(got[0], E, "the floor", rtol=0.01, atol=0.01 * smallest)
        expect_close(got[1], A, "the factor", rtol=0.02)
        expect_close(got[2], alpha, "the exponent", rtol=0.01)


def without_a_floor(N, L):
    """The exponents of the law A N ** -alpha that is nearest to the losses, and nearest to their logarithms."""
    n = (N / N.log().mean().exp()).numpy()

    def miss(alpha):
        x = n**-alpha
        return ((L.numpy() @ x / (x @ x) * x - L.numpy()) ** 2).sum()

    nearest = minimize_scalar(miss, bounds=(0.02, 2.0), method="bounded", options={"xatol": 1e-9}).x
    return nearest, -np.polyfit(np.log(n), L.log().numpy(), 1)[0]


@points(
    0.5,
    part="7b",
    hint="an entropy is not negative: where the best floor would be, E is 0 and the rest fits without it",
    timeout=60,
)
def test_the_floor_is_not_negative(ps, rng):
    """Losses that bend downwards in logarithms get the floor 0, and the power law without a floor that is nearest."""
    for gap, scale, alpha in ((0.3, 20, 0.15), (0.1, 20, 0.3), (0.7, 400, 0.3)):
        N = sized(rng, 3.5, 6.0, 7)
        L = scale * N**-alpha
        L = L - gap * L.min()
        E, A, fitted = three(ps.fit_power_law(N, L))
        expect_true(0 <= E <= 1e-3 * float(L.min()), "the floor of an entropy is not below zero")
        allowed = without_a_floor(N, L)
        nearest = min(allowed, key=lambda each: abs(each - fitted))
        expect_close(fitted, nearest, "the exponent of the law without a floor", rtol=0.01)
        x = N**-fitted
        factors = (L @ x / (x @ x)).item(), (L / x).log().mean().exp().item()  # for losses, for logarithms
        off = min(abs(A / each - 1) for each in factors)
        expect_true(off < 0.02, "without a floor the law is still the nearest one")


@points(1, part="7b", hint="every run counts: least squares over all of them, not a curve through a few", timeout=60)
def test_noise_is_averaged(ps, rng):
    """With noise of a thousandth in forty losses, the law found is nearer to the true one than the losses are."""
    for E, A, alpha in ((1.7, 60.0, 0.34), (1.0, 20.0, 0.3)):
        N = sized(rng, 3.5, 7.0, 40)
        true = E + A * N**-alpha
        noisy = true * torch.from_numpy(1 + 0.001 * rng.choice([-1.0, 1.0], 40))
        E_fit, A_fit, alpha_fit = three(ps.fit_power_law(N, noisy))
        off = ((E_fit + A_fit * N**-alpha_fit) / true - 1).abs()
        expect_true(off.max().item() < 1.5e-3, "the law goes through the middle of the losses everywhere")
        expect_true(off.square().mean().sqrt().item() < 6e-4, "the law averages the noise")
