"""Hidden tests of question 8: a GPT, a tokenizer and five sizes, judged on plays that nobody trained on.

The plays and where they are from: `data/README.md` here. How the thresholds were chosen: the README of the reference
artifacts. What is asked of the worker, and what that does not protect against: `handed_in.py`.
"""

from itertools import pairwise

from autograder.hidden.ps4_language_models.handed_in import (
    expect_no_peeking,
    hidden_text,
    nats_per_character,
    parameters_of,
    sizes_of,
)
from autograder.hidden.ps4_language_models.saved_tokenizer import SavedTokenizer
from autograder.testing import expect_true, points

GPT, TOKENIZER, SCALING = (f"ps4_{name}.safetensors" for name in ("gpt", "tokenizer", "scaling"))
NATS_HALF, NATS_FULL = 1.95, 1.80  # per character
RATIO_HALF, RATIO_FULL = 2.10, 2.37  # bytes per token
RUNS_FULL = 2.1  # nats per character of the largest of five
SPAN, LARGEST = 50, 1_000_000


@points(1, part="8a", hint="your own GPT, packed by gpt_tensors and read by read_gpt; each logit knows only the past")
def test_the_file_is_a_gpt_that_does_not_look_ahead(ps, rng):
    """The file is read into your GPT, has at most 11 million parameters, and no logit changes with later characters."""
    tensors = ps.artifact(GPT)
    sizes_of(tensors)
    expect_no_peeking(ps, tensors, rng)


@points(2, part="8a", hint="the whole text, a context of 64 characters or more, and the loss of question 5", timeout=90)
def test_hidden_plays_are_expected(ps):
    """Plays that nobody trained on cost your GPT at most 1.95 nats per character."""
    nats = nats_per_character(ps, ps.artifact(GPT), most=NATS_HALF)
    ps.measure("nats per hidden character", nats, best="lowest")
    expect_true(nats <= NATS_HALF, "the surprise at hidden text is too large: was it trained with QUICK = False?")


@points(3, part="8a", hint="half of the notebook's full training gets there", timeout=90)
def test_hidden_plays_are_well_expected(ps):
    """Plays that nobody trained on cost your GPT at most 1.80 nats per character."""
    nats = nats_per_character(ps, ps.artifact(GPT), most=NATS_FULL)
    expect_true(nats <= NATS_FULL, "good, but hidden text can be expected better: a longer training, a larger model")


@points(1, part="8b", hint="256 bytes, and merges of tokens that are there, in their order")
def test_the_tokenizer_shortens_hidden_text(ps):
    """The file holds a byte-level vocabulary with merges, and a token stands for 2.1 bytes of hidden text or more."""
    ratio = SavedTokenizer(ps.artifact(TOKENIZER)).bytes_per_token(hidden_text())
    ps.measure("bytes per hidden token", ratio)
    expect_true(ratio >= RATIO_HALF, "too many tokens for the hidden text: more merges, in the order of training")


@points(1, part="8b", hint="a thousand merges, trained on the whole training text")
def test_the_tokenizer_knows_the_words(ps):
    """Its merges are those of much text: a token stands for 2.37 bytes of hidden text or more."""
    ratio = SavedTokenizer(ps.artifact(TOKENIZER)).bytes_per_token(hidden_text())
    expect_true(ratio >= RATIO_FULL, "shorter, but merges of the whole training text shorten hidden text more")


def five_losses(ps):
    """The surprises of the five models at hidden text, from the smallest on, with their numbers of parameters."""
    tensors = ps.artifact(SCALING)
    found = []
    for i in range(5):
        numbers = parameters_of(sizes_of(tensors, f"{i}."))
        expect_true(numbers <= LARGEST, "each of the five models has at most 1 million parameters")
        found.append((numbers, nats_per_character(ps, tensors, f"{i}.", count=32)))
    return sorted(found)


def expect_falling(found):
    """More parameters, less surprise, over a wide range."""
    expect_true(
        found[-1][0] >= SPAN * found[0][0], "the largest model has at least 50 times the smallest one's parameters"
    )
    losses = [nats for _, nats in found]
    falls = all(small > large for small, large in pairwise(losses))
    expect_true(falls, "a model with more parameters is surprised less, if all have read the same and enough of it")


@points(1, part="8c", hint="five models from small to large, trained on the same windows", timeout=60)
def test_more_parameters_are_surprised_less(ps):
    """The surprise at hidden text falls with every step from the smallest of the five models to the largest."""
    expect_falling(five_losses(ps))


@points(1, part="8c", hint="the full run of question 7", timeout=60)
def test_the_largest_of_five_has_learnt(ps):
    """The surprise falls with the size, and the largest model is surprised by at most 2.1 nats per character."""
    found = five_losses(ps)
    expect_falling(found)
    expect_true(found[-1][1] <= RUNS_FULL, "the largest model has hardly begun to learn: run question 7 in full mode")
