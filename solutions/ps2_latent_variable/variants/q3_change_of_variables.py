"""Right and wrong answers to question 3."""

import math

import numpy as np
import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


def shrunk(x_u8, u, alpha):
    return alpha + (1 - 2 * alpha) * (x_u8 + u) / 256


def slopes(s, alpha):
    return math.log((1 - 2 * alpha) / 256) - s.log() - (1 - s).log()


def total(values):
    return values.flatten(1).sum(1)


# 3a


@wrong("logit_preprocess")
def missing_log_256(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), total(slopes(s, alpha) + math.log(256))


@wrong("logit_preprocess")
def log_256_once_per_image(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), total(slopes(s, alpha) + math.log(256)) - math.log(256)


@wrong("logit_preprocess")
def log_256_added(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), total(slopes(s, alpha) + 2 * math.log(256))


@wrong("logit_preprocess")
def margin_not_in_the_slope(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), total(slopes(s, alpha) - math.log(1 - 2 * alpha))


@wrong("logit_preprocess")
def margin_on_one_side(x_u8, u, alpha=0.05):
    s = alpha + (1 - alpha) * (x_u8 + u) / 256
    return s.logit(), total(math.log((1 - alpha) / 256) - s.log() - (1 - s).log())


@wrong("logit_preprocess")
def log_determinant_of_the_inverse(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), -total(slopes(s, alpha))


@wrong("logit_preprocess")
def slope_of_the_sigmoid(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), total(math.log((1 - 2 * alpha) / 256) + s.log() + (1 - s).log())


@wrong("logit_preprocess")
def slope_taken_at_the_unshrunk_value(x_u8, u, alpha=0.05):
    s, t = shrunk(x_u8, u, alpha), ((x_u8 + u) / 256).clamp(1e-9, 1 - 1e-9)
    return s.logit(), total(slopes(t, alpha))


@wrong("logit_preprocess")
def slope_taken_at_y(x_u8, u, alpha=0.05):
    y = shrunk(x_u8, u, alpha).logit()
    return y, total(math.log((1 - 2 * alpha) / 256) - F.logsigmoid(y))


@wrong("logit_preprocess")
def divides_by_255(x_u8, u, alpha=0.05):
    s = (alpha + (1 - 2 * alpha) * (x_u8 + u) / 255).clamp(max=1 - 1e-6)
    return s.logit(), total(slopes(s, alpha) + math.log(256 / 255))


@wrong("logit_preprocess")
def noise_after_the_division(x_u8, u, alpha=0.05):
    s = (alpha + (1 - 2 * alpha) * (x_u8 / 256 + u)).clamp(max=1 - 1e-6)
    return s.logit(), total(slopes(s, alpha))


@wrong("logit_preprocess")
def noise_ignored(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, 0 * u, alpha)
    return s.logit(), total(slopes(s, alpha))


@wrong("logit_preprocess")
def noise_centred(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u - 0.5, alpha)
    return s.logit(), total(slopes(s, alpha))


@wrong("logit_preprocess")
def alpha_ignored(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, 0.05)
    return s.logit(), total(slopes(s, 0.05))


@wrong("logit_preprocess")
def averages_over_pixels(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), slopes(s, alpha).flatten(1).mean(1)


@wrong("logit_preprocess")
def sums_over_rows_only(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), slopes(s, alpha).sum(-1)


@wrong("logit_preprocess")
def sums_over_the_batch_too(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha)
    return s.logit(), slopes(s, alpha).sum()


@wrong("logit_preprocess")
def flattens_images(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u, alpha).flatten(1)
    return s.logit(), slopes(s, alpha).sum(1)


@wrong("logit_preprocess")
def works_in_single_precision(x_u8, u, alpha=0.05):
    s = shrunk(x_u8, u.float(), alpha).to(u.dtype)
    return s.logit(), total(slopes(s, alpha))


@right("logit_preprocess")
def slope_from_two_log_sigmoids(x_u8, u, alpha=0.05):
    y = torch.logit((1 - 2 * alpha) * (x_u8.to(u.dtype) + u).div(256) + alpha)
    log_slope = math.log1p(-2 * alpha) - 8 * math.log(2) - F.logsigmoid(y) - F.logsigmoid(-y)
    return y, log_slope.reshape(len(y), -1).sum(-1)


@right("logit_preprocess")
def slope_by_autograd(x_u8, u, alpha=0.05):
    with torch.enable_grad():
        v = (x_u8 + u).detach().requires_grad_()
        s = alpha + (1 - 2 * alpha) * v / 256
        y = torch.log(s / (1 - s))
        (slope,) = torch.autograd.grad(y.sum(), v)
    return y.detach(), total(slope.log())


@right("logit_preprocess")
def three_maps_in_a_chain(x_u8, u, alpha=0.05):
    count = x_u8[0].numel()
    unit = (x_u8 + u) / 256
    inner = unit * (1 - 2 * alpha) + alpha
    y = inner.log() - torch.log1p(-inner)
    logdet = -count * np.log(256) + count * np.log(1 - 2 * alpha) - total(torch.log(inner * (1 - inner)))
    return [y, logdet]


# 3b


def raw(y, alpha):
    return 256 * (torch.sigmoid(y) - alpha) / (1 - 2 * alpha)


@wrong("logit_inverse")
def wraps_around(y, alpha=0.05):
    return (raw(y, alpha).floor().long() % 256).to(torch.uint8)


@wrong("logit_inverse")
def rounds_to_the_nearest(y, alpha=0.05):
    return raw(y, alpha).round().clamp(0, 255).to(torch.uint8)


@wrong("logit_inverse")
def multiplies_by_255(y, alpha=0.05):
    return (raw(y, alpha) * 255 / 256).floor().clamp(0, 255).to(torch.uint8)


@wrong("logit_inverse")
def margin_left_in(y, alpha=0.05):
    return (256 * torch.sigmoid(y)).floor().clamp(0, 255).to(torch.uint8)


@wrong("logit_inverse")
def margin_subtracted_only(y, alpha=0.05):
    return (256 * (torch.sigmoid(y) - alpha)).floor().clamp(0, 255).to(torch.uint8)


@wrong("logit_inverse")
def default_margin_always(y, alpha=0.05):
    return raw(y, 0.05).floor().clamp(0, 255).to(torch.uint8)


@wrong("logit_inverse")
def only_the_top_is_clamped(y, alpha=0.05):
    return (raw(y, alpha).floor().clamp(max=255).long() % 256).to(torch.uint8)


@wrong("logit_inverse")
def clamped_to_256(y, alpha=0.05):
    return (raw(y, alpha).floor().clamp(0, 256).long() % 256).to(torch.uint8)


@wrong("logit_inverse")
def stays_a_float(y, alpha=0.05):
    return raw(y, alpha).floor().clamp(0, 255)


@wrong("logit_inverse")
def exponential_overflows(y, alpha=0.05):
    s = y.exp() / (1 + y.exp())
    v = 256 * (s - alpha) / (1 - 2 * alpha)
    return v.nan_to_num().floor().clamp(0, 255).to(torch.uint8)


@right("logit_inverse")
def floors_first(y, alpha=0.05):
    return raw(y, alpha).floor().clamp(0, 255).to(torch.uint8)


@right("logit_inverse")
def truncates_after_clamping(y, alpha=0.05):
    return torch.clamp(raw(y, alpha), min=0, max=255.5).byte()


@right("logit_inverse")
def through_the_hyperbolic_tangent(y, alpha=0.05):
    unit = 0.5 + 0.5 * torch.tanh(y / 2) / (1 - 2 * alpha)
    return torch.floor(unit * 256).clip(0, 255).to(torch.uint8)


# 3c


@wrong("bits_per_dim")
def stays_in_nats(logp, D):
    return -logp / D


@wrong("bits_per_dim")
def sign_forgotten(logp, D):
    return logp / (D * math.log(2))


@wrong("bits_per_dim")
def adds_eight_bits_again(logp, D):
    return -logp / (D * math.log(2)) + 8


@wrong("bits_per_dim")
def multiplies_by_log_two(logp, D):
    return -logp * math.log(2) / D


@wrong("bits_per_dim")
def per_image(logp, D):
    return -logp / math.log(2)


@wrong("bits_per_dim")
def mean_over_the_batch(logp, D):
    return -logp.mean() / (D * math.log(2))


@right("bits_per_dim")
def logarithm_to_the_base_two(logp, D):
    return -math.log2(math.e) * logp / D


@right("bits_per_dim")
def by_numpy(logp, D):
    return torch.from_numpy(np.negative(logp.numpy()) / np.float32(D) / np.log(2).astype(logp.numpy().dtype))


@wrong("logit_preprocess")
def clamps_before_the_logit(x_u8, u, alpha=0.05):
    s = (alpha + (1 - 2 * alpha) * (x_u8 + u) / 256).clamp(1e-5, 1 - 1e-5)
    return torch.logit(s), (math.log((1 - 2 * alpha) / 256) - (s * (1 - s)).log()).flatten(1).sum(1)


@wrong("logit_preprocess")
def small_number_in_the_logarithms(x_u8, u, alpha=0.05):
    s = alpha + (1 - 2 * alpha) * (x_u8 + u) / 256
    low, high = (s + 1e-8).log(), (1 - s + 1e-8).log()
    return low - high, (math.log((1 - 2 * alpha) / 256) - low - high).flatten(1).sum(1)


@wrong("logit_preprocess")
def writes_into_the_noise(x_u8, u, alpha=0.05):
    s = u.add_(x_u8).mul_((1 - 2 * alpha) / 256).add_(alpha)
    return torch.logit(s), (math.log((1 - 2 * alpha) / 256) - (s * (1 - s)).log()).flatten(1).sum(1)


@right("logit_preprocess")
def by_the_inverse_hyperbolic_tangent(x_u8, u, alpha=0.05):
    w = (1 - 2 * alpha) * ((x_u8 + u) / 128 - 1)
    return 2 * w.atanh(), (math.log((1 - 2 * alpha) / 64) - torch.log1p(-w * w)).flatten(1).sum(1)


@right("logit_inverse")
def by_looking_for_the_cell(y, alpha=0.05):
    walls = torch.logit(alpha + (1 - 2 * alpha) * torch.arange(1, 256, dtype=y.dtype) / 256)
    return torch.bucketize(y.contiguous(), walls, right=True).to(torch.uint8)
