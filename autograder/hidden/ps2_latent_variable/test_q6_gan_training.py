"""Question 6: one training step of linear players by hand, labels by indexing, modes by loops over samples."""

import math

import numpy as np
import torch

from autograder.hidden.ps2_latent_variable import gan_losses as oracle
from autograder.testing import expect_close, expect_true, non_contiguous, normal, points, uniform

RATES = {"G": 0.3, "D": 0.2}


def probe_steps(ns, players, rates, rounds, kind, stale=None):
    """Steps of linear players: after each, the losses, whether they hang on a graph, all weights, what reached G, and
    whether both are still in training mode with all parameters to be learnt."""
    import torch
    from torch import nn

    class Line(nn.Module):
        def __init__(self, weight, bias, push):
            super().__init__()
            self.weight, self.bias, self.push = (nn.Parameter(each.clone()) for each in (weight, bias, push))

        def forward(self, x, y=None):
            out = x @ self.weight.T + self.bias
            return out if y is None else out + y[:, None].to(x) * self.push

        def heard(self):
            return [self.training, *(p.requires_grad for p in self.parameters())]

    nets = {name: Line(*weights) for name, weights in players.items()}
    optimizers = {name: torch.optim.SGD(net.parameters(), lr=rates[name]) for name, net in nets.items()}
    arrivals = []
    nets["G"].weight.register_hook(lambda slope: arrivals.append(1))
    for net in nets.values() if stale else ():
        for parameter in net.parameters():
            parameter.grad = torch.full_like(parameter, stale)
    seen = []
    for real, z_d, z_g, y in rounds:
        labels = () if y is None else (y,)
        given = (nets["G"], nets["D"], optimizers["G"], optimizers["D"], real, z_d, z_g, kind, *labels)
        losses = ns.gan_train_step(*given)
        graphs = [isinstance(loss, torch.Tensor) and loss.requires_grad for loss in losses]
        numbers = [loss.detach() if isinstance(loss, torch.Tensor) else loss for loss in losses]
        weights = {name: [p.detach().clone() for p in net.parameters()] for name, net in nets.items()}
        kept = all(all(net.heard()) for net in nets.values())
        seen.append([numbers, any(graphs), weights, len(arrivals), kept])
        arrivals.clear()
    return seen


def fresh(rng):
    """Weight, bias and push by the label of a generator from 3 to 2 dimensions and a discriminator from 2 to 1."""
    shapes = {"G": ((2, 3), (2,), (2,)), "D": ((1, 2), (1,), (1,))}
    return {name: [normal(rng, *shape) for shape in own] for name, own in shapes.items()}


def batch(rng, labelled, B=5):
    """Real points, two batches of codes and labels; without labels the three sizes differ."""
    y = torch.from_numpy(rng.integers(0, 4, size=B)) if labelled else None
    sizes = (B, B, B) if labelled else (B, B - 2, B + 1)
    return [normal(rng, sizes[0], 2) + 1, normal(rng, sizes[1], 3), normal(rng, sizes[2], 3), y]


def line(weights, x, y):
    """A linear player in NumPy."""
    weight, bias, push = weights
    return x @ weight.T + bias + y[:, None] * push


def slopes(out, x, y):
    """Gradients of a linear player's weight, bias and push, from those of its outputs."""
    return [out.T @ x, out.sum(0), (y[:, None] * out).sum(0)]


def by_hand(players, rounds, kind, rates=RATES):
    """The losses and the weights after each round."""
    G, D = ([w.numpy().copy() for w in players[name]] for name in ("G", "D"))
    seen = []
    for real, z_d, z_g, y in rounds:
        real, z_d, z_g = real.numpy(), z_d.numpy(), z_g.numpy()
        y_r, y_d, y_g = (np.zeros(len(x)) if y is None else y.double().numpy() for x in (real, z_d, z_g))
        fake = line(G, z_d, y_d)
        r, f = line(D, real, y_r), line(D, fake, y_d)
        loss_D = oracle.real_terms(r, kind).mean() + oracle.fake_terms(f, kind).mean()
        by_real = slopes(oracle.real_slopes(r, kind) / len(r), real, y_r)
        by_fake = slopes(oracle.fake_slopes(f, kind) / len(f), fake, y_d)
        D = [w - rates["D"] * (a + b) for w, a, b in zip(D, by_real, by_fake, strict=True)]
        f = line(D, line(G, z_g, y_g), y_g)
        loss_G = oracle.generator_terms(f, kind).mean()
        through = (oracle.generator_slopes(f, kind) / len(f)) @ D[0]
        G = [w - rates["G"] * s for w, s in zip(G, slopes(through, z_g, y_g), strict=True)]
        seen.append(((loss_D, loss_G), {"G": G, "D": D}))
    return seen


def play(ps, rng, kind, labelled=False, rounds=1, stale=None):
    """What the student's step did and what it should have done, on the same draws."""
    ps.provide(d_loss=oracle.good_d_loss, g_loss=oracle.good_g_loss)
    players, batches = fresh(rng), [batch(rng, labelled) for _ in range(rounds)]
    return ps.run(probe_steps, players, RATES, batches, kind, stale), by_hand(players, batches, kind)


def expect_weights(got, want, name, hint, labelled=True):
    """A player's weights are the oracle's; its push by the label moves only where there are labels."""
    for a, b in list(zip(got[name], want[name], strict=True))[: 3 if labelled else 2]:
        expect_close(a, b, hint)


@points(1, part="6a", hint="D first, on real examples and on G(z_d); then G, on z_g, against the new D")
def test_each_player_takes_one_step_of_descent(ps, rng):
    """After one step both players are where plain gradient descent puts them, first D and then G, for every kind."""
    for kind in oracle.KINDS:
        got, want = play(ps, rng, kind)
        expect_weights(got[0][2], want[0][1], "D", "D takes one step on its own loss, and none on G's", False)
        expect_weights(got[0][2], want[0][1], "G", "G takes one step, on z_g, against the updated D", False)


@points(
    1, part="6a", hint="labels go into every call of both players; losses are those of before the updates, detached"
)
def test_labels_reach_both_players_and_losses_are_returned(ps, rng):
    """With labels, all four calls get them; the two losses are those that were minimised, scalars without a graph."""
    for kind in ("non_saturating", "wasserstein"):
        for labelled in (True, False):
            got, want = play(ps, rng, kind, labelled)
            (loss_D, loss_G), graph, weights, _, kept = got[0]
            expect_close(loss_D, float(want[0][0][0]), "first D's loss, as it was before D's update")
            expect_close(loss_G, float(want[0][0][1]), "then G's loss, against the updated D, before G's update")
            expect_true(not graph, "the losses still hang on their graphs: detach them")
            expect_true(kept, "a step leaves both networks as trainable as they were, and in training mode")
            for name in ("D", "G"):
                expect_weights(weights, want[0][1], name, "every call of a player gets the labels", labelled)


@points(1, part="6a", hint="gradients of earlier steps, and those that G's loss leaves in D, must not count")
def test_gradients_of_the_past_do_not_count(ps, rng):
    """Three steps in a row, after gradients that somebody left behind, are three clean steps of both players."""
    for kind in ("non_saturating", "hinge"):
        got, want = play(ps, rng, kind, labelled=True, rounds=3, stale=0.7)
        for now, then in zip(got, want, strict=True):
            expect_weights(now[2], then[1], "D", "gradients that were in D before its step must not count")
            expect_weights(now[2], then[1], "G", "gradients that were in G before its step must not count")


@points(1, part="6a", hint="in D's step the fakes are data: detach them, so that nothing flows back into G")
def test_no_gradient_of_the_discriminators_loss_reaches_the_generator(ps, rng):
    """In a whole step the generator receives a gradient once, from its own loss, and it is the right one."""
    for kind in ("minimax", "least_squares"):
        got, want = play(ps, rng, kind, rounds=2)
        for now, then in zip(got, want, strict=True):
            expect_true(now[3] <= 1, "D's loss was differentiated with respect to G's parameters")
            expect_weights(now[2], then[1], "G", "G learns from its own loss only", False)


def some_labels(rng, B, K, last):
    """Labels (B,): the last one is there, or it is missing from the batch."""
    y = rng.integers(0, K - 1, size=B)
    if last:
        y[int(rng.integers(B))] = K - 1
    return torch.from_numpy(y)


def probe_pull(ns, x, y, n_labels, pull):
    """The gradient by x of the weighted sum of x and its labels, None where there is none."""
    import torch

    x = x.clone().requires_grad_()
    out = ns.append_label(x, y, n_labels)
    return torch.autograd.grad((pull * out).sum(), x)[0] if out.requires_grad else None


def expect_passes(ps, x, y, K):
    """What the discriminator says of an image reaches the generator that made it."""
    pull = torch.linspace(1, 2, len(x) * (x.shape[1] + K) * x[0, 0].numel()).double()
    pull = pull.reshape(len(x), x.shape[1] + K, *x.shape[2:])
    got = ps.run(probe_pull, x, y, K, pull)
    through = "the generator learns through x: no detach, no no_grad, no NumPy"
    expect_true(got is not None, through)
    expect_close(got, pull[:, : x.shape[1]], through)


@points(1, part="6b", hint="n_labels further columns behind the vector, one of them 1, in the dtype of x")
def test_vectors_get_their_labels_as_columns(ps, rng):
    """A vector is followed by n_labels zeros and ones, also where labels are missing from the batch, in its dtype."""
    for B, D, K in ((5, 3, 4), (1, 2, 7), (3, 4, 3)):
        x, y = normal(rng, B, D), some_labels(rng, B, K, B > 1)
        want = torch.cat([x, torch.zeros(B, K, dtype=torch.float64)], dim=1)
        for i in range(B):
            want[i, D + int(y[i])] = 1.0
        expect_close(ps.append_label(non_contiguous(x), y, K), want)
        expect_close(ps.append_label(x.float(), y, K), want.float())


@points(1, part="6b", hint="n_labels further channels behind the image's, each constant over its plane; gradients pass")
def test_images_get_their_labels_as_planes(ps, rng):
    """An image is followed by n_labels constant planes, the label's one full of ones, and its gradient passes."""
    for B, C, H, W, K in ((5, 2, 3, 4, 6), (1, 1, 2, 3, 4), (3, 1, 4, 2, 3)):
        x, y = normal(rng, B, C, H, W), some_labels(rng, B, K, B > 1)
        want = torch.cat([x, torch.zeros(B, K, H, W, dtype=torch.float64)], dim=1)
        for i in range(B):
            want[i, C + int(y[i]), :, :] = 1.0
        expect_close(ps.append_label(non_contiguous(x), y, K), want)
        expect_close(ps.append_label(x.float(), y, K), want.float())
        for given in (x, x.flatten(1)):
            expect_passes(ps, given, y, K)


def count(samples, centers, r):
    """Covered modes and the share of good samples, one sample at a time."""
    found, good = set(), 0
    for x in samples.tolist():
        distances = [math.dist(x, center) for center in centers.tolist()]
        k = min(range(len(distances)), key=distances.__getitem__)
        if distances[k] <= r:
            found.add(k)
            good += 1
    return len(found), good / len(samples)


def expect_coverage(ps, samples, centers, r, hint):
    """Both numbers are those of the count."""
    got = ps.mode_coverage(samples, centers, r)
    expect_true(isinstance(got, (tuple, list)) and len(got) == 2, "two results: covered modes, share of good samples")
    covered, good = count(samples, centers, r)
    expect_close(got[0], float(covered), hint)
    expect_close(got[1], float(good), hint)


@points(1, part="6c", hint="Euclidean distance to the nearest centre; far samples cover nothing and still count in N")
def test_covered_modes_and_good_samples_are_counted(ps, rng):
    """Modes with a good sample are counted once each, and good samples as a share of all, in any dimension."""
    for K, D, r in ((5, 2, 0.5), (4, 3, 0.8), (1, 2, 1.5)):
        centers = 5 * torch.eye(6, dtype=torch.float64)[:K, :D] - 3 * torch.arange(K).double()[:, None]
        owners = torch.from_numpy(rng.integers(0, max(1, K - 1), size=23))
        samples = centers[owners] + 1.4 * r * (2 * uniform(rng, 23, D) - 1)
        corners = r * torch.tensor([[0.8, 0.8, 0.0], [0.8, 0.3, 0.0], [1.2, 0.0, 0.0]], dtype=torch.float64)[:, :D]
        samples = torch.cat([samples, centers[:1] + corners])  # in the square, out of the diamond, in the squared ball
        expect_coverage(ps, samples, centers, r, "a mode is covered by one good sample; the share is of all samples")
        far = torch.cat([samples, 100 + normal(rng, 4, D)])
        expect_coverage(ps, far, centers, r, "samples that are nearest to a mode but far from it are not good")
    expect_coverage(ps, 100 + normal(rng, 3, 2), centers, 0.1, "no good sample: nothing is covered")


@points(1, part="6c", hint="a sample belongs to its nearest centre only, and a distance of exactly r is good")
def test_overlapping_circles_share_no_sample(ps, rng):
    """Where circles overlap, a sample covers its nearest mode alone; a distance of exactly r counts."""
    centers = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.5], [40.0, 0.0]], dtype=torch.float64)
    for n in (1, 6):
        samples = centers[:1] + 0.2 * uniform(rng, n, 2)
        expect_coverage(ps, samples, centers, 2.0, "a sample in several circles belongs to the nearest centre only")
    edge = torch.tensor([[3.0, 4.0], [-30.0, 4.0]], dtype=torch.float64)
    expect_coverage(ps, edge, torch.tensor([[0.0, 0.0], [-30.0, 9.5]]).double(), 5.0, "a distance of exactly r is good")
    mixed = torch.cat([samples, edge]).float()
    expect_coverage(ps, mixed, centers.float(), 5.0, "each sample counts once, whatever it lies in")
