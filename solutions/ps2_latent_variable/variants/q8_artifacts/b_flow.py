"""Right and wrong answers to question 8b: the flow."""

import torch
from torch.nn.functional import pad

from autograder.verify.variants import right_artifact, wrong_artifact


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
