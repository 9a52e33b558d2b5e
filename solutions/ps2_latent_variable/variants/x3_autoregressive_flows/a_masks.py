"""Right and wrong answers to question x3a: masks."""

import itertools

import torch

from autograder.verify.variants import right, wrong


def masks_of(degrees, D, hidden_strict=False, output_strict=True, output_shift=0):
    """Masks for lists of degrees, input first, with the inequalities as told."""
    compare = torch.gt if hidden_strict else torch.ge
    masks = [compare(after[:, None], before[None]).float() for before, after in itertools.pairwise(degrees)]
    outputs = torch.arange(1, D + 1)[:, None] + output_shift
    last = torch.gt(outputs, degrees[-1]) if output_strict else torch.ge(outputs, degrees[-1])
    return [*masks, last.float()]


def usual_degrees(D, hidden):
    """The numbering of the text."""
    return [torch.arange(1, D + 1), *(1 + torch.arange(width) % (D - 1) for width in hidden)]


@wrong("made_masks")
def outputs_see_their_own_input(D, hidden):
    return masks_of(usual_degrees(D, hidden), D, output_strict=False)


@wrong("made_masks")
def strict_everywhere(D, hidden):
    return masks_of(usual_degrees(D, hidden), D, hidden_strict=True)


@wrong("made_masks")
def strict_in_hidden_layers_instead_of_at_the_end(D, hidden):
    return masks_of(usual_degrees(D, hidden), D, hidden_strict=True, output_strict=False)


@wrong("made_masks")
def degrees_from_zero(D, hidden):
    return masks_of([torch.arange(D), *(torch.arange(width) % (D - 1) for width in hidden)], D)


@wrong("made_masks")
def degrees_up_to_half(D, hidden):
    return masks_of([torch.arange(1, D + 1), *(1 + torch.arange(w) % max(1, (D - 1) // 2) for w in hidden)], D)


@wrong("made_masks")
def all_hidden_units_of_the_highest_degree(D, hidden):
    return masks_of([torch.arange(1, D + 1), *(torch.full((width,), D - 1) for width in hidden)], D)


@wrong("made_masks")
def all_hidden_units_of_the_lowest_degree(D, hidden):
    return masks_of([torch.arange(1, D + 1), *(torch.ones(width) for width in hidden)], D)


@wrong("made_masks")
def transposed_masks(D, hidden):
    return [mask.T for mask in masks_of(usual_degrees(D, hidden), D)]


@wrong("made_masks")
def reversed_order(D, hidden):
    return [1 - mask for mask in masks_of(usual_degrees(D, hidden), D)]


@wrong("made_masks")
def output_mask_forgotten(D, hidden):
    return masks_of(usual_degrees(D, hidden), D)[:-1]


@wrong("made_masks")
def masks_without_hidden_restrictions(D, hidden):
    return [torch.ones_like(mask) for mask in masks_of(usual_degrees(D, hidden), D)[:-1]] + [
        torch.tril(torch.ones(D, hidden[-1]), -1)
    ]


@wrong("made_masks")
def outputs_two_behind(D, hidden):
    return masks_of(usual_degrees(D, hidden), D, output_shift=-1)


@wrong("made_masks")
def booleans(D, hidden):
    return [mask.bool() for mask in masks_of(usual_degrees(D, hidden), D)]


@right("made_masks")
def degrees_spread_in_blocks(D, hidden):
    return masks_of([torch.arange(1, D + 1), *(1 + torch.arange(w) * (D - 1) // w for w in hidden)], D)


@right("made_masks")
def entry_by_entry(D, hidden):
    m = [list(range(1, D + 1))] + [[1 + k % (D - 1) for k in range(width)] for width in hidden]
    masks = []
    for before, after in itertools.pairwise(m):
        masks.append(torch.tensor([[1.0 if a >= b else 0.0 for b in before] for a in after]))
    masks.append(torch.tensor([[1.0 if d > b else 0.0 for b in m[-1]] for d in m[0]]))
    return masks


@right("made_masks")
def degrees_counted_downwards(D, hidden):
    return masks_of([torch.arange(1, D + 1), *(D - 1 - torch.arange(w) % (D - 1) for w in hidden)], D)
