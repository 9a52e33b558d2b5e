"""Question 7. Oracles: loops over examples and times in NumPy, what the model was shown, projections by least squares.

Models are linear, so that the whole walk can be computed here with numbers alone.
"""

import math

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow import known_good
from autograder.testing import expect_close, expect_shape, expect_true, non_contiguous, normal, points, uniform


def good_inpaint_step(x, t, known, mask, noise, alpha_bar):
    padded = torch.cat([alpha_bar.double(), torch.ones(1, dtype=torch.float64)])
    share = padded[t].reshape(len(x), *[1] * (x.ndim - 1)).to(x)
    m = mask.to(x)
    return m * (share**0.5 * known + (1 - share) ** 0.5 * noise) + (1 - m) * x


def lend(ps):
    """The earlier answers that this question builds on."""
    ps.provide(alpha_bar_at=known_good.alpha_bar_at, ddpm_step=known_good.ddpm_step, q_sample=known_good.q_sample)


def schedule(rng, T):
    """Shares of the data's variance (T,), falling from near 1 to near 0."""
    steps = 0.15 + 0.7 * uniform(rng, T)
    return torch.cumprod(1 - steps / 2, 0)


def board(rng, *shape):
    """A mask of zeros and ones with both kinds, the same for no two neighbours in the first place."""
    mask = torch.from_numpy(rng.integers(0, 2, size=shape)).double()
    mask.view(-1)[0], mask.view(-1)[-1] = 1.0, 0.0
    return mask


def level(alpha_bar, t):
    """alpha_bar at the number t, 1 at -1."""
    return 1.0 if t < 0 else float(alpha_bar[t])


def pasted(x, t, known, mask, noise, alpha_bar):
    """The pasted state, one example at a time."""
    rows = []
    for i, time in enumerate(t.tolist()):
        share = level(alpha_bar, time)
        whole = math.sqrt(share) * known[i] + math.sqrt(1 - share) * noise[i]
        rows.append(torch.where(mask.expand(x.shape)[i] > 0.5, whole, x[i]))
    return torch.stack(rows)


@points(1, part="7a", hint="the known pixels get the noise of the state's own time t, and none at all at time -1")
def test_known_pixels_have_the_noise_level_of_the_state(ps, rng):
    """Known pixels are noised to each example's own time, are clean at time -1, and other pixels stay."""
    lend(ps)
    for shape, T in (((5, 3), 7), ((4, 2, 3, 4), 6), ((1, 1, 2, 3), 3), ((3, 3), 9)):
        alpha_bar, mask = schedule(rng, T), board(rng, *shape[-1:])
        t = torch.from_numpy(rng.permutation(np.r_[-1, rng.choice(T, size=shape[0] - 1, replace=False)]))
        x, known, noise = normal(rng, *shape), normal(rng, *shape), normal(rng, *shape)
        want = pasted(x, t, known, mask, noise, alpha_bar)
        expect_close(ps.inpaint_step(non_contiguous(x), t, known, mask.bool(), noise, alpha_bar), want)
        single = ps.inpaint_step(x.float(), t, known.float(), mask.bool(), noise.float(), alpha_bar)
        expect_close(single, want.float())


@points(1, part="7a", hint="1 or True is known; bool or float, one mask for all or one for each example or channel")
def test_masks_of_all_kinds_are_understood(ps, rng):
    """Masks are bool or float, and broadcast: one for all images, for each image, for all channels."""
    lend(ps)
    B, C, H, W = 3, 2, 3, 4
    alpha_bar, t = schedule(rng, 5), torch.tensor([0, 3, -1])
    x, known, noise = (normal(rng, B, C, H, W) for _ in range(3))
    for shape in ((H, W), (B, 1, H, W), (1, C, 1, 1), (B, C, H, W), (B, 1, 1, 1)):
        mask = board(rng, *shape)
        inside = mask.expand(x.shape) > 0.5
        for kind in (mask.bool(), mask.float(), mask):
            got = ps.inpaint_step(x, t, known, kind, noise, alpha_bar)
            expect_shape(got, B, C, H, W)
            expect_close(got[~inside], x[~inside], "0 or False means unknown: there the state stays as it is")
            expect_true(bool((got[inside] != x[inside]).all()), "1 or True means known: there the state is replaced")


def probe_inpaint(ns, slope, shift, xT, known, mask, noises, alpha_bar, resample, clip):
    """The end of the walk for a linear model, what the model was shown, and when."""
    shown, times = [], []

    def model(x, t):
        shown.append(x)
        times.append(t.flatten().tolist())
        return slope * x + shift * (1 + t.reshape(-1, *[1] * (x.ndim - 1)).to(x))

    x = ns.inpaint(model, xT, known, mask, noises, alpha_bar, resample, clip)
    return x, shown, times


def walk(slope, shift, xT, known, mask, noises, alpha_bar, resample, clip):
    """The same walk with numbers: the end, and what the model is shown on the way."""
    x, known, m, noises = xT.numpy(), known.numpy(), np.broadcast_to(mask.numpy() > 0.5, xT.shape), noises.numpy()
    shown = []
    for t in range(len(alpha_bar) - 1, -1, -1):
        now, before = level(alpha_bar, t), level(alpha_bar, t - 1)
        beta = 1 - now / before
        for r in range(resample):
            shown.append(torch.from_numpy(x.copy()))
            eps = slope * x + shift * (1 + t)
            x0 = (x - math.sqrt(1 - now) * eps) / math.sqrt(now)
            x0 = np.clip(x0, -1, 1) if clip else x0
            mean = (math.sqrt(1 - beta) * (1 - before) * x + math.sqrt(before) * beta * x0) / (1 - now)
            x = mean + (math.sqrt(beta) * noises[t, r, 0] if t > 0 else 0)
            x = np.where(m, math.sqrt(before) * known + math.sqrt(1 - before) * noises[t, r, 1], x)
            if r < resample - 1:
                x = math.sqrt(1 - beta) * x + math.sqrt(beta) * noises[t, r, 2]
    return torch.from_numpy(x), shown


def draws(rng, shape, T, resample, *, own_noises):
    """xT, known, mask, noises and a schedule; without own_noises it does not matter which of them is used where."""
    noises = normal(rng, T, resample, 3, *shape)
    noises = noises if own_noises else noises[:1, :1, :1].expand(noises.shape).clone()
    return normal(rng, *shape), normal(rng, *shape), board(rng, *shape[1:]), noises, schedule(rng, T)


START = "the walk starts at the given xT"
USES = "of noises[t, r], the first is for the step, the second for the paste, the third for the way back"


def lend_paste(ps):
    """And the paste of 7a."""
    lend(ps)
    ps.provide(inpaint_step=good_inpaint_step)


@points(1, part="7b", hint="a step down to t - 1, then the known pixels at the level of t - 1, where the state now is")
def test_each_step_is_followed_by_a_paste_at_its_new_level(ps, rng):
    """Without resampling, the model sees known pixels at the right level at every time; they end clean."""
    lend_paste(ps)
    for shape, T in (((2, 3), 4), ((3, 1, 2, 4), 3), ((1, 2), 1)):
        xT, known, mask, noises, alpha_bar = draws(rng, shape, T, 1, own_noises=False)
        got, shown, times = ps.run(probe_inpaint, 0.3, 0.1, xT, known, mask, noises, alpha_bar, 1, False)
        want, states = walk(0.3, 0.1, xT, known, mask, noises, alpha_bar, 1, False)
        expect_shape(got, *shape)
        expect_true(times == [[t] * shape[0] for t in range(T - 1, -1, -1)], "once at each time, from T - 1 down to 0")
        for i, (state, truth) in enumerate(zip(shown, states, strict=True)):
            expect_close(state, truth, "after the step to t - 1 the known part has the level of t - 1" if i else START)
        inside = mask.expand(shape) > 0.5
        expect_close(got[inside], known[inside], "known pixels end exactly as they are")
        expect_close(got, want)


@points(1, part="7b", hint="between two passes at one level go back from t - 1 to t: one forward step, with beta of t")
def test_resampling_goes_back_one_step_and_comes_down_again(ps, rng):
    """With resampling, each level is walked as often as asked, with a forward step in between."""
    lend_paste(ps)
    for shape, T, resample in (((2, 3), 3, 2), ((1, 1, 2, 3), 4, 3), ((3, 2), 1, 4)):
        xT, known, mask, noises, alpha_bar = draws(rng, shape, T, resample, own_noises=False)
        got, shown, times = ps.run(probe_inpaint, 0.3, 0.1, xT, known, mask, noises, alpha_bar, resample, False)
        want, states = walk(0.3, 0.1, xT, known, mask, noises, alpha_bar, resample, False)
        expect_shape(got, *shape)
        visits = [[t] * shape[0] for t in range(T - 1, -1, -1) for _ in range(resample)]
        expect_true(times == visits, "each level is visited `resample` times before the next one")
        for i, (state, truth) in enumerate(zip(shown, states, strict=True)):
            expect_close(state, truth, "the way back is a forward step, sqrt(1 - beta) and sqrt(beta)" if i else START)
        expect_close(got, want, "there is no way back after the last pass of a level")


@points(1, part="7b", hint="xT as given, noises[t, r] in the order of their use, clip handed on, the mask in its shape")
def test_inputs_are_used_as_they_are_given(ps, rng):
    """The given start, noises, masks of fewer dimensions and of bools, the dtype, and clip are respected."""
    lend_paste(ps)
    for shape, resample in (((3, 1, 2, 4), 2), ((2, 5), 1)):
        xT, known, mask, noises, alpha_bar = draws(rng, shape, 3, resample, own_noises=True)
        mask = board(rng, *shape[-1:])
        xT = 3 * xT  # so that clipping matters
        for clip in (False, True):
            want, states = walk(0.2, 0.3, xT, known, mask, noises, alpha_bar, resample, clip)
            args = (0.2, 0.3, xT, known, mask.bool(), noises, alpha_bar, resample, clip)
            got, shown, _ = ps.run(probe_inpaint, *args)
            expect_true(len(shown) == len(states), "as many calls of the model as passes")
            expect_close(shown[0], xT, START)
            expect_close(got, want, "clip is handed on to ddpm_step" if clip else USES)
            single = [each.float() for each in (xT, known, mask, noises)]
            again = ps.run(probe_inpaint, 0.2, 0.3, *single, alpha_bar, resample, clip)[0]
            expect_close(again, want.float(), rtol=1e-3, atol=1e-4)


@points(
    1, part="7c", hint="strength * T steps are walked, from time strength * T - 1 on; no step: the clean image, time -1"
)
def test_strength_says_how_many_steps_are_walked(ps, rng):
    """The start has the noise of time strength * T - 1, from -1 (nothing happens) to T - 1 (all of it)."""
    lend(ps)
    for shape, T in (((3, 2), 10), ((2, 1, 3, 2), 7), ((1, 4), 40)):
        alpha_bar = schedule(rng, T) ** (5 / T)
        x, noise = normal(rng, *shape), normal(rng, *shape)
        for offset in (0.0, 0.3, -0.3):
            for steps in (0, T, 1, T // 2, T - 1):
                strength = (steps + offset) / T
                if 0 <= strength <= 1:
                    hint = ENDS if strength in (0, 1) else ROUNDED
                    got = ps.sdedit_start(x, strength, noise, alpha_bar)
                    expect_start(got, x, steps - 1, noise, alpha_bar, hint)
        got = ps.sdedit_start(x.float(), 1.0, noise.float(), alpha_bar)
        expect_start(got, x.float(), T - 1, noise.float(), alpha_bar, ENDS)


ENDS = "all steps begin at T - 1, no steps at -1"
ROUNDED = "the number of steps is strength * T, rounded up or down to the nearest; s steps begin at time s - 1"


def expect_start(got, x, t, noise, alpha_bar, hint):
    """The noised image and its time; the time may be a number or a tensor with one."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two results: the noised image and its time")
    expect_close(got[1], float(t), hint)
    share = level(alpha_bar, t)
    expect_close(got[0], math.sqrt(share) * x + math.sqrt(1 - share) * noise, "the noise level is that of the time")


def probe_matrix(ns, A, A_plus, x0, y):
    """consistent for a matrix that acts on flattened images."""
    return ns.consistent(x0, y, lambda x: x.flatten(1) @ A.mT, lambda z: (z @ A_plus.mT).reshape(-1, *x0.shape[1:]))


@points(1, part="7d", hint="add what the measurement lacks, spread by the pseudo-inverse; what A does not see stays")
def test_the_nearest_consistent_image_is_found(ps, rng):
    """For any linear measurement the result has A x = y and is the nearest such image, by least squares."""
    for shape, M in (((4, 5), 2), ((3, 1, 2, 3), 4), ((1, 3), 3)):
        D = math.prod(shape[1:])
        A, x0, y = normal(rng, M, D), normal(rng, *shape), normal(rng, shape[0], M)
        got = ps.run(probe_matrix, A, torch.linalg.pinv(A), non_contiguous(x0), y)
        expect_shape(got, *shape)
        expect_close(got.flatten(1) @ A.mT, y, "A x must equal the measurement y")
        lacking = (y - x0.flatten(1) @ A.mT).numpy()
        change = np.linalg.lstsq(A.numpy(), lacking.T, rcond=None)[0].T  # the shortest one
        expect_close(got, x0 + torch.from_numpy(change).reshape(shape))


def probe_pictures(ns, x0, y, kind):
    """consistent for block means, a crop, and grey values of colours."""
    weights = torch.tensor([0.2, 0.5, 0.3]).to(x0).reshape(1, 3, 1, 1)
    A, A_plus = {
        "blocks": (
            lambda x: torch.nn.functional.avg_pool2d(x, 2),
            lambda z: z.repeat_interleave(2, 2).repeat_interleave(2, 3),
        ),
        "crop": (lambda x: x[..., 1:3, 2:5], lambda z: torch.nn.functional.pad(z, (2, 1, 1, 1))),
        "grey": (lambda x: (weights * x).sum(1, keepdim=True), lambda z: weights * z / (weights**2).sum()),
    }[kind]
    return ns.consistent(x0, y, A, A_plus)


@points(1, part="7d", hint="measurements may be smaller than the image; only the difference to y is sent back")
def test_small_cropped_and_grey_images_are_respected(ps, rng):
    """Block means, a crop and grey values come out as measured; detail, surroundings and colour stay."""
    for B in (2, 1, 5):
        for kind, size in (("blocks", (3, 2, 3)), ("crop", (3, 2, 3)), ("grey", (1, 4, 6))):
            x0, y = normal(rng, B, 3, 4, 6), normal(rng, B, *size)
            want = x0.numpy().copy()
            for b, c, h, w in np.ndindex(B, 3, 4, 6):
                if kind == "blocks":
                    block = x0[b, c, h // 2 * 2 : h // 2 * 2 + 2, w // 2 * 2 : w // 2 * 2 + 2]
                    want[b, c, h, w] += float(y[b, c, h // 2, w // 2] - block.mean())
                elif kind == "crop":
                    inside = 1 <= h < 3 and 2 <= w < 5
                    want[b, c, h, w] = float(y[b, c, h - 1, w - 2]) if inside else want[b, c, h, w]
                else:
                    share = (0.2, 0.5, 0.3)
                    grey = sum(s * float(x0[b, k, h, w]) for k, s in enumerate(share))
                    want[b, c, h, w] += share[c] / 0.38 * (float(y[b, 0, h, w]) - grey)
            expect_close(ps.run(probe_pictures, x0, y, kind), want, atol=1e-6)
            single = ps.run(probe_pictures, x0.float(), y.float(), kind)
            expect_close(single, torch.from_numpy(want).float())
