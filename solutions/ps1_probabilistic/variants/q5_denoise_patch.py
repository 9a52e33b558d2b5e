"""Right and wrong answers to question 5."""

import math

import numpy as np
import torch

from autograder.verify.variants import right, wrong


def gain(Sigma, variance):
    return Sigma @ torch.linalg.inv(Sigma + variance * torch.eye(len(Sigma), dtype=Sigma.dtype))


def wiener(Y, mu, Sigma, sigma):
    return mu + (Y - mu) @ gain(Sigma, sigma**2)


def log_weights(Y, log_pi, mus, Sigmas, variance):
    noisy = Sigmas + variance * torch.eye(Y.shape[1], dtype=Y.dtype)
    return log_pi + torch.distributions.MultivariateNormal(mus, noisy).log_prob(Y[:, None, :])


def combine(weight, Y, mus, Sigmas, sigma):
    filtered = torch.stack([wiener(Y, mu, Sigma, sigma) for mu, Sigma in zip(mus, Sigmas, strict=True)], dim=1)
    return (weight[..., None] * filtered).sum(1)


def choose(log_joint, mode):
    if mode == "map_component":
        return torch.nn.functional.one_hot(log_joint.argmax(1), log_joint.shape[1]).to(log_joint.dtype)
    return log_joint.softmax(1)


# 5a


@wrong("wiener_denoise")
def sigma_for_sigma_squared(Y, mu, Sigma, sigma):
    return mu + (Y - mu) @ gain(Sigma, sigma)


@wrong("wiener_denoise")
def mean_not_added_back(Y, mu, Sigma, sigma):
    return (Y - mu) @ gain(Sigma, sigma**2)


@wrong("wiener_denoise")
def patch_not_centred(Y, mu, Sigma, sigma):
    return mu + Y @ gain(Sigma, sigma**2)


@wrong("wiener_denoise")
def mean_ignored(Y, mu, Sigma, sigma):
    return Y @ gain(Sigma, sigma**2)


@wrong("wiener_denoise")
def only_variances_count(Y, mu, Sigma, sigma):
    variance = Sigma.diagonal()
    return mu + (Y - mu) * variance / (variance + sigma**2)


@wrong("wiener_denoise")
def divides_elementwise(Y, mu, Sigma, sigma):
    return mu + (Y - mu) @ (Sigma / (Sigma + sigma**2))


@wrong("wiener_denoise")
def keeps_the_noise(Y, mu, Sigma, sigma):
    return mu + (Y - mu) @ (torch.eye(len(mu), dtype=Y.dtype) - gain(Sigma, sigma**2))


@wrong("wiener_denoise")
def noise_added_to_every_entry(Y, mu, Sigma, sigma):
    return mu + (Y - mu) @ torch.linalg.solve(Sigma + sigma**2, Sigma)


@wrong("wiener_denoise")
def covariance_for_its_square_root(Y, mu, Sigma, sigma):
    return mu + (Y - mu) @ gain(Sigma @ Sigma, sigma**2)


@wrong("wiener_denoise")
def comes_back_in_double_precision(Y, mu, Sigma, sigma):
    return wiener(Y.double(), mu.double(), Sigma.double(), sigma)


@wrong("wiener_denoise")
def squeezes_a_single_patch(Y, mu, Sigma, sigma):
    return wiener(Y, mu, Sigma, sigma).squeeze()


@wrong("wiener_denoise")
def hides_a_large_ridge(Y, mu, Sigma, sigma):
    return wiener(Y, mu, Sigma + 1e-3 * torch.eye(len(mu), dtype=Y.dtype), sigma)


@wrong("wiener_denoise")
def adds_noise_to_the_prior_in_place(Y, mu, Sigma, sigma):
    clean = Sigma.clone()
    Sigma.diagonal().add_(sigma**2)
    return mu + (Y - mu) @ torch.linalg.solve(Sigma, clean)


@wrong("wiener_denoise")
def adds_a_jitter_to_the_noise(Y, mu, Sigma, sigma):
    return wiener(Y, mu, Sigma, math.sqrt(sigma**2 + 1e-8))


@right("wiener_denoise")
def by_precisions(Y, mu, Sigma, sigma):
    precision = torch.linalg.inv(Sigma)
    total = precision + torch.eye(len(mu), dtype=Y.dtype) / sigma**2
    return torch.linalg.solve(total, (precision @ mu + Y / sigma**2).mT).mT


@right("wiener_denoise")
def by_eigendecomposition(Y, mu, Sigma, sigma):
    variance, V = torch.linalg.eigh(Sigma)
    return mu + ((Y - mu) @ V * (variance / (variance + sigma**2))) @ V.mT


@right("wiener_denoise")
def subtracts_the_expected_noise(Y, mu, Sigma, sigma):
    noisy = Sigma + sigma**2 * torch.eye(len(mu), dtype=Y.dtype)
    return Y - sigma**2 * torch.cholesky_solve((Y - mu).mT, torch.linalg.cholesky(noisy)).mT


@right("wiener_denoise")
def patch_by_patch_in_numpy(Y, mu, Sigma, sigma):
    y, m, S = Y.numpy(), mu.numpy(), Sigma.numpy()
    noisy = S + np.asarray(sigma**2 * np.eye(len(m)), dtype=S.dtype)
    return torch.from_numpy(np.stack([m + S @ np.linalg.solve(noisy, row - m) for row in y]))


# 5b


@wrong("gmm_denoise")
def weights_without_noise_variance(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, 0.0), mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def weights_with_sigma_for_sigma_squared(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, sigma), mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def filters_with_sigma_for_sigma_squared(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), mode), Y, mus, Sigmas, sigma**0.5)


@wrong("gmm_denoise")
def filters_with_noisy_covariances(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    noisy = Sigmas + sigma**2 * torch.eye(Y.shape[1], dtype=Y.dtype)
    return combine(choose(log_weights(Y, log_pi, mus, noisy, 0.0), mode), Y, mus, noisy, sigma)


@wrong("gmm_denoise")
def hard_choice_in_mmse_mode(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_joint = log_weights(Y, log_pi, mus, Sigmas, sigma**2)
    return combine(choose(log_joint, "map_component"), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def mode_ignored(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), "mmse"), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def modes_swapped(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    other = "mmse" if mode == "map_component" else "map_component"
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), other), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def log_pi_omitted(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_weights(Y, 0 * log_pi, mus, Sigmas, sigma**2), mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def prior_weights_only(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_pi.expand(len(Y), -1), mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def weights_normalised_over_patches(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_joint = log_weights(Y, log_pi, mus, Sigmas, sigma**2)
    weight = choose(log_joint, mode) if mode == "map_component" else log_joint.softmax(0)
    return combine(weight, Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def weights_not_normalised(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_joint = log_weights(Y, log_pi, mus, Sigmas, sigma**2)
    weight = choose(log_joint, mode) if mode == "map_component" else log_joint.exp()
    return combine(weight, Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def exponentiates_before_normalising(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    joint = log_weights(Y, log_pi, mus, Sigmas, sigma**2).exp()
    weight = joint / joint.sum(1, keepdim=True)
    if mode == "map_component":
        weight = choose(joint, mode)
    return combine(weight, Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def one_filter_of_the_average_covariance(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    weight = choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), mode)
    rows = zip(Y, weight @ mus, torch.einsum("nk,kij->nij", weight, Sigmas), strict=True)
    return torch.cat([wiener(y[None], mu, Sigma, sigma) for y, mu, Sigma in rows])


@wrong("gmm_denoise")
def nearest_mean_instead_of_most_probable(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_joint = log_weights(Y, log_pi, mus, Sigmas, sigma**2)
    score = -torch.cdist(Y, mus) if mode == "map_component" else log_joint
    return combine(choose(score, mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def hard_choice_from_clean_covariances(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    variance = 0.0 if mode == "map_component" else sigma**2
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, variance), mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def hard_choice_without_prior(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    prior = 0 * log_pi if mode == "map_component" else log_pi
    return combine(choose(log_weights(Y, prior, mus, Sigmas, sigma**2), mode), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def means_not_added_back(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    weight = choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), mode)
    return combine(weight, Y, mus, Sigmas, sigma) - weight @ mus


@wrong("gmm_denoise")
def chosen_weight_left_in_place(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_joint = log_weights(Y, log_pi, mus, Sigmas, sigma**2)
    return combine(choose(log_joint, mode) * (log_joint.softmax(1) if mode != "mmse" else 1), Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def single_patch_loses_its_row(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), mode), Y, mus, Sigmas, sigma).squeeze(0)


@wrong("gmm_denoise")
def comes_back_in_float64(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    weight = choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), mode)
    return combine(weight, Y, mus, Sigmas, sigma).double()


@wrong("gmm_denoise")
def map_component_returns_its_mean(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    weight = choose(log_weights(Y, log_pi, mus, Sigmas, sigma**2), mode)
    return weight @ mus if mode == "map_component" else combine(weight, Y, mus, Sigmas, sigma)


@wrong("gmm_denoise")
def leaves_the_noise_in_the_covariances(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    clean = Sigmas.clone()
    Sigmas += sigma**2 * torch.eye(Y.shape[1], dtype=Y.dtype)
    return combine(choose(log_weights(Y, log_pi, mus, Sigmas, 0.0), mode), Y, mus, clean, sigma)


@right("gmm_denoise")
def by_tweedie_and_autograd(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_joint = log_weights(at := Y.detach().clone().requires_grad_(), log_pi, mus, Sigmas, sigma**2)
    log_p = log_joint.logsumexp(1) if mode == "mmse" else log_joint.amax(1)
    return Y + sigma**2 * torch.autograd.grad(log_p.sum(), at)[0]


@right("gmm_denoise")
def all_components_at_once(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    noisy = Sigmas + sigma**2 * torch.eye(Y.shape[1], dtype=Y.dtype)
    L = torch.linalg.cholesky(noisy)
    centred = (Y[:, None, :] - mus).permute(1, 2, 0)
    white = torch.linalg.solve_triangular(L, centred, upper=False)
    log_det = 2 * L.diagonal(dim1=1, dim2=2).log().sum(1)
    log_joint = log_pi - 0.5 * (white.pow(2).sum(1).mT + log_det)
    filtered = mus[:, :, None] + Sigmas @ torch.cholesky_solve(centred, L)
    if mode == "map_component":
        return filtered[log_joint.argmax(1), :, torch.arange(len(Y))]
    return torch.einsum("nk,kdn->nd", (log_joint - log_joint.logsumexp(1, keepdim=True)).exp(), filtered)


@right("gmm_denoise")
def largest_log_weight_subtracted_by_hand(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    K, D = mus.shape
    log_joint = gmm_log_joint(Y, log_pi, mus, Sigmas + sigma**2 * torch.eye(D, dtype=Y.dtype).expand(K, D, D))
    weight = torch.exp(log_joint - log_joint.max(dim=1, keepdim=True).values)
    weight = weight / weight.sum(dim=1, keepdim=True) if mode == "mmse" else (weight == 1).to(Y.dtype)
    result = torch.zeros_like(Y)
    for k in range(K):
        result += weight[:, k : k + 1] * wiener_denoise(Y, mus[k], Sigmas[k], sigma)
    return result


@right("gmm_denoise")
def patch_by_patch(Y, log_pi, mus, Sigmas, sigma, mode="mmse"):
    log_resp, _ = e_step(Y, log_pi, mus, Sigmas + sigma**2 * torch.eye(Y.shape[1], dtype=Y.dtype))
    result = torch.empty_like(Y)
    for n, y in enumerate(Y):
        filtered = torch.stack([wiener(y[None], mu, Sigma, sigma)[0] for mu, Sigma in zip(mus, Sigmas, strict=True)])
        result[n] = filtered[log_resp[n].argmax()] if mode == "map_component" else log_resp[n].exp() @ filtered
    return result
