"""Right and wrong answers to questions 1b and 1c."""

import math

import torch

from autograder.verify.variants import right, wrong


@wrong("alpha_bar_at")
def takes_the_last_entry_at_time_minus_one(alpha_bar, t, x):
    return fan(alpha_bar[t], x).to(x)


@wrong("alpha_bar_at")
def clamps_time_minus_one_to_zero(alpha_bar, t, x):
    return fan(alpha_bar[t.clamp(min=0)], x).to(x)


@wrong("alpha_bar_at")
def pads_on_the_wrong_side(alpha_bar, t, x):
    padded = torch.cat([torch.ones(1, dtype=alpha_bar.dtype), alpha_bar])
    return fan(padded[t], x).to(x)


@wrong("alpha_bar_at")
def drops_an_entry_when_padding(alpha_bar, t, x):
    padded = torch.cat([torch.ones(1, dtype=alpha_bar.dtype), alpha_bar[:-1]])
    return fan(padded[t.clamp(min=0)], x).to(x)


@wrong("alpha_bar_at")
def pads_with_zero(alpha_bar, t, x):
    padded = torch.cat([alpha_bar, torch.zeros(1, dtype=alpha_bar.dtype)])
    return fan(padded[t], x).to(x)


@wrong("alpha_bar_at")
def stays_flat(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t, x).flatten()


@wrong("alpha_bar_at")
def lies_along_the_width(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t, x).reshape(*[1] * (x.ndim - 1), -1)


@wrong("alpha_bar_at")
def has_four_dimensions_whatever_x_has(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t, x).reshape(-1, 1, 1, 1)


@wrong("alpha_bar_at")
def is_expanded_to_the_shape_of_x(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t, x).expand(x.shape)


@wrong("alpha_bar_at")
def keeps_the_dtype_of_the_schedule(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t, x.double())


@wrong("alpha_bar_at")
def uses_the_time_of_the_first_example(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t[:1].expand(len(t)), x)


@wrong("alpha_bar_at")
def returns_the_root(alpha_bar, t, x):
    return alpha_bar_at(alpha_bar, t, x).sqrt()


@wrong("q_sample")
def forgets_both_roots(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0)
    return a * x0 + (1 - a) * noise


@wrong("q_sample")
def forgets_the_root_of_the_noise(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0)
    return a.sqrt() * x0 + (1 - a) * noise


@wrong("q_sample")
def forgets_the_root_of_the_signal(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0)
    return a * x0 + (1 - a).sqrt() * noise


@wrong("q_sample")
def takes_one_minus_the_root(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0).sqrt()
    return a * x0 + (1 - a) * noise


@wrong("q_sample")
def swaps_signal_and_noise(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0)
    return (1 - a).sqrt() * x0 + a.sqrt() * noise


@wrong("q_sample")
def subtracts_the_noise(x0, t, noise, alpha_bar):
    return q_sample(x0, t, -noise, alpha_bar)


@wrong("q_sample")
def keeps_the_signal_as_it_is(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0)
    return x0 + ((1 - a) / a).sqrt() * noise


@wrong("q_sample")
def adds_noise_to_an_unscaled_signal(x0, t, noise, alpha_bar):
    return x0 + (1 - alpha_bar_at(alpha_bar, t, x0)).sqrt() * noise


@wrong("q_sample")
def broadcasts_time_along_the_width(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0).flatten()
    return (a.sqrt() * x0 + (1 - a).sqrt() * noise).to(x0)


@wrong("q_sample")
def draws_its_own_noise(x0, t, noise, alpha_bar):
    return q_sample(x0, t, torch.randn_like(x0), alpha_bar)


@wrong("q_sample")
def is_one_time_too_early(x0, t, noise, alpha_bar):
    return q_sample(x0, (t - 1).clamp(min=-1), noise, alpha_bar)


@wrong("q_sample")
def makes_only_the_last_small_step(x0, t, noise, alpha_bar):
    alpha = alpha_bar_at(alpha_bar, t, x0) / alpha_bar_at(alpha_bar, (t - 1).clamp(min=-1), x0)
    return alpha.sqrt() * x0 + (1 - alpha).sqrt() * noise


@wrong("q_sample")
def uses_one_time_for_the_batch(x0, t, noise, alpha_bar):
    return q_sample(x0, t[:1].expand(len(t)), noise, alpha_bar)


@wrong("q_sample")
def returns_double_precision(x0, t, noise, alpha_bar):
    a = fan(torch.cat([alpha_bar, torch.ones(1, dtype=torch.float64)])[t], x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


@wrong("q_sample")
def has_no_clean_data(x0, t, noise, alpha_bar):
    a = fan(alpha_bar[t], x0).to(x0)
    return a.sqrt() * x0 + (1 - a).sqrt() * noise


@wrong("q_sample")
def views_memory_that_is_strided(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0).reshape(-1, 1)
    return (a.sqrt() * x0.view(len(x0), -1) + (1 - a).sqrt() * noise.view(len(x0), -1)).view(x0.shape)


@wrong("q_sample")
def keeps_a_share_of_the_signal(x0, t, noise, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, x0).clamp(min=1e-2)
    return share.sqrt() * x0 + (1 - share).sqrt() * noise


@wrong("snr")
def guards_the_denominator(t, alpha_bar):
    return alpha_bar[t] / (1 - alpha_bar[t]).clamp(min=1e-3)


@wrong("q_sample")
def writes_into_the_example(x0, t, noise, alpha_bar):
    return x0.copy_(q_sample(x0, t, noise, alpha_bar))


@wrong("q_sample")
def writes_into_the_noise(x0, t, noise, alpha_bar):
    return noise.copy_(q_sample(x0, t, noise, alpha_bar))


@wrong("snr")
def compares_scales_and_not_variances(t, alpha_bar):
    return snr(t, alpha_bar).sqrt()


@wrong("snr")
def is_upside_down(t, alpha_bar):
    return 1 / snr(t, alpha_bar)


@wrong("snr")
def is_in_decibels(t, alpha_bar):
    return 10 * snr(t, alpha_bar).log10()


@wrong("snr")
def is_the_share_of_the_signal(t, alpha_bar):
    return alpha_bar[t]


@wrong("snr")
def squares_once_too_often(t, alpha_bar):
    return alpha_bar[t] ** 2 / (1 - alpha_bar[t] ** 2)


@wrong("snr")
def answers_for_every_time(t, alpha_bar):
    return alpha_bar / (1 - alpha_bar)


@wrong("snr")
def is_a_time_too_early(t, alpha_bar):
    padded = torch.cat([alpha_bar[:1], alpha_bar])
    return padded[t] / (1 - padded[t])


@right("alpha_bar_at")
def by_where(alpha_bar, t, x):
    values = torch.where(t < 0, 1.0, alpha_bar[t.clamp(min=0)])
    return values.to(x.dtype)[(...,) + (None,) * (x.ndim - 1)]


@right("alpha_bar_at")
def by_gather_from_a_shifted_schedule(alpha_bar, t, x):
    shifted = torch.cat([torch.ones(1, dtype=alpha_bar.dtype), alpha_bar])
    return shifted.gather(0, t + 1).view([len(x)] + [1] * (x.dim() - 1)).type_as(x)


@right("q_sample")
def by_a_loop_over_examples(x0, t, noise, alpha_bar):
    rows = []
    for x, s, e in zip(x0, t.tolist(), noise, strict=True):
        share = 1.0 if s < 0 else alpha_bar[s].item()
        rows.append(math.sqrt(share) * x + math.sqrt(1 - share) * e)
    return torch.stack(rows)


@right("q_sample")
def by_einsum(x0, t, noise, alpha_bar):
    a = alpha_bar_at(alpha_bar, t, x0).flatten()
    return torch.einsum("b,b...->b...", a**0.5, x0) + torch.einsum("b,b...->b...", (1 - a) ** 0.5, noise)


@right("q_sample")
def by_an_angle(x0, t, noise, alpha_bar):
    angle = torch.acos(alpha_bar_at(alpha_bar, t, x0).double().sqrt())
    return (angle.cos() * x0 + angle.sin() * noise).to(x0.dtype)


@right("snr")
def by_the_inverse(t, alpha_bar):
    return 1 / (1 / alpha_bar.gather(0, t) - 1)


@right("snr")
def by_the_logit(t, alpha_bar):
    return torch.logit(alpha_bar[t]).exp()
