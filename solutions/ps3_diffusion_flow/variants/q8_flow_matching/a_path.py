"""Right and wrong answers to question 8a: the path, the loss."""

import math

import torch

from autograder.verify.variants import right, wrong


def like(t, x):
    """t (B,) with a trailing dimension of one for each feature of x."""
    return t.reshape(-1, *[1] * (x.ndim - 1))


def squared(error):
    """The mean over features, (B,)."""
    return error.square().flatten(1).mean(1)


@wrong("fm_pair")
def time_reversed(x0, x1, t):
    s = like(t, x0)
    return s * x0 + (1 - s) * x1, x0 - x1


@wrong("fm_pair")
def time_reversed_in_the_point_alone(x0, x1, t):
    s = like(t, x0)
    return s * x0 + (1 - s) * x1, x1 - x0


@wrong("fm_pair")
def velocity_from_data_to_noise(x0, x1, t):
    s = like(t, x0)
    return (1 - s) * x0 + s * x1, x0 - x1


@wrong("fm_pair")
def time_not_reshaped(x0, x1, t):
    return (1 - t) * x0 + t * x1, x1 - x0


@wrong("fm_pair")
def time_reshaped_for_vectors_only(x0, x1, t):
    return (1 - t[:, None]) * x0 + t[:, None] * x1, x1 - x0


@wrong("fm_pair")
def time_reshaped_for_images_only(x0, x1, t):
    s = t[:, None, None, None]
    return ((1 - s) * x0 + s * x1).reshape(-1, *x0.shape[1:])[: len(x0)], x1 - x0


@wrong("fm_pair")
def one_time_for_the_whole_batch(x0, x1, t):
    return (1 - t[0]) * x0 + t[0] * x1, x1 - x0


@wrong("fm_pair")
def mean_time_of_the_batch(x0, x1, t):
    return torch.lerp(x0, x1, t.mean()), x1 - x0


@wrong("fm_pair")
def path_of_diffusion(x0, x1, t):
    s = like(t, x0)
    return (1 - s).sqrt() * x0 + s.sqrt() * x1, x1 - x0


@wrong("fm_pair")
def path_on_a_circle(x0, x1, t):
    angle = like(t, x0) * math.pi / 2
    return angle.cos() * x0 + angle.sin() * x1, x1 - x0


@wrong("fm_pair")
def velocity_of_the_remaining_way(x0, x1, t):
    s = like(t, x0)
    xt = (1 - s) * x0 + s * x1
    return xt, x1 - xt


@wrong("fm_pair")
def velocity_over_the_time_that_is_left(x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return xt, (x1 - xt) / (1 - like(t, x0))


@wrong("fm_pair")
def velocity_times_the_time(x0, x1, t):
    s = like(t, x0)
    return (1 - s) * x0 + s * x1, s * (x1 - x0)


@wrong("fm_pair")
def velocity_first(x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return u, xt


@wrong("fm_pair")
def noise_as_the_target(x0, x1, t):
    return fm_pair(x0, x1, t)[0], x0.clone()


@wrong("cfm_loss")
def target_is_noise_minus_data(v, x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return squared(v(xt, t) - (x0 - x1))


@wrong("cfm_loss")
def target_is_the_data(v, x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return squared(v(xt, t) - x1)


@wrong("cfm_loss")
def target_is_the_noise(v, x0, x1, t):
    xt, _ = fm_pair(x0, x1, t)
    return squared(v(xt, t) - x0)


@wrong("cfm_loss")
def asks_at_the_data(v, x0, x1, t):
    return squared(v(x1, t) - (x1 - x0))


@wrong("cfm_loss")
def asks_at_the_noise(v, x0, x1, t):
    return squared(v(x0, t) - (x1 - x0))


@wrong("cfm_loss")
def asks_at_the_reversed_time(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return squared(v(xt, 1 - t) - u)


@wrong("cfm_loss")
def adds_up_the_features(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().flatten(1).sum(1)


@wrong("cfm_loss")
def averages_the_batch(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().mean()


@wrong("cfm_loss")
def averages_the_last_dimension_alone(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).square().mean(-1)


@wrong("cfm_loss")
def forgets_the_square(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return (v(xt, t) - u).abs().flatten(1).mean(1)


@wrong("cfm_loss")
def takes_the_root(v, x0, x1, t):
    return cfm_loss(v, x0, x1, t).sqrt()


@wrong("cfm_loss")
def halves_the_loss(v, x0, x1, t):
    return cfm_loss(v, x0, x1, t) / 2


@wrong("cfm_loss")
def without_a_gradient(v, x0, x1, t):
    with torch.no_grad():
        return cfm_loss(v, x0, x1, t)


@wrong("cfm_loss")
def swaps_noise_and_data(v, x0, x1, t):
    return cfm_loss(v, x1, x0, t)


@right("fm_pair")
def by_interpolation_from_the_noise(x0, x1, t):
    while t.ndim < x0.ndim:
        t = t.unsqueeze(-1)
    u = x1 - x0
    return x0 + t * u, u


@right("fm_pair")
def by_lerp(x0, x1, t):
    return torch.lerp(x0, x1, t.view(len(t), *([1] * (x0.dim() - 1))).expand_as(x0)), x1 - x0


@right("fm_pair")
def by_a_loop_over_the_batch(x0, x1, t):
    return torch.stack([a * (1 - s) + b * s for a, b, s in zip(x0, x1, t, strict=True)]), x1.sub(x0)


@right("cfm_loss")
def by_mse_loss_without_reduction(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return torch.nn.functional.mse_loss(v(xt, t), u, reduction="none").mean(dim=tuple(range(1, x0.ndim)))


@right("cfm_loss")
def as_a_list_of_examples(v, x0, x1, t):
    xt, u = fm_pair(x0, x1, t)
    return torch.stack([((a - b) ** 2).mean() for a, b in zip(v(xt, t), u, strict=True)])
