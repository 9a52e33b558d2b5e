"""Question x3. Oracles: pixel by pixel loops, sines and cosines of numbers, a block of known parts in NumPy.

The parts of a student's block are replaced by simple maps, so that its wiring can be computed here.
"""

import math

import numpy as np
import torch
from scipy import stats

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_shape,
    expect_tensor,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
)

SIZES = ((2, 3, 4, 6, 2), (1, 1, 6, 3, 3), (3, 2, 2, 8, 2), (2, 1, 5, 4, 1))


def tokens_of(x, p):
    """Pixel by pixel."""
    B, C, H, W = x.shape
    out = torch.zeros(B, (H // p) * (W // p), C * p * p, dtype=x.dtype)
    for c, h, w in np.ndindex(C, H, W):
        out[:, (h // p) * (W // p) + w // p, c * p * p + (h % p) * p + w % p] = x[:, c, h, w]
    return out


@points(1, "x3a", hint="rows and columns of the grid first, then channel, row and column inside a patch")
def test_patches_are_read_line_by_line(ps, rng):
    """Token i W/p + j holds channel, row and column of the patch in row i and column j of the grid."""
    for *shape, p in SIZES:
        x = normal(rng, *shape)
        expect_close(ps.patchify(x, p), tokens_of(x, p))
        expect_close(ps.patchify(non_contiguous(x.float()), p), tokens_of(x, p).float())


@points(1, "x3a", hint="the grid has H / p rows and W / p columns; do not swap them")
def test_tokens_return_to_their_places(ps, rng):
    """Unpatchify puts every pixel of every token back, also where height and width differ."""
    for *shape, p in SIZES:
        x = normal(rng, *shape)
        expect_close(ps.unpatchify(tokens_of(x, p), p, *shape[2:]), x)
        expect_close(ps.unpatchify(non_contiguous(tokens_of(x, p).float()), p, *shape[2:]), x.float())


def codes(t, D):
    """Cosines and sines, entry by entry."""
    F = D // 2
    angle = np.array([[float(s) * 10000 ** (-i / F) for i in range(F)] for s in t])
    return np.cos(angle), np.sin(angle)


def expect_code(got, t, D, dtype):
    """Cosines and sines, either half first; frequencies may be float32 numbers, whatever the times are."""
    expect_shape(got, len(t), D)
    expect_equal(str(got.dtype), str(dtype), "the code of real times has their dtype, that of whole ones is float32")
    cos, sin = (torch.from_numpy(half).to(dtype) for half in codes(t, D))
    first = torch.cat([cos, sin], 1) if torch.allclose(got[:, : D // 2], cos, atol=1e-3) else torch.cat([sin, cos], 1)
    expect_close(got, first, rtol=1e-3, atol=3e-4)


@points(0.5, "x3b", hint="frequencies 10000 to the power -i / F for F = D / 2 clocks, the first of which is 1")
def test_hands_of_the_clocks_are_where_they_should_be(ps, rng):
    """Every clock's cosine and sine is that of its frequency times t, for real times."""
    for B, D in ((4, 6), (1, 2), (3, 10)):
        t = 900 * uniform(rng, B)
        expect_code(ps.timestep_embedding(t, D), t.tolist(), D, torch.float64)
        t = uniform(rng, B).float()
        expect_code(ps.timestep_embedding(t, D), t.tolist(), D, torch.float32)


@points(0.5, "x3b", hint="whole numbers are times too: compute angles as real numbers, one row for each time")
def test_whole_times_have_real_codes(ps, rng):
    """Whole times give float32 codes that differ from time to time, also where B is D / 2."""
    for B, D in ((3, 6), (5, 4), (1, 8)):
        t = torch.from_numpy(rng.permutation(199)[:B] + 1)
        got = ps.timestep_embedding(t, D)
        expect_tensor(got)
        expect_equal(str(got.dtype), "torch.float32", "the code of a whole number is float32")
        expect_code(got, t.tolist(), D, torch.float32)


@points(
    1, "x3c", hint="(1 + scale) x + shift: one scale and one shift for an example and a channel, for all its tokens"
)
def test_scales_count_from_one(ps, rng):
    """Each channel of each example is scaled by 1 + scale and shifted, the same for all tokens."""
    for B, N, D in ((3, 5, 4), (1, 2, 3), (4, 4, 4), (2, 3, 2)):
        x, shift, scale = normal(rng, B, N, D), normal(rng, B, D), normal(rng, B, D)
        want = x.clone()
        for b, n, d in np.ndindex(B, N, D):
            want[b, n, d] = (1 + scale[b, d]) * x[b, n, d] + shift[b, d]
        expect_close(ps.modulate(non_contiguous(x), shift, scale), want)
        expect_close(ps.modulate(x.float(), shift.float(), scale.float()), want.float())
        expect_close(ps.modulate(x, 0 * shift, 0 * scale), x, "no shift and no scale change nothing")


def good_modulate(x, shift, scale):
    return x + scale.unsqueeze(1) * x + shift.unsqueeze(1)


def probe_block(ns, weight, bias, mix, gain, h, c):
    """A block with known weights of ada, and linear maps for attention (over tokens) and mlp (over channels)."""
    D = h.shape[2]
    block = ns.DiTBlock(D, 1, c.shape[1]).to(h.dtype)

    class Mix(torch.nn.Module):
        def __init__(self, matrix, over_tokens):
            super().__init__()
            self.matrix, self.over_tokens = matrix, over_tokens

        def forward(self, x):
            return self.matrix @ x if self.over_tokens else torch.tanh(x) @ self.matrix

    block.attention, block.mlp = Mix(mix, True), Mix(gain, False)
    with torch.no_grad():
        block.ada.weight.copy_(weight)
        block.ada.bias.copy_(bias)
        return block(h, c)


def by_hand(weight, bias, mix, gain, h, c, eps):
    """The same block in NumPy."""
    weight, bias, mix, gain, h, c = (each.numpy() for each in (weight, bias, mix, gain, h, c))
    b1, s1, g1, b2, s2, g2 = (each[:, None] for each in np.split(c / (1 + np.exp(-c)) @ weight.T + bias, 6, axis=1))

    def norm(x):
        return (x - x.mean(2, keepdims=True)) / np.sqrt(x.var(2, keepdims=True) + eps)

    h = h + g1 * (mix @ ((1 + s1) * norm(h) + b1))
    return h + g2 * (np.tanh((1 + s2) * norm(h) + b2) @ gain)


def distance(got, want):
    """How far a block's tokens are from those by hand; infinite where they cannot be compared."""
    comparable = isinstance(got, torch.Tensor) and got.shape == want.shape and got.is_floating_point()
    return np.abs(got.numpy() - want).max() if comparable and bool(got.isfinite().all()) else math.inf


@points(1, "x3c", hint="shift, scale and gate of attention, then of the mlp, from ada(silu(c)); each branch is added")
def test_condition_turns_all_six_knobs(ps, rng):
    """With known parts, the block is the formula: modulated norms, gated branches, in the order of the text."""
    ps.provide(modulate=good_modulate)
    for B, N, D, C in ((3, 4, 6, 5), (1, 3, 4, 2), (2, 2, 2, 3)):
        weight, bias, mix = 0.5 * normal(rng, 6 * D, C), 0.5 * normal(rng, 6 * D), normal(rng, N, N)
        gain, h, c = normal(rng, D, D), normal(rng, B, N, D), normal(rng, B, C)
        known = (weight, bias, mix, gain, h, c)
        got, wanted = ps.run(probe_block, *known), [by_hand(*known, eps) for eps in (1e-5, 1e-6)]
        nearest = min(wanted, key=lambda want: distance(got, want))
        expect_close(got, nearest, rtol=1e-5, atol=1e-7)


REGISTER = "make them attributes, in an nn.Sequential or an nn.ModuleList, and not a list or plain tensors"


def probe_fresh(ns, width, heads, condition, h, c, pull):
    """Parts without parameters; a new block's output, what moves in the first step, what open gates do, its state."""
    torch.manual_seed(5)
    block = ns.DiTBlock(width, heads, condition).double().eval()
    lost = ["attention", "mlp", "ada"]
    lost = [part for part in lost if not any(name.startswith(part) for name, _ in block.named_parameters())]
    if lost:
        return [lost]
    out = block(h, c)
    moves = {}
    if out.requires_grad:
        (out * pull).sum().backward()
        for name, parameter in block.named_parameters():
            moves[name] = 0.0 if parameter.grad is None else float(parameter.grad.abs().max())
    gate = block.ada.weight.grad
    parts = [] if gate is None else [float(part.abs().max()) for part in gate.chunk(6)]
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.normal_(std=0.3)
        before = h.clone()
        first = block(h, c)
        kept = [bool(block.training), float((h - before).abs().max())]
        h = before
        turned = block(h.flip(1), c)
        alone = block(h[:1], c[:1])
        further = h.clone()
        further[:, -1] *= -1
        reached = (block(further, c) - first)[:, 0].abs().max()
        mlp = [block.mlp(h), *[each.clone() for each in block.mlp.parameters()]]
    return [lost, kept, out.detach(), moves, parts, first, turned, alone, float(reached), mlp]


def expect_mlp(mlp, h):
    """Two linear layers, wider by 4 in between, with a GELU (exact or by tanh) between them."""
    out, *weights = mlp
    D = h.shape[2]
    by_shape = {tuple(each.shape): each.numpy() for each in weights}
    wanted = {(4 * D, D), (4 * D,), (D, 4 * D), (D,)}
    expect_true(set(by_shape) == wanted and len(weights) == 4, "the mlp has two linear layers and is 4 times as wide")
    inner = h.numpy() @ by_shape[4 * D, D].T + by_shape[(4 * D,)]
    want = inner * stats.norm.cdf(inner) @ by_shape[D, 4 * D].T + by_shape[(D,)]
    expect_close(out, want, "the GELU of the mlp stands between its two layers", rtol=1e-2, atol=1e-2)


@points(1, "x3c", hint="ada starts at zero, so that all gates are shut; and the gates are what learns first")
def test_fresh_block_is_the_identity_and_can_learn(ps, rng):
    """A new block changes nothing, its gates get the first gradients, and open it is a transformer over all tokens."""
    ps.provide(modulate=good_modulate)
    for B, N, width, heads, condition in ((3, 4, 8, 2, 5), (2, 3, 4, 1, 6)):
        h, c, pull = normal(rng, B, N, width), normal(rng, B, condition), normal(rng, B, N, width)
        lost, *found = ps.run(probe_fresh, width, heads, condition, h, c, pull)
        expect_true(not lost, f"layers of {', '.join(lost)} are no parameters of the block: {REGISTER}")
        (training, moved), fresh, moves, parts, first, turned, alone, reached, mlp = found
        expect_true(not training, "forward left evaluation mode: only the training loop calls train()")
        expect_true(moved == 0, "the given tokens have changed: write h = h + ..., not h += ...")
        expect_close(fresh, h, "a new block is the identity: weights and biases of ada are zero")
        expect_equal(len(parts), 6, "ada has six vectors for each example, and learns")
        expect_true(min(parts[2], parts[5]) > 1e-8, "the gates of both branches get a gradient in the first step")
        shut = [move for name, move in moves.items() if not name.startswith("ada")]
        expect_true(
            len(shut) >= 6 and max([*shut, parts[0], parts[1], parts[3], parts[4]]) < 1e-12,
            "behind shut gates nothing else learns in the first step; branches have parameters of their own",
        )
        expect_true(not any(name.startswith("norm") for name in moves), "the norms have no parameters of their own")
        expect_close(turned, first.flip(1), "without positions, tokens in another order give the same in that order")
        expect_close(alone, first[:1], "examples do not look at each other")
        expect_mlp(mlp, h)
        expect_true(reached > 1e-6, "attention lets every token see every other one")
