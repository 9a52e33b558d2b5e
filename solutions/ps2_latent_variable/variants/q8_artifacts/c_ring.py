"""Right and wrong answers to question 8c: the generator of the ring."""

import math

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


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
