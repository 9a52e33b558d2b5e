"""Right and wrong answers to questions 7a and 7b: inpainting."""

import torch

from autograder.verify.variants import right, wrong


def noised(known, t, noise, alpha_bar):
    """The known image at times t."""
    share = alpha_bar_at(alpha_bar, t, known)
    return share.sqrt() * known + (1 - share).sqrt() * noise


def join(mask, inside, outside):
    """inside where the mask is 1."""
    return torch.where(mask.bool(), inside, outside)


@wrong("inpaint_step")
def mask_inverted(x, t, known, mask, noise, alpha_bar):
    return join(mask, x, noised(known, t, noise, alpha_bar))


@wrong("inpaint_step")
def pastes_clean_pixels(x, t, known, mask, noise, alpha_bar):
    return join(mask, known, x)


@wrong("inpaint_step")
def pastes_pixels_at_the_level_before(x, t, known, mask, noise, alpha_bar):
    return join(mask, noised(known, (t - 1).clamp(min=-1), noise, alpha_bar), x)


@wrong("inpaint_step")
def pastes_pixels_at_the_level_after(x, t, known, mask, noise, alpha_bar):
    return join(mask, noised(known, (t + 1).clamp(max=len(alpha_bar) - 1), noise, alpha_bar), x)


@wrong("inpaint_step")
def level_without_roots(x, t, known, mask, noise, alpha_bar):
    share = alpha_bar_at(alpha_bar, t, x)
    return join(mask, share * known + (1 - share) * noise, x)


@wrong("inpaint_step")
def noise_without_signal_loss(x, t, known, mask, noise, alpha_bar):
    return join(mask, known + (1 - alpha_bar_at(alpha_bar, t, x)).sqrt() * noise, x)


@wrong("inpaint_step")
def signal_without_noise(x, t, known, mask, noise, alpha_bar):
    return join(mask, alpha_bar_at(alpha_bar, t, x).sqrt() * known, x)


@wrong("inpaint_step")
def last_level_at_minus_one(x, t, known, mask, noise, alpha_bar):
    share = alpha_bar[t].reshape(-1, *[1] * (x.ndim - 1)).to(x)
    return join(mask, share.sqrt() * known + (1 - share).sqrt() * noise, x)


@wrong("inpaint_step")
def first_level_at_minus_one(x, t, known, mask, noise, alpha_bar):
    return join(mask, noised(known, t.clamp(min=0), noise, alpha_bar), x)


@wrong("inpaint_step")
def level_of_the_first_example(x, t, known, mask, noise, alpha_bar):
    return join(mask, noised(known, t[:1].expand(len(t)), noise, alpha_bar), x)


@wrong("inpaint_step")
def level_broadcast_along_the_width(x, t, known, mask, noise, alpha_bar):
    share = torch.where(t < 0, torch.ones(()).double(), alpha_bar[t.clamp(min=0)]).to(x)
    return join(mask, share.sqrt() * known + (1 - share).sqrt() * noise, x)


@wrong("inpaint_step")
def noise_on_everything(x, t, known, mask, noise, alpha_bar):
    return noised(join(mask, known, x), t, noise, alpha_bar)


@wrong("inpaint_step")
def adds_to_the_state(x, t, known, mask, noise, alpha_bar):
    return x + join(mask, noised(known, t, noise, alpha_bar), torch.zeros_like(x))


@wrong("inpaint_step")
def subtracts_a_bool(x, t, known, mask, noise, alpha_bar):
    return mask * noised(known, t, noise, alpha_bar) + (1 - mask) * x


@wrong("inpaint_step")
def takes_float_masks_for_indices(x, t, known, mask, noise, alpha_bar):
    out = x.clone()
    out[mask.expand(x.shape)] = noised(known, t, noise, alpha_bar)[mask.expand(x.shape)]
    return out


@wrong("inpaint_step")
def first_mask_for_all(x, t, known, mask, noise, alpha_bar):
    return join(mask.expand(x.shape)[:1], noised(known, t, noise, alpha_bar), x)


@wrong("inpaint_step")
def mask_of_the_first_channel(x, t, known, mask, noise, alpha_bar):
    whole = mask.expand(x.shape)
    return join(whole[:, :1], noised(known, t, noise, alpha_bar), x)


@wrong("inpaint_step")
def indexes_with_the_mask_as_it_is(x, t, known, mask, noise, alpha_bar):
    out = x.clone()
    out[..., mask.bool()] = noised(known, t, noise, alpha_bar)[..., mask.bool()]
    return out


def passes(model, xT, known, mask, noises, alpha_bar, resample, clip, **change):
    """The walk with one thing changed: `paste_at`, `back_share`, `order`, `use`, `jump_last`, `start`."""
    x = change.get("start", lambda x: x)(xT)
    T = len(alpha_bar)
    for i in change.get("order", lambda T: reversed(range(T)))(T):
        t = torch.full((len(x),), i)
        keep = change.get("keep", lambda t, x: alpha_bar_at(alpha_bar, t, x) / alpha_bar_at(alpha_bar, t - 1, x))(t, x)
        for r in range(resample):
            down, paste, back = change.get("use", lambda n, i, r: n[i, r])(noises, i, r)
            x = ddpm_step(x, t, model(x, t), down, alpha_bar, clip=clip)
            x = inpaint_step(x, change.get("paste_at", lambda t: t - 1)(t), known, mask, paste, alpha_bar)
            if r < resample - 1 + change.get("extra", 0):
                x = keep.sqrt() * x + (1 - keep).sqrt() * back
    return x


@wrong("inpaint")
def known_part_at_the_old_level(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, paste_at=lambda t: t)


@wrong("inpaint")
def known_part_always_clean(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, paste_at=lambda t: torch.full_like(t, -1))


@wrong("inpaint")
def known_part_noisy_at_the_end(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, paste_at=lambda t: (t - 1).clamp(min=0))


@wrong("inpaint")
def pastes_before_the_step_only(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = xT
    for i in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), i)
        for r in range(resample):
            x = inpaint_step(x, t, known, mask, noises[i, r, 1], alpha_bar)
            x = ddpm_step(x, t, model(x, t), noises[i, r, 0], alpha_bar, clip=clip)
    return x


@wrong("inpaint")
def pastes_once_at_the_end(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = xT
    for i in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), i)
        x = ddpm_step(x, t, model(x, t), noises[i, 0, 0], alpha_bar, clip=clip)
    return torch.where(mask.bool(), known, x)


@wrong("inpaint")
def walks_upward(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, order=range)


@wrong("inpaint")
def stops_one_time_early(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = passes(
        model, xT, known, mask, noises, alpha_bar, resample, clip, order=lambda T: reversed(range(min(1, T - 1), T))
    )
    return torch.where(mask.bool(), known, x)


@wrong("inpaint")
def starts_one_time_late(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(
        model, xT, known, mask, noises, alpha_bar, resample, clip, order=lambda T: reversed(range(max(T - 1, 1)))
    )


@wrong("inpaint")
def never_resamples(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, 1, clip)


@wrong("inpaint")
def resamples_without_going_back(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, keep=lambda t, x: torch.ones_like(x[:1]))


@wrong("inpaint")
def goes_back_with_alpha_bar(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(
        model, xT, known, mask, noises, alpha_bar, resample, clip, keep=lambda t, x: alpha_bar_at(alpha_bar, t, x)
    )


@wrong("inpaint")
def goes_back_with_the_beta_of_the_level_below(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    def keep(t, x):
        below = (t - 1).clamp(min=0)
        return alpha_bar_at(alpha_bar, below, x) / alpha_bar_at(alpha_bar, below - 1, x)

    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, keep=keep)


@wrong("inpaint")
def goes_back_without_roots(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = xT
    for i in reversed(range(len(alpha_bar))):
        t = torch.full((len(x),), i)
        keep = alpha_bar_at(alpha_bar, t, x) / alpha_bar_at(alpha_bar, t - 1, x)
        for r in range(resample):
            x = ddpm_step(x, t, model(x, t), noises[i, r, 0], alpha_bar, clip=clip)
            x = inpaint_step(x, t - 1, known, mask, noises[i, r, 1], alpha_bar)
            if r < resample - 1:
                x = keep * x + (1 - keep) * noises[i, r, 2]
    return x


@wrong("inpaint")
def goes_back_after_the_last_pass(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, extra=1)


@wrong("inpaint")
def one_pass_too_many(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    more = torch.cat([noises, noises[:, :1]], dim=1)
    return passes(model, xT, known, mask, more, alpha_bar, resample + 1, clip)


@wrong("inpaint")
def resamples_the_whole_walk(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = xT
    for r in range(resample):
        x = passes(model, xT if r == 0 else x, known, mask, noises[:, r : r + 1], alpha_bar, 1, clip)
        if r < resample - 1:
            x = noised(x, torch.full((len(x),), len(alpha_bar) - 1), noises[-1, r, 2], alpha_bar)
    return x


@wrong("inpaint")
def same_noises_at_every_pass(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, use=lambda n, i, r: n[i, 0])


@wrong("inpaint")
def same_noise_for_all_three(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(
        model, xT, known, mask, noises, alpha_bar, resample, clip, use=lambda n, i, r: n[i, r, :1].expand_as(n[i, r])
    )


@wrong("inpaint")
def noises_of_step_and_paste_swapped(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, use=lambda n, i, r: n[i, r][[1, 0, 2]])


@wrong("inpaint")
def noises_counted_from_the_start_of_the_walk(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(
        model, xT, known, mask, noises, alpha_bar, resample, clip, use=lambda n, i, r: n[len(alpha_bar) - 1 - i, r]
    )


@wrong("inpaint")
def draws_its_own_noise(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(
        model, xT, known, mask, noises, alpha_bar, resample, clip, use=lambda n, i, r: torch.randn_like(n[i, r])
    )


@wrong("inpaint")
def starts_from_the_noised_image(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    def start(x):
        return inpaint_step(x, torch.full((len(x),), len(alpha_bar) - 1), known, mask, 0 * x, alpha_bar)

    return passes(model, xT, known, mask, noises, alpha_bar, resample, clip, start=start)


@wrong("inpaint")
def always_clips(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, True)


@wrong("inpaint")
def forgets_to_clip(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, mask, noises, alpha_bar, resample, False)


@wrong("inpaint")
def clips_the_state(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = passes(model, xT, known, mask, noises, alpha_bar, resample, False)
    return x.clamp(-1, 1) if clip else x


@wrong("inpaint")
def takes_the_unknown_for_known(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    return passes(model, xT, known, ~mask.bool(), noises, alpha_bar, resample, clip)


@right("inpaint_step")
def by_q_sample(x, t, known, mask, noise, alpha_bar):
    clean = (t < 0).reshape(-1, *[1] * (x.ndim - 1))
    whole = torch.where(clean, known, q_sample(known, t.clamp(min=0), noise, alpha_bar))
    return torch.where(mask > 0, whole, x)


@right("inpaint_step")
def by_arithmetic_with_a_float_mask(x, t, known, mask, noise, alpha_bar):
    m = mask.to(x.dtype)
    return m * noised(known, t, noise, alpha_bar) + (1 - m) * x


@right("inpaint_step")
def by_lerp(x, t, known, mask, noise, alpha_bar):
    return torch.lerp(x, noised(known, t, noise, alpha_bar), mask.to(x.dtype).expand_as(x))


@right("inpaint")
def with_the_way_back_first(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    x = xT.clone()
    for i in range(len(alpha_bar) - 1, -1, -1):
        t = torch.full((len(x),), i, dtype=torch.int64)
        beta = 1 - alpha_bar_at(alpha_bar, t, x) / alpha_bar_at(alpha_bar, t - 1, x)
        for r in range(resample):
            if r > 0:
                x = (1 - beta) ** 0.5 * x + beta**0.5 * noises[i, r - 1, 2]
            x = ddpm_step(x, t, model(x, t), noises[i, r, 0], alpha_bar, "beta", clip)
            x = inpaint_step(x, t - 1, known, mask, noises[i, r, 1], alpha_bar)
    return x


@right("inpaint")
def by_an_inner_function(model, xT, known, mask, noises, alpha_bar, resample=1, clip=False):
    def once(x, t, three):
        x = ddpm_step(x, t, model(x, t), three[0], alpha_bar, var="beta", clip=clip)
        return torch.where(mask.bool(), noised(known, t - 1, three[1], alpha_bar), x)

    x, T = xT, len(alpha_bar)
    padded = torch.cat([torch.ones(1, dtype=torch.float64), alpha_bar])
    for k in range(T):
        i = T - 1 - k
        t = i * torch.ones(len(xT), dtype=torch.int64)
        keep = (padded[i + 1] / padded[i]).to(x.dtype)
        for r in range(resample - 1):
            x = keep.sqrt() * once(x, t, noises[i][r]) + (1 - keep).sqrt() * noises[i][r][2]
        x = once(x, t, noises[i][resample - 1])
    return x
