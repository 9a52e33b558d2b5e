"""Question x1. Oracles: loops over tokens, and languages so small that every text, mask and step can be listed.

The models live in the worker. Their logits depend on the whole text with its masks, so a wrong mask, order or round
shows; or they are the exact conditional distributions of a joint one, for which the bound is the likelihood itself.
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
    simplex,
    uniform,
)


def good_mask_tokens(x, t, u, mask):
    """Known-good masks, in the worker."""
    return x.masked_fill(u < t[:, None], mask)


def good_sample_from(probs, u):
    """Known-good draws, in the worker."""
    ends = probs.cumsum(dim=-1)
    return torch.minimum((ends <= u[:, None]).sum(dim=-1), (ends < ends[:, -1:]).sum(dim=-1))


def draw_tokens(rng, B, T, V):
    """Texts (B, T) of tokens below V."""
    return torch.from_numpy(rng.integers(0, V, size=(B, T)))


def logits_of(table, text):
    """What the worker's model says about one text, a list of T rows of V logits."""
    state = sum((i + 2) * token for i, token in enumerate(text)) % len(table)
    return table[state][: len(text)]


def softmax(logits):
    """Probabilities of a list of logits."""
    weights = [math.exp(z) for z in logits]
    return [weight / sum(weights) for weight in weights]


# x1a


@points(1, part="x1a", hint="each position by its own number, each row by its own time: masked where u is below t")
def test_a_token_is_masked_where_u_is_below_t(ps, rng):
    """Exactly the positions whose number is below the time of their example are masked, and the rest stays."""
    for B, T, mask in ((3, 7, 5), (1, 9, 2), (8, 1, 30), (2, 4, 3)):
        x, u, t = draw_tokens(rng, B, T, mask), uniform(rng, B, T), uniform(rng, B)
        u[:, 0] = t  # at equality nothing is masked
        t[-1] = 1.0
        want = [
            [mask if number < time else token for token, number in zip(row, numbers, strict=True)]
            for row, numbers, time in zip(x.tolist(), u.tolist(), t.tolist(), strict=True)
        ]
        expect_close(ps.mask_tokens(non_contiguous(x), t, u, mask), torch.tensor(want))
        got, after = ps.run(probe_in_place, x, t, u, mask)
        expect_close(got, torch.tensor(want))
        expect_close(after, x, "the text is needed for the loss: return a new tensor")


def probe_in_place(ns, x, t, u, mask):
    """The masked text, and the text after that."""
    return ns.mask_tokens(x, t, u, mask), x


def probe_loss(ns, table, x, t, u, mask):
    """mdlm_loss with a model that is a function of the whole text, and the gradient of its sum in the table."""
    table = table.requires_grad_()
    asked = []

    def model(z):
        asked.append(z.clone())
        T = z.shape[1]
        return table[(z * torch.arange(2, T + 2)).sum(dim=1) % len(table), :T]

    loss = ns.mdlm_loss(model, x, t, u, mask)
    slope = torch.autograd.grad(loss.sum(), table)[0] if loss.requires_grad else None
    return loss.detach(), asked, slope


def loss_by_tokens(table, text, t, numbers, mask):
    """The loss of one text, token by token."""
    z = [mask if number < t else token for token, number in zip(text, numbers, strict=True)]
    rows = logits_of(table, z)
    nats = sum(-math.log(softmax(row)[token]) for row, token, seen in zip(rows, text, z, strict=True) if seen == mask)
    return nats / t


@points(1, part="x1a", hint="the network reads the masked text; masked positions only, summed, and divided by t")
def test_masked_tokens_are_paid_for_with_weight_one_over_t(ps, rng):
    """Each example gets the surprises of its masked tokens, summed and divided by its time; nothing else counts."""
    ps.provide(mask_tokens=good_mask_tokens)
    for B, T, V in ((4, 6, 5), (1, 8, 3), (3, 1, 4)):
        table, x, u = 2 * normal(rng, 11, T, V), draw_tokens(rng, B, T, V), uniform(rng, B, T)
        t = torch.from_numpy(rng.uniform(0.3, 0.9, size=B))
        u[0] = 0.95  # an example without masks
        u[-1, 0] = 0.05
        got, asked, slope = ps.run(probe_loss, table, x, t, u, V)
        rows = zip(x.tolist(), t.tolist(), u.tolist(), strict=True)
        want = torch.tensor([loss_by_tokens(table.tolist(), *row, V) for row in rows], dtype=torch.float64)
        expect_close(got, want)
        expect_true(len(asked) == 1, "one call of the network for the whole batch")
        expect_true(slope is not None and bool(slope.any()), "the loss must be differentiable in the network's weights")
        single = ps.run(probe_loss, table.float(), x, t.float(), u.float(), V)[0]
        expect_close(single, want.float(), rtol=1e-3, atol=1e-3)


def probe_exact(ns, texts, joint, x, t, u, mask):
    """mdlm_loss with the exact conditional distributions of a joint one over all texts (S, T)."""
    onehot = torch.nn.functional.one_hot(texts, mask).double()  # (S, T, V)

    def model(z):
        fits = ((z[:, None] == texts) | (z[:, None] == mask)).all(dim=2) * joint
        return torch.einsum("bs,stv->btv", fits, onehot).log()

    return ns.mdlm_loss(model, x, t, u, mask)


def masks_and_times(T):
    """All masks at the nodes of a Gauss rule for the time: times (N,), masks (N, T), weights (N,), numbers (N, T)."""
    nodes, shares = np.polynomial.legendre.leggauss(T + 1)  # exact: the integrand is a polynomial in t
    rows = [
        (t, mask, share / 2 * t ** sum(mask) * (1 - t) ** (T - sum(mask)))
        for t, share in zip((nodes + 1) / 2, shares, strict=True)
        for mask in itertools.product((0, 1), repeat=T)
    ]
    t, masks, weights = (torch.tensor(np.array(each), dtype=torch.float64) for each in zip(*rows, strict=True))
    return t, weights, torch.where(masks > 0, t[:, None] / 2, (1 + t[:, None]) / 2)


@points(
    1, part="x1a", hint="averaged over times and masks, the loss of a perfect network is the negative log-likelihood"
)
def test_the_bound_is_tight_for_a_perfect_network(ps, rng):
    """With exact conditional distributions, the loss integrates to -log p(x): log 2 for the texts 00 and 11."""
    ps.provide(mask_tokens=good_mask_tokens)
    twins = torch.tensor([0.5, 0.0, 0.0, 0.5], dtype=torch.float64)
    for V, T, joint in ((2, 2, twins), (3, 3, simplex(rng, 27)), (2, 4, simplex(rng, 16)), (4, 1, simplex(rng, 4))):
        texts = torch.tensor(list(itertools.product(range(V), repeat=T)))
        t, weights, u = masks_and_times(T)
        for number in (0, len(texts) - 1, int(rng.integers(1, len(texts) - 1)) if V > 2 else 0):
            x = texts[number].repeat(len(t), 1)
            got = ps.run(probe_exact, texts, joint, x, t, u, V)
            expect_shape(got, len(t))
            expect_true(bool(torch.isfinite(got).all()), "known tokens cost nothing, masked ones are possible here")
            expect_close((weights * got).sum(), -math.log(joint[number]), rtol=1e-9)


# x1b


def probe_step(ns, table, z, t, s, u_when, u_what, mask):
    """unmask_step with a model that is a function of the whole text; the result, what was asked, and z after that."""
    table = table.requires_grad_()
    asked = []

    def model(z):
        asked.append(z.tolist())
        T = z.shape[1]
        return table[(z * torch.arange(2, T + 2)).sum(dim=1) % len(table), :T]

    got = ns.unmask_step(model, z, t, s, u_when, u_what, mask)
    return got, asked, z


def torn(rng, B, T, V, share=0.6):
    """Texts (B, T) with masks V, at least one in each."""
    z = draw_tokens(rng, B, T, V)
    z[uniform(rng, B, T) < share] = V
    z[torch.arange(B), torch.from_numpy(rng.integers(0, T, size=B))] = V
    return z


@points(1, part="x1b", hint="a masked token stays masked with probability s / t; one that is there stays what it is")
def test_masks_are_lifted_with_probability_one_minus_s_over_t(ps, rng):
    """Exactly the masked positions whose number is below 1 - s / t are uncovered; with s = 0 all, and no others."""
    ps.provide(sample_from=good_sample_from)
    for B, T, V, t, s in ((3, 8, 4, 0.8, 0.2), (1, 6, 2, 1.0, 0.9), (4, 5, 3, 0.5, 0.3), (2, 7, 3, 0.3, 0.0)):
        z, when, what = torn(rng, B, T, V), uniform(rng, B, T), uniform(rng, B, T)
        z[0], when[0] = V, (1 - s / t) + torch.linspace(-0.06, 0.03, T).double() * (s > 0)
        got, _, after = ps.run(probe_step, normal(rng, 7, T, V), z, t, s, when, what, V)
        expect_shape(got, B, T)
        expect_close(after, z, "return a new text: the one that was given may be needed again")
        known = z != V
        expect_equal(got[known].tolist(), z[known].tolist(), "tokens that are there never change")
        expect_close((got == V).long(), (~known & (when >= 1 - s / t)).long())


@points(1, part="x1b", hint="what the network says at this very position, and this position's own number, decide")
def test_tokens_are_drawn_from_the_network_at_their_own_position(ps, rng):
    """A token that is uncovered is the one on which its own number falls, under the network's distribution there."""
    ps.provide(sample_from=good_sample_from)
    for B, T, V, t, s in ((3, 6, 5, 0.9, 0.3), (1, 1, 4, 0.5, 0.0), (2, 9, 3, 1.0, 0.5)):
        table, z, when, what = 2 * normal(rng, 7, T, V), torn(rng, B, T, V), uniform(rng, B, T), uniform(rng, B, T)
        want = z.clone()
        for b, text in enumerate(z.tolist()):
            for i, logits in enumerate(logits_of(table.tolist(), text)):
                if text[i] == V and when[b, i] < 1 - s / t:
                    ends = np.cumsum(softmax(logits))
                    want[b, i] = min(int(np.searchsorted(ends, float(what[b, i]), side="right")), V - 1)
        got, asked, _ = ps.run(probe_step, table, z, t, s, when, what, V)
        expect_close(got, want)
        expect_equal(asked, [z.tolist()], "one call of the network, which reads the text with its masks")


def probe_twins(ns, z, t, s, u_when, u_what):
    """unmask_step with the perfect network of the texts 00 and 11."""

    def model(z):
        other = z.flip(1)
        likes = torch.where(z < 2, z, other)[..., None]
        p = torch.where(likes == 2, 0.5, (likes == torch.arange(2)).double())
        return p.log()

    return ns.unmask_step(model, z, t, s, u_when, u_what, 2)


@points(
    1, part="x1b", hint="with K equal steps, both tokens come in the same step with probability 1 / K, and then clash"
)
def test_few_steps_tear_apart_what_belongs_together(ps, rng):
    """For the texts 00 and 11, a perfect network and K steps end in 01 or 10 with probability 1 / (2 K) exactly."""
    ps.provide(sample_from=good_sample_from)
    states = list(itertools.product(range(3), repeat=2))
    both = list(itertools.product((0.25, 0.75), repeat=2))  # each token is drawn from halves of the line, or is certain
    for K in (1, 2, 5):
        law = {(2, 2): 1.0}
        for step in range(K, 0, -1):
            t, s = step / K, (step - 1) / K
            lift = 1 - s / t
            rows = [
                (state, when, what)
                for state in states
                for when in itertools.product((lift / 2, (1 + lift) / 2), repeat=2)
                for what in both
            ]
            z, u_when, u_what = (torch.tensor(each) for each in zip(*rows, strict=True))
            got = ps.run(probe_twins, z, t, s, u_when.double(), u_what.double())
            expect_shape(got, len(rows), 2)
            after: dict = {}
            for (state, when, _), end in zip(rows, got.tolist(), strict=True):
                share = math.prod(lift if number < lift else 1 - lift for number in when) / len(both)
                after[tuple(end)] = after.get(tuple(end), 0.0) + law.get(state, 0.0) * share
            law = after
        ends = torch.tensor([law.get(end, 0.0) for end in ((0, 0), (1, 1), (0, 1), (1, 0))], dtype=torch.float64)
        torn_apart = 1 / (2 * K)
        want = torch.tensor([1 - torn_apart, 1 - torn_apart, torn_apart, torn_apart], dtype=torch.float64) / 2
        expect_close(ends, want, rtol=1e-9)


# x1c


def probe_decode(ns, table, z, k, mask):
    """confidence_decode with a model that is a function of the whole text, and what it was asked."""
    table = table.requires_grad_()
    asked = []

    def model(z):
        asked.append(z.clone())
        if len(asked) > 60:
            raise RuntimeError("the model was asked more than 60 times for at most 12 masks")
        T = z.shape[1]
        return table[(z * torch.arange(2, T + 2)).sum(dim=1) % len(table), :T]

    return ns.confidence_decode(model, z, k, mask), asked


def decode_by_rounds(table, text, k, mask):
    """One text, round by round; and how many rounds it took."""
    text, rounds = list(text), 0
    while mask in text:
        probs = [softmax(row) for row in logits_of(table, text)]
        masked = sorted((i for i, token in enumerate(text) if token == mask), key=lambda i: -max(probs[i]))
        for i in masked[:k]:
            text[i] = probs[i].index(max(probs[i]))
        rounds += 1
    return text, rounds


@points(1, part="x1c", hint="among the masked positions, the k with the largest top probability; then ask again")
def test_the_surest_masked_positions_come_first(ps, rng):
    """In each round the k surest of the masked positions of a row get their most probable token, and no others."""
    for T, V, k, scale in ((7, 4, 1, 2), (9, 3, 2, 2), (12, 2, 5, 2), (6, 5, 6, 2), (5, 3, 9, 2), (12, 4, 1, 5)):
        table, z = scale * normal(rng, 13, T, V), torn(rng, 1, T, V)  # of the last, nearly all are sure
        table[..., 0] += 3.0 * torch.from_numpy(rng.integers(0, 2, size=(13, T)))  # some very sure ones
        want, _ = decode_by_rounds(table.tolist(), z[0].tolist(), k, V)
        got, _ = ps.run(probe_decode, table, z, k, V)
        expect_close(got, torch.tensor([want]))


@points(1, part="x1c", hint="each row counts its own masks; the model is asked once a round, for all rows")
def test_rows_decode_side_by_side(ps, rng):
    """Rows with few and many masks are decoded as if alone, in as many rounds as the one with most masks needs."""
    for T, V, k in ((8, 4, 2), (10, 3, 3), (6, 5, 1)):
        table, z = 2 * normal(rng, 13, T, V), torn(rng, 4, T, V, share=0.4)
        z[0], z[1] = V, torch.where(z[1] == V, 0, z[1])  # everything masked, and nothing
        alone = [decode_by_rounds(table.tolist(), row, k, V) for row in z.tolist()]
        got, asked = ps.run(probe_decode, table, z, k, V)
        expect_close(got, torch.tensor([text for text, _ in alone]))
        expect_equal(len(asked), max(rounds for _, rounds in alone), "one call a round, and none when no mask is left")
    whole = draw_tokens(rng, 2, 5, 3)
    got, asked = ps.run(probe_decode, normal(rng, 13, 5, 3), whole, 2, 3)
    expect_close(got, whole)
    expect_equal(len(asked), 0, "without masks there is nothing to ask")
