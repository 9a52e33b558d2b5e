"""Question x5. Oracles: loops over tokens, sets of pairs, and the moments of binomial distributions summed exactly."""

import math

import numpy as np
import torch
from scipy.stats import binom

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
)


def good_favour(logits, prev, green, delta):
    """Known-good, in the worker."""
    return torch.where(green[prev], logits + delta, logits)


def good_sample_from(probs, u):
    """Known-good draws, in the worker."""
    ends = probs.cumsum(dim=-1)
    return torch.minimum((ends <= u[:, None]).sum(dim=-1), (ends < ends[:, -1:]).sum(dim=-1))


def draw_tokens(rng, *shape, V):
    """Tokens below V."""
    return torch.from_numpy(rng.integers(0, V, size=shape))


def draw_lists(rng, V, share=0.5):
    """Green lists (V, V), not symmetric, with some of either kind."""
    green = torch.from_numpy(rng.random((V, V)) < share)
    green[0, -1], green[-1, 0] = True, False
    return green


# x5a


@points(1, part="x5a", hint="row prev of the lists says what is green next; green logits get delta, the others stay")
def test_green_tokens_of_the_token_before_are_favoured(ps, rng):
    """Each row's logits rise by delta exactly where the list of its own previous token is green."""
    for B, V, delta in ((4, 5, 2.0), (1, 7, 0.5), (3, 2, 0.0), (2, 6, -1.5)):
        logits, prev, green = normal(rng, B, V), draw_tokens(rng, B, V=V), draw_lists(rng, V)
        logits[0, 0] = -math.inf  # a token that is ruled out stays so
        want = [
            [z + (delta if green[a, b] else 0.0) for b, z in enumerate(row)]
            for a, row in zip(prev.tolist(), logits.tolist(), strict=True)
        ]
        got, after = ps.run(probe_favour, non_contiguous(logits), prev, green, delta)
        expect_close(got, torch.tensor(want, dtype=torch.float64))
        expect_close(after, logits, "the model's own logits are not to be changed")
        expect_close(ps.favour(logits.float(), prev, green, delta), torch.tensor(want, dtype=torch.float32))


def probe_favour(ns, logits, prev, green, delta):
    """favour, and the logits after that."""
    return ns.favour(logits, prev, green, delta), logits


def probe_write(ns, table, block_size, idx, n, us, green, delta):
    """write_marked with a model that is a function of all that it sees, and what it was asked."""
    asked = []
    table = table.requires_grad_()

    class Model:
        cfg = type("Config", (), {"block_size": block_size, "vocab_size": table.shape[1]})()

        def __call__(self, idx):
            asked.append((tuple(idx.shape), torch.is_grad_enabled()))
            return table[(idx.cumsum(dim=1) + 3 * idx) % len(table)]

    return ns.write_marked(Model(), idx, n, us, green, delta), asked


def written_by_hand(table, block_size, row, us, green, delta):
    """One text, continued token by token in plain Python."""
    row = list(row)
    for u in us:
        seen = row[-block_size:]
        logits = table[(sum(seen) + 3 * seen[-1]) % len(table)]
        weights = [math.exp(z + delta * green[row[-1]][b]) for b, z in enumerate(logits)]
        ends = np.cumsum(weights) / sum(weights)
        row.append(min(int(np.searchsorted(ends, u, side="right")), len(weights) - 1))
    return row


@points(
    1, part="x5a", hint="in each step: last logits, the list of the last token, softmax, one draw, and the text grows"
)
def test_every_drawn_token_picks_the_next_list(ps, rng):
    """The text is continued token by token, each drawn with the preference that the token before it picks."""
    ps.provide(favour=good_favour, sample_from=good_sample_from)
    for B, T, n, V, block, delta in (
        (3, 4, 9, 5, 64, 2.0),
        (1, 1, 12, 3, 4, 1.0),
        (2, 6, 7, 6, 3, 5.0),
        (2, 3, 0, 4, 9, 1.0),
    ):
        table, green = normal(rng, 13, V), draw_lists(rng, V)
        idx, us = draw_tokens(rng, B, T, V=V), uniform(rng, B, n)
        rows = zip(idx.tolist(), us.tolist(), strict=True)
        want = [written_by_hand(table.tolist(), block, *row, green.tolist(), delta) for row in rows]
        got, asked = ps.run(probe_write, table, block, idx, n, us, green, delta)
        expect_close(got, torch.tensor(want, dtype=torch.int64).reshape(B, T + n))
        expect_equal(len(asked), n, "the model is asked once for each new token")
        expect_true(all(shape[1] <= block for shape, _ in asked), "the model sees at most its block_size last tokens")
        expect_true(not any(gradients for _, gradients in asked), "no gradients are needed: they cost memory")


# x5b


@points(1, part="x5b", hint="pairs of neighbours, in their order, each distinct pair once")
def test_each_distinct_pair_counts_once(ps, rng):
    """Of the different pairs (token before, token), those that are green, and all: however often a pair occurs."""
    cases = [(40, 4), (200, 9), (3, 6), (2, 3), (60, 2)]
    texts = [(draw_tokens(rng, N, V=V), V) for N, V in cases]
    texts += [(torch.tensor([1, 2, 1, 2, 1, 2, 2, 2, 2]), 3), (torch.full((9,), 1), 2), (torch.tensor([2]), 5)]
    for ids, V in texts:
        green = draw_lists(rng, V)
        pairs = set(zip(ids.tolist(), ids.tolist()[1:], strict=False))
        want = (sum(bool(green[pair]) for pair in pairs), len(pairs))
        got = ps.run(probe_count, non_contiguous(ids), green)
        expect_equal(got, list(want))
    green = draw_lists(rng, 5)
    up = torch.arange(4)
    green[up, up + 1], green[up + 1, up] = True, False
    got = ps.run(probe_count, torch.arange(5), green)
    expect_equal(got, [4, 4], "green[a, b]: b after a, not a after b")


def probe_count(ns, ids, green):
    """The two numbers of count_green, as whole numbers."""
    hits, n = ns.count_green(ids, green)
    return [int(hits), int(n)]


@points(1, part="x5b", hint="hits minus those expected, divided by the standard deviation of a binomial count")
def test_z_has_mean_0_and_variance_1_for_the_innocent(ps, rng):
    """Summed over the binomial law of the hits, z has mean 0 and variance 1; it rises evenly; no pairs give 0."""
    for n, gamma in ((1, 0.5), (7, 0.25), (12, float(rng.uniform(0.1, 0.9))), (30, 0.8)):
        zs = [ps.run(probe_z, hits, n, gamma) for hits in range(n + 1)]
        z = torch.tensor(zs, dtype=torch.float64)
        law = torch.from_numpy(binom.pmf(np.arange(n + 1), n, gamma))
        expect_close((law * z).sum(), 0.0, "an innocent writer is expected to have z = 0", atol=1e-9)
        expect_close((law * z**2).sum(), 1.0, "z counts standard deviations")
        expect_close(z.diff(), torch.full((n,), float(z[-1] - z[0]) / n, dtype=torch.float64))
        expect_true(zs[-1] > zs[0], "more hits, larger z")
    expect_close(ps.z_score(0, 0, 0.5), 0.0, "nothing was read: no evidence")
    got = ps.z_score(700, 1000, 0.5)
    expect_close(got, 200 / math.sqrt(250))
    expect_true(not hasattr(got, "shape") or got.shape == (), "one number")


def probe_z(ns, hits, n, gamma):
    """z_score as a float."""
    return float(ns.z_score(hits, n, gamma))
