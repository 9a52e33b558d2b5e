"""What handed-in U-Nets say, computed here from their tensors: no code of a student's takes part in the verdict.

A file is read into the course's U-Net, whose width is the student's choice up to a bound, so that no file makes the
grader slow. What does not fit ends the test with a sentence. Times come in as a part of the whole, from 0 to 1.
"""

from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.testing import Unexpected, file_digest

Tensors = dict[str, Tensor]
WIDEST = 64
NULL = 10  # the label that says "none"


def block_shapes(name: str, c_in: int, c_out: int, c_emb: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The tensors of one block and their shapes."""
    for part, channels in (("norm1", c_in), ("norm2", c_out)):
        yield from ((f"{name}.{part}.{kind}", (channels,)) for kind in ("weight", "bias"))
    for part, size in (("conv1", c_in), ("conv2", c_out)):
        yield f"{name}.{part}.weight", (c_out, size, 3, 3)
        yield f"{name}.{part}.bias", (c_out,)
    yield f"{name}.modulation.weight", (2 * c_out, c_emb)
    yield f"{name}.modulation.bias", (2 * c_out,)
    if c_in != c_out:
        yield f"{name}.shortcut.weight", (c_out, c_in, 1, 1)
        yield f"{name}.shortcut.bias", (c_out,)


def shapes(a: int) -> dict[str, tuple[int, ...]]:
    """The names and shapes of all tensors of a U-Net of width a."""
    b = 2 * a
    wanted: dict[str, tuple[int, ...]] = {
        "waves.weight": (a, 1), "waves.bias": (a,), "labels.weight": (NULL + 1, a),
        "time.0.weight": (a, a), "time.0.bias": (a,), "time.2.weight": (a, a), "time.2.bias": (a,),
        "first.weight": (a, 4, 3, 3), "first.bias": (a,), "last.0.weight": (a,), "last.0.bias": (a,),
        "last.2.weight": (4, a, 3, 3), "last.2.bias": (4,), "middle.1.norm.weight": (b,), "middle.1.norm.bias": (b,),
        "middle.1.qkv.weight": (3 * b, b, 1, 1), "middle.1.qkv.bias": (3 * b,),
        "middle.1.out.weight": (b, b, 1, 1), "middle.1.out.bias": (b,),
    }  # fmt: skip
    for name, c_in, c_out in (
        ("down.0", a, a), ("down.1", a, a), ("down.2", a, b), ("middle.0", b, b), ("middle.2", b, b),
        ("up.0", 2 * b, a), ("up.1", b, a), ("up.2", b, a),
    ):  # fmt: skip
        wanted |= dict(block_shapes(name, c_in, c_out, a))
    return wanted


def checked(tensors: Tensors) -> Tensors:
    """The tensors of a U-Net in single precision; a sentence where they are not one."""
    if "first.weight" not in tensors:
        raise Unexpected("the file holds no tensor named 'first.weight'", "is it the state dict of the given U-Net?")
    a = len(tensors["first.weight"]) if tensors["first.weight"].ndim else 0
    if not (8 <= a <= WIDEST and a % 8 == 0):
        raise Unexpected(f"the network is {a} channels wide", f"widths are multiples of 8, at most {WIDEST}")
    wanted = shapes(a)
    for name in sorted(set(wanted) ^ set(tensors)):
        said = "lacks" if name in wanted else "holds, beyond those of the given U-Net,"
        raise Unexpected(f"the file {said} a tensor named {name!r}", "save the whole state dict, unchanged")
    for name, shape in wanted.items():
        _check(name, tensors[name], shape)
    return {name: tensor.float() for name, tensor in tensors.items()}


def _check(name: str, got: Tensor, shape: tuple[int, ...]) -> None:
    if tuple(got.shape) != shape:
        raise Unexpected(f"{name} has shape {tuple(got.shape)}, expected {shape}", "only the width is free")
    if not got.is_floating_point():
        raise Unexpected(f"{name} is {got.dtype}, expected floating-point numbers")
    if not bool(torch.isfinite(got.float()).all()):
        raise Unexpected(f"{name} holds NaN or infinity", "a training that has run away cannot be repaired by saving")


class HandedIn:
    """A U-Net evaluated: `net(x, part, y)` for images x (B, 1, 28, 28), times (B,) in [0, 1] and labels y (B,)."""

    def __init__(self, tensors: Tensors) -> None:
        self.w = checked(tensors)
        self.name = file_digest(self.w)

    @torch.no_grad()
    def __call__(self, x: Tensor, part: Tensor, y: Tensor) -> Tensor:
        """What the network guesses, (B, 1, 28, 28); numbers that are none become 0."""
        pieces = zip(x.split(25), part.split(25), y.split(25), strict=True)  # some at a time: memory stays small
        return torch.cat([self._some(*each) for each in pieces]).nan_to_num(0.0, 0.0, 0.0)

    def guided(self, x: Tensor, part: Tensor, y: Tensor, weight: float) -> Tensor:
        """The guess without labels, and from there `weight` times the way to the guess with them."""
        without = self(x, part, torch.full_like(y, NULL))
        return without + weight * (self(x, part, y) - without)

    def _some(self, x: Tensor, part: Tensor, y: Tensor) -> Tensor:
        waves = torch.sin(part.float()[:, None] @ self.w["waves.weight"].T + self.w["waves.bias"])
        mixed = self._linear("time.2", F.silu(self._linear("time.0", waves)))
        emb = F.silu(mixed + self.w["labels.weight"][y])
        h = self._conv("first", F.pixel_unshuffle(x.float(), 2).contiguous(memory_format=torch.channels_last))
        h0 = self._block("down.0", h, emb)
        h1 = self._block("down.1", h0, emb)
        h2 = self._block("down.2", F.avg_pool2d(h1, 2), emb)
        h = self._block("middle.2", self._attention(self._block("middle.0", h2, emb)), emb)
        h = self._block("up.0", torch.cat([h, h2], dim=1), emb)
        h = h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
        h = self._block("up.1", torch.cat([h, h1], dim=1), emb)
        h = self._block("up.2", torch.cat([h, h0], dim=1), emb)
        return F.pixel_shuffle(self._conv("last.2", F.silu(self._norm("last.0", h))), 2)

    def _block(self, name: str, x: Tensor, emb: Tensor) -> Tensor:
        scale, shift = self._linear(f"{name}.modulation", emb)[:, :, None, None].chunk(2, dim=1)
        h = self._conv(f"{name}.conv1", F.silu(self._norm(f"{name}.norm1", x)))
        h = F.silu(self._norm(f"{name}.norm2", h) * (1 + scale) + shift)
        past = self._conv(f"{name}.shortcut", x) if f"{name}.shortcut.weight" in self.w else x
        return past + self._conv(f"{name}.conv2", h)

    def _attention(self, x: Tensor, heads: int = 4) -> Tensor:
        B, C, H, W = x.shape
        q, k, v = self._conv("middle.1.qkv", self._norm("middle.1.norm", x)).reshape(B, 3, heads, -1, H * W).unbind(1)
        weights = (q.mT @ k / (C // heads) ** 0.5).softmax(dim=-1)
        return x + self._conv("middle.1.out", (v @ weights.mT).reshape(B, C, H, W))

    def _linear(self, name: str, x: Tensor) -> Tensor:
        return F.linear(x, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return F.group_norm(x, 8, self.w[f"{name}.weight"], self.w[f"{name}.bias"])

    def _conv(self, name: str, x: Tensor) -> Tensor:
        weight = self.w[f"{name}.weight"]
        return F.conv2d(x, weight, self.w[f"{name}.bias"], padding=weight.shape[-1] // 2)


def cosine_shares(T: int = 200) -> Tensor:
    """alpha_bar (T,) of the cosine schedule in double precision: what all steps so far keep, at least 0.001 each."""
    u = torch.arange(T + 1, dtype=torch.float64) / T
    curve = torch.cos((u + 0.008) / 1.008 * torch.pi / 2).square()
    return (curve[1:] / curve[:-1]).clamp(min=0.001).cumprod(0)


def ddim(net: HandedIn, x: Tensor, y: Tensor, weight: float, steps: int) -> Tensor:
    """Images (B, 1, 28, 28) from noise x (B, 1, 28, 28) by DDIM; the guess of the image is cut to [-1, 1]."""
    shares = cosine_shares()
    T = len(shares)
    times = [T - 1 - i * T // steps for i in range(steps)]
    for t, then in pairwise([*times, -1]):
        now, share = float(shares[t]), float(shares[then]) if then >= 0 else 1.0
        noise = net.guided(x, torch.full((len(x),), t / T), y, weight)
        image = ((x - (1 - now) ** 0.5 * noise) / now**0.5).clamp(-1, 1)
        x = share**0.5 * image + (1 - share) ** 0.5 * (x - now**0.5 * image) / (1 - now) ** 0.5
    return x


def heun(net: HandedIn, x: Tensor, y: Tensor, weight: float, steps: int) -> Tensor:
    """Images (B, 1, 28, 28) from noise x by Heun's method on the guided velocity, from time 0 to time 1."""
    h = 1 / steps
    for i in range(steps):
        first = net.guided(x, torch.full((len(x),), i * h), y, weight)
        second = net.guided(x + h * first, torch.full((len(x),), (i + 1) * h), y, weight)
        x = x + h / 2 * (first + second)
    return x
