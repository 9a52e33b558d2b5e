"""Hidden tests of question 4. Oracles: the student's own pass without a cache, over generated ways to cut a sequence;
a count of multiplications; arrays whose bytes NumPy counts.

A mistake of question 3 that is made with and without a cache alike costs nothing here.
"""

import numpy as np
import torch

from autograder.hidden.ps4_language_models import cache_probes as probes
from autograder.hidden.ps4_language_models.lent import (
    drawn,
    good_attention,
    good_cached_attention,
    good_norm,
    good_rotate,
    good_sdpa,
)
from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_shape,
    expect_true,
    normal,
    points,
)

SAME = "with a cache, in whatever pieces, the answers are those of the whole sequence"


def config(C, H, L=1, V=11, T=24):
    """Sizes of a GPT."""
    return {"vocab_size": V, "block_size": T, "n_layer": L, "n_head": H, "n_embd": C}


def lend(ps):
    """Known-good functions of 3a to 3c, and helpers."""
    ps.provide(rotate=good_rotate, sdpa=good_sdpa, RMSNorm=good_norm, drawn=drawn, operations=probes.operations)


def seed_of(rng):
    """A seed for the worker's weights."""
    return int(rng.integers(2**31))


def ways_to_cut(rng, n):
    """Lists of piece lengths: 3 + 5 + 1, all at once, one by one, and n random ones."""
    yield from ([3, 5, 1], [6], [1] * 5, [4, 1, 1, 3])
    for _ in range(n):
        yield [int(size) for size in rng.integers(1, 6, size=rng.integers(2, 5))]


def expect_same(parts, whole, chunks):
    """Pieces (B, t, C) have the shapes of their tokens, and joined they are the whole (B, T, C)."""
    B, _, C = whole.shape
    expect_finite(whole, "NaN or infinity without a cache")
    expect_equal(len(parts), len(chunks))
    for part, size in zip(parts, chunks, strict=True):
        expect_shape(part, B, size, C)
        expect_finite(part, "NaN or infinity with a cache: does each query see at least itself?")
    expect_close(torch.cat(parts, dim=1), whole, SAME, rtol=1e-5, atol=1e-7)


@points(1, "4a", hint="keys and values, in every layer, for every token of every sequence, n_embd numbers each")
def test_bytes_are_those_of_all_keys_and_values(ps, rng):
    """The bytes are those of two arrays (B, H, T, D) per layer, for numbers of 1 to 8 bytes, 4 if not said."""
    for L, H, D in ((3, 2, 8), (1, 4, 16), (5, 1, 6)):
        cfg = config(H * D, H, L, V=int(rng.integers(5, 99)), T=512)
        for kind in (None, np.int8, np.float16, np.float64):
            B, T = int(rng.integers(1, 6)), int(rng.integers(1, 300))
            arrays = [np.empty((B, H, T, D), dtype=kind or np.float32) for _ in range(L) for _ in ("keys", "values")]
            width = () if kind is None else (np.dtype(kind).itemsize,)
            got = ps.run(bytes_of, cfg, B, T, *width)
            expect_true(isinstance(got, int) and not isinstance(got, bool), "a whole number of bytes, an int")
            expect_equal(got, sum(array.nbytes for array in arrays), "two arrays (B, H, T, D) per layer")


def bytes_of(ns, sizes, *args):
    """cache_bytes of a configuration."""
    return ns.cache_bytes(ns.GPTConfig(**sizes), *args)


@points(1, "4b", hint="new queries look at old and new keys; keys and values join along time, in their order")
def test_pieces_give_the_answers_of_the_whole_sequence(ps, rng):
    """However a sequence is cut, the pieces' answers with a cache are those of one pass without."""
    lend(ps)
    for chunks in ways_to_cut(rng, 5):
        H = int(rng.integers(1, 4))
        cfg, x = config(4 * H, H), normal(rng, int(rng.integers(1, 4)), sum(chunks), 4 * H)
        whole, parts = ps.run(probes.attention_in_chunks, cfg, seed_of(rng), x, chunks)
        expect_shape(whole, *x.shape)
        expect_same(parts, whole, chunks)


@points(
    1, "4b", hint="inside a piece the mask is causal as well: row i of T new ones sees all old keys and i + 1 new ones"
)
def test_a_piece_does_not_see_its_own_later_tokens(ps, rng):
    """After a change of the last token of a piece, all earlier answers are bit-equal, and its own differs."""
    lend(ps)
    for chunks in ([4, 5], [6], [1, 2, 3], [int(size) for size in rng.integers(2, 6, size=3)]):
        cfg, B, T = config(12, 3), 2, sum(chunks)
        x, seed = normal(rng, B, T, 12), seed_of(rng)
        y = x.clone()
        y[:, -1] = normal(rng, B, 12)
        answers = []
        for each in (x, y):
            whole, parts = ps.run(probes.attention_in_chunks, cfg, seed, each, chunks)
            expect_shape(whole, B, T, 12)
            expect_same(parts, whole, chunks)
            answers.append(torch.cat(parts, dim=1))
        expect_true(torch.equal(answers[0][:, :-1], answers[1][:, :-1]), "a new token saw a later one of its piece")
        expect_true(bool(((answers[0] - answers[1])[:, -1].abs() > 1e-12).any()), "the last token sees itself")


@points(1, "4b", hint="old tokens are not projected again: their keys and values are in the cache")
def test_only_new_tokens_are_projected(ps, rng):
    """A piece costs the four maps of its own tokens and the products with all keys and values, and nothing more."""
    lend(ps)
    for B, chunks in ((1, [7, 1, 1]), (3, [2, 9, 2, 1]), (2, [1] * 9)):
        C, H = 24, 2
        x, seed, T = normal(rng, B, sum(chunks), C), seed_of(rng), sum(chunks)
        whole, parts = ps.run(probes.attention_in_chunks, config(C, H, T=T), seed, x, chunks)
        expect_shape(whole, *x.shape)
        expect_same(parts, whole, chunks)
        counts = ps.run(probes.attention_work, config(C, H, T=T), seed, x, chunks)
        for count, size in zip(counts, chunks, strict=True):
            most = B * size * (4 * C * C + 2 * T * C)  # a buffer of block_size = T may be multiplied as a whole
            expect_true(count <= 1.2 * most, "more products than the new tokens need: are old ones projected again?")


@points(1, "4b", hint="what is remembered belongs to the dict, not to the module; without a dict nothing is remembered")
def test_memory_lives_in_the_dict_that_is_given(ps, rng):
    """Sequences in turn, each with a dict, do not mix; without a dict it is your attention of 3d, weights and all."""
    lend(ps)
    cfg = config(12, 3)
    for chunks in ([3, 1, 2], [1, 1], [2, 4]):
        xs = [normal(rng, B, sum(chunks), 12) for B in (2, 1, 3)]
        wholes, answers = ps.run(probes.attention_conversations, cfg, seed_of(rng), xs, chunks)
        for x, whole, parts in zip(xs, wholes, answers, strict=True):
            expect_shape(whole, *x.shape)
            expect_same(parts, whole, chunks)
    x = normal(rng, 2, 5, 12)
    got, plain, names, plain_names = ps.run(probes.attention_twins, cfg, seed_of(rng), x)
    expect_equal(names, plain_names, "parameters have the names that they have in CausalSelfAttention, no more")
    expect_shape(plain, 2, 5, 12)
    expect_close(got, plain, "without a cache, the attention of 3d")


def on_either_attention(ps, judge):
    """Judge the student's GPT on the student's attention or, if that fails, on a good one: 4b costs nothing in 4c."""
    lend(ps)
    try:
        judge()
    except Exception:  # whatever went wrong, it goes wrong again if 4c is to blame
        ps.provide(CausalSelfAttention=good_attention, CachedAttention=good_cached_attention)
        judge()


def tokens(rng, V, *shape):
    """Tokens below V, int64."""
    return torch.from_numpy(rng.integers(0, V, size=shape))


@points(1, "4c", hint="every layer gets its own dict and passes on the new tokens only")
def test_logits_of_pieces_are_those_of_the_whole(ps, rng):
    """However the tokens are cut, the logits with a cache are those of one pass, for models of 1 to 4 layers."""
    on_either_attention(ps, lambda: expect_pieces(ps, rng))


def expect_pieces(ps, rng):
    """Logits of pieces are those of the whole."""
    for n, chunks in enumerate(ways_to_cut(rng, 4)):
        V, H, T = int(rng.integers(2, 20)), int(rng.integers(1, 4)), sum(chunks)
        cfg, idx = config(4 * H, H, 1 + n % 4, V), tokens(rng, V, int(rng.integers(1, 4)), T)
        whole, parts = ps.run(probes.gpt_in_chunks, cfg, seed_of(rng), idx, chunks)
        expect_shape(whole, len(idx), T, V)
        expect_same(parts, whole, chunks)


@points(1, "4c", hint="a step's work grows only by the products with cached keys and values, not with all of the past")
def test_a_step_costs_one_token(ps, rng):
    """A new token costs each weight once, however long the context, plus its products with the cache."""
    on_either_attention(ps, lambda: expect_little_work(ps, rng))


def expect_little_work(ps, rng):
    """No step multiplies more than its own tokens need."""
    for B, L, chunks in ((1, 2, [12, 1, 1]), (2, 3, [5, 3, 1]), (3, 1, [1] * 8)):
        C, V, T = 24, 13, sum(chunks)
        cfg, idx, seed = config(C, 2, L, V, T), tokens(rng, V, B, T), seed_of(rng)
        whole, parts = ps.run(probes.gpt_in_chunks, cfg, seed, idx, chunks)
        expect_shape(whole, *idx.shape, V)
        expect_same(parts, whole, chunks)
        counts = ps.run(probes.gpt_work, cfg, seed, idx, chunks)
        for count, size in zip(counts, chunks, strict=True):
            most = B * size * (L * (12 * C * C + 2 * T * C) + V * C)
            expect_true(count <= 1.2 * most, "more products than the new tokens need: is the past computed again?")


@points(
    1, "4c", hint="CachedGPT is your GPT with another attention: the same parameters, the same names, the same logits"
)
def test_a_trained_model_can_be_given_a_cache(ps, rng):
    """The weights of a GPT fit, its logits stay, and several conversations in turn do not disturb each other."""
    on_either_attention(ps, lambda: expect_a_twin(ps, rng))


def expect_a_twin(ps, rng):
    """The same names and logits as the GPT without a cache, in several conversations."""
    cfg = config(8, 2, 3, 7)
    idx = tokens(rng, 7, 2, 6)
    plain, whole, steps, names, cached_names = ps.run(probes.gpt_twins, cfg, seed_of(rng), idx)
    expect_equal(cached_names, names, "state_dict() has the names of your GPT's, no more and no fewer")
    expect_shape(plain, 2, 6, 7)
    expect_close(whole, plain, "without a cache, the logits of your GPT", rtol=1e-5, atol=1e-7)
    expect_same(steps, plain, [1] * 6)
    batches = [tokens(rng, 7, B, 6) for B in (2, 1, 2)]
    wholes, logits = ps.run(probes.gpt_conversations, cfg, seed_of(rng), batches, [2, 1, 3])
    for each, parts in zip(wholes, logits, strict=True):
        expect_shape(each, each.shape[0], 6, 7)
        expect_same(parts, each, [2, 1, 3])
