"""Right and wrong files of question 8c: five sizes. Helpers are those of a_gpt.py."""

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


def part(tensors, i, then):
    """The tensors of model i under the number `then`."""
    return {f"{then}.{name[2:]}": t.clone() for name, t in tensors.items() if name.startswith(f"{i}.")}


def chosen(tensors, models):
    """A file of these models, in this order."""
    packed = {}
    for then, i in enumerate(models):
        packed |= part(tensors, i, then)
    return packed


@wrong_artifact("ps4_scaling.safetensors")
def five_times_the_largest(tensors):
    return chosen(tensors, [4, 4, 4, 4, 4])


@wrong_artifact("ps4_scaling.safetensors")
def without_the_smallest(tensors):
    return chosen(tensors, [1, 1, 2, 3, 4])


@wrong_artifact("ps4_scaling.safetensors")
def only_four(tensors):
    return chosen(tensors, [0, 1, 2, 4])


@wrong_artifact("ps4_scaling.safetensors")
def five_untrained_models(tensors):
    return drawn(tensors)


@wrong_artifact("ps4_scaling.safetensors")
def the_largest_is_untrained(tensors):
    return {**tensors, **part(drawn(chosen(tensors, [4])), 0, 4)}


@wrong_artifact("ps4_scaling.safetensors")
def the_middle_is_worse_than_its_neighbours(tensors):
    return {**tensors, **part(noisy(chosen(tensors, [2]), 1.0), 0, 2)}


@wrong_artifact("ps4_scaling.safetensors")
def all_are_worse_the_larger_the_less(tensors):  # the loss falls with the size, but it is large
    packed = {}
    for i, share in enumerate((3.0, 1.5, 1.0, 0.8, 0.6)):
        packed |= part(noisy(chosen(tensors, [i]), share), 0, i)
    return packed


@wrong_artifact("ps4_scaling.safetensors")
def one_is_not_a_number(tensors):
    name = next(name for name in tensors if name.startswith("2.gpt."))
    return {**tensors, name: torch.full_like(tensors[name], float("nan"))}


@wrong_artifact("ps4_scaling.safetensors")
def without_numbers_in_front(tensors):
    return {name[2:]: t for name, t in tensors.items()}


@wrong_artifact("ps4_scaling.safetensors")
def five_pickles(tensors):
    return pickled(tensors)


@right_artifact("ps4_scaling.safetensors")
def from_the_largest_on(tensors):
    return chosen(tensors, [4, 3, 2, 1, 0])


@right_artifact("ps4_scaling.safetensors")
def five_in_single_precision(tensors):
    return {name: t if name.endswith("sizes") else t.float() for name, t in tensors.items()}
