"""Question x4. Oracles: loops over pixels, and small models whose every image can be listed.

The models live in the worker: logits that depend on the token before, on how far the sequence has come, and on what
was seen in all of it, so that a wrong order, shift or start shows. What they give is computed here pixel by pixel.
"""

import itertools
import math

import numpy as np
import torch

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
)


def good_sample_from(probs, u):
    """Known-good draws, in the worker: token i where the sums of probabilities pass u."""
    ends = probs.cumsum(dim=-1)
    return torch.minimum((ends <= u[:, None]).sum(dim=-1), (ends < ends[:, -1:]).sum(dim=-1))


def draw_levels(rng, B, T, K):
    """Images (B, T) of levels below K."""
    return torch.from_numpy(rng.integers(0, K, size=(B, T)))


# x4a


@points(
    1, part="x4a", hint="floor(g K / 256), row by row from left to right; uint8 cannot hold g K; level K - 1 is white"
)
def test_levels_are_in_raster_order_and_come_back(ps, rng):
    """Grey values become K equally wide levels in raster order, and levels become grey values from 0 to 1."""
    for B, H, W, K in ((2, 3, 5, 4), (1, 4, 2, 2), (3, 2, 7, 3), (1, 16, 16, 256), (2, 16, 32, 7), (2, 1, 512, 3)):
        images = torch.from_numpy(rng.permuted(np.arange(B * H * W)).reshape(B, H, W).astype(np.uint8))  # modulo 256
        images[0].view(-1)[:2] = torch.tensor([0, 255], dtype=torch.uint8)
        want = [[int(g) * K // 256 for row in image for g in row] for image in images.numpy()]
        expect_close(ps.quantise(images, K), torch.tensor(want))
        expect_close(ps.quantise(non_contiguous(images), K), torch.tensor(want))
        grey = np.array(want, dtype=np.float32).reshape(B, H, W) / np.float32(K - 1)
        expect_close(ps.dequantise(torch.tensor(want), K, H), grey, "black is 0, white is 1, rows are rows again")


# x4b


def probe_nll(ns, table, idx, K):
    """image_nll of a model of running sums, and what the model was asked."""
    asked = []

    def model(tokens):
        asked.append(tokens.clone())
        place = torch.arange(tokens.shape[1])
        return table[tokens, (tokens.cumsum(dim=1) + place) % table.shape[1]]

    return ns.image_nll(model, idx, K), asked


def image_by_pixels(table, image, K):
    """The nats of one image, pixel by pixel."""
    nats, prefix = 0.0, [K]
    for place, level in enumerate(image):
        logits = table[prefix[-1]][(sum(prefix) + place) % len(table[0])]
        nats += math.log(sum(math.exp(z) for z in logits)) - logits[level]
        prefix.append(level)
    return nats


@points(1, part="x4b", hint="start token first, the last pixel is not read, every pixel is predicted, nats are summed")
def test_nats_of_an_image_are_summed_over_all_its_pixels(ps, rng):
    """Each image gets the sum of its pixels' surprises, the first one's after the start token, in one call."""
    for B, T, K in ((3, 6, 4), (1, 5, 2), (4, 1, 3)):
        table = normal(rng, K + 1, 7, K + 1)
        idx = draw_levels(rng, B, T, K)
        got, asked = ps.run(probe_nll, table, non_contiguous(idx), K)
        want = [image_by_pixels(table.tolist(), image, K) for image in idx.tolist()]
        expect_close(got, torch.tensor(want, dtype=torch.float64))
        expect_true(len(asked) == 1, "one call of the model gives the logits of all pixels")
        expect_equal(
            asked[0].tolist(), [[K, *image[:-1]] for image in idx.tolist()], "the start token, and all but the last"
        )
    K, T = 3, 4
    table = normal(rng, K + 1, 7, K + 1)
    table[..., K] = -torch.inf  # this model never starts again, so all images together have probability 1
    every = torch.tensor(list(itertools.product(range(K), repeat=T)))
    got, _ = ps.run(probe_nll, table, every, K)
    expect_shape(got, len(every))
    expect_close((-got).exp().sum(), 1.0, "the probabilities of all images sum to 1")


# x4c


def probe_complete(ns, table, given, us, K):
    """complete with a model of running sums, and what the model was asked."""
    asked = []

    def model(tokens):
        asked.append(tokens.tolist())
        place = torch.arange(tokens.shape[1])
        return table[tokens, (tokens.cumsum(dim=1) + place) % table.shape[1]]

    return ns.complete(model, given, us, K), asked


def complete_by_pixels(table, given, us, K):
    """One image: the levels given, and one level for each number, found on the line of probabilities."""
    prefix = [K, *given]
    for u in us:
        logits = table[prefix[-1]][(sum(prefix) + len(prefix) - 1) % len(table[0])][:K]
        weights = [math.exp(z) for z in logits]
        ends = np.cumsum(weights) / sum(weights)
        prefix.append(int(np.searchsorted(ends, u, side="right")))
    return prefix[1:]


@points(1, part="x4c", hint="start token, given pixels, then one new pixel for each u, which the next call reads, too")
def test_new_pixels_follow_all_that_is_there(ps, rng):
    """What is given stays; each pixel is drawn by its own number, from what the model says after all before it."""
    ps.provide(sample_from=good_sample_from)
    for B, T0, n, K in ((3, 4, 5, 4), (1, 3, 2, 2), (4, 0, 6, 3), (2, 5, 1, 5)):
        table = normal(rng, K + 1, 7, K + 1)
        table[..., K] = -50.0  # here the start token plays no part
        given, us = draw_levels(rng, B, T0, K), uniform(rng, B, n)
        got, asked = ps.run(probe_complete, table, given, us, K)
        rows = zip(given.tolist(), us.tolist(), strict=True)
        expect_close(got, torch.tensor([complete_by_pixels(table.tolist(), row, u, K) for row, u in rows]))
        expect_true(len(asked) <= n + 1, "one call of the model for each pixel")
        expect_true(all(row[0] == K for call in asked for row in call), "every sequence begins with the start token")


@points(1, part="x4c", hint="the start token is no pixel: leave its logit out before the softmax")
def test_the_start_token_is_never_drawn(ps, rng):
    """However probable the start token is, pixels are drawn from the levels alone, in proportion."""
    ps.provide(sample_from=good_sample_from)
    for B, T0, n, K in ((3, 2, 6, 3), (2, 0, 4, 2), (1, 3, 5, 5)):
        table = normal(rng, K + 1, 7, K + 1)
        table[..., K] = torch.from_numpy(rng.uniform(1.0, 6.0, size=(K + 1, 7)))
        given, us = draw_levels(rng, B, T0, K), uniform(rng, B, n)
        us[:, -1] = 1 - 1e-9  # the end of the line, where the start token would lie
        got, _ = ps.run(probe_complete, table, given, us, K)
        rows = zip(given.tolist(), us.tolist(), strict=True)
        expect_close(got, torch.tensor([complete_by_pixels(table.tolist(), row, u, K) for row, u in rows]))
