"""Right and wrong artifacts of question 9: the flow. The changes are those of the first file."""

import torch

from autograder.verify.variants import right_artifact, wrong_artifact


@wrong_artifact("ps3_flow.safetensors")
def flow_untrained(net):
    return untrained(net)


@wrong_artifact("ps3_flow.safetensors")
def flow_from_data_to_noise(net):  # the velocity x0 - x1
    return mirrored(net)


@wrong_artifact("ps3_flow.safetensors")
def flow_with_time_reversed(net):  # t = 1 is noise, and the velocity points there
    return mirrored(another_clock(net, -1.0, 1.0))


@wrong_artifact("ps3_flow.safetensors")
def flow_told_the_wrong_time(net):  # the velocity is right, the clock runs backward
    return another_clock(net, -1.0, 1.0)


@wrong_artifact("ps3_flow.safetensors")
def flow_of_whole_numbers(net):  # trained with T = 200 and times up to 200
    return another_clock(net, 200.0)


@wrong_artifact("ps3_flow.safetensors")
def flow_without_a_clock(net):
    return another_clock(net, 0.0, 0.5)


@wrong_artifact("ps3_flow.safetensors")
def flow_trained_on_negatives(net):
    return ink_for_paper(net)


@wrong_artifact("ps3_flow.safetensors")
def flow_that_ignores_labels(net):
    return changed(net, labels__weight=net["labels.weight"][10:].expand(11, -1))


@wrong_artifact("ps3_flow.safetensors")
def flow_with_labels_off_by_one(net):
    return labels_moved(net, [*range(1, 10), 0])


@wrong_artifact("ps3_flow.safetensors")
def flow_with_two_labels_swapped(net):  # eight of ten labels: the first threshold without the second
    return labels_moved(net, [1, 0, *range(2, 10)])


@wrong_artifact("ps3_flow.safetensors")
def flow_whose_null_was_never_trained(net):
    labels = net["labels.weight"].float().clone()
    labels[10] = 3 * torch.randn(labels.shape[1], generator=torch.Generator().manual_seed(0))
    return changed(net, labels__weight=labels)


@wrong_artifact("ps3_flow.safetensors")
def flow_on_pixels_from_0_to_1(net):  # half as much contrast at the end
    return changed(net, last__2__weight=net["last.2.weight"].float() / 2, last__2__bias=net["last.2.bias"].float() / 2)


@wrong_artifact("ps3_flow.safetensors")
def flow_trained_too_briefly(net):
    return blurred(net, 0.2)


@wrong_artifact("ps3_flow.safetensors")
def flow_trained_not_quite_enough(net):  # the first thresholds without the second ones
    return blurred(net, 0.1)


@wrong_artifact("ps3_flow.safetensors")
def the_provided_network_as_a_flow(net):  # it guesses noise, not velocity
    from pskit import data

    return data.weights("ps3_unet")


@wrong_artifact("ps3_flow.safetensors")
def flow_without_attention(net):
    return {name: tensor for name, tensor in net.items() if not name.startswith("middle.1")}


@wrong_artifact("ps3_flow.safetensors")
def flow_of_another_width(net):
    return changed(net, last__2__weight=net["last.2.weight"][:, :40])


@wrong_artifact("ps3_flow.safetensors")
def flow_with_nan(net):
    return with_nan(net)


@wrong_artifact("ps3_flow.safetensors")
def flow_of_integers(net):
    return {name: (100 * tensor.float()).round().to(torch.int32) for name, tensor in net.items()}


@wrong_artifact("ps3_flow.safetensors")
def flow_as_an_empty_file(net):
    return b""


@wrong_artifact("ps3_flow.safetensors")
def flow_cut_off(net):
    from safetensors.torch import save

    return save({name: tensor.contiguous() for name, tensor in net.items()})[:-100]


@right_artifact("ps3_flow.safetensors")
def flow_in_double_precision(net):
    return {name: tensor.double() for name, tensor in net.items()}


@right_artifact("ps3_flow.safetensors")
def flow_with_channels_renumbered(net):
    return renumbered(renumbered(net, "middle.0"), "down.1")


@right_artifact("ps3_flow.safetensors")
def flow_with_a_constant_told_twice(net):
    return told_twice(net)


@right_artifact("ps3_flow.safetensors")
def flow_with_waves_reflected(net):
    return waves_reflected(net)
