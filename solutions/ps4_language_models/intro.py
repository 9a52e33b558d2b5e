# %% [markdown] role="text"
# # Problem set 4: language models
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({{colab_url}})
#
# Everything that the first three problem sets did to images, this one does to text, with the oldest idea of all: the
# probability of a whole is a product of probabilities of its parts, each given those before,
#
# $$ p(x_1,\dots,x_T)=\prod_{t=1}^{T}p(x_t\mid x_1,\dots,x_{t-1}) . $$
#
# Nothing is bounded, approximated or inverted here. The likelihood is exact, the loss is its logarithm, and sampling is
# one symbol after another. Shannon did it in 1948 with a book and a pencil, looking one or two letters back. What has
# changed is how far back a model can look, and how much it makes of what it sees. In this problem set you build the
# whole way from a file of text to a model that writes: every piece of it is yours.
#
# | | you will |
# | --- | --- |
# | 1 | cut text into tokens: byte pair encoding, trained on Shakespeare by your own code |
# | 2 | measure a language model, and see what a table of pairs can and cannot do |
# | 3, 4 | build a transformer, then a cache that makes it fast without changing a single answer |
# | 5 | train it: batches, the loss, the schedule, clipping, and AdamW, written out |
# | 6 | sample from it, from too careful to too wild |
# | 7 | fit a law that says how large a model you should train |
# | 8 | hand in your tokenizer and your models; they are judged on text that you do not have |
#
# One idea runs through all questions: **exactness**. A tokenizer must give back the text, byte by byte. A model must
# not look ahead, not even by rounding. A cache may change the speed and nothing else. Code that is a little wrong here
# still writes something like English; so everything is compared with a slow and obvious version of itself.
#
# **Due {{due}}.** You have {{late_hours}} late hours for all sets together, charged by the started hour; after that,
# each hour costs {{percent_per_hour}} % of the set's points. You work alone: talk about ideas, but write every line
# and every derivation yourself. Language models may help you to test your code and to look up functions of a library;
# they may not write answers. [For students]({{mirror}}/blob/{{mirror_ref}}/students.md) tells the rest: Colab and GPUs,
# what counts, how grading works and what it cannot see, and how to ask about a grade.

# %% [markdown] role="text"
# ## Setup
#
# The cell below installs the course's small package `pskit` where it is missing. It needs no other version of
# anything and no restart, and it may be run again at any time, for example after Colab has disconnected. For the full
# runs choose a T4 GPU (Runtime > Change runtime type); with `QUICK = True` two CPU cores are enough.

# %% role="given" id="setup"
def install_pskit(wheel: str, sha256: str, version: str) -> None:
    """Install the course's package where this Python lacks it, and nothing else; say what else is missing."""
    import subprocess
    import sys
    from importlib import invalidate_caches, metadata, util

    def found(package: str) -> str:
        return next((each.version for each in metadata.distributions(name=package)), "")

    if found("pskit") != version and (found("pskit") or util.find_spec("pskit") is None):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"{wheel}#sha256={sha256}"]
        done = subprocess.run(pip, check=False, capture_output=True, text=True)
        if done.returncode:
            print("pskit could not be installed. Is there a network? Run this cell again; if it stays, ask the staff.")
            print(done.stderr)
        invalidate_caches()
    needed = metadata.requires("pskit") or [] if found("pskit") else []
    if missing := " ".join(package for package in needed if not found(package)):
        print(f"This Python lacks {missing}. Run this in a cell of its own, then go on: %pip install {missing}")


install_pskit("{{pskit_wheel}}", "{{pskit_sha256}}", "{{pskit_version}}")

# %% role="given" id="imports"
import heapq
import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pskit import check, data, experiment, figures, pack, points_of, resumable, save_artifact, setup, submit, unpack

# %% [markdown] role="text"
# With `QUICK = True` everything runs on a tenth of the text, which comes with `pskit`: the whole notebook takes a few
# minutes on two CPU cores and needs no network. Use it while you write. Set `QUICK = False` and run the notebook again
# from here when your code works: it downloads the whole text (1 MB, once), and the numbers in the text become yours.
#
# In Colab the machine's files go with the machine. With the further argument `drive="ps4"`, `setup` keeps the
# checkpoints of training runs in your Google Drive, where they survive a disconnect. Nothing here needs Drive.

# %% role="run" id="quick"
QUICK = True
here = setup(seed=0, quick=QUICK, needs_gpu=not QUICK)
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=figures.COLOURS)  # for every kind of colour vision

# %% [markdown] role="text"
# ## Conventions
#
# - **Shapes**: a batch of sequences of tokens is `idx` (B, T), int64. A model returns `logits` (B, T, V), numbers
#   before the softmax: `logits[b, t]` is about the token *after* `idx[b, : t + 1]`. Queries, keys and values are
#   (B, H, T, D) with H heads. Positions count from 0.
# - **Masks** are boolean, `True` where a query may look.
# - **Nats**: logarithms are natural, log-likelihoods and losses are in nats. A training loss is the mean over tokens.
#   Where bits are asked for, the name says so.
# - **Randomness is an argument** (`u`, `us`, `starts`, `generator`). No graded function draws random numbers itself.
# - **Byte pair encoding**: a token is a `bytes`, a pair is a tuple of two. Of the pairs with the highest count, the
#   lexicographically **greatest** is merged: `max(tied)`, as Python compares tuples of `bytes`.
# - **Nucleus sampling** keeps the *smallest* set of most probable tokens whose mass is *at least* p: the token that
#   crosses p is kept.
# - **Devices**: networks are float32 on `here.device`; ids are int64, on the CPU until a batch is cut. A graded
#   function works on whatever device and dtype its inputs have: write `torch.zeros_like(x)`, not
#   `torch.zeros(3).cuda()`.
#
# A cell that you have to complete raises `NotImplementedError("Question 1a: ...")` until you do. Replace that line,
# keep the names and arguments, and add helpers wherever you like. The cell below it runs *public checks* and says in
# words what holds; cells that train or draw wait until what they need is written. Written answers go into the cells
# that say so, in Markdown with LaTeX.

# %% [markdown] role="text"
# ## Data
#
# Lines of several plays of Shakespeare (Karpathy's *tiny Shakespeare*, 2015), 1,115,394 characters, of which 65 are
# different. The last tenth is for validation. You will read the text in two ways: as tokens of your own tokenizer, and,
# where a small alphabet is simpler, character by character. The two functions below do the latter.


# %% role="given" id="characters"
# the alphabet of the whole text, also where QUICK reads a part of it: every model has the same one
chars = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def encode_chars(s: str) -> Tensor:
    """The numbers (N,) int64 of the characters of s in `chars`; a KeyError names one that is not there."""
    number = {ch: i for i, ch in enumerate(chars)}
    return torch.tensor([number[ch] for ch in s], dtype=torch.int64)


def decode_chars(ids: Tensor | list[int]) -> str:
    """The text of the numbers (N,)."""
    return "".join(chars[int(i)] for i in ids)


# %% role="run" id="data"
with experiment("data"):
    text = data.shakespeare()
    text_train, text_val = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    ids_train, ids_val = encode_chars(text_train), encode_chars(text_val)  # (N,) int64, on the CPU
    print(f"{len(text_train):,} characters for training, {len(text_val):,} for validation, {len(chars)} different\n")
    print(text_val.partition("\n\n")[2].partition("\n\n")[2][:420])

# %% [markdown] role="text"
# **Look.** Names in capitals, a colon, a line break: the first thing a model learns is that a play has this form. Cover
# the end of a line with your hand and guess its last word. Which letters are you sure of? A good model is sure of the
# same.
#
# ### Training that survives
#
# Training cells show their progress and save a checkpoint at least every minute. Interrupt them, or lose the
# connection, and run the cell again: they go on where they stopped. A checkpoint is a flat dict of tensors; `pack` and
# `unpack` turn networks and optimizers into one and back.
#
# A checkpoint belongs to what made it. Mend an answer or one of its helpers, change a learning rate or the size of a
# network, and the training starts again by itself. It does not see a seed, the data, or a loop that stands in its cell
# outside of any function. If you change one of those, or want a fresh start, delete the file that the cell names, and
# run the cell again.
