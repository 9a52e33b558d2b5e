"""Right and wrong artifacts of question 8."""

import math
import pickle

import torch
from torch.nn.functional import one_hot, pad

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


# --- the autoencoder


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


# --- the flow


@wrong_artifact("ps2_moons.safetensors")
def flow_untrained(flow):  # the last layers at zero: the identity
    return {name: torch.zeros_like(t) if ".4." in name else t for name, t in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_random(flow):
    return noise_like(flow, 1.0)


@wrong_artifact("ps2_moons.safetensors")
def flow_without_its_first_layer(flow):  # and so with all masks swapped
    depth = 1 + max(int(name.split(".")[0]) for name in flow)
    return {
        f"{k - 1}.{name}": flow[f"{k}.{name}"]
        for k in range(1, depth)
        for name in (f"layers.{i}.{kind}" for i in (0, 2, 4) for kind in ("weight", "bias"))
    }


@wrong_artifact("ps2_moons.safetensors")
def flow_with_a_gap_in_its_layers(flow):
    return {name: tensor for name, tensor in flow.items() if not name.startswith("2.")}


@wrong_artifact("ps2_moons.safetensors")
def flow_in_reverse_order(flow):
    depth = 1 + max(int(name.split(".")[0]) for name in flow)
    return {f"{depth - 1 - int(name[0])}{name[1:]}": tensor for name, tensor in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_that_only_shifts(flow):  # NICE: no scales
    return {name: torch.cat([torch.zeros_like(t[:2]), t[2:]]) if ".4." in name else t for name, t in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_with_scales_and_shifts_swapped(flow):
    return {name: t.roll(2, 0) if ".4." in name else t for name, t in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_with_inverse_scales(flow):
    return {name: torch.cat([-t[:2], t[2:]]) if ".4." in name else t for name, t in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_of_one_gaussian(flow):  # two layers that only scale: the moons' standard deviations are 0.87 and 0.50
    return {
        f"{k}.layers.{i}.{kind}": torch.tensor([0.14, 0.7, 0.0, 0.0]) * (kind == "bias")
        if i == 4 and kind == "bias"
        else torch.zeros({0: (8, 2), 2: (8, 8), 4: (4, 8)}[i] if kind == "weight" else (8,))
        for k in (0, 1)
        for i in (0, 2, 4)
        for kind in ("weight", "bias")
    }


@wrong_artifact("ps2_moons.safetensors")
def flow_trained_too_briefly(flow):  # near, but not very near: the first threshold without the second
    return {name: 0.91 * t if ".4.weight" in name else t for name, t in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_of_three_dimensions(flow):
    return {name: pad(t, (0, 1)) if ".0.weight" in name else t for name, t in flow.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_with_nan(flow):
    return with_nan(flow)


@wrong_artifact("ps2_moons.safetensors")
def flow_of_a_hundred_layers(flow):
    one = {name: tensor for name, tensor in flow.items() if name.startswith("0.")}
    return {f"{k}{name[1:]}": tensor.clone() for k in range(100) for name, tensor in one.items()}


@wrong_artifact("ps2_moons.safetensors")
def flow_as_a_pickle(flow):
    return as_pickle(flow)


@wrong_artifact("ps2_moons.safetensors")
def flow_with_the_names_of_its_class(flow):
    return {f"layers.{name[0]}.net{name[1:]}": tensor for name, tensor in flow.items()}


@right_artifact("ps2_moons.safetensors")
def flow_in_double_precision(flow):
    return {name: tensor.double() for name, tensor in flow.items()}


@right_artifact("ps2_moons.safetensors")
def flow_with_units_renumbered(flow):
    depth = 1 + max(int(name.split(".")[0]) for name in flow)
    for k in range(depth):
        flow = renumbered(flow, f"{k}.layers.")
    return flow


@right_artifact("ps2_moons.safetensors")
def flow_with_two_layers_that_do_nothing(flow):
    depth = 1 + max(int(name.split(".")[0]) for name in flow)
    idle = {name: torch.zeros_like(t) for name, t in flow.items() if name[:2] in ("0.", "1.")}
    return flow | {f"{depth + int(name[0])}{name[1:]}": tensor for name, tensor in idle.items()}


# --- the ring


@wrong_artifact("ps2_ring.safetensors")
def ring_untrained(G):
    return noise_like(G, 1.0)


@wrong_artifact("ps2_ring.safetensors")
def ring_constant(G):  # one point in the middle of a mode, whatever the code
    zero = {name: torch.zeros_like(tensor) for name, tensor in G.items()}
    return changed(zero, layers__4__bias=torch.tensor([2.0, 0.0]))


@wrong_artifact("ps2_ring.safetensors")
def ring_one_mode(G):  # collapsed: a generator around one of the centres
    draws = changed(noise_like(G, 1.0), layers__4__bias=torch.tensor([0.0, 2.0]))
    return {**draws, "layers.4.weight": 0.1 * draws["layers.4.weight"]}


def staircase(steep=400.0):
    """A generator of the eight centres: steps of the first number of the code lead from one to the next.

    The difference of two leaky rectifiers rises from 0.2 to 1 between their thresholds, and is flat elsewhere. The
    second layer hands it on: a unit and its mirror image make a leaky rectifier linear, with slope 1.2.
    """
    angle = torch.arange(8) * math.pi / 4
    centres = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    thresholds = steep * torch.special.ndtri(torch.arange(1, 8) / 8)  # every centre is as likely as any other
    first = steep * torch.eye(8)[:1].repeat(14, 1)
    bias = torch.stack([-thresholds, -thresholds - 1], dim=1).flatten()
    rises = centres.diff(dim=0) / 0.8
    last = torch.stack([rises, -rises], dim=1).reshape(14, 2).T / 1.2
    return {
        "layers.0.weight": first, "layers.0.bias": bias,
        "layers.2.weight": torch.cat([torch.eye(14), -torch.eye(14)]), "layers.2.bias": torch.zeros(28),
        "layers.4.weight": torch.cat([last, -last], dim=1), "layers.4.bias": centres[0] - 0.2 * rises.sum(0),
    }  # fmt: skip


@wrong_artifact("ps2_ring.safetensors")
def ring_eight_points_by_heart(G):  # every mode, every sample good, and no spread within a mode
    return staircase()


@wrong_artifact("ps2_ring.safetensors")
def ring_a_circle(G):  # points all around the circle: each mode is covered, and most points lie between
    return changed(G, layers__4__weight=2.0 * G["layers.4.weight"], layers__4__bias=2.0 * G["layers.4.bias"])


@wrong_artifact("ps2_ring.safetensors")
def ring_half_of_the_modes(G):  # a right half-plane, folded: only the modes with a positive first coordinate
    last, bias = G["layers.4.weight"].clone(), G["layers.4.bias"].clone()
    last[0], bias[0] = 0, 2.0
    return changed(G, layers__4__weight=last, layers__4__bias=bias)


@wrong_artifact("ps2_ring.safetensors")
def ring_noisy(G):  # good points, blurred: the first threshold without the second
    draws = generator(3)
    last = G["layers.4.weight"].float()
    return changed(G, layers__4__weight=last + 0.06 * last.std() * torch.randn(last.shape, generator=draws))


@wrong_artifact("ps2_ring.safetensors")
def ring_discriminator_for_the_generator(G):
    width = len(G["layers.0.bias"])
    return changed(
        G,
        layers__0__weight=torch.randn(width, 2),
        layers__4__weight=torch.randn(1, width),
        layers__4__bias=torch.ones(1),
    )


@wrong_artifact("ps2_ring.safetensors")
def ring_with_nan(G):
    return with_nan(G)


@wrong_artifact("ps2_ring.safetensors")
def ring_of_huge_weights(G):
    return {name: 1e30 * tensor.float() for name, tensor in G.items()}


@wrong_artifact("ps2_ring.safetensors")
def ring_as_a_pickle(G):
    return as_pickle(G)


@wrong_artifact("ps2_ring.safetensors")
def ring_two_layers(G):
    return {name: tensor for name, tensor in G.items() if not name.startswith("layers.2")}


@wrong_artifact("ps2_ring.safetensors")
def a_digit_generator_for_the_ring(G):
    return {"layers.0.weight": torch.randn(98, 42), "layers.7.bias": torch.zeros(1)}


@right_artifact("ps2_ring.safetensors")
def ring_turned_by_one_mode(G):
    turn = math.sqrt(0.5) * torch.tensor([[1.0, -1.0], [1.0, 1.0]])
    return changed(
        G,
        layers__4__weight=turn @ G["layers.4.weight"].float(),
        layers__4__bias=turn @ G["layers.4.bias"].float(),
    )


@right_artifact("ps2_ring.safetensors")
def ring_with_wider_networks(G):
    return wider(G, "layers.")


@right_artifact("ps2_ring.safetensors")
def ring_with_mirrored_codes(G):
    return changed(G, layers__0__weight=-G["layers.0.weight"])


# --- digits on demand


@wrong_artifact("ps2_digits.safetensors")
def digits_untrained(G):
    draws = noise_like(G, 1.0)
    return {name: torch.ones_like(t) if name.endswith("var") else draws[name] for name, t in G.items()}


@wrong_artifact("ps2_digits.safetensors")
def digits_constant(G):
    return changed(G, layers__7__weight=torch.zeros_like(G["layers.7.weight"]))


@wrong_artifact("ps2_digits.safetensors")
def digits_one_per_label(G):  # ten pictures: the code has no weight
    first = G["layers.0.weight"].clone()
    first[:, :-10] = 0
    return changed(G, layers__0__weight=first)


@wrong_artifact("ps2_digits.safetensors")
def digits_nearly_one_per_label(G):
    first = G["layers.0.weight"].clone()
    first[:, :-10] *= 0.1
    return changed(G, layers__0__weight=first)


@wrong_artifact("ps2_digits.safetensors")
def digits_that_ignore_the_label(G):  # each label looks like the average of all
    first = G["layers.0.weight"].clone()
    first[:, -10:] = first[:, -10:].float().mean(1, keepdim=True)
    return changed(G, layers__0__weight=first)


@wrong_artifact("ps2_digits.safetensors")
def digits_always_three(G):
    first = G["layers.0.weight"].clone()
    first[:, -10:] = first[:, -7:-6]
    return changed(G, layers__0__weight=first)


@wrong_artifact("ps2_digits.safetensors")
def digits_off_by_one(G):  # labels one too small: ask for a 3, get a 2
    first = G["layers.0.weight"]
    return changed(G, layers__0__weight=torch.cat([first[:, :-10], first[:, -10:].roll(1, 1)], dim=1))


@wrong_artifact("ps2_digits.safetensors")
def digits_label_before_the_code(G):
    first = G["layers.0.weight"]
    return changed(G, layers__0__weight=torch.cat([first[:, -10:], first[:, :-10]], dim=1))


@wrong_artifact("ps2_digits.safetensors")
def digits_white_for_black(G):
    return changed(G, layers__7__weight=-G["layers.7.weight"], layers__7__bias=-G["layers.7.bias"])


@wrong_artifact("ps2_digits.safetensors")
def digits_three_labels_mixed_up(G):  # seven of ten labels: the first threshold without the second
    first = G["layers.0.weight"]
    order = [0, 1, 2, 3, 4, 5, 6, 9, 7, 8]
    return changed(G, layers__0__weight=torch.cat([first[:, :-10], first[:, -10:][:, order]], dim=1))


@wrong_artifact("ps2_digits.safetensors")
def digits_without_running_statistics(G):  # as they are before any training: means 0, variances 1
    return {
        name: torch.ones_like(t) if name.endswith("var") else torch.zeros_like(t) if name.endswith("mean") else t
        for name, t in G.items()
    }


@wrong_artifact("ps2_digits.safetensors")
def digits_parameters_alone(G):
    return {name: tensor for name, tensor in G.items() if "running" not in name}


@wrong_artifact("ps2_digits.safetensors")
def digits_negative_variances(G):
    return changed(G, layers__2__running_var=-G["layers.2.running_var"])


@wrong_artifact("ps2_digits.safetensors")
def digits_pure_noise(G):
    noise = torch.randn(G["layers.7.weight"].shape, generator=generator(0))
    return changed(G, layers__7__weight=noise)


@wrong_artifact("ps2_digits.safetensors")
def digits_of_another_size(G):
    return changed(G, layers__7__weight=G["layers.7.weight"][:, :, :3, :3])


@wrong_artifact("ps2_digits.safetensors")
def digits_without_labels(G):
    return changed(G, layers__0__weight=G["layers.0.weight"][:, :10])


@wrong_artifact("ps2_digits.safetensors")
def digits_with_nan(G):
    return with_nan(G)


@wrong_artifact("ps2_digits.safetensors")
def digits_too_wide(G):
    w = 100
    return changed(G, layers__7__weight=torch.randn(w, 1, 4, 4), layers__4__weight=torch.randn(2 * w, w, 4, 4))


@wrong_artifact("ps2_digits.safetensors")
def digits_as_a_pickle(G):
    return as_pickle(G)


@wrong_artifact("ps2_digits.safetensors")
def digits_cut_off(G):
    from safetensors.torch import save

    return save({name: tensor.contiguous() for name, tensor in G.items()})[:-100]


@right_artifact("ps2_digits.safetensors")
def digits_in_single_precision(G):
    return {name: tensor.float() for name, tensor in G.items()}


@right_artifact("ps2_digits.safetensors")
def digits_with_mirrored_codes(G):
    first = G["layers.0.weight"]
    return changed(G, layers__0__weight=torch.cat([-first[:, :-10], first[:, -10:]], dim=1))


@right_artifact("ps2_digits.safetensors")
def digits_with_a_longer_code(G):  # more numbers in the code, which the generator does not use
    first = G["layers.0.weight"]
    return changed(G, layers__0__weight=torch.cat([torch.zeros(len(first), 8).to(first), first], dim=1))


@right_artifact("ps2_digits.safetensors")
def digits_with_the_label_said_twice(G):  # a constant moved from the labels into the code changes nothing
    first = G["layers.0.weight"].float()
    labels = one_hot(torch.arange(10), 10).float()
    return changed(G, layers__0__weight=torch.cat([first[:, :-10], first[:, -10:] @ labels], dim=1))
