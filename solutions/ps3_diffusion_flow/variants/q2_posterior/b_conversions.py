"""Right and wrong answers to question 2b: four names for the same prediction."""

import torch

from autograder.verify.variants import right, wrong


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
