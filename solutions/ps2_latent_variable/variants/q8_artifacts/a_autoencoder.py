"""Right and wrong answers to question 8a: the autoencoder."""

import math
import pickle

import torch
from torch.nn.functional import pad

from autograder.verify.variants import right_artifact, wrong_artifact


def generator(seed):
    return torch.Generator().manual_seed(seed)


def noise_like(tensors, scale, seed=0):
    """Normal draws in the place of every weight, zeros in the place of every bias."""
    draws = generator(seed)
    return {
        name: scale * torch.randn(tensor.shape, generator=draws) / math.sqrt(tensor[0].numel())
        if tensor.ndim > 1
        else torch.zeros(tensor.shape)
        for name, tensor in tensors.items()
    }


def changed(tensors, **new):
    """The tensors with some of them replaced; `__` stands for a dot."""
    return {**tensors, **{name.replace("__", ".").lstrip("_"): tensor for name, tensor in new.items()}}


def wider(tensors, prefix, places=(0, 2, 4), by=3):
    """The same perceptron with a few more units, which say nothing."""
    first, second, third = (f"{prefix}{place}" for place in places)
    return {
        **tensors,
        f"{first}.weight": pad(tensors[f"{first}.weight"], (0, 0, 0, by)),
        f"{first}.bias": pad(tensors[f"{first}.bias"], (0, by)),
        f"{second}.weight": pad(tensors[f"{second}.weight"], (0, by, 0, by)),
        f"{second}.bias": pad(tensors[f"{second}.bias"], (0, by)),
        f"{third}.weight": pad(tensors[f"{third}.weight"], (0, by)),
    }


def renumbered(tensors, prefix):
    """The same perceptron with the units of both hidden layers in reverse order."""
    return {
        **tensors,
        f"{prefix}0.weight": tensors[f"{prefix}0.weight"].flip(0),
        f"{prefix}0.bias": tensors[f"{prefix}0.bias"].flip(0),
        f"{prefix}2.weight": tensors[f"{prefix}2.weight"].flip(0, 1),
        f"{prefix}2.bias": tensors[f"{prefix}2.bias"].flip(0),
        f"{prefix}4.weight": tensors[f"{prefix}4.weight"].flip(1),
    }


def as_pickle(tensors):
    return pickle.dumps({name: tensor.shape for name, tensor in tensors.items()})


def with_nan(tensors):
    """One number that is none, in the first tensor."""
    name = min(tensors)
    bad = tensors[name].clone()
    bad.view(-1)[0] = math.nan
    return {**tensors, name: bad}


@wrong_artifact("ps2_vae.safetensors")
def vae_untrained(vae):
    return noise_like(vae, 1.0)


@wrong_artifact("ps2_vae.safetensors")
def vae_all_zeros(vae):
    return {name: torch.zeros_like(tensor) for name, tensor in vae.items()}


@wrong_artifact("ps2_vae.safetensors")
def vae_that_ignores_the_code(vae):  # the encoder says the prior, the decoder one image: what is left of its bias
    return {name: torch.zeros_like(tensor) if name != "decoder.4.bias" else tensor - 2 for name, tensor in vae.items()}


@wrong_artifact("ps2_vae.safetensors")
def vae_collapsed(vae):  # a good decoder and an encoder that names the prior for every image
    return {name: torch.zeros_like(t) if name.startswith("encoder.4") else t for name, t in vae.items()}


@wrong_artifact("ps2_vae.safetensors")
def vae_one_digit_by_heart(vae):  # the decoder draws one digit, whatever the code: bias only
    h = vae["decoder.0.bias"].float().relu() @ vae["decoder.2.weight"].float().T + vae["decoder.2.bias"].float()
    digit = h.relu() @ vae["decoder.4.weight"].float().T + vae["decoder.4.bias"].float()
    return changed(vae, decoder__4__weight=torch.zeros_like(vae["decoder.4.weight"]), decoder__4__bias=digit)


@wrong_artifact("ps2_vae.safetensors")
def vae_without_noise(vae):  # trained as a plain autoencoder: certain codes, far from the prior
    L = vae["decoder.0.weight"].shape[1]
    last, bias = vae["encoder.4.weight"].clone(), vae["encoder.4.bias"].clone()
    last[L:], bias[L:] = 0, -12
    return changed(vae, encoder__4__weight=last, encoder__4__bias=bias)


@wrong_artifact("ps2_vae.safetensors")
def vae_standard_deviations_for_variances(vae):
    L = vae["decoder.0.weight"].shape[1]
    last, bias = vae["encoder.4.weight"].clone(), vae["encoder.4.bias"].clone()
    last[L:], bias[L:] = last[L:] / 2, bias[L:] / 2
    return changed(vae, encoder__4__weight=last, encoder__4__bias=bias)


@wrong_artifact("ps2_vae.safetensors")
def vae_mean_and_variance_swapped(vae):
    L = vae["decoder.0.weight"].shape[1]
    return changed(
        vae, encoder__4__weight=vae["encoder.4.weight"].roll(L, 0), encoder__4__bias=vae["encoder.4.bias"].roll(L, 0)
    )


@wrong_artifact("ps2_vae.safetensors")
def vae_too_sure(vae):  # logits three times too large: sharp pictures, a poor likelihood
    return changed(vae, decoder__4__weight=2 * vae["decoder.4.weight"], decoder__4__bias=2 * vae["decoder.4.bias"])


@wrong_artifact("ps2_vae.safetensors")
def vae_of_half_the_training(vae):  # likely, but not very likely: the first threshold without the second
    weight = vae["decoder.4.weight"].float()
    noise = torch.randn(weight.shape, generator=generator(1))
    return changed(vae, decoder__4__weight=weight + 0.3 * weight.std() * noise)


@wrong_artifact("ps2_vae.safetensors")
def vae_without_its_encoder(vae):
    return {name: tensor for name, tensor in vae.items() if name.startswith("decoder")}


@wrong_artifact("ps2_vae.safetensors")
def vae_with_one_layer_more(vae):
    hidden = len(vae["decoder.2.bias"])
    return changed(vae, decoder__6__weight=torch.eye(784, hidden), decoder__6__bias=torch.zeros(784))


@wrong_artifact("ps2_vae.safetensors")
def vae_of_smaller_images(vae):
    return changed(vae, decoder__4__weight=vae["decoder.4.weight"][:64], decoder__4__bias=vae["decoder.4.bias"][:64])


@wrong_artifact("ps2_vae.safetensors")
def vae_transposed_weights(vae):
    return {name: tensor.T if tensor.ndim == 2 else tensor for name, tensor in vae.items()}


@wrong_artifact("ps2_vae.safetensors")
def vae_of_integers(vae):
    return {name: (100 * tensor.float()).round().to(torch.int32) for name, tensor in vae.items()}


@wrong_artifact("ps2_vae.safetensors")
def vae_with_nan(vae):
    return with_nan(vae)


@wrong_artifact("ps2_vae.safetensors")
def vae_with_overflow(vae):
    return changed(vae, decoder__4__bias=torch.full_like(vae["decoder.4.bias"].float(), math.inf))


@wrong_artifact("ps2_vae.safetensors")
def vae_of_huge_weights(vae):
    return {name: 1e30 * tensor.float() for name, tensor in vae.items()}


@wrong_artifact("ps2_vae.safetensors")
def vae_as_a_pickle(vae):
    return as_pickle(vae)


@wrong_artifact("ps2_vae.safetensors")
def vae_as_an_empty_file(vae):
    return b""


@wrong_artifact("ps2_vae.safetensors")
def a_ring_generator_for_the_vae(vae):
    return {"layers.0.weight": torch.randn(128, 8), "layers.0.bias": torch.zeros(128)}


@right_artifact("ps2_vae.safetensors")
def vae_in_single_precision(vae):
    return {name: tensor.float() for name, tensor in vae.items()}


@right_artifact("ps2_vae.safetensors")
def vae_with_units_renumbered(vae):
    return renumbered(renumbered(vae, "encoder."), "decoder.")


@right_artifact("ps2_vae.safetensors")
def vae_with_wider_networks(vae):
    return wider(wider(vae, "encoder."), "decoder.", by=5)


@right_artifact("ps2_vae.safetensors")
def vae_with_codes_mirrored(vae):  # the same model: every code dimension changes its sign
    L = vae["decoder.0.weight"].shape[1]
    last, bias = vae["encoder.4.weight"].clone(), vae["encoder.4.bias"].clone()
    last[:L], bias[:L] = -last[:L], -bias[:L]
    return changed(vae, encoder__4__weight=last, encoder__4__bias=bias, decoder__0__weight=-vae["decoder.0.weight"])
