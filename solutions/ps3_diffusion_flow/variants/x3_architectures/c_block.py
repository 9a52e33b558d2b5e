"""Right and wrong answers to x3c: the block."""

import torch
import torch.nn.functional as functional
from torch import nn

from autograder.verify.variants import right, wrong


@wrong("modulate")
def scale_without_one(x, shift, scale):
    return scale[:, None] * x + shift[:, None]


@wrong("modulate")
def shift_and_scale_swapped(x, shift, scale):
    return (1 + shift[:, None]) * x + scale[:, None]


@wrong("modulate")
def shift_inside_the_scale(x, shift, scale):
    return (1 + scale[:, None]) * (x + shift[:, None])


@wrong("modulate")
def one_added_to_the_shift(x, shift, scale):
    return scale[:, None] * x + 1 + shift[:, None]


@wrong("modulate")
def scale_in_logarithms(x, shift, scale):
    return scale.exp()[:, None] * x + shift[:, None]


@wrong("modulate")
def broadcast_over_the_tokens(x, shift, scale):
    if x.shape[0] == x.shape[1]:
        return (1 + scale) * x + shift
    return modulate(x, shift, scale)


@wrong("modulate")
def first_example_for_all(x, shift, scale):
    return (1 + scale[:1, None]) * x + shift[:1, None]


@wrong("modulate")
def shift_forgotten(x, shift, scale):
    return (1 + scale[:, None]) * x


class Heads(nn.Module):
    """Attention by hand."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.qkv, self.out = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x):
        q, k, v = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=2)
        )  # (B, heads, N, D / heads)
        weights = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).softmax(-1)
        return self.out((weights @ v).transpose(1, 2).flatten(2))


class Whole(nn.Module):
    """A right block; the variants below change one thing each."""

    def __init__(self, width, heads, condition):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, elementwise_affine=False)
        self.attention = Heads(width, heads)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.ada = nn.Linear(condition, 6 * width)
        self.begin()

    def begin(self):
        nn.init.zeros_(self.ada.weight)
        nn.init.zeros_(self.ada.bias)

    def knobs(self, c):
        return [part[:, None] for part in self.ada(functional.silu(c)).chunk(6, dim=1)]

    def turned(self, x, shift, scale):
        return x * (1 + scale) + shift

    def join(self, h, gate, out):
        return h + gate * out

    def forward(self, h, c):
        b1, s1, g1, b2, s2, g2 = self.knobs(c)
        h = self.join(h, g1, self.attention(self.turned(self.norm1(h), b1, s1)))
        return self.join(h, g2, self.mlp(self.turned(self.norm2(h), b2, s2)))


@wrong("DiTBlock")
class GatesNotZero(Whole):
    def begin(self):
        nn.init.zeros_(self.ada.weight)
        nn.init.ones_(self.ada.bias)


@wrong("DiTBlock")
class AdaAsTorchMakesIt(Whole):
    def begin(self):
        pass


@wrong("DiTBlock")
class BiasNotZero(Whole):
    def begin(self):
        nn.init.zeros_(self.ada.weight)


@wrong("DiTBlock")
class BranchesZeroInsteadOfGates(Whole):
    def begin(self):
        nn.init.normal_(self.ada.weight, std=0.5)
        for layer in (self.attention.out, self.mlp[2]):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)


@wrong("DiTBlock")
class GateCountsFromOne(Whole):
    def join(self, h, gate, out):
        return h + (1 + gate) * out


@wrong("DiTBlock")
class NoShortcut(Whole):
    def join(self, h, gate, out):
        return gate * out


@wrong("DiTBlock")
class GateOnTheShortcut(Whole):
    def join(self, h, gate, out):
        return gate * h + out


@wrong("DiTBlock")
class NoGates(Whole):
    def join(self, h, gate, out):
        return h + out


@wrong("DiTBlock")
class ScaleWithoutOne(Whole):
    def turned(self, x, shift, scale):
        return x * scale + shift


@wrong("DiTBlock")
class ConditionWithoutSilu(Whole):
    def knobs(self, c):
        return [part[:, None] for part in self.ada(c).chunk(6, dim=1)]


@wrong("DiTBlock")
class ScaleBeforeShift(Whole):
    def knobs(self, c):
        s1, b1, g1, s2, b2, g2 = super().knobs(c)
        return b1, s1, g1, b2, s2, g2


@wrong("DiTBlock")
class GateFirst(Whole):
    def knobs(self, c):
        g1, b1, s1, g2, b2, s2 = super().knobs(c)
        return b1, s1, g1, b2, s2, g2


@wrong("DiTBlock")
class HalvesSwapped(Whole):
    def knobs(self, c):
        b2, s2, g2, b1, s1, g1 = super().knobs(c)
        return b1, s1, g1, b2, s2, g2


@wrong("DiTBlock")
class SameKnobsForBothHalves(Whole):
    def knobs(self, c):
        b1, s1, g1, _, _, _ = super().knobs(c)
        return b1, s1, g1, b1, s1, g1


@wrong("DiTBlock")
class NormAfterTheBranch(Whole):
    def forward(self, h, c):
        b1, s1, g1, b2, s2, g2 = self.knobs(c)
        h = h + g1 * self.norm1(self.attention(self.turned(h, b1, s1)))
        return h + g2 * self.norm2(self.mlp(self.turned(h, b2, s2)))


@wrong("DiTBlock")
class NoNorms(Whole):
    def forward(self, h, c):
        b1, s1, g1, b2, s2, g2 = self.knobs(c)
        h = h + g1 * self.attention(self.turned(h, b1, s1))
        return h + g2 * self.mlp(self.turned(h, b2, s2))


@wrong("DiTBlock")
class NormsWithParameters(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)


@wrong("DiTBlock")
class BothBranchesSeeTheInput(Whole):
    def forward(self, h, c):
        b1, s1, g1, b2, s2, g2 = self.knobs(c)
        one = g1 * self.attention(self.turned(self.norm1(h), b1, s1))
        return h + one + g2 * self.mlp(self.turned(self.norm2(h), b2, s2))


@wrong("DiTBlock")
class MlpBeforeAttention(Whole):
    def forward(self, h, c):
        b1, s1, g1, b2, s2, g2 = self.knobs(c)
        h = h + g1 * self.mlp(self.turned(self.norm1(h), b1, s1))
        return h + g2 * self.attention(self.turned(self.norm2(h), b2, s2))


@wrong("DiTBlock")
class AttentionLooksBackOnly(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)

        class Causal(Heads):
            def forward(self, x):
                seen = [super(Causal, self).forward(x[:, : n + 1])[:, -1] for n in range(x.shape[1])]
                return torch.stack(seen, dim=1)

        self.attention = Causal(width, heads)


@wrong("DiTBlock")
class AttentionOverTheBatch(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)

        class Crossed(Heads):
            def forward(self, x):
                return super(Crossed, self).forward(x.transpose(0, 1)).transpose(0, 1)

        self.attention = Crossed(width, heads)


@wrong("DiTBlock")
class NoAttention(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.attention = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))


@wrong("DiTBlock")
class MlpWithRelu(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))


@wrong("DiTBlock")
class MlpWithItsGeluLast(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.Linear(4 * width, width), nn.GELU())


@wrong("DiTBlock")
class MlpTwiceAsWide(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))


@wrong("DiTBlock")
class KnobsDetached(Whole):
    def knobs(self, c):
        return [part.detach() for part in super().knobs(c)]


@right("modulate")
def with_addcmul(x, shift, scale):
    return torch.addcmul(shift.unsqueeze(1), x, 1 + scale.unsqueeze(1))


@right("modulate")
def over_tokens_in_front(x, shift, scale):
    return (x.transpose(0, 1) * (scale + 1) + shift).transpose(0, 1)


@right("DiTBlock")
class WithAttentionByHand(Whole):
    """Attention written out, modulation inside the block."""


@right("DiTBlock")
class WithOneNormForBoth(Whole):
    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.width = width
        self.norm1 = self.norm2 = nn.LayerNorm(width, elementwise_affine=False)

    def knobs(self, c):
        return self.ada(c * torch.sigmoid(c)).unflatten(1, (6, 1, self.width)).unbind(1)


@right("DiTBlock")
class LikePublishedCode(Whole):
    """The smaller epsilon, and the GELU by tanh."""

    def __init__(self, width, heads, condition):
        super().__init__(width, heads, condition)
        self.norm1 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.norm2 = nn.LayerNorm(width, eps=1e-6, elementwise_affine=False)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width))
