import math

import torch
import torch.nn.functional as functional

from autograder.verify.variants import right, wrong


@wrong("receptive_field")
def adds_up_the_kernels(layers):
    return sum(kernel for kernel, _ in layers), math.prod(stride for _, stride in layers)


@wrong("receptive_field")
def ignores_the_strides(layers):
    return 1 + sum(kernel - 1 for kernel, _ in layers), 1


@wrong("receptive_field")
def multiplies_the_kernels(layers):
    return math.prod(kernel for kernel, _ in layers), math.prod(stride for _, stride in layers)


@wrong("receptive_field")
def widens_by_the_kernel_itself(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += kernel * jump
        jump *= stride
    return size, jump


@wrong("receptive_field")
def strides_before_it_widens(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        size += (kernel - 1) * jump
    return size, jump


@wrong("receptive_field")
def adds_up_the_strides(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump += stride - 1
    return size, jump


@wrong("receptive_field")
def reads_the_stack_from_the_other_end(layers):
    size, jump = 1, 1
    for kernel, stride in layers[::-1]:
        size += (kernel - 1) * jump
        jump *= stride
    return size, jump


@wrong("receptive_field")
def forgets_the_last_stride(layers):
    size, jump, before = 1, 1, 1
    for kernel, stride in layers:
        size, before = size + (kernel - 1) * jump, jump
        jump *= stride
    return size, before


@wrong("receptive_field")
def returns_the_jump_first(layers):
    size, jump = 1, 1
    for kernel, stride in layers:
        size += (kernel - 1) * jump
        jump *= stride
    return jump, size


@wrong("pix2pix_loss")
def saturates(G, D, x, y, weight):
    fake = G(x)
    return -functional.softplus(D(x, fake)).mean() + weight * (y - fake).abs().mean()


@wrong("pix2pix_loss")
def squares_the_error(G, D, x, y, weight):
    fake = G(x)
    return functional.softplus(-D(x, fake)).mean() + weight * (y - fake).square().mean()


@wrong("pix2pix_loss")
def weighs_the_wrong_term(G, D, x, y, weight):
    fake = G(x)
    return weight * functional.softplus(-D(x, fake)).mean() + (y - fake).abs().mean()


@wrong("pix2pix_loss")
def compares_with_the_input(G, D, x, y, weight):
    fake = G(x)
    return functional.softplus(-D(x, fake)).mean() + weight * (x - fake).abs().mean()


@wrong("pix2pix_loss")
def judges_the_target(G, D, x, y, weight):
    return functional.softplus(-D(x, y)).mean() + weight * (y - G(x)).abs().mean()


@wrong("pix2pix_loss")
def shows_the_target_for_the_input(G, D, x, y, weight):
    fake = G(x)
    return functional.softplus(-D(y, fake)).mean() + weight * (y - fake).abs().mean()


@wrong("pix2pix_loss")
def averages_the_map_before_the_loss(G, D, x, y, weight):
    fake = G(x)
    return functional.softplus(-D(x, fake).mean()) + weight * (y - fake).abs().mean()


@wrong("pix2pix_loss")
def adds_up_the_map(G, D, x, y, weight):
    fake = G(x)
    return functional.softplus(-D(x, fake)).sum((1, 2, 3)).mean() + weight * (y - fake).abs().mean()


@wrong("pix2pix_loss")
def detaches_what_is_judged(G, D, x, y, weight):
    fake = G(x)
    return functional.softplus(-D(x, fake.detach())).mean() + weight * (y - fake).abs().mean()


@wrong("pix2pix_loss")
def runs_the_generator_twice(G, D, x, y, weight):
    return functional.softplus(-D(x, G(x))).mean() + weight * (y - G(x)).abs().mean()


@wrong("cycle_loss")
def goes_only_one_way(G, H, x, y):
    return (H(G(x)) - x).abs().mean()


@wrong("cycle_loss")
def composes_in_the_wrong_order(G, H, x, y):
    return (G(H(x)) - x).abs().mean() + (H(G(y)) - y).abs().mean()


@wrong("cycle_loss")
def compares_with_the_other_domain(G, H, x, y):
    return (G(x) - x).abs().mean() + (H(y) - y).abs().mean()


@wrong("cycle_loss")
def squares_the_cycle(G, H, x, y):
    return (H(G(x)) - x).square().mean() + (G(H(y)) - y).square().mean()


@wrong("cycle_loss")
def averages_both_cycles(G, H, x, y):
    return ((H(G(x)) - x).abs().mean() + (G(H(y)) - y).abs().mean()) / 2


@wrong("cycle_loss")
def adds_up_pixels(G, H, x, y):
    return (H(G(x)) - x).abs().flatten(1).sum(1).mean() + (G(H(y)) - y).abs().flatten(1).sum(1).mean()


@wrong("cycle_loss")
def forgets_the_absolute_value(G, H, x, y):
    return (H(G(x)) - x).mean() + (G(H(y)) - y).mean()


@wrong("cycle_loss")
def keeps_the_examples_apart(G, H, x, y):
    return (H(G(x)) - x).abs().flatten(1).mean(1) + (G(H(y)) - y).abs().flatten(1).mean()


@right("receptive_field")
def from_the_last_layer_down(layers):
    size = 1
    for kernel, stride in reversed(layers):
        size = (size - 1) * stride + kernel
    return size, math.prod(stride for _, stride in layers)


@right("receptive_field")
def as_a_list(layers):
    jumps = [1]
    for _, stride in layers:
        jumps.append(jumps[-1] * stride)
    return [1 + sum((kernel - 1) * jump for (kernel, _), jump in zip(layers, jumps, strict=False)), jumps[-1]]


@right("pix2pix_loss")
def by_bce_and_l1_loss(G, D, x, y, weight):
    fake = G(x)
    logits = D(x, fake)
    adversarial = functional.binary_cross_entropy_with_logits(logits, logits.new_ones(logits.shape))
    return adversarial + weight * functional.l1_loss(fake, y)


@right("cycle_loss")
def by_l1_loss(G, H, x, y):
    return functional.l1_loss(H(G(x)), x) + functional.l1_loss(G(H(y)), y)


@right("pix2pix_loss")
def discriminator_by_its_names(G, D, x, y, weight):
    fake = G(x)
    return g_loss(D(x, image=fake), "non_saturating") + weight * (fake - y).abs().mean()


@wrong("cycle_loss")
def first_translation_without_gradient(G, H, x, y):
    with torch.no_grad():
        there = G(x)
    return (H(there) - x).abs().mean() + (G(H(y)) - y).abs().mean()


@wrong("cycle_loss")
@torch.no_grad()
def round_trips_without_gradient(G, H, x, y):
    return cycle_loss(G, H, x, y)
