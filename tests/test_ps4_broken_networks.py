"""Transformers that are broken as networks, each in a solved notebook of problem set 4: the feedback says which way."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.grading import Grader
from tests.broken import feedback, grader_of, solved_notebook, whole

PLAN = whole("ps4")
QUESTIONS = ("q3_transformer", "q4_kv_cache", "q6_sampling")

A_MASK_ON_A_GPU = """
def sdpa(q, k, v, mask=None):
    scores = q @ k.mT / math.sqrt(q.shape[-1]) + torch.zeros(k.shape[-2], device="cuda")
    return (scores if mask is None else scores.masked_fill(~mask, -math.inf)).softmax(-1) @ v
"""
A_ROW_THAT_SEES_NOTHING = """
class CausalSelfAttention(CausalSelfAttention):
    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).view(B, T, 3, self.cfg.n_head, -1).permute(2, 0, 3, 1, 4)
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        scores = scores.masked_fill(torch.ones(T, T, dtype=torch.bool).triu(), -math.inf)
        return self.out((scores.softmax(-1) @ v).transpose(1, 2).reshape(B, T, C))
"""
HEADS_STAY_APART = """
class CausalSelfAttention(CausalSelfAttention):
    def forward(self, x):
        return super().forward(x).unflatten(-1, (self.cfg.n_head, -1)).transpose(1, 2)
"""
MAPS_IN_A_LIST = """
class CausalSelfAttention(CausalSelfAttention):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.maps = [linear(cfg.n_embd, cfg.n_embd).double()]

    def forward(self, x):
        return self.maps[0](super().forward(x))
"""
MAPS_WITH_BIASES = """
class CausalSelfAttention(CausalSelfAttention):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.out = nn.Linear(cfg.n_embd, cfg.n_embd)
"""
DROPOUT_WITHOUT_A_MODE = """
class CausalSelfAttention(CausalSelfAttention):
    def forward(self, x):
        return F.dropout(super().forward(x), self.cfg.dropout)
"""
BACK_IN_TRAINING = """
class GPT(GPT):
    def forward(self, idx):
        self.train()
        return super().forward(idx)
"""
BLOCKS_IN_A_LIST = """
class GPT(GPT):
    def __init__(self, cfg):
        super().__init__(cfg)
        blocks = list(self.blocks)
        del self.blocks
        self.blocks = [block.double() for block in blocks]
"""
LOGITS_OF_THE_LAST_TOKEN = """
class GPT(GPT):
    def forward(self, idx):
        return super().forward(idx)[:, -1]
"""
LOGARITHM_OF_LOGITS = """
class GPT(GPT):
    def forward(self, idx):
        return super().forward(idx).log()
"""
DETACHED_EMBEDDING = """
class GPT(GPT):
    def forward(self, idx):
        x = self.embedding(idx).detach()
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))
"""
GAIN_WITHOUT_A_PARAMETER = """
class RMSNorm(RMSNorm):
    def __init__(self, C, eps=1e-6):
        nn.Module.__init__(self)
        self.eps, self.gain = eps, torch.ones(C)
"""
SCORES_IN_PLACE = """
def sdpa(q, k, v, mask=None):
    weights = (q @ k.mT / math.sqrt(q.shape[-1])).softmax(-1)
    if mask is None:
        return weights @ v
    weights *= mask
    return weights @ v / weights.sum(-1, keepdim=True)
"""
CACHE_IN_THE_MODULE = """
class CachedAttention(CachedAttention):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.kept = {}

    def forward(self, x, cache=None):
        return super().forward(x, None if cache is None else self.kept)
"""
A_NEW_NAME_FOR_A_WEIGHT = """
class CachedAttention(CachedAttention):
    def __init__(self, cfg):
        super().__init__(cfg)
        self.merge = self.out
        del self.out

    def forward(self, x, cache=None):
        self.out = self.merge
        y = super().forward(x, cache)
        del self.out
        return y
"""

CASES = {
    "on a GPU": (A_MASK_ON_A_GPU, "q3_transformer", "3a.1", "Put new tensors where the inputs are"),
    "a row that sees nothing": (A_ROW_THAT_SEES_NOTHING, "q3_transformer", "3d.1", "does the mask leave each query"),
    "heads stay apart": (HEADS_STAY_APART, "q3_transformer", "3d.1", "Shape (2, 3, 5, 4), expected (2, 5, 12)"),
    "maps in a list": (MAPS_IN_A_LIST, "q3_transformer", "3d.3", "weights that are no parameters of the module"),
    "maps with biases": (MAPS_WITH_BIASES, "q3_transformer", "3d.1", "four maps without bias"),
    "dropout without a mode": (DROPOUT_WITHOUT_A_MODE, "q3_transformer", "3d.3", "no dropout, no memory"),
    "back in training": (BACK_IN_TRAINING, "q3_transformer", "3e.3", "the forward pass left evaluation mode"),
    "blocks in a list": (BLOCKS_IN_A_LIST, "q3_transformer", "3e.3", "use an nn.ModuleList"),
    "logits of the last token": (
        LOGITS_OF_THE_LAST_TOKEN,
        "q3_transformer",
        "3e.1",
        "Shape (2, 11), expected (2, 5, 11)",
    ),
    "logarithm of logits": (LOGARITHM_OF_LOGITS, "q3_transformer", "3e.1", "NaN or infinity in the logits"),
    "detached embedding": (DETACHED_EMBEDDING, "q3_transformer", "3e.3", "a parameter gets no gradient"),
    "gain without a parameter": (GAIN_WITHOUT_A_PARAMETER, "q3_transformer", "3b.2", "one nn.Parameter of shape (C,)"),
    "scores in place": (SCORES_IN_PLACE, "q3_transformer", "3a.4", "cannot be differentiated: an in-place operation"),
    "cache in the module": (CACHE_IN_THE_MODULE, "q4_kv_cache", "4b.4", "belongs to the dict, not to the module"),
    "a new name for a weight": (
        A_NEW_NAME_FOR_A_WEIGHT,
        "q4_kv_cache",
        "4b.4",
        "names that they have in CausalSelfAttention",
    ),
}


@pytest.fixture(scope="module")
def grader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grader]:
    with grader_of(PLAN, tmp_path_factory.mktemp("release")) as grader:
        yield grader


@pytest.fixture(scope="module")
def solved() -> NotebookNode:
    return solved_notebook(PLAN)


@pytest.mark.parametrize("case", CASES)
def test_a_broken_network_is_told_what_is_broken(
    grader: Grader, solved: NotebookNode, tmp_path: Path, case: str
) -> None:
    cell, question, number, sentence = CASES[case]
    assert sentence in feedback(grader, solved, tmp_path, cell, question)[number]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_solved_notebook_itself_is_told_nothing(
    grader: Grader, solved: NotebookNode, tmp_path: Path, question: str
) -> None:
    assert feedback(grader, solved, tmp_path, "", question) == {}
