"""Right and wrong answers to questions 3b and 3c: normalisation and rotary positions."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograder.verify.variants import right, wrong

# 3b


class Gain(nn.Module):
    """A norm that still lacks its formula."""

    def __init__(self, C, eps=1e-6):
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(C))


@wrong("RMSNorm")
class SubtractsTheMean(Gain):
    def forward(self, x):
        x = x - x.mean(-1, keepdim=True)
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt() * self.weight


@wrong("RMSNorm")
class DividesByTheLength(Gain):
    def forward(self, x):
        return x * (x.square().sum(-1, keepdim=True) + self.eps).rsqrt() * self.weight


@wrong("RMSNorm")
class DividesByTheMeanSquare(Gain):
    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True) + self.eps) * self.weight


@wrong("RMSNorm")
class DividesByTheMeanOfAbsoluteValues(Gain):
    def forward(self, x):
        return x / (x.abs().mean(-1, keepdim=True) + self.eps) * self.weight


@wrong("RMSNorm")
class EpsilonOutsideTheRoot(Gain):
    def forward(self, x):
        return x / (x.square().mean(-1, keepdim=True).sqrt() + self.eps) * self.weight


@wrong("RMSNorm")
class EpsilonForgotten(Gain):
    def forward(self, x):
        return x * x.square().mean(-1, keepdim=True).rsqrt() * self.weight


@wrong("RMSNorm")
class EpsilonFixed(Gain):
    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + 1e-6).rsqrt() * self.weight


@wrong("RMSNorm")
class EpsilonOfLayerNorm(RMSNorm):
    def __init__(self, C, eps=1e-5):
        super().__init__(C, eps)


@wrong("RMSNorm")
class OverTokensToo(Gain):
    def forward(self, x):
        dims = tuple(range(max(x.ndim - 2, 0), x.ndim))
        return x * (x.square().mean(dims, keepdim=True) + self.eps).rsqrt() * self.weight


@wrong("RMSNorm")
class OverTheFirstDimension(Gain):
    def forward(self, x):
        return x * (x.square().mean(0, keepdim=True) + self.eps).rsqrt() * self.weight


@wrong("RMSNorm")
class WithABias(Gain):
    def __init__(self, C, eps=1e-6):
        super().__init__(C, eps)
        self.bias = nn.Parameter(torch.zeros(C))

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.weight, self.eps) + self.bias


@wrong("RMSNorm")
class GainStartsAtZero(RMSNorm):
    def __init__(self, C, eps=1e-6):
        super().__init__(C, eps)
        nn.init.zeros_(self.gain)


@wrong("RMSNorm")
class WithoutAGain(nn.Module):
    def __init__(self, C, eps=1e-6):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], None, self.eps)


@wrong("RMSNorm")
class OneGainForAllChannels(nn.Module):
    def __init__(self, C, eps=1e-6):
        super().__init__()
        self.eps, self.weight = eps, nn.Parameter(torch.ones(1))

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], None, self.eps) * self.weight


@wrong("RMSNorm")
class GainIsNoParameter(nn.Module):
    def __init__(self, C, eps=1e-6):
        super().__init__()
        self.eps, self.weight = eps, torch.ones(C, requires_grad=True)

    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt() * self.weight.to(x.dtype)


@wrong("RMSNorm")
class GainBeforeTheNorm(Gain):
    def forward(self, x):
        return F.rms_norm(x * self.weight, x.shape[-1:], None, self.eps)


@wrong("RMSNorm")
class GainOnePlusWeight(Gain):
    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], None, self.eps) * (1 + self.weight)


@wrong("RMSNorm")
class RootDetached(Gain):
    def forward(self, x):
        return x * (x.square().mean(-1, keepdim=True) + self.eps).rsqrt().detach() * self.weight


@wrong("RMSNorm")
class ALayerNorm(nn.Module):
    def __init__(self, C, eps=1e-6):
        super().__init__()
        self.norm = nn.LayerNorm(C, eps=eps, bias=False)

    def forward(self, x):
        return self.norm(x)


@right("RMSNorm")
class OfTorch(nn.RMSNorm):
    def __init__(self, C, eps=1e-6):
        super().__init__(C, eps=eps)


@right("RMSNorm")
class WrittenOut(nn.Module):
    def __init__(self, C, eps=1e-6):
        super().__init__()
        self.scale, self.eps = nn.Parameter(torch.ones(C)), eps

    def forward(self, x):
        return self.scale * (x / torch.sqrt(torch.mean(x**2, dim=-1, keepdim=True) + self.eps))


@right("RMSNorm")
class ByTheLength(Gain):
    def forward(self, x):
        C = x.shape[-1]
        return (
            x
            * math.sqrt(C)
            / torch.hypot(x.norm(dim=-1, keepdim=True), torch.tensor(math.sqrt(C * self.eps)).to(x))
            * self.weight
        )


# 3c


def turn(x, angles):
    """Pairs (i, i + D/2) of x (..., T, D) turned by angles (T, D/2)."""
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1).to(x.dtype)


def speeds(D, base=10000.0):
    """Frequencies (D/2,)."""
    return base ** (-torch.arange(0, D, 2) / D)


@wrong("rotate")
def positions_from_one(x, positions):
    return rotate(x, positions + 1)


@wrong("rotate")
def positions_counted_anew(x, positions):
    return rotate(x, torch.arange(len(positions)))


@wrong("rotate")
def positions_relative_to_the_first(x, positions):
    return rotate(x, positions - positions[0])


@wrong("rotate")
def not_rotated(x, positions):
    return x


@wrong("rotate")
def all_pairs_at_one_speed(x, positions):
    return turn(x, positions[:, None].expand(-1, x.shape[-1] // 2).to(torch.promote_types(x.dtype, torch.float32)))


@wrong("rotate")
def exponent_without_the_two(x, positions):
    D = x.shape[-1]
    return turn(x, positions[:, None] * 10000.0 ** (-torch.arange(D // 2) / D))


@wrong("rotate")
def base_of_one_thousand(x, positions):
    return turn(x, positions[:, None] * speeds(x.shape[-1], 1000.0))


@wrong("rotate")
def speeds_grow(x, positions):
    return turn(x, positions[:, None] / speeds(x.shape[-1]))


@wrong("rotate")
def turns_by_full_circles(x, positions):
    return turn(x, 2 * math.pi * positions[:, None] * speeds(x.shape[-1]))


@wrong("rotate")
def a_reflection(x, positions):
    angles = positions[:, None] * speeds(x.shape[-1])
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() + b * angles.sin(), a * angles.sin() - b * angles.cos()], -1).to(x.dtype)


@wrong("rotate")
def a_sign_forgotten(x, positions):
    angles = positions[:, None] * speeds(x.shape[-1])
    a, b = x.chunk(2, -1)
    return torch.cat([a * angles.cos() + b * angles.sin(), a * angles.sin() + b * angles.cos()], -1).to(x.dtype)


@wrong("rotate")
def only_the_first_half_is_turned(x, positions):
    return torch.cat([rotate(x, positions)[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]], -1)


@wrong("rotate")
def interleaved_angles_for_halves(x, positions):
    angles = (positions[:, None] * speeds(x.shape[-1])).repeat_interleave(2, -1)
    a, b = x.chunk(2, -1)
    return (x * angles.cos() + torch.cat([-b, a], -1) * angles.sin()).to(x.dtype)


@wrong("rotate")
def sinusoids_are_added(x, positions):
    angles = positions[:, None] * speeds(x.shape[-1])
    return (x + torch.cat([angles.sin(), angles.cos()], -1)).to(x.dtype)


@wrong("rotate")
def angles_in_the_dtype_of_x(x, positions):
    D = x.shape[-1]
    return turn(x, positions[:, None].to(x.dtype) * speeds(D).to(x.dtype))


@wrong("rotate")
def changes_to_single_precision(x, positions):
    angles = positions[:, None] * speeds(x.shape[-1])
    a, b = x.float().chunk(2, -1)
    return torch.cat([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)


@wrong("rotate")
def positions_along_the_first_dimension(x, positions):
    if x.ndim < 3 or x.shape[0] == 1:
        return rotate(x, positions)
    return rotate(x.transpose(0, -2), positions[:1].expand(x.shape[0])).transpose(0, -2)


@wrong("rotate")
def the_inner_product_with_itself_turned_twice(x, positions):
    return rotate(rotate(x, positions), positions)


@wrong("rotate")
@torch.no_grad()
def without_a_gradient(x, positions):
    return rotate(x, positions)


@wrong("rotate")
def detached(x, positions):
    return rotate(x.detach(), positions)


@right("rotate")
def interleaved_pairs(x, positions):
    angles = positions[:, None] * speeds(x.shape[-1])
    a, b = x[..., 0::2], x[..., 1::2]
    both = torch.stack([a * angles.cos() - b * angles.sin(), a * angles.sin() + b * angles.cos()], -1)
    return both.flatten(-2).to(x.dtype)


@right("rotate")
def by_complex_numbers(x, positions):
    angles = positions[:, None] * speeds(x.shape[-1])
    z = torch.complex(*x.to(torch.promote_types(x.dtype, torch.float32)).chunk(2, -1))
    z = z * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([z.real, z.imag], -1).to(x.dtype)


@right("rotate")
def in_the_other_direction(x, positions):
    angles = (positions[:, None] * speeds(x.shape[-1])).repeat(1, 2)
    a, b = x.chunk(2, -1)
    return (x * angles.cos() + torch.cat([b, -a], -1) * angles.sin()).to(x.dtype)


@right("rotate")
def by_matrices(x, positions):
    D = x.shape[-1]
    angles = positions[:, None].double() * speeds(D)
    R = torch.diag_embed(angles.cos().repeat(1, 2))
    R = R + torch.diag_embed(angles.sin(), D // 2) - torch.diag_embed(angles.sin(), -(D // 2))
    return (x[..., None, :].double() @ R).squeeze(-2).to(x.dtype)
