"""Hidden tests of x3: unconstrained parameters, log-likelihood from Cholesky factors, one step of gradient descent."""

import numpy as np
import torch
from scipy import special, stats

from autograder.testing import (
    expect_close,
    expect_equal,
    expect_finite,
    expect_true,
    non_contiguous,
    normal,
    points,
    uniform,
    untouched,
)


def good_mixture_from_free(a, R):
    L = torch.tril(R, -1) + torch.diag_embed(torch.exp(torch.diagonal(R, dim1=-2, dim2=-1)))
    return torch.log_softmax(a, 0), L


def good_free_loglik(X, a, mus, R):
    scale = torch.tril(R, -1) + torch.diag_embed(torch.exp(torch.diagonal(R, dim1=-2, dim2=-1)))
    components = torch.distributions.MultivariateNormal(mus, scale_tril=scale)
    return (torch.log_softmax(a, 0) + components.log_prob(X[:, None])).logsumexp(1)


def factors(R):
    """Cholesky factors of the free matrices, entry by entry (NumPy)."""
    K, D, _ = R.shape
    L = np.zeros((K, D, D))
    for k, i, j in np.ndindex(K, D, D):
        L[k, i, j] = R[k, i, j] if i > j else np.exp(R[k, i, i]) if i == j else 0.0
    return L


def draws(rng, N, K, D):
    """X, a, mus, R of a mixture in general position, whose factors are far from diagonal."""
    return normal(rng, N, D), normal(rng, K), normal(rng, K, D), 0.6 * normal(rng, K, D, D)


def log_joint(X, a, mus, R):
    """log pi_k + log N(x_n; mu_k, Sigma_k) as (N, K), by scipy."""
    X, mus, L = X.numpy(), mus.numpy(), factors(R.numpy())
    each = [stats.multivariate_normal(m, F @ F.T).logpdf(X).reshape(len(X)) for m, F in zip(mus, L, strict=True)]
    return special.log_softmax(a.numpy()) + np.stack(each, axis=1)


def ascent(X, a, mus, R):
    """The gradient of the mean log-likelihood with respect to a, mus and R, by its closed form (NumPy)."""
    resp = special.softmax(log_joint(X, a, mus, R), axis=1)
    L, X, mus = factors(R.numpy()), X.numpy(), mus.numpy()
    to_a = resp.mean(0) - special.softmax(a.numpy())
    to_mus, to_R = np.zeros_like(mus), np.zeros_like(L)
    for k in range(len(mus)):
        white = np.linalg.solve(L[k], (X - mus[k]).T)  # (D, N)
        pull = np.linalg.solve(L[k].T, white)  # Sigma^-1 (x - mu)
        to_mus[k] = pull @ resp[:, k] / len(X)
        to_L = (pull * resp[:, k]) @ white.T / len(X) - resp[:, k].mean() * np.diag(1 / np.diag(L[k]))
        to_R[k] = np.tril(to_L, -1) + np.diag(np.diag(to_L) * np.diag(L[k]))
    return [torch.from_numpy(gradient) for gradient in (to_a, to_mus, to_R)]


def gradients_of_form(ns, a, R, to_pi, to_L):
    """Gradients in a and R of weighted sums of the log-weights and of the factors; None where the graph is lost."""
    import torch

    a, R = a.clone().requires_grad_(), R.clone().requires_grad_()
    log_pi, L = ns.mixture_from_free(a, R)
    total = (to_pi * log_pi).sum() + (to_L * L).sum()
    return list(torch.autograd.grad(total, (a, R), allow_unused=True)) if total.requires_grad else [None, None]


@points(0.5, part="x3a", hint="a log-softmax; below the diagonal R itself, on it exp(R), above it zero")
def test_weights_and_factors_have_their_form(ps, rng):
    """Weights come from a softmax and factors are lower triangular with an exponential diagonal."""
    for K, D, dtype in ((3, 4, torch.float64), (1, 2, torch.float32), (5, 1, torch.float64)):
        a, R = normal(rng, K, dtype=dtype), normal(rng, K, D, D, dtype=dtype)
        log_pi, L = untouched(ps, "mixture_from_free", non_contiguous(a), non_contiguous(R))
        expect_close(log_pi, torch.from_numpy(special.log_softmax(a.double().numpy())).to(dtype))
        expect_close(L, torch.from_numpy(factors(R.double().numpy())).to(dtype))
    a, R, to_pi, to_L = normal(rng, 3), normal(rng, 3, 2, 2), normal(rng, 3), normal(rng, 3, 2, 2)
    by_a, by_R = ps.run(gradients_of_form, a, R, to_pi, to_L)
    expect_true(by_a is not None and by_R is not None, "x3c descends in a and R: no detach")
    expect_close(by_a, to_pi - to_pi.sum() * a.softmax(0), "the gradient in a, through the normaliser too")
    own = to_L.tril(-1) + torch.diag_embed((to_L * R.exp()).diagonal(dim1=1, dim2=2))
    expect_close(by_R, own, "the gradient in R")


@points(
    0.5, part="x3a", hint="any numbers are allowed: large weights, tiny and huge scales, anything above the diagonal"
)
def test_any_numbers_are_allowed(ps, rng):
    """Extreme free numbers give finite log-weights and positive scales, and the upper triangle does not matter."""
    a = torch.tensor([900.0, 0.0, -900.0, 899.0], dtype=torch.float64)
    R = normal(rng, 4, 3, 3) + 1e6 * torch.ones(3, 3, dtype=torch.float64).triu(1)
    R.diagonal(dim1=1, dim2=2).copy_(-40 * uniform(rng, 4, 3) - 1)
    R[2, 1, 1] = 25.0
    log_pi, L = ps.mixture_from_free(a, R)
    expect_finite(log_pi, "take the logarithm of the softmax analytically")
    expect_close(log_pi, special.log_softmax(a.numpy()))
    expect_close(L, factors(R.numpy()), rtol=1e-6, atol=1e-24)


@points(1, part="x3b", hint="sum over the components inside the logarithm, with every term of the Gaussian density")
def test_likelihood_is_that_of_the_mixture(ps, rng):
    """Each example's log-likelihood is that of the mixture with these weights, means and covariances."""
    ps.provide(mixture_from_free=good_mixture_from_free)
    for N, K, D, dtype in ((5, 4, 3, torch.float64), (1, 2, 3, torch.float32), (3, 1, 2, torch.float64)):
        free = draws(rng, N, K, D)
        want = special.logsumexp(log_joint(*free), axis=1)
        got = untouched(ps, "free_loglik", *(non_contiguous(t.to(dtype)) for t in free))
        expect_close(got, torch.from_numpy(want).to(dtype))


@points(0.5, part="x3b", hint="stay with logarithms: a logsumexp, and a sum of logarithms for the determinant")
def test_underflow_is_avoided(ps, rng):
    """Far points, and a hundred small scales whose product underflows, keep finite log-likelihoods."""
    ps.provide(mixture_from_free=good_mixture_from_free)
    X, a, mus, R = draws(rng, 4, 3, 2)
    far = X + 3e3
    expect_close(ps.free_loglik(far, a, mus, R), special.logsumexp(log_joint(far, a, mus, R), axis=1))
    X, a, mus = 1e-6 * normal(rng, 3, 100), normal(rng, 2), 1e-6 * normal(rng, 2, 100)
    R = torch.diag_embed(torch.full((2, 100), -12.0, dtype=torch.float64) + 0.1 * normal(rng, 2, 100))
    scale = np.exp(R.diagonal(dim1=1, dim2=2).numpy())
    each = stats.norm(mus.numpy(), scale).logpdf(X.numpy()[:, None]).sum(2)
    expect_close(ps.free_loglik(X, a, mus, R), special.logsumexp(special.log_softmax(a.numpy()) + each, axis=1))


def gradients_of_likelihood(ns, X, a, mus, R):
    free = [t.clone().requires_grad_() for t in (a, mus, R)]
    loglik = ns.free_loglik(X, *free).mean()
    if not loglik.requires_grad:
        return [None, None, None]
    return list(torch.autograd.grad(loglik, free, allow_unused=True))


@points(0.5, part="x3b", hint="autograd must reach a, mus and R through every term")
def test_gradients_reach_every_parameter(ps, rng):
    """Autograd through the log-likelihood gives the closed-form gradients: responsibilities pull on each component."""
    ps.provide(mixture_from_free=good_mixture_from_free)
    free = draws(rng, 6, 3, 2)
    for got, want in zip(ps.run(gradients_of_likelihood, *free), ascent(*free), strict=True):
        expect_close(got, want)


@points(
    0.5, part="x3c", hint="subtract lr times the gradient of the mean negative log-likelihood, for all three tensors"
)
def test_step_follows_the_gradient(ps, rng):
    """All three tensors move by lr times the gradient of the mean log-likelihood."""
    ps.provide(free_loglik=good_free_loglik, mixture_from_free=good_mixture_from_free)
    for N, K, D, lr in ((6, 3, 2, 0.3), (1, 2, 3, 0.05)):
        X, *free = draws(rng, N, K, D)
        got = ps.gradient_step(X, *free, lr)
        expect_equal(len(got), 3, "return a, mus and R")
        for new, old, up in zip(got, free, ascent(X, *free), strict=True):
            expect_close(new, old + lr * up)


def two_steps(ns, X, a, mus, R):
    """The results of two steps from the same leaves, and whether anything of the first one stayed behind."""
    free = [t.clone().requires_grad_() for t in (a, mus, R)]
    first = ns.gradient_step(X, *free, 0.1)
    second = ns.gradient_step(X, *free, 0.1)
    clean = not any(t.requires_grad for t in first)
    kept = all(t.grad is None and bool((t == old).all()) for t, old in zip(free, (a, mus, R), strict=True))
    return [[t.detach() for t in first], [t.detach() for t in second], clean, kept]


@points(
    0.5, part="x3c", hint="return new tensors without a graph; the arguments, and gradients, are not accumulated into"
)
def test_step_leaves_no_trace(ps, rng):
    """A step leaves its arguments alone, returns tensors without a graph, and gives the same when it is repeated."""
    ps.provide(free_loglik=good_free_loglik, mixture_from_free=good_mixture_from_free)
    X, *free = draws(rng, 4, 2, 3)
    first, second, clean, kept = ps.run(two_steps, X, *free)
    expect_true(kept, "the arguments still hold their values after the step, and no gradient")
    expect_true(clean, "the new tensors carry no graph: detach them")
    for once, again, old, up in zip(first, second, free, ascent(X, *free), strict=True):
        expect_close(once, old + 0.1 * up)
        expect_close(again, once, "gradients must not add up from one step to the next")
