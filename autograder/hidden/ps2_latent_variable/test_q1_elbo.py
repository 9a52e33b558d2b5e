"""Hidden tests of question 1: the pieces of the ELBO, against torch.distributions, scipy and loops."""

import numpy as np
import torch
from scipy.stats import norm
from torch.distributions import Independent, Normal, kl_divergence

from autograder.testing import (
    expect_close,
    expect_finite,
    non_contiguous,
    normal,
    points,
    uniform,
    untouched,
)

BARE = "nothing but the formula: a sure encoder's variances are tiny, and no floor or clamp belongs there"


def probe_gradients(ns, mu, logvar, eps, weight):
    """Gradients of the weighted sum of the samples, with respect to mu and logvar; zeros where nothing flows."""
    import torch

    parameters = [mu.clone().requires_grad_(), logvar.clone().requires_grad_()]
    z = ns.reparameterize(*parameters, eps)
    nothing = 0 * (parameters[0].sum() + parameters[1].sum())
    return list(torch.autograd.grad((weight * z).sum() + nothing, parameters))


def probe_slopes(ns, name, *given):
    """Gradients of the sum of what a function returns by each of its arguments; zeros where nothing flows."""
    import torch

    leaves = [each.clone().requires_grad_() for each in given]
    nothing = 0 * sum(leaf.sum() for leaf in leaves)
    return list(torch.autograd.grad(getattr(ns, name)(*leaves).sum() + nothing, leaves))


def probe_pull(ns, x, logits):
    """The gradient of the Bernoulli log-likelihood with respect to the logits."""
    import torch

    logits = logits.clone().requires_grad_()
    return torch.autograd.grad(ns.bernoulli_logprob(x, logits).sum(), logits)[0]


def gaussians(rng, B, L):
    """Means and log-variances (B, L), the variances far from one another and from 1."""
    return 2 * normal(rng, B, L), 1.5 * normal(rng, B, L)


def divergence(mu1, logvar1, mu2, logvar2):
    """KL (B,) by torch.distributions."""
    q = Independent(Normal(mu1, (logvar1 / 2).exp()), 1)
    return kl_divergence(q, Independent(Normal(mu2, (logvar2 / 2).exp()), 1))


def gaussian(x, mean, logvar):
    """Log-likelihoods (B,) of independent normal values by torch.distributions."""
    return Normal(mean, (logvar / 2).exp()).log_prob(x).flatten(1).sum(1)


def expect_slopes(ps, name, oracle, *given):
    """The function is differentiable by all of its arguments."""
    leaves = [each.clone().requires_grad_() for each in given]
    want = torch.autograd.grad(oracle(*leaves).sum(), leaves)
    for got, exact in zip(ps.run(probe_slopes, name, *given), want, strict=True):
        expect_close(got, exact, "networks learn through every one of the arguments: no detach, no no_grad")


def coins(x, logits):
    """Bernoulli log-likelihoods (B,), pixel by pixel: log sigma(a) is -log(1 + exp(-a))."""
    x, a = x.double().numpy(), logits.double().numpy()
    pixels = -x * np.logaddexp(0, -a) - (1 - x) * np.logaddexp(0, a)
    return np.array([image.sum() for image in pixels])


@points(
    1, part="1a", hint="logvar is the logarithm of the variance; every example and every dimension has its own noise"
)
def test_noise_is_scaled_by_the_standard_deviation_and_shifted(ps, rng):
    """Each sample is the mean plus the standard deviation times its own noise, also with several samples each."""
    for B, L in ((5, 3), (1, 4), (3, 1)):
        (mu, logvar), eps = gaussians(rng, B, L), normal(rng, B, L)
        want = np.asarray(mu) + np.sqrt(np.exp(np.asarray(logvar))) * np.asarray(eps)
        expect_close(ps.reparameterize(non_contiguous(mu), logvar, non_contiguous(eps)), want)
    (mu, logvar), eps = gaussians(rng, 3, 2), normal(rng, 4, 3, 2)
    want = torch.stack([mu + logvar.exp().sqrt() * e for e in eps])
    expect_close(ps.reparameterize(mu, logvar, eps), want, "eps (K, B, L) gives K samples of each example")
    expect_close(ps.reparameterize(mu.float(), logvar.float(), eps.float()), want.float())
    narrow = logvar - 14
    got = untouched(ps, "reparameterize", mu, narrow, eps)
    expect_close(got, mu + narrow.exp().sqrt() * eps, BARE)


@points(1, part="1a", hint="the sample is a smooth function of both parameters: the encoder learns through it")
def test_gradients_flow_into_mean_and_log_variance(ps, rng):
    """The derivative of a sample is 1 by its mean and half the scaled noise by its log-variance."""
    (mu, logvar), eps, weight = gaussians(rng, 4, 3), normal(rng, 4, 3), normal(rng, 4, 3)
    by_mu, by_logvar = ps.run(probe_gradients, mu, logvar, eps, weight)
    expect_close(by_mu, weight)
    expect_close(by_logvar, weight * eps * torch.sqrt(torch.exp(logvar)) / 2)


@points(
    1,
    part="1b",
    hint="a sum over latent dimensions, the expectation under the first of the two, one number per example",
)
def test_divergence_between_two_gaussians_is_exact(ps, rng):
    """KL(q || p) of two diagonal Gaussians, in this order, summed over dimensions; it is 0 for q = p."""
    for B, L in ((5, 3), (1, 4), (3, 1)):
        q, p = gaussians(rng, B, L), gaussians(rng, B, L)
        expect_close(ps.kl_diag(*q, *p), divergence(*q, *p))
        expect_close(ps.kl_diag(*p, *q), divergence(*p, *q), "the divergence is not symmetric")
        expect_close(ps.kl_diag(*q, *q), torch.zeros(B, dtype=torch.float64), "nothing differs from itself")
        expect_slopes(ps, "kl_diag", divergence, *q, *p)


@points(1, part="1b", hint="without mu2 and logvar2, the second is the standard normal; each can be missing alone")
def test_missing_parameters_are_those_of_the_standard_normal(ps, rng):
    """The second Gaussian's mean and log-variance default to zero, one by one, also in float32."""
    for B, L in ((6, 2), (1, 3)):
        (mu, logvar), (mu2, logvar2), zero = gaussians(rng, B, L), gaussians(rng, B, L), torch.zeros(B, L).double()
        standard = divergence(mu, logvar, zero, zero)
        expect_close(ps.kl_diag(non_contiguous(mu), logvar), standard)
        expect_close(ps.kl_diag(mu.float(), logvar.float()), standard.float())
        expect_close(ps.kl_diag(mu, logvar - 14), divergence(mu, logvar - 14, zero, zero), BARE)
        expect_close(ps.kl_diag(mu, logvar, mu2), divergence(mu, logvar, mu2, zero))
        expect_close(ps.kl_diag(mu, logvar, logvar2=logvar2), divergence(mu, logvar, zero, logvar2))


@points(1, part="1c", hint="add over all pixels of an image, whatever its shape, and over nothing else")
def test_coins_of_all_pixels_add_up(ps, rng):
    """The Bernoulli log-likelihood is the sum over all pixels: of rows, of images, and of pixels between 0 and 1."""
    for shape in ((5, 3), (1, 7), (3, 2, 4, 5)):
        logits = 3 * normal(rng, *shape)
        for x in (uniform(rng, *shape).round(), uniform(rng, *shape)):
            expect_close(ps.bernoulli_logprob(non_contiguous(x), logits), coins(x, logits))
            small = ps.bernoulli_logprob(x.float(), logits.float())
            expect_close(small, torch.from_numpy(coins(x, logits)).float())


@points(1, part="1c", hint="never form the probability itself: at logit 200 it rounds to 1, and the other one to 0")
def test_sure_coins_cost_what_their_logits_say(ps, rng):
    """With logits up to 200 in size, right or wrong, in float32 or float64, value and gradient stay exact."""
    x, scale = torch.tensor([[1.0, 0, 1, 0]] * 3).double(), torch.tensor([[30.0], [90.0], [200.0]]).double()
    logits = scale * torch.tensor([1.0, 1, -1, -1]).double() + uniform(rng, 3, 4)
    for dtype in (torch.float64, torch.float32):
        got = ps.bernoulli_logprob(x.to(dtype), logits.to(dtype))
        expect_finite(got, "never form the probability itself: at logit 200 it rounds to 1, and the other one to 0")
        expect_close(got, torch.from_numpy(coins(x, logits)).to(dtype))
        pull = ps.run(probe_pull, x.to(dtype), logits.to(dtype))
        expect_close(
            pull, (x - torch.special.expit(logits)).to(dtype), "the gradient is x minus the probability of ink"
        )


@points(1, part="1c", hint="each of the D values brings its own log-variance and its own log 2 pi, halved")
def test_gaussian_values_bring_their_constants(ps, rng):
    """The Gaussian log-likelihood has all its constants, for a log-variance per value, per column or one for all."""
    for shape in ((5, 3), (1, 4), (3, 2, 4, 5)):
        x, mean = 2 * normal(rng, *shape), normal(rng, *shape)
        per_row = normal(rng, *shape[:2], *[1] * (len(shape) - 2))  # of images, per channel
        for logvar in (1.5 * normal(rng, *shape), per_row - 6, 1.5 * normal(rng, shape[-1]), 1.5 * normal(rng)):
            values = norm(mean.numpy(), np.exp(logvar.numpy() / 2)).logpdf(x.numpy())
            want = np.array([each.sum() for each in values])
            expect_close(ps.gaussian_logprob(x, non_contiguous(mean), logvar), want)
        small = ps.gaussian_logprob(x.float(), mean.float(), logvar.float())
        expect_close(small, torch.from_numpy(want).float())
        expect_slopes(ps, "gaussian_logprob", gaussian, x, mean, 1.5 * normal(rng, *shape))
