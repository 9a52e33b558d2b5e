"""Right and wrong answers to question 4a: the M-step."""

import math

import numpy as np
import torch

from autograder.verify.variants import right, wrong


def identity(X):
    return torch.eye(X.shape[1], dtype=X.dtype)


def mixture_of(X, resp, ridge, zero_mean, log_pi=None, mus=None, Sigmas=None, about=None):
    """A correct M-step from responsibilities (N, K), of which a mistake replaces a part; `about` are other centres."""
    N_k = resp.sum(0)
    means = resp.T @ X / N_k.clamp_min(1e-300)[:, None] * (0 if zero_mean else 1)
    centres = means if about is None else about
    covariances = torch.stack(
        [
            ((X - c) * r[:, None]).T @ (X - c) / n.clamp_min(1e-300) + ridge * identity(X)
            for r, c, n in zip(resp.T, centres, N_k, strict=True)
        ]
    )
    return (
        (N_k / len(X)).log() if log_pi is None else log_pi,
        means if mus is None else mus,
        covariances if Sigmas is None else Sigmas,
    )


@wrong("m_step")
def does_not_exponentiate(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, -log_resp, ridge, zero_mean)


@wrong("m_step")
def adds_up_in_float32(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    mus = mixture_of(X, resp, ridge, zero_mean)[1]
    Sigmas = torch.zeros(len(mus), X.shape[1], X.shape[1])
    for n in range(len(X)):
        away = X[n] - mus
        Sigmas += resp[n, :, None, None] * away[:, :, None] * away[:, None, :]
    Sigmas = Sigmas / resp.sum(0).clamp_min(1e-300)[:, None, None] + ridge * identity(X)
    return mixture_of(X, resp, ridge, zero_mean, Sigmas=Sigmas.to(X.dtype))


@wrong("m_step")
def assigns_every_example_to_one_component(X, log_resp, ridge=0.0, zero_mean=False):
    hard = torch.nn.functional.one_hot(log_resp.argmax(1), log_resp.shape[1]).to(X.dtype)
    return mixture_of(X, hard, ridge, zero_mean)


@wrong("m_step")
def divides_means_by_all_examples(X, log_resp, ridge=0.0, zero_mean=False):
    means = log_resp.exp().T @ X / len(X) * (0 if zero_mean else 1)
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, mus=means, about=means)


@wrong("m_step")
def divides_covariances_by_all_examples(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    Sigmas = mixture_of(X, resp, 0.0, zero_mean)[2] * resp.mean(0)[:, None, None] + ridge * identity(X)
    return mixture_of(X, resp, ridge, zero_mean, Sigmas=Sigmas)


@wrong("m_step")
def divides_covariances_by_one_less_than_n_k(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    factor = resp.sum(0) / (resp.sum(0) - 1).clamp_min(1e-3)
    Sigmas = mixture_of(X, resp, 0.0, zero_mean)[2] * factor[:, None, None] + ridge * identity(X)
    return mixture_of(X, resp, ridge, zero_mean, Sigmas=Sigmas)


@wrong("m_step")
def centres_covariances_at_the_mean_of_all_data(X, log_resp, ridge=0.0, zero_mean=False):
    old = (X.mean(0) * (0 if zero_mean else 1)).expand(log_resp.shape[1], -1)
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, about=old)


@wrong("m_step")
def does_not_centre_covariances(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, about=torch.zeros(log_resp.shape[1], X.shape[1]).to(X))


@wrong("m_step")
def keeps_only_variances(X, log_resp, ridge=0.0, zero_mean=False):
    Sigmas = mixture_of(X, log_resp.exp(), ridge, zero_mean)[2]
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, Sigmas=torch.diag_embed(Sigmas.diagonal(dim1=1, dim2=2)))


@wrong("m_step")
def gives_every_component_the_same_covariance(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    Sigmas = mixture_of(X, resp, ridge, zero_mean)[2]
    shared = torch.einsum("k,kij->ij", resp.mean(0), Sigmas)
    return mixture_of(X, resp, ridge, zero_mean, Sigmas=shared.expand_as(Sigmas))


@wrong("m_step")
def squares_the_responsibilities(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    means = mixture_of(X, resp, ridge, zero_mean)[1]
    weighted = [(X - m) * r[:, None] for m, r in zip(means, resp.T, strict=True)]
    Sigmas = [w.T @ w / n.clamp_min(1e-300) + ridge * identity(X) for w, n in zip(weighted, resp.sum(0), strict=True)]
    return mixture_of(X, resp, ridge, zero_mean, Sigmas=torch.stack(Sigmas))


@wrong("m_step")
def keeps_equal_weights(X, log_resp, ridge=0.0, zero_mean=False):
    K = log_resp.shape[1]
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, log_pi=torch.full((K,), -math.log(K), dtype=X.dtype))


@wrong("m_step")
def returns_weights_without_logarithm(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, log_pi=log_resp.exp().mean(0))


@wrong("m_step")
def returns_unnormalised_weights(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, log_pi=log_resp.logsumexp(0))


@wrong("m_step")
def averages_log_responsibilities(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, log_pi=log_resp.mean(0).log_softmax(0))


@wrong("m_step")
def ignores_the_ridge(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), 0.0, zero_mean)


@wrong("m_step")
def divides_the_ridge_by_n_k(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    Sigmas = mixture_of(X, resp, 0.0, zero_mean)[2] + (ridge / resp.sum(0).clamp_min(1e-9))[:, None, None] * identity(X)
    return mixture_of(X, resp, ridge, zero_mean, Sigmas=Sigmas)


@wrong("m_step")
def adds_the_ridge_to_every_entry(X, log_resp, ridge=0.0, zero_mean=False):
    Sigmas = mixture_of(X, log_resp.exp(), 0.0, zero_mean)[2]
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, Sigmas=Sigmas + ridge)


@wrong("m_step")
def ignores_zero_mean(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, False)


@wrong("m_step")
def zeroes_the_means_after_centring(X, log_resp, ridge=0.0, zero_mean=False):
    log_pi, mus, Sigmas = mixture_of(X, log_resp.exp(), ridge, False)
    return log_pi, 0 * mus if zero_mean else mus, Sigmas


@wrong("m_step")
def centres_at_zero_but_reports_means(X, log_resp, ridge=0.0, zero_mean=False):
    _, mus, _ = mixture_of(X, log_resp.exp(), ridge, False)
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, mus=mus)


@wrong("m_step")
def always_fixes_means_at_zero(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, True)


@wrong("m_step")
def divides_zero_by_zero(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    N_k = resp.sum(0)
    mus = resp.T @ X / N_k[:, None] * (0 if zero_mean else 1)
    Xc = X - mus[:, None, :]
    return (
        (N_k / len(X)).log(),
        mus,
        torch.einsum("nk,kni,knj->kij", resp, Xc, Xc) / N_k[:, None, None] + ridge * identity(X),
    )


@wrong("m_step")
def normalises_in_log_space_without_a_guard(X, log_resp, ridge=0.0, zero_mean=False):
    share = log_resp.softmax(0)
    mus = share.T @ X * (0 if zero_mean else 1)
    Xc = X - mus[:, None, :]
    return (
        log_resp.logsumexp(0) - math.log(len(X)),
        mus,
        torch.einsum("nk,kni,knj->kij", share, Xc, Xc) + ridge * identity(X),
    )


@wrong("m_step")
def drops_empty_components(X, log_resp, ridge=0.0, zero_mean=False):
    alive = log_resp.exp().sum(0) > 0
    return mixture_of(X, log_resp[:, alive].exp(), ridge, zero_mean)


@wrong("m_step")
def guards_with_an_epsilon_that_biases(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp() + 1e-4, ridge, zero_mean)


@wrong("m_step")
def normalises_responsibilities_over_examples_for_the_weights(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp(), ridge, zero_mean, log_pi=log_resp.softmax(0).mean(0).log())


@wrong("m_step")
def builds_the_ridge_in_float64(X, log_resp, ridge=0.0, zero_mean=False):
    log_pi, mus, Sigmas = mixture_of(X, log_resp.exp(), 0.0, zero_mean)
    return log_pi, mus, Sigmas + ridge * torch.eye(X.shape[1], dtype=torch.float64)


@wrong("m_step")
def exponentiates_in_place(X, log_resp, ridge=0.0, zero_mean=False):
    return mixture_of(X, log_resp.exp_(), ridge, zero_mean)


@wrong("m_step")
def counts_a_thousandth_of_an_example_at_least(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    share = resp.sum(0) / resp.sum(0).clamp_min(1e-3)
    about = mixture_of(X, resp, 0.0, zero_mean)[1] * share[:, None]
    log_pi, _, Sigmas = mixture_of(X, resp, 0.0, zero_mean, about=about)
    return log_pi, about, Sigmas * share[:, None, None] + ridge * identity(X)


@wrong("m_step")
def gives_small_components_the_identity(X, log_resp, ridge=0.0, zero_mean=False):
    log_pi, mus, Sigmas = mixture_of(X, log_resp.exp(), ridge, zero_mean)
    return log_pi, mus, torch.where((log_resp.exp().sum(0) < 1e-2)[:, None, None], identity(X), Sigmas)


@right("m_step")
def by_einsum(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    N_k = resp.sum(0).clamp_min(1e-12)
    mus = torch.einsum("nk,nd->kd", resp, X) / N_k[:, None]
    if zero_mean:
        mus = torch.zeros_like(mus)
    Xc = X[:, None, :] - mus
    Sigmas = torch.einsum("nk,nki,nkj->kij", resp, Xc, Xc) / N_k[:, None, None]
    return N_k.log() - math.log(len(X)), mus, Sigmas + ridge * identity(X)


@right("m_step")
def by_second_moments(X, log_resp, ridge=0.0, zero_mean=False):
    resp = log_resp.exp()
    N_k = resp.sum(0)
    safe = torch.where(N_k > 0, N_k, torch.ones_like(N_k))
    moments = torch.stack([X.T @ (r[:, None] * X) for r in resp.T]) / safe[:, None, None]
    mus = torch.zeros(len(N_k), X.shape[1], dtype=X.dtype) if zero_mean else resp.T @ X / safe[:, None]
    return (N_k / len(X)).log(), mus, moments - mus[:, :, None] * mus[:, None, :] + ridge * identity(X)


@right("m_step")
def by_square_roots_of_responsibilities(X, log_resp, ridge=0.0, zero_mean=False):
    log_pi, mus, Sigmas = torch.logsumexp(log_resp, 0) - np.log(len(X)), [], []
    for column in log_resp.T:
        share = torch.nan_to_num(column.softmax(0))
        mu = torch.zeros(X.shape[1], dtype=X.dtype) if zero_mean else share @ X
        rows = share.sqrt()[:, None] * (X - mu)
        mus.append(mu)
        Sigmas.append(rows.T @ rows + ridge * identity(X))
    return log_pi, torch.stack(mus), torch.stack(Sigmas)


@right("m_step")
def by_numpy_and_loops(X, log_resp, ridge=0.0, zero_mean=False):
    x, resp = X.numpy().astype(np.float64), np.exp(log_resp.numpy().astype(np.float64))
    mus, Sigmas = [], []
    for column in resp.T:
        weights = column if column.sum() > 0 else np.ones(len(x))
        mu = np.average(x, axis=0, weights=weights) * (not zero_mean)
        Sigmas.append(
            np.average([np.outer(v, v) for v in x - mu], axis=0, weights=weights) + ridge * np.eye(x.shape[1])
        )
        mus.append(mu)
    with np.errstate(divide="ignore"):
        log_pi = np.log(resp.mean(axis=0))
    return tuple(torch.from_numpy(np.asarray(part)).to(X.dtype) for part in (log_pi, mus, Sigmas))
