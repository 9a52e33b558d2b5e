import math

import numpy as np
import torch

from autograder.verify.variants import right, wrong


def joint(X, log_pi, mus, Sigmas):
    """A correct log-joint, of which a mistake spoils an argument or the result."""
    return log_pi + torch.distributions.MultivariateNormal(mus, Sigmas).log_prob(X[:, None, :])


def diagonals(Sigmas):
    return torch.diag_embed(Sigmas.diagonal(dim1=1, dim2=2))


@wrong("gmm_log_joint")
def adds_up_squares_in_float32(X, log_pi, mus, Sigmas):
    peaks = torch.distributions.MultivariateNormal(mus, Sigmas).log_prob(mus)
    squares = torch.zeros(len(X), len(mus))
    squares += peaks - joint(X, 0 * log_pi, mus, Sigmas)
    return log_pi + peaks - squares


@wrong("gmm_log_joint")
def omits_the_weights(X, log_pi, mus, Sigmas):
    return joint(X, 0 * log_pi, mus, Sigmas)


@wrong("gmm_log_joint")
def adds_weights_instead_of_their_logarithms(X, log_pi, mus, Sigmas):
    return joint(X, log_pi.exp(), mus, Sigmas)


@wrong("gmm_log_joint")
def takes_the_logarithm_of_log_pi(X, log_pi, mus, Sigmas):
    return joint(X, log_pi.log(), mus, Sigmas)


@wrong("gmm_log_joint")
def leaves_the_logarithms(X, log_pi, mus, Sigmas):
    return (log_pi.exp() * joint(X, 0 * log_pi, mus, Sigmas).exp()).log()


@wrong("gmm_log_joint")
def multiplies_log_density_by_weight(X, log_pi, mus, Sigmas):
    return log_pi.exp() * joint(X, 0 * log_pi, mus, Sigmas)


@wrong("gmm_log_joint")
def uses_the_first_covariance_for_all(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas[:1].expand_as(Sigmas))


@wrong("gmm_log_joint")
def uses_the_first_mean_for_all(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus[:1].expand_as(mus), Sigmas)


@wrong("gmm_log_joint")
def ignores_correlations(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, diagonals(Sigmas))


@wrong("gmm_log_joint")
def sorts_the_components_by_weight(X, log_pi, mus, Sigmas):
    order = log_pi.argsort(descending=True)
    return joint(X, log_pi[order], mus[order], Sigmas[order])


@wrong("gmm_log_joint")
def drops_the_log_determinants(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas) + 0.5 * torch.logdet(Sigmas)


@wrong("gmm_log_joint")
def multiplies_eigenvalues(X, log_pi, mus, Sigmas):
    density = joint(X, log_pi, mus, Sigmas) + 0.5 * torch.logdet(Sigmas)
    return density - 0.5 * torch.linalg.eigvalsh(Sigmas).prod(1).log()


@wrong("gmm_log_joint")
def halves_nothing(X, log_pi, mus, Sigmas):
    return log_pi + 2 * joint(X, 0 * log_pi, mus, Sigmas)


@wrong("gmm_log_joint")
def returns_one_row_per_component(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas).T


@wrong("gmm_log_joint")
def normalises_already(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas).log_softmax(1)


@wrong("gmm_log_joint")
def squeezes_dimensions_of_size_one(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas).squeeze()


@wrong("gmm_log_joint")
def fills_a_float64_table(X, log_pi, mus, Sigmas):
    table = torch.zeros(len(X), len(mus), dtype=torch.float64)
    for k in range(len(mus)):
        table[:, k] = joint(X, log_pi, mus, Sigmas)[:, k]
    return table


@wrong("gmm_log_joint")
def fills_a_float32_table(X, log_pi, mus, Sigmas):
    table = torch.zeros(len(X), len(mus))
    for k in range(len(mus)):
        table[:, k] = joint(X, log_pi, mus, Sigmas)[:, k]
    return table


@wrong("gmm_log_joint")
def adds_a_ridge_of_its_own(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas + 1e-4 * torch.eye(X.shape[1], dtype=X.dtype))


@wrong("gmm_log_joint")
def computes_without_gradients(X, log_pi, mus, Sigmas):
    with torch.no_grad():
        return joint(X, log_pi, mus, Sigmas)


@wrong("gmm_log_joint")
def computes_in_numpy(X, log_pi, mus, Sigmas):
    away = X.detach().numpy()[:, None] - mus.numpy()
    squares = np.einsum("nki,kij,nkj->nk", away, np.linalg.inv(Sigmas.numpy()), away)
    log_norm = np.linalg.slogdet(Sigmas.numpy())[1] + X.shape[1] * math.log(2 * math.pi)
    return torch.from_numpy(log_pi.numpy() - 0.5 * (squares + log_norm)).to(X.dtype)


@wrong("gmm_log_joint")
def keeps_logarithms_above_a_floor(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas).clamp_min(-1e5)


@wrong("e_step")
def does_without_logsumexp(X, log_pi, mus, Sigmas):
    densities = gmm_log_joint(X, log_pi, mus, Sigmas).exp()
    total = densities.sum(1)
    return (densities / total[:, None]).log(), total.log()


@wrong("e_step")
def guards_the_logarithm_with_an_epsilon(X, log_pi, mus, Sigmas):
    densities = gmm_log_joint(X, log_pi, mus, Sigmas).exp() + 1e-12
    return (densities / densities.sum(1, keepdim=True)).log(), densities.sum(1).log()


@wrong("e_step")
def clamps_the_responsibilities(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.softmax(1).clamp_min(1e-10).log(), log_joint.logsumexp(1)


@wrong("e_step")
def normalises_over_the_examples(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(0), log_joint.logsumexp(1)


@wrong("e_step")
def likelihood_of_each_component_and_not_each_example(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), log_joint.logsumexp(0)


@wrong("e_step")
def forgets_the_weights_in_the_posterior(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return (log_joint - log_pi).log_softmax(1), log_joint.logsumexp(1)


@wrong("e_step")
def forgets_the_weights_in_the_likelihood(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), (log_joint - log_pi).logsumexp(1)


@wrong("e_step")
def returns_responsibilities_without_logarithm(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.softmax(1), log_joint.logsumexp(1)


@wrong("e_step")
def assigns_each_example_to_one_component(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    hard = torch.nn.functional.one_hot(log_joint.argmax(1), len(mus)).to(X.dtype)
    return hard.log(), log_joint.logsumexp(1)


@wrong("e_step")
def takes_the_largest_component_for_the_sum(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), log_joint.max(1).values


@wrong("e_step")
def sums_log_densities_instead_of_densities(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), log_joint.sum(1)


@wrong("e_step")
def averages_log_densities_by_weight(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), ((log_joint - log_pi) * log_pi.exp()).sum(1)


@wrong("e_step")
def returns_the_mean_log_likelihood(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), log_joint.logsumexp(1).mean()


@wrong("e_step")
def keeps_the_component_dimension(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.log_softmax(1), log_joint.logsumexp(1, keepdim=True)


@wrong("e_step")
def forgets_to_add_the_maximum_back(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    shifted = log_joint - log_joint.max(1, keepdim=True).values
    return shifted.log_softmax(1), shifted.exp().sum(1).log()


@wrong("e_step")
def shifts_by_the_maximum_of_all_examples(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    loglik = (log_joint - log_joint.max()).exp().sum(1).log() + log_joint.max()
    return log_joint - loglik[:, None], loglik


@wrong("e_step")
def returns_responsibilities_in_float64(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return log_joint.double().log_softmax(1), log_joint.logsumexp(1)


@right("gmm_log_joint")
def by_a_loop_over_components(X, log_pi, mus, Sigmas):
    columns = [w + gaussian_logpdf(X, m, S) for w, m, S in zip(log_pi, mus, Sigmas, strict=True)]
    return torch.stack(columns, dim=-1)


@right("gmm_log_joint")
def by_batched_distributions(X, log_pi, mus, Sigmas):
    return joint(X, log_pi, mus, Sigmas)


@right("gmm_log_joint")
def by_einsum_and_slogdet(X, log_pi, mus, Sigmas):
    deviations = X[:, None, :] - mus[None, :, :]
    squares = torch.einsum("nki,kij,nkj->nk", deviations, torch.linalg.inv(Sigmas), deviations)
    return log_pi - 0.5 * (squares + torch.linalg.slogdet(Sigmas)[1] + X.shape[1] * math.log(2 * math.pi))


@right("gmm_log_joint")
def by_batched_eigendecomposition(X, log_pi, mus, Sigmas):
    values, vectors = torch.linalg.eigh(Sigmas)
    z = (X[None] - mus[:, None]) @ vectors  # (K, N, D)
    terms = z.square() / values[:, None] + values.log()[:, None] + math.log(2 * math.pi)
    return log_pi - 0.5 * terms.sum(2).T


@right("e_step")
def by_log_softmax(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    return torch.log_softmax(log_joint, 1), torch.logsumexp(log_joint, 1)


@right("e_step")
def by_shifting_with_each_maximum(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas)
    top = log_joint.max(dim=1, keepdim=True).values
    loglik = top + (log_joint - top).exp().sum(1, keepdim=True).log()
    return log_joint - loglik, loglik[:, 0]


@right("e_step")
def by_numpy_logaddexp(X, log_pi, mus, Sigmas):
    log_joint = gmm_log_joint(X, log_pi, mus, Sigmas).numpy()
    loglik = np.logaddexp.reduce(log_joint, axis=1)
    return torch.from_numpy(log_joint - loglik[:, None]), torch.from_numpy(loglik)


@right("e_step")
def by_torch_mixture_distributions(X, log_pi, mus, Sigmas):
    die = torch.distributions.Categorical(logits=log_pi)
    components = torch.distributions.MultivariateNormal(mus, Sigmas)
    loglik = torch.distributions.MixtureSameFamily(die, components).log_prob(X)
    return gmm_log_joint(X, log_pi, mus, Sigmas) - loglik[:, None], loglik
