"""Right and wrong answers to question 1a: schedules."""

import math

import numpy as np
import torch

from autograder.verify.variants import right, wrong


def fan(values, x):
    """values (B,) as (B, 1, ..., 1)."""
    return values.reshape(-1, *[1] * (x.ndim - 1))


@wrong("make_schedule")
def adds_what_should_be_multiplied(kind, T):
    betas, _ = make_schedule(kind, T)
    return betas, (1 - betas).cumsum(0)


@wrong("make_schedule")
def subtracts_the_sum_of_the_betas(kind, T):
    betas, _ = make_schedule(kind, T)
    return betas, 1 - betas.cumsum(0)


@wrong("make_schedule")
def returns_alpha_for_alpha_bar(kind, T):
    betas, _ = make_schedule(kind, T)
    return betas, 1 - betas


@wrong("make_schedule")
def multiplies_the_betas(kind, T):
    betas, _ = make_schedule(kind, T)
    return betas, betas.cumprod(0)


@wrong("make_schedule")
def returns_the_root_of_alpha_bar(kind, T):
    betas, alpha_bar = make_schedule(kind, T)
    return betas, alpha_bar.sqrt()


@wrong("make_schedule")
def leaves_this_step_out_of_the_product(kind, T):
    betas, alpha_bar = make_schedule(kind, T)
    return betas, torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar[:-1]])


@wrong("make_schedule")
def swaps_the_two_results(kind, T):
    return make_schedule(kind, T)[::-1]


@wrong("make_schedule")
def returns_alpha_bar_alone(kind, T):
    return make_schedule(kind, T)[1]


@wrong("make_schedule")
def forgets_to_scale_with_the_steps(kind, T):
    if kind == "cosine":
        return make_schedule(kind, T)
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    return betas, (1 - betas).cumprod(0)


@wrong("make_schedule")
def scales_the_wrong_way(kind, T):
    if kind == "cosine":
        return make_schedule(kind, T)
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * T / 1000
    return betas, (1 - betas).cumprod(0)


@wrong("make_schedule")
def leaves_out_the_last_beta(kind, T):
    if kind == "cosine":
        return make_schedule(kind, T)
    betas = (1e-4 + (0.02 - 1e-4) * torch.arange(T, dtype=torch.float64) / T) * 1000 / T
    return betas.clamp(max=0.999), (1 - betas.clamp(max=0.999)).cumprod(0)


@wrong("make_schedule")
def is_linear_in_the_roots(kind, T):
    if kind == "cosine":
        return make_schedule(kind, T)
    betas = (torch.linspace(1e-4**0.5, 0.02**0.5, T, dtype=torch.float64) ** 2 * 1000 / T).clamp(max=0.999)
    return betas, (1 - betas).cumprod(0)


@wrong("make_schedule")
def never_caps_a_beta(kind, T):
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T
    if kind == "cosine":
        f = torch.cos((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008 * math.pi / 2) ** 2
        betas = 1 - f[1:] / f[:-1]
    return betas, (1 - betas).cumprod(0)


@wrong("make_schedule")
def takes_alpha_bar_of_betas_that_are_not_capped(kind, T):
    betas, alpha_bar = make_schedule(kind, T)
    if kind == "cosine":
        f = torch.cos((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008 * math.pi / 2) ** 2
        alpha_bar = f[1:] / f[0]
    return betas, alpha_bar


@wrong("make_schedule")
def caps_at_one(kind, T):
    if kind == "linear":
        return make_schedule(kind, T)
    f = torch.cos((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008 * math.pi / 2) ** 2
    betas = (1 - f[1:] / f[:-1]).clamp(max=1.0)
    return betas, (1 - betas).cumprod(0)


def cosine_from(f):
    betas = (1 - f[1:] / f[:-1]).clamp(max=0.999)
    return betas, (1 - betas).cumprod(0)


@wrong("make_schedule")
def forgets_the_square_of_the_cosine(kind, T):
    if kind == "linear":
        return make_schedule(kind, T)
    return cosine_from(torch.cos((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) / 1.008 * math.pi / 2))


@wrong("make_schedule")
def forgets_the_offset(kind, T):
    if kind == "linear":
        return make_schedule(kind, T)
    return cosine_from(torch.cos(torch.arange(T + 1, dtype=torch.float64) / T * math.pi / 2) ** 2)


@wrong("make_schedule")
def adds_the_offset_without_dividing_by_it(kind, T):
    if kind == "linear":
        return make_schedule(kind, T)
    return cosine_from(torch.cos((torch.arange(T + 1, dtype=torch.float64) / T + 0.008) * math.pi / 2) ** 2)


@wrong("make_schedule")
def spreads_t_points_over_the_curve(kind, T):
    if kind == "linear":
        return make_schedule(kind, T)
    u = torch.linspace(0, 1, T, dtype=torch.float64)
    f = torch.cos((u + 0.008) / 1.008 * math.pi / 2) ** 2
    return cosine_from(torch.cat([f[:1], f]))


@wrong("make_schedule")
def works_in_float32(kind, T):
    betas = make_schedule(kind, T)[0].float()
    return betas.double(), (1 - betas).cumprod(0).double()


@wrong("make_schedule")
def returns_float32(kind, T):
    betas, alpha_bar = make_schedule(kind, T)
    return betas.float(), alpha_bar.float()


@right("make_schedule")
def by_numpy(kind, T):
    t = np.arange(T)
    if kind == "linear":
        betas = np.linspace(0.1 / T, 20 / T, T)
    else:
        f = lambda u: np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2  # noqa: E731
        betas = 1 - f((t + 1) / T) / f(t / T)
    betas = np.minimum(betas, 0.999)
    return torch.from_numpy(betas), torch.from_numpy(np.cumprod(1 - betas))


@right("make_schedule")
def by_logarithms(kind, T):
    betas = make_schedule(kind, T)[0]
    return betas, torch.log1p(-betas).cumsum(0).exp()
