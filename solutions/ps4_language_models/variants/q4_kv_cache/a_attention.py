"""Right and wrong answers to question 4a and 4b: the size of the cache, and attention.

Wrong attentions inherit from `Remembers`, whose steps are methods, so that a mistake is one of them. It has the weights
of the reference's attention.
"""

import torch
import torch.nn.functional as F

from autograder.verify.variants import right, wrong


@wrong("cache_bytes")
def keys_without_values(cfg, B, T, bytes_per_number=4):
    return cfg.n_layer * B * T * cfg.n_embd * bytes_per_number


@wrong("cache_bytes")
def of_one_layer(cfg, B, T, bytes_per_number=4):
    return 2 * B * T * cfg.n_embd * bytes_per_number


@wrong("cache_bytes")
def of_one_sequence(cfg, B, T, bytes_per_number=4):
    return 2 * cfg.n_layer * T * cfg.n_embd * bytes_per_number


@wrong("cache_bytes")
def of_one_head(cfg, B, T, bytes_per_number=4):
    return 2 * cfg.n_layer * B * T * (cfg.n_embd // cfg.n_head) * bytes_per_number


@wrong("cache_bytes")
def heads_counted_twice(cfg, B, T, bytes_per_number=4):
    return 2 * cfg.n_layer * B * T * cfg.n_embd * cfg.n_head * bytes_per_number


@wrong("cache_bytes")
def of_the_longest_context(cfg, B, T, bytes_per_number=4):
    return 2 * cfg.n_layer * B * cfg.block_size * cfg.n_embd * bytes_per_number


@wrong("cache_bytes")
def queries_too(cfg, B, T, bytes_per_number=4):
    return 3 * cfg.n_layer * B * T * cfg.n_embd * bytes_per_number


@wrong("cache_bytes")
def always_four_bytes(cfg, B, T, bytes_per_number=4):
    return 2 * cfg.n_layer * B * T * cfg.n_embd * 4


@wrong("cache_bytes")
def weights_of_attention_too(cfg, B, T, bytes_per_number=4):
    return 2 * cfg.n_layer * B * T * (cfg.n_embd + T * cfg.n_head) * bytes_per_number


@wrong("cache_bytes")
def in_kibibytes(cfg, B, T, bytes_per_number=4):
    return cache_bytes(cfg, B, T, bytes_per_number) / 1024


@right("cache_bytes")
def counted_by_layers(cfg, B, T, bytes_per_number=4):
    per_token = 2 * cfg.n_head * (cfg.n_embd // cfg.n_head) * bytes_per_number
    return sum(B * T * per_token for _ in range(cfg.n_layer))


@right("cache_bytes")
def from_a_tensor(cfg, B, T, bytes_per_number=4):
    return torch.empty(cfg.n_layer, 2, B, T, cfg.n_embd, device="meta").numel() * bytes_per_number


# 4b


class Remembers(CausalSelfAttention):
    """Attention with a cache, in steps."""

    def forward(self, x, cache=None):
        if cache is None:
            return CausalSelfAttention.forward(self, x)
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.cfg.n_head, -1).permute(2, 0, 3, 1, 4)
        past = self.length(cache)
        q, k = rotate(q, self.query_positions(past, T)), rotate(k, self.key_positions(past, T))
        k, v = self.joined(cache, k, v)
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.seen(T, k.shape[2]))
        return self.out(y.transpose(1, 2).reshape(B, T, C))

    def length(self, cache):
        return cache["k"].shape[2] if cache else 0

    def query_positions(self, past, T):
        return torch.arange(past, past + T)

    def key_positions(self, past, T):
        return self.query_positions(past, T)

    def joined(self, cache, k, v):
        cache["k"] = torch.cat([cache["k"], k], dim=2) if cache else k
        cache["v"] = torch.cat([cache["v"], v], dim=2) if "v" in cache else v
        return cache["k"], cache["v"]

    def seen(self, T, S):
        return torch.ones(T, S, dtype=torch.bool).tril(S - T)


@wrong("CachedAttention")
class PrefillUnmasked(Remembers):
    def seen(self, T, S):
        return torch.ones(T, S, dtype=torch.bool)


@wrong("CachedAttention")
class MaskOfTheUpperLeftCorner(Remembers):
    def seen(self, T, S):
        return torch.ones(T, S, dtype=torch.bool).tril()


@wrong("CachedAttention")
class MaskedOnlyWhereNothingIsCached(Remembers):
    def seen(self, T, S):
        return torch.ones(T, S, dtype=torch.bool).tril() if T == S else torch.ones(T, S, dtype=torch.bool)


@wrong("CachedAttention")
class MaskOneTooFar(Remembers):
    def seen(self, T, S):
        return torch.ones(T, S, dtype=torch.bool).tril(S - T + 1)


@wrong("CachedAttention")
class OldTokensAreMasked(Remembers):
    def seen(self, T, S):
        return torch.ones(T, S, dtype=torch.bool).tril(S - T).triu(S - T)


@wrong("CachedAttention")
class CausalByTorchInEveryPiece(Remembers):
    def forward(self, x, cache=None):
        if cache is None:
            return CausalSelfAttention.forward(self, x)
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.cfg.n_head, -1).permute(2, 0, 3, 1, 4)
        place = self.query_positions(self.length(cache), T)
        k, v = self.joined(cache, rotate(k, place), v)
        y = F.scaled_dot_product_attention(rotate(q, place), k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(B, T, C))


@wrong("CachedAttention")
class PositionsStartAgain(Remembers):
    def query_positions(self, past, T):
        return torch.arange(T)


@wrong("CachedAttention")
class PositionsOfQueriesStartAgain(Remembers):
    def query_positions(self, past, T):
        return torch.arange(T)

    def key_positions(self, past, T):
        return torch.arange(past, past + T)


@wrong("CachedAttention")
class PositionsOneBehind(Remembers):
    def query_positions(self, past, T):
        return torch.arange(past, past + T) - (past > 0)


@wrong("CachedAttention")
class PositionsCountPieces(Remembers):
    def length(self, cache):
        return len(cache)


@wrong("CachedAttention")
class CachedKeysAreTurnedAgain(Remembers):
    def joined(self, cache, k, v):
        if cache:
            cache["k"] = rotate(cache["k"], torch.arange(cache["k"].shape[2]))
        return super().joined(cache, k, v)


@wrong("CachedAttention")
class JoinedAlongTheHeads(Remembers):
    def joined(self, cache, k, v):
        cache["k"] = torch.cat([cache["k"], k], dim=1) if cache else k
        cache["v"] = torch.cat([cache["v"], v], dim=1) if "v" in cache else v
        return cache["k"], cache["v"]


@wrong("CachedAttention")
class JoinedAlongTheBatch(Remembers):
    def joined(self, cache, k, v):
        cache["k"] = torch.cat([cache["k"], k], dim=0) if cache else k
        cache["v"] = torch.cat([cache["v"], v], dim=0) if "v" in cache else v
        return cache["k"], cache["v"]


@wrong("CachedAttention")
class NewBeforeOld(Remembers):
    def joined(self, cache, k, v):
        cache["k"] = torch.cat([k, cache["k"]], dim=2) if cache else k
        cache["v"] = torch.cat([v, cache["v"]], dim=2) if "v" in cache else v
        return cache["k"], cache["v"]


@wrong("CachedAttention")
class OnlyTheLastPieceIsKept(Remembers):
    def joined(self, cache, k, v):
        if not cache:
            cache["k"], cache["v"] = k, v
            return k, v
        joined = torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)
        cache["k"], cache["v"] = k, v
        return joined


@wrong("CachedAttention")
class OnlyTheFirstPieceIsKept(Remembers):
    def joined(self, cache, k, v):
        if not cache:
            cache["k"], cache["v"] = k, v
            return k, v
        return torch.cat([cache["k"], k], dim=2), torch.cat([cache["v"], v], dim=2)


@wrong("CachedAttention")
class ValuesAreNotCached(Remembers):
    def joined(self, cache, k, v):
        cache["k"] = torch.cat([cache["k"], k], dim=2) if cache else k
        return cache["k"], F.pad(v, (0, 0, cache["k"].shape[2] - v.shape[2], 0))


@wrong("CachedAttention")
class NothingIsCached(Remembers):
    def joined(self, cache, k, v):
        return k, v


@wrong("CachedAttention")
class KeysAsValues(Remembers):
    def joined(self, cache, k, v):
        k, v = super().joined(cache, k, v)
        cache["v"] = k
        return k, v


@wrong("CachedAttention")
class MeansOfTheBatchAreCached(Remembers):
    def joined(self, cache, k, v):
        k, v = super().joined(cache, k, v)
        cache["k"], cache["v"] = k.mean(0, keepdim=True).expand_as(k), v.mean(0, keepdim=True).expand_as(v)
        return k, v


@wrong("CachedAttention")
class CacheInTheModule(Remembers):
    def forward(self, x, cache=None):
        if cache is None:
            return super().forward(x)
        if not cache:
            self.kept = {}
        cache["begun"] = True
        return super().forward(x, self.kept)


@wrong("CachedAttention")
class CacheInTheModuleForEver(Remembers):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.kept = {}

    def forward(self, x, cache=None):
        return super().forward(x, None if cache is None else self.kept)


@wrong("CachedAttention")
class CacheEvenWithoutOne(Remembers):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.kept = {}

    def forward(self, x, cache=None):
        return super().forward(x, self.kept if cache is None else cache)


@wrong("CachedAttention")
class EverythingRecomputed(Remembers):
    def forward(self, x, cache=None):
        if cache is None:
            return super().forward(x)
        cache["x"] = torch.cat([cache["x"], x], dim=1) if cache else x
        return super().forward(cache["x"])[:, -x.shape[1] :]


@wrong("CachedAttention")
class OldKeysProjectedAgain(Remembers):
    def forward(self, x, cache=None):
        if cache is None:
            return super().forward(x)
        cache["x"] = torch.cat([cache["x"], x], dim=1) if cache else x
        B, S, C = cache["x"].shape
        T = x.shape[1]
        wq, wk, wv = self.qkv.weight.chunk(3)
        cut = lambda y: y.view(B, -1, self.cfg.n_head, C // self.cfg.n_head).transpose(1, 2)  # noqa: E731
        q, k, v = cut(x @ wq.T), cut(cache["x"] @ wk.T), cut(cache["x"] @ wv.T)
        q, k = rotate(q, torch.arange(S - T, S)), rotate(k, torch.arange(S))
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=self.seen(T, S))
        return self.out(y.transpose(1, 2).reshape(B, T, C))


@wrong("CachedAttention")
class AnswersOfAllTokens(Remembers):
    def forward(self, x, cache=None):
        if cache is None:
            return super().forward(x)
        cache["x"] = torch.cat([cache["x"], x], dim=1) if cache else x
        return super().forward(cache["x"])


@wrong("CachedAttention")
class WithWeightsOfItsOwn(Remembers):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.step = linear(cfg.n_embd, 3 * cfg.n_embd)

    def forward(self, x, cache=None):
        return super().forward(x, cache) + 0 * self.step(x).sum()


@wrong("CachedAttention")
class ByHalfPrecision(Remembers):
    def joined(self, cache, k, v):
        k, v = super().joined(cache, k, v)
        cache["k"], cache["v"] = k.half().to(k), v.half().to(v)
        return k, v


@right("CachedAttention")
class InSteps(Remembers):
    pass


@right("CachedAttention")
class ATupleInTheDict(Remembers):
    def length(self, cache):
        return cache["kv"][0].shape[2] if "kv" in cache else 0

    def joined(self, cache, k, v):
        if "kv" in cache:
            k, v = (torch.cat(pair, dim=2) for pair in zip(cache["kv"], (k, v), strict=True))
        cache["kv"] = (k, v)
        return k, v


@right("CachedAttention")
class ListsOfPieces(Remembers):
    def length(self, cache):
        return sum(piece.shape[2] for piece in cache.get("k", []))

    def joined(self, cache, k, v):
        cache.setdefault("k", []).append(k)
        cache.setdefault("v", []).append(v)
        return torch.cat(cache["k"], dim=2), torch.cat(cache["v"], dim=2)


@right("CachedAttention")
class InABufferOfFullLength(Remembers):
    def length(self, cache):
        return cache.get("length", 0)

    def joined(self, cache, k, v):
        past, new = self.length(cache), self.length(cache) + k.shape[2]
        if not past:
            B, H, _, D = k.shape
            cache["buffer"] = torch.zeros(2, B, H, self.cfg.block_size, D).to(k)
        cache["buffer"][0, :, :, past:new], cache["buffer"][1, :, :, past:new] = k, v
        cache["length"] = new
        return cache["buffer"][0, :, :, :new], cache["buffer"][1, :, :, :new]


@right("CachedAttention")
class KeysAreCachedUnturned(Remembers):
    def forward(self, x, cache=None):
        if cache is None:
            return super().forward(x)
        B, T, C = x.shape
        q, k, v = (part.view(B, T, self.cfg.n_head, -1).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        k, v = self.joined(cache, k, v)
        S = k.shape[2]
        mask = torch.arange(S)[None, :] <= torch.arange(S - T, S)[:, None]
        y = sdpa(rotate(q, torch.arange(S - T, S)), rotate(k, torch.arange(S)), v, mask)
        return self.out(y.transpose(1, 2).reshape(B, T, C))
