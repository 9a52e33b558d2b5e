"""Right and wrong answers to question 2a: the posterior of one step back."""

import torch

from autograder.verify.variants import wrong


def shares(x0, xt, t, alpha_bar):
    """alpha_bar now and one step before, and beta, each like xt."""
    now, before = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t - 1, xt)
    return now, before, 1 - now / before


def from_shares(x0, xt, now, before, beta):
    """The posterior from its three ingredients."""
    mean = (before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / (1 - now)
    return mean, beta * (1 - before) / (1 - now)


def fan(values, x):
    """values (B,) as (B, 1, ..., 1), like x."""
    return values.reshape(-1, *[1] * (x.ndim - 1)).to(x)


@wrong("q_posterior")
def returns_beta_as_the_variance(x0, xt, t, alpha_bar):
    mean, _ = q_posterior(x0, xt, t, alpha_bar)
    return mean, shares(x0, xt, t, alpha_bar)[2]


@wrong("q_posterior")
def returns_the_standard_deviation(x0, xt, t, alpha_bar):
    mean, variance = q_posterior(x0, xt, t, alpha_bar)
    return mean, variance.sqrt()


@wrong("q_posterior")
def returns_the_log_variance(x0, xt, t, alpha_bar):
    mean, variance = q_posterior(x0, xt, t, alpha_bar)
    return mean, variance.clamp(min=1e-20).log()


@wrong("q_posterior")
def keeps_a_little_variance_at_time_zero(x0, xt, t, alpha_bar):
    mean, variance = q_posterior(x0, xt, t, alpha_bar)
    return mean, variance.clamp(min=1e-3)


@wrong("q_posterior")
def pads_the_end_with_one(x0, xt, t, alpha_bar):
    padded = torch.cat([alpha_bar[1:], torch.ones(1, dtype=alpha_bar.dtype)])
    now, before = fan(alpha_bar[t], xt), fan(padded[t], xt)
    return from_shares(x0, xt, now, before, 1 - now / before)


@wrong("q_posterior")
def takes_the_last_entry_before_time_zero(x0, xt, t, alpha_bar):
    now, before = fan(alpha_bar[t], xt), fan(alpha_bar[t - 1], xt)
    return from_shares(x0, xt, now, before, 1 - now / before)


@wrong("q_posterior")
def repeats_the_first_entry_before_time_zero(x0, xt, t, alpha_bar):
    now, before = fan(alpha_bar[t], xt), fan(alpha_bar[(t - 1).clamp(min=0)], xt)
    return from_shares(x0, xt, now, before, 1 - now / before)


@wrong("q_posterior")
def swaps_x0_and_xt(x0, xt, t, alpha_bar):
    return q_posterior(xt, x0, t, alpha_bar)


@wrong("q_posterior")
def swaps_the_two_weights(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    mean = (before.sqrt() * beta * xt + (1 - beta).sqrt() * (1 - before) * x0) / (1 - now)
    return mean, beta * (1 - before) / (1 - now)


@wrong("q_posterior")
def forgets_the_root_before_x0(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    mean = (before * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / (1 - now)
    return mean, beta * (1 - before) / (1 - now)


@wrong("q_posterior")
def forgets_the_root_before_xt(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    mean = (before.sqrt() * beta * x0 + (1 - beta) * (1 - before) * xt) / (1 - now)
    return mean, beta * (1 - before) / (1 - now)


@wrong("q_posterior")
def takes_alpha_bar_for_alpha(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    mean = (before.sqrt() * beta * x0 + now.sqrt() * (1 - before) * xt) / (1 - now)
    return mean, beta * (1 - before) / (1 - now)


@wrong("q_posterior")
def takes_this_steps_share_for_x0(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    mean = (now.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / (1 - now)
    return mean, beta * (1 - before) / (1 - now)


@wrong("q_posterior")
def turns_the_ratio_of_the_variance(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    return q_posterior(x0, xt, t, alpha_bar)[0], beta * (1 - now) / (1 - before).clamp(min=1e-3)


@wrong("q_posterior")
def takes_the_share_for_the_variance(x0, xt, t, alpha_bar):
    before = shares(x0, xt, t, alpha_bar)[1]
    return q_posterior(x0, xt, t, alpha_bar)[0], 1 - before


@wrong("q_posterior")
def adds_precisions_that_divide_by_zero(x0, xt, t, alpha_bar):
    _, before, beta = shares(x0, xt, t, alpha_bar)
    variance = 1 / ((1 - beta) / beta + 1 / (1 - before))
    return variance * ((1 - beta).sqrt() / beta * xt + before.sqrt() / (1 - before) * x0), variance


@wrong("q_posterior")
def broadcasts_the_weights_along_the_width(x0, xt, t, alpha_bar):
    now, before, beta = (each.flatten() for each in shares(x0, xt, t, alpha_bar))
    mean, variance = from_shares(x0, xt, now, before, beta)
    return mean, fan(variance, xt)


@wrong("q_posterior")
def uses_the_first_time_for_all(x0, xt, t, alpha_bar):
    return q_posterior(x0, xt, t[:1].expand(len(t)), alpha_bar)


@wrong("q_posterior")
def returns_a_flat_variance(x0, xt, t, alpha_bar):
    mean, variance = q_posterior(x0, xt, t, alpha_bar)
    return mean, variance.flatten()


@wrong("q_posterior")
def expands_the_variance(x0, xt, t, alpha_bar):
    mean, variance = q_posterior(x0, xt, t, alpha_bar)
    return mean, variance.expand(mean.shape).clone()


@wrong("q_posterior")
def returns_the_mean_alone(x0, xt, t, alpha_bar):
    return q_posterior(x0, xt, t, alpha_bar)[0]


@wrong("q_posterior")
def guards_the_denominator(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    rest = (1 - now).clamp(min=1e-2)
    mean = (before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / rest
    return mean, beta * (1 - before) / rest


@wrong("q_posterior")
def works_in_double(x0, xt, t, alpha_bar):
    return q_posterior(x0.double(), xt.double(), t, alpha_bar)
