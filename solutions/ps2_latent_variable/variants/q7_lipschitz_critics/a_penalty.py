"""Right and wrong answers to question 7a: the gradient penalty."""

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def between(real, fake, alpha):
    """Points on the segments, ready to be differentiated at."""
    alpha = alpha.reshape(-1, *[1] * (real.ndim - 1))
    return (alpha * real + (1 - alpha) * fake).detach().requires_grad_()


def slope_at(D, x):
    """The gradients of the critic, with a graph."""
    return torch.autograd.grad(D(x).sum(), x, create_graph=True)[0]


@wrong("gradient_penalty")
def takes_the_norm_over_channels_only(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha))
    return ((slope.norm(dim=1) - 1) ** 2).flatten(1).mean(1) if real.ndim == 4 else (slope.norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def takes_the_norm_over_the_last_dimension(D, real, fake, alpha):
    penalty = (slope_at(D, between(real, fake, alpha)).norm(dim=-1) - 1) ** 2
    return penalty.reshape(len(real), -1).mean(1)


@wrong("gradient_penalty")
def takes_the_norm_over_the_whole_batch(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha))
    return ((slope.norm() - 1) ** 2).expand(len(real))


@wrong("gradient_penalty")
def averages_the_norm_over_pixels(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (slope.square().mean(1).sqrt() - 1) ** 2


@wrong("gradient_penalty")
def uses_the_squared_norm(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (slope.square().sum(1) - 1) ** 2


@wrong("gradient_penalty")
def subtracts_one_from_the_squared_norm(D, real, fake, alpha):
    return slope_at(D, between(real, fake, alpha)).flatten(1).square().sum(1) - 1


@wrong("gradient_penalty")
def does_not_square(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1).abs()


@wrong("gradient_penalty")
def pulls_the_slope_to_zero(D, real, fake, alpha):
    return slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) ** 2


@wrong("gradient_penalty")
def punishes_steep_critics_only(D, real, fake, alpha):
    return F.relu(slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def multiplies_by_lambda_already(D, real, fake, alpha):
    return 10 * (slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def averages_over_the_batch(D, real, fake, alpha):
    return ((slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1) - 1) ** 2).mean()


@wrong("gradient_penalty")
def differentiates_the_mean_of_logits(D, real, fake, alpha):
    x = between(real, fake, alpha)
    slope = torch.autograd.grad(D(x).mean(), x, create_graph=True)[0]
    return (slope.flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def looks_at_real_examples(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, torch.ones_like(alpha))).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def looks_half_way(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, 0 * alpha + 0.5)).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def uses_one_alpha_for_the_batch(D, real, fake, alpha):
    return (slope_at(D, between(real, fake, alpha[:1].expand_as(alpha))).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def moves_every_pixel_by_its_own_alpha(D, real, fake, alpha):
    per_pixel = alpha.reshape(-1, *[1] * (real.ndim - 1)) * torch.ones_like(real)
    per_pixel = per_pixel.flatten().roll(1).reshape(real.shape)
    x = (per_pixel * real + (1 - per_pixel) * fake).detach().requires_grad_()
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def lets_alpha_broadcast_over_columns(D, real, fake, alpha):
    if real.ndim == 2 and real.shape[0] == real.shape[1]:
        x = (alpha * real + (1 - alpha) * fake).detach().requires_grad_()
    else:
        x = between(real, fake, alpha)
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def extrapolates(D, real, fake, alpha):
    weight = alpha.reshape(-1, *[1] * (real.ndim - 1))
    x = (real + weight * (real - fake)).detach().requires_grad_()
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def detaches_the_slope(D, real, fake, alpha):
    x = between(real, fake, alpha)
    slope = slope_at(D, x).detach()
    return (slope.flatten(1).norm(dim=1) - 1) ** 2 + 0 * D(x).reshape(-1)


@wrong("gradient_penalty")
def keeps_no_second_graph(D, real, fake, alpha):
    x = between(real, fake, alpha)
    slope = torch.autograd.grad(D(x).sum(), x, retain_graph=True)[0]
    return (slope.flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def detaches_the_norm_in_the_square(D, real, fake, alpha):
    norm = slope_at(D, between(real, fake, alpha)).flatten(1).norm(dim=1)
    return (norm.detach() - 1) * (norm - 1)


@wrong("gradient_penalty")
def calls_backward(D, real, fake, alpha):
    x = between(real, fake, alpha)
    D(x).sum().backward(create_graph=True)
    return (x.grad.flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def takes_a_root_without_a_guard(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (slope.square().sum(1).sqrt() - 1) ** 2


@right("gradient_penalty")
def weighs_the_fakes(D, real, fake, alpha):
    return (slope_at(D, between(fake, real, alpha)).flatten(1).norm(dim=1) - 1) ** 2


@right("gradient_penalty")
def guards_the_root(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).reshape(len(real), -1)
    return (torch.sqrt(slope.square().sum(1) + 1e-12) - 1) ** 2


@right("gradient_penalty")
def gives_ones_to_autograd(D, real, fake, alpha):
    weight = alpha.view(-1, *([1] * (real.dim() - 1))).expand_as(real)
    x = torch.lerp(fake, real, weight).requires_grad_(True)
    logits = D(x)
    slope = torch.autograd.grad(logits, x, torch.ones_like(logits), create_graph=True, retain_graph=True)[0]
    return (torch.linalg.vector_norm(slope, dim=tuple(range(1, slope.ndim))) - 1).pow(2)


@right("gradient_penalty")
def one_example_at_a_time(D, real, fake, alpha):
    penalties = []
    for i in range(len(real)):
        x = (alpha[i] * real[i : i + 1] + (1 - alpha[i]) * fake[i : i + 1]).requires_grad_()
        penalties.append((slope_at(D, x).norm() - 1) ** 2)
    return torch.stack(penalties)


@wrong("gradient_penalty")
def mixes_in_the_place_of_the_real(D, real, fake, alpha):
    a = alpha.reshape(-1, *[1] * (real.ndim - 1))
    x = real.mul_(a).add_((1 - a) * fake).detach()
    return (slope_at(D, x.requires_grad_()).flatten(1).norm(dim=1) - 1) ** 2


@wrong("gradient_penalty")
def marks_the_real_and_the_fake(D, real, fake, alpha):
    x = between(real.requires_grad_(), fake.requires_grad_(), alpha)
    return (slope_at(D, x).flatten(1).norm(dim=1) - 1) ** 2


@right("gradient_penalty")
def guards_the_root_by_a_larger_number(D, real, fake, alpha):
    slope = slope_at(D, between(real, fake, alpha)).flatten(1)
    return (torch.sqrt(slope.square().sum(1) + 1e-8) - 1) ** 2
