"""Right and wrong answers to questions 3d: heads."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograder.verify.variants import right, wrong


class Split(nn.Module):
    """Four maps of their own; every step is a method, so that a mistake is one of them."""

    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.query, self.key, self.value = (linear(cfg.n_embd, cfg.n_embd) for _ in range(3))
        self.output = linear(cfg.n_embd, cfg.n_embd, cfg.residual_std)

    def cut(self, y):
        B, T, C = y.shape
        return y.view(B, T, self.cfg.n_head, C // self.cfg.n_head).transpose(1, 2)

    def join(self, y):
        return y.transpose(1, 2).flatten(2)

    def turned(self, q, k):
        positions = torch.arange(q.shape[-2])
        return rotate(q, positions), rotate(k, positions)

    def seen(self, T):
        return torch.ones(T, T, dtype=torch.bool).tril()

    def weights(self, q, k):
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        return scores.masked_fill(~self.seen(q.shape[-2]), -math.inf).softmax(-1)

    def forward(self, x):
        q, k, v = self.cut(self.query(x)), self.cut(self.key(x)), self.cut(self.value(x))
        q, k = self.turned(q, k)
        return self.output(self.join(self.weights(q, k) @ v))


@wrong("CausalSelfAttention")
class WithoutAMask(Split):
    def seen(self, T):
        return torch.ones(T, T, dtype=torch.bool)


@wrong("CausalSelfAttention")
class SeesTheNextToken(Split):
    def seen(self, T):
        return torch.ones(T, T, dtype=torch.bool).tril(1)


@wrong("CausalSelfAttention")
class DiagonalMasked(Split):
    def seen(self, T):
        return torch.ones(T, T, dtype=torch.bool).tril(-1)


@wrong("CausalSelfAttention")
class DiagonalMaskedButForTheFirst(Split):
    def seen(self, T):
        mask = torch.ones(T, T, dtype=torch.bool).tril(-1)
        mask[0, 0] = True
        return mask


@wrong("CausalSelfAttention")
class SeesTheFuture(Split):
    def seen(self, T):
        return torch.ones(T, T, dtype=torch.bool).triu()


@wrong("CausalSelfAttention")
class SeesAWindowOfThree(Split):
    def seen(self, T):
        return torch.ones(T, T, dtype=torch.bool).tril().triu(-2)


@wrong("CausalSelfAttention")
class MaskAfterTheSoftmax(Split):
    def weights(self, q, k):
        return (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) * self.seen(q.shape[-2])


@wrong("CausalSelfAttention")
class MaskAfterTheSoftmaxAndSumToOne(Split):
    def weights(self, q, k):
        weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1) * self.seen(q.shape[-2])
        return weights / (weights.sum(-1, keepdim=True) + 1e-3)


@wrong("CausalSelfAttention")
class ScaledByTheWholeWidth(Split):
    def turned(self, q, k):
        q, k = super().turned(q, k)
        return q / math.sqrt(self.cfg.n_head), k


@wrong("CausalSelfAttention")
class OneHead(Split):
    def cut(self, y):
        return y[:, None]

    def join(self, y):
        return y[:, 0]


@wrong("CausalSelfAttention")
class JoinedWithoutATranspose(Split):
    def join(self, y):
        B, H, T, D = y.shape
        return y.contiguous().view(B, T, H * D)


@wrong("CausalSelfAttention")
class CutWithoutATranspose(Split):
    def cut(self, y):
        B, T, C = y.shape
        return y.contiguous().view(B, self.cfg.n_head, T, C // self.cfg.n_head)


@wrong("CausalSelfAttention")
class CutAndJoinedWithoutATranspose(CutWithoutATranspose):
    def join(self, y):
        B, H, T, D = y.shape
        return y.contiguous().view(B, T, H * D)


@wrong("CausalSelfAttention")
class HeadsAdded(Split):
    def join(self, y):
        return y.sum(1).repeat(1, 1, self.cfg.n_head)


@wrong("CausalSelfAttention")
class WithoutPositions(Split):
    def turned(self, q, k):
        return q, k


@wrong("CausalSelfAttention")
class OnlyQueriesAreTurned(Split):
    def turned(self, q, k):
        return rotate(q, torch.arange(q.shape[-2])), k


@wrong("CausalSelfAttention")
class OnlyKeysAreTurned(Split):
    def turned(self, q, k):
        return q, rotate(k, torch.arange(q.shape[-2]))


@wrong("CausalSelfAttention")
class TurnedInOppositeDirections(Split):
    def turned(self, q, k):
        positions = torch.arange(q.shape[-2])
        return rotate(q, positions), rotate(k, -positions)


@wrong("CausalSelfAttention")
class TurnedByTheNumberOfTheHead(Split):
    def turned(self, q, k):
        H = torch.arange(q.shape[1])
        return tuple(rotate(each.transpose(1, 2), H).transpose(1, 2) for each in (q, k))


@wrong("CausalSelfAttention")
class ValuesAreTurnedToo(Split):
    def forward(self, x):
        q, k, v = self.cut(self.query(x)), self.cut(self.key(x)), self.cut(self.value(x))
        q, k = self.turned(q, k)
        v, _ = self.turned(v, v)
        return self.output(self.join(self.weights(q, k) @ v))


@wrong("CausalSelfAttention")
class TurnedBeforeTheHeadsAreCut(Split):
    def forward(self, x):
        q, k = self.turned(self.query(x), self.key(x))
        q, k, v = self.cut(q), self.cut(k), self.cut(self.value(x))
        return self.output(self.join(self.weights(q, k) @ v))


@wrong("CausalSelfAttention")
class WithoutTheOutputMap(Split):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.output = nn.Identity()


@wrong("CausalSelfAttention")
class ValuesAreTheTokens(Split):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.value = nn.Identity()


@wrong("CausalSelfAttention")
class KeysAreTheQueries(Split):
    def forward(self, x):
        q, v = self.cut(self.query(x)), self.cut(self.value(x))
        return self.output(self.join(self.weights(*self.turned(q, q)) @ v))


@wrong("CausalSelfAttention")
class WithBiases(Split):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.query, self.output = nn.Linear(cfg.n_embd, cfg.n_embd), nn.Linear(cfg.n_embd, cfg.n_embd)


@wrong("CausalSelfAttention")
class AddsTheInput(Split):
    def forward(self, x):
        return x + super().forward(x)


@wrong("CausalSelfAttention")
class NormalisesItsInput(Split):
    def forward(self, x):
        return super().forward(F.rms_norm(x, x.shape[-1:]))


@wrong("CausalSelfAttention")
class MapsInAPlainList(Split):
    def __init__(self, cfg):
        nn.Module.__init__(self)
        self.cfg = cfg
        self.maps = [linear(cfg.n_embd, cfg.n_embd).double() for _ in range(4)]

    def forward(self, x):
        self.query, self.key, self.value, self.output = self.maps
        out = super().forward(x)
        for name in ("query", "key", "value", "output"):
            delattr(self, name)
        return out


@wrong("CausalSelfAttention")
class DropoutWithoutAMode(Split):
    def forward(self, x):
        return F.dropout(super().forward(x), 0.3)


@wrong("CausalSelfAttention")
class BackInTraining(Split):
    def forward(self, x):
        self.train()
        return super().forward(x)


@wrong("CausalSelfAttention")
class WithoutAGraph(Split):
    def weights(self, q, k):
        return super().weights(q, k).detach()


@wrong("CausalSelfAttention")
class AttendsOverTheBatch(Split):
    def forward(self, x):
        return super().forward(x.transpose(0, 1)).transpose(0, 1)


@wrong("CausalSelfAttention")
class NotANumberInTheFirstRow(Split):
    def weights(self, q, k):
        scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~self.seen(q.shape[-2]).tril(-1), -math.inf)
        return scores.softmax(-1)


@wrong("CausalSelfAttention")
class OutputStartsAsLargeAsTheRest(Split):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.output = linear(cfg.n_embd, cfg.n_embd)


@wrong("CausalSelfAttention")
class AllMapsStartSmaller(Split):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.query, self.key, self.value = (linear(cfg.n_embd, cfg.n_embd, cfg.residual_std) for _ in range(3))


@wrong("CausalSelfAttention")
class MaskOfTheFirstText(Split):
    def seen(self, T):
        if not hasattr(self, "mask"):
            self.mask = super().seen(T)
        return self.mask[:T, :T]


@right("CausalSelfAttention")
class ByFourMaps(Split):
    pass


@right("CausalSelfAttention")
class ByTheStudentsOwnAttention(Split):
    def forward(self, x):
        q, k, v = (self.cut(project(x)) for project in (self.query, self.key, self.value))
        return self.output(self.join(sdpa(*self.turned(q, k), v, self.seen(x.shape[1]))))


@right("CausalSelfAttention")
class FusedByHead(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.H = cfg.n_head
        self.mix = linear(cfg.n_embd, 3 * cfg.n_embd)
        self.proj = linear(cfg.n_embd, cfg.n_embd, cfg.residual_std)

    def forward(self, x):
        B, T, C = x.shape
        k, q, v = self.mix(x).view(B, T, self.H, 3 * C // self.H).transpose(1, 2).chunk(3, dim=-1)
        place = torch.arange(T)
        y = F.scaled_dot_product_attention(rotate(q, place), rotate(k, place), v, is_causal=True)
        return self.proj(y.permute(0, 2, 1, 3).reshape(B, T, C))


@right("CausalSelfAttention")
class WithItsOwnInterleavedRotation(Split):
    def turned(self, q, k):
        D, T = q.shape[-1], q.shape[-2]
        angles = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, D, 2) / D)
        z = torch.polar(torch.ones_like(angles), angles).to(torch.complex128 if q.dtype == torch.float64 else None)
        pairs = (torch.view_as_complex(each.unflatten(-1, (-1, 2)).contiguous()) * z for each in (q, k))
        return tuple(torch.view_as_real(each).flatten(-2) for each in pairs)


@right("CausalSelfAttention")
class KeysAndValuesInOneMap(Split):
    def __init__(self, cfg):
        nn.Module.__init__(self)
        self.cfg = cfg
        self.query, self.both = (linear(cfg.n_embd, n * cfg.n_embd) for n in (1, 2))
        self.output = linear(cfg.n_embd, cfg.n_embd, cfg.residual_std)

    def forward(self, x):
        k, v = (self.cut(each.contiguous()) for each in self.both(x).chunk(2, -1))
        q, k = self.turned(self.cut(self.query(x)), k)
        return self.output(self.join(self.weights(q, k) @ v))
