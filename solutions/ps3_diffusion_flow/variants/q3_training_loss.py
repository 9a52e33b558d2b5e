import copy

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def aim(x0, t, noise, alpha_bar, target):
    """What the model should have said."""
    return {"eps": noise, "x0": x0, "v": v_from(x0, noise, t, alpha_bar)}[target]


def pieces(model, x0, t, noise, alpha_bar, target):
    """The model's guess and its aim."""
    return model(q_sample(x0, t, noise, alpha_bar), t), aim(x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def sums_over_features(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return (guess - truth).square().flatten(1).sum(1)


@wrong("ddpm_loss")
def averages_over_the_batch(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return F.mse_loss(guess, truth)


@wrong("ddpm_loss")
def averages_over_the_channels_only(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return (guess - truth).square().mean(1)


@wrong("ddpm_loss")
def averages_over_examples_and_not_features(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return (guess - truth).square().mean(0)


@wrong("ddpm_loss")
def takes_the_absolute_error(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return (guess - truth).abs().flatten(1).mean(1)


@wrong("ddpm_loss")
def takes_the_root(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(model, x0, t, noise, alpha_bar, target).sqrt()


@wrong("ddpm_loss")
def halves_the_square(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(model, x0, t, noise, alpha_bar, target) / 2


@wrong("ddpm_loss")
def always_guesses_the_noise(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(model, x0, t, noise, alpha_bar)


@wrong("ddpm_loss")
def always_guesses_the_clean_example(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(model, x0, t, noise, alpha_bar, "x0")


@wrong("ddpm_loss")
def swaps_the_targets(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(model, x0, t, noise, alpha_bar, {"eps": "x0", "x0": "eps", "v": "v"}[target])


@wrong("ddpm_loss")
def guesses_x0_by_default(model, x0, t, noise, alpha_bar, target="x0"):
    return ddpm_loss(model, x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def has_v_reversed(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return (guess + truth if target == "v" else guess - truth).square().flatten(1).mean(1)


@wrong("ddpm_loss")
def takes_v_for_the_noisy_example(model, x0, t, noise, alpha_bar, target="eps"):
    xt = q_sample(x0, t, noise, alpha_bar)
    truth = xt if target == "v" else aim(x0, t, noise, alpha_bar, target)
    return (model(xt, t) - truth).square().flatten(1).mean(1)


@wrong("ddpm_loss")
def shows_the_clean_example(model, x0, t, noise, alpha_bar, target="eps"):
    return (model(x0, t) - aim(x0, t, noise, alpha_bar, target)).square().flatten(1).mean(1)


@wrong("ddpm_loss")
def draws_the_noise_twice(model, x0, t, noise, alpha_bar, target="eps"):
    xt = q_sample(x0, t, torch.randn_like(noise), alpha_bar)
    return (model(xt, t) - aim(x0, t, noise, alpha_bar, target)).square().flatten(1).mean(1)


@wrong("ddpm_loss")
def adds_the_noise_twice(model, x0, t, noise, alpha_bar, target="eps"):
    xt = q_sample(q_sample(x0, t, noise, alpha_bar), t, noise, alpha_bar)
    return (model(xt, t) - aim(x0, t, noise, alpha_bar, target)).square().flatten(1).mean(1)


@wrong("ddpm_loss")
def tells_the_next_time(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: model(x, s + 1), x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def tells_a_fraction_of_time(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: model(x, s / len(alpha_bar)), x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def tells_the_share_for_the_time(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: model(x, alpha_bar_at(alpha_bar, s, x)), x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def tells_everyone_the_first_time(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: model(x, s[:1].expand(len(s))), x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def always_tells_time_zero(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: model(x, torch.zeros_like(s)), x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def calls_the_model_twice(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: (model(x, s) + model(x, s)) / 2, x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def detaches_the_guess(model, x0, t, noise, alpha_bar, target="eps"):
    return ddpm_loss(lambda x, s: model(x, s).detach(), x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def calls_the_model_without_a_graph(model, x0, t, noise, alpha_bar, target="eps"):
    with torch.no_grad():
        return ddpm_loss(model, x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def weighs_by_the_bound(model, x0, t, noise, alpha_bar, target="eps"):
    now, before = alpha_bar_at(alpha_bar, t, x0).flatten(), alpha_bar_at(alpha_bar, t - 1, x0).flatten()
    weight = (1 - now / before) / (now / before) / (1 - before).clamp(min=1e-3)
    return weight * ddpm_loss(model, x0, t, noise, alpha_bar, target)


@wrong("ddpm_loss")
def always_measures_the_error_of_the_noise(model, x0, t, noise, alpha_bar, target="eps"):
    xt = q_sample(x0, t, noise, alpha_bar)
    guess = model(xt, t)
    if target == "x0":
        guess = eps_from_x0(xt, t, guess, alpha_bar)
    if target == "v":
        share = alpha_bar_at(alpha_bar, t, xt)
        guess = share.sqrt() * guess + (1 - share).sqrt() * xt
    return (guess - noise).square().flatten(1).mean(1)


@wrong("ema_update")
def reverses_the_decay(ema, model, decay):
    ema_update(ema, model, 1 - decay)


@wrong("ema_update")
def copies_the_model(ema, model, decay):
    ema.load_state_dict(model.state_dict())


@wrong("ema_update")
def adds_without_decay(ema, model, decay):
    with torch.no_grad():
        for a, b in zip(ema.parameters(), model.parameters(), strict=True):
            a.add_((1 - decay) * b)
        for a, b in zip(ema.buffers(), model.buffers(), strict=True):
            a.copy_(b)


@wrong("ema_update")
def updates_the_model_instead(ema, model, decay):
    ema_update(model, ema, 1 - decay)


@wrong("ema_update")
def skips_the_biases(ema, model, decay):
    kept = {name: p.detach().clone() for name, p in ema.named_parameters() if name.endswith("bias")}
    ema_update(ema, model, decay)
    with torch.no_grad():
        for name, p in ema.named_parameters():
            if name in kept:
                p.copy_(kept[name])


@wrong("ema_update")
def forgets_the_buffers(ema, model, decay):
    with torch.no_grad():
        for a, b in zip(ema.parameters(), model.parameters(), strict=True):
            a.mul_(decay).add_((1 - decay) * b)


@wrong("ema_update")
def averages_the_buffers(ema, model, decay):
    own = ema.state_dict()
    for name, latest in model.state_dict().items():
        own[name].copy_(decay * own[name] + (1 - decay) * latest)


@wrong("ema_update")
def averages_floating_buffers_only(ema, model, decay):
    own = ema.state_dict()
    for name, latest in model.state_dict().items():
        mixed = decay * own[name] + (1 - decay) * latest if latest.is_floating_point() else latest
        own[name].copy_(mixed)


@wrong("ema_update")
def replaces_the_parameters(ema, model, decay):
    for (name, a), b in zip(list(ema.named_parameters()), model.parameters(), strict=True):
        owner = ema.get_submodule(name.rpartition(".")[0])
        setattr(owner, name.rpartition(".")[2], torch.nn.Parameter((decay * a + (1 - decay) * b).detach()))
    for a, b in zip(ema.buffers(), model.buffers(), strict=True):
        a.copy_(b)


@wrong("ema_update")
def freezes_the_average(ema, model, decay):
    ema_update(ema.requires_grad_(False), model, decay)


@wrong("ema_update")
def rebinds_a_local_name(ema, model, decay):
    for a, b in zip(ema.parameters(), model.parameters(), strict=True):
        a = decay * a + (1 - decay) * b
    for a, b in zip(ema.buffers(), model.buffers(), strict=True):
        a.copy_(b)


@wrong("ema_update")
def works_on_a_copy(ema, model, decay):
    ema_update(copy.deepcopy(ema), model, decay)


@wrong("ema_update")
def skips_what_is_frozen(ema, model, decay):
    with torch.no_grad():
        for a, b in zip(ema.parameters(), model.parameters(), strict=True):
            if a.requires_grad:
                a.lerp_(b, 1 - decay)
        for a, b in zip(ema.buffers(), model.buffers(), strict=True):
            a.copy_(b)


@wrong("ema_update")
def looks_one_layer_deep(ema, model, decay):
    with torch.no_grad():
        for mine, its in zip(ema.children(), model.children(), strict=True):
            for a, b in zip(mine.parameters(recurse=False), its.parameters(recurse=False), strict=True):
                a.lerp_(b, 1 - decay)
        for a, b in zip(ema.buffers(), model.buffers(), strict=True):
            a.copy_(b)


@wrong("ema_update")
def knows_weights_and_biases_only(ema, model, decay):
    with torch.no_grad():
        for mine, its in zip(ema.modules(), model.modules(), strict=True):
            for name in ("weight", "bias"):
                if getattr(mine, name, None) is not None:
                    getattr(mine, name).lerp_(getattr(its, name), 1 - decay)
        for a, b in zip(ema.buffers(), model.buffers(), strict=True):
            a.copy_(b)


@wrong("ema_update")
def shares_the_buffers(ema, model, decay):
    ema_update(ema, model, decay)
    for a, b in zip(ema.buffers(), model.buffers(), strict=True):
        a.data = b.data


@wrong("ema_update")
def leaves_the_model_in_eval_mode(ema, model, decay):
    ema_update(ema, model.eval(), decay)


@right("ddpm_loss")
def tells_the_time_by_its_name(model, x0, t, noise, alpha_bar, target="eps"):
    guess = model(q_sample(x0, t, noise, alpha_bar), t=t)
    return (guess - aim(x0, t, noise, alpha_bar, target)).square().flatten(1).mean(1)


@right("ddpm_loss")
def by_mse_loss(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return F.mse_loss(guess, truth, reduction="none").mean(dim=tuple(range(1, x0.ndim)))


@right("ddpm_loss")
def by_norms(model, x0, t, noise, alpha_bar, target="eps"):
    guess, truth = pieces(model, x0, t, noise, alpha_bar, target)
    return torch.linalg.vector_norm((guess - truth).reshape(len(x0), -1), dim=1) ** 2 / x0[0].numel()


@right("ddpm_loss")
def case_by_case(model, x0, t, noise, alpha_bar, target="eps"):
    share = alpha_bar_at(alpha_bar, t, x0)
    guess = model(share.sqrt() * x0 + (1 - share).sqrt() * noise, t)
    if target == "eps":
        error = noise - guess
    elif target == "x0":
        error = x0 - guess
    else:
        error = share.sqrt() * noise - (1 - share).sqrt() * x0 - guess
    return torch.einsum("bd,bd->b", error.flatten(1), error.flatten(1)) / x0[0].numel()


@right("ema_update")
def by_lerp(ema, model, decay):
    with torch.no_grad():
        for a, b in zip(ema.parameters(), model.parameters(), strict=True):
            a.lerp_(b, 1 - decay)
        for a, b in zip(ema.buffers(), model.buffers(), strict=True):
            a.copy_(b)


@right("ema_update")
def by_names_and_data(ema, model, decay):
    latest = dict(model.named_parameters())
    for name, a in ema.named_parameters():
        a.data = decay * a.data + (1 - decay) * latest[name].data
    for (_, a), (_, b) in zip(ema.named_buffers(), model.named_buffers(), strict=True):
        a.data.copy_(b)


@right("ema_update")
def by_vectors(ema, model, decay):
    mine, its = (torch.nn.utils.parameters_to_vector(net.parameters()).detach() for net in (ema, model))
    torch.nn.utils.vector_to_parameters(torch.lerp(its, mine, decay), ema.parameters())
    for a, b in zip(ema.buffers(), model.buffers(), strict=True):
        a.copy_(b)


@right("ema_update")
def by_state_dicts(ema, model, decay):
    names, own = {name for name, _ in ema.named_parameters()}, ema.state_dict()
    for name, latest in model.state_dict().items():
        own[name].copy_(decay * own[name] + (1 - decay) * latest if name in names else latest)
