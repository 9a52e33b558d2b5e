"""Right and wrong answers to x3a and x3b."""

import math

import torch
import torch.nn.functional as functional

from autograder.verify.variants import right, wrong


@wrong("patchify")
def cut_by_reshape_alone(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, (H // p) * (W // p), C * p * p)


@wrong("patchify")
def grid_read_column_by_column(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // p, p, W // p, p).permute(0, 4, 2, 1, 3, 5).reshape(B, -1, C * p * p)


@wrong("patchify")
def pixels_read_column_by_column(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // p, p, W // p, p).permute(0, 2, 4, 1, 5, 3).reshape(B, -1, C * p * p)


@wrong("patchify")
def channels_last(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // p, p, W // p, p).permute(0, 2, 4, 3, 5, 1).reshape(B, -1, C * p * p)


@wrong("patchify")
def every_pth_pixel(x, p):
    B, C, H, W = x.shape
    return x.reshape(B, C, p, H // p, p, W // p).permute(0, 3, 5, 1, 2, 4).reshape(B, -1, C * p * p)


@wrong("patchify")
def patches_in_the_last_dimension(x, p):
    return functional.unfold(x, p, stride=p)


@wrong("patchify")
def patches_overlap(x, p):
    return functional.unfold(x, p, stride=max(p - 1, 1)).transpose(1, 2)


@wrong("unpatchify")
def joined_by_reshape_alone(tokens, p, H, W):
    return tokens.reshape(len(tokens), -1, H, W)


@wrong("unpatchify")
def height_and_width_swapped(tokens, p, H, W):
    B, _, width = tokens.shape
    blocks = tokens.reshape(B, W // p, H // p, width // (p * p), p, p)
    return blocks.permute(0, 3, 1, 4, 2, 5).reshape(B, -1, H, W)


@wrong("unpatchify")
def returns_the_transposed_image(tokens, p, H, W):
    return unpatchify(tokens, p, H, W).transpose(2, 3).contiguous()


@wrong("unpatchify")
def always_a_square_grid(tokens, p, H, W):
    B, N, width = tokens.shape
    side = max(1, math.isqrt(N))
    blocks = tokens[:, : side * side].reshape(B, side, side, width // (p * p), p, p)
    return blocks.permute(0, 3, 1, 4, 2, 5).reshape(B, -1, side * p, side * p)


@wrong("unpatchify")
def rows_and_columns_of_a_patch_swapped(tokens, p, H, W):
    B, _, width = tokens.shape
    blocks = tokens.reshape(B, H // p, W // p, width // (p * p), p, p)
    return blocks.permute(0, 3, 1, 5, 2, 4).reshape(B, -1, H, W)


@wrong("unpatchify")
def channels_expected_last(tokens, p, H, W):
    B, _, width = tokens.shape
    blocks = tokens.reshape(B, H // p, W // p, p, p, width // (p * p))
    return blocks.permute(0, 5, 1, 3, 2, 4).reshape(B, -1, H, W)


def hands(t, D, frequencies):
    """Cosines and sines at these frequencies."""
    t = t if t.is_floating_point() else t.float()
    angle = t[:, None] * frequencies.to(t)
    return torch.cat([angle.cos(), angle.sin()], dim=1)


@wrong("timestep_embedding")
def last_clock_exactly_at_one_in_ten_thousand(t, D):
    return hands(t, D, 10000 ** -(torch.arange(D // 2) / max(D // 2 - 1, 1)))


@wrong("timestep_embedding")
def exponent_over_the_whole_width(t, D):
    return hands(t, D, 10000 ** -(torch.arange(D // 2) / D))


@wrong("timestep_embedding")
def clocks_from_one_on(t, D):
    return hands(t, D, 10000 ** -(torch.arange(1, D // 2 + 1) / (D // 2)))


@wrong("timestep_embedding")
def frequencies_that_grow(t, D):
    return hands(t, D, 10000 ** (torch.arange(D // 2) / (D // 2)))


@wrong("timestep_embedding")
def base_of_a_thousand(t, D):
    return hands(t, D, 1000 ** -(torch.arange(D // 2) / (D // 2)))


@wrong("timestep_embedding")
def angles_in_turns(t, D):
    return hands(t, D, 2 * math.pi * 10000 ** -(torch.arange(D // 2) / (D // 2)))


@wrong("timestep_embedding")
def sines_twice(t, D):
    half = timestep_embedding(t, D)[:, D // 2 :]
    return torch.cat([half, half], 1)


@wrong("timestep_embedding")
def sines_and_cosines_interleaved(t, D):
    code = timestep_embedding(t, D)
    return torch.stack(code.chunk(2, dim=1), dim=2).flatten(1) if D > 2 else code.cumsum(1)


@wrong("timestep_embedding")
def whole_times_stay_whole(t, D):
    angle = t[:, None] * (10000 ** -(torch.arange(D // 2) / (D // 2))).to(t.dtype)
    return torch.cat([angle.cos(), angle.sin()], dim=1)


@wrong("timestep_embedding")
def always_in_double_precision(t, D):
    return hands(t.double(), D, 10000 ** -(torch.arange(D // 2).double() / (D // 2)))


@wrong("timestep_embedding")
def always_in_single_precision(t, D):
    return timestep_embedding(t.float(), D)


@wrong("timestep_embedding")
def scaled_by_a_thousand(t, D):
    return timestep_embedding(1000 * t, D)


@wrong("timestep_embedding")
def one_code_for_the_batch(t, D):
    return timestep_embedding(t, D)[:1].expand(len(t), D).clone()


@right("patchify")
def by_unfold(x, p):
    return functional.unfold(x, p, stride=p).transpose(1, 2)


@right("patchify")
def by_slicing(x, p):
    H, W = x.shape[2:]
    return torch.stack(
        [x[:, :, i : i + p, j : j + p].flatten(1) for i in range(0, H, p) for j in range(0, W, p)], dim=1
    )


@right("unpatchify")
def by_fold(tokens, p, H, W):
    return functional.fold(tokens.transpose(1, 2), (H, W), p, stride=p)


@right("unpatchify")
def by_filling_an_image(tokens, p, H, W):
    B, _, width = tokens.shape
    x = torch.zeros(B, width // (p * p), H, W, dtype=tokens.dtype)
    for n in range(tokens.shape[1]):
        i, j = divmod(n, W // p)
        x[:, :, i * p : (i + 1) * p, j * p : (j + 1) * p] = tokens[:, n].reshape(B, -1, p, p)
    return x


@right("timestep_embedding")
def sines_first(t, D):
    t = t if t.dtype in (torch.float32, torch.float64) else t.to(torch.float32)
    rate = torch.exp(-math.log(10000) * torch.arange(D // 2, dtype=t.dtype) * 2 / D)
    angle = t.unsqueeze(1) * rate.unsqueeze(0)
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=-1)


@right("timestep_embedding")
def with_frequencies_in_single_precision(t, D):
    frequencies = 10000 ** (-torch.arange(D // 2) / (D // 2))
    angle = t[:, None] * frequencies
    return torch.cat([torch.cos(angle), torch.sin(angle)], dim=1)


@right("timestep_embedding")
def by_outer_product(t, D):
    t = t * torch.ones((), dtype=t.dtype if t.is_floating_point() else torch.float32)
    angle = torch.outer(t, torch.pow(10000.0, -torch.arange(D // 2, dtype=t.dtype) / (D / 2)))
    return torch.hstack([torch.cos(angle), torch.sin(angle)])
