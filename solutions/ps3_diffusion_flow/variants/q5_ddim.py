import numpy as np
import torch

from autograder.verify.variants import right, wrong


@wrong("ddim_timesteps")
def is_ascending(T, S):
    return ddim_timesteps(T, S).flip(0)


@wrong("ddim_timesteps")
def starts_at_t(T, S):
    return ddim_timesteps(T, S) + 1


@wrong("ddim_timesteps")
def starts_below_the_last_time(T, S):
    return torch.arange(S).flip(0) * (T // S)


@wrong("ddim_timesteps")
def ends_at_minus_one(T, S):
    return torch.linspace(T - 1, -1, S).round().long()


@wrong("ddim_timesteps")
def has_one_time_too_many(T, S):
    return torch.linspace(T - 1, 0, S + 1).round().long()


@wrong("ddim_timesteps")
def keeps_fractions(T, S):
    return torch.linspace(T - 1, 0, S)


@wrong("ddim_timesteps")
def takes_the_last_s_times(T, S):
    return T - 1 - torch.arange(S)


@wrong("ddim_timesteps")
def is_quadratic(T, S):
    return (T - 1 - torch.linspace(0, (T - S) ** 0.5, S) ** 2 - torch.arange(S)).round().long()


@wrong("ddim_timesteps")
def repeats_times(T, S):
    return ddim_timesteps(T, S) // 2 * 2 + (T - 1) % 2


@wrong("ddim_timesteps")
def strides_and_ignores_the_rest(T, S):
    return T - 1 - torch.arange(S) * max(1, T // S - 1)


@wrong("ddim_timesteps")
def strides_by_whole_numbers(T, S):
    return T - 1 - torch.arange(S) * (T // S)


@wrong("ddim_timesteps")
def returns_a_list(T, S):
    return ddim_timesteps(T, S).tolist()


def pieces(xt, t, t_prev, eps_hat, alpha_bar):
    """alpha_bar at both times and the guess."""
    now, then = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t_prev, xt)
    return now, then, x0_from_eps(xt, t, eps_hat, alpha_bar)


def mixed(then, x0, eps_hat, variance, noise):
    """The three terms of the step."""
    rest = then.sqrt() * x0 + (1 - then - variance).clamp(min=0).sqrt() * eps_hat
    return rest if noise is None else rest + variance.clamp(min=0).sqrt() * noise


@wrong("ddim_step")
def ends_at_alpha_bar_zero(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t_prev.clamp(min=0), eps_hat, alpha_bar, eta, noise)


@wrong("ddim_step")
def ends_at_the_last_alpha_bar(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t_prev % len(alpha_bar), eps_hat, alpha_bar, eta, noise)


@wrong("ddim_step")
def always_steps_to_the_neighbour(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t - 1, eps_hat, alpha_bar, eta, noise)


@wrong("ddim_step")
def steps_to_zero_for_all_if_one_is_last(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    if (t_prev == -1).any():
        t_prev = torch.full_like(t_prev, -1)
    return ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta, noise)


@wrong("ddim_step")
def ignores_eta(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t_prev, eps_hat, alpha_bar)


@wrong("ddim_step")
def forgets_the_fresh_noise(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta, torch.zeros_like(xt))


@wrong("ddim_step")
def adds_noise_at_eta_zero(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    variance = (1 - then) / (1 - now) * (1 - now / then)
    added = 0 if noise is None else variance.clamp(min=0).sqrt() * noise
    return then.sqrt() * x0 + (1 - then - eta**2 * variance).sqrt() * eps_hat + added


@wrong("ddim_step")
def adds_noise_without_taking_its_share(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then, _ = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    straight = ddim_step(xt, t, t_prev, eps_hat, alpha_bar)
    if eta == 0:
        return straight
    return straight + eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt() * noise


@wrong("ddim_step")
def forgets_the_square_of_eta(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta**0.5, noise)


@wrong("ddim_step")
def takes_sigma_for_its_square(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    if eta == 0:
        return ddim_step(xt, t, t_prev, eps_hat, alpha_bar)
    sigma = eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()
    return then.sqrt() * x0 + (1 - then - sigma).clamp(min=0).sqrt() * eps_hat + sigma * noise


@wrong("ddim_step")
def takes_beta_for_sigma(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    if eta == 0:
        return ddim_step(xt, t, t_prev, eps_hat, alpha_bar)
    return mixed(then, x0, eps_hat, eta**2 * (1 - now / then), noise)


@wrong("ddim_step")
def turns_the_ratio_in_sigma(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    if eta == 0 or (t_prev == -1).any():
        return ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta, noise)
    return mixed(then, x0, eps_hat, eta**2 * (1 - now) / (1 - then) * (1 - now / then), noise)


@wrong("ddim_step")
def computes_sigma_where_it_is_infinite(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    variance = (eta * ((1 - then) / (1 - now) * (1 - now / then)).sqrt()) ** 2
    x = then.sqrt() * x0 + (1 - then - variance).sqrt() * eps_hat
    return x if noise is None else x + variance.sqrt() * noise


@wrong("ddim_step")
def forgets_the_guess(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    then = alpha_bar_at(alpha_bar, t_prev, xt)
    return then.sqrt() * xt + (1 - then).sqrt() * eps_hat


@wrong("ddim_step")
def forgets_to_scale_the_guess(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    _, then, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    return ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta, noise) + (1 - then.sqrt()) * x0


@wrong("ddim_step")
def swaps_the_times(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t_prev, t, eps_hat, alpha_bar)


@wrong("ddim_step")
def clips_the_guess(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    return ddim_step(xt - alpha_bar_at(alpha_bar, t, xt).sqrt() * (x0 - x0.clamp(-1, 1)), t, t_prev, eps_hat, alpha_bar)


@wrong("ddim_step")
def uses_the_first_time_for_all(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t[:1].expand(len(t)), t_prev[:1].expand(len(t)), eps_hat, alpha_bar, eta, noise)


@wrong("ddim_step")
def draws_its_own_noise(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt, t, t_prev, eps_hat, alpha_bar, eta, torch.randn_like(xt))


@wrong("ddim_step")
def returns_doubles(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    return ddim_step(xt.double(), t, t_prev, eps_hat.double(), alpha_bar, eta, noise)


@wrong("ddim_step")
def guards_the_guess(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, _, x0 = pieces(xt, t, t_prev, eps_hat, alpha_bar)
    x0 = x0 * now.sqrt() / now.sqrt().clamp(min=0.1)
    eps = eps_from_x0(xt, t, x0, alpha_bar) if (t >= 0).all() else eps_hat
    return ddim_step(xt, t, t_prev, eps, alpha_bar, eta, noise)


def climb(model, x, alpha_bar, times, ask=lambda here, there: there, first=-1):
    """Deterministic steps through these times; ask says which time the model is told."""
    t = torch.full((len(x),), first)
    with torch.no_grad():
        for s in times:
            later = torch.full_like(t, s)
            x, t = ddim_step(x, t, later, model(x, ask(t, later)), alpha_bar), later
    return x


@wrong("ddim_invert")
def walks_downwards(model, x0, alpha_bar, timesteps):
    return climb(model, x0, alpha_bar, timesteps.tolist())


@wrong("ddim_invert")
def asks_with_the_time_it_comes_from(model, x0, alpha_bar, timesteps):
    return climb(model, x0, alpha_bar, timesteps.tolist()[::-1], lambda here, there: here.clamp(min=0))


@wrong("ddim_invert")
def starts_at_time_zero(model, x0, alpha_bar, timesteps):
    return climb(model, x0, alpha_bar, timesteps.tolist()[::-1], first=0)


@wrong("ddim_invert")
def starts_at_the_smallest_time(model, x0, alpha_bar, timesteps):
    times = timesteps.tolist()[::-1]
    return climb(model, x0, alpha_bar, times[1:], first=times[0])


@wrong("ddim_invert")
def stops_one_step_early(model, x0, alpha_bar, timesteps):
    return climb(model, x0, alpha_bar, timesteps.tolist()[:0:-1])


@wrong("ddim_invert")
def visits_all_times(model, x0, alpha_bar, timesteps):
    return climb(model, x0, alpha_bar, range(len(alpha_bar)))


@wrong("ddim_invert")
def asks_at_clean_data_only(model, x0, alpha_bar, timesteps):
    return ddim_invert(lambda x, t: model(x0, t), x0, alpha_bar, timesteps)


@wrong("ddim_invert")
def adds_the_predicted_noise_at_once(model, x0, alpha_bar, timesteps):
    t = torch.full((len(x0),), int(timesteps[0]))
    with torch.no_grad():
        return q_sample(x0, t, model(x0, t), alpha_bar)


@wrong("ddim_invert")
def keeps_the_graph(model, x0, alpha_bar, timesteps):
    x, t = x0, torch.full((len(x0),), -1)
    for s in timesteps.tolist()[::-1]:
        later = torch.full_like(t, s)
        x, t = ddim_step(x, t, later, model(x, later), alpha_bar), later
    return x


@wrong("ddim_invert")
def drops_the_graph_at_the_end(model, x0, alpha_bar, timesteps):
    x, t = x0, torch.full((len(x0),), -1)
    for s in timesteps.tolist()[::-1]:
        later = torch.full_like(t, s)
        x, t = ddim_step(x, t, later, model(x, later), alpha_bar), later
    return x.detach()


@wrong("ddim_invert")
def tells_the_model_one_number(model, x0, alpha_bar, timesteps):
    return ddim_invert(lambda x, t: model(x, t[:1]), x0, alpha_bar, timesteps)


@wrong("ddim_invert")
def returns_the_sample(model, x0, alpha_bar, timesteps):
    x = ddim_invert(model, x0, alpha_bar, timesteps)
    return climb(model, x, alpha_bar, [*timesteps.tolist()[1:], -1], lambda here, there: here, int(timesteps[0]))


@wrong("ddim_invert")
def writes_into_the_example(model, x0, alpha_bar, timesteps):
    return x0.copy_(ddim_invert(model, x0, alpha_bar, timesteps))


@right("ddim_timesteps")
def by_a_rounded_linspace(T, S):
    return torch.from_numpy(np.round(np.linspace(T - 1, 0, S)).astype(np.int64))


@right("ddim_timesteps")
def by_whole_numbers_down_to_zero(T, S):
    return torch.tensor([T - 1 - (T - 1) * i // max(S - 1, 1) for i in range(S)])


@right("ddim_timesteps")
def by_even_shares_of_all_steps(T, S):
    return torch.arange(T, 0, -T / S)[:S].round().long() - 1


@right("ddim_step")
def by_an_angle(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then = (alpha_bar_at(alpha_bar, each, xt) for each in (t, t_prev))
    x0 = (xt - (1 - now).sqrt() * eps_hat) / now.sqrt()
    variance = torch.zeros_like(now)
    if eta > 0:
        variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
    noise = torch.zeros_like(xt) if noise is None else noise
    return then.sqrt() * x0 + (1 - then - variance).sqrt() * eps_hat + variance.sqrt() * noise


@right("ddim_step")
def from_the_ratio_of_scales(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    now, then = (alpha_bar_at(alpha_bar, each, xt) for each in (t, t_prev))
    scale = (then / now).sqrt()
    if not eta:
        return scale * xt + ((1 - then).sqrt() - scale * (1 - now).sqrt()) * eps_hat
    sigma = eta * ((1 - then) / (1 - now)).sqrt() * (1 - now / then).sqrt()
    direction = (1 - then - sigma**2).clamp(min=0).sqrt() - scale * (1 - now).sqrt()
    return scale * xt + direction * eps_hat + sigma * noise


@right("ddim_step")
def by_a_jump(xt, t, t_prev, eps_hat, alpha_bar, eta=0.0, noise=None):
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    straight = q_sample(x0, t_prev, eps_hat, alpha_bar)
    if eta == 0:
        return straight
    now, then = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t_prev, xt)
    variance = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
    return straight + ((1 - then - variance).sqrt() - (1 - then).sqrt()) * eps_hat + variance.sqrt() * noise


@right("ddim_invert")
def by_pairs_of_times(model, x0, alpha_bar, timesteps):
    x, rising = x0.clone(), [-1, *reversed(timesteps.tolist())]
    for i, later in enumerate(rising[1:]):
        s = rising[i]
        t, to = torch.full((len(x0),), s), torch.full((len(x0),), later)
        x = ddim_step(x, t, to, model(x, to).detach(), alpha_bar, eta=0.0)
    return x


@right("ddim_invert")
def by_guess_and_jump(model, x0, alpha_bar, timesteps):
    x, t = x0, torch.full((len(x0),), -1)
    for s in torch.flip(timesteps, [0]):
        to = s.repeat(len(x0))
        with torch.no_grad():
            eps = model(x, to)
        x, t = q_sample(x0_from_eps(x, t, eps, alpha_bar), to, eps, alpha_bar), to
    return x
