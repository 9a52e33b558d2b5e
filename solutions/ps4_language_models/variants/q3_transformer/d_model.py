"""Right and wrong answers to question 3e: the whole model."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograder.verify.variants import right, wrong


@wrong("GPT")
class WithoutTheLastNorm(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for block in self.blocks:
            x = block(x)
        return self.head(x) + 0 * self.norm(x).sum()


@wrong("GPT")
class NormBeforeTheBlocks(GPT):
    def forward(self, idx):
        x = self.norm(self.embedding(idx))
        for block in self.blocks:
            x = block(x)
        return self.head(x)


@wrong("GPT")
class ABlockTooFew(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for block in self.blocks[1:]:
            x = block(x)
        return self.head(self.norm(x))


@wrong("GPT")
class OneBlockManyTimes(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for _ in self.blocks:
            x = self.blocks[0](x)
        return self.head(self.norm(x))


@wrong("GPT")
class TheSameBlockInEveryPlace(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.blocks = nn.ModuleList([Block(cfg)] * cfg.n_layer)


@wrong("GPT")
class BlocksInReverseOrder(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for block in reversed(self.blocks):
            x = block(x)
        return self.head(self.norm(x))


@wrong("GPT")
class BlocksAllReadTheEmbedding(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        return self.head(self.norm(sum(block(x) for block in self.blocks)))


@wrong("GPT")
class BlocksInAPlainList(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        blocks = [block.double() for block in self.blocks]
        del self.blocks
        self.blocks = blocks


@wrong("GPT")
class ProbabilitiesInsteadOfLogits(GPT):
    def forward(self, idx):
        return super().forward(idx).softmax(-1)


@wrong("GPT")
class LogProbabilitiesOverTime(GPT):
    def forward(self, idx):
        return super().forward(idx).log_softmax(1)


@wrong("GPT")
class OnlyTheLastLogits(GPT):
    def forward(self, idx):
        return super().forward(idx)[:, -1]


@wrong("GPT")
class LogitsShifted(GPT):
    def forward(self, idx):
        return super().forward(idx).roll(1, dims=1)


@wrong("GPT")
class ChannelsBeforeTime(GPT):
    def forward(self, idx):
        return super().forward(idx).mT


@wrong("GPT")
class TiedHead(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.head.weight = self.embedding.weight


@wrong("GPT")
class HeadWithABias(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.head = nn.Linear(cfg.n_embd, cfg.vocab_size)


@wrong("GPT")
class PositionsAddedToo(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.positions = nn.Embedding(cfg.block_size, cfg.n_embd)

    def forward(self, idx):
        x = self.embedding(idx) + self.positions(torch.arange(idx.shape[1]))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@wrong("GPT")
class HeadStartsLarge(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        nn.init.normal_(self.head.weight)


@wrong("GPT")
class TableStartsLarge(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        nn.init.normal_(self.embedding.weight)


@wrong("GPT")
class HeadStartsVeryLarge(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        nn.init.normal_(self.head.weight, std=5.0)


@wrong("GPT")
class MeanOverTimeAdded(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x + 1e-3 * x.mean(1, keepdim=True)))


@wrong("GPT")
class NormOverTime(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for block in self.blocks:
            x = block(x)
        x = x / x.square().mean((1, 2), keepdim=True).sqrt()
        return self.head(self.norm(x))


@wrong("GPT")
class BatchNormalised(GPT):
    def forward(self, idx):
        x = self.embedding(idx)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x / x.square().mean(0, keepdim=True).sqrt()))


@wrong("GPT")
class EmbeddingScaled(GPT):
    def forward(self, idx):
        x = self.embedding(idx) * math.sqrt(self.cfg.n_embd)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@wrong("GPT")
class EmbeddingDetached(GPT):
    def forward(self, idx):
        x = self.embedding(idx).detach()
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@wrong("GPT")
class DropoutInEvaluation(GPT):
    def forward(self, idx):
        x = F.dropout(self.embedding(idx), 0.1)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))


@wrong("GPT")
class TrainingModeInForward(GPT):
    def forward(self, idx):
        self.train()
        return super().forward(idx)


@wrong("GPT")
class NotANumber(GPT):
    def forward(self, idx):
        return super().forward(idx).log()


@wrong("GPT")
class AllMapsStartAgain(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02)


@right("GPT")
class ByASequential(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.layers = nn.Sequential(*[Block(cfg) for _ in range(cfg.n_layer)], RMSNorm(cfg.n_embd))
        self.out = linear(cfg.n_embd, cfg.vocab_size)
        self.table = nn.Embedding.from_pretrained(0.02 * torch.randn(cfg.vocab_size, cfg.n_embd), freeze=False)

    def forward(self, idx):
        return self.out(self.layers(self.table(idx)))


@right("GPT")
class ByADictOfParts(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.cfg = cfg
        self.parts = nn.ModuleDict({"head": linear(cfg.n_embd, cfg.vocab_size), "norm": RMSNorm(cfg.n_embd)})
        self.table = nn.Parameter(torch.randn(cfg.vocab_size, cfg.n_embd) * 0.02)
        for n in range(cfg.n_layer):
            self.parts[f"block{n}"] = Block(cfg)

    def forward(self, idx):
        x = F.embedding(idx, self.table)
        for n in range(self.cfg.n_layer):
            x = self.parts[f"block{n}"](x)
        return self.parts["head"](self.parts["norm"](x))
