"""Identities and numbers that the texts of problem set 2 claim, each computed; the notebook's own code is the subject.

What the hidden tests compute already (the exact ELBO, Jacobians, the best discriminator's loss, penalties of known
critics, gradients of straight-through codes) is not repeated here.
"""

import itertools
import math
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import rel_entr
from scipy.stats import wasserstein_distance
from torch.distributions import Normal, kl_divergence

from autograder.course import load_course
from autograder.source import definitions

SOURCES = load_course().root / "solutions" / "ps2_latent_variable"
FILES = ["intro", *sorted(path.stem for path in SOURCES.glob("[qx]?_*"))]
f64: dict[str, Any] = {"dtype": torch.float64}


@cache
def notebook() -> SimpleNamespace:
    """Every definition of the solved notebook; its training cells are not run."""
    return SimpleNamespace(**definitions(SOURCES, FILES))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=generator(seed), **f64)


# Questions 1 and 2: the bound


def test_gap_of_the_best_gaussian_is_a_little_more_than_log_2() -> None:
    z, x, std = torch.linspace(-6, 6, 24001, **f64), torch.tensor(1.5, **f64), torch.tensor(0.6, **f64)
    log_joint = Normal(z**2, std).log_prob(x) + Normal(torch.zeros_like(z), 1.0).log_prob(z)
    log_evidence = log_joint.logsumexp(0) + (z[1] - z[0]).log()
    gaps = []
    for mean, width in itertools.product(torch.linspace(0.9, 1.3, 21, **f64), torch.linspace(0.15, 0.4, 26, **f64)):
        q = Normal(mean, width)
        log_q = q.log_prob(z)
        gaps.append(float(log_evidence - (log_q.exp() * (log_joint - log_q)).sum() * (z[1] - z[0])))
    assert math.log(2) < min(gaps) < math.log(2) + 0.1


def test_mean_price_of_codes_is_information_plus_distance_to_the_prior() -> None:
    z, N = torch.linspace(-15, 15, 30001, **f64), 5
    each = Normal(draws(N, 1), 0.3 + draws(N, 1, seed=1).abs())
    log_q = each.log_prob(z)  # (N, grid)
    log_all = log_q.logsumexp(0) - math.log(N)
    step = float(z[1] - z[0])
    information = float((log_q.exp() * (log_q - log_all)).sum() * step / N)
    prior = Normal(torch.zeros((), **f64), 1.0)
    to_prior = float((log_all.exp() * (log_all - prior.log_prob(z))).sum() * step)
    assert information + to_prior == pytest.approx(float(kl_divergence(each, prior).mean()), rel=1e-9)
    assert 0 < information < math.log(N)


def test_beta_is_another_noise_variance() -> None:
    ns, beta, log_variance = notebook(), 3.7, torch.tensor(0.4, **f64)
    x, mean, kl = draws(6, 4), draws(6, 4, seed=1), draws(6, seed=2).square()
    priced = ns.gaussian_logprob(x, mean, log_variance) - beta * kl
    other = beta * (ns.gaussian_logprob(x, mean, log_variance + math.log(beta)) - kl)
    torch.testing.assert_close(priced - other, (priced - other)[:1].expand(6))  # a constant


# Questions 3 and 4: exact densities


def test_noise_bounds_the_probability_of_a_grey_value() -> None:
    density, x = Normal(torch.tensor(130.3, **f64), 2.0), torch.arange(120.0, 140.0, **f64)
    u = (torch.arange(2000, **f64) + 0.5) / 2000
    log_p = density.log_prob(x[:, None] + u)
    log_probability = (density.cdf(x + 1) - density.cdf(x)).log()
    assert bool((log_p.mean(1) < log_probability).all())
    assert bool((log_probability < 0).all())
    needles = Normal(x, 1e-3)
    assert float(needles.log_prob(x).min()) > 0, "a density at a whole number has no such limit"


def test_depth_at_which_everything_reaches_everything() -> None:
    ns = notebook()
    for mask, enough in (([1.0, 0.0], 2), ([1.0, 1.0, 0.0], 2), ([1.0, 0.0, 0.0], 3), ([1.0, 1.0, 0.0, 0.0], 3)):
        for depth in (enough - 1, enough):
            torch.manual_seed(depth)
            flow = ns.RealNVP(torch.tensor(mask), [ns.CouplingMLP(len(mask)) for _ in range(depth)]).double()
            for parameter in flow.parameters():
                torch.nn.init.normal_(parameter, std=0.4)
            point = draws(len(mask), seed=depth)
            J = torch.autograd.functional.jacobian(lambda row, flow=flow: flow(row[None])[0][0], point)
            assert bool((J.abs() > 1e-12).all()) == (depth == enough), (mask, depth)


def test_flows_without_scales_keep_volumes_and_bound_the_density() -> None:
    ns = notebook()

    class Shift(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([0 * x, (3 * x).sin().sum(1, keepdim=True).expand_as(x)], dim=1)

    flow = ns.RealNVP(torch.tensor([1.0, 0.0]), [Shift() for _ in range(4)])
    log_p = flow.log_prob(5 * draws(2000, 2))
    assert float(log_p.max()) <= -math.log(2 * math.pi) + 1e-12


def test_flow_of_digits_is_undone_and_starts_as_the_standard_normal() -> None:
    ns = notebook()
    flow, y = ns.DigitFlow(4), torch.randn(2, 1, 28, 28, generator=generator())
    normal = -0.5 * (y.square() + math.log(2 * math.pi)).flatten(1).sum(1)
    torch.testing.assert_close(flow.log_prob(y), normal, rtol=1e-4, atol=1e-2)
    z = torch.randn(2, 4, 14, 14, generator=generator(1))
    torch.testing.assert_close(ns.squeeze(flow.fine(flow.sample(z))[0]), z)


def test_moons_are_a_density_and_their_samples_follow_it() -> None:
    ns = notebook()
    ticks = torch.linspace(-2.6, 2.6, 131, **f64)
    plane = torch.cartesian_prod(ticks, ticks)
    density = ns.moons_log_prob(plane).exp() * (ticks[1] - ticks[0]) ** 2
    assert float(density.sum()) == pytest.approx(1, abs=1e-6)
    samples = ns.moons(40_000, seed=0).double()
    torch.testing.assert_close(samples.mean(0), density @ plane, rtol=0, atol=0.02)
    torch.testing.assert_close((samples.T @ samples) / len(samples), (plane.T * density) @ plane, rtol=0, atol=0.02)


# Questions 5 to 7: games


def test_non_saturating_gradient_is_that_of_reverse_kl_minus_two_jsd() -> None:
    p, theta = draws(6).softmax(0), draws(6, seed=1).requires_grad_()
    q = theta.softmax(0)
    frozen = (p / q).log().detach()

    def slope(value: torch.Tensor) -> torch.Tensor:
        return torch.autograd.grad(value, theta, retain_graph=True)[0]

    middle = (p + q) / 2
    twice_jsd = (p * (p / middle).log()).sum() + (q * (q / middle).log()).sum()
    want = slope((q * (q / p).log()).sum() - twice_jsd)
    torch.testing.assert_close(slope(-(q * torch.nn.functional.logsigmoid(frozen)).sum()), want)


def test_pull_of_a_perfect_discriminator() -> None:
    z = torch.linspace(-12, 12, 24001, **f64)
    weight = Normal(torch.zeros((), **f64), 1.0).log_prob(z).exp() * (z[1] - z[0])
    for theta in (0.5, 2.0, 6.0):
        x = theta + z
        logit = theta**2 / 2 - theta * x
        ratio = Normal(0.0, 1.0).log_prob(x) - Normal(theta, 1.0).log_prob(x)
        torch.testing.assert_close(logit, ratio, rtol=1e-6, atol=1e-5)
        minimax = float((weight * logit.sigmoid()).sum())
        assert minimax <= 0.5 * math.exp(-(theta**2) / 8) + 1e-9
        if theta == 6:
            assert theta * float((weight * (-logit).sigmoid()).sum()) == pytest.approx(theta, rel=0.01)


def test_share_of_real_points_that_are_good() -> None:
    ns = notebook()
    assert 1 - math.exp(-(3**2) / 2) == pytest.approx(0.989, abs=5e-4)  # three standard deviations in the plane
    points, modes = ns.ring(100_000, generator())
    covered, good = ns.mode_coverage(points, ns.RING, 0.3)
    assert (covered, good) == (8, pytest.approx(0.989, abs=0.002))  # six standard deviations of the share
    assert len(modes.unique()) == 8


def test_slope_of_the_best_critic_on_the_line_and_its_value() -> None:
    rng = np.random.default_rng(0)
    at = np.sort(rng.normal(size=9))
    p, q = rng.dirichlet(np.ones(9)), rng.dirichlet(np.ones(9))
    ahead = (np.cumsum(q) - np.cumsum(p))[:-1]
    best = np.concatenate([[0.0], np.cumsum(np.sign(ahead) * np.diff(at))])
    want = wasserstein_distance(at, at, p, q)
    assert best @ p - best @ q == pytest.approx(want)
    assert np.abs(ahead) @ np.diff(at) == pytest.approx(want)


def test_clipped_linear_critic_points_the_wrong_way() -> None:
    D = 100
    for epsilon, want in ((1e-9, 1 / math.sqrt(D)), (1.0, 1.0)):
        m = torch.full((D,), epsilon, **f64)
        m[0] = 1
        clipped, right = m.sign(), m / m.norm()
        assert float(clipped @ right / clipped.norm()) == pytest.approx(want, rel=1e-6)


def test_sigma_is_never_overestimated_and_its_error_falls_as_the_square_of_the_vectors() -> None:
    ns, ratio = notebook(), 0.8
    W, u = torch.diag(torch.tensor([2.0, 2.0 * ratio], **f64)), torch.ones(2, **f64)
    errors = [1 - float(ns.power_iteration(W, u, n)[0]) / 2 for n in range(6, 13)]
    assert all(error > 0 for error in errors)
    vectors = [float(ns.power_iteration(W, u, n)[1][1]) for n in range(6, 13)]
    for now, then in itertools.pairwise(errors):
        assert then / now == pytest.approx(ratio**4, rel=0.02)
    for now, then in itertools.pairwise(vectors):
        assert then / now == pytest.approx(ratio**2, rel=0.02)


def test_gradient_of_sigma_at_the_fixed_point_is_that_of_the_singular_value() -> None:
    ns, W = notebook(), draws(4, 3).requires_grad_()
    sigma, _, _ = ns.power_iteration(W, draws(4, seed=1), 500)
    (mine,) = torch.autograd.grad(sigma, W)
    (exact,) = torch.autograd.grad(torch.linalg.svdvals(W)[0], W)
    torch.testing.assert_close(mine, exact)


# Extensions


def test_importance_bounds_rise_to_the_evidence() -> None:
    ns = notebook()
    log_w, share = 2 * draws(4), draws(4, seed=1).softmax(0)  # the four weights that a proposal can draw
    bounds = []
    for K in (1, 2, 3, 4):
        tuples = torch.tensor(list(itertools.product(range(4), repeat=K)))
        bounds.append(float(share[tuples].prod(1) @ ns.iwae_bound(log_w[tuples])))
    evidence = float((share.log() + log_w).logsumexp(0))
    assert bounds == sorted(bounds)
    assert bounds[-1] < evidence


def test_letters_of_a_digit_have_245_bits_and_a_constant_divergence() -> None:
    K, places = 32, 7 * 7
    one_code = torch.distributions.Categorical(torch.eye(K, **f64)[3])
    uniform = torch.distributions.Categorical(torch.full((K,), 1 / K, **f64))
    bits = places * float(kl_divergence(one_code, uniform)) / math.log(2)
    assert bits == pytest.approx(245, abs=1e-4)  # torch clamps a probability of zero


def test_coupling_layer_is_an_autoregressive_layer() -> None:
    ns, mask = notebook(), torch.tensor([1.0, 1.0, 0.0, 0.0])
    net = ns.CouplingMLP(4).double()
    torch.nn.init.normal_(net.layers[-1].weight)

    def made(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        s, t = ((1 - mask) * part for part in net(mask * x).chunk(2, dim=1))
        return -t * (-s).exp(), -s

    x = draws(5, 4)
    for mine, other in zip(ns.AffineCoupling(mask, net)(x), ns.maf_forward(made, x), strict=True):
        torch.testing.assert_close(mine, other)


def test_slow_way_back_of_a_masked_flow_is_exact_after_d_calls() -> None:
    ns = notebook()
    torch.manual_seed(0)
    made, z = ns.MADE(4, [9, 9]).double(), draws(5, 4)
    torch.testing.assert_close(ns.maf_forward(made, ns.maf_sample(made, z))[0], z)


def test_distance_of_two_sample_means_is_biased() -> None:
    values, N, M = torch.tensor([0.0, 1.0, 5.0], **f64), 2, 3  # equally likely; all 3 ** 5 samples
    every = torch.cartesian_prod(*[values] * (N + M))
    squares = (every[:, :N].mean(1) - every[:, N:].mean(1)).square()
    variance = values.var(correction=0)
    torch.testing.assert_close(squares.mean(), variance * (1 / N + 1 / M))


def test_frechet_distance_cannot_tell_the_ring_from_a_gaussian_of_its_moments() -> None:
    ns, ring = notebook(), notebook().RING.double()
    other = torch.cat([math.sqrt(2) * 2 * torch.eye(2, **f64), -math.sqrt(2) * 2 * torch.eye(2, **f64)])
    for points in (ring, other / math.sqrt(2)):
        torch.testing.assert_close(torch.cov(points.T, correction=0), 2 * torch.eye(2, **f64), rtol=1e-6, atol=1e-6)
    zero, cov = torch.zeros(2, **f64), 2 * torch.eye(2, **f64)
    assert float(ns.frechet_distance(zero, cov, zero, cov)) == pytest.approx(0, abs=1e-9)


def test_inception_score_is_the_exponential_of_a_mutual_information() -> None:
    logits, N = 2 * draws(5, 4), 5
    joint = logits.softmax(1).numpy() / N
    product = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    information = float(rel_entr(joint, product).sum())
    assert float(notebook().inception_score(logits).log()) == pytest.approx(information)
    assert 0 < information < math.log(4)


def test_patches_of_the_figure() -> None:
    field = notebook().receptive_field
    assert field([(4, 2), (4, 1)])[0] == 10
    assert field([(4, 2), (4, 2), (4, 1)])[0] == 22
    assert field([(4, 2)] * 3 + [(4, 1)] * 2) == (70, 8)


def test_cycle_loss_does_not_see_a_turn_of_the_target() -> None:
    ns, x, y = notebook(), draws(6, 2), draws(4, 2, seed=1)
    G, T = torch.tensor([[2.0, 1.0], [0.0, 1.0]], **f64), torch.linalg.qr(draws(2, 2, seed=2)).Q
    for turn in (torch.eye(2, **f64), T):
        there, back = turn @ G, torch.linalg.inv(G) @ turn.T
        assert float(ns.cycle_loss(lambda x, A=there: x @ A.T, lambda y, A=back: y @ A.T, x, y)) < 1e-12


def test_black_image_is_the_best_answer_to_three_equally_likely_lines() -> None:
    targets = np.eye(3)
    assert np.median(targets, axis=0).tolist() == [0, 0, 0]
    errors = {g: float(np.abs(targets - g).mean()) for g in (0.0, 1 / 3, 1.0)}
    assert min(errors, key=errors.__getitem__) == 0.0
