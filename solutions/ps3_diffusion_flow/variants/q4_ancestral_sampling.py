import torch

from autograder.verify.variants import right, wrong


def parts(xt, t, eps_hat, alpha_bar, clip):
    """The mean, beta, the posterior's variance, and where t is above 0."""
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    mean, tilde = q_posterior(x0.clamp(-1, 1) if clip else x0, xt, t, alpha_bar)
    beta = 1 - alpha_bar_at(alpha_bar, t, xt) / alpha_bar_at(alpha_bar, t - 1, xt)
    return mean, beta, tilde, (t > 0).reshape(tilde.shape)


@wrong("ddpm_step")
def adds_noise_at_time_zero(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, _ = parts(xt, t, eps_hat, alpha_bar, clip)
    return mean + (beta if var == "beta" else tilde).sqrt() * noise


@wrong("ddpm_step")
def adds_no_noise_at_time_one(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, noise * (t > 1).reshape(-1, *[1] * (xt.ndim - 1)), alpha_bar, var, clip)


@wrong("ddpm_step")
def adds_noise_where_any_time_is_positive(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, _ = parts(xt, t, eps_hat, alpha_bar, clip)
    return mean + (beta if var == "beta" else tilde).sqrt() * noise * bool((t > 0).any())


@wrong("ddpm_step")
def adds_noise_where_all_times_are_positive(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, _ = parts(xt, t, eps_hat, alpha_bar, clip)
    return mean + (beta if var == "beta" else tilde).sqrt() * noise * bool((t > 0).all())


@wrong("ddpm_step")
def always_uses_beta(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, noise, alpha_bar, "beta", clip)


@wrong("ddpm_step")
def always_uses_the_posterior(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, noise, alpha_bar, "posterior", clip)


@wrong("ddpm_step")
def swaps_the_variances(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, noise, alpha_bar, "posterior" if var == "beta" else "beta", clip)


@wrong("ddpm_step")
def scales_noise_by_the_variance(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, later = parts(xt, t, eps_hat, alpha_bar, clip)
    return mean + (beta if var == "beta" else tilde) * noise * later


@wrong("ddpm_step")
def takes_one_minus_alpha_bar_for_beta(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, _, tilde, later = parts(xt, t, eps_hat, alpha_bar, clip)
    variance = 1 - alpha_bar_at(alpha_bar, t, xt)
    return mean + (variance if var == "beta" else tilde).sqrt() * noise * later


@wrong("ddpm_step")
def draws_its_own_noise(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, torch.randn_like(xt), alpha_bar, var, clip)


@wrong("ddpm_step")
def adds_no_noise_at_all(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, 0 * noise, alpha_bar, var, clip)


@wrong("ddpm_step")
def clips_after_the_noise(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    x = ddpm_step(xt, t, eps_hat, noise, alpha_bar, var)
    return x.clamp(-1, 1) if clip else x


@wrong("ddpm_step")
def clips_the_mean(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, later = parts(xt, t, eps_hat, alpha_bar, False)
    mean = mean.clamp(-1, 1) if clip else mean
    return mean + (beta if var == "beta" else tilde).sqrt() * noise * later


@wrong("ddpm_step")
def always_clips(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, noise, alpha_bar, var, True)


@wrong("ddpm_step")
def never_clips(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat, noise, alpha_bar, var)


@wrong("ddpm_step")
def clips_the_noise(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_hat.clamp(-1, 1) if clip else eps_hat, noise, alpha_bar, var)


@wrong("ddpm_step")
def clips_to_zero_and_one(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    x0 = x0.clamp(0, 1) if clip else x0
    return ddpm_step(xt, t, eps_from_x0(xt, t, x0, alpha_bar), noise, alpha_bar, var)


@wrong("ddpm_step")
def takes_the_guess_of_the_noise_for_x0(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, eps_from_x0(xt, t, eps_hat, alpha_bar), noise, alpha_bar, var, clip)


@wrong("ddpm_step")
def adds_the_predicted_noise(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t, -eps_hat, noise, alpha_bar, var, clip)


@wrong("ddpm_step")
def divides_by_the_root_of_alpha_bar(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    _, beta, tilde, later = parts(xt, t, eps_hat, alpha_bar, clip)
    now = alpha_bar_at(alpha_bar, t, xt)
    mean = (xt - beta / (1 - now).sqrt() * eps_hat) / now.sqrt()
    return mean + (beta if var == "beta" else tilde).sqrt() * noise * later


@wrong("ddpm_step")
def subtracts_all_of_the_noise_at_once(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    _, beta, tilde, later = parts(xt, t, eps_hat, alpha_bar, clip)
    mean = (xt - beta.sqrt() * eps_hat) / (1 - beta).sqrt()
    return mean + (beta if var == "beta" else tilde).sqrt() * noise * later


@wrong("ddpm_step")
def returns_the_guess(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    return x0.clamp(-1, 1) if clip else x0


@wrong("ddpm_step")
def uses_the_first_time_for_all(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt, t[:1].expand(len(t)), eps_hat, noise, alpha_bar, var, clip)


@wrong("ddpm_step")
def pads_the_wrong_side(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    x0 = x0_from_eps(xt, t, eps_hat, alpha_bar)
    x0 = x0.clamp(-1, 1) if clip else x0
    padded = torch.cat([alpha_bar[1:], torch.ones(1, dtype=alpha_bar.dtype)])
    now = alpha_bar_at(alpha_bar, t, xt)
    before = padded[t].reshape(now.shape).to(xt)
    beta = 1 - now / before
    mean = (before.sqrt() * beta * x0 + (1 - beta).sqrt() * (1 - before) * xt) / (1 - now)
    variance = (beta if var == "beta" else beta * (1 - before) / (1 - now)).clamp(min=0)
    return mean + variance.sqrt() * noise * (t > 0).reshape(now.shape)


@wrong("ddpm_step")
def returns_doubles(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    return ddpm_step(xt.double(), t, eps_hat.double(), noise.double(), alpha_bar, var, clip)


@wrong("ddpm_step")
def keeps_a_little_variance(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, later = parts(xt, t, eps_hat, alpha_bar, clip)
    return mean + (beta if var == "beta" else tilde).clamp(min=1e-3).sqrt() * noise * later


def walk(model, x, noises, alpha_bar, times, var, clip, told=lambda t: t, own=None):
    """A loop over these times; told is what the model is told."""
    with torch.no_grad():
        for s in times:
            t = torch.full((len(x),), s, dtype=torch.long)
            x = ddpm_step(x, t, model(x, told(t)), noises[s if own is None else own(s)], alpha_bar, var, clip)
    return x


@wrong("ddpm_sample")
def runs_upwards(model, xT, noises, alpha_bar, var="beta", clip=False):
    return walk(model, xT, noises, alpha_bar, range(len(alpha_bar)), var, clip)


@wrong("ddpm_sample")
def stops_before_time_zero(model, xT, noises, alpha_bar, var="beta", clip=False):
    return walk(model, xT, noises, alpha_bar, range(len(alpha_bar) - 1, 0, -1), var, clip)


@wrong("ddpm_sample")
def starts_one_time_too_late(model, xT, noises, alpha_bar, var="beta", clip=False):
    return walk(model, xT, noises, alpha_bar, range(len(alpha_bar) - 2, -1, -1), var, clip)


@wrong("ddpm_sample")
def takes_the_noises_in_order_of_use(model, xT, noises, alpha_bar, var="beta", clip=False):
    T = len(alpha_bar)
    return walk(model, xT, noises, alpha_bar, reversed(range(T)), var, clip, own=lambda s: T - 1 - s)


@wrong("ddpm_sample")
def uses_one_noise_for_all_steps(model, xT, noises, alpha_bar, var="beta", clip=False):
    return walk(model, xT, noises, alpha_bar, reversed(range(len(alpha_bar))), var, clip, own=lambda s: 0)


@wrong("ddpm_sample")
def draws_fresh_noises(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(model, xT, torch.randn_like(noises), alpha_bar, var, clip)


@wrong("ddpm_sample")
def starts_from_its_own_noise(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(model, torch.randn_like(xT), noises, alpha_bar, var, clip)


@wrong("ddpm_sample")
def forgets_the_variance(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(model, xT, noises, alpha_bar, clip=clip)


@wrong("ddpm_sample")
def forgets_to_clip(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(model, xT, noises, alpha_bar, var)


@wrong("ddpm_sample")
def swaps_variance_and_clipping(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(model, xT, noises, alpha_bar, "posterior" if clip else "beta", var == "posterior")


@wrong("ddpm_sample")
def clips_only_the_result(model, xT, noises, alpha_bar, var="beta", clip=False):
    x = ddpm_sample(model, xT, noises, alpha_bar, var)
    return x.clamp(-1, 1) if clip else x


@wrong("ddpm_sample")
def tells_the_model_a_number(model, xT, noises, alpha_bar, var="beta", clip=False):
    return walk(model, xT, noises, alpha_bar, reversed(range(len(alpha_bar))), var, clip, told=lambda t: t[:1])


@wrong("ddpm_sample")
def tells_the_time_before(model, xT, noises, alpha_bar, var="beta", clip=False):
    times = reversed(range(len(alpha_bar)))
    return walk(model, xT, noises, alpha_bar, times, var, clip, told=lambda t: (t - 1).clamp(min=0))


@wrong("ddpm_sample")
def tells_a_float(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(lambda x, t: model(x, t + 0.0), xT, noises, alpha_bar, var, clip)


@wrong("ddpm_sample")
def asks_the_model_once(model, xT, noises, alpha_bar, var="beta", clip=False):
    eps = model(xT, torch.full((len(xT),), len(alpha_bar) - 1))
    return ddpm_sample(lambda x, t: eps, xT, noises, alpha_bar, var, clip).detach()


@wrong("ddpm_sample")
def asks_the_model_twice_a_step(model, xT, noises, alpha_bar, var="beta", clip=False):
    return ddpm_sample(lambda x, t: (model(x, t) + model(x, t)) / 2, xT, noises, alpha_bar, var, clip)


@wrong("ddpm_sample")
def keeps_the_graph(model, xT, noises, alpha_bar, var="beta", clip=False):
    x = xT
    for s in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), s)
        x = ddpm_step(x, t, model(x, t), noises[s], alpha_bar, var, clip)
    return x


@wrong("ddpm_sample")
def drops_the_graph_at_the_end(model, xT, noises, alpha_bar, var="beta", clip=False):
    x = xT
    for s in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), s)
        x = ddpm_step(x, t, model(x, t), noises[s], alpha_bar, var, clip)
    return x.detach()


@wrong("ddpm_sample")
def writes_into_its_start(model, xT, noises, alpha_bar, var="beta", clip=False):
    return xT.copy_(ddpm_sample(model, xT, noises, alpha_bar, var, clip))


@right("ddpm_step")
def by_the_formula_of_algorithm_two(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    if clip:
        eps_hat = eps_from_x0(xt, t, x0_from_eps(xt, t, eps_hat, alpha_bar).clamp(-1, 1), alpha_bar)
    now, before = alpha_bar_at(alpha_bar, t, xt), alpha_bar_at(alpha_bar, t - 1, xt)
    beta = 1 - now / before
    mean = (xt - beta / (1 - now).sqrt() * eps_hat) / (now / before).sqrt()
    variance = beta if var == "beta" else (1 - before) / (1 - now) * beta
    return torch.where((t > 0).reshape(now.shape), mean + variance.sqrt() * noise, mean)


@right("ddpm_step")
def with_log_variances(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    mean, beta, tilde, later = parts(xt, t, eps_hat, alpha_bar, clip)
    log_variance = (beta if var == "beta" else tilde.clamp(min=1e-30)).log()
    return mean + (0.5 * log_variance).exp() * noise * later


@right("ddpm_step")
def example_by_example(xt, t, eps_hat, noise, alpha_bar, var="beta", clip=False):
    rows = []
    for i, s in enumerate(t):
        mean, beta, tilde, _ = parts(xt[i : i + 1], s[None], eps_hat[i : i + 1], alpha_bar, clip)
        variance = {"beta": beta, "posterior": tilde}[var]
        rows.append(mean if s == 0 else mean + variance**0.5 * noise[i : i + 1])
    return torch.cat(rows)


@right("ddpm_sample")
def in_inference_mode(model, xT, noises, alpha_bar, var="beta", clip=False):
    x, s = xT.clone(), len(alpha_bar)
    with torch.inference_mode():
        while s > 0:
            s = s - 1
            t = torch.ones(len(x), dtype=torch.long) * s
            x = ddpm_step(x, t, model(x, t), noises[s], alpha_bar, var=var, clip=clip)
    return x


@right("ddpm_sample")
def by_recursion(model, xT, noises, alpha_bar, var="beta", clip=False):
    def back(x, s):
        if s < 0:
            return x
        t = torch.full((x.shape[0],), s)
        return back(ddpm_step(x, t, model(x, t), noises[s], alpha_bar, var, clip), s - 1)

    with torch.no_grad():
        return back(xT, alpha_bar.shape[0] - 1)


@right("ddpm_sample")
def detaching_at_every_step(model, xT, noises, alpha_bar, var="beta", clip=False):
    x = xT
    for s in torch.arange(len(alpha_bar)).flip(0):
        t = s.expand(len(x))
        x = ddpm_step(x, t, model(x, t).detach(), noises[s], alpha_bar, var, clip)
    return x
