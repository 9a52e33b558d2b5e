"""Extension 5: receptive fields by counting which pixels reach an output, losses by loops over pixels."""

import numpy as np

from autograder.hidden.ps2_latent_variable import gan_losses as oracle
from autograder.testing import expect_close, expect_shape, expect_true, non_contiguous, normal, points


def probe_pix2pix(ns, x, y, weight, shift):
    """The loss for a generator and a patch discriminator that are a few operations, and its slope by a shift."""
    import torch

    shift = shift.clone().requires_grad_()
    calls = []

    def G(x):
        calls.append(1)
        return 0.5 * x.flip(-1) + shift

    def D(x, image):
        return 3 * (image - 0.3 * x)[:, :, ::2, 1::2].mean(1, keepdim=True)

    loss = ns.pix2pix_loss(G, D, x, y, weight)
    return [loss.detach(), torch.autograd.grad(loss.sum(), shift)[0], len(calls)]


def probe_cycle(ns, x, y, a, b):
    """The round trips of two maps that do not undo each other, and the slopes by their factors, None where lost."""
    import torch

    a, b = (torch.tensor(each, dtype=x.dtype, requires_grad=True) for each in (a, b))
    loss = ns.cycle_loss(lambda x: a * x.tanh() + 1, lambda y: b * y.abs() - 2, x, y)
    slopes = torch.autograd.grad(loss, (a, b), allow_unused=True) if loss.requires_grad else (None, None)
    return loss.detach(), list(slopes)


def cycle_slopes(x, y, a, b):
    """Derivatives by a and b of the mean absolute errors of x -> a tanh(x) + 1 -> b |.| - 2 and of y the other way."""
    there, here = a * np.tanh(x) + 1, b * np.abs(y) - 2
    of_x, of_y = np.sign(b * np.abs(there) - 2 - x), np.sign(a * np.tanh(here) + 1 - y)
    by_a = (of_x * b * np.sign(there) * np.tanh(x)).mean() + (of_y * np.tanh(here)).mean()
    by_b = (of_x * np.abs(there)).mean() + (of_y * a * (1 - np.tanh(here) ** 2) * np.abs(y)).mean()
    return float(by_a), float(by_b)


def reach(layers, output):
    """The first and last pixel that an output of a stack of convolutions without padding sees."""
    first = last = output
    for kernel, stride in reversed(layers):
        first, last = first * stride, last * stride + kernel - 1
    return first, last


def stacks(rng):
    """Stacks of one to five convolutions, with strides of more than one in different places."""
    fixed = [[(4, 2), (4, 2), (4, 2), (4, 1), (4, 1)], [(1, 3), (5, 1)], [(7, 1)], [(3, 1), (2, 2), (3, 3)]]
    drawn = [[(int(rng.integers(1, 6)), int(rng.integers(1, 4))) for _ in range(4)] for _ in range(5)]
    return fixed + drawn


@points(1, part="x5a", hint="a kernel spans kernel - 1 gaps, each as wide as the product of the strides before it")
def test_patch_of_a_logit_is_as_wide_as_what_it_sees(ps, rng):
    """The first number counts the pixels between the first and the last one that reach one output."""
    for layers in stacks(rng):
        got = ps.receptive_field(layers)
        expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two whole numbers: size and jump")
        first, last = reach(layers, 3)
        expect_close(got[0], float(last - first + 1))


@points(1, part="x5a", hint="the patch of the next output starts some pixels later: every stride multiplies that")
def test_neighbouring_patches_are_a_product_of_strides_apart(ps, rng):
    """The second number is how far the patch of one output lies from that of its neighbour."""
    for layers in stacks(rng):
        got = ps.receptive_field(layers)
        expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two whole numbers: size and jump")
        expect_close(got[1], float(reach(layers, 4)[0] - reach(layers, 3)[0]))


@points(1, part="x5b", hint="non-saturating over all logits of the map, plus weight times the mean absolute error")
def test_translations_should_look_real_and_be_near(ps, rng):
    """The loss is the non-saturating mean over the map of D(x, G(x)) plus the weighted mean absolute error."""
    ps.provide(g_loss=oracle.good_g_loss)  # a mistake in 5b costs nothing here
    for shape, weight in (((3, 2, 4, 6), 10.0), ((1, 1, 6, 4), 0.5)):
        x, y, shift = normal(rng, *shape), 2 * normal(rng, *shape), normal(rng)
        fake = 0.5 * x.numpy()[..., ::-1] + float(shift)
        logits = 3 * (fake - 0.3 * x.numpy())[:, :, ::2, 1::2].mean(1, keepdims=True)
        want = oracle.generator_terms(logits, "non_saturating").mean() + weight * np.abs(y.numpy() - fake).mean()
        loss, slope, calls = ps.run(probe_pix2pix, non_contiguous(x), y, weight, shift)
        expect_shape(loss)
        expect_close(loss, float(want))
        pull = 3 * oracle.generator_slopes(logits, "non_saturating").mean() + weight * np.sign(fake - y.numpy()).mean()
        expect_close(slope, float(pull), "both terms are differentiated through G(x)")
        expect_true(calls == 1, "run G once: the image that is judged is the one that is compared")


@points(1, part="x5c", hint="both round trips, each compared with where it started, as mean absolute errors")
def test_round_trips_should_end_where_they_began(ps, rng):
    """The loss adds the mean absolute errors of x -> G -> H and y -> H -> G, for batches that differ in size."""
    for x_shape, y_shape in (((5, 3), (2, 3)), ((1, 2, 3, 4), (3, 2, 3, 4))):
        x, y = 2 * normal(rng, *x_shape), 2 * normal(rng, *y_shape)
        a, b = 2.0 + rng.random(), 0.5 + rng.random()
        back = b * np.abs(a * np.tanh(x.numpy()) + 1) - 2
        there = a * np.tanh(b * np.abs(y.numpy()) - 2) + 1
        want = np.abs(back - x.numpy()).mean() + np.abs(there - y.numpy()).mean()
        got, slopes = ps.run(probe_cycle, x, non_contiguous(y), a, b)
        expect_shape(got)
        expect_close(got, float(want))
        for slope, exact in zip(slopes, cycle_slopes(x.numpy(), y.numpy(), a, b), strict=True):
            expect_true(slope is not None, "both maps learn from both round trips: no detach, no no_grad")
            expect_close(slope, exact, "both maps learn from both round trips: no detach, no no_grad")
