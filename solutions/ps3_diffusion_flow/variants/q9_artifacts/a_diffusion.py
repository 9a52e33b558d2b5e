"""Right and wrong artifacts of question 9: changes to a U-Net's tensors, and the diffusion model."""

import math
import pickle

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


def changed(tensors, **new):
    """The tensors with some of them replaced; `__` stands for a dot."""
    return {**tensors, **{name.replace("__", "."): tensor for name, tensor in new.items()}}


def blurred(tensors, share, seed=0):
    """Every weight moved by normal draws of `share` times the standard deviation of its tensor."""
    draws = torch.Generator().manual_seed(seed)
    return {
        name: tensor.float() + share * tensor.float().std() * torch.randn(tensor.shape, generator=draws)
        if tensor.ndim > 1
        else tensor
        for name, tensor in tensors.items()
    }


def mirrored(tensors):
    """A network whose guess has the other sign."""
    return changed(tensors, last__2__weight=-tensors["last.2.weight"], last__2__bias=-tensors["last.2.bias"])


def ink_for_paper(tensors):
    """The network of the negative of every image."""
    return changed(mirrored(tensors), first__weight=-tensors["first.weight"])


def labels_moved(tensors, order):
    """The labels 0 to 9 mean others; null stays."""
    return changed(tensors, labels__weight=tensors["labels.weight"][[*order, 10]])


def another_clock(tensors, factor, offset=0.0):
    """The network that is told factor * t + offset."""
    slopes = tensors["waves.weight"].float()
    return changed(
        tensors, waves__weight=factor * slopes, waves__bias=tensors["waves.bias"].float() + offset * slopes[:, 0]
    )


def untrained(tensors):
    """Default initial values: normal draws as large as PyTorch's, unit norms, and a last layer of zeros."""
    draws = torch.Generator().manual_seed(0)
    fresh = {}
    for name, tensor in tensors.items():
        norm = "norm" in name or name.startswith("last.0")
        size = math.sqrt(1 / (3 * tensor[0].numel())) if tensor.ndim > 1 else 0.0
        fresh[name] = (
            torch.full(tensor.shape, float(norm and name.endswith("weight")))
            if tensor.ndim == 1
            else size * torch.randn(tensor.shape, generator=draws)
        )
    return changed(fresh, last__2__weight=torch.zeros_like(fresh["last.2.weight"]))


def renumbered(tensors, block):
    """The same network with the channels inside a block in another order, group by group."""
    width = len(tensors[f"{block}.norm2.weight"])
    order = torch.arange(width).reshape(8, -1).flip(0, 1).flatten()
    both = torch.cat([order, order + width])
    return {
        **tensors,
        f"{block}.conv1.weight": tensors[f"{block}.conv1.weight"][order],
        f"{block}.conv1.bias": tensors[f"{block}.conv1.bias"][order],
        f"{block}.norm2.weight": tensors[f"{block}.norm2.weight"][order],
        f"{block}.norm2.bias": tensors[f"{block}.norm2.bias"][order],
        f"{block}.modulation.weight": tensors[f"{block}.modulation.weight"][both],
        f"{block}.modulation.bias": tensors[f"{block}.modulation.bias"][both],
        f"{block}.conv2.weight": tensors[f"{block}.conv2.weight"][:, order],
    }


def told_twice(tensors):
    """A constant moved from the embedding of time to that of labels: the same network."""
    shift = torch.linspace(-1, 1, tensors["labels.weight"].shape[1])
    return changed(
        tensors,
        labels__weight=tensors["labels.weight"].float() + shift,
        time__2__bias=tensors["time.2.bias"].float() - shift,
    )


def waves_reflected(tensors):
    """sin(pi - a) = sin(a): the same network."""
    return changed(
        tensors, waves__weight=-tensors["waves.weight"].float(), waves__bias=math.pi - tensors["waves.bias"].float()
    )


def with_nan(tensors):
    """One number that is none."""
    bad = tensors["first.weight"].clone()
    bad.view(-1)[0] = math.nan
    return changed(tensors, first__weight=bad)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_untrained(net):
    return untrained(net)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_guesses_minus_the_noise(net):
    return mirrored(net)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_trained_on_negatives(net):
    return ink_for_paper(net)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_that_ignores_labels(net):  # told a label, it does what it does for none
    return changed(net, labels__weight=net["labels.weight"][10:].expand(11, -1))


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_with_labels_off_by_one(net):
    return labels_moved(net, [*range(1, 10), 0])


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_with_three_labels_mixed_up(net):  # seven of ten labels: the first threshold without the second
    return labels_moved(net, [1, 2, 0, *range(3, 10)])


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_with_labels_from_one_to_ten(net):  # null comes first
    return changed(net, labels__weight=net["labels.weight"].roll(1, 0))


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_whose_null_was_never_trained(net):  # no label was dropped: guidance goes away from nonsense
    labels = net["labels.weight"].float().clone()
    labels[10] = 3 * torch.randn(labels.shape[1], generator=torch.Generator().manual_seed(0))
    return changed(net, labels__weight=labels)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_trained_with_times_from_0_to_200(net):  # T = 1 inside, and times that are whole numbers
    return another_clock(net, 1 / 200)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_with_time_reversed(net):
    return another_clock(net, -1.0, 1.0)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_on_another_schedule(net):  # as if trained on noise levels of later times
    return another_clock(net, 0.8)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_trained_too_briefly(net):
    return blurred(net, 0.15)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_trained_not_quite_enough(net):  # the first thresholds without the second ones
    return blurred(net, 0.08)


@wrong_artifact("ps3_ddpm.safetensors")
def the_provided_network(net):
    from pskit import data

    return data.weights("ps3_unet")


@wrong_artifact("ps3_ddpm.safetensors")
def the_provided_network_in_disguise(net):
    from pskit import data

    return blurred(data.weights("ps3_unet"), 0.01)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_without_its_labels(net):
    return {name: tensor for name, tensor in net.items() if name != "labels.weight"}


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_with_the_optimizers_state(net):
    return {**net, "exp_avg": torch.zeros(3)}


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_with_nan(net):
    return with_nan(net)


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_of_huge_weights(net):
    return {name: 1e30 * tensor.float() for name, tensor in net.items()}


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_too_wide(net):
    return changed(net, first__weight=torch.zeros(512, 4, 3, 3))


@wrong_artifact("ps3_ddpm.safetensors")
def diffusion_as_a_pickle(net):
    return pickle.dumps(sorted(net))


@right_artifact("ps3_ddpm.safetensors")
def diffusion_in_single_precision(net):
    return {name: tensor.float() for name, tensor in net.items()}


@right_artifact("ps3_ddpm.safetensors")
def diffusion_with_channels_renumbered(net):
    return renumbered(renumbered(net, "down.0"), "up.1")


@right_artifact("ps3_ddpm.safetensors")
def diffusion_with_a_constant_told_twice(net):
    return told_twice(net)


@right_artifact("ps3_ddpm.safetensors")
def diffusion_with_waves_reflected(net):
    return waves_reflected(net)
