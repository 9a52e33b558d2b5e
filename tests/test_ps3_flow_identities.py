"""Identities and numbers that questions 7 and 8 and the extensions of problem set 3 claim, each computed.

The notebook's own code is the subject; what the hidden tests compute already is not repeated here.
"""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from scipy.stats import norm
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from tests.ps3_notebook import T, cosine, draws, f64, notebook

Field = Callable[[Tensor, Tensor], Tensor]


def two_points(spread: float) -> Any:
    """Data at -2 and 2 in the first coordinate; the second one is standard normal."""
    means = torch.tensor([[-2.0, 0.0], [2.0, 0.0]], **f64)
    shape = torch.diag_embed(torch.tensor([[spread, 1.0], [spread, 1.0]], **f64))
    return notebook().Mixture(torch.tensor([0.3, 0.7], **f64).log(), means, shape, torch.tensor([0, 1]))


def normal_flow(mean: Tensor, s: float) -> Field:
    """The velocity for data N(mean, s^2 I), as question 8f writes it."""

    def v(x: Tensor, t: Tensor) -> Tensor:
        moment = t[:, None]
        return mean + (moment * s**2 - (1 - moment)) / ((1 - moment) ** 2 + (moment * s) ** 2) * (x - moment * mean)

    return v


# Question 7


def test_with_one_level_pasting_draws_from_the_marginal() -> None:
    """7e: one step from almost pure noise, a known; b keeps the marginal's share of either point."""
    nb, n = notebook(), 4000
    corners = torch.tensor([[-1.0, -1.0], [1.0, 1.0]], **f64)
    data = nb.Mixture(
        torch.tensor([0.3, 0.7], **f64).log(), corners, 1e-4 * torch.eye(2, **f64).repeat(2, 1, 1), corners[:, 0].long()
    )
    alpha_bar = torch.tensor([1e-8], **f64)
    model = nb.exact_eps(data, alpha_bar)

    def samples(x: Tensor, t: Tensor) -> Tensor:
        """A model whose guess is a draw of p(x0 | x_t), which at this level is the data's own distribution."""
        x0 = data.sample(len(x), torch.Generator().manual_seed(3))[0]
        return nb.eps_from_x0(x, t, x0, alpha_bar)

    known, mask = torch.ones(n, 2, **f64), torch.tensor([True, False])
    out = nb.inpaint(samples, draws(n, 2), known, mask, draws(1, 1, 3, n, 2, seed=1), alpha_bar)
    assert (out[:, 0] == 1).all()
    assert (out[:, 1] > 0).double().mean().item() == pytest.approx(0.7, abs=0.04)  # given a = 1 it should be 1
    guess = nb.x0_from_eps(draws(5, 2), torch.zeros(5).long(), model(draws(5, 2), torch.zeros(5).long()), alpha_bar)
    torch.testing.assert_close(guess, torch.full((5, 2), 0.4, **f64), rtol=0, atol=1e-2)  # the mean of all data


def test_pseudo_inverses_are_those_of_the_text() -> None:
    nb, n = notebook(), 16
    unit = torch.eye(n, **f64).reshape(n, 1, 4, 4)
    mask = torch.tensor([[1.0, 1, 0, 0]], **f64).expand(4, 4)
    grey = torch.tensor([0.3, 0.6, 0.1], **f64)
    averages = (lambda x: F.avg_pool2d(x, 2), lambda y: y.repeat_interleave(2, 2).repeat_interleave(2, 3))
    holes = (lambda x: mask * x, lambda y: mask * y)
    for A, A_plus in (averages, holes):
        matrix = A(unit).flatten(1).T
        inverse = A_plus(torch.eye(matrix.shape[0], **f64).reshape(-1, *A(unit).shape[1:])).flatten(1).T
        torch.testing.assert_close(inverse, torch.linalg.pinv(matrix))
        x0, y = draws(3, 1, 4, 4), A(draws(3, 1, 4, 4, seed=1))
        near = nb.consistent(x0, y, A, A_plus)
        torch.testing.assert_close(A(near), y)
        for seed in range(5):  # any other solution is further away
            other = draws(3, 1, 4, 4, seed=seed + 2)
            other = other - A_plus(A(other)) + A_plus(y)
            assert ((near - x0).flatten(1).norm(dim=1) <= (other - x0).flatten(1).norm(dim=1) + 1e-12).all()
    torch.testing.assert_close((grey / grey.square().sum())[:, None], torch.linalg.pinv(grey[None]))


def test_drawing_and_image_are_told_apart_by_half_the_signal_to_noise_ratio() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    x, other = draws(6), draws(6, seed=1)
    for s in (20, 100, 180):
        cover = (1 - alpha_bar[s]) * torch.eye(6, **f64)
        at = [MultivariateNormal(alpha_bar[s].sqrt() * each, cover) for each in (x, other)]
        claimed = nb.snr(torch.tensor([s]), alpha_bar)[0] / 2 * (x - other).square().sum()
        torch.testing.assert_close(kl_divergence(*at), claimed)


# Question 8


def test_velocity_at_the_start_points_at_the_mean_of_the_data() -> None:
    nb = notebook()
    data, x = nb.pinwheel(), draws(50, 2)
    mean = data.log_pi.exp() @ data.mus
    torch.testing.assert_close(nb.exact_velocity(data)(x, torch.zeros(50)), mean - x)


def test_continuity_equation_holds_for_the_exact_velocity() -> None:
    nb = notebook()
    data, field = nb.pinwheel(), nb.exact_velocity(nb.pinwheel())
    x, h = 1.5 * draws(40, 2), 1e-5
    for moment in (0.2, 0.6, 0.9):
        t = torch.full((40,), moment, **f64)
        change = (data.logpdf(x, moment + h, 1 - moment - h) - data.logpdf(x, moment - h, 1 - moment + h)) / (2 * h)
        score = nb.score_from_velocity(x, t, field(x, t))
        flux = nb.divergence(field, x, t) + (score * field(x, t)).sum(1)
        torch.testing.assert_close(change, -flux, rtol=1e-4, atol=1e-5)


def test_trajectory_for_normal_data_is_the_one_of_the_text() -> None:
    nb, s, mean = notebook(), 0.6, torch.tensor([1.0, -2.0], **f64)
    x0 = draws(5, 2)
    states = nb.ode_solve(normal_flow(mean, s), x0, 64, "rk4")
    for i in (16, 40, 64):
        t = i / 64
        torch.testing.assert_close(
            states[i], t * mean + math.sqrt((1 - t) ** 2 + (t * s) ** 2) * x0, rtol=1e-6, atol=1e-6
        )


def test_noise_along_the_score_leaves_the_density_as_it_is() -> None:
    """For N(0, s^2) the drift is a line k x, so the variance obeys var' = 2 k var + g^2: the path's, for any g."""
    nb, s = notebook(), 0.6
    field, one = normal_flow(torch.zeros(1, **f64), s), torch.ones(1, 1, **f64)
    for moment in (0.0, 0.3, 0.9):
        t = torch.tensor([moment], **f64)
        variance = (1 - moment) ** 2 + (moment * s) ** 2
        for spread in (0.0, 0.7, 5.0):  # g squared
            v = field(one, t)
            k = (v + spread / 2 * nb.score_from_velocity(one, t, v)).item()
            assert 2 * k * variance + spread == pytest.approx(2 * moment * s**2 - 2 * (1 - moment))


def test_in_one_dimension_the_flow_is_the_quantile_function() -> None:
    nb = notebook()
    data = two_points(0.3)
    x0 = torch.stack([torch.linspace(-2, 2, 9, **f64), torch.zeros(9, **f64)], dim=1)
    end = nb.ode_solve(nb.exact_velocity(data), x0, 400, "rk4")[-1][:, 0]
    level = torch.linspace(-6, 6, 200_001, **f64)
    below = sum(w * norm(m, 0.3**0.5).cdf(level.numpy()) for w, m in ((0.3, -2), (0.7, 2)))
    quantiles = level[torch.searchsorted(torch.from_numpy(below), torch.from_numpy(norm.cdf(x0[:, 0].numpy())))]
    torch.testing.assert_close(end, quantiles, rtol=1e-3, atol=1e-3)


def test_reflow_brings_the_couples_closer_and_the_exact_flow_spreads_like_the_data() -> None:
    nb, n = notebook(), 3000
    x0, (x1, _) = draws(n, 2), nb.pinwheel().sample(n, torch.Generator().manual_seed(1))
    start, end = nb.reflow_pairs(nb.exact_velocity(nb.pinwheel()), x0, 40)
    assert (end - start).square().sum(1).mean() < 0.9 * (x1 - x0).square().sum(1).mean()
    torch.testing.assert_close(end.T.cov(), x1.T.cov(), rtol=0.1, atol=0.05)


def test_diffusion_and_flow_matching_have_the_same_trajectories() -> None:
    """8g: x~ = c x_t with c = alpha + sigma, t = alpha / c; many steps of DDIM end where the flow ends."""
    nb = notebook()
    data, (_, alpha_bar) = nb.pinwheel(), cosine(2000)
    model, field = nb.exact_eps(data, alpha_bar), nb.exact_velocity(data)
    a, b = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
    x = draws(6, 2)
    film = nb.ddim_sample(model, x, alpha_bar, nb.ddim_timesteps(2000, 2000))
    first = (a[-1] / (a[-1] + b[-1])).item()
    for step in (999, 1499):  # the frame after `step` steps stands at time 1999 - step
        s = 1999 - step
        moment = (a[s] / (a[s] + b[s])).item()
        flow = nb.ode_solve(field, x / (a[-1] + b[-1]), 400, "rk4", start=first, end=moment)[-1]
        torch.testing.assert_close(film[step] / (a[s] + b[s]), flow, rtol=0, atol=0.02)


def test_given_flow_of_a_diffusion_model_is_the_exact_velocity() -> None:
    """The notebook's `flow_from_ddpm`, with the exact noise predictor, at and between the schedule's levels."""
    nb, (_, alpha_bar) = notebook(), cosine()
    data = nb.pinwheel()
    ratio = (alpha_bar / (1 - alpha_bar)).sqrt()
    whole = (ratio / (1 + ratio))[[1, 60, 120, 198]]

    def model(x: Tensor, step: Tensor, y: Tensor | None = None) -> Tensor:
        """The exact noise at steps that may lie between two whole ones, by the logarithm of the ratio."""
        low = step.floor().long().clamp(0, T - 2)
        share = step - low
        r = (ratio[low].log() * (1 - share) + ratio[low + 1].log() * share).exp()[:, None]
        scale = (1 + r**2).sqrt()
        return data.noise(x, r / scale, 1 / scale, y)

    flow = nb.flow_from_ddpm(model, alpha_bar)
    for t in (whole, torch.tensor([0.03, 0.31, 0.5, 0.93], **f64)):
        x = draws(4, 2)
        torch.testing.assert_close(flow(x, t), nb.exact_velocity(data)(x, t), rtol=1e-6, atol=1e-8)
    first = nb.first_time(alpha_bar)
    assert 0 < first < 0.01
    assert (ratio[-1] / (1 + ratio[-1])).item() == pytest.approx(first)


# Extensions


def test_langevin_settles_where_the_formula_says_and_blows_up_beyond_4() -> None:
    nb = notebook()
    for eta in (0.1, 1.0, 3.0):
        variance = 0.0
        slope = nb.langevin(lambda x: -x, torch.ones(1, 1, **f64), eta, torch.zeros(1, 1, 1, **f64))[-1].item()
        for _ in range(500):
            variance = slope**2 * variance + eta
        assert variance == pytest.approx(1 / (1 - eta / 4))
    assert abs(nb.langevin(lambda x: -x, torch.ones(1, 1, **f64), 4.5, torch.zeros(1, 1, 1, **f64))[-1]).item() > 1


def test_score_near_one_bump_hardly_knows_the_weights() -> None:
    nb, mus = notebook(), torch.tensor([[-4.0], [4.0]], **f64)
    x, Sigmas = torch.tensor([[-4.0], [-3.5]], **f64), torch.ones(2, 1, 1, **f64)
    scores = [nb.gmm_score(x, torch.tensor([p, 1 - p], **f64).log(), mus, Sigmas) for p in (0.2, 0.8)]
    assert (scores[0] - scores[1]).abs().max() < 1e-9
    wide = [nb.gmm_score(x, torch.tensor([p, 1 - p], **f64).log(), mus, 25 * Sigmas) for p in (0.2, 0.8)]
    assert (wide[0] - wide[1]).abs().max() > 0.05  # a high noise level does


def test_best_denoising_score_is_the_score_of_the_noisy_data_and_gives_tweedie() -> None:
    nb, sigma = notebook(), 0.7
    data = nb.pinwheel()
    x, noise = data.sample(4000, torch.Generator().manual_seed(0))[0], draws(4000, 2)
    wide = (data.log_pi, data.mus, data.Sigmas + sigma**2 * torch.eye(2, **f64))
    levels = torch.full((4000,), sigma, **f64)
    best = nb.dsm_loss(lambda y, s: nb.gmm_score(y, *wide), x, levels, noise).mean()
    for factor in (0.9, 1.1):
        assert nb.dsm_loss(lambda y, s, k=factor: k * nb.gmm_score(y, *wide), x, levels, noise).mean() > best
    y = x[:9] + sigma * noise[:9]
    torch.testing.assert_close(data.data(y, 1.0, sigma), y + sigma**2 * nb.gmm_score(y, *wide))


def test_one_round_of_reflow_in_one_dimension_is_exactly_straight() -> None:
    nb = notebook()
    data = two_points(0.3)
    ends = torch.linspace(-2.5, 2.5, 401, **f64)
    x0 = torch.stack([ends, torch.zeros_like(ends)], dim=1)
    start, end = (each[:, 0] for each in nb.reflow_pairs(nb.exact_velocity(data), x0, 30, "rk4"))
    for t in (0.3, 0.9):
        assert (((1 - t) * start + t * end).diff() > 0).all()  # no two lines meet, so the mean is the line's own

    def new_field(x: Tensor, t: Tensor) -> Tensor:
        """The velocity of the line through x, found by bisection in the table of couples."""
        places = (1 - t[0]) * start + t[0] * end
        i = torch.searchsorted(places, x[:, 0].contiguous()).clamp(1, len(places) - 1)
        share = (x[:, 0] - places[i - 1]) / (places[i] - places[i - 1])
        way = (end - start)[i - 1] * (1 - share) + (end - start)[i] * share
        return way[:, None]

    x = torch.linspace(-2, 2, 7, **f64)[:, None]
    one = nb.ode_solve(new_field, x, 1)[-1]
    torch.testing.assert_close(one, nb.ode_solve(new_field, x, 50, "rk4")[-1], rtol=0, atol=1e-6)
    assert nb.straightness(new_field, x, 20).max() < 1e-10


def test_without_the_end_condition_every_constant_is_consistent() -> None:
    nb = notebook()
    field, x, t = normal_flow(torch.ones(2, **f64), 0.5), draws(6, 2), torch.linspace(0, 0.9, 6, **f64)

    def constant(net: Field, y: Tensor, s: Tensor) -> Tensor:
        return torch.full_like(y, 7.0)

    kept = nb.consistency_loss.__globals__["to_end"]
    try:
        nb.consistency_loss.__globals__["to_end"] = constant
        assert nb.consistency_loss(field, field, field, x, t, 0.1).abs().max() == 0
    finally:
        nb.consistency_loss.__globals__["to_end"] = kept
    assert nb.consistency_loss(lambda y, s: 0 * y, lambda y, s: 0 * y, field, x, t, 0.1).min() > 0


def test_inner_product_of_two_time_codes_depends_on_their_difference() -> None:
    nb = notebook()
    codes = nb.timestep_embedding(torch.arange(200, **f64), 64)
    products = codes @ codes.T
    for shift in (0, 1, 17):
        diagonal = products.diagonal(shift)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))


def test_cost_of_a_block_is_as_counted_and_nearly_proportional_to_the_tokens() -> None:
    nb, D = notebook(), 128
    costs = {}
    for p in (2, 4, 7):
        N = (28 // p) ** 2
        block, h, c = nb.DiTBlock(D, 4, D), torch.zeros(1, N, D), torch.zeros(1, D)
        with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):  # the fused one is not counted
            block(h, c)
        costs[p] = counter.get_total_flops() / 2 - 6 * D * D  # multiplications, without `ada`
        assert costs[p] == pytest.approx(12 * N * D**2 + 2 * N**2 * D, rel=1e-6)
    assert [round(costs[p] / costs[7]) for p in (2, 4, 7)] == [15, 3, 1]
    assert 2 * (6 * D) ** 2 * D == 12 * (6 * D) * D**2


def test_scale_of_the_codes_multiplies_the_signal_to_noise_ratio_by_its_square() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    for s in (5.0, 0.2):
        ratio = s**2 * nb.snr(torch.arange(T), alpha_bar)
        other = ratio / (1 + ratio)
        u, noise, t = draws(T, 3), draws(T, 3, seed=1), torch.arange(T)
        scaled = nb.q_sample(s * u, t, noise, alpha_bar)
        same = nb.q_sample(u, t, noise, other)
        factor = scaled / same
        torch.testing.assert_close(factor, factor[:, :1].expand_as(factor), rtol=1e-4, atol=1e-6)
