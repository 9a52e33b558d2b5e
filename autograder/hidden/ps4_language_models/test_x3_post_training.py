"""Question x3. Oracles: loops over tokens, sums over all answers of a small alphabet, and numpy's logarithms."""

import itertools
import math

import numpy as np
import torch

from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
)


def draw_tokens(rng, *shape, V=50):
    """Tokens below V."""
    return torch.from_numpy(rng.integers(0, V, size=shape))


# x3a


@points(1, part="x3a", hint="position t is about the token at t + 1; it counts if that token is the answer's")
def test_labels_are_the_next_tokens_of_the_answer_only(ps, rng):
    """Position t is labelled with token t + 1 if that belongs to the answer; prompt and padding are -100."""
    for T, rows in (
        (9, [(3, 7), (1, 9), (5, 6), (2, 2)]),
        (6, [(0, 6)]),
        (7, [(6, 7), (0, 1), (4, 7)]),
        (1, [(0, 1), (1, 1)]),
    ):
        idx = draw_tokens(rng, len(rows), T) + 1
        prompt, length = (torch.tensor(each) for each in zip(*rows, strict=True))
        want = [
            [row[t + 1] if p <= t + 1 < n else -100 for t in range(T)]
            for row, (p, n) in zip(idx.tolist(), rows, strict=True)
        ]
        got, after = ps.run(probe_labels, non_contiguous(idx), prompt, length)
        expect_close(got, torch.tensor(want))
        expect_close(after, idx, "the tokens are the model's input, too: return new labels")


def probe_labels(ns, idx, prompt, length):
    """sft_labels, and the tokens after that."""
    return ns.sft_labels(idx, prompt, length), idx


@points(1, part="x3a", hint="the sum over a row's labels of log softmax; -100 counts as nothing, not as a token")
def test_the_log_probability_of_an_answer_is_a_sum_over_its_tokens(ps, rng):
    """Labels' log-probabilities are summed for each row, -100 is left out, and all answers together have mass 1."""
    for B, T, V in ((4, 6, 5), (1, 3, 7), (3, 1, 2)):
        logits, labels = 3 * normal(rng, B, T, V), draw_tokens(rng, B, T, V=V)
        labels[torch.from_numpy(rng.random((B, T))) < 0.4] = -100
        labels[-1] = -100  # no answer: probability 1
        want = [
            sum(row[t][y] - math.log(sum(math.exp(z) for z in row[t])) for t, y in enumerate(ys) if y != -100)
            for row, ys in zip(logits.tolist(), labels.tolist(), strict=True)
        ]
        want = torch.tensor(want, dtype=torch.float64)
        expect_close(ps.seq_logprob(non_contiguous(logits), labels), want)
        expect_close(ps.seq_logprob(logits.float() + 100, labels), want.float(), rtol=1e-3, atol=1e-3)
    V, T = 3, 4
    every = torch.tensor([[-100, *answer] for answer in itertools.product(range(V), repeat=T)])
    got = ps.seq_logprob(normal(rng, 1, T + 1, V).expand(len(every), T + 1, V), every)
    expect_shape(got, len(every))
    expect_close(got.exp().sum(), 1.0, "the probabilities of all answers of one length sum to 1")
    slope = ps.run(probe_slope, normal(rng, 2, 3, 4), torch.tensor([[1, -100, 3], [0, 2, -100]]))
    expect_true(slope is not None and bool(slope.any()), "gradients must reach the logits: the policy is trained by it")


def probe_slope(ns, logits, labels):
    """The gradient of the sum of log-probabilities."""
    total = ns.seq_logprob(logits.requires_grad_(), labels).sum()
    return torch.autograd.grad(total, logits)[0] if total.requires_grad else None


# x3b


def four(rng, B, spread=5.0):
    """Log-probabilities (B,) of winners and losers, of the policy and of the reference."""
    return [-40 + spread * normal(rng, B) for _ in range(4)]


@points(1, part="x3b", hint="the winner's log-ratio of policy to reference minus the loser's, times beta; one per pair")
def test_pairs_are_classified_by_their_log_ratios(ps, rng):
    """-log sigmoid of beta times the difference of log-ratios; log 2 at the reference; both orders have mass 1."""
    for B, beta in ((5, 0.1), (1, 0.7), (3, 2.0)):
        pi_w, pi_l, ref_w, ref_l = four(rng, B, 2.0)
        odds = [
            math.exp(beta * (a - b - c + d))
            for a, b, c, d in zip(*(x.tolist() for x in (pi_w, pi_l, ref_w, ref_l)), strict=True)
        ]
        want = torch.tensor([-math.log(each / (1 + each)) for each in odds], dtype=torch.float64)
        got = ps.dpo_loss(pi_w, pi_l, ref_w, ref_l, beta)
        expect_close(got, want)
        other = ps.dpo_loss(pi_l, pi_w, ref_l, ref_w, beta)
        expect_shape(other, B)
        expect_close((-got).exp() + (-other).exp(), torch.ones(B, dtype=torch.float64))
        at_start = ps.dpo_loss(ref_w, ref_l, ref_w, ref_l, beta)
        expect_close(at_start, torch.full((B,), math.log(2), dtype=torch.float64), "a policy that is the reference")


@points(
    1, part="x3b", hint="log(sigmoid(z)) is minus infinity for z far below 0: the logarithm has a function of its own"
)
def test_large_margins_give_finite_losses_and_gradients(ps, rng):
    """With differences of hundreds of nats, either way, losses and gradients are right in float32."""
    for margin, beta in ((-900.0, 0.5), (-400.0, 1.0), (500.0, 1.0), (-3.0, 0.2), (30.0, 1.0), (0.0, 0.3)):
        zero = torch.zeros(2)
        pi_w = torch.tensor([margin, margin / 2])
        got, slope_w, slope_l = ps.run(probe_dpo, pi_w, zero, zero, zero, beta)
        z = beta * pi_w.double().numpy()
        expect_shape(got, 2)
        expect_finite(got, "the loss of a pair that is far on the wrong side is large, not infinite")
        expect_close(got.double(), np.logaddexp(0, -z), rtol=1e-3, atol=1e-6)
        push = torch.from_numpy(beta / (1 + np.exp(np.clip(z, -700, 700))))
        for slope, want in ((slope_w, -push), (slope_l, push)):
            expect_true(slope is not None, "the loss must be differentiable in the policy's log-probabilities")
            expect_close(slope.double(), want, rtol=1e-3, atol=1e-6)


def probe_dpo(ns, pi_w, pi_l, ref_w, ref_l, beta):
    """dpo_loss, and the gradients of its sum in the policy's two log-probabilities."""
    pi_w, pi_l = pi_w.requires_grad_(), pi_l.requires_grad_()
    loss = ns.dpo_loss(pi_w, pi_l, ref_w, ref_l, beta)
    if not loss.requires_grad:
        return loss, None, None
    return loss.detach(), *torch.autograd.grad(loss.sum(), (pi_w, pi_l), allow_unused=True)


# x3c


@points(1, part="x3c", hint="mean and spread of each group by itself, with N in the variance, and nothing added to it")
def test_rewards_are_standardised_within_their_group(ps, rng):
    """In each group: reward minus mean, divided by the root of the mean squared deviation."""
    for G, N, scale in ((3, 5, 1.0), (1, 2, 10.0), (4, 3, 0.05), (3, 4, 1e-9), (2, 8, 1.0)):
        rewards = scale * (normal(rng, G, N) + 3 * normal(rng, G, 1))
        if N == 8:
            rewards = (rewards > rewards.median(dim=1, keepdim=True).values + 0.3).double()
            rewards[:, 0], rewards[:, 1] = 1.0, 0.0  # successes and failures
        r = rewards.numpy()
        want = (r - r.mean(axis=1, keepdims=True)) / r.std(axis=1, keepdims=True)
        got, after = ps.run(probe_advantages, non_contiguous(rewards))
        expect_close(got, want)
        expect_close(after, rewards, "the rewards are not to be changed")
        single = ps.group_advantages(rewards.float())
        expect_close(single, torch.from_numpy(want).float(), rtol=1e-3, atol=1e-3)


def probe_advantages(ns, rewards):
    """group_advantages, and the rewards after that."""
    return ns.group_advantages(rewards), rewards


@points(
    1, part="x3c", hint="compare the rewards of a group: if all are equal, its advantages are 0, without a division"
)
def test_groups_without_a_spread_teach_nothing(ps, rng):
    """Where all rewards of a group are equal, advantages are exactly 0, whatever the number; others are not touched."""
    for dtype in (torch.float64, torch.float32):
        for N in (3, 7, 1):
            constants = torch.tensor([0.0, 1.0, 0.1, -0.3, 1e5 / 3, float(rng.normal())], dtype=dtype)
            rewards = constants[:, None].repeat(1, N)
            got = ps.group_advantages(rewards)
            expect_shape(got, len(constants), N)
            expect_finite(got, "0 / 0: a group without spread")
            expect_close(got, torch.zeros(len(constants), N, dtype=dtype))
    rewards = torch.tensor([[2.0, 2.0, 2.0, 2.0], [0.0, 1.0, 1.0, 0.0], [0.1, 0.1, 0.1, 0.1]], dtype=torch.float64)
    got = ps.group_advantages(rewards)
    expect_close(got, torch.tensor([[0.0] * 4, [-1.0, 1.0, 1.0, -1.0], [0.0] * 4], dtype=torch.float64))
