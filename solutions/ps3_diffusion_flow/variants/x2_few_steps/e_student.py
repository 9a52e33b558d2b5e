"""Right and wrong artifacts of x2."""

import math

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


def with_these(tensors, **new):
    """The tensors with some of them replaced; `__` stands for a dot."""
    return {**tensors, **{name.replace("__", "."): tensor for name, tensor in new.items()}}


def moved_by_noise(tensors, share):
    """Every weight moved by normal draws of `share` times the standard deviation of its tensor."""
    draws = torch.Generator().manual_seed(0)
    return {
        name: tensor.float() + share * tensor.float().std() * torch.randn(tensor.shape, generator=draws)
        if tensor.ndim > 1
        else tensor
        for name, tensor in tensors.items()
    }


@wrong_artifact("ps3_few.safetensors")
def student_that_predicts_the_end(net):  # the digit itself, where the velocity is asked for: its half, as an example
    return with_these(
        net, last__2__weight=net["last.2.weight"].float() / 2, last__2__bias=net["last.2.bias"].float() / 2
    )


@wrong_artifact("ps3_few.safetensors")
def student_of_the_wrong_end(net):
    return with_these(net, last__2__weight=-net["last.2.weight"], last__2__bias=-net["last.2.bias"])


@wrong_artifact("ps3_few.safetensors")
def student_with_time_reversed(net):
    slopes = net["waves.weight"].float()
    return with_these(net, waves__weight=-slopes, waves__bias=net["waves.bias"].float() + slopes[:, 0])


@wrong_artifact("ps3_few.safetensors")
def student_that_ignores_labels(net):
    return with_these(net, labels__weight=net["labels.weight"][10:].expand(11, -1))


@wrong_artifact("ps3_few.safetensors")
def student_with_labels_off_by_one(net):
    return with_these(net, labels__weight=net["labels.weight"][[*range(1, 10), 0, 10]])


@wrong_artifact("ps3_few.safetensors")
def student_with_two_labels_swapped(net):  # eight of ten: the first threshold without the second
    return with_these(net, labels__weight=net["labels.weight"][[1, 0, *range(2, 11)]])


@wrong_artifact("ps3_few.safetensors")
def student_trained_too_briefly(net):
    return moved_by_noise(net, 0.6)


@wrong_artifact("ps3_few.safetensors")
def student_of_nothing(net):
    return {name: torch.zeros_like(tensor) for name, tensor in net.items()}


@wrong_artifact("ps3_few.safetensors")
def student_that_guesses_noise(net):
    from pskit import data

    return data.weights("ps3_unet")


@wrong_artifact("ps3_few.safetensors")
def student_with_infinity(net):
    return with_these(net, last__2__bias=torch.full((4,), math.inf))


@wrong_artifact("ps3_few.safetensors")
def student_without_its_clock(net):
    return {name: tensor for name, tensor in net.items() if not name.startswith("waves")}


@right_artifact("ps3_few.safetensors")
def student_in_single_precision(net):
    return {name: tensor.float() for name, tensor in net.items()}


@right_artifact("ps3_few.safetensors")
def student_with_waves_reflected(net):
    return with_these(net, waves__weight=-net["waves.weight"].float(), waves__bias=math.pi - net["waves.bias"].float())


@right_artifact("ps3_few.safetensors")
def student_told_a_constant_twice(net):
    shift = torch.linspace(-1, 1, net["labels.weight"].shape[1])
    return with_these(
        net,
        labels__weight=net["labels.weight"].float() + shift,
        time__2__bias=net["time.2.bias"].float() - shift,
    )
