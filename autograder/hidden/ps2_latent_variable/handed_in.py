"""What handed-in models say, computed here from their tensors: no code of a student's takes part in the verdict.

A file is read into the course's architectures, whose widths and depths are the student's choice. What does not fit ends
the test with a sentence. Sizes are bounded, so that no file makes the grader slow.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from autograder.testing import Unexpected

Tensors = dict[str, Tensor]
WIDEST = 1024
DEEPEST = 16  # coupling layers
MOST_CHANNELS = 64  # of the larger images inside the generator of digits


def take(tensors: Tensors, name: str, *shape: int | None) -> Tensor:
    """A tensor of this name and shape in double precision, finite; None in the shape stands for any size to WIDEST."""
    if name not in tensors:
        raise Unexpected(f"the file holds no tensor named {name!r}", "is it this model, with the networks as given?")
    got = tensors[name]
    fits = got.ndim == len(shape) and all(
        (1 <= size <= WIDEST) if wanted is None else size == wanted
        for size, wanted in zip(got.shape, shape, strict=True)
    )
    if not fits:
        wanted = str(tuple("any" if each is None else each for each in shape)).replace("'", "")
        raise Unexpected(f"{name} has shape {tuple(got.shape)}, expected {wanted}", "only the widths are free")
    if not got.is_floating_point():
        raise Unexpected(f"{name} is {got.dtype}, expected floating-point numbers")
    if not bool(torch.isfinite(got).all()):
        raise Unexpected(f"{name} holds NaN or infinity", "a training that has run away cannot be repaired by saving")
    return got.double()


def only(tensors: Tensors, names: set[str]) -> None:
    """There are no tensors but these: another model may share some names with the right one."""
    more = sorted(set(tensors) - names)
    if more:
        raise Unexpected(f"the file holds a tensor that the model does not have, {more[0]!r}", "is it this model?")


def perceptron(tensors: Tensors, prefix: str, inputs: int | None, outputs: int | None) -> list[tuple[Tensor, Tensor]]:
    """Weights and biases of the three linear layers under a prefix (0, 2 and 4 of an nn.Sequential)."""
    layers: list[tuple[Tensor, Tensor]] = []
    for place in (0, 2, 4):
        size_in = inputs if place == 0 else len(layers[-1][1])
        W = take(tensors, f"{prefix}{place}.weight", outputs if place == 4 else None, size_in)
        layers.append((W, take(tensors, f"{prefix}{place}.bias", len(W))))
    return layers


def applied(layers: list[tuple[Tensor, Tensor]], x: Tensor, bend) -> Tensor:
    """A perceptron's outputs; `bend` stands between the layers."""
    (W0, b0), (W1, b1), (W2, b2) = layers
    return bend(bend(x @ W0.T + b0) @ W1.T + b1) @ W2.T + b2


def names_of(prefixes: list[str], places: tuple[int, ...] = (0, 2, 4)) -> set[str]:
    """The names of weights and biases at these places under these prefixes."""
    return {f"{prefix}{place}.{kind}" for prefix in prefixes for place in places for kind in ("weight", "bias")}


class Autoencoder:
    """A VAE of binarised digits, evaluated; `L` is the size of its codes."""

    def __init__(self, tensors: Tensors) -> None:
        self.decoder = perceptron(tensors, "decoder.", None, 784)
        self.L = self.decoder[0][0].shape[1]
        self.encoder = perceptron(tensors, "encoder.", 784, 2 * self.L)
        only(tensors, names_of(["encoder.", "decoder."]))

    def bound(self, x: Tensor, eps: Tensor) -> Tensor:
        """The evidence lower bound (B,) of images x (B, 784) at one code each, made by eps (B, L), in nats."""
        mu, logvar = applied(self.encoder, x, F.relu).chunk(2, dim=1)
        logits = applied(self.decoder, mu + (0.5 * logvar).exp() * eps, F.relu)
        log_likelihood = -F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(1)
        return log_likelihood - 0.5 * (mu.square() + logvar.exp() - logvar - 1).sum(1)


class PlaneFlow:
    """A RealNVP of the plane, evaluated: even layers move the second coordinate, odd ones the first."""

    def __init__(self, tensors: Tensors) -> None:
        depth = 1 + max((int(name.split(".")[0]) for name in tensors if name.split(".")[0].isdecimal()), default=0)
        if depth > DEEPEST:
            raise Unexpected(f"the flow has {depth} layers; at most {DEEPEST} are evaluated")
        prefixes = [f"{k}.layers." for k in range(depth)]
        self.layers = [perceptron(tensors, prefix, 2, 4) for prefix in prefixes]
        only(tensors, names_of(prefixes))

    def log_prob(self, x: Tensor) -> Tensor:
        """The log-density (B,) of points x (B, 2)."""
        total = torch.zeros(len(x), dtype=x.dtype)
        for k, layer in enumerate(self.layers):
            kept, moved = k % 2, 1 - k % 2
            seen = torch.zeros_like(x)
            seen[:, kept] = x[:, kept]
            out = applied(layer, seen, F.silu)
            log_scale = 2 * torch.tanh(out[:, moved] / 2)
            new = x[:, moved] * log_scale.exp() + out[:, 2 + moved]
            x = torch.stack([x[:, 0], new] if moved else [new, x[:, 1]], dim=1)
            total = total + log_scale
        return total - 0.5 * x.square().sum(1) - torch.log(torch.tensor(2 * torch.pi, dtype=x.dtype))


class RingGenerator:
    """A generator of points in the plane, evaluated; `L` is the size of its codes."""

    def __init__(self, tensors: Tensors) -> None:
        self.layers = perceptron(tensors, "layers.", None, 2)
        self.L = self.layers[0][0].shape[1]
        only(tensors, names_of(["layers."]))

    def points(self, z: Tensor) -> Tensor:
        """Points (B, 2) from codes z (B, L)."""
        return applied(self.layers, z, lambda h: F.leaky_relu(h, 0.2))


class DigitGenerator:
    """A conditional generator of digits as it is after training, in `eval()`; `L` is the size of its codes."""

    def __init__(self, tensors: Tensors) -> None:
        self.end = take(tensors, "layers.7.weight", None, 1, 4, 4), take(tensors, "layers.7.bias", 1)
        w = len(self.end[0])
        if w > MOST_CHANNELS:
            raise Unexpected(f"the generator is {w} channels wide; at most {MOST_CHANNELS} are evaluated")
        self.middle = take(tensors, "layers.4.weight", 2 * w, w, 4, 4)
        self.norms = [self._norm(tensors, "layers.2.", 2 * w), self._norm(tensors, "layers.5.", w)]
        self.start = take(tensors, "layers.0.weight", 98 * w, None)
        self.L = self.start.shape[1] - 10
        if self.L < 1:
            raise Unexpected(
                "layers.0.weight has no column for a code", "a code of at least one number, and ten labels"
            )
        norms = {f"layers.{k}.{part}" for k in (2, 5) for part in ("weight", "bias", "running_mean", "running_var")}
        only(tensors, norms | {"layers.0.weight", "layers.4.weight", "layers.7.weight", "layers.7.bias"})

    def _norm(self, tensors: Tensors, prefix: str, channels: int) -> list[Tensor]:
        parts = [take(tensors, prefix + part, channels) for part in ("running_mean", "running_var", "weight", "bias")]
        if bool((parts[1] < 0).any()):
            raise Unexpected(f"{prefix}running_var has negative variances")
        return parts

    def images(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (B, 1, 28, 28) with values in [0, 1], float32, from codes z (B, L) and labels y (B,)."""
        return torch.cat([self._some(*some) for some in zip(z.split(100), y.split(100), strict=True)])

    def _some(self, z: Tensor, y: Tensor) -> Tensor:
        h = torch.cat([z, F.one_hot(y, 10).to(z)], dim=1) @ self.start.T
        h = F.relu(F.batch_norm(h.reshape(len(z), -1, 7, 7), *self.norms[0]))
        h = F.relu(F.batch_norm(F.conv_transpose2d(h, self.middle, None, 2, 1), *self.norms[1]))
        return ((torch.tanh(F.conv_transpose2d(h, *self.end, 2, 1)) + 1) / 2).float()
