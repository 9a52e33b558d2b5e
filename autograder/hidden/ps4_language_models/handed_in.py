"""What handed-in files of question 8 say about text that nobody has trained on.

A GPT runs in the worker, in the student's own class. This side hands in characters, takes logits back, and computes the
surprise. The order of the questions matters: first only *beginnings* of passages, whose next characters the worker has
never seen, then whole passages. A model that looks ahead answers differently at the end of a beginning and at the same
place of the whole.

What this does not protect against: code that recognises, in the whole passages, the beginnings it was asked about, and
looks ahead at all other places only. It would still have to answer for the beginnings, so that what it could gain is
bounded by SLACK; and whoever reads it sees what it is.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from autograder.testing import Unexpected, expect_finite, expect_shape, expect_true

ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PLAYS = Path(__file__).parent / "data" / "plays.txt"
MOST_PARAMETERS = 11_000_000
MOST_BESIDE = 1_000_000  # numbers of masks and the like, which a module may keep in buffers
LONGEST = 256  # characters of a passage
BEGINNING = 32  # characters of a beginning
SLACK = 0.5  # nats by which the mean surprise after beginnings may be above a threshold for whole passages
Tensors = Mapping[str, Tensor]


@cache
def hidden_text() -> str:
    """The passages, one after the other."""
    return PLAYS.read_text(encoding="ascii")


@cache
def hidden_ids() -> Tensor:
    """Their numbers (N,) in the alphabet."""
    number = {ch: i for i, ch in enumerate(ALPHABET)}
    return torch.tensor([number[ch] for ch in hidden_text()])


def passages(count: int, length: int) -> Tensor:
    """Passages (count, length + 1) that begin evenly apart: inputs and the character after each."""
    ids = hidden_ids()
    starts = torch.arange(count) * (len(ids) - length - 1) // count
    return ids[starts[:, None] + torch.arange(length + 1)]


def sizes_of(tensors: Tensors, prefix: str = "") -> list[int]:
    """The five sizes of a packed GPT, found to be sizes, and the numbers that it has to be few enough."""
    name = f"{prefix}sizes"
    if name not in tensors:
        raise Unexpected(f"the file holds no tensor named {name!r}", "pack the model with gpt_tensors")
    expect_true(tensors[name].dtype == torch.int64, "the sizes are whole numbers, as gpt_tensors packs them")
    expect_shape(tensors[name], 5)
    own = {key: each for key, each in tensors.items() if key.startswith(prefix) and key != name}
    for key, each in own.items():
        expect_true(each.is_floating_point(), f"{key} holds no floating-point numbers")
        bad = each.isnan() | each.isposinf()  # minus infinity may stand in a mask that is added
        expect_true(not bool(bad.any()), f"{key} holds NaN or infinity: a training that has run away")
    sizes, numbers = tensors[name].tolist(), sum(each.numel() for each in own.values())
    expect_true(parameters_of(sizes) <= MOST_PARAMETERS, "the model has at most 11 million parameters")
    beside = "the file holds at most a million numbers beside the parameters"
    expect_true(0 < numbers <= parameters_of(sizes) + MOST_BESIDE, beside)
    expect_true(sizes[0] == len(ALPHABET), "the vocabulary is the 65 characters of `chars`, in their order")
    expect_true(sizes[1] >= BEGINNING, "the longest context is at least 32 characters")
    return sizes


def parameters_of(sizes: list[int]) -> int:
    """How many parameters a GPT of these sizes has, as question 3 asks for it; its buffers do not count."""
    V, _, L, _, C = sizes
    return 2 * V * C + C + L * (12 * C * C + 2 * C)


def probe_logits(ns, tensors, prefix, idx, last):
    """Logits of the packed model for idx (B, T), all of them or the last ones, in batches of 4 to save memory."""
    own = {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    model = ns.read_gpt(own)
    with torch.no_grad():
        rows = [model(some) for some in idx.split(4)]
    return torch.cat([row[:, -1:] if last else row for row in rows]).float()


def logits_of(ps, tensors: Tensors, prefix: str, idx: Tensor, last: bool = False) -> Tensor:
    """Logits (B, T or 1, 65), which came out of the student's class."""
    got = ps.run(probe_logits, dict(tensors), prefix, idx, last)
    expect_shape(got, len(idx), 1 if last else idx.shape[1], len(ALPHABET))
    expect_finite(got, "logits are finite numbers")
    return got


def surprise(logits: Tensor, then: Tensor) -> Tensor:
    """-log p, in nats, of the characters then (B, T) under logits (B, T, 65); a few rows at a time save memory."""
    some = zip(logits.split(8), then.split(8), strict=True)
    return -torch.cat([rows.double().log_softmax(-1).gather(2, own[..., None])[..., 0] for rows, own in some])


def expect_same(at_the_end: Tensor, within: Tensor) -> None:
    """A beginning alone and within the whole passage got the same answer."""
    expect_true(
        torch.allclose(at_the_end.double().log_softmax(-1), within.double().log_softmax(-1), atol=1e-3, rtol=1e-3),
        "the logits at a place change with what comes after it: the model looks ahead",
    )


def nats_per_character(ps, tensors: Tensors, prefix: str = "", count: int = 64, most: float = float("inf")) -> float:
    """The mean surprise at hidden passages; it is also measured at the ends of beginnings, where no peeking helps."""
    T = min(sizes_of(tensors, prefix)[1], LONGEST)
    whole = passages(count, T)
    more = torch.cat([whole[:, : BEGINNING + 1], passages(192, BEGINNING)])  # beginnings, and what comes after each
    ends = logits_of(ps, tensors, prefix, more[:, :-1], last=True)
    logits = logits_of(ps, tensors, prefix, whole[:, :-1])
    expect_same(ends[:count, 0], logits[:, BEGINNING - 1])
    honest = surprise(ends, more[:, -1:]).mean().item()
    expect_true(honest <= most + SLACK, "the surprise after beginnings of 32 characters is too large")
    return surprise(logits, whole[:, 1:]).mean().item()


def expect_no_peeking(ps, tensors: Tensors, rng) -> None:
    """Passages with other endings, from random places on, get the same logits before these places."""
    T = min(sizes_of(tensors)[1], LONGEST)
    whole = passages(12, T)[:, :-1]
    for _ in range(2):
        cut = int(rng.integers(1, T))
        other = whole.clone()
        other[:, cut:] = torch.from_numpy(rng.integers(0, len(ALPHABET), size=(len(whole), T - cut)))
        kept = logits_of(ps, tensors, "", other)[:, :cut]
        expect_same(kept, logits_of(ps, tensors, "", whole)[:, :cut])
