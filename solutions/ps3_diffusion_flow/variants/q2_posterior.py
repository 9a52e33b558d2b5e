import torch

from autograder.verify.variants import right, wrong


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


@wrong("x0_from_eps")
def forgets_to_divide(xt, t, eps, alpha_bar):
    return xt - (1 - alpha_bar_at(alpha_bar, t, xt)).sqrt() * eps


@wrong("x0_from_eps")
def divides_by_the_share(xt, t, eps, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - (1 - share).sqrt() * eps) / share


@wrong("x0_from_eps")
def divides_xt_alone(xt, t, eps, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return xt / share.sqrt() - (1 - share).sqrt() * eps


@wrong("x0_from_eps")
def forgets_the_root_of_the_noise(xt, t, eps, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - (1 - share) * eps) / share.sqrt()


@wrong("x0_from_eps")
def adds_the_noise(xt, t, eps, alpha_bar):
    return x0_from_eps(xt, t, -eps, alpha_bar)


@wrong("x0_from_eps")
def clips_the_guess(xt, t, eps, alpha_bar):
    return x0_from_eps(xt, t, eps, alpha_bar).clamp(-1, 1)


@wrong("x0_from_eps")
def clips_far_out(xt, t, eps, alpha_bar):
    return x0_from_eps(xt, t, eps, alpha_bar).clamp(-5, 5)


@wrong("x0_from_eps")
def guards_the_share(xt, t, eps, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt).clamp(min=1e-3)
    return (xt - (1 - share).sqrt() * eps) / share.sqrt()


@wrong("x0_from_eps")
def looks_one_step_back(xt, t, eps, alpha_bar):
    return x0_from_eps(xt, t - 1, eps, alpha_bar)


@wrong("x0_from_eps")
def takes_the_first_time(xt, t, eps, alpha_bar):
    return x0_from_eps(xt, t[:1].expand(len(t)), eps, alpha_bar)


@wrong("x0_from_eps")
def stays_in_double(xt, t, eps, alpha_bar):
    return x0_from_eps(xt.double(), t, eps.double(), alpha_bar)


@wrong("eps_from_x0")
def divides_by_the_variance(xt, t, x0, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - share.sqrt() * x0) / (1 - share)


@wrong("eps_from_x0")
def forgets_to_divide_by_the_scale(xt, t, x0, alpha_bar):
    return xt - alpha_bar_at(alpha_bar, t, xt).sqrt() * x0


@wrong("eps_from_x0")
def forgets_to_scale_the_example(xt, t, x0, alpha_bar):
    return (xt - x0) / (1 - alpha_bar_at(alpha_bar, t, xt)).sqrt()


@wrong("eps_from_x0")
def forgets_the_root_of_the_signal(xt, t, x0, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - share * x0) / (1 - share).sqrt()


@wrong("eps_from_x0")
def has_the_noise_reversed(xt, t, x0, alpha_bar):
    return -eps_from_x0(xt, t, x0, alpha_bar)


@wrong("eps_from_x0")
def swaps_its_arguments(xt, t, x0, alpha_bar):
    return eps_from_x0(x0, t, xt, alpha_bar)


@wrong("eps_from_x0")
def divides_by_the_wrong_root(xt, t, x0, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - share.sqrt() * x0) / share.sqrt()


@wrong("eps_from_x0")
def is_one_step_late(xt, t, x0, alpha_bar):
    return eps_from_x0(xt, (t + 1).clamp(max=len(alpha_bar) - 1), x0, alpha_bar)


@wrong("eps_from_x0")
def guards_the_variance(xt, t, x0, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt - share.sqrt() * x0) / (1 - share).clamp(min=1e-2).sqrt()


@wrong("v_from")
def has_the_other_sign(x0, eps, t, alpha_bar):
    return -v_from(x0, eps, t, alpha_bar)


@wrong("v_from")
def adds_both(x0, eps, t, alpha_bar):
    return v_from(-x0, eps, t, alpha_bar)


@wrong("v_from")
def swaps_the_roots(x0, eps, t, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, x0)
    return (1 - share).sqrt() * eps - share.sqrt() * x0


@wrong("v_from")
def forgets_the_roots(x0, eps, t, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, x0)
    return share * eps - (1 - share) * x0


@wrong("v_from")
def swaps_data_and_noise(x0, eps, t, alpha_bar):
    return v_from(eps, x0, t, alpha_bar)


@wrong("v_from")
def is_the_velocity_of_flow_matching(x0, eps, t, alpha_bar):
    return eps - x0


@wrong("v_from")
def broadcasts_the_roots_along_the_width(x0, eps, t, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, x0).flatten()
    return share.sqrt() * eps - (1 - share).sqrt() * x0


@wrong("score_from_eps")
def points_with_the_noise(eps, t, alpha_bar):
    return -score_from_eps(eps, t, alpha_bar)


@wrong("score_from_eps")
def is_the_noise_reversed(eps, t, alpha_bar):
    return -eps


@wrong("score_from_eps")
def divides_the_score_by_the_variance(eps, t, alpha_bar):
    return -eps / (1 - alpha_bar_at(alpha_bar, t, eps))


@wrong("score_from_eps")
def multiplies_by_the_scale(eps, t, alpha_bar):
    return -eps * (1 - alpha_bar_at(alpha_bar, t, eps)).sqrt()


@wrong("score_from_eps")
def divides_by_the_scale_of_the_signal(eps, t, alpha_bar):
    return -eps / alpha_bar_at(alpha_bar, t, eps).sqrt()


@wrong("score_from_eps")
def guards_the_scale(eps, t, alpha_bar):
    return -eps / (1 - alpha_bar_at(alpha_bar, t, eps)).clamp(min=1e-2).sqrt()


@wrong("score_from_eps")
def scales_by_the_step(eps, t, alpha_bar):
    now, before = alpha_bar_at(alpha_bar, t, eps), alpha_bar_at(alpha_bar, t - 1, eps)
    return -eps / (1 - now / before).sqrt()


@right("q_posterior")
def by_the_gain_of_a_filter(x0, xt, t, alpha_bar):
    _, before, beta = shares(x0, xt, t, alpha_bar)
    prior, keep = 1 - before, (1 - beta).sqrt()
    gain = keep * prior / (keep**2 * prior + beta)
    return before.sqrt() * x0 + gain * (xt - keep * before.sqrt() * x0), (1 - gain * keep) * prior


@right("q_posterior")
def by_a_loop_with_a_case_for_time_zero(x0, xt, t, alpha_bar):
    means, variances = [], []
    for clean, noisy, s in zip(x0, xt, t.tolist(), strict=True):
        if s == 0:
            means.append(clean)
            variances.append(0.0)
            continue
        now, before = alpha_bar[s].item(), alpha_bar[s - 1].item()
        variances.append(1 / (now / (before - now) + 1 / (1 - before)))
        pull = before**0.5 / (1 - before) * clean + (now * before) ** 0.5 / (before - now) * noisy
        means.append(variances[-1] * pull)
    return torch.stack(means), fan(torch.tensor(variances, dtype=torch.float64), xt)


@right("q_posterior")
def through_the_noise(x0, xt, t, alpha_bar):
    now, before, beta = shares(x0, xt, t, alpha_bar)
    eps = eps_from_x0(xt, t, x0, alpha_bar)
    mean = (xt - beta / (1 - now).sqrt() * eps) / (1 - beta).sqrt()
    return mean, (1 - before) / (1 - now) * beta


@right("x0_from_eps")
def by_ratios(xt, t, eps, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return xt / share.sqrt() - (1 / share - 1).sqrt() * eps


@right("x0_from_eps")
def from_the_score(xt, t, eps, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt + (1 - share) * score_from_eps(eps, t, alpha_bar)) * share.rsqrt()


@right("eps_from_x0")
def by_a_ratio_of_differences(xt, t, x0, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, xt)
    return (xt / share.sqrt() - x0) / (1 / share - 1).sqrt()


@right("eps_from_x0")
def example_by_example(xt, t, x0, alpha_bar):
    pairs = zip(xt, x0, alpha_bar[t].tolist(), strict=True)
    return torch.stack([(noisy - a**0.5 * clean) / (1 - a) ** 0.5 for noisy, clean, a in pairs])


@right("v_from")
def through_xt(x0, eps, t, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, x0)
    return (share.sqrt() * q_sample(x0, t, eps, alpha_bar) - x0) / (1 - share).sqrt()


@right("v_from")
def by_an_angle(x0, eps, t, alpha_bar):
    angle = alpha_bar_at(alpha_bar, t, x0).sqrt().acos()
    return angle.cos() * eps - angle.sin() * x0


@right("v_from")
def by_the_derivative_along_the_arc(x0, eps, t, alpha_bar):
    angle = alpha_bar_at(alpha_bar, t, x0).sqrt().acos()
    return torch.func.jvp(lambda a: a.cos() * x0 + a.sin() * eps, (angle,), (torch.ones_like(angle),))[1]


@right("score_from_eps")
def by_a_reciprocal_root(eps, t, alpha_bar):
    return eps.neg() * (1 - alpha_bar_at(alpha_bar, t, eps)).rsqrt()


@right("score_from_eps")
def by_the_distance_to_the_signal(eps, t, alpha_bar):
    variance = 1 - fan(alpha_bar[t], eps)
    return (0 * eps - variance.sqrt() * eps) / variance
