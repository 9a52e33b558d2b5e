"""Question 5: adversarial losses. Oracles: NumPy term by term, divergences on a finite support, zero-sum identities."""

import numpy as np
import torch
from scipy.spatial.distance import jensenshannon

from autograder.hidden.ps2_latent_variable import gan_losses as oracle
from autograder.testing import (
    expect_close,
    expect_finite,
    expect_shape,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
)

LOST = "the loss must hang on all of its logits: no detach and no item in it, nothing built from plain numbers"


def probe_slopes(ns, name, logits, *kind):
    """A loss and its gradients by each of the tensors of logits, None where there is no path; the logits after it."""
    import torch

    leaves = [a.clone().requires_grad_() for a in logits]
    given = [a.clone() for a in leaves]  # no leaves, as what a network returns
    loss = getattr(ns, name)(*given, *kind)
    slopes = [None for _ in leaves]
    if loss.requires_grad:
        slopes = torch.autograd.grad(loss.sum(), leaves, allow_unused=True)
    return [loss.detach(), *slopes], [a.detach() for a in given]


def probe_support(ns, logits, real_counts, fake_counts, kind):
    """The discriminator's loss on points of a finite support, each with its count, and the slope by each logit."""
    import torch

    logits = logits.clone().requires_grad_()
    loss = ns.d_loss(logits.repeat_interleave(real_counts), logits.repeat_interleave(fake_counts), kind)
    return [loss.detach(), torch.autograd.grad(loss.sum(), logits)[0]]


def run_slopes(ps, name, logits, *kind):
    """A loss and its gradients, or a sentence: that a gradient is lost, that logits were written into."""
    (loss, *slopes), after = ps.run(probe_slopes, name, logits, *kind)
    expect_true(all(slope is not None for slope in slopes), LOST)
    for left, given in zip(after, logits, strict=True):
        expect_true(torch.equal(left, given), "the logits are needed again: do not write into them")
    return loss, *slopes


def scores(rng, *shape):
    """Scores on both sides of every threshold of the table, none of them on one."""
    return 2 * normal(rng, *shape) + 0.3


def support(rng):
    """Counts of 5 points among real and among fake examples, and the two distributions they are."""
    real, fake = (torch.from_numpy(rng.integers(1, 6, size=5)) for _ in range(2))
    fake[0] = real[0] + 3
    return real, fake, (real / real.sum()).double().numpy(), (fake / fake.sum()).double().numpy()


@points(1, part="5a", hint="go through the table: who wants which logits to be large, and what is averaged over what")
def test_discriminator_pays_its_column_of_the_table(ps, rng):
    """For every kind the loss is the table's: the mean over real logits plus the mean over fake ones."""
    for kind in oracle.KINDS:
        for n_real, n_fake in ((5, 3), (2, 7)):
            one, other = scores(rng, n_real), scores(rng, n_fake)
            for real, fake in ((one, other), (other, one)):
                want = oracle.real_terms(real.numpy(), kind).mean() + oracle.fake_terms(fake.numpy(), kind).mean()
                expect_close(ps.d_loss(real, fake, kind), float(want), f"compare with the table's row for {kind}")
        pair = [10 * scores(rng, 4), 10 * scores(rng, 3)]  # a critic's scores have no bounds
        loss, by_real, by_fake = run_slopes(ps, "d_loss", pair, kind)
        real, fake = (logits.numpy() for logits in pair)
        want = oracle.real_terms(real, kind).mean() + oracle.fake_terms(fake, kind).mean()
        expect_close(loss, float(want), f"compare with the table's row for {kind}")
        expect_close(by_real, oracle.real_slopes(real, kind) / 4, f"{kind}: its slope by the real logits")
        expect_close(by_fake, oracle.fake_slopes(fake, kind) / 3, f"{kind}: its slope by the fake logits")


@points(1, part="5a", hint="never form the probability: at logit 200 it rounds to 1, and its complement to 0")
def test_sure_discriminators_have_finite_losses_and_slopes(ps, rng):
    """With logits up to 200 in size, on the right or on the wrong side, loss and slopes are exact, also in float32."""
    for dtype in (torch.float64, torch.float32):
        for real_sign, fake_sign in ((-1, 1), (1, 1), (-1, -1)):
            real, fake = real_sign * (60 + 140 * uniform(rng, 3)), fake_sign * (60 + 140 * uniform(rng, 2))
            for kind in ("minimax", "non_saturating"):
                pair = [real.to(dtype), fake.to(dtype)]
                loss, by_real, by_fake = run_slopes(ps, "d_loss", pair, kind)
                expect_finite(loss, "never form the probability: at logit 200 it rounds to 1, and its complement to 0")
                want = oracle.real_terms(real.numpy(), kind).mean() + oracle.fake_terms(fake.numpy(), kind).mean()
                expect_close(loss, torch.tensor(want, dtype=dtype))
                expect_close(by_real, torch.from_numpy(oracle.real_slopes(real.numpy(), kind) / 3).to(dtype))
                expect_close(by_fake, torch.from_numpy(oracle.fake_slopes(fake.numpy(), kind) / 2).to(dtype))


@points(1, part="5a", hint="your loss has to be smallest for the best discriminator, and tell p from q")
def test_best_discriminator_pays_the_divergence(ps, rng):
    """On a finite support the best logits have slope zero and the loss 2 ln 2 - 2 JSD, or its kind's analogue."""
    real, fake, p, q = support(rng)
    best = torch.from_numpy(np.log(p) - np.log(q))
    for kind in ("minimax", "non_saturating"):
        loss, slopes = ps.run(probe_support, best, real, fake, kind)
        expect_close(loss, float(2 * np.log(2) - 2 * jensenshannon(p, q) ** 2))
        expect_close(slopes, np.zeros(5), "the logit log p/q must be the discriminator's best answer")
    loss, slopes = ps.run(probe_support, torch.from_numpy(p / (p + q)), real, fake, "least_squares")
    expect_close(loss, float(0.5 * (p * q / (p + q)).sum()))
    expect_close(slopes, np.zeros(5), "least squares: the score p / (p + q) must be the discriminator's best answer")
    loss = ps.run(probe_support, torch.from_numpy(np.sign(p - q)), real, fake, "hinge")[0]
    expect_close(loss, float(2 - np.abs(p - q).sum()), "hinge: the best scores are -1 and 1")
    loss, slopes = ps.run(probe_support, best, real, fake, "wasserstein")
    expect_close(slopes, q - p, "Wasserstein: the loss is linear in the scores")


@points(1, part="5a", hint="a scalar, whatever the shapes; each of the two means is over all of its own logits")
def test_discriminator_logits_may_have_any_shape(ps, rng):
    """Logits as a column, as maps, strided, of one example, in float32, and in unlike shapes give one scalar."""
    shapes = (((4, 1), (3,)), ((1, 1), (1, 1)), ((2, 1, 3, 4), (5, 1, 2, 2)), ((3,), (3, 1)))
    for kind in oracle.KINDS:
        for real_shape, fake_shape in shapes:
            real, fake = scores(rng, *real_shape), scores(rng, *fake_shape)
            want = oracle.real_terms(real.numpy(), kind).mean() + oracle.fake_terms(fake.numpy(), kind).mean()
            got = ps.d_loss(non_contiguous(real), non_contiguous(fake), kind)
            expect_shape(got)
            expect_close(got, torch.tensor(want))
            expect_close(ps.d_loss(real.float(), fake.float(), kind), torch.tensor(want).float())


@points(1, part="5b", hint="go through the table; minimax and non-saturating differ in more than a sign")
def test_generator_pays_its_column_of_the_table(ps, rng):
    """For every kind the loss is the table's mean over the generator's own logits."""
    for kind in oracle.KINDS:
        for n in (5, 2):
            fake = scores(rng, n)
            want = float(oracle.generator_terms(fake.numpy(), kind).mean())
            expect_close(ps.g_loss(fake, kind), want, f"compare with the table's row for {kind}")


@points(1, part="5b", hint="log(1 - sigma(a)) is -softplus(a): it must not become -infinity where a is large")
def test_generators_losses_are_finite_for_sure_logits(ps, rng):
    """With logits up to 200 in size of either sign, the generator's loss and slopes are exact, also in float32."""
    for dtype in (torch.float64, torch.float32):
        for sign in (-1, 1):
            fake = sign * (60 + 140 * uniform(rng, 3))
            for kind in ("minimax", "non_saturating"):
                loss, slopes = run_slopes(ps, "g_loss", [fake.to(dtype)], kind)
                expect_finite(loss, "log(1 - sigma(a)) is -softplus(a): it must not become -infinity where a is large")
                expect_close(loss, torch.tensor(oracle.generator_terms(fake.numpy(), kind).mean(), dtype=dtype))
                expect_close(slopes, torch.from_numpy(oracle.generator_slopes(fake.numpy(), kind) / 3).to(dtype))


@points(1, part="5b", hint="compare the slopes: the push of minimax dies where the discriminator is sure of a fake")
def test_slopes_push_every_fake_as_its_game_says(ps, rng):
    """Each logit's slope is its game's: dying for sure fakes in minimax, for sure successes in non-saturating."""
    for kind in oracle.KINDS:
        fake = torch.cat([scores(rng, 3), torch.tensor([-12.0, 12.0], dtype=torch.float64)])
        if kind not in ("minimax", "non_saturating"):
            fake[-2:] *= 10  # a critic's scores have no bounds
        _, slopes = run_slopes(ps, "g_loss", [fake], kind)
        want = oracle.generator_slopes(fake.numpy(), kind) / 5
        expect_close(slopes, want, f"compare with the derivative of the table's row for {kind}")


@points(1, part="5b", hint="a scalar, the mean over all logits of any shape")
def test_generator_logits_may_have_any_shape(ps, rng):
    """A column, maps, strided logits, a single one and float32 give one scalar: the mean over all of them."""
    for kind in oracle.KINDS:
        for shape in ((4, 1), (1, 1), (1,), (2, 1, 3, 4)):
            fake = scores(rng, *shape)
            want = torch.tensor(oracle.generator_terms(fake.numpy(), kind).mean())
            expect_close(ps.g_loss(non_contiguous(fake), kind), want)
            expect_close(ps.g_loss(fake.float(), kind), want.float())
