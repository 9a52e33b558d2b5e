"""Known-good versions of the set's earlier functions, for `ps.provide`: one mistake costs one question.

Plain on purpose. Each function is self-contained, for only its source travels to the worker. They do not judge: no
test compares a student's result with theirs. Provide all of those that a function uses.
"""

from torch import Tensor


def alpha_bar_at(alpha_bar: Tensor, t: Tensor, x: Tensor) -> Tensor:
    """alpha_bar at the times t (B,), 1 at time -1, in a shape that multiplies x (B, ...)."""
    import torch

    padded = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar.double().cpu()])
    return padded[t.long().cpu() + 1].reshape(len(x), *[1] * (x.dim() - 1)).to(x)


def q_sample(x0: Tensor, t: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_t given x_0."""
    import torch

    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])  # index -1 is time -1
    share = padded[t].reshape(len(x0), *[1] * (x0.dim() - 1))
    return (share**0.5 * x0 + (1 - share) ** 0.5 * noise).to(x0)


def snr(t: Tensor, alpha_bar: Tensor) -> Tensor:
    """Signal-to-noise ratios (B,)."""
    return alpha_bar[t] / (1 - alpha_bar[t])


def q_posterior(x0: Tensor, xt: Tensor, t: Tensor, alpha_bar: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of q(x_{t-1} | x_t, x_0)."""
    import torch

    shape = (len(xt), *[1] * (xt.dim() - 1))
    now = alpha_bar.double()[t].reshape(shape)
    before = torch.where(t > 0, alpha_bar.double()[(t - 1).clamp(min=0)], torch.ones(len(t)).double()).reshape(shape)
    beta = 1 - now / before
    precision = (1 - beta) / beta + 1 / (1 - before).clamp(min=1e-300)
    mean = ((1 - beta) ** 0.5 / beta * xt + before**0.5 / (1 - before).clamp(min=1e-300) * x0) / precision
    return mean.to(xt), torch.where((t > 0).reshape(shape), 1 / precision, 0.0).to(xt)


def x0_from_eps(xt: Tensor, t: Tensor, eps: Tensor, alpha_bar: Tensor) -> Tensor:
    """x_0 from x_t and its noise."""
    import torch

    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])  # index -1 is time -1
    share = padded[t].reshape(len(xt), *[1] * (xt.dim() - 1))
    return ((xt - (1 - share) ** 0.5 * eps) / share**0.5).to(xt)


def eps_from_x0(xt: Tensor, t: Tensor, x0: Tensor, alpha_bar: Tensor) -> Tensor:
    """The noise from x_t and x_0."""
    import torch

    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])  # index -1 is time -1
    share = padded[t].reshape(len(xt), *[1] * (xt.dim() - 1))
    return ((xt - share**0.5 * x0) / (1 - share) ** 0.5).to(xt)


def v_from(x0: Tensor, eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The target v of x_0 and its noise."""
    import torch

    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])  # index -1 is time -1
    share = padded[t].reshape(len(x0), *[1] * (x0.dim() - 1))
    return (share**0.5 * eps - (1 - share) ** 0.5 * x0).to(x0)


def score_from_eps(eps: Tensor, t: Tensor, alpha_bar: Tensor) -> Tensor:
    """The score from the noise."""
    import torch

    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])  # index -1 is time -1
    share = padded[t].reshape(len(eps), *[1] * (eps.dim() - 1))
    return (eps / -((1 - share) ** 0.5)).to(eps)


def ddpm_step(
    xt: Tensor, t: Tensor, eps_hat: Tensor, noise: Tensor, alpha_bar: Tensor, var: str = "beta", clip: bool = False
) -> Tensor:
    """x_{t-1} by one ancestral step."""
    import torch

    shape = (len(xt), *[1] * (xt.dim() - 1))
    now = alpha_bar.double()[t].reshape(shape)
    before = torch.where(t > 0, alpha_bar.double()[(t - 1).clamp(min=0)], torch.ones(len(t)).double()).reshape(shape)
    beta = 1 - now / before
    x0 = (xt - (1 - now) ** 0.5 * eps_hat) / now**0.5
    x0 = x0.clamp(-1, 1) if clip else x0
    mean = ((1 - beta) ** 0.5 * (1 - before) * xt + before**0.5 * beta * x0) / (1 - now)
    variance = beta if var == "beta" else beta * (1 - before) / (1 - now)
    return (mean + variance**0.5 * noise * (t > 0).reshape(shape)).to(xt)


def ddim_step(
    xt: Tensor, t: Tensor, t_prev: Tensor, eps_hat: Tensor, alpha_bar: Tensor, eta: float = 0.0, noise=None
) -> Tensor:
    """x at time t_prev from x at time t."""
    import torch

    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])  # index -1 is the last one
    now, then = (padded[each].reshape(len(xt), *[1] * (xt.dim() - 1)) for each in (t, t_prev))
    x0 = (xt - (1 - now) ** 0.5 * eps_hat) / now**0.5
    sigma = 0 * now
    if eta:
        sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)) ** 0.5
    back = then**0.5 * x0 + (1 - then - sigma**2).clamp(min=0) ** 0.5 * eps_hat
    return (back if noise is None else back + sigma * noise).to(xt)
