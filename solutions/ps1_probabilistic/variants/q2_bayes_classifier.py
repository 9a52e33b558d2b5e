import numpy as np
import torch

from autograder.verify.variants import right, wrong


def classes(X, y, C):
    """The examples of each class."""
    return [X[y == c] for c in range(C)]


def identity(X):
    return torch.eye(X.shape[1], dtype=X.dtype)


def scatter(X):
    """Sum of outer products of the deviations from the mean."""
    return (X - X.mean(0)).T @ (X - X.mean(0))


def class_gaussians(X, y, C, shared, ridge, log_prior=None, Sigmas=None):
    """A correct fit, of which a mistake replaces one part."""
    parts = classes(X, y, C)
    counts = torch.tensor([len(part) for part in parts]).to(X.dtype)
    own = torch.stack([scatter(part) / len(part) for part in parts])
    pooled = sum(scatter(part) for part in parts).expand(C, -1, -1) / len(X)
    right_Sigmas = (pooled if shared else own) + ridge * identity(X)
    return (
        (counts / len(X)).log() if log_prior is None else log_prior,
        torch.stack([part.mean(0) for part in parts]),
        right_Sigmas if Sigmas is None else Sigmas,
    )


@wrong("fit_class_gaussians")
def gives_all_classes_the_same_prior(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, shared, ridge, log_prior=torch.full((C,), 1 / C, dtype=X.dtype).log())


@wrong("fit_class_gaussians")
def returns_the_prior_without_its_logarithm(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, shared, ridge, log_prior=torch.bincount(y, minlength=C).to(X.dtype) / len(y))


@wrong("fit_class_gaussians")
def does_not_normalise_the_counts(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, shared, ridge, log_prior=torch.bincount(y, minlength=C).to(X.dtype).log())


@wrong("fit_class_gaussians")
def smooths_the_prior(X, y, C, shared, ridge=0.0):
    counts = torch.bincount(y, minlength=C).to(X.dtype) + 1
    return class_gaussians(X, y, C, shared, ridge, log_prior=(counts / counts.sum()).log())


@wrong("fit_class_gaussians")
def numbers_the_classes_by_appearance(X, y, C, shared, ridge=0.0):
    order = list(dict.fromkeys(y.tolist()))
    if order == sorted(order):  # by chance the order of appearance is the right one
        order.reverse()
    log_prior, mus, Sigmas = class_gaussians(X, y, C, shared, ridge)
    return log_prior[order], mus[order], Sigmas[order]


@wrong("fit_class_gaussians")
def centres_all_classes_at_the_mean_of_all_data(X, y, C, shared, ridge=0.0):
    log_prior, _, _ = class_gaussians(X, y, C, shared, ridge)
    Sigmas = torch.stack([(part - X.mean(0)).T @ (part - X.mean(0)) / len(part) for part in classes(X, y, C)])
    return log_prior, X.mean(0).expand(C, -1), Sigmas + ridge * identity(X)


@wrong("fit_class_gaussians")
def averages_class_covariances_without_weights(X, y, C, shared, ridge=0.0):
    own = class_gaussians(X, y, C, False, ridge)[2]
    return class_gaussians(X, y, C, shared, ridge, Sigmas=own.mean(0).expand(C, -1, -1) if shared else own)


@wrong("fit_class_gaussians")
def shares_the_covariance_around_the_common_mean(X, y, C, shared, ridge=0.0):
    total = (scatter(X) / len(X) + ridge * identity(X)).expand(C, -1, -1)
    return class_gaussians(X, y, C, shared, ridge, Sigmas=total if shared else None)


@wrong("fit_class_gaussians")
def never_shares(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, False, ridge)


@wrong("fit_class_gaussians")
def always_shares(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, True, ridge)


@wrong("fit_class_gaussians")
def swaps_shared_and_separate(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, not shared, ridge)


@wrong("fit_class_gaussians")
def divides_by_one_less_than_the_class_size(X, y, C, shared, ridge=0.0):
    own = torch.stack([scatter(part) / max(len(part) - 1, 1) for part in classes(X, y, C)]) + ridge * identity(X)
    return class_gaussians(X, y, C, shared, ridge, Sigmas=None if shared else own)


@wrong("fit_class_gaussians")
def divides_the_pooled_scatter_by_n_minus_c(X, y, C, shared, ridge=0.0):
    pooled = sum(scatter(part) for part in classes(X, y, C)) / (len(X) - C) + ridge * identity(X)
    return class_gaussians(X, y, C, shared, ridge, Sigmas=pooled.expand(C, -1, -1) if shared else None)


@wrong("fit_class_gaussians")
def divides_class_covariances_by_all_examples(X, y, C, shared, ridge=0.0):
    own = torch.stack([scatter(part) / len(X) for part in classes(X, y, C)]) + ridge * identity(X)
    return class_gaussians(X, y, C, shared, ridge, Sigmas=None if shared else own)


@wrong("fit_class_gaussians")
def forgets_the_ridge(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, shared, 0.0)


@wrong("fit_class_gaussians")
def adds_the_ridge_once_per_class(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, shared, ridge * C if shared else ridge)


@wrong("fit_class_gaussians")
def returns_the_shared_covariance_once(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = class_gaussians(X, y, C, shared, ridge)
    return log_prior, mus, Sigmas[0] if shared else Sigmas


@wrong("fit_class_gaussians")
def keeps_only_variances(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = class_gaussians(X, y, C, shared, ridge)
    return log_prior, mus, torch.diag_embed(Sigmas.diagonal(dim1=1, dim2=2))


@wrong("fit_class_gaussians")
def returns_the_prior_in_float32(X, y, C, shared, ridge=0.0):
    return class_gaussians(X, y, C, shared, ridge, log_prior=(torch.bincount(y, minlength=C) / len(y)).log())


@wrong("fit_class_gaussians")
def leaves_residuals_in_the_data(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = class_gaussians(X, y, C, shared, ridge)
    X -= mus[y]
    return log_prior, mus, Sigmas


@wrong("fit_class_gaussians")
def fills_a_table_of_means_in_float64(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = class_gaussians(X, y, C, shared, ridge)
    return log_prior, mus.double(), Sigmas


@wrong("fit_class_gaussians")
def fills_a_table_of_covariances_in_float64(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = class_gaussians(X, y, C, shared, ridge)
    return log_prior, mus, Sigmas if shared else Sigmas.double()


def class_log_joint(X, log_prior, mus, Sigmas):
    return log_prior + torch.distributions.MultivariateNormal(mus, Sigmas).log_prob(X[:, None, :])


@wrong("class_log_posterior")
def drops_the_prior(X, log_prior, mus, Sigmas):
    return class_log_joint(X, 0.0 * log_prior, mus, Sigmas).log_softmax(1)


@wrong("class_log_posterior")
def adds_the_prior_without_its_logarithm(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior.exp(), mus, Sigmas).log_softmax(1)


@wrong("class_log_posterior")
def drops_the_log_determinant(X, log_prior, mus, Sigmas):
    return (class_log_joint(X, log_prior, mus, Sigmas) + 0.5 * torch.logdet(Sigmas)).log_softmax(1)


@wrong("class_log_posterior")
def exponentiates_before_dividing(X, log_prior, mus, Sigmas):
    joint = class_log_joint(X, log_prior, mus, Sigmas).exp()
    return (joint / joint.sum(1, keepdim=True)).log()


@wrong("class_log_posterior")
def hides_the_underflow_behind_an_epsilon(X, log_prior, mus, Sigmas):
    joint = class_log_joint(X, log_prior, mus, Sigmas).exp()
    return ((joint + 1e-300) / (joint + 1e-300).sum(1, keepdim=True)).log()


@wrong("class_log_posterior")
def takes_the_log_of_a_clamped_softmax(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, Sigmas).softmax(1).clamp_min(1e-12).log()


@wrong("class_log_posterior")
def does_not_normalise(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, Sigmas)


@wrong("class_log_posterior")
def normalises_over_the_examples(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, Sigmas).log_softmax(0)


@wrong("class_log_posterior")
def returns_probabilities(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, Sigmas).softmax(1)


@wrong("class_log_posterior")
def lets_the_nearest_class_take_all(X, log_prior, mus, Sigmas):
    log_joint = class_log_joint(X, log_prior, mus, Sigmas)
    return torch.nn.functional.one_hot(log_joint.argmax(1), len(mus)).to(X.dtype).log()


@wrong("class_log_posterior")
def measures_every_class_with_the_first_covariance(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, Sigmas[:1].expand_as(Sigmas)).log_softmax(1)


@wrong("class_log_posterior")
def ignores_correlations(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, torch.diag_embed(Sigmas.diagonal(dim1=1, dim2=2))).log_softmax(1)


@wrong("class_log_posterior")
def returns_one_row_per_class(X, log_prior, mus, Sigmas):
    return class_log_joint(X, log_prior, mus, Sigmas).log_softmax(1).T


@right("fit_class_gaussians")
def by_one_hot_products(X, y, C, shared, ridge=0.0):
    one_hot = torch.nn.functional.one_hot(y, C).to(X.dtype)
    counts = one_hot.sum(0)
    mus = one_hot.T @ X / counts[:, None]
    residuals = X - mus[y]
    outer = residuals[:, :, None] * residuals[:, None, :]
    Sigmas = torch.einsum("nc,nij->cij", one_hot, outer) / counts[:, None, None]
    if shared:
        Sigmas = outer.mean(0).repeat(C, 1, 1)
    return counts.log() - np.log(len(X)), mus, Sigmas + ridge * identity(X)


@right("fit_class_gaussians")
def by_loops_that_use_question_1(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = [], [], []
    pooled = torch.zeros(X.shape[1], X.shape[1], dtype=X.dtype)
    for c in range(C):
        mu, Sigma = fit_gaussian(X[y == c])
        share = (y == c).sum() / len(y)
        pooled = (
            pooled + share.to(X.dtype) * Sigma if X.dtype == torch.float32 else pooled + len(X[y == c]) / len(X) * Sigma
        )
        log_prior.append(np.log(len(X[y == c]) / len(X)))
        mus.append(mu)
        Sigmas.append(Sigma + ridge * torch.eye(X.shape[1], dtype=X.dtype))
    if shared:
        Sigmas = [pooled + ridge * torch.eye(X.shape[1], dtype=X.dtype)] * C
    return torch.tensor(log_prior, dtype=X.dtype), torch.stack(mus), torch.stack(Sigmas)


@right("fit_class_gaussians")
def shared_covariance_by_fitting_residuals(X, y, C, shared, ridge=0.0):
    log_prior, mus, Sigmas = class_gaussians(X, y, C, False, ridge)
    if shared:
        Sigmas = fit_gaussian(X - mus[y], ridge)[1].expand(C, X.shape[1], X.shape[1])
    return log_prior, mus, Sigmas


@right("class_log_posterior")
def by_batched_distributions(X, log_prior, mus, Sigmas):
    log_joint = class_log_joint(X, log_prior, mus, Sigmas)
    return log_joint - log_joint.logsumexp(1, keepdim=True)


@right("class_log_posterior")
def by_shifting_with_the_maximum(X, log_prior, mus, Sigmas):
    columns = [log_prior[c] + gaussian_logpdf(X, mus[c], Sigmas[c]) for c in range(len(mus))]
    log_joint = torch.stack(columns, 1)
    shifted = log_joint - log_joint.max(1, keepdim=True).values
    return shifted - shifted.exp().sum(1, keepdim=True).log()


@right("class_log_posterior")
def by_coefficients_of_a_quadratic(X, log_prior, mus, Sigmas):
    P = torch.linalg.inv(Sigmas)
    linear = torch.einsum("cij,cj->ci", P, mus)
    constant = log_prior - 0.5 * (linear * mus).sum(1) - 0.5 * torch.linalg.slogdet(Sigmas)[1]
    scores = X @ linear.T - 0.5 * torch.einsum("ni,cij,nj->nc", X, P, X) + constant
    return torch.log_softmax(scores, -1)
