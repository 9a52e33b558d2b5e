"""Hidden tests of x2. Oracles: loops over places and codes, gradients by hand, entropies of known shares."""

import math

import numpy as np
import torch

from autograder.testing import expect_close, expect_equal, expect_shape, expect_true, non_contiguous, normal, points


def nearest(z, codebook):
    """Indices (B, H, W) and codes (B, D, H, W), one place and one code at a time."""
    z, codes = np.asarray(z), np.asarray(codebook)
    index, chosen = np.zeros((len(z), *z.shape[2:]), dtype=np.int64), np.zeros(z.shape)
    for b, i, j in np.ndindex(*index.shape):
        index[b, i, j] = np.argmin([np.sum((z[b, :, i, j] - code) ** 2) for code in codes])
        chosen[b, :, i, j] = codes[index[b, i, j]]
    return torch.from_numpy(index), torch.from_numpy(chosen)


def draws(rng, B, D, H, W, K):
    """Vectors (B, D, H, W) and codes (K, D) of very different lengths, so that lengths matter for who is nearest."""
    return 2 * normal(rng, B, D, H, W), normal(rng, K, D) * torch.linspace(0.5, 3, K, dtype=torch.float64)[:, None]


def several(got, n):
    """A tuple of n results, or a sentence."""
    expect_true(isinstance(got, (tuple, list)) and len(got) == n, f"{n} results are asked for")
    return got


@points(1, "x2a", hint="vectors lie along dimension 1, and distances need the lengths of the codes")
def test_every_place_takes_its_nearest_code(ps, rng):
    """The index at each place is that of the code with the smallest squared distance to the vector there."""
    for sizes in ((3, 4, 2, 5, 7), (1, 2, 3, 2, 5), (2, 3, 3, 3, 3)):
        z, codebook = draws(rng, *sizes)
        index, _ = several(ps.vq_nearest(non_contiguous(z), codebook), 2)
        expect_close(index, nearest(z, codebook)[0])
        index, _ = several(ps.vq_nearest(z.float(), codebook.float()), 2)
        expect_close(index, nearest(z.float(), codebook.float())[0])


def probe_codes(ns, z, codebook, pull):
    """The chosen codes and the gradient (K, D) of sum(pull * codes) in the codebook."""
    codebook = codebook.clone().requires_grad_()
    _, z_q = ns.vq_nearest(z, codebook)
    if not z_q.requires_grad:
        return z_q, None
    return z_q.detach(), torch.autograd.grad((pull * z_q).sum(), codebook)[0]


@points(1, "x2a", hint="the codes go back to the places of their vectors, and stay connected to the codebook")
def test_codes_stand_where_their_vectors_stood(ps, rng):
    """The second result holds the chosen code at each place, and its gradient reaches exactly the chosen codes."""
    for sizes in ((3, 4, 2, 5, 7), (1, 2, 3, 2, 5)):
        z, codebook = draws(rng, *sizes)
        pull, (index, want) = normal(rng, *z.shape), nearest(z, codebook)
        expect_shape(several(ps.vq_nearest(z, codebook), 2)[1], *z.shape)
        z_q, grad = ps.run(probe_codes, z, codebook, pull)
        expect_close(z_q, want)
        by_hand = torch.zeros_like(codebook)
        by_hand.index_add_(0, index.flatten(), pull.permute(0, 2, 3, 1).reshape(-1, sizes[1]))
        expect_close(grad, by_hand, "the chosen codes have a gradient, the others none")


def probe_through(ns, z_e, z_q, pull):
    """The result, and the gradients of sum(pull * result) in z_e and z_q, None where there is no path."""
    z_e, z_q = z_e.clone().requires_grad_(), z_q.clone().requires_grad_()
    out = ns.straight_through(z_e, z_q)
    grads = [None, None]
    if out.requires_grad:
        grads = torch.autograd.grad((pull * out).sum(), (z_e, z_q), allow_unused=True)
    return out.detach(), list(grads)


def expect_no_gradient(grad, hint):
    """None or zeros."""
    expect_true(grad is None or not bool(grad.any()), hint)


@points(1, "x2b", hint="forward z_q, backward the identity to z_e: what has to be detached?")
def test_straight_through_is_the_code_forward_and_the_identity_backward(ps, rng):
    """The values are those of z_q; z_e gets the gradient unchanged and z_q gets none."""
    for shape in ((3, 4, 2, 5), (1, 2, 3, 3)):
        z_e, z_q, pull = (normal(rng, *shape) for _ in range(3))
        out, (to_e, to_q) = ps.run(probe_through, z_e, z_q, pull)
        expect_close(out, z_q)
        expect_close(to_e, pull)
        expect_no_gradient(to_q, "no gradient of the decoder reaches the codes")


def probe_losses(ns, z_e, z_q, beta):
    """Both losses, and the gradients of their sums in (z_e, z_q)."""
    z_e, z_q = z_e.clone().requires_grad_(), z_q.clone().requires_grad_()
    losses = ns.vq_losses(z_e, z_q, beta)
    grads = [torch.autograd.grad(each.sum(), (z_e, z_q), allow_unused=True) for each in losses]
    return [each.detach() for each in losses], [list(pair) for pair in grads]


@points(1, "x2b", hint="beta belongs to the commitment; each term moves one side, so detach the other")
def test_each_loss_moves_its_own_side(ps, rng):
    """Both are squared distances per example; the first moves codes only, the second, times beta, the encoder only."""
    for shape, beta in (((3, 4, 2, 5), 0.25), ((1, 2, 3, 3), 1.5), ((4, 3), 0.0)):
        z_e, z_q = normal(rng, *shape), normal(rng, *shape)
        want = ((z_e - z_q) ** 2).flatten(1).sum(1)
        losses, grads = several(ps.run(probe_losses, z_e, z_q, beta), 2)
        expect_equal(len(losses), 2, "two losses, one for the codes and one for the encoder")
        expect_close(losses[0], want)
        expect_close(losses[1], beta * want)
        expect_no_gradient(grads[0][0], "the codebook loss does not move the encoder")
        expect_close(grads[0][1], 2 * (z_q - z_e))
        expect_close(grads[1][0], 2 * beta * (z_e - z_q))
        expect_no_gradient(grads[1][1], "the commitment loss does not move the codes")


def good_vq_nearest(z, codebook):
    """Indices and codes, by all differences."""
    away = z.movedim(1, -1).unsqueeze(-2) - codebook
    index = (away * away).sum(-1).argmin(-1)
    return index, codebook[index].movedim(-1, 1)


def good_vq_losses(z_e, z_q, beta=0.25):
    """Codebook loss and beta times the commitment loss."""
    follow = torch.stack([((e.detach() - q) ** 2).sum() for e, q in zip(z_e, z_q, strict=True)])
    commit = torch.stack([((e - q.detach()) ** 2).sum() for e, q in zip(z_e, z_q, strict=True)])
    return follow, beta * commit


def good_straight_through(z_e, z_q):
    """z_q forward, the identity backward."""
    return z_q.detach() + z_e - z_e.detach()


def probe_quantise(ns, z, codebook, beta, pull):
    """All results, and the gradients in (z, codebook) of sum(pull * out) and of the loss."""
    z, codebook = z.clone().requires_grad_(), codebook.clone().requires_grad_()
    out, loss, index = ns.quantise(z, codebook, beta)
    grads = []
    for each in ((pull * out).sum(), loss.sum()):
        grads += torch.autograd.grad(each, (z, codebook), retain_graph=True, allow_unused=True)
    return out.detach(), loss.detach(), index, grads


@points(
    1, "x2b", hint="the losses compare the encoder's output with the codes themselves, before the straight-through step"
)
def test_quantise_trains_encoder_and_codes(ps, rng):
    """The decoder gets the codes, the encoder the decoder's gradient, and the codes their own, from the loss."""
    ps.provide(vq_nearest=good_vq_nearest, vq_losses=good_vq_losses, straight_through=good_straight_through)
    for sizes, beta in (((3, 4, 2, 5, 7), 0.25), ((1, 2, 3, 2, 5), 2.0)):
        z, codebook = draws(rng, *sizes)
        pull, (index, z_q) = normal(rng, *z.shape), nearest(z, codebook)
        got = several(ps.run(probe_quantise, z, codebook, beta, pull), 4)
        expect_close(got[0], z_q)
        expect_close(got[1], (1 + beta) * ((z - z_q) ** 2).sum((1, 2, 3)))
        expect_close(got[2], index)
        out_z, out_codes, loss_z, loss_codes = got[3]
        expect_close(out_z, pull)
        expect_no_gradient(out_codes, "the decoder's gradient passes the codes by")
        expect_close(loss_z, 2 * beta * (z - z_q))
        by_hand = torch.zeros_like(codebook)
        by_hand.index_add_(0, index.flatten(), 2 * (z_q - z).permute(0, 2, 3, 1).reshape(-1, sizes[1]))
        expect_close(loss_codes, by_hand)


@points(1, "x2c", hint="keep gamma of the old, add 1 - gamma of this batch, for counts and sums alike; then divide")
def test_codes_are_running_means(ps, rng):
    """Counts and sums move by 1 - gamma towards those of the batch, codes are quotients, unused codes stay."""
    for M, K, D, gamma, size in ((9, 4, 3, 0.9, 0.5), (1, 3, 2, 0.5, 1e-4), (6, 2, 5, 0.05, 0.5)):
        counts, old = size * torch.arange(1, K + 1).double(), normal(rng, K, D)
        sums, vectors = counts[:, None] * old, normal(rng, M, D)
        index = torch.from_numpy(rng.integers(0, K - 1, M))
        want_counts, want_sums = gamma * counts, gamma * sums
        for k, vector in zip(index.tolist(), vectors, strict=True):
            want_counts[k] += 1 - gamma
            want_sums[k] += (1 - gamma) * vector
        new_counts, new_sums, codes = several(ps.ema_update(counts, sums, non_contiguous(vectors), index, gamma), 3)
        expect_close(new_counts, want_counts)
        expect_close(new_sums, want_sums)
        expect_close(codes, want_sums / want_counts[:, None])
        expect_close(codes[-1], old[-1], "a code that nobody chose stays where it is")


@points(1, "x2c", hint="shares of all K codes, natural logarithms, and nothing from codes that are not in use")
def test_perplexity_counts_the_codes_in_use(ps, rng):
    """K equally frequent codes have perplexity K, one code 1; in general it is the exponential of the entropy."""
    for K in (3, 5):
        order = torch.from_numpy(rng.permutation(np.repeat(np.arange(K), 4)))
        expect_close(ps.code_perplexity(order.reshape(2, 2, K), K), float(K), rtol=1e-5)
        expect_close(ps.code_perplexity(order, K + 4), float(K), "codes that are not in use add nothing", rtol=1e-5)
        expect_close(ps.code_perplexity(torch.full((2, 3), K - 1), K), 1.0, rtol=1e-5)
    times = rng.integers(1, 9, 6)
    shares = times / times.sum()
    index = torch.from_numpy(rng.permutation(np.repeat(np.arange(6), times)))
    want = math.exp(-float(np.sum(shares * np.log(shares))))
    expect_close(ps.code_perplexity(index, 7), want, rtol=1e-5)
