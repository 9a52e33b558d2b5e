"""Right and wrong answers to question 6."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from autograder.verify.variants import right, wrong


def cut(img, p):
    return img.unfold(0, p, 1).unfold(1, p, 1).reshape(-1, p * p)


def paste(P, H, W, p):
    return F.fold(P.T[None], (H, W), p)[0, 0]


def cover(H, W, p, dtype=torch.float64):
    return paste(torch.ones((H - p + 1) * (W - p + 1), p * p, dtype=dtype), H, W, p)


def z_step(x, gmm, beta, p, mode="map_component"):
    coefficients, means = data.to_ac(cut(x, p))
    return data.from_ac(gmm_denoise(coefficients, *gmm, beta**-0.5, mode=mode), means)


def x_step(img, Z, sigma, beta, p):
    mean = paste(Z, *img.shape, p) / cover(*img.shape, p)
    return (img / sigma**2 + beta * mean) / (1 / sigma**2 + beta)


def patch_size(gmm):
    return math.isqrt(gmm[1].shape[1] + 1)


# 6a


@wrong("extract_patches")
def height_and_width_swapped(img, p):
    return cut(img.T, p)


@wrong("extract_patches")
def corners_run_down_the_columns(img, p):
    return img.unfold(0, p, 1).unfold(1, p, 1).transpose(0, 1).reshape(-1, p * p)


@wrong("extract_patches")
def patches_are_transposed(img, p):
    return img.unfold(0, p, 1).unfold(1, p, 1).mT.reshape(-1, p * p)


@wrong("extract_patches")
def stride_of_a_patch(img, p):
    return img.unfold(0, p, p).unfold(1, p, p).reshape(-1, p * p)


@wrong("extract_patches")
def last_row_and_column_of_corners_missing(img, p):
    return cut(img[:-1, :-1], p)


@wrong("extract_patches")
def reshaped_without_regard_to_place(img, p):
    H, W = img.shape
    number = (H - p + 1) * (W - p + 1)
    return img.reshape(-1).repeat(p * p)[: number * p * p].reshape(number, p * p)


@wrong("extract_patches")
def not_flattened(img, p):
    return img.unfold(0, p, 1).unfold(1, p, 1).reshape(-1, p, p)


@wrong("extract_patches")
def pixels_before_patches(img, p):
    return cut(img, p).T


@wrong("extract_patches")
def mean_already_removed(img, p):
    P = cut(img, p)
    return P - P.mean(1, keepdim=True)


@wrong("extract_patches")
def padded_at_the_border(img, p):
    return cut(F.pad(img[None, None], (0, p - 1, 0, p - 1))[0, 0], p)


@wrong("aggregate_patches")
def only_centre_pixels_kept(P, H, W, p):
    result = F.fold(P.T[None], (H, W), p)[0, 0] / cover(H, W, p, P.dtype)
    middle = p // 2
    inner = P[:, middle * p + middle].reshape(H - p + 1, W - p + 1)
    result[middle : middle + H - p + 1, middle : middle + W - p + 1] = inner
    return result


@wrong("aggregate_patches")
def sums_instead_of_averaging(P, H, W, p):
    return paste(P, H, W, p)


@wrong("aggregate_patches")
def divides_by_p_squared_everywhere(P, H, W, p):
    return paste(P, H, W, p) / p**2


@wrong("aggregate_patches")
def last_patch_wins(P, H, W, p):
    result = P.new_zeros(H, W)
    for n in range(len(P)):
        i, j = divmod(n, W - p + 1)
        result[i : i + p, j : j + p] = P[n].reshape(p, p)
    return result


@wrong("aggregate_patches")
def averages_running_in_turn(P, H, W, p):
    result, seen = P.new_zeros(H, W), P.new_zeros(H, W)
    for n in range(len(P)):
        i, j = divmod(n, W - p + 1)
        place = (slice(i, i + p), slice(j, j + p))
        result[place] = torch.where(seen[place] > 0, (result[place] + P[n].reshape(p, p)) / 2, P[n].reshape(p, p))
        seen[place] += 1
    return result


@wrong("aggregate_patches")
def counts_corners_in_columns_of_h(P, H, W, p):
    return paste(P, W, H, p).T / cover(H, W, p, P.dtype)


@wrong("aggregate_patches")
def image_comes_back_transposed(P, H, W, p):
    return (paste(P, H, W, p) / cover(H, W, p, P.dtype)).T


@wrong("aggregate_patches")
def patches_pasted_transposed(P, H, W, p):
    turned = P.reshape(-1, p, p).mT.reshape(-1, p * p)
    return paste(turned, H, W, p) / cover(H, W, p, P.dtype)


@wrong("aggregate_patches")
def counts_one_too_many(P, H, W, p):
    return paste(P, H, W, p) / (cover(H, W, p, P.dtype) + 1)


@wrong("aggregate_patches")
def sums_in_double_precision_and_stays_there(P, H, W, p):
    return paste(P.double(), H, W, p) / cover(H, W, p)


@right("extract_patches")
def by_im2col(img, p):
    return F.unfold(img[None, None], p)[0].T


@right("extract_patches")
def by_a_view_with_strides(img, p):
    (H, W), (down, along) = img.shape, img.stride()
    view = torch.as_strided(img, (H - p + 1, W - p + 1, p, p), (down, along, down, along), img.storage_offset())
    return view.reshape(-1, p * p)


@right("extract_patches")
def by_numpy_windows(img, p):
    windows = np.lib.stride_tricks.sliding_window_view(img.numpy(), (p, p))
    return torch.from_numpy(windows.reshape(-1, p * p).copy())


@right("aggregate_patches")
def by_folding(P, H, W, p):
    return paste(P, H, W, p) / paste(torch.ones_like(P), H, W, p)


@right("aggregate_patches")
def by_adding_at_pixel_numbers(P, H, W, p):
    where = cut(torch.arange(H * W).reshape(H, W), p).reshape(-1)
    total = torch.zeros(H * W, dtype=P.dtype).index_add_(0, where, P.reshape(-1))
    return (total / torch.bincount(where)).reshape(H, W)


@right("aggregate_patches")
def patch_after_patch(P, H, W, p):
    total, count = torch.zeros(H, W, dtype=P.dtype), torch.zeros(H, W, dtype=P.dtype)
    for n, patch in enumerate(P):
        i, j = divmod(n, W - p + 1)
        total[i : i + p, j : j + p] += patch.view(p, p)
        count[i : i + p, j : j + p] += 1
    return total / count


# 6b


@wrong("epll_denoise")
def brightness_not_restored(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        Z = z_step(x, gmm, beta, p) - cut(x, p).mean(1, keepdim=True)
        x = x_step(img, Z, sigma, beta, p)
    return x


@wrong("epll_denoise")
def brightness_of_the_whole_photograph(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        Z = z_step(x, gmm, beta, p) - cut(x, p).mean(1, keepdim=True) + x.mean()
        x = x_step(img, Z, sigma, beta, p)
    return x


@wrong("epll_denoise")
def posterior_mean_for_the_best_component(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p, mode="mmse"), sigma, beta, p)
    return x


@wrong("epll_denoise")
def patch_noise_of_one_over_beta(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta**2, p), sigma, beta, p)
    return x


@wrong("epll_denoise")
def patch_noise_of_root_beta(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, 1 / beta, p), sigma, beta, p)
    return x


@wrong("epll_denoise")
def camera_noise_in_the_patch_step(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, sigma**-2, p), sigma, beta, p)
    return x


@wrong("epll_denoise")
def image_step_with_inverse_beta(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p), sigma, 1 / beta, p)
    return x


@wrong("epll_denoise")
def camera_counted_in_every_patch_but_patches_once(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p), sigma / p, beta, p)
    return x


@wrong("epll_denoise")
def patches_counted_everywhere_but_camera_once(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p), sigma * p, beta, p)
    return x


@wrong("epll_denoise")
def strength_of_one_over_sigma(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p), sigma**0.5, beta, p)
    return x


@wrong("epll_denoise")
def borders_trust_the_camera_like_the_interior(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    strength, count = p**2 / sigma**2, cover(*img.shape, p)
    for beta in betas:
        x = (strength * img + beta * paste(z_step(x, gmm, beta, p), *img.shape, p)) / (strength + beta * count)
    return x


@wrong("epll_denoise")
def returns_the_patches_mean_at_the_end(img, gmm, sigma, betas):
    (H, W), p, x = img.shape, patch_size(gmm), img
    for beta in betas:
        Z = z_step(x, gmm, beta, p)
        x = x_step(img, Z, sigma, beta, p)
    return aggregate_patches(Z, H, W, p)


@wrong("epll_denoise")
def camera_forgotten(img, gmm, sigma, betas):
    (H, W), p, x = img.shape, patch_size(gmm), img
    for beta in betas:
        x = aggregate_patches(z_step(x, gmm, beta, p), H, W, p)
    return x


@wrong("epll_denoise")
def camera_replaced_by_the_last_image(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(x, z_step(x, gmm, beta, p), sigma, beta, p)
    return x


@wrong("epll_denoise")
def every_step_starts_from_the_noisy_image(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(img, gmm, beta, p), sigma, beta, p)
    return x


@wrong("epll_denoise")
def only_the_first_beta(img, gmm, sigma, betas):
    p = patch_size(gmm)
    return x_step(img, z_step(img, gmm, betas[0], p), sigma, betas[0], p)


@wrong("epll_denoise")
def betas_sorted(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in sorted(betas):
        x = x_step(img, z_step(x, gmm, beta, p), sigma, beta, p)
    return x


@wrong("epll_denoise")
def clipped_to_the_unit_interval(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p), sigma, beta, p).clamp(0, 1)
    return x


@wrong("epll_denoise")
def patch_size_fixed_at_two(img, gmm, sigma, betas):
    x = img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, 2), sigma, beta, 2)
    return x


@wrong("epll_denoise")
def cleans_the_given_photograph(img, gmm, sigma, betas):
    camera, p = img.clone(), patch_size(gmm)
    for beta in betas:
        img.copy_(x_step(camera, z_step(img, gmm, beta, p), sigma, beta, p))
    return img


@wrong("epll_denoise")
def clipped_to_the_range_of_the_photograph(img, gmm, sigma, betas):
    return epll_denoise(img, gmm, sigma, betas).clamp(img.min(), img.max())


@right("epll_denoise")
def by_folding_sums(img, gmm, sigma, betas):
    p, x = patch_size(gmm), img
    for beta in betas:
        x = x_step(img, z_step(x, gmm, beta, p), sigma, beta, p)
    return x


@right("epll_denoise")
def sums_and_counts_over_patches(img, gmm, sigma, betas):
    p, x = round((gmm[1].shape[1] + 1) ** 0.5), img.clone()
    B, count = dct_basis(p), cover(*img.shape, p)
    for beta in betas:
        P = extract_patches(x, p)
        mean = P.mean(dim=1, keepdim=True)
        Z = gmm_denoise((P - mean) @ B, gmm[0], gmm[1], gmm[2], 1 / math.sqrt(beta), "map_component") @ B.T + mean
        x = (count * img + beta * sigma**2 * paste(Z, *img.shape, p)) / (count + beta * sigma**2 * count)
    return x


@right("epll_denoise")
def moves_a_part_of_the_way_from_the_camera(img, gmm, sigma, betas):
    (H, W), p = img.shape, patch_size(gmm)
    x = img
    for beta in betas:
        part = beta * sigma**2 / (1 + beta * sigma**2)
        x = torch.lerp(img, aggregate_patches(z_step(x, gmm, beta, p), H, W, p), part)
    return x
