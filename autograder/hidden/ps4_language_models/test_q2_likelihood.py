"""Question 2. Oracles: counting in loops, and Markov chains whose entropy rate is known.

A walk that uses each step a -> b exactly n_ab times (an Eulerian circuit) is a text about which everything is known:
its maximum-likelihood table and its mean surprise, the entropy rate, hold exactly and not only on average.
"""

import math

import numpy as np
import torch

from autograder.testing import expect_close, expect_shape, expect_true, normal, points


def draw_ids(rng, N, V):
    """Tokens (N,) int64 below V."""
    return torch.from_numpy(rng.integers(0, V, size=N))


def draw_table(rng, V):
    """A table log_P (V, V)."""
    return torch.log_softmax(2 * normal(rng, V, V), dim=1)


def circuit(rng, number):
    """A closed walk (sum of number + 1,) that steps from a to b number[a, b] times (Hierholzer's method)."""
    left = {a: list(rng.permutation(np.repeat(np.arange(len(row)), row))) for a, row in enumerate(number)}
    stack, walk = [0], []
    while stack:
        if left[stack[-1]]:
            stack.append(int(left[stack[-1]].pop()))
        else:
            walk.append(stack.pop())
    return walk[::-1]


def draw_chain(rng, V):
    """Numbers of steps (V, V) with equal sums of row a and column a, connected, and with some impossible steps."""
    number = np.zeros((V, V), dtype=int)
    for _ in range(5):
        for cycle in (rng.permutation(V), rng.permutation(V)[: V - 1]):
            np.add.at(number, (cycle, np.roll(cycle, -1)), rng.integers(1, 4))
    return number


def entropy_rate(number):
    """Nats per step of the walk that takes each step as often as number says."""
    P = number / number.sum(axis=1, keepdims=True)
    return -(number * np.log(np.where(P > 0, P, 1.0))).sum() / number.sum()


@points(1, part="2a", hint="count the pairs at all places, add alpha to each, and divide every row by its sum")
def test_rows_are_shares_of_the_pairs_with_alpha_added(ps, rng):
    """Every row holds the shares of what follows a token, each pair counted alpha times more; logarithms, float64."""
    for N, V, alpha in ((60, 5, 0.5), (2, 3, 2.0), (200, 4, 0.01), (30, 11, 1.0), (1, 2, 1.0)):
        ids = draw_ids(rng, N, V - 1)  # the last token never occurs
        number = np.full((V, V), alpha)
        for a, b in zip(ids[:-1].tolist(), ids[1:].tolist(), strict=True):
            number[a, b] += 1
        expect_close(ps.bigram_mle(ids, V, alpha), np.log(number / number.sum(axis=1, keepdims=True)))


@points(
    1,
    part="2a",
    hint="alpha = 0: shares as they are, minus infinity for what does not occur, uniform where nothing follows",
)
def test_without_alpha_a_chain_is_recovered_exactly(ps, rng):
    """A walk that takes each step as often as known gives its chain; impossible steps and unknown rows are as asked."""
    for V in (5, 7):
        number = draw_chain(rng, V)
        walk = torch.tensor(circuit(rng, number))
        want = np.full((V + 2, V + 2), 1 / (V + 2))
        want[:V] = 0
        want[:V, :V] = number / number.sum(axis=1, keepdims=True)
        got = ps.bigram_mle(walk, V + 2, 0.0)
        expect_shape(got, V + 2, V + 2)
        expect_true(got.dtype == torch.float64, "counts become float64")
        with np.errstate(divide="ignore"):
            expect_close(got.exp(), want, "shares of what follows; a token that nothing follows has a uniform row")
            expect_true(torch.equal(got.isneginf(), torch.from_numpy(want == 0)), "log 0 is minus infinity")
    once = ps.bigram_mle(torch.tensor([2, 0, 1]), 3, 0.0)  # each pair a single time
    expect_shape(once, 3, 3)
    expect_close(once.exp(), np.array([[0, 1, 0], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]]), "one pair is enough for a row")


@points(1, part="2b", hint="row: the token before; column: the token itself; one number for each token but the first")
def test_surprise_is_of_each_token_after_the_one_before_it(ps, rng):
    """Each token but the first gets minus the log-probability of its pair, in the table's dtype."""
    for N, V in ((9, 4), (40, 3), (2, 6), (1, 5)):
        log_P, ids = draw_table(rng, V), draw_ids(rng, N, V)
        want = [-float(log_P[a, b]) for a, b in zip(ids[:-1].tolist(), ids[1:].tolist(), strict=True)]
        expect_close(ps.nll(log_P, ids), torch.tensor(want, dtype=torch.float64))
        expect_close(ps.nll(log_P.float(), ids), torch.tensor(want, dtype=torch.float32))
    number = draw_chain(rng, 6)
    log_P = torch.from_numpy(number / number.sum(axis=1, keepdims=True)).log()
    got = ps.nll(log_P, torch.tensor(circuit(rng, number)))
    expect_shape(got, int(number.sum()))
    expect_close(got.mean(), entropy_rate(number), "the mean surprise of a chain's own text is its entropy rate")


def draw_corpus(rng, lengths):
    """Surprises of documents of these lengths, each with its own level."""
    return [torch.from_numpy(rng.gamma(2.0, rng.uniform(0.2, 1.5), size=T)) for T in lengths]


@points(1, part="2b", hint="exp of the mean over all tokens of all documents; long documents weigh more")
def test_perplexity_averages_over_all_tokens_of_the_corpus(ps, rng):
    """Perplexity is exp of the surprise per token of the corpus; a blind choice among V tokens has perplexity V."""
    for V, lengths in ((50, [3, 8]), (3, [1]), (256, [5, 2, 9])):
        expect_close(ps.perplexity([torch.full((T,), math.log(V), dtype=torch.float64) for T in lengths]), float(V))
    for lengths in ([1, 30, 4], [7], [2, 2, 50, 11]):
        corpus = draw_corpus(rng, lengths)
        every = [value for document in corpus for value in document.tolist()]
        expect_close(ps.perplexity(corpus), math.exp(sum(every) / len(every)))
        alike = [document.float() for document in corpus]
        expect_close(ps.perplexity(alike), math.exp(sum(every) / len(every)), rtol=1e-4)


@points(
    1, part="2b", hint="all surprises together, in bits, for all bytes together; the number of tokens plays no part"
)
def test_bits_per_byte_do_not_count_tokens(ps, rng):
    """Bits per byte are the sum of all surprises in bits over the bytes; cutting a text otherwise changes nothing."""
    for lengths, n_bytes in (([1, 30, 4], 90), ([7], 5), ([2, 2, 50, 11], 1000)):
        corpus = draw_corpus(rng, lengths)
        total = sum(value for document in corpus for value in document.tolist())
        expect_close(ps.bits_per_byte(corpus, n_bytes), total / math.log(2) / n_bytes)
        joined = [document.sum()[None] for document in corpus]  # one long token each, as probable as before
        expect_close(ps.bits_per_byte(joined, n_bytes), total / math.log(2) / n_bytes)
    blind = [torch.full((12,), math.log(256), dtype=torch.float64)]
    expect_close(ps.bits_per_byte(blind, 12), 8.0, "a byte chosen blindly has 8 bits")
