"""Right and wrong artifacts of question 8."""

import math
import pickle

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


def moments(model):
    """Mean and covariance of the whole mixture."""
    pi = model["log_pi"].exp()
    mu = pi @ model["mus"]
    away = model["mus"] - mu
    within = torch.einsum("k,kij->ij", pi, model["Sigmas"])
    return mu, within + torch.einsum("k,ki,kj->ij", pi, away, away)


def largest(model, K):
    """The K heaviest components, reweighted."""
    keep = model["log_pi"].argsort(descending=True)[:K]
    log_pi = model["log_pi"][keep]
    return {"log_pi": log_pi - log_pi.logsumexp(0), "mus": model["mus"][keep], "Sigmas": model["Sigmas"][keep]}


@wrong_artifact("ps1_gmm.safetensors")
def untrained(model):
    eye = torch.eye(63, dtype=torch.float64).expand(5, 63, 63).contiguous()
    log_pi = torch.full((5,), -math.log(5), dtype=torch.float64)
    return {"log_pi": log_pi, "mus": torch.zeros(5, 63, dtype=torch.float64), "Sigmas": eye}


@wrong_artifact("ps1_gmm.safetensors")
def one_gaussian_repeated(model):
    mu, Sigma = moments(model)
    K = len(model["log_pi"])
    return {**model, "mus": mu.repeat(K, 1), "Sigmas": Sigma.repeat(K, 1, 1)}


@wrong_artifact("ps1_gmm.safetensors")
def one_isotropic_gaussian(model):
    _, Sigma = moments(model)
    round_one = Sigma.diagonal().mean() * torch.eye(63, dtype=torch.float64)
    zero = torch.zeros(1, dtype=torch.float64)
    return {"log_pi": zero, "mus": torch.zeros(1, 63, dtype=torch.float64), "Sigmas": round_one[None]}


@wrong_artifact("ps1_gmm.safetensors")
def three_contrast_levels_of_one_gaussian(model):
    _, Sigma = moments(model)
    levels = torch.tensor([0.003, 0.1, 2.0], dtype=torch.float64)
    log_pi = torch.tensor([0.3, 0.4, 0.3], dtype=torch.float64).log()
    return {"log_pi": log_pi, "mus": torch.zeros(3, 63, dtype=torch.float64), "Sigmas": levels[:, None, None] * Sigma}


@wrong_artifact("ps1_gmm.safetensors")
def weights_not_normalised(model):
    return {**model, "log_pi": model["log_pi"] + 8.0}


@wrong_artifact("ps1_gmm.safetensors")
def weights_instead_of_their_logarithms(model):
    return {**model, "log_pi": model["log_pi"].exp()}


@wrong_artifact("ps1_gmm.safetensors")
def covariance_not_symmetric(model):
    return {**model, "Sigmas": model["Sigmas"].triu() + 0.5 * model["Sigmas"].tril(-1)}


@wrong_artifact("ps1_gmm.safetensors")
def cholesky_factors_for_covariances(model):
    return {**model, "Sigmas": torch.linalg.cholesky(model["Sigmas"])}


@wrong_artifact("ps1_gmm.safetensors")
def covariances_not_positive(model):
    Sigmas = model["Sigmas"].clone()
    Sigmas[0] -= 2 * torch.linalg.eigvalsh(Sigmas[0])[0] * torch.eye(63, dtype=torch.float64)
    return {**model, "Sigmas": Sigmas}


@wrong_artifact("ps1_gmm.safetensors")
def one_number_is_not_a_number(model):
    mus = model["mus"].clone()
    mus[0, 0] = math.nan
    return {**model, "mus": mus}


@wrong_artifact("ps1_gmm.safetensors")
def fifty_one_components(model):
    spread = math.ceil(51 / len(model["log_pi"]))
    many = {name: tensor.repeat(spread, *[1] * (tensor.ndim - 1))[:51] for name, tensor in model.items()}
    return {**many, "log_pi": many["log_pi"].log_softmax(0)}


@wrong_artifact("ps1_gmm.safetensors")
def pixels_with_their_constant(model):
    Sigmas = 0.01 * torch.eye(64, dtype=torch.float64).repeat(len(model["log_pi"]), 1, 1)
    Sigmas[:, 1:, 1:] = model["Sigmas"]
    return {**model, "mus": torch.nn.functional.pad(model["mus"], (1, 0)), "Sigmas": Sigmas}


@wrong_artifact("ps1_gmm.safetensors")
def only_diagonals_as_vectors(model):
    return {**model, "Sigmas": model["Sigmas"].diagonal(dim1=1, dim2=2)}


@wrong_artifact("ps1_gmm.safetensors")
def roots_for_covariances(model):
    value, vector = torch.linalg.eigh(model["Sigmas"])
    return {**model, "Sigmas": vector @ torch.diag_embed(value.sqrt()) @ vector.mT}


@wrong_artifact("ps1_gmm.safetensors")
def precisions_for_covariances(model):
    inverse = torch.linalg.inv(model["Sigmas"])
    return {**model, "Sigmas": (inverse + inverse.mT) / 2}


@wrong_artifact("ps1_gmm.safetensors")
def grey_values_up_to_255(model):
    return {**model, "mus": 255 * model["mus"], "Sigmas": 255**2 * model["Sigmas"]}


@wrong_artifact("ps1_gmm.safetensors")
def frequencies_in_another_order(model):
    order = torch.arange(62, -1, -1)
    return {**model, "mus": model["mus"][:, order], "Sigmas": model["Sigmas"][:, order][:, :, order]}


@wrong_artifact("ps1_gmm.safetensors")
def a_large_ridge(model):
    return {**model, "Sigmas": model["Sigmas"] + 1e-3 * torch.eye(63, dtype=torch.float64)}


@wrong_artifact("ps1_gmm.safetensors")
def a_ridge_thirty_times_too_large(model):  # likely, but not very likely: the first threshold without the second
    return {**model, "Sigmas": model["Sigmas"] + 3e-5 * torch.eye(63, dtype=torch.float64)}


@wrong_artifact("ps1_gmm.safetensors")
def half_precision(model):
    return {name: tensor.half() for name, tensor in model.items()}


@wrong_artifact("ps1_gmm.safetensors")
def weights_missing(model):
    return {name: tensor for name, tensor in model.items() if name != "log_pi"}


@wrong_artifact("ps1_gmm.safetensors")
def weights_as_a_column(model):
    return {**model, "log_pi": model["log_pi"][:, None]}


@wrong_artifact("ps1_gmm.safetensors")
def two_components_of_many(model):
    return largest(model, 2)


@wrong_artifact("ps1_gmm.safetensors")
def no_components(model):
    return {name: tensor[:0] for name, tensor in model.items()}


@wrong_artifact("ps1_gmm.safetensors")
def a_pickle(model):
    return pickle.dumps({name: tensor.tolist() for name, tensor in largest(model, 1).items()})


@wrong_artifact("ps1_gmm.safetensors")
def a_text(model):
    return b"log_pi, mus and Sigmas are in my other notebook"


@wrong_artifact("ps1_gmm.safetensors")
def an_empty_file(model):
    return b""


@right_artifact("ps1_gmm.safetensors")
def single_precision(model):
    return {name: tensor.float() for name, tensor in model.items()}


@right_artifact("ps1_gmm.safetensors")
def components_renumbered(model):
    return {name: tensor.flip(0) for name, tensor in model.items()}


@right_artifact("ps1_gmm.safetensors")
def means_pulled_to_zero(model):
    return {**model, "mus": torch.zeros_like(model["mus"])}


@right_artifact("ps1_gmm.safetensors")
def component_without_weight_added(model):
    eye = torch.eye(63, dtype=torch.float64)[None]
    log_pi = torch.cat([model["log_pi"][:-1], model["log_pi"][-1:] - math.log(2), model["log_pi"][-1:] - math.log(2)])
    if len(log_pi) > 50:
        return model
    mus = torch.cat([model["mus"], model["mus"][-1:]])
    return {"log_pi": log_pi, "mus": mus, "Sigmas": torch.cat([model["Sigmas"], model["Sigmas"][-1:] + 1e-9 * eye])}


@right_artifact("ps1_gmm.safetensors")
def diagonal_in_the_cosine_basis(model):  # loses one nat only: cosines all but decorrelate patches
    return {**model, "Sigmas": torch.diag_embed(model["Sigmas"].diagonal(dim1=1, dim2=2))}
