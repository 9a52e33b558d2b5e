"""A handed-in tokenizer, applied to text by this side: no code of a student's takes part.

The file holds ids, the bytes of all tokens with their lengths, and merges as pairs of ids.
"""

import re
from collections.abc import Mapping
from itertools import accumulate, pairwise

import torch
from torch import Tensor

from autograder.testing import Unexpected, expect_true

MOST_TOKENS = 1300
LONGEST_TOKEN = 100  # bytes
PIECES = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+")  # the notebook's own


def column(tensors: Mapping[str, Tensor], name: str, dtype: torch.dtype, width: int | None = None) -> Tensor:
    """A tensor of this name, type and number of columns."""
    if name not in tensors:
        raise Unexpected(f"the file holds no tensor named {name!r}", "save it as the notebook's cell does")
    got = tensors[name]
    expect_true(got.dtype == dtype, f"{name} has another type than the notebook's cell saves")
    expect_true(got.ndim == (1 if width is None else 2), f"{name} has another shape than the notebook's cell saves")
    expect_true(width is None or got.shape[1] == width, f"{name} has another shape than the notebook's cell saves")
    return got


class SavedTokenizer:
    """Byte pair encoding by the vocabulary and the merges of a file, found to belong together."""

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        ids = column(tensors, "ids", torch.int64).tolist()
        lengths = column(tensors, "lengths", torch.int64).tolist()
        text = bytes(column(tensors, "bytes", torch.uint8).tolist())
        merges = column(tensors, "merges", torch.int64, 2).tolist()
        expect_true(256 <= len(ids) <= MOST_TOKENS, "a vocabulary has at least the 256 bytes and at most 1,300 tokens")
        expect_true(len(ids) == len(set(ids)) == len(lengths), "every token has an id of its own and a length")
        fits = sum(lengths) == len(text) and all(1 <= n <= LONGEST_TOKEN for n in lengths)
        expect_true(fits, "the lengths are those of the tokens, one after the other")
        ends = list(accumulate(lengths))
        self.token = {i: text[end - n : end] for i, n, end in zip(ids, lengths, ends, strict=True)}
        tokens = set(self.token.values())
        expect_true(len(tokens) == len(ids), "no two ids stand for the same token")
        expect_true(tokens >= {bytes([b]) for b in range(256)}, "every single byte is a token")
        known = all(a in self.token and b in self.token for a, b in merges)
        expect_true(known, "a merge joins two tokens of the vocabulary")
        pairs = [(self.token[a], self.token[b]) for a, b in merges]
        expect_true(all(a + b in tokens for a, b in pairs), "what a merge makes is a token of the vocabulary")
        self.rank = {pair: i for i, pair in reversed(list(enumerate(pairs)))}

    def count(self, piece: bytes) -> int:
        """How many tokens a piece becomes."""
        parts = [bytes([b]) for b in piece]
        while len(parts) > 1:
            ranks = [self.rank.get(pair, len(self.rank)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self.rank):
                break
            joined, i = [], 0
            while i < len(parts):
                here = i < len(ranks) and ranks[i] == best
                joined.append(parts[i] + parts[i + 1] if here else parts[i])
                i += 2 if here else 1
            parts = joined
        return len(parts)

    def bytes_per_token(self, text: str) -> float:
        """How many bytes of the text a token stands for, on average."""
        pieces = [piece.encode() for piece in PIECES.findall(text)]
        counts = {piece: self.count(piece) for piece in set(pieces)}
        return len(text.encode()) / sum(counts[piece] for piece in pieces)
