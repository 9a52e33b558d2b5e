"""Right and wrong answers to questions 5c and 5d: the learning rate and clipping."""

import math

import torch

from autograder.verify.variants import right, wrong


@wrong("lr_at")
def first_update_is_wasted(step, max_lr, min_lr, warmup, total):
    return max_lr * step / warmup if step < warmup else lr_at(step, max_lr, min_lr, warmup, total)


@wrong("lr_at")
def line_begins_at_the_least_rate(step, max_lr, min_lr, warmup, total):
    if step < warmup:
        return min_lr + (max_lr - min_lr) * (step + 1) / warmup
    return lr_at(step, max_lr, min_lr, warmup, total)


@wrong("lr_at")
def no_warm_up(step, max_lr, min_lr, warmup, total):
    return lr_at(step, max_lr, min_lr, 0, total)


@wrong("lr_at")
def warm_up_times_the_cosine_of_the_whole(step, max_lr, min_lr, warmup, total):
    share = min(1.0, (step + 1) / warmup) if warmup else 1.0
    return share * lr_at(step, max_lr, min_lr, 0, total)


@wrong("lr_at")
def cosine_counts_from_the_first_update(step, max_lr, min_lr, warmup, total):
    return lr_at(step, max_lr, min_lr, warmup if step < warmup else 0, total)


@wrong("lr_at")
def divides_by_the_whole_length(step, max_lr, min_lr, warmup, total):
    if step < warmup or step >= total:
        return lr_at(step, max_lr, min_lr, warmup, total)
    return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * (step + 1 - warmup) / total))


@wrong("lr_at")
def cosine_lags_by_one(step, max_lr, min_lr, warmup, total):
    return lr_at(step if step < warmup else step - 1, max_lr, min_lr, warmup, total)


@wrong("lr_at")
def rises_again_after_the_end(step, max_lr, min_lr, warmup, total):
    if step < warmup:
        return lr_at(step, max_lr, min_lr, warmup, total)
    return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * (step + 1 - warmup) / (total - warmup)))


@wrong("lr_at")
def zero_after_the_end(step, max_lr, min_lr, warmup, total):
    return 0.0 if step >= total else lr_at(step, max_lr, min_lr, warmup, total)


@wrong("lr_at")
def ends_at_zero(step, max_lr, min_lr, warmup, total):
    return lr_at(step, max_lr, 0.0, warmup, total)


@wrong("lr_at")
def adds_the_least_rate(step, max_lr, min_lr, warmup, total):
    return lr_at(step, max_lr, 0.0, warmup, total) + (min_lr if step >= warmup else 0.0)


@wrong("lr_at")
def quarter_of_a_wave(step, max_lr, min_lr, warmup, total):
    if step < warmup or step >= total:
        return lr_at(step, max_lr, min_lr, warmup, total)
    return min_lr + (max_lr - min_lr) * math.cos(0.5 * math.pi * (step + 1 - warmup) / (total - warmup))


@wrong("lr_at")
def a_line_down(step, max_lr, min_lr, warmup, total):
    if step < warmup or step >= total:
        return lr_at(step, max_lr, min_lr, warmup, total)
    return max_lr - (max_lr - min_lr) * (step + 1 - warmup) / (total - warmup)


@wrong("lr_at")
def constant_after_the_warm_up(step, max_lr, min_lr, warmup, total):
    return lr_at(min(step, warmup - 1), max_lr, min_lr, warmup, total) if warmup else max_lr


@wrong("lr_at")
def never_below_the_least_rate(step, max_lr, min_lr, warmup, total):
    return max(min_lr, lr_at(step, max_lr, min_lr, warmup, total))


@wrong("lr_at")
def fails_without_a_warm_up(step, max_lr, min_lr, warmup, total):
    share = min(1.0, (step + 1) / warmup)
    return max_lr * share if share < 1 else lr_at(step, max_lr, min_lr, warmup, total)


def all_grads(params):
    """The gradients that are there."""
    return [p.grad for p in params if p.grad is not None]


def length(grads):
    """The norm of all of them together."""
    return math.sqrt(sum(float(g.square().sum()) for g in grads))


def shrink(grads, factor):
    """Multiply in place."""
    for g in grads:
        g.mul_(factor)


@wrong("clip_grad_")
def each_parameter_by_itself(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    for g in grads:
        g.mul_(min(1.0, max_norm / float(g.norm())))
    return norm


@wrong("clip_grad_")
def always_rescales(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    shrink(grads, max_norm / norm)
    return norm


@wrong("clip_grad_")
def divides_and_multiplies_below_the_limit(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    for g in grads:
        g.div_(norm).mul_(min(norm, max_norm))
    return norm


@wrong("clip_grad_")
def norms_added_without_squares(params, max_norm):
    grads = all_grads(params)
    norm = sum(float(g.norm()) for g in grads)
    if norm > max_norm:
        shrink(grads, max_norm / norm)
    return norm


@wrong("clip_grad_")
def largest_norm_of_all(params, max_norm):
    grads = all_grads(params)
    norm = max(float(g.norm()) for g in grads)
    if norm > max_norm:
        shrink(grads, max_norm / norm)
    return norm


@wrong("clip_grad_")
def clips_the_values(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    for g in grads:
        g.clamp_(-max_norm, max_norm)
    return norm


@wrong("clip_grad_")
def forgets_the_root(params, max_norm):
    grads = all_grads(params)
    norm = length(grads) ** 2
    if norm > max_norm:
        shrink(grads, max_norm / norm)
    return norm


@wrong("clip_grad_")
def returns_the_norm_after(params, max_norm):
    params = list(params)
    clip_grad_(params, max_norm)
    return length(all_grads(params))


@wrong("clip_grad_")
def replaces_the_gradients(params, max_norm):
    params = list(params)
    norm = length(all_grads(params))
    for p in params:
        if p.grad is not None and norm > max_norm:
            p.grad = p.grad * (max_norm / norm)
    return norm


@wrong("clip_grad_")
def multiplies_copies(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    if norm > max_norm:
        grads = [g * (max_norm / norm) for g in grads]
    return norm


@wrong("clip_grad_")
def walks_through_the_parameters_twice(params, max_norm):
    norm = length(all_grads(params))
    if norm > max_norm:
        shrink(all_grads(params), max_norm / norm)
    return norm


@wrong("clip_grad_")
def every_parameter_took_part(params, max_norm):
    grads = [p.grad for p in params]
    norm = length(grads)
    if norm > max_norm:
        shrink(grads, max_norm / norm)
    return norm


@wrong("clip_grad_")
def clips_the_parameters(params, max_norm):
    params = list(params)
    norm = length(all_grads(params))
    if norm > max_norm:
        shrink([p.data for p in params], max_norm / norm)
    return norm


@wrong("clip_grad_")
def shrinks_by_the_root_of_the_factor(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    if norm > max_norm:
        shrink(grads, math.sqrt(max_norm / norm))
    return norm


@wrong("clip_grad_")
def a_large_epsilon_in_the_factor(params, max_norm):
    grads = all_grads(params)
    norm = length(grads)
    if norm > max_norm:
        shrink(grads, max_norm / (norm + 1e-2))
    return norm


@wrong("clip_grad_")
def returns_nothing(params, max_norm):
    clip_grad_(params, max_norm)


# right


@right("lr_at")
def by_one_expression(step, max_lr, min_lr, warmup, total):
    if step + 1 < warmup:
        return (step + 1) / warmup * max_lr
    share = min(1.0, (step + 1 - warmup) / max(1, total - warmup))
    return min_lr + (max_lr - min_lr) * math.cos(share * math.pi / 2) ** 2


@right("lr_at")
def by_tensors(step, max_lr, min_lr, warmup, total):
    n = torch.tensor(step + 1.0, dtype=torch.float64)
    down = min_lr + (max_lr - min_lr) / 2 * (1 + torch.cos(math.pi * ((n - warmup) / (total - warmup)).clamp(0, 1)))
    return float(torch.where(n <= warmup, max_lr * n / max(warmup, 1), down))


@right("clip_grad_")
def by_torch(params, max_norm):
    return torch.nn.utils.clip_grad_norm_(params, max_norm)


@right("clip_grad_")
def by_one_long_vector(params, max_norm):
    grads = [p.grad for p in params if p.grad is not None]
    norm = torch.cat([g.reshape(-1) for g in grads]).norm()
    if norm >= max_norm:
        for g in grads:
            g.copy_(g * max_norm / norm)
    return norm


@right("clip_grad_")
def by_a_sum_of_squares(params, max_norm):
    grads = [p.grad for p in params if p.grad is not None]
    total = sum((g.double() ** 2).sum().item() for g in grads)
    if total > max_norm**2:
        for g in grads:
            g *= max_norm / total**0.5
    return total**0.5
