"""Question 5. Oracles: slices of lists, SciPy's logsumexp token by token, and the formulas by hand."""

import math

import numpy as np
import torch
from scipy.special import log_softmax

from autograder.hidden.ps4_language_models.adamw import adamw_steps
from autograder.testing import expect_close, expect_shape, expect_true, non_contiguous, normal, points


def whole(rng, n, *shape):
    """Whole numbers below n, int64, of this shape."""
    return torch.from_numpy(rng.integers(0, n, size=shape))


# 5a


@points(1, part="5a", hint="each row of x is a slice of ids, and the same row of y the slice that begins one further")
def test_targets_are_the_next_tokens(ps, rng):
    """The windows begin where they should, wherever that is, and each target is the token after its place."""
    for N, B, T in ((50, 4, 7), (23, 1, 5), (12, 3, 11), (30, 5, 1)):
        ids, starts = whole(rng, 1000, N), whole(rng, N - T, B)
        starts[0] = N - T - 1  # the last place at which a window and its last target fit
        x, y = pair(ps.get_batch(ids, B, T, starts), B, T)
        text = ids.tolist()
        expect_close(x, torch.tensor([text[s : s + T] for s in starts.tolist()]))
        expect_close(y, torch.tensor([text[s + 1 : s + T + 1] for s in starts.tolist()]), "y is x, one token further")


def pair(got, B, T):
    """The two tensors (B, T) that were asked for."""
    expect_true(isinstance(got, list | tuple) and len(got) == 2, "two tensors are asked for, x and y")
    for each in got:
        expect_shape(each, B, T)
    return got


@points(1, part="5a", hint="how many places are there for a window of T tokens and the one token after it?")
def test_every_window_has_the_same_share(ps, rng):
    """Of N - T places each has the same share of [0, 1), in order: none is lost at the end, none is too much."""
    for N, T in ((11, 4), (9, 8), (40, 1), (108, 64)):
        places = N - T
        inside = torch.from_numpy((np.arange(places) + rng.uniform(0.02, 0.98, places)) / places)
        order = torch.from_numpy(rng.permutation(places))
        expect_close(ps.window_starts(N, T, inside[order]), order)
        ends = torch.tensor([0.0, 1 - 2**-24], dtype=torch.float32)
        expect_close(ps.window_starts(N, T, ends), torch.tensor([0, places - 1]), "from the first place to the last")


# 5b


def surprises(logits, targets):
    """-log p of each target, (B, T), token by token."""
    log_p = log_softmax(logits.double().numpy(), axis=-1)
    return np.array([[-log_p[b, t, k] for t, k in enumerate(row)] for b, row in enumerate(targets.tolist())])


@points(1, part="5b", hint="-log p of the target at each place, and the mean over all places; y is shifted already")
def test_loss_is_the_mean_surprise_of_all_tokens(ps, rng):
    """The loss is the mean over the batch's tokens of -log softmax(logits) at the target, in nats."""
    for B, T, V in ((3, 5, 7), (1, 4, 2), (2, 1, 9), (4, 3, 65)):
        logits, targets = 2 * normal(rng, B, T, V), whole(rng, V, B, T)
        want = surprises(logits, targets).mean()
        expect_close(ps.lm_loss(logits, targets), torch.tensor(want))
        expect_close(ps.lm_loss(non_contiguous(logits), non_contiguous(targets)), torch.tensor(want))
        expect_close(ps.lm_loss(logits.float(), targets), torch.tensor(want).float())


@points(1, part="5b", hint="targets that do not count are left out of the sum, and out of the number it is divided by")
def test_ignored_targets_do_not_count(ps, rng):
    """Whatever the mark is, marked places change neither the loss nor the gradient; the mean is over the others."""
    for B, T, V, mark in ((3, 5, 7, -100), (2, 6, 4, -1), (1, 4, 5, 0), (4, 3, 8, 3)):
        logits, targets = 2 * normal(rng, B, T, V), (whole(rng, V - 1, B, T) + mark + 1) % V  # none of them is the mark
        ignored = torch.from_numpy(rng.random((B, T)) < 0.5)
        ignored[0, 0], ignored[-1, -1] = True, False
        marked = targets.masked_fill(ignored, mark)
        want = surprises(logits, targets)[~ignored.numpy()].mean()
        expect_close(ps.lm_loss(logits, marked, mark), torch.tensor(want))
        if mark == -100:
            expect_close(ps.lm_loss(logits, marked), torch.tensor(want), "-100 is the mark if none is named")
        loud = logits + 5 * ignored[..., None] * normal(rng, B, T, V)
        expect_close(ps.lm_loss(loud, marked, ignore_index=mark), torch.tensor(want), "no logit of such a place counts")


def probe_slope(ns, logits, targets, mark):
    """The loss and its gradient in the logits."""
    logits = logits.clone().requires_grad_()
    loss = ns.lm_loss(logits, targets, mark)
    if not (isinstance(loss, torch.Tensor) and loss.requires_grad):
        return loss, None
    (slope,) = torch.autograd.grad(loss, logits)
    return loss.detach(), slope


@points(
    1, part="5b", hint="a stable log-softmax: probabilities may be too small for any float, their logarithms are not"
)
def test_large_logits_and_gradients_are_exact(ps, rng):
    """The gradient is (softmax - one-hot) / n, and logits in the thousands give exact losses, not infinity."""
    for B, T, V, scale in ((2, 5, 6, 1.0), (3, 2, 4, 400.0), (1, 3, 5, 5000.0)):
        logits, targets = scale * normal(rng, B, T, V), whole(rng, V, B, T)
        targets[0, 0] = -100
        counts = (targets != -100).numpy()
        loss, slope = ps.run(probe_slope, logits, targets, -100)
        expect_close(loss, torch.tensor(surprises(logits, targets.clamp(0))[counts].mean()))
        want = np.exp(log_softmax(logits.numpy(), axis=-1)) - np.eye(V)[targets.clamp(0)]
        expect_close(slope, want * counts[..., None] / counts.sum(), "gradients go back to the logits")


# 5c

SCHEDULES = ((1.0, 0.1, 4, 12), (3e-4, 0.0, 10, 37), (0.5, 0.2, 1, 9), (2.0, 0.5, 0, 7), (1.0, 0.6, 5, 11))


@points(
    1, part="5c", hint="the first update has the share 1 / warmup of the full rate, and update number warmup all of it"
)
def test_warm_up_is_a_line_that_ends_at_the_full_rate(ps, rng):
    """The rate rises by equal parts to the full one, reached by update number warmup; nothing is wasted on rate 0."""
    for _, low, warmup, total in SCHEDULES:
        high = float(rng.uniform(1, 2))
        for step in range(warmup):
            want = sum([high / warmup] * (step + 1))
            expect_close(ps.lr_at(step, high, low * high, warmup, total), want, rtol=1e-9)
        after = ps.lr_at(warmup, high, low * high, warmup, total)
        expect_close(after, half_cosine(1, total - warmup, high, low * high), "the cosine begins where the line ends")


def half_cosine(n, of, high, low):
    """After n of so many updates on the way from high to low, by the half-angle formula."""
    return low + (high - low) * math.cos(math.pi * n / of / 2) ** 2


@points(1, part="5c", hint="half a cosine from the end of the warm-up to the last update, between max_lr and min_lr")
def test_cosine_ends_at_the_least_rate_and_stays(ps, rng):
    """After the warm-up the rate follows half a cosine, has min_lr at the last update, and keeps it after that."""
    for _, low, warmup, total in SCHEDULES:
        high = float(rng.uniform(1, 2))
        for step in range(warmup, total):
            want = half_cosine(step + 1 - warmup, total - warmup, high, low * high)
            expect_close(ps.lr_at(step, high, low * high, warmup, total), want, rtol=1e-9, atol=1e-12)
        for step in (total, total + 1, total + 5, 2 * total, 10 * total):
            got = ps.lr_at(step, high, low * high, warmup, total)
            expect_close(got, low * high, "after the last update the rate stays", rtol=1e-9, atol=1e-12)


# 5d


def probe_clip(ns, grads, max_norm, once):
    """The norm that was returned, and the gradients after it; None stands for a parameter that took no part."""
    params = []
    for grad in grads:
        p = torch.zeros(3) if grad is None else torch.zeros_like(grad)
        p.requires_grad_().grad = None if grad is None else grad.clone()
        params.append(p)
    kept = [p.grad for p in params]
    norm = ns.clip_grad_((p for p in params) if once else params, max_norm)
    return norm, [p.grad for p in params if p.grad is not None], [g for g in kept if g is not None]


@points(1, part="5d", hint="below the limit not a bit of any gradient may change: do not multiply at all")
def test_short_gradients_keep_every_bit(ps, rng):
    """Where the norm of all gradients together is below the limit, they stay as they are, bit for bit."""
    for shapes, dtype in ((((3, 2), (4,), (1, 5)), torch.float32), (((2, 2, 3),), torch.float64)):
        grads = [normal(rng, *shape, dtype=dtype) for shape in shapes]
        length = math.sqrt(sum(float(g.double().square().sum()) for g in grads))
        for limit in (1.001 * length, 3 * length, 1e6):
            norm, after, _ = ps.run(probe_clip, grads, limit, False)
            expect_close(norm_of(norm), length, "the norm before is returned", rtol=1e-5)
            for got, given in zip(after, grads, strict=True):
                expect_close(got, given, rtol=0, atol=0)


def norm_of(norm):
    """A returned norm, a float or a scalar of any precision, as a number."""
    return norm.double() if isinstance(norm, torch.Tensor) else norm


@points(1, part="5d", hint="one norm for all parameters together, one factor for all, and in place")
def test_long_gradients_shrink_by_one_factor(ps, rng):
    """Where the norm is above the limit, all gradients shrink by the one factor that makes it the limit, in place."""
    for shapes, once in ((((3, 2), (4,), None, (1, 5)), True), (((5,),), False), ((None, (2, 3), (7, 1, 2)), False)):
        grads = [None if shape is None else 10 ** float(rng.uniform(-1, 1)) * normal(rng, *shape) for shape in shapes]
        there = [g for g in grads if g is not None]
        length = math.sqrt(sum(float(g.square().sum()) for g in there))
        for limit in (0.9 * length, 0.3 * length, 1e-3 * length):
            norm, after, kept = ps.run(probe_clip, grads, limit, once)
            expect_close(norm_of(norm), length, "the norm before is returned", rtol=1e-5)
            for got, same, given in zip(after, kept, there, strict=True):
                expect_close(got, given * (limit / length), rtol=1e-5)
                expect_close(same, got, "change the gradients that are there: others may hold on to these tensors")


# 5e


def probe_steps(ns, p, grads, options, rates):
    """Parameters and moments after each step, and the gradients after the last one; all of it in place."""
    p, m, v = p.clone().requires_grad_(), torch.zeros_like(p), torch.zeros_like(p)
    grads, seen = [g.clone() for g in grads], []
    for t, (g, lr) in enumerate(zip(grads, rates, strict=True), start=1):
        ns.adamw_step(p, g, m, v, t, lr, **options)
        seen.append((p.detach().clone(), m.clone(), v.clone()))
    return seen, grads


def clear(rng, *shape):
    """Gradients far from zero, beside which no epsilon counts: where it stands has a test of its own."""
    g = normal(rng, *shape)
    return g + 0.3 * g.sign()


@points(
    1,
    part="5e",
    hint="both moments are running means that start from zero, and both are corrected for that, at every step",
)
def test_steps_equal_those_of_pytorch(ps, rng):
    """Without decay, twelve steps with changing gradients and rates are those of torch.optim.AdamW, moments too."""
    for shape, betas, dtype in (((3, 2), (0.9, 0.95), torch.float64), ((5,), (0.8, 0.999), torch.float64)):
        p, grads = normal(rng, *shape, dtype=dtype), [clear(rng, *shape) for _ in range(12)]
        rates = [float(r) for r in rng.uniform(0.01, 0.1, 12)]
        options = {"betas": betas, "eps": 1e-8, "weight_decay": 0.0}
        seen, after = ps.run(probe_steps, p, grads, options, rates)
        expect_true(len(seen) == 12, "a step changes what it was given")
        want, (m, v) = adamw_steps(p, grads, options, rates), torch.zeros(2, *shape, dtype=dtype)
        for (got, own_m, own_v), wanted, g in zip(seen, want, grads, strict=True):
            m, v = betas[0] * m + (1 - betas[0]) * g, betas[1] * v + (1 - betas[1]) * g**2
            expect_close(own_m, m, "m is a running mean of the gradients, kept in place")
            expect_close(own_v, v, "v is a running mean of their squares, kept in place")
            expect_close(got, wanted, rtol=1e-6, atol=1e-7)
        for got, given in zip(after, grads, strict=True):
            expect_close(got, given, "the gradients are not changed")


@points(
    1,
    part="5e",
    hint="epsilon is added to the root of the corrected square mean: outside of the root, after the correction",
)
def test_tiny_gradients_are_weighed_against_epsilon(ps, rng):
    """Steps equal PyTorch's from gradients of 1 down to 1e-10, far below epsilon, in float64 and in float32."""
    for dtype, rtol in ((torch.float64, 1e-9), (torch.float32, 1e-4)):
        sizes = torch.tensor([1.0, 1e-3, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10], dtype=dtype)
        for eps in (1e-8, 1e-6):
            grads = [sizes * (1 + 0.5 * normal(rng, 7, dtype=dtype).tanh()) for _ in range(4)]
            options, start = {"betas": (0.9, 0.95), "eps": eps, "weight_decay": 0.0}, torch.zeros(7, dtype=dtype)
            seen, _ = ps.run(probe_steps, start, grads, options, [0.1] * 4)
            for (got, *_), want in zip(seen, adamw_steps(start, grads, options, [0.1] * 4), strict=True):
                expect_close(got, want, rtol=rtol, atol=1e-16)


@points(1, part="5e", hint="the decay takes the share lr * weight_decay of the old parameter, beside the adaptive step")
def test_decay_is_decoupled(ps, rng):
    """The decay takes lr * weight_decay of the parameter whatever the gradient is; the moments know nothing of it."""
    for decay, rate in ((0.3, 0.1), (0.1, 0.01), (1.0, 0.5)):
        p = 3 * normal(rng, 4, 3)
        options = {"betas": (0.9, 0.95), "eps": 1e-8, "weight_decay": decay}
        idle, _ = ps.run(probe_steps, p, [torch.zeros_like(p)] * 3, options, [rate] * 3)
        for n, (got, m, v) in enumerate(idle, start=1):
            expect_close(got, p * (1 - rate * decay) ** n, rtol=1e-9)
            expect_close(m, torch.zeros_like(p), "the moments are those of the gradient alone")
            expect_close(v, torch.zeros_like(p), "the moments are those of the gradient alone")
        grads, rates = [clear(rng, 4, 3) for _ in range(5)], [rate * k for k in (1, 0.5, 0.1, 2, 1)]
        busy, _ = ps.run(probe_steps, p, grads, options, rates)
        for (got, *_), want in zip(busy, adamw_steps(p, grads, options, rates), strict=True):
            expect_close(got, want, rtol=1e-6, atol=1e-7)
