"""Question x2. Oracles: fractions token by token, the law of every draft and every decision added up, and plain loops.

Nothing is estimated from draws: supports are small, and each uniform number is put on either side of its border.
"""

import itertools
import math

import numpy as np
import torch

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    points,
    simplex,
    uniform,
)


def good_accept_prob(p, q, x):
    """Known-good, in the worker."""
    rows = torch.arange(len(x))
    return torch.minimum(torch.ones_like(p[:, 0]), p[rows, x] / q[rows, x])


def good_residual(p, q):
    """Known-good, in the worker."""
    over = torch.relu(p - q)
    total = over.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, over / total.clamp(min=1e-300), p)


def good_sample_from(probs, u):
    """Known-good draws, in the worker."""
    ends = probs.cumsum(dim=-1)
    return torch.minimum((ends <= u[:, None]).sum(dim=-1), (ends < ends[:, -1:]).sum(dim=-1))


def lend(ps):
    """A mistake in x2a or in question 6 costs nothing in x2b."""
    ps.provide(accept_prob=good_accept_prob, residual=good_residual, sample_from=good_sample_from)


# x2a


@points(1, part="x2a", hint="p(x) / q(x) at the drafted token of each row, and never more than 1")
def test_a_guess_is_accepted_as_often_as_the_target_allows(ps, rng):
    """Each row's token is accepted with min(1, p(x) / q(x)), also where p is 0 and where q is far smaller than p."""
    for B, V in ((5, 4), (1, 3), (3, 7), (4, 2)):
        p, q = simplex(rng, B, V), simplex(rng, B, V)
        x = torch.from_numpy(rng.integers(0, V, size=B))
        p[0, x[0]] = 0.0  # never
        q[-1, x[-1]] = 1e-7 if B > 1 else q[-1, x[-1]]  # always
        want = [
            min(1.0, row_p[token] / row_q[token])
            for row_p, row_q, token in zip(p.tolist(), q.tolist(), x.tolist(), strict=True)
        ]
        expect_close(ps.accept_prob(non_contiguous(p), q, x), torch.tensor(want, dtype=torch.float64))
        expect_close(ps.accept_prob(p.float(), q.float(), x), torch.tensor(want, dtype=torch.float32))


@points(1, part="x2a", hint="the positive part of p - q, made to sum to 1 in each row; p itself where nothing is left")
def test_the_residual_is_what_the_draft_gives_too_little_of(ps, rng):
    """max(p - q, 0), normalised over the last dimension, of any shape; p where the two are equal, and no NaN."""
    for shape in ((4, 5), (6,), (2, 3, 4), (1, 2)):
        p, q = simplex(rng, *shape), simplex(rng, *shape)
        want = np.maximum(p.numpy() - q.numpy(), 0)
        want /= want.sum(axis=-1, keepdims=True)
        expect_close(ps.residual(non_contiguous(p), q), want)
        expect_close(ps.residual(p.float(), q.float()), torch.from_numpy(want).float(), rtol=1e-3)
    p = simplex(rng, 3, 4)
    q = p.clone()
    q[1] = simplex(rng, 4)
    got = ps.residual(p, q)
    expect_shape(got, 3, 4)
    expect_finite(got, "where p = q, the residual has no mass: 0 / 0")
    expect_close(got[[0, 2]], p[[0, 2]], "where p = q, return p")


@points(1, part="x2a", hint="add up: drafted and accepted, or rejected and drawn from the residual; the sum must be p")
def test_accepted_or_repaired_tokens_have_the_law_of_the_target(ps, rng):
    """Summed over every draft, accepted or repaired, each token has its probability under the target, to 1e-12."""
    for V, zeros in ((5, 0), (2, 0), (7, 3), (3, 1)):
        p, q = simplex(rng, V), simplex(rng, V)
        p[:zeros] = 0.0
        q[V - zeros :] = 0.0
        p, q = p / p.sum(), q / q.sum()
        possible = (q > 0).nonzero()[:, 0]
        a = ps.accept_prob(p.expand(len(possible), V), q.expand(len(possible), V), possible)
        expect_shape(a, len(possible))
        r = ps.residual(p, q)
        expect_shape(r, V)
        law, rejected = torch.zeros(V, dtype=torch.float64), 0.0
        for token, chance in zip(possible.tolist(), a.tolist(), strict=True):
            law[token] += q[token] * chance
            rejected += float(q[token]) * (1 - chance)
        expect_close(law + rejected * r, p, rtol=0, atol=1e-12)


# x2b


def round_by_hand(p, q, draft, us, u_last):
    """One round in plain Python; and which tokens of the draft were accepted."""
    out = []
    for row_p, row_q, token, u in zip(p, q, draft, us, strict=False):
        if u < row_p[token] / row_q[token]:
            out.append(token)
            continue
        over = [max(a - b, 0.0) for a, b in zip(row_p, row_q, strict=True)]
        return [*out, fallen_on([each / sum(over) for each in over], u_last)]
    return [*out, fallen_on(p[-1], u_last)]


def fallen_on(probs, u):
    """The token on which u falls."""
    ends = list(itertools.accumulate(probs))
    return next((i for i, end in enumerate(ends) if u < end), len(probs) - 1)


@points(1, part="x2b", hint="left to right; at the first rejection one token from this place's residual, and stop")
def test_the_first_rejection_ends_the_round(ps, rng):
    """Tokens before the first rejection are kept, one is drawn from the residual of its place, and nothing follows."""
    lend(ps)
    for n, V in ((4, 5), (6, 3), (1, 4), (3, 2)):
        for at in range(n):
            p, q = simplex(rng, n + 1, V), simplex(rng, n, V)
            draft = torch.tensor([int(row.argmax()) for row in q - p[:n]])  # tokens that the draft likes too much
            a = good_accept_prob(p[:n], q, draft)
            us = a * uniform(rng, n)
            us[at] = a[at] + (1 - a[at]) * uniform(rng, 1)[0]
            for u_last in uniform(rng, 3):
                want = round_by_hand(p.tolist(), q.tolist(), draft.tolist(), us.tolist(), float(u_last))
                got = ps.speculative_step(p, q, draft, us, u_last)
                expect_shape(got, at + 1)
                expect_close(got, torch.tensor(want))
    p = torch.tensor([[0.0, 0.25, 0.75], [0.5, 0.25, 0.25]], dtype=torch.float64)
    q = torch.tensor([[0.5, 0.5, 0.0]], dtype=torch.float64)
    got = ps.speculative_step(p, q, torch.tensor([0]), torch.zeros(1).double(), torch.tensor(0.5).double())
    expect_close(got, torch.tensor([2]), "a token that is impossible for the target is never accepted, even at u = 0")


@points(1, part="x2b", hint="if the whole draft is accepted, one more token comes from the target's last distribution")
def test_a_whole_draft_earns_one_more_token(ps, rng):
    """If every guess is accepted, all n are kept and one more is drawn from row n + 1 of the target."""
    lend(ps)
    for n, V in ((3, 5), (1, 2), (5, 4)):
        p, q = simplex(rng, n + 1, V), simplex(rng, n, V)
        for draft in ([int(row.argmax()) for row in q - p[:n]], [int(row.argmax()) for row in p[:n] - q]):
            draft = torch.tensor(draft)
            us = good_accept_prob(p[:n], q, draft) * 0.999 * uniform(rng, n)
            for u_last in torch.cat([uniform(rng, 3), torch.tensor([0.0, 1 - 1e-12]).double()]):
                got = ps.speculative_step(p, q, draft, us, u_last)
                expect_shape(got, n + 1)
                expect_equal(got[:n].tolist(), draft.tolist(), "accepted tokens are kept in their order")
                expect_equal(int(got[n]), fallen_on(p[n].tolist(), float(u_last)))
    expect_true(got.dtype == torch.int64, "tokens are whole numbers")


@points(1, part="x2b", hint="add up all drafts and decisions: the text must be distributed as the target's own")
def test_the_text_has_the_law_of_the_target(ps, rng):
    """Summed over every draft and every decision, a round and what the target adds to it are the target's own text."""
    lend(ps)
    for V, n in ((2, 3), (3, 2), (4, 1)):
        p, q = simplex(rng, V, V), simplex(rng, V, V)  # of a Markov chain each, after token 0
        law: dict = {}
        for draft in itertools.product(range(V), repeat=n):
            before = [0, *draft]
            rows_p, rows_q = p[before], q[before[:-1]]
            own = [float(row[token]) for row, token in zip(rows_q, draft, strict=True)]
            a = [min(1.0, float(row[token]) / each) for row, token, each in zip(rows_p, draft, own, strict=False)]
            for first in range(n + 1):  # the first rejection, or none
                share = math.prod(own) * math.prod(a[:first]) * (1 - a[first] if first < n else 1.0)
                if share == 0:
                    continue
                us = torch.tensor([each / 2 for each in a], dtype=torch.float64)
                us[first:] = 1 - 1e-9
                tail = rows_p[n] if first == n else good_residual(rows_p[first], rows_q[first])
                end = 0.0
                for width in tail.tolist():
                    if width == 0:
                        continue
                    u_last = torch.tensor(end + width / 2, dtype=torch.float64)
                    got = ps.speculative_step(rows_p, rows_q, torch.tensor(draft), us, u_last)
                    expect_shape(got, first + 1)
                    text = tuple(got.tolist())
                    law[text] = law.get(text, 0.0) + share * width
                    end += width
        expect_close(completed(law, p, n + 1), of_the_chain(p, n + 1), rtol=1e-9)


def of_the_chain(p, T):
    """Probabilities (V ** T,) of all texts of T tokens after token 0."""
    V = len(p)
    texts = itertools.product(range(V), repeat=T)
    return torch.tensor([chance(p, 0, text) for text in texts], dtype=torch.float64)


def chance(p, start, text):
    """The probability of a text after the token start."""
    return math.prod(float(p[a, b]) for a, b in itertools.pairwise((start, *text)))


def completed(law, p, T):
    """Probabilities (V ** T,) of all texts of T tokens, of which the first ones have this law and the target adds the
    rest."""
    whole = []
    for text in itertools.product(range(len(p)), repeat=T):
        parts = [
            share * chance(p, known[-1], text[len(known) :])
            for known, share in law.items()
            if text[: len(known)] == known
        ]
        whole.append(sum(parts))
    return torch.tensor(whole, dtype=torch.float64)
