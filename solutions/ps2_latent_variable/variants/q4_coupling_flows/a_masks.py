"""Right and wrong answers to question 4a: masks and squeezing."""

import torch

from autograder.verify.variants import right, wrong


@wrong("checkerboard_mask")
def board_by_counting_along_the_rows(H, W):
    return ((torch.arange(H * W) + 1) % 2).reshape(H, W).float()


@wrong("checkerboard_mask")
def board_with_the_corner_changed(H, W):
    return ((torch.arange(H)[:, None] + torch.arange(W)) % 2).float()


@wrong("checkerboard_mask")
def board_of_columns(H, W):
    return (torch.arange(W) % 2 == 0).float().expand(H, W)


@wrong("checkerboard_mask")
def board_with_height_and_width_swapped(H, W):
    return ((torch.arange(W)[:, None] + torch.arange(H)) % 2 == 0).float()


@wrong("checkerboard_mask")
def board_of_products(H, W):
    return ((torch.arange(H)[:, None] * torch.arange(W)) % 2 == 0).float()


@wrong("squeeze")
def squeezed_by_reshape_alone(x):
    B, C, H, W = x.shape
    return x.reshape(B, 4 * C, H // 2, W // 2)


@wrong("squeeze")
def columns_before_rows(x):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // 2, 2, W // 2, 2).permute(0, 1, 5, 3, 2, 4).reshape(B, 4 * C, H // 2, W // 2)


@wrong("squeeze")
def offsets_before_channels(x):
    B, C, H, W = x.shape
    return x.reshape(B, C, H // 2, 2, W // 2, 2).permute(0, 3, 5, 1, 2, 4).reshape(B, 4 * C, H // 2, W // 2)


@wrong("squeeze")
def quarters_of_the_image(x):
    top, bottom = x.chunk(2, dim=2)
    return torch.cat([*top.chunk(2, dim=3), *bottom.chunk(2, dim=3)], dim=1)


@wrong("unsqueeze")
def unsqueezed_by_reshape_alone(y):
    B, C, H, W = y.shape
    return y.reshape(B, C // 4, 2 * H, 2 * W)


@wrong("unsqueeze")
def rows_and_columns_swapped(y):
    B, C, H, W = y.shape
    return y.reshape(B, C // 4, 2, 2, H, W).permute(0, 1, 4, 3, 5, 2).reshape(B, C // 4, 2 * H, 2 * W)


@wrong("unsqueeze")
def squeezes_permutation_repeated(y):
    B, C, H, W = y.shape
    return y.reshape(B, C // 4, 2, 2, H, W).permute(0, 1, 2, 4, 3, 5).reshape(B, C // 4, 2 * H, 2 * W)


@wrong("unsqueeze")
def channels_of_offsets_first(y):
    B, C, H, W = y.shape
    return y.reshape(B, 2, 2, C // 4, H, W).permute(0, 3, 4, 1, 5, 2).reshape(B, C // 4, 2 * H, 2 * W)


@right("checkerboard_mask")
def board_by_two_assignments(H, W):
    board = torch.zeros(H, W)
    board[::2, ::2] = 1
    board[1::2, 1::2] = 1
    return board


@right("squeeze")
def by_pixel_unshuffle(x):
    return torch.nn.functional.pixel_unshuffle(x, 2)


@right("squeeze")
def by_strided_slices(x):
    corners = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
    return torch.stack(corners, dim=2).flatten(1, 2)


@right("unsqueeze")
def by_pixel_shuffle(y):
    return torch.nn.functional.pixel_shuffle(y, 2)


@right("unsqueeze")
def by_filling_strided_slices(y):
    B, C, H, W = y.shape
    x = y.new_empty(B, C // 4, 2 * H, 2 * W)
    for k in range(4):
        x[:, :, k // 2 :: 2, k % 2 :: 2] = y[:, k::4]
    return x
