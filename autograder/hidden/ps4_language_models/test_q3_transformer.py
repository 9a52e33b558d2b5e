"""Hidden tests of question 3. Oracles: attention one query at a time in NumPy, rotations as complex numbers, a whole
transformer in NumPy with the weights that a student's model was given, torch's own layers, and invariants: what comes
later changes nothing before, inner products of rotated vectors depend on the distance only.

Names and arrangement of weights are the student's: `slow_transformer.attention_like` finds it. Spreads of first weights
are estimated from 2304 numbers or more, of which 10 % are six standard errors: false alarms are below 1e-8.
"""

import math

import numpy as np
import torch

from autograder.hidden.ps4_language_models import lent
from autograder.hidden.ps4_language_models import slow_transformer as slow
from autograder.hidden.ps4_language_models import transformer_probes as probes
from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
)


def some_seen(rng, *shape):
    """Random masks in which every query sees something and something is hidden from the last one."""
    seen = rng.random(shape) < 0.6
    seen[..., rng.integers(shape[-1])] = True
    seen[..., -1, :-1] = False
    seen[..., -1, -1] = True
    return torch.from_numpy(seen)


def queries_keys_values(rng, lead, T, S, D, E):
    """q (*lead, T, D), k (*lead, S, D) and v (*lead, S, E)."""
    return 1.5 * normal(rng, *lead, T, D), normal(rng, *lead, S, D), normal(rng, *lead, S, E)


@points(1, "3a", hint="inner products over the root of D; weights that sum to one over the keys, for each query")
def test_answers_are_averages_of_values_by_similarity(ps, rng):
    """Without a mask, each query gets the values averaged by the softmax of q . k / sqrt(D) over all keys."""
    for lead, T, S, D, E in (((2, 3), 4, 5, 6, 7), ((), 3, 2, 4, 1), ((1,), 1, 4, 16, 3), ((3, 1, 2), 5, 1, 1, 2)):
        q, k, v = queries_keys_values(rng, lead, T, S, D, E)
        want = slow.sdpa(q, k, v, True)
        expect_close(ps.sdpa(q, k, v), want)
        expect_close(ps.sdpa(*map(non_contiguous, (q, k, v))), want)
        expect_close(ps.sdpa(q.float(), k.float(), v.float()), want.float())


@points(
    1, "3a", hint="the mask decides before the softmax: what may not be seen has no influence, the rest sums to one"
)
def test_forbidden_keys_have_no_influence_at_all(ps, rng):
    """Answers are averages over the keys that may be seen; other keys and values may be anything, bit by bit."""
    for lead, T, S, D, E in (((2, 2), 4, 5, 6, 3), ((), 3, 4, 2, 1), ((3,), 2, 6, 5, 4)):
        q, k, v = queries_keys_values(rng, lead, T, S, D, E)
        seen = some_seen(rng, T, S)
        got = ps.sdpa(q, k, v, seen)
        expect_close(got, slow.sdpa(q, k, v, seen))
        last = int(np.flatnonzero(seen[0].numpy())[0])
        alone = torch.zeros(T, S, dtype=torch.bool)
        alone[:, last] = True
        expect_close(ps.sdpa(q, k, v, alone), v[..., last : last + 1, :].expand(*lead, T, E), "one key: its value")
        hidden = ~seen[-1]
        k[..., hidden, :], v[..., hidden, :] = 3 * normal(rng, *lead, S - 1, D), 50 * normal(rng, *lead, S - 1, E)
        again = ps.sdpa(q, k, v, seen)
        expect_shape(again, *got.shape)
        expect_true(torch.equal(again[..., -1, :], got[..., -1, :]), "a key that may not be seen changes the answer")


@points(1, "3a", hint="masks broadcast over batch and heads; in a causal mask the diagonal may be seen")
def test_masks_broadcast_and_causal_ones_include_the_diagonal(ps, rng):
    """Masks of shape (T, S), (B, 1, T, S) and (1, H, 1, S) work; under a causal one the first query sees itself."""
    B, H, T, S, D, E = 2, 3, 4, 5, 6, 2
    q, k, v = queries_keys_values(rng, (B, H), T, S, D, E)
    for shape in ((T, S), (B, 1, T, S), (1, H, T, S)):
        seen = some_seen(rng, *shape)
        expect_close(ps.sdpa(q, k, v, seen), slow.sdpa(q, k, v, seen))
    row = some_seen(rng, 1, H, 1, S)
    expect_close(ps.sdpa(q, k, v, row), slow.sdpa(q, k, v, row))
    for T in (5, 1, 3):
        q, k, v = queries_keys_values(rng, (B, H), T, T, D, E)
        seen = torch.ones(T, T, dtype=torch.bool).tril()
        got = ps.sdpa(q, k, v, mask=seen)
        expect_close(got, slow.sdpa(q, k, v, seen))
        expect_close(got[..., 0, :], v[..., 0, :], "the first query sees itself and nothing else")


@points(1, "3a", hint="similarities of a thousand must not overflow, and gradients pass; what is hidden gets none")
def test_large_similarities_and_gradients_are_finite(ps, rng):
    """Similarities of thousands give finite answers in float32, and gradients agree with those of torch's attention."""
    for scale in (1.0, 60.0):
        q, k, v = (each.float() for each in queries_keys_values(rng, (2,), 4, 6, 8, 3))
        got = ps.sdpa(scale * q, scale * k, v)
        expect_finite(got, "subtract the largest similarity first, or use a softmax that does")
        expect_close(got, slow.sdpa((scale * q).double(), (scale * k).double(), v.double(), True).float(), rtol=2e-3)
    q, k, v = queries_keys_values(rng, (2, 2), 3, 5, 4, 2)
    seen, pull = some_seen(rng, 3, 5), normal(rng, 2, 2, 3, 2)
    leaves = [each.clone().requires_grad_() for each in (q, k, v)]
    answers = torch.nn.functional.scaled_dot_product_attention(*leaves, attn_mask=seen)
    for got, want in zip(
        ps.run(probes.sdpa_gradients, q, k, v, seen, pull),
        torch.autograd.grad((pull * answers).sum(), leaves),
        strict=True,
    ):
        expect_close(got, want)


@points(1, "3b", hint="divide by the root of the mean square over the channels; no mean is subtracted; eps is inside")
def test_rows_are_divided_by_their_root_mean_square(ps, rng):
    """Each row over its channels, whatever the leading dimensions, with eps under the root, 1e-6 if none is given."""
    for shape, eps, scale in (((2, 3, 5), None, 1), ((4, 7), 1e-3, 0.02), ((1, 1, 2), None, 1e-3), ((6,), 0.5, 3)):
        x = scale * (normal(rng, *shape) + 2)
        C = shape[-1]
        rows = slow.normalised(x.numpy().reshape(-1, C), 1.0, 1e-6 if eps is None else eps).reshape(shape)
        ones = torch.ones(C, dtype=torch.float64)
        expect_close(ps.run(probes.norm, C, eps, ones, x)[0], rows)
        expect_close(ps.run(probes.norm, C, eps, ones, non_contiguous(x))[0], rows)
        single = ps.run(probes.norm, C, eps, ones.float(), x.float())[0]
        expect_close(single, torch.from_numpy(rows).float())


@points(
    1, "3b", hint="one learnt gain for each channel, an nn.Parameter, 1 at first; it multiplies what was normalised"
)
def test_gain_is_learnt_channel_by_channel(ps, rng):
    """The one parameter is a gain (C,) that starts at 1; gradients are torch's; a row of zeros stays finite."""
    for shape in ((2, 3, 5), (1, 4), (3, 7)):
        C = shape[-1]
        x, gain, pull = normal(rng, *shape) + 1, 1 + normal(rng, C), normal(rng, *shape)
        x[0] = x[0] if len(shape) == 3 else 0 * x[0]
        before, shapes, after = ps.run(probes.norm, C, None, gain, x)
        expect_equal(shapes, [(C,)], "one nn.Parameter of shape (C,), and no other")
        expect_finite(before, "a row of zeros has no length: eps keeps the division finite")
        expect_close(before, slow.normalised(x.numpy().reshape(-1, C), 1.0).reshape(shape), "the gain starts at 1")
        expect_close(after, slow.normalised(x.numpy().reshape(-1, C), gain.numpy()).reshape(shape))
        leaves = [x.clone().requires_grad_(), gain.clone().requires_grad_()]
        answers = torch.nn.functional.rms_norm(leaves[0], (C,), leaves[1], 1e-6)
        want = torch.autograd.grad((pull * answers).sum(), leaves)
        for got, exact in zip(ps.run(probes.norm_gradients, x, gain, pull), want, strict=True):
            expect_close(got, exact, rtol=1e-5)


def places(rng, T, most=60):
    """Whole positions (T,), in no order."""
    return torch.from_numpy(rng.integers(0, most, size=T))


LOOSE = {"rtol": 2e-4, "atol": 2e-4}  # angles may be computed in single precision


@points(1, "3c", hint="both are turned by their own position: what is left in the inner product is the difference")
def test_inner_products_depend_on_the_distance_only(ps, rng):
    """Shifting both positions changes no inner product, another distance does; lengths stay; position 0 is no turn."""
    for D in (2, 6, 8):
        q, k = normal(rng, 12, D), normal(rng, 12, D)
        a, b, shift = places(rng, 12), places(rng, 12), int(rng.integers(1, 40))
        b = torch.where(a == b, b + 1, b)
        rows = [ps.rotate(x, p) for x, p in ((q, a), (k, b), (q, a + shift), (k, b + shift), (q, a - a), (k, b + 3))]
        for row in rows:
            expect_shape(row, 12, D)
        at, moved = (rows[0] * rows[1]).sum(1), (rows[2] * rows[3]).sum(1)
        expect_close(moved, at, "the same distance, another inner product", **LOOSE)
        far = (rows[0] * rows[5]).sum(1)
        expect_true(bool(((far - at).abs() > 1e-3).any()), "the inner product must depend on the distance")
        plain = (q * k).sum(1)
        expect_true(bool(((plain - at).abs() > 1e-3).any()), "the inner product must depend on the distance")
        expect_close(rows[0].square().sum(1), q.square().sum(1), "a rotation keeps lengths", **LOOSE)
        expect_close(rows[4], q, "position 0 is not turned: positions count from 0", **LOOSE)


@points(
    1, "3c", hint="pair i turns by position * 10000 ** (-2 i / D): the first by one radian a step, the last slowest"
)
def test_pairs_turn_at_their_own_speeds(ps, rng):
    """As a matrix, a position's rotation has the angles position * 10000 ** (-2 i / D), two numbers for each."""
    for D in (2, 4, 10, 16):
        for position in (1, 3, int(rng.integers(4, 30))):
            R = ps.rotate(torch.eye(D, dtype=torch.float64), torch.full((D,), position))  # row n is e_n, turned
            expect_shape(R, D, D)
            expect_finite(R, "a rotation is finite")
            expect_close(R @ R.T, torch.eye(D, dtype=torch.float64), "a rotation: orthogonal", **LOOSE)
            expect_true(
                bool(((R.abs() > 1e-9).sum(1) <= 2).all()), "numbers are turned in pairs, each with one partner"
            )
            cosines = position * 10000.0 ** (-2 * np.arange(D // 2) / D)
            want = np.sort(np.repeat(np.cos(cosines), 2))
            # rows of one pair are (cos, sin) and (-sin, cos): the symmetric part is diagonal, two cosines for each pair
            expect_close(((R + R.T) / 2).diagonal().sort().values, want, **LOOSE)
            expect_true(bool((((R + R.T) / 2).fill_diagonal_(0).abs() < 1e-3).all()), "a rotation, not a reflection")


@points(1, "3c", hint="row t belongs to positions[t], whatever that is; angles of far positions need single precision")
def test_rows_follow_the_positions_that_are_given(ps, rng):
    """Any positions in any order, any leading dimensions, and the dtype of x, in half precision far away too."""
    for lead, T, D in (((2, 3), 5, 8), ((), 4, 6), ((1,), 1, 2)):
        x, p = normal(rng, *lead, T, D), places(rng, T)
        got = ps.rotate(x, p)
        rows = [ps.rotate(x[..., t : t + 1, :], p[t : t + 1]) for t in range(T)]
        for row in rows:
            expect_shape(row, *lead, 1, D)
        want = torch.cat(rows, dim=-2)
        expect_close(got, want, "row t is turned by positions[t], alone or with others", **LOOSE)
        kinds = [slow.turned(x.numpy().reshape(-1, D), np.tile(p, math.prod(lead)), *way) for way in WAYS]
        fits = [np.allclose(got.numpy().reshape(-1, D), each, rtol=1e-3, atol=1e-3) for each in kinds]
        expect_true(any(fits), "pairs (i, i + D/2) or (2i, 2i + 1), turned by positions[t] * 10000 ** (-2 i / D)")
        expect_close(ps.rotate(non_contiguous(x), p), got, **LOOSE)
        single = ps.rotate(x.float(), p)
        expect_close(single, got.float(), **LOOSE)
        expect_close(ps.run(probes.rotate_slope, x, p), x, "gradients pass through a rotation, and turn back", **LOOSE)
    x, p = normal(rng, 2, 6, 8).bfloat16(), 1000 + places(rng, 6)
    single = ps.rotate(x.float(), p)
    expect_shape(single, *x.shape)
    got = ps.rotate(x, p)
    expect_close(got, single.bfloat16(), "whole numbers above 256 need more than 8 bits", rtol=0, atol=0.1)


WAYS = [(kind, sign) for kind in ("half", "pairs") for sign in (1, -1)]


def config(C, H, L=1, V=11, T=12, dropout=0.0):
    """Sizes of a GPT."""
    return {"vocab_size": V, "block_size": T, "n_layer": L, "n_head": H, "n_embd": C, "dropout": dropout}


def lend_pieces(ps):
    """Known-good functions of 3a to 3c, and helpers."""
    ps.provide(rotate=lent.good_rotate, sdpa=lent.good_sdpa, RMSNorm=lent.good_norm)
    ps.provide(drawn=lent.drawn, strangers=lent.strangers)


FOUR = "four maps without bias: queries, keys, values and the output, 4 C C numbers, each a part of the module"


@points(
    1, "3d", hint="cut into heads of neighbouring channels, attend in each, put the heads side by side, then the output"
)
def test_each_head_attends_on_its_own_and_all_are_joined(ps, rng):
    """With the same weights, a slow attention gives the same: rotated queries and keys, head by head, then joined."""
    lend_pieces(ps)
    for B, T, C, H in ((2, 5, 12, 3), (1, 4, 8, 1), (3, 1, 8, 2), (1, 6, 8, 4)):
        x, seed = normal(rng, B, T, C), int(rng.integers(2**31))
        answers, weights = ps.run(probes.attention, config(C, H), seed, x)
        expect_shape(answers, B, T, C)
        expect_finite(answers, "NaN or infinity: does the mask leave each query something to see?")
        matrices = [each.numpy() for each in weights]
        expect_equal(sum(each.size for each in matrices), 4 * C * C, FOUR)
        expect_true(all(each.ndim == 2 and each.shape[1] == C and len(each) % C == 0 for each in matrices), FOUR)
        for row, answer in zip(x.numpy(), answers.numpy(), strict=True):
            expect_true(slow.attention_like(row, matrices, H, answer), "no arrangement of these weights gives this")


@points(1, "3d", hint="token t sees itself and what came before: a change at j changes nothing before j, bit by bit")
def test_what_comes_later_changes_nothing_before(ps, rng):
    """Over generated cases: after a change of token j, earlier answers are bit-equal and all later ones differ."""
    lend_pieces(ps)
    for case in range(8):
        B, T, H = int(rng.integers(1, 4)), int(rng.integers(2, 10)), int(rng.integers(1, 4))
        x, j = normal(rng, B, T, 4 * H), int(rng.integers(T))
        y = x.clone()
        y[:, j] += (3 if case % 2 else 0.1) * normal(rng, B, 4 * H)
        if j + 1 < T:
            y[:, j + 1 :] = normal(rng, B, T - j - 1, 4 * H)
        before, after, only = ps.run(
            probes.attention_pairs,
            config(4 * H, H),
            int(rng.integers(2**31)),
            [x, y, torch.cat([x[:, :j], y[:, j : j + 1], x[:, j + 1 :]], 1)],
        )
        for each in (before, after, only):
            expect_shape(each, B, T, 4 * H)
        expect_true(torch.equal(before[:, :j], after[:, :j]), "an earlier answer saw a later token")
        changed = (only[:, j:] - before[:, j:]).abs().amax(dim=2)
        expect_true(bool((changed > 1e-12).all()), "token j is seen by itself and by every later token")


@points(
    1, "3d", hint="four maps as parts of the module, each with a gradient; rows of a batch know nothing of each other"
)
def test_attention_is_a_module_that_can_be_trained(ps, rng):
    """All weights are parameters with gradients, 4 C C numbers; a row alone gets the answers that it has in a batch."""
    lend_pieces(ps)
    for B, T, C, H in ((3, 5, 12, 3), (2, 4, 8, 2)):
        x, seed, cfg = normal(rng, B, T, C), int(rng.integers(2**31)), config(C, H, dropout=0.3)
        xs = [x[:, :2], x, x[1:2], x, non_contiguous(x)]
        short, both, alone, again, far = ps.run(probes.attention_pairs, cfg, seed, xs)
        expect_shape(both, B, T, C)
        hidden, still, numbers, training = ps.run(probes.attention_training, cfg, seed, x)
        expect_equal(hidden, 0, "the answers depend on weights that are no parameters of the module")
        expect_equal(numbers, 4 * C * C, FOUR)
        expect_equal(still, 0, "a parameter gets no gradient: is it used, and is nothing detached?")
        expect_equal(training, False, "the forward pass left evaluation mode")
        expect_close(again, both, "in evaluation mode the same input gives the same answers: no dropout, no memory")
        expect_close(short, both[:, :2], "a shorter text before it changes nothing")
        expect_close(alone, both[1:2], "a row of the batch depends on itself only")
        expect_close(far, both)
    cfg = config(48, 4, L=8)
    spreads = sorted(ps.run(probes.attention_untrained, cfg, int(rng.integers(2**31))))
    want = [0.02 / math.sqrt(2 * 8), 0.02, 0.02, 0.02]
    expect_equal(len(spreads), 4, FOUR)
    close = [abs(got / wanted - 1) < 0.1 for got, wanted in zip(spreads, want, strict=False)]
    expect_true(
        len(spreads) == 4 and all(close), "the output map starts with cfg.residual_std, the other three with 0.02"
    )


def tokens(rng, V, *shape):
    """Tokens below V, int64."""
    return torch.from_numpy(rng.integers(0, V, size=shape))


def lend_all(ps):
    """Known-good pieces of 3a to 3d."""
    lend_pieces(ps)
    ps.provide(CausalSelfAttention=lent.good_attention)


def numbers_of(cfg):
    """How many parameters the text's GPT has."""
    C, V = cfg["n_embd"], cfg["vocab_size"]
    return 2 * V * C + C + cfg["n_layer"] * (12 * C * C + 2 * C)


PARTS = "an embedding, n_layer blocks, a last RMSNorm and a head of its own, without biases and further tables"


@points(1, "3e", hint="look up the tokens, go through the blocks in order, normalise once more, and only then the head")
def test_logits_are_those_of_a_slow_transformer(ps, rng):
    """With the weights that the model was given, a transformer in NumPy gives the same logits, for all prefixes."""
    lend_all(ps)
    for B, T, cfg in ((2, 5, config(8, 2, L=3, V=11)), (1, 1, config(4, 1, L=1, V=3)), (3, 7, config(12, 3, L=2, V=5))):
        idx, V = tokens(rng, cfg["vocab_size"], B, T), cfg["vocab_size"]
        logits, blocks, rest = ps.run(probes.gpt, cfg, int(rng.integers(2**31)), idx)
        expect_shape(logits, B, T, V)
        expect_finite(logits, "NaN or infinity in the logits")
        expect_equal(len(blocks), cfg["n_layer"], "n_layer blocks, each of them a Block, in an nn.ModuleList")
        tables = [each.numpy() for each in rest if each.ndim == 2]
        gains = [each.numpy() for each in rest if each.ndim == 1]
        shapes = sorted(tuple(each.shape) for each in rest)
        expect_equal(shapes, sorted([(cfg["n_embd"],), (V, cfg["n_embd"]), (V, cfg["n_embd"])]), PARTS)
        inside = [[each.numpy() for each in block] for block in blocks]
        fits = [
            all(
                np.allclose(slow.logits(row, a, inside, gains[0], b, cfg["n_head"]), answer, rtol=1e-6, atol=1e-8)
                for row, answer in zip(idx.numpy(), logits.numpy(), strict=True)
            )
            for a, b in (tables, tables[::-1])
        ]
        expect_true(any(fits), "embedding, blocks in order, the last RMSNorm, then the head; nothing after it")


@points(1, "3e", hint="no logit may know a later token; before training, all V tokens are about equally probable")
def test_no_logit_knows_what_comes_and_an_untrained_model_knows_nothing(ps, rng):
    """A change at j leaves earlier logits bit-equal and changes the later ones; the first loss is about log V."""
    lend_all(ps)
    for _ in range(6):
        B, T, V = int(rng.integers(1, 4)), int(rng.integers(2, 12)), int(rng.integers(3, 20))
        cfg, j = config(8, 2, L=2, V=V), int(rng.integers(T))
        idx = tokens(rng, V, B, T)
        other = torch.cat([idx[:, :j], (idx[:, j : j + 1] + 1) % V, tokens(rng, V, B, T - j - 1)], dim=1)
        one = torch.cat([idx[:, :j], (idx[:, j : j + 1] + 1) % V, idx[:, j + 1 :]], dim=1)
        before, after, only = ps.run(probes.gpt_many, cfg, int(rng.integers(2**31)), [idx, other, one])
        for each in (before, after, only):
            expect_shape(each, B, T, V)
        expect_true(torch.equal(before[:, :j], after[:, :j]), "an earlier logit knew a later token")
        changed = (only[:, j:] - before[:, j:]).abs().amax(dim=2)
        expect_true(bool((changed > 1e-12).all()), "token j is known to its own logits and to all later ones")
    for V, L in ((97, 2), (513, 5)):
        idx = tokens(rng, V, 4, 12)
        logits, spreads = ps.run(probes.gpt_untrained, config(48, 4, L=L, V=V), int(rng.integers(2**31)), idx)
        expect_close(logits, torch.zeros(4, 12, V), "logits before training are small, in float32", rtol=0, atol=4.0)
        loss = (logits.double().logsumexp(-1) - logits.double().mean(-1)).mean()  # over all tokens that may come
        expect_close(float(loss), math.log(V), "the first loss is about log V: weights start small", rtol=0, atol=0.3)
        start = "table and head start with standard deviation 0.02, and blocks as they were made"
        expect_true(all(abs(spread - 1) < 0.1 for spread in spreads), start)


@points(
    1, "3e", hint="all layers are parts of the module, no more and no fewer; state_dict() holds all that was learnt"
)
def test_model_is_a_module_that_can_be_trained_saved_and_loaded(ps, rng):
    """There are as many parameters as in the text, each gets a gradient, and a copy by state_dict() says the same."""
    lend_all(ps)
    for cfg in (config(8, 2, L=3, V=11, dropout=0.3), config(12, 3, L=1, V=7)):
        idx, seed = tokens(rng, cfg["vocab_size"], 3, 5), int(rng.integers(2**31))
        both, alone, again = ps.run(probes.gpt_many, cfg, seed, [idx, idx[1:2], idx])
        expect_shape(both, 3, 5, cfg["vocab_size"])
        hidden, still, numbers, training, copy, logits = ps.run(probes.gpt_training, cfg, seed, idx)
        expect_equal(hidden, 0, "logits depend on weights that parameters() does not hold: use an nn.ModuleList")
        expect_equal(numbers, numbers_of(cfg), PARTS)
        expect_equal(still, 0, "a parameter gets no gradient: is it used, and is nothing detached?")
        expect_equal(training, False, "the forward pass left evaluation mode")
        expect_shape(logits, 3, 5, cfg["vocab_size"])
        expect_close(copy, logits, "a copy that loads the state gives the same logits")
        expect_close(alone, both[1:2], "a row of the batch depends on itself only")
        expect_close(again, both, "in evaluation mode the same input gives the same logits: dropout is off")
