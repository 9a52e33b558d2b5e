"""Hidden tests of question 6. Oracles: sorting and adding in plain Python, sums over all subsets of a small vocabulary,
lengths on the line from 0 to 1, and models whose logits are a function of the whole prefix, so that one wrong token
changes all that follow.
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

NEVER = -math.inf


def softmax(logits):
    """Probabilities of a list of logits."""
    top = max(logits)
    weights = [math.exp(z - top) for z in logits]
    return [weight / sum(weights) for weight in weights]


def distinct(rng, *shape, spread=2.0):
    """Logits without two equal ones in a row."""
    steps = np.cumsum(rng.uniform(0.05, 0.4, size=shape), axis=-1)
    return torch.from_numpy(spread * rng.permuted(steps - steps.mean(axis=-1, keepdims=True), axis=-1))


@points(1, "6a", hint="divide the logits by tau; at zero only the largest is left, with logit 0")
def test_temperature_divides_logits_and_has_a_limit(ps, rng):
    """p becomes p ** (1 / tau), normalised; tau = 0 leaves the largest logit of each row, as 0, and tau = 1 all."""
    for shape in ((2, 5), (7,), (3, 2, 4), (1, 1)):
        logits = distinct(rng, *shape)
        for tau in (1.0, 0.3, 2.5, 40.0, float(rng.uniform(0.2, 3))):
            got = ps.apply_temperature(logits, tau)
            expect_shape(got, *shape)
            p = logits.softmax(-1) ** (1 / tau)
            expect_close(got.softmax(-1), p / p.sum(-1, keepdim=True), "a temperature is a power of the probabilities")
            expect_close(got, logits * (1 / tau), "divide the logits, and nothing else")
        ruled_out = torch.cat([logits, torch.full((*shape[:-1], 1), NEVER, dtype=torch.float64)], dim=-1)
        for each in (logits, ruled_out):
            want = torch.full_like(each, NEVER).scatter(-1, each.argmax(-1, keepdim=True), 0.0)
            for tau in (0.0, 0):
                expect_close(ps.apply_temperature(each, tau), want, "tau = 0 is the limit: 0 for the largest logit")
        expect_close(ps.apply_temperature(ruled_out.float(), 0.5), ruled_out.float() * 2)
        expect_close(ps.apply_temperature(logits.float(), 0.0), ps.apply_temperature(logits, 0.0).float())


@points(1, "6a", hint="the k largest of each row stay exactly as they are and where they are; the rest is ruled out")
def test_the_k_largest_of_each_row_stay(ps, rng):
    """For every k, exactly the k largest logits of each row are kept, unchanged and in their places."""
    for shape in ((3, 6), (5,), (2, 3, 4), (1, 1)):
        logits, V = distinct(rng, *shape), shape[-1]
        for k in range(1, V + 1):
            want = torch.full_like(logits, NEVER)
            for place in np.ndindex(*shape[:-1]):
                for v in sorted(range(V), key=lambda v, row=logits[place]: -float(row[v]))[:k]:
                    want[(*place, v)] = logits[(*place, v)]
            expect_close(ps.top_k(logits, k), want)
            expect_close(ps.top_k(non_contiguous(logits), k), want)
            expect_close(ps.top_k(logits.float(), k), want.float())


@points(1, "6a", hint="k may exceed the vocabulary; negative and ruled-out logits count by their value; inputs stay")
def test_top_k_at_its_ends(ps, rng):
    """k >= V keeps all, ruled-out logits stay ruled out, k = 1 is the argmax, and the given tensor is not changed."""
    for B, V in ((2, 5), (3, 1), (1, 8)):
        logits = distinct(rng, B, V) - 30.0
        for k in (V, V + 1, 50):
            expect_close(ps.top_k(logits, k), logits, "k of V or more rules out nothing")
        got = ps.top_k(logits, 1)
        expect_shape(got, B, V)
        expect_equal(got.isfinite().sum(-1).tolist(), [1] * B, "k = 1 leaves one logit")
        expect_equal(got.argmax(-1).tolist(), logits.argmax(-1).tolist(), "k = 1 leaves the largest")
        partly = torch.cat([logits, torch.full((B, 2), NEVER, dtype=torch.float64)], dim=-1)
        expect_close(ps.top_k(partly, V + 1), partly, "what was ruled out before stays so")
        kept, after = ps.run(probe_in_place, "top_k", logits, 1)
        expect_close(kept, got)
        expect_close(after, logits, "return new logits: the given ones are needed again")


def probe_in_place(ns, name, logits, number):
    """What the function returns, and the given logits after that."""
    return getattr(ns, name)(logits, number), logits


def nucleus(row, p):
    """The smallest set of most probable tokens of mass at least p, by adding up."""
    probs, kept, mass = softmax(row), set(), 0.0
    for v in sorted(range(len(row)), key=lambda v: -probs[v]):
        kept.add(v)
        mass += probs[v]
        if mass >= p:
            break
    return kept


def between(rng, row):
    """Values of p that lie between the sums of the largest probabilities, one for each number of kept tokens."""
    ends = np.cumsum(sorted(softmax(row), reverse=True))
    starts = np.concatenate([[0.0], ends[:-1]])
    return [float(a + (b - a) * rng.uniform(0.2, 0.8)) for a, b in zip(starts, ends, strict=True)]


def expect_nucleus(ps, logits, p):
    """top_p keeps each row's nucleus, unchanged and in its places."""
    want = torch.full_like(logits, NEVER)
    rows = logits.reshape(-1, logits.shape[-1])
    for row, out in zip(rows, want.reshape(rows.shape), strict=True):
        kept = sorted(nucleus(row.tolist(), p))
        out[kept] = row[kept]
    expect_close(ps.top_p(logits, p), want)
    expect_close(ps.top_p(non_contiguous(logits), p), want)


@points(1, "6b", hint="the token whose addition reaches p is kept; without it the mass would be too small")
def test_the_token_that_crosses_p_is_the_last_one_kept(ps, rng):
    """For p anywhere between two sums of probabilities, the nucleus is what adding up in order finds."""
    for V in (5, 1, 8):
        logits = distinct(rng, V)
        for p in between(rng, logits.tolist()):
            expect_nucleus(ps, logits, p)
            expect_nucleus(ps, torch.stack([logits, logits.flip(0)]), p)
    for p in (0.0, 1e-9, 0.0001):
        flat = distinct(rng, 4, 6, spread=0.01)
        got = ps.top_p(flat, p)
        expect_shape(got, 4, 6)
        expect_equal(got.isfinite().sum(-1).tolist(), [1] * 4, "the most probable token is kept for every p")
        expect_equal(got.argmax(-1).tolist(), flat.argmax(-1).tolist(), "and it is the most probable one")


@points(1, "6b", hint="sorted places are not the vocabulary's: what is kept goes back to where it stood, row by row")
def test_each_row_has_its_own_nucleus_in_its_own_places(ps, rng):
    """Rows of different order and sharpness are cut each by itself; what stays is unchanged, and so is the input."""
    for shape in ((6, 7), (2, 3, 5), (1, 4)):
        sharpness = torch.linspace(0.1, 3.0, math.prod(shape[:-1]), dtype=torch.float64).reshape(*shape[:-1], 1)
        logits = distinct(rng, *shape) * sharpness + 5 * normal(rng, *shape[:-1], 1)
        for p in (0.2, 0.5, 0.9, float(rng.uniform(0.3, 0.95))):
            expect_nucleus(ps, logits, p)
    row = distinct(rng, 5)
    for p in between(rng, row.tolist()):
        want = torch.full_like(row, NEVER).scatter(0, torch.tensor(sorted(nucleus(row.tolist(), p))), 0.0) + row
        expect_close(ps.top_p(row.float(), p), want.float())
    logits = distinct(rng, 3, 5)
    kept, after = ps.run(probe_in_place, "top_p", logits, 0.5)
    expect_shape(kept, 3, 5)
    expect_close(after, logits, "return new logits: the given ones are needed again")


@points(1, "6b", hint="no smaller set of tokens reaches p, and the kept set does; p = 1 keeps every possible token")
def test_no_smaller_set_has_the_mass(ps, rng):
    """Over all subsets of small vocabularies: the kept one reaches p, and no subset of fewer tokens does."""
    for V in (2, 4, 6):
        logits = distinct(rng, V)
        probs = softmax(logits.tolist())
        for p in [*between(rng, logits.tolist()), float(rng.uniform(0.05, 0.95))]:
            got = ps.top_p(logits, p)
            expect_shape(got, V)
            kept = [v for v in range(V) if math.isfinite(float(got[v]))]
            expect_true(sum(probs[v] for v in kept) >= p - 1e-9, "the kept tokens have at least mass p")
            fewer = max((sum(each) for each in itertools.combinations(probs, len(kept) - 1)), default=0.0)
            expect_true(len(kept) > 0 and fewer < p, "fewer tokens would have reached p")
        ruled_out = torch.cat([logits, torch.full((1,), NEVER, dtype=torch.float64)])
        expect_close(ps.top_p(ruled_out, 1.0)[:-1], logits, "p = 1 keeps every token that is possible")
        expect_equal(float(ps.top_p(ruled_out, 0.9)[-1]), NEVER, "what was ruled out before stays so")


def fallen_on(row, u):
    """The token on which u falls, by adding lengths up."""
    end = 0.0
    for v, length in enumerate(row):
        end += length
        if u < end:
            return v
    return max(v for v, length in enumerate(row) if length > 0)


@points(1, "6c", hint="token i lies between the sum before it and the sum with it; u picks the token that it falls on")
def test_u_falls_onto_a_token(ps, rng):
    """Each row's token is the one on whose length its own u falls; evenly spread u give each token its share."""
    for B, V in ((6, 5), (1, 3), (9, 2), (4, 1)):
        probs, u = simplex(rng, B, V), uniform(rng, B)
        want = torch.tensor([fallen_on(row, x) for row, x in zip(probs.tolist(), u.tolist(), strict=True)])
        expect_close(ps.sample_from(probs, u), want)
        expect_close(ps.sample_from(non_contiguous(probs), u), want)
    counts = rng.multinomial(190, [0.2] * 5) + 2
    n = int(counts.sum())
    u = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    shares = torch.from_numpy(counts / n)
    for dtype in (torch.float64, torch.float32):
        got = ps.sample_from(shares.to(dtype).expand(n, 5), u.to(dtype))
        expect_shape(got, n)
        expect_equal(str(got.dtype), "torch.int64", "tokens are whole numbers, int64")
        expect_true(bool((got >= 0).all()), "tokens count from 0")
        expect_equal(torch.bincount(got, minlength=5).tolist(), counts.tolist(), "each token gets its share of all u")
        expect_true(bool((got.diff() >= 0).all()), "tokens lie on the line in the order of the vocabulary")


@points(1, "6c", hint="a token of probability 0 has no length: neither u = 0 nor a sum that ends below 1 may draw it")
def test_impossible_tokens_are_never_drawn(ps, rng):
    """u = 0 takes the first possible token, u next to 1 the last one, even where rounded sums end below 1."""
    for V, possible in ((5, [1, 3]), (4, [2]), (6, [0, 4]), (7, [3, 4, 5])):
        probs = torch.zeros(2, V, dtype=torch.float64)
        probs[:, possible] = simplex(rng, 2, len(possible))
        for dtype, end in ((torch.float64, 1 - 2**-53), (torch.float32, 1 - 2**-24)):
            ends = torch.tensor([0.0, end], dtype=dtype)
            got = ps.sample_from(probs.to(dtype), ends)
            expect_shape(got, 2)
            expect_equal(int(got[0]), possible[0], "u = 0 falls on the first token that is possible")
            expect_equal(int(got[1]), possible[-1], "u close to 1 falls on the last token that is possible")
            short = ps.sample_from(0.999 * probs.to(dtype), ends)
            expect_shape(short, 2)
            expect_equal(int(short[1]), possible[-1], "beyond a sum that was rounded down lies the last possible token")


def probe_generate(ns, table, block_size, idx, n, us, options, cached):
    """generate() with a model whose logits depend on all tokens that it knows, and what the model was shown.

    Logits at position t are those of `table` at a number made of all tokens up to t, each with its place from the end.
    """
    from types import SimpleNamespace

    import torch

    shown = []
    M, V = table.shape

    def logits_of(tokens):
        row, out = [0] * len(tokens), []
        for t in range(tokens.shape[1]):
            row = [(5 * state + int(token) + 1) % M for state, token in zip(row, tokens[:, t], strict=True)]
            out.append(table[row])
        return torch.stack(out, dim=1)

    class Model:
        cfg = SimpleNamespace(block_size=block_size, vocab_size=V)

        def __call__(self, idx, cache=None):
            shown.append([tuple(idx.shape), idx.tolist(), torch.is_grad_enabled()])
            if cache is None:
                return logits_of(idx)
            cache.append(idx)
            return logits_of(torch.cat(cache, dim=1))[:, -idx.shape[1] :]

    if cached:
        options = {**options, "cache": []}
    return ns.generate(Model(), idx, n, us, **options), shown


def continued(table, block_size, row, us, tau=1.0, k=None, p=None):
    """One sequence, continued token by token in plain Python."""
    row = list(row)
    for u in us:
        state = 0
        for token in row[-block_size:]:
            state = (5 * state + token + 1) % len(table)
        z = table[state].tolist()
        largest = max(z)
        z = [number / tau if tau else 0.0 if number == largest else NEVER for number in z]
        if k is not None:
            kept = sorted(range(len(z)), key=lambda v, z=z: -z[v])[:k]
            z = [number if v in kept else NEVER for v, number in enumerate(z)]
        if p is not None:
            kept = nucleus(z, p)
            z = [number if v in kept else NEVER for v, number in enumerate(z)]
        row.append(fallen_on(softmax(z), u))
    return row


def machine(rng, V, M=41):
    """A table (M, V) of logits, rather sharp; in double precision no u falls onto a border by rounding."""
    return distinct(rng, M, V, spread=1.5)


def prompts(rng, V, B, T):
    """Beginnings (B, T) of text."""
    return torch.from_numpy(rng.integers(0, V, size=(B, T)))


def good_temperature(logits, tau):
    """Logits at a temperature; at zero only the largest is left."""
    if tau == 0:
        return torch.full_like(logits, -math.inf).scatter(-1, logits.argmax(dim=-1, keepdim=True), 0.0)
    return logits / tau


def good_top_k(logits, k):
    """The k largest logits."""
    order = logits.argsort(dim=-1, descending=True)
    return logits.masked_fill(order.argsort(dim=-1) >= k, -math.inf)


def good_top_p(logits, p):
    """The nucleus."""
    probs, order = logits.softmax(dim=-1).sort(dim=-1, descending=True)
    before = probs.cumsum(dim=-1) - probs
    needed = ((before < p) | (before == 0)).gather(-1, order.argsort(dim=-1))
    return logits.masked_fill(~needed, -math.inf)


def good_sample_from(probs, u):
    """The token on which u falls."""
    last = probs.shape[-1] - 1 - (probs > 0).flip(-1).to(torch.uint8).argmax(dim=-1)
    return torch.minimum((probs.cumsum(dim=-1) <= u[:, None]).sum(dim=-1), last)


def lend(ps):
    """Known-good functions of 6a to 6c: a mistake there costs nothing here."""
    ps.provide(apply_temperature=good_temperature, top_k=good_top_k, top_p=good_top_p, sample_from=good_sample_from)


def expect_text(ps, table, block_size, idx, n, us, cached=False, **options):
    """generate() continues each row as plain Python does; returns what the model was shown."""
    got, shown = ps.run(probe_generate, table, block_size, idx, n, us, options, cached)
    B, T = idx.shape
    expect_shape(got, B, T + n)
    expect_equal(got[:, :T].tolist(), idx.tolist(), "the beginning that was given stays in front")
    rows = [
        continued(table, block_size, row, u[:n], **options) for row, u in zip(idx.tolist(), us.tolist(), strict=True)
    ]
    expect_close(got, torch.tensor(rows, dtype=torch.int64).reshape(B, T + n))
    return shown


@points(
    1, "6d", hint="the last position's logits, each row with its own u of this step, and the new token joins the text"
)
def test_each_token_is_drawn_after_all_before_it(ps, rng):
    """Rows of any number and length are continued token by token, each by its own u, without gradients."""
    lend(ps)
    for B, T, n, V in ((3, 4, 6, 5), (1, 1, 9, 3), (2, 6, 1, 7), (2, 3, 0, 4), (4, 2, 12, 2)):
        shown = expect_text(ps, machine(rng, V), 64, prompts(rng, V, B, T), n, uniform(rng, B, n))
        expect_true(not any(gradients for _, _, gradients in shown), "no gradients are needed: they cost memory")
        expect_equal(len(shown), n, "the model is asked once for each new token")
    table, idx, us = machine(rng, 5), prompts(rng, 5, 2, 9), uniform(rng, 2, 8)
    for block_size in (4, 9, 1):
        shown = expect_text(ps, table, block_size, idx, 8, us)
        longest = max(shape[1] for shape, _, _ in shown)
        expect_true(longest <= block_size, "a model sees at most its block_size last tokens")


@points(
    1, "6d", hint="temperature, top-k, top-p in this order, each only if asked for; tau = 0 and p = 0 are asked for"
)
def test_temperature_comes_first_and_the_nucleus_last(ps, rng):
    """Temperature, top-k and top-p act in this order, alone and together, and the nucleus is that of what is left."""
    lend(ps)
    for options in (
        {"tau": 0.5},
        {"tau": 2.0},
        {"k": 1},
        {"k": 3},
        {"p": 0.6},
        {"tau": 0.0},
        {"p": 0.0},
        {"tau": 3.0, "p": 0.7},
        {"tau": 0.4, "p": 0.8},
        {"tau": 2.5, "k": 3},
        {"k": 4, "p": 0.55},
        {"tau": 1.7, "k": 4, "p": 0.75},
    ):
        V, B, n = 7, 4, 12
        expect_text(ps, machine(rng, V), 64, prompts(rng, V, B, 3), n, uniform(rng, B, n), **options)


@points(1, "6d", hint="with a cache the model is shown the beginning once, and then only the token that is new")
def test_with_a_cache_only_new_tokens_are_shown(ps, rng):
    """A cache changes no token: the model sees the prompt, then one new token in each step."""
    lend(ps)
    for B, T, n, V, options in ((2, 5, 7, 6, {}), (1, 1, 5, 3, {"tau": 0.7}), (3, 4, 6, 5, {"k": 2, "p": 0.9})):
        table, idx, us = machine(rng, V), prompts(rng, V, B, T), uniform(rng, B, n)
        shown = expect_text(ps, table, 64, idx, n, us, cached=True, **options)
        sizes = [shape for shape, _, _ in shown]
        expect_equal(sizes[:n], [(B, T)] + [(B, 1)] * (n - 1), "the prompt first, then the newest token alone")
        expect_true(len(sizes) <= n + 1, "the model is asked once for each new token")
