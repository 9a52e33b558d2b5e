import math

import numpy as np
import torch

from autograder.verify.variants import right, wrong


@wrong("fit_gaussian")
def divides_by_n_minus_1(X, ridge=0.0):
    return X.mean(0), torch.atleast_2d(torch.cov(X.T)) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def keeps_only_the_variances(X, ridge=0.0):
    return X.mean(0), torch.diag(X.var(0, correction=0) + ridge)


@wrong("fit_gaussian")
def does_not_subtract_the_mean(X, ridge=0.0):
    return X.mean(0), X.T @ X / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def does_not_divide_by_n(X, ridge=0.0):
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def divides_by_the_dimension(X, ridge=0.0):
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) / X.shape[1] + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def subtracts_each_examples_own_mean(X, ridge=0.0):
    Xc = X - X.mean(1, keepdim=True)
    return X.mean(0), Xc.T @ Xc / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def ignores_the_ridge(X, ridge=0.0):
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) / len(X)


@wrong("fit_gaussian")
def adds_the_ridge_to_every_entry(X, ridge=0.0):
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) / len(X) + ridge


@wrong("fit_gaussian")
def divides_the_ridge_by_n_too(X, ridge=0.0):
    Xc = X - X.mean(0)
    return X.mean(0), (Xc.T @ Xc + ridge * torch.eye(X.shape[1], dtype=X.dtype)) / len(X)


@wrong("fit_gaussian")
def scales_by_one_plus_ridge(X, ridge=0.0):
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) / len(X) * (1 + ridge)


@wrong("fit_gaussian")
def takes_the_median_for_the_mean(X, ridge=0.0):
    Xc = X - X.median(0).values
    return X.median(0).values, Xc.T @ Xc / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def always_returns_float64(X, ridge=0.0):
    X = X.double()
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) / len(X) + ridge * torch.eye(X.shape[1])


@wrong("fit_gaussian")
def keeps_the_dimension_of_the_mean(X, ridge=0.0):
    mu = X.mean(0, keepdim=True)
    return mu, (X - mu).T @ (X - mu) / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def centres_the_data_in_place(X, ridge=0.0):
    mu = X.mean(0)
    X -= mu
    return mu, X.T @ X / len(X) + ridge * torch.eye(X.shape[1], dtype=X.dtype)


@wrong("fit_gaussian")
def never_goes_without_a_ridge(X, ridge=0.0):
    return X.mean(0), (X - X.mean(0)).T @ (X - X.mean(0)) / len(X) + max(ridge, 1e-8) * torch.eye(X.shape[1]).to(X)


@wrong("gaussian_logpdf")
def takes_the_log_of_the_determinant(X, mu, Sigma):
    Xc = X - mu
    squares = (Xc * torch.linalg.solve(Sigma, Xc.T).T).sum(1)
    return -0.5 * (squares + torch.linalg.det(Sigma).log() + len(mu) * math.log(2 * math.pi))


def gaussian_from_terms(X, mu, Sigma, square=-0.5, logdet=-0.5, log2pi=-0.5):
    """A log-density whose three terms have the given factors; -1/2 each is right."""
    Xc = X - mu
    squares = (Xc * torch.linalg.solve(Sigma, Xc.T).T).sum(1)
    return square * squares + logdet * torch.linalg.slogdet(Sigma)[1] + log2pi * len(mu) * math.log(2 * math.pi)


@wrong("gaussian_logpdf")
def forgets_the_half_of_the_squared_distance(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma, square=-1.0)


@wrong("gaussian_logpdf")
def forgets_the_half_of_the_log_determinant(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma, logdet=-1.0)


@wrong("gaussian_logpdf")
def forgets_the_log_determinant(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma, logdet=0.0)


@wrong("gaussian_logpdf")
def adds_the_log_determinant(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma, logdet=0.5)


@wrong("gaussian_logpdf")
def forgets_d_log_2_pi(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma, log2pi=0.0)


@wrong("gaussian_logpdf")
def counts_log_2_pi_once_and_not_d_times(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma, log2pi=-0.5 / len(mu))


@wrong("gaussian_logpdf")
def does_not_invert_sigma(X, mu, Sigma):
    Xc = X - mu
    return -0.5 * ((Xc @ Sigma * Xc).sum(1) + torch.linalg.slogdet(Sigma)[1] + len(mu) * math.log(2 * math.pi))


@wrong("gaussian_logpdf")
def treats_the_dimensions_as_independent(X, mu, Sigma):
    return torch.distributions.Normal(mu, Sigma.diagonal().sqrt()).log_prob(X).sum(1)


@wrong("gaussian_logpdf")
def solves_with_the_transposed_cholesky_factor(X, mu, Sigma):
    L = torch.linalg.cholesky(Sigma)
    Z = torch.linalg.solve_triangular(L.T, (X - mu).T, upper=True)
    return -0.5 * (Z**2).sum(0) - L.diagonal().log().sum() - 0.5 * len(mu) * math.log(2 * math.pi)


@wrong("gaussian_logpdf")
def forgets_that_sigma_is_the_factor_squared(X, mu, Sigma):
    L = torch.linalg.cholesky(Sigma)
    Z = torch.linalg.solve_triangular(L, (X - mu).T, upper=False)
    return -0.5 * ((Z**2).sum(0) + L.diagonal().log().sum() + len(mu) * math.log(2 * math.pi))


@wrong("gaussian_logpdf")
def pairs_every_example_with_every_other(X, mu, Sigma):
    Xc = X - mu
    squares = Xc @ torch.linalg.solve(Sigma, Xc.T)
    return -0.5 * (squares + torch.linalg.slogdet(Sigma)[1] + len(mu) * math.log(2 * math.pi))


@wrong("gaussian_logpdf")
def averages_over_the_dimensions(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma) / len(mu)


@wrong("gaussian_logpdf")
def averages_over_the_examples(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma).mean()


@wrong("gaussian_logpdf")
def returns_the_density(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma).exp()


@wrong("gaussian_logpdf")
def returns_the_negative_log_density(X, mu, Sigma):
    return -gaussian_from_terms(X, mu, Sigma)


@wrong("gaussian_logpdf")
def does_not_subtract_mu(X, mu, Sigma):
    return gaussian_from_terms(X, 0 * mu, Sigma)


@wrong("gaussian_logpdf")
def squeezes_a_batch_of_one(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma).squeeze()


@wrong("gaussian_logpdf")
def computes_in_float32(X, mu, Sigma):
    return gaussian_from_terms(X.float(), mu.float(), Sigma.float()).to(X.dtype)


@wrong("gaussian_logpdf")
def secretly_adds_a_ridge(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma + 1e-6 * torch.eye(len(mu), dtype=X.dtype))


@wrong("gaussian_logpdf")
def always_returns_a_float64_density(X, mu, Sigma):
    return gaussian_from_terms(X.double(), mu.double(), Sigma.double())


@wrong("gaussian_logpdf")
def centres_the_examples_in_place(X, mu, Sigma):
    X -= mu
    return gaussian_from_terms(X, 0 * mu, Sigma)


@wrong("gaussian_logpdf")
def takes_the_logarithm_of_the_density(X, mu, Sigma):
    return gaussian_from_terms(X, mu, Sigma).exp().log()


@wrong("gaussian_logpdf")
def adds_an_epsilon_to_the_exponential(X, mu, Sigma):
    squares = gaussian_from_terms(X, mu, Sigma, logdet=0.0, log2pi=0.0)
    return (squares.exp() + 1e-300).log() + gaussian_from_terms(X, mu, Sigma, square=0.0)


@wrong("gaussian_logpdf")
def keeps_eigenvalues_above_a_floor(X, mu, Sigma):
    values, vectors = torch.linalg.eigh(Sigma)
    values = values.clamp_min(1e-6)
    z = (X - mu) @ vectors / values.sqrt()
    return -0.5 * (z.pow(2) + values.log() + math.log(2 * math.pi)).sum(1)


@right("fit_gaussian")
def second_moment_less_squared_mean(X, ridge=0.0):
    mu = X.mean(0)
    return mu, torch.einsum("ni,nj->ij", X, X) / len(X) - torch.outer(mu, mu) + ridge * torch.eye(len(mu)).to(X)


@right("fit_gaussian")
def covariance_by_numpy(X, ridge=0.0):
    x = X.numpy()
    Sigma = np.atleast_2d(np.cov(x, rowvar=False, bias=True)) + ridge * np.eye(x.shape[1])
    return torch.from_numpy(x.mean(0)), torch.from_numpy(Sigma).to(X.dtype)


@right("fit_gaussian")
def covariance_by_a_loop(X, ridge=0.0):
    mu = sum(X) / len(X)
    Sigma = sum(torch.outer(x - mu, x - mu) for x in X) / len(X)
    Sigma.diagonal().add_(ridge)
    return mu, Sigma


@right("gaussian_logpdf")
def by_eigendecomposition(X, mu, Sigma):
    values, vectors = torch.linalg.eigh(Sigma)
    z = (X - mu) @ vectors / values.sqrt()
    return -0.5 * (z.pow(2) + values.log() + math.log(2 * math.pi)).sum(1)


@right("gaussian_logpdf")
def by_inverse_and_slogdet(X, mu, Sigma):
    squares = torch.einsum("ni,ij,nj->n", X - mu, torch.linalg.inv(Sigma), X - mu)
    return -0.5 * squares - 0.5 * torch.logdet(Sigma) - 0.5 * len(mu) * np.log(2 * np.pi)


@right("gaussian_logpdf")
def by_torch_distributions(X, mu, Sigma):
    return torch.distributions.MultivariateNormal(mu, scale_tril=torch.linalg.cholesky(Sigma)).log_prob(X)


@right("gaussian_logpdf")
def by_a_loop_over_examples(X, mu, Sigma):
    constant = torch.linalg.slogdet(2 * math.pi * Sigma).logabsdet
    return torch.stack([-0.5 * ((x - mu) @ torch.linalg.solve(Sigma, x - mu) + constant) for x in X])


@right("gaussian_logpdf")
def by_numpy(X, mu, Sigma):
    x, m, S = X.numpy(), mu.numpy(), Sigma.numpy()
    squares = np.sum((x - m) * np.linalg.solve(S, (x - m).T).T, axis=1)
    density = -0.5 * (squares + np.linalg.slogdet(S)[1] + len(m) * np.log(2 * np.pi))
    return torch.from_numpy(density).to(X.dtype)
