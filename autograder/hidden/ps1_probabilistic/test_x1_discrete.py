"""Hidden tests of x1: histograms, the discretised logistic, Markov chains."""

import itertools

import numpy as np
import torch
from scipy import special, stats

from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
    untouched,
)

ONE_EACH = "one number per example, in nats: minus the log of the probability that the softmax gives to that value"


def integers(rng, high, *shape):
    """Integers in {0..high-1} of this shape."""
    return torch.from_numpy(rng.integers(0, high, shape))


def good_histogram_nll(logits, x):
    return -logits.log_softmax(-1)[x]


@points(1, part="x1a", hint=ONE_EACH)
def test_nll_is_minus_the_log_of_the_softmax(ps, rng):
    """Each example's loss is minus the log-probability of its value."""
    for B, dtype in ((1, torch.float64), (3, torch.float32), (11, torch.float64)):
        logits, x = 2 * normal(rng, 7, dtype=dtype), integers(rng, 7, B)
        want = [-special.log_softmax(logits.numpy())[i] for i in x]
        expect_close(
            untouched(ps, "histogram_nll", non_contiguous(logits), x), torch.tensor(np.array(want), dtype=dtype)
        )


@points(0.5, part="x1a", hint="take the logarithm analytically; never exponentiate a logit that may be large")
def test_large_logits_stay_finite(ps, rng):
    """Logits of any size are fine, and a constant added to all of them changes nothing."""
    logits, x = 90 * normal(rng, 5) + torch.tensor([0.0, 900, -900, 1800, 2700]), torch.arange(5)
    want = torch.from_numpy(-special.log_softmax(logits.numpy()))
    expect_close(ps.histogram_nll(logits, x), want)
    expect_close(ps.histogram_nll(logits + 3e4, x), want, "only differences of logits matter")


def gradient_of_histogram(ns, logits, x):
    logits = logits.clone().requires_grad_()
    loss = ns.histogram_nll(logits, x).mean()
    return torch.autograd.grad(loss, logits)[0] if loss.requires_grad else None


@points(0.5, part="x1a", hint="the gradient must reach the logits, through the normaliser too")
def test_gradient_is_model_minus_data_frequency(ps, rng):
    """The gradient of the mean loss is softmax(logits) minus the data's frequencies."""
    logits, x = normal(rng, 6), integers(rng, 6, 13)
    want = special.softmax(logits.numpy()) - np.bincount(x, minlength=6) / 13
    expect_close(ps.run(gradient_of_histogram, logits, x), want)


def exact_logprob(x, mu, s, K):
    """The log-probability of bin x from the tail that is small, so that nothing cancels (scipy, one number)."""
    low, high = (-np.inf if x == 0 else x - 0.5), (np.inf if x == K - 1 else x + 0.5)
    right = x > mu
    tail = stats.logistic.logsf if right else stats.logistic.logcdf
    big, small = (low, high) if right else (high, low)
    return special.logsumexp([tail(big, mu, s), tail(small, mu, s)], b=[1, -1])


def exact_logprobs(x, mu, s, K):
    """`exact_logprob` of broadcast arrays."""
    return np.vectorize(exact_logprob)(x, mu, s, K)


def logistic_gradients(ns, x, mu, log_s, K):
    mu, log_s = mu.clone().requires_grad_(), log_s.clone().requires_grad_()
    loglik = ns.discretized_logistic_logprob(x, mu, log_s, K).sum()
    return list(torch.autograd.grad(loglik, (mu, log_s), allow_unused=True)) if loglik.requires_grad else [None, None]


@points(0.5, part="x1b", hint="the probability of a bin is a difference of two values of the distribution function")
def test_inner_bins_hold_the_logistic_mass_between_their_edges(ps, rng):
    """Bin k holds the mass of the logistic between k - 1/2 and k + 1/2."""
    x = torch.arange(1, 10)
    mu, log_s = 10 * uniform(rng, 9), 0.5 * normal(rng, 9) + 0.7
    cdf = stats.logistic(mu.numpy(), log_s.exp().numpy()).cdf
    want = np.log(cdf(x.numpy() + 0.5) - cdf(x.numpy() - 0.5))
    expect_close(ps.discretized_logistic_logprob(x, mu, log_s, 11), want)
    _, slope = ps.run(logistic_gradients, x, mu, log_s, 11)
    expect_true(slope is not None, "the scale is learnt too: no detach")
    ends = [exact_logprobs(x.numpy(), mu.numpy(), (log_s + h).exp().numpy(), 11) for h in (-1e-5, 1e-5)]
    expect_close(
        slope, (ends[1] - ends[0]) / 2e-5, "the gradient in log_s, by the edges and by the width", rtol=1e-5, atol=1e-6
    )


@points(0.5, part="x1b", hint="the first bin reaches down to minus infinity and the last one up to infinity")
def test_all_bins_sum_to_one(ps, rng):
    """The K probabilities sum to one, wherever the logistic lies."""
    x = torch.arange(13)[:, None]
    mu = torch.tensor([-20.0, 3.3, 6.0, 40.0, 5.0], dtype=torch.float64) + uniform(rng, 5)
    log_s = torch.tensor([2.0, -1.0, 3.0, 2.5, 9.0], dtype=torch.float64) + 0.1 * normal(rng, 5)
    logp = ps.discretized_logistic_logprob(x, mu, log_s, 13)
    expect_shape(logp, 13, 5)
    want = exact_logprobs(x.numpy(), mu.numpy(), log_s.exp().numpy(), 13)
    expect_close(logp[:, :4], want[:, :4])
    expect_close(logp, want, "nothing but the formula: the scale may be e^9")
    expect_close(logp.exp().sum(0), torch.ones(5, dtype=torch.float64))


@points(
    0.5,
    part="x1b",
    hint="far from the mean the difference is 1 - 1: factor it before the logarithm",
)
def test_far_tails_are_exact(ps, rng):
    """A value hundreds, or a million, of scales away has its finite log-probability and pulls the mean towards it."""
    x = torch.tensor([0, 3, 200, 255, 20])
    mu, log_s = 110 + 5 * uniform(rng, 5), torch.tensor([-1.0, -1, -1, -1, -9]).double() - uniform(rng, 5)
    logp, want = ps.discretized_logistic_logprob(x, mu, log_s, 256), exact_logprobs(x, mu, log_s.exp(), 256)
    expect_shape(logp, 5)
    expect_close(logp[:4], want[:4])
    expect_close(logp, want, "nothing but the formula: the scale may be e^-9, a log-probability minus a million")
    pull, _ = ps.run(logistic_gradients, x, mu, log_s, 256)
    expect_finite(pull, "the gradient of every branch must be finite, also of the one that is not chosen")
    expect_close(pull, torch.sign(x - mu) / log_s.exp(), "in a tail the log-probability falls linearly, with slope 1/s")


@points(
    0.5,
    part="x1b",
    hint="x, mu and log_s broadcast; one log-probability per element, in mu's dtype",
)
def test_parameters_broadcast(ps, rng):
    """One mean per column and one scale for all give a log-probability per element, in single precision too."""
    for B in (1, 3):
        x = integers(rng, 16, B, 5)
        mu, log_s = (16 * uniform(rng, 5)).float(), torch.tensor(0.8, dtype=torch.float32)
        want = exact_logprobs(x, mu.double(), float(log_s.exp()), 16)
        got = untouched(ps, "discretized_logistic_logprob", non_contiguous(x), mu, log_s, 16)
        expect_close(got, torch.from_numpy(want).float())


def chain_logprob(logits0, logits, seq):
    """The log-probability of one sequence, factor by factor."""
    total = special.log_softmax(logits0.numpy())[seq[0]]
    for d in range(len(seq) - 1):
        total += special.log_softmax(logits[d, seq[d]].numpy())[seq[d + 1]]
    return total


@points(
    1,
    part="x1c",
    hint="the first value has its own table; each next one is looked up in the row of the value before it",
)
def test_every_sequence_gets_its_chain_of_factors(ps, rng):
    """All 81 sequences of four three-valued variables get their product of factors, and those sum to one."""
    ps.provide(histogram_nll=good_histogram_nll)
    seqs = list(itertools.product(range(3), repeat=4))
    for scale in (500.0, 2.0):
        logits0, logits = normal(rng, 3), scale * normal(rng, 3, 3, 3)
        nll = ps.markov_nll(logits0, logits, torch.tensor(seqs))
        hint = "logits may be large, as in x1a: no exponential before the logarithm" if scale > 2 else None
        expect_close(nll, np.array([-chain_logprob(logits0, logits, seq) for seq in seqs]), hint)
    expect_true(abs(float((-nll).exp().sum()) - 1) < 1e-9, "the probabilities of all sequences sum to one")


@points(0.5, part="x1c", hint="with D = 1 there are no transitions, only the histogram of the first variable")
def test_one_variable_is_a_histogram(ps, rng):
    """A chain of length one is a histogram, for one example and for several."""
    ps.provide(histogram_nll=good_histogram_nll)
    for B, dtype in ((1, torch.float64), (4, torch.float32)):
        logits0, x = normal(rng, 5, dtype=dtype), integers(rng, 5, B, 1)
        want = torch.from_numpy(-special.log_softmax(logits0.numpy())[x[:, 0].numpy()])
        expect_close(untouched(ps, "markov_nll", logits0, torch.zeros(0, 5, 5, dtype=dtype), x), want)


def gradient_of_chain(ns, logits0, logits, x):
    logits0, logits = logits0.clone().requires_grad_(), logits.clone().requires_grad_()
    loss = ns.markov_nll(logits0, logits, x).mean()
    return list(torch.autograd.grad(loss, (logits0, logits), allow_unused=True)) if loss.requires_grad else [None, None]


@points(0.5, part="x1c", hint="row i of table d learns only from examples whose variable d has the value i")
def test_gradient_counts_transitions(ps, rng):
    """Each row of each table learns from the transitions that leave its value, and from no others."""
    ps.provide(histogram_nll=good_histogram_nll)
    logits0, logits, x = normal(rng, 4), normal(rng, 2, 4, 4), integers(rng, 4, 17, 3)
    first, rest = ps.run(gradient_of_chain, logits0, logits, x)
    counts = np.zeros((2, 4, 4))
    for seq, d in itertools.product(x.tolist(), range(2)):
        counts[d, seq[d], seq[d + 1]] += 1
    expect_close(first, special.softmax(logits0.numpy()) - np.bincount(x[:, 0], minlength=4) / 17)
    model = special.softmax(logits.numpy(), axis=-1) * counts.sum(-1, keepdims=True)
    expect_close(rest, (model - counts) / 17)
