"""Identities and numbers that questions 1 to 6 of problem set 3 claim, each computed on the notebook's own code.

What the hidden tests compute already (kernels that compose, conversions that are inverse, the orders of the solvers,
Euler's single step to the mean, the loss of the exact field) is not repeated here.
"""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.integrate import solve_ivp
from scipy.stats import norm
from torch import Tensor

from tests.ps3_notebook import T, cosine, draws, f64, notebook


def times(alpha_bar: Tensor) -> Tensor:
    return torch.arange(len(alpha_bar))


def earlier(alpha_bar: Tensor) -> Tensor:
    """alpha_bar at t - 1; clean data comes before time 0."""
    return torch.cat([torch.ones(1, **f64), alpha_bar[:-1]])


# Question 1


def test_covariance_moves_to_the_identity_and_grows_without_the_factor() -> None:
    betas, alpha_bar = cosine(30)
    S = torch.tensor([[2.0, 0.6], [0.6, 0.5]], **f64)
    eye = torch.eye(2, **f64)
    with_factor, without = S, S
    for beta, share in zip(betas, alpha_bar, strict=True):
        with_factor = (1 - beta) * with_factor + beta * eye
        without = without + beta * eye
        torch.testing.assert_close(with_factor, eye + share * (S - eye))
    torch.testing.assert_close(without, S + betas.sum() * eye)


def test_averaging_four_equal_pixels_makes_the_signal_four_times_as_clear() -> None:
    x0 = draws(50_000, 1, 1, 1).expand(-1, 1, 2, 2)
    noisy = 0.6 * x0 + 0.8 * draws(50_000, 1, 2, 2, seed=1)
    small = F.avg_pool2d(noisy, 2)
    noise = small - 0.6 * x0[..., :1, :1]
    assert 0.36 / noise.var().item() == pytest.approx(4 * 0.36 / 0.64, rel=0.03)


def test_linear_schedule_has_nothing_left_where_the_figure_says() -> None:
    assert notebook().make_schedule("linear", T)[1][140:].max() < 0.01 < cosine()[1][140]


# Question 2


def test_sensitivities_are_as_large_and_small_as_the_text_says() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    ends, one, zero = torch.tensor([0, T - 1]), torch.ones(2, 1, **f64), torch.zeros(2, 1, **f64)
    first, last = nb.x0_from_eps(zero, ends, one, alpha_bar).abs().flatten().tolist()
    assert 0.01 * last > 2  # one per cent of the noise, against a contrast from -1 to 1
    assert first < 1 / 50
    assert nb.v_from(one, zero, times(alpha_bar)[:, None][ends][:, 0], alpha_bar).abs().max() <= 1


def test_step_back_is_gaussian_with_the_score_for_small_beta() -> None:
    """Two points, +1 and -1, by a grid: mean and variance of x_{t-1} given x_t."""
    grid, share, x = torch.linspace(-4, 4, 80_001, **f64), 0.5, torch.tensor(0.7, **f64)

    def log_q(y: Tensor, at: float) -> Tensor:
        sides = torch.stack([-0.5 * (y - s * at**0.5) ** 2 / (1 - at) for s in (-1.0, 1.0)])
        return sides.logsumexp(0)

    def moments(beta: float) -> tuple[float, float]:
        log_p = log_q(grid, share) - 0.5 * (x - (1 - beta) ** 0.5 * grid) ** 2 / beta
        p = log_p.softmax(0)
        mean = (p * grid).sum()
        return mean.item(), (p * (grid - mean) ** 2).sum().item()

    errors = []
    for beta in (0.02, 0.01):
        y = x.clone().requires_grad_()
        (score,) = torch.autograd.grad(log_q(y, share * (1 - beta)), y)
        mean, variance = moments(beta)
        assert mean == pytest.approx((x + beta * score).item() / (1 - beta) ** 0.5)  # exact: Tweedie's formula
        errors.append(abs(variance - beta))
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)  # of second order


def test_bound_is_the_likelihood_for_an_exact_reverse_chain() -> None:
    """2d in one dimension: with Gaussian data, L_T + sum of L_t - E log p(x0 | x1) is -log p(x0) when p is exact."""
    betas, alpha_bar = cosine(8)
    s2, x0 = 0.3, 0.9  # the data's variance, and one example
    total = 0.5 * (alpha_bar[-1] * x0**2 + 1 - alpha_bar[-1] - 1 - (1 - alpha_bar[-1]).log())
    marginal = alpha_bar * s2 + 1 - alpha_bar
    total = 0.5 * (alpha_bar[-1] * x0**2 + (1 - alpha_bar[-1])) / marginal[-1] - 0.5  # p(x_T) is the exact marginal
    total = total + 0.5 * (marginal[-1] / (1 - alpha_bar[-1])).log()
    for t in range(len(betas)):
        before = alpha_bar[t - 1] if t else torch.ones((), **f64)
        var_before = before * s2 + 1 - before
        gain = var_before * (1 - betas[t]).sqrt() / marginal[t]  # p(x_{t-1} | x_t): mean gain * x_t
        spread = var_before - gain**2 * marginal[t]
        mean_t, var_t = alpha_bar[t].sqrt() * x0, 1 - alpha_bar[t]
        if t == 0:
            total = total + 0.5 * ((x0 - gain * mean_t) ** 2 + gain**2 * var_t) / spread
            total = total + 0.5 * (2 * math.pi * spread).log()
            continue
        var = betas[t] * (1 - before) / (1 - alpha_bar[t])
        to_x0 = before.sqrt() * betas[t] / (1 - alpha_bar[t])
        to_xt = (1 - betas[t]).sqrt() * (1 - before) / (1 - alpha_bar[t])
        off = to_x0 * x0 + (to_xt - gain) * mean_t
        total = total + 0.5 * (var + off**2 + (to_xt - gain) ** 2 * var_t) / spread - 0.5 - 0.5 * (var / spread).log()
    assert total.item() == pytest.approx(-norm(0, s2**0.5).logpdf(x0), rel=1e-9)


# Question 3


def test_weights_of_the_bound_have_all_forms_of_the_text() -> None:
    nb, (betas, alpha_bar) = notebook(), cosine()
    t, before = times(alpha_bar)[1:], earlier(alpha_bar)[1:]
    beta = betas[1:]
    x0, eps, guess = draws(T - 1, 3), draws(T - 1, 3, seed=1), draws(T - 1, 3, seed=2)
    xt = nb.q_sample(x0, t, eps, alpha_bar)
    mean, variance = nb.q_posterior(x0, xt, t, alpha_bar)
    other, _ = nb.q_posterior(guess, xt, t, alpha_bar)
    kl = ((mean - other) ** 2 / (2 * variance)).sum(1)
    ratio = nb.snr(t, alpha_bar) / nb.snr(t - 1, alpha_bar)
    torch.testing.assert_close(kl, 0.5 * (nb.snr(t - 1, alpha_bar) - nb.snr(t, alpha_bar)) * ((x0 - guess) ** 2).sum(1))
    noise_guess = nb.eps_from_x0(xt, t, guess, alpha_bar)
    weight = 0.5 * (1 / ratio - 1)
    torch.testing.assert_close(weight, beta / (2 * (1 - beta) * (1 - before)))
    torch.testing.assert_close(kl, weight * ((eps - noise_guess) ** 2).sum(1))
    assert 0.1 < weight[0] < 10  # of order 1 at first,
    assert 0.2 < (weight / beta)[80].item() < 5  # of order beta in the middle,
    assert weight[-1] > 10 * weight[100]  # and large again at the end of a cosine


def test_three_simple_losses_are_one_another_times_the_ratio() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    t = times(alpha_bar)
    x0, eps, guess = draws(T, 3), draws(T, 3, seed=1), draws(T, 3, seed=2)
    xt = nb.q_sample(x0, t, eps, alpha_bar)
    noise = nb.eps_from_x0(xt, t, guess, alpha_bar)
    paid = ((x0 - guess) ** 2).sum(1)
    torch.testing.assert_close(((eps - noise) ** 2).sum(1), nb.snr(t, alpha_bar) * paid)
    v, v_guess = nb.v_from(x0, eps, t, alpha_bar), nb.v_from(guess, noise, t, alpha_bar)
    torch.testing.assert_close(((v - v_guess) ** 2).sum(1), (1 + nb.snr(t, alpha_bar)) * paid)
    share = alpha_bar[:, None]
    torch.testing.assert_close(share.sqrt() * xt - (1 - share).sqrt() * v, x0)


def test_best_loss_on_standard_normal_data_is_alpha_bar() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    for s in (5, 100, 190):
        t, n = torch.full((40_000,), s), 40_000
        model = lambda x, t: (1 - alpha_bar[t, None]).sqrt() * x  # noqa: E731
        loss = nb.ddpm_loss(model, draws(n, 2), t, draws(n, 2, seed=1), alpha_bar).mean()
        assert loss.item() == pytest.approx(alpha_bar[s].item(), rel=0.03)


def test_network_is_as_large_as_the_text_says() -> None:
    nb = notebook()
    sizes = [sum(p.numel() for p in nb.UNet(width=width, T=T).parameters()) / 1e6 for width in (64, 24)]
    assert [round(sizes[0], 1), round(sizes[1], 2)] == [1.6, 0.23]


# Question 4


def test_each_variance_is_exact_for_the_data_of_the_text() -> None:
    nb, (betas, alpha_bar) = notebook(), cosine(40)
    variance = torch.ones(1, 1, **f64)
    for s in reversed(range(1, 40)):
        t, x = torch.tensor([s]), torch.ones(1, 1, **f64)
        eps = (1 - alpha_bar[s]).sqrt() * x  # the exact guess for N(0, I)
        slope = nb.ddpm_step(x, t, eps, 0 * x, alpha_bar)
        noise = nb.ddpm_step(x, t, eps, x, alpha_bar) - slope
        variance = slope**2 * variance + noise**2
        assert variance.item() == pytest.approx(1)
    x = torch.ones(1, 1, **f64)
    last = nb.ddpm_step(x, torch.tensor([0]), (1 - alpha_bar[0]).sqrt() * x, x, alpha_bar)
    assert (last**2).item() == pytest.approx(1 - betas[0].item())


def test_true_variance_of_a_step_is_posterior_plus_what_x0_leaves() -> None:
    betas, alpha_bar = cosine(40)
    before = earlier(alpha_bar)
    posterior = betas * (1 - before) / (1 - alpha_bar)
    for s2 in (1.0, 0.2, 3.0):
        V = s2 * (1 - alpha_bar) / (alpha_bar * s2 + 1 - alpha_bar)
        claimed = posterior + before * betas**2 / (1 - alpha_bar) ** 2 * V
        joint = (before * s2 + 1 - before) * betas / (alpha_bar * s2 + 1 - alpha_bar)  # two Gaussians, conditioned
        torch.testing.assert_close(claimed[1:], joint[1:])
        assert (s2 == 1.0) == torch.allclose(claimed[1:], betas[1:])
    many = cosine(4000)
    share = earlier(many[1])
    assert ((1 - share) / (1 - many[1]))[200:-1].min() > 0.98


# Question 5


def test_last_step_with_the_wrong_alpha_bar_changes_the_variance_as_little_as_computed() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    assert 1 - alpha_bar[0].item() == pytest.approx(2.55e-4, rel=2e-3)
    start, x = alpha_bar[0] / 4 + 1 - alpha_bar[0], torch.ones(1, 1, **f64)
    eps = (1 - alpha_bar[0]).sqrt() / start * x
    good, bug = (nb.ddim_step(x, torch.tensor([0]), torch.tensor([end]), eps, alpha_bar) for end in (-1, 0))
    assert [f"{(k**2 * start).item():.4f}" for k in (bug, good)] == ["0.2502", "0.2497"]


def test_deterministic_step_shrinks_unless_the_data_is_a_point() -> None:
    nb, (_, alpha_bar) = notebook(), cosine()
    for s, (a, b) in ((0.0, (150, 20)), (0.5, (150, 20)), (1.0, (199, 100)), (2.0, (60, 59))):
        c = alpha_bar * s**2 + 1 - alpha_bar
        x = torch.ones(1, 1, **f64)
        k = nb.ddim_step(x, torch.tensor([a]), torch.tensor([b]), (1 - alpha_bar[a]).sqrt() / c[a] * x, alpha_bar)
        exact = (c[b] / c[a]).sqrt().item()
        assert (k.item() == pytest.approx(exact, rel=1e-9)) if s == 0 else (k.item() < exact)
        u, w = (torch.stack([alpha_bar[i].sqrt() * s, (1 - alpha_bar[i]).sqrt()]) for i in (a, b))
        assert k.item() == pytest.approx((u @ w / (u @ u)).item())


def test_straight_walk_between_two_noises_is_too_short_by_the_root_of_two() -> None:
    a, b = draws(784), draws(784, seed=1)
    halfway, on_the_circle = (a + b) / 2, (a + b) / 2**0.5
    assert (a.norm() / halfway.norm()).item() == pytest.approx(2**0.5, rel=0.05)
    assert (a.norm() / on_the_circle.norm()).item() == pytest.approx(1, rel=0.05)


# Question 6


def test_guided_samples_have_the_geometric_variance_and_not_the_promised_one() -> None:
    a, b, w = 1.0, 4.0, 2.0

    def slope(sigma: float, x: np.ndarray) -> np.ndarray:
        return sigma * x * (w / (a + sigma**2) + (1 - w) / (b + sigma**2))

    start = 2000.0
    end = solve_ivp(slope, (start, 0.0), [start], rtol=1e-9, atol=1e-9).y[0, -1]  # one standard deviation of noise
    assert end**2 == pytest.approx(a**w * b ** (1 - w), rel=1e-3)
    assert a**w * b ** (1 - w) == 0.25
    line = np.linspace(-30, 30, 60_001)
    log_p = (1 - w) * norm(0, b**0.5).logpdf(line) + w * norm(0, a**0.5).logpdf(line)
    p = np.exp(log_p - log_p.max())
    assert (p * line**2).sum() / p.sum() == pytest.approx(4 / 7)
