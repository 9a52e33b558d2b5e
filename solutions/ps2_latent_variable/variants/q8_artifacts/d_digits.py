"""Right and wrong answers to question 8d: digits on demand."""

import torch
from torch.nn.functional import one_hot

from autograder.verify.variants import right_artifact, wrong_artifact


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
