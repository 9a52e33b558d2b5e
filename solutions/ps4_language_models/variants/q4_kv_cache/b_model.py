"""Right and wrong answers to question 4c: the whole model."""

import torch

from autograder.verify.variants import right, wrong


class Layers(GPT):
    """The reference's model, with a pass through the layers that may be changed."""

    def __init__(self, cfg):
        super().__init__(cfg)
        for block in self.blocks:
            block.attn = CachedAttention(cfg)

    def forward(self, idx, cache=None):
        if cache is None:
            return super().forward(idx)
        return self.head(self.norm(self.through(self.embedding(idx), cache)))

    def through(self, x, cache):
        for block, own in zip(self.blocks, cache, strict=True):
            x = block(x, own)
        return x


@wrong("CachedGPT")
class OneDictForAllLayers(Layers):
    def through(self, x, cache):
        for block in self.blocks:
            x = block(x, cache[0])
        return x


@wrong("CachedGPT")
class DictsInReverseOrderEverySecondTime(Layers):
    def through(self, x, cache):
        cache.reverse()
        return super().through(x, cache)


@wrong("CachedGPT")
class OnlyTheFirstLayerRemembers(Layers):
    def through(self, x, cache):
        for n, block in enumerate(self.blocks):
            x = block(x, cache[0]) if n == 0 else block(x)
        return x


@wrong("CachedGPT")
class TheLastLayerForgets(Layers):
    def through(self, x, cache):
        for block, own in zip(self.blocks[:-1], cache, strict=False):
            x = block(x, own)
        return self.blocks[-1](x)


@wrong("CachedGPT")
class CacheIsIgnored(CachedGPT):
    def forward(self, idx, cache=None):
        return GPT.forward(self, idx)


@wrong("CachedGPT")
class AllIsComputedAgain(CachedGPT):
    def forward(self, idx, cache=None):
        if cache is None:
            return super().forward(idx)
        cache[0]["idx"] = torch.cat([cache[0]["idx"], idx], dim=1) if cache[0] else idx
        return super().forward(cache[0]["idx"])[:, -idx.shape[1] :]


@wrong("CachedGPT")
class AllLogitsOfThePast(Layers):
    def forward(self, idx, cache=None):
        logits = super().forward(idx, cache)
        if cache is None:
            return logits
        cache[0]["logits"] = torch.cat([cache[0]["logits"], logits], dim=1) if "logits" in cache[0] else logits
        return cache[0]["logits"]


@wrong("CachedGPT")
class OnlyTheLastLogit(CachedGPT):
    def forward(self, idx, cache=None):
        return super().forward(idx, cache)[:, -1:]


@wrong("CachedGPT")
class WithoutTheLastNorm(Layers):
    def forward(self, idx, cache=None):
        if cache is None:
            return super().forward(idx)
        return self.head(self.through(self.embedding(idx), cache))


@wrong("CachedGPT")
class OldAttentionInItsBlocks(CachedGPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        for block in self.blocks:
            block.attn = CausalSelfAttention(cfg)


@wrong("CachedGPT")
class OnlyTheLastBlockIsExchanged(CachedGPT):
    def __init__(self, cfg):
        GPT.__init__(self, cfg)
        self.blocks[-1].attn = CachedAttention(cfg)


@wrong("CachedGPT")
class ASecondAttentionBesideTheFirst(CachedGPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.extra = torch.nn.ModuleList(CachedAttention(cfg) for _ in range(cfg.n_layer))


@wrong("CachedGPT")
class OneAttentionForAllBlocks(CachedGPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        for block in self.blocks:
            block.attn = self.blocks[0].attn


@wrong("CachedGPT")
class ACacheOfItsOwn(CachedGPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.own = [{} for _ in range(cfg.n_layer)]

    def forward(self, idx, cache=None):
        return super().forward(idx, None if cache is None else self.own)


@wrong("CachedGPT")
class OneTokenAtATimeLosesTheFirst(CachedGPT):
    def forward(self, idx, cache=None):
        if cache is None or idx.shape[1] == 1:
            return super().forward(idx, cache)
        return torch.cat([super().forward(token, cache) for token in idx.flip(1).split(1, dim=1)], dim=1)


@right("CachedGPT")
class WithItsOwnLoop(Layers):
    pass


@right("CachedGPT")
class TokenByToken(CachedGPT):
    def forward(self, idx, cache=None):
        if cache is None:
            return super().forward(idx)
        return torch.cat([super(TokenByToken, self).forward(token, cache) for token in idx.split(1, dim=1)], dim=1)


@right("CachedGPT")
class BlockByBlockWithoutBlocks(Layers):
    def through(self, x, cache):
        for n, block in enumerate(self.blocks):
            x = x + block.attn(block.norm1(x), cache[n])
            x = x + block.mlp(block.norm2(x))
        return x
