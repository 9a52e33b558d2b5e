"""Hidden tests of extension 1: weights of a model that is known exactly, and the logarithm of their mean.

With the exact posterior as proposal every weight is p(x), whatever the noise; with another proposal each weight is
p(x) p(z | x) / q(z | x), from scipy's densities.
"""

import numpy as np
import torch
from scipy.special import logsumexp, softmax

from autograder.hidden.ps2_latent_variable import elbo_pieces
from autograder.hidden.ps2_latent_variable.linear_gaussian import draw_model, log_density
from autograder.testing import expect_close, expect_finite, non_contiguous, normal, points


def probe_weights(ns, W, b, s2, A, c, logvar, x, eps):
    """The student's log_weights on an affine model whose methods take plain batches only."""
    import math

    import torch

    class Affine(torch.nn.Module):
        def encode(self, x):
            return x @ A.T + c, logvar + 0 * (x @ A.T)

        def decode(self, z):
            if z.dim() != 2:
                raise ValueError(f"decode takes a batch of codes (M, L), not a tensor of shape {tuple(z.shape)}")
            return 2 * (z @ W.T + b)  # not the mean itself: x and what decode returns cannot be exchanged

        def logprob(self, x, output):
            if x.shape != output.shape:
                raise ValueError(f"logprob: x is {tuple(x.shape)}, what decode returned is {tuple(output.shape)}")
            return -0.5 * ((x - output / 2) ** 2 * math.exp(-s2) + s2 + math.log(2 * math.pi)).sum(1)

    return ns.log_weights(Affine(), x, eps)


def probe_gradient(ns, log_w, weight):
    """The gradient of the weighted sum of the bounds."""
    import torch

    log_w = log_w.clone().requires_grad_()
    return torch.autograd.grad((weight * ns.iwae_bound(log_w)).sum() + 0 * log_w.sum(), log_w)[0]


def provide_pieces(ps):
    """Known-good functions of question 1: a mistake there costs nothing here."""
    names = ("reparameterize", "kl_diag", "bernoulli_logprob", "gaussian_logprob")
    ps.provide(**{name: getattr(elbo_pieces, name) for name in names})


@points(1, part="x1a", hint="joint minus proposal, all at the sample: for the exact posterior that is p(x) everywhere")
def test_exact_posterior_gives_equal_weights(ps, rng):
    """With the exact posterior as encoder every log-weight is log p(x), however far out the sample lies."""
    provide_pieces(ps)
    for K, B, D, L in ((3, 5, 4, 2), (4, 1, 3, 3), (1, 3, 6, 1)):
        model = draw_model(rng, D, L)
        x, eps = 2 * normal(rng, B, D), 2 * normal(rng, K, B, L)
        got = ps.run(probe_weights, model.W, model.b, model.s2, *model.posterior(), x, non_contiguous(eps))
        want = np.tile(model.log_evidence(x)[:, None], (1, K))
        expect_close(got, want, rtol=1e-10, atol=1e-10)


@points(1, part="x1a", hint="row b belongs to image b and column k to its sample k; every term at that sample")
def test_each_image_has_the_weights_of_its_own_samples(ps, rng):
    """For any encoder, entry (b, k) is the weight of image b at the sample that eps[k, b] makes; also in float32."""
    provide_pieces(ps)
    K, B, D, L = 4, 3, 5, 2
    model = draw_model(rng, D, L)
    A, c, logvar = model.posterior()
    x, eps = normal(rng, B, D), normal(rng, K, B, L)
    mu, spread = x @ A.T + c, logvar + torch.tensor([0.8, -0.5]).double()
    z = mu + 0.6 + torch.exp(spread).sqrt() * eps
    ratio = log_density(z, mu, logvar) - log_density(z, mu + 0.6, spread)  # (K, B): log posterior - log proposal
    want = model.log_evidence(x)[:, None] + ratio.T
    args = (model.W, model.b, model.s2, A, c + 0.6, spread, x, eps)
    expect_close(ps.run(probe_weights, *args), want)
    single = [a.float() if isinstance(a, torch.Tensor) else a for a in args]
    expect_close(ps.run(probe_weights, *single), torch.from_numpy(want).float())


@points(1, part="x1b", hint="the logarithm of a mean, not the mean of logarithms, and a mean divides by K")
def test_bound_is_the_logarithm_of_the_mean_weight(ps, rng):
    """Each bound is log of the mean weight of its image; with one sample it is that sample's log-weight."""
    for B, K in ((5, 3), (1, 6), (3, 1)):
        log_w = 3 * normal(rng, B, K)
        want = logsumexp(log_w.numpy(), axis=1, b=1 / K)
        expect_close(ps.iwae_bound(non_contiguous(log_w)), want)
        expect_close(ps.iwae_bound(log_w.float()), torch.from_numpy(want).float())


@points(1, part="x1b", hint="weights underflow, their logarithms do not; the gradient weighs each sample by its share")
def test_bound_and_gradient_survive_tiny_weights(ps, rng):
    """With log-weights of -2000 or +2000 the bound is exact, and its gradient is the share of each weight."""
    log_w, weight = 2 * normal(rng, 4, 6), normal(rng, 4)
    for shift in (-2000.0, 2000.0):
        got = ps.iwae_bound(log_w + shift)
        expect_finite(got, "weights underflow or overflow: stay with their logarithms")
        expect_close(got, logsumexp(log_w.numpy(), axis=1) - np.log(6) + shift)
        spread = log_w + shift * torch.arange(6)  # thousands of nats within an image
        expect_close(ps.iwae_bound(spread), logsumexp(spread.numpy(), axis=1) - np.log(6))
        pull = ps.run(probe_gradient, log_w + shift, weight)
        expect_close(pull, softmax(log_w.numpy(), axis=1) * weight[:, None].numpy())
