"""Hidden tests of question 5: one patch, a Gaussian or a mixture as its prior, noise of known size."""

import numpy as np
import torch
from scipy.special import softmax
from scipy.stats import multivariate_normal

from autograder.hidden.ps1_probabilistic.known_good import e_step, gaussian_logpdf, gmm_log_joint, wiener_denoise
from autograder.testing import expect_close, expect_finite, non_contiguous, normal, points, simplex, spd, untouched


def provide_earlier(ps):
    """Known-good functions of questions 1, 3 and 5a: a mistake there costs nothing in 5b."""
    ps.provide(
        gaussian_logpdf=gaussian_logpdf, gmm_log_joint=gmm_log_joint, e_step=e_step, wiener_denoise=wiener_denoise
    )


def least_squares(Y, mu, Sigma, sigma):
    """Posterior means as solutions of whitened least-squares problems: prior and camera are rows of one system."""
    whiten = np.linalg.inv(np.linalg.cholesky(Sigma))
    rows = np.concatenate([whiten, np.eye(len(mu)) / sigma])
    return np.stack([np.linalg.lstsq(rows, np.concatenate([whiten @ mu, y / sigma]), rcond=None)[0] for y in Y])


def mixture(rng, K, D, dtype=torch.float64):
    """A mixture whose components overlap enough for soft weights and differ in scale."""
    scale = torch.linspace(0.2, 2.0, K, dtype=torch.float64)[:, None, None]
    return simplex(rng, K).log().to(dtype), (0.5 * normal(rng, K, D)).to(dtype), (scale * spd(rng, D, K)).to(dtype)


def posterior(Y, log_pi, mus, Sigmas, sigma):
    """Weights (N, K) of the components given the noisy rows, and filtered rows (N, K, D)."""
    Y, log_pi, mus, Sigmas = (np.asarray(a, dtype=np.float64) for a in (Y, log_pi, mus, Sigmas))
    noisy = [multivariate_normal(m, S + sigma**2 * np.eye(len(m))) for m, S in zip(mus, Sigmas, strict=True)]
    log_joint = np.stack([l + d.logpdf(Y).reshape(len(Y)) for l, d in zip(log_pi, noisy, strict=True)], axis=1)
    filtered = [least_squares(Y, m, S, sigma) for m, S in zip(mus, Sigmas, strict=True)]
    return softmax(log_joint, axis=1), np.stack(filtered, axis=1)


@points(2, part="5a", hint="complete the square: the prior's precision and the camera's add up")
def test_gaussian_posterior_mean_is_returned(ps, rng):
    """The Wiener filter returns the mean of p(x | y), with the whole covariance and any prior mean."""
    Y, mu, Sigma = normal(rng, 7, 4), normal(rng, 4), spd(rng, 4)
    got = ps.wiener_denoise(non_contiguous(Y), mu, Sigma, 0.6)
    want = least_squares(Y.numpy(), mu.numpy(), Sigma.numpy(), 0.6)
    expect_close(got, want)
    small = ps.wiener_denoise(1e-4 * Y, 1e-4 * mu, 1e-8 * Sigma, 0.6e-4)
    expect_close(1e4 * small, want, "in other units the answer is the same: add nothing but the noise variance")


@points(1, part="5a", hint="what must happen when the noise vanishes, and when it drowns the patch?")
def test_filter_runs_from_the_patch_to_the_prior_mean(ps, rng):
    """Without noise the patch comes back; under endless noise only the prior mean is left."""
    Y, mu, Sigma = normal(rng, 3, 5), normal(rng, 5), spd(rng, 5)
    expect_close(ps.wiener_denoise(Y, mu, Sigma, 1e-5), Y, "without noise the patch itself is the answer", atol=1e-6)
    expect_close(ps.wiener_denoise(Y, mu, Sigma, 1e5), mu.expand(3, 5), "all noise: only the prior is left", atol=1e-6)


@points(1, part="5a", hint="one patch is a batch of one; the result has the dtype of the patches")
def test_filter_keeps_single_precision_and_single_patches(ps, rng):
    """A batch of one patch in float32 gives one patch in float32."""
    Y, mu, Sigma = normal(rng, 1, 3), normal(rng, 3), spd(rng, 3)
    want = least_squares(Y.numpy(), mu.numpy(), Sigma.numpy(), 1.7)
    got = untouched(ps, "wiener_denoise", Y.float(), mu.float(), Sigma.float(), 1.7)
    expect_close(got, torch.tensor(want).float())


@points(3, part="5b", hint="each component's estimate counts as much as that component explains the noisy patch")
def test_components_are_weighted_by_their_posterior(ps, rng):
    """The "mmse" estimate is the mean of p(x | y) under the mixture."""
    provide_earlier(ps)
    Y, model = 1.5 * normal(rng, 8, 5), mixture(rng, 3, 5)
    weight, filtered = posterior(Y, *model, 0.9)
    got = ps.gmm_denoise(non_contiguous(Y), *model, 0.9)
    expect_close(got, (weight[..., None] * filtered).sum(1))


@points(2, part="5b", hint="one component, the most probable given the noisy patch, filters alone")
def test_most_probable_component_filters_alone(ps, rng):
    """The "map_component" estimate is the posterior mean within the most probable component."""
    provide_earlier(ps)
    Y, model = 1.5 * normal(rng, 200, 4), mixture(rng, 3, 4)  # many: a wrong choice may be rare
    weight, filtered = posterior(Y, *model, 0.8)
    got = ps.gmm_denoise(Y, *model, 0.8, mode="map_component")
    expect_close(got, filtered[np.arange(200), weight.argmax(1)])


@points(2, part="5b", hint="your own 5c: the posterior mean is tied to the gradient of the noisy patch's log-density")
def test_tweedie_formula_holds(ps, rng):
    """The "mmse" estimate is y plus the noise variance times the score of the noisy density."""
    provide_earlier(ps)
    Y, (log_pi, mus, Sigmas) = normal(rng, 6, 3).requires_grad_(), mixture(rng, 4, 3)
    noisy = torch.distributions.MultivariateNormal(mus, Sigmas + 0.25 * torch.eye(3, dtype=torch.float64))
    density = torch.distributions.MixtureSameFamily(torch.distributions.Categorical(logits=log_pi), noisy)
    (score,) = torch.autograd.grad(density.log_prob(Y).sum(), Y)
    expect_close(ps.gmm_denoise(Y.detach(), log_pi, mus, Sigmas, 0.5, mode="mmse"), Y.detach() + 0.25 * score)


@points(1, part="5b", hint="normalise the weights in logs: their exponentials underflow")
def test_distant_patches_stay_finite(ps, rng):
    """A patch a thousand standard deviations away still gets a finite and correct estimate in both modes."""
    provide_earlier(ps)
    Y, model = 1e3 * normal(rng, 5, 6), mixture(rng, 3, 6)
    weight, filtered = posterior(Y, *model, 0.8)
    for mode, want in (
        ("mmse", (weight[..., None] * filtered).sum(1)),
        ("map_component", filtered[np.arange(5), weight.argmax(1)]),
    ):
        got = ps.gmm_denoise(Y, *model, 0.8, mode=mode)
        expect_finite(got, "normalise the weights in logs: their exponentials underflow")
        expect_close(got, want)


@points(1, part="5b", hint="a mixture of one is a Gaussian: its weight is one whatever the patch")
def test_mixture_of_one_is_the_wiener_filter(ps, rng):
    """With K = 1 both modes are the Wiener filter, also for one patch in float32."""
    provide_earlier(ps)
    Y, (log_pi, mus, Sigmas) = normal(rng, 1, 4), mixture(rng, 1, 4)
    want = torch.tensor(least_squares(Y.numpy(), mus[0].numpy(), Sigmas[0].numpy(), 1.3)).float()
    for mode in ("mmse", "map_component"):
        got = untouched(ps, "gmm_denoise", *(each.float() for each in (Y, log_pi, mus, Sigmas)), 1.3, mode=mode)
        expect_close(got, want)
