"""Problem set 4, question 1: properties of the reference tokenizer on generated cases, and agreement with tiktoken.

The oracles are the slow trainer and encoder of the hidden tests, and a library that shares nothing with either.
"""

import itertools
import string
import time
import tracemalloc
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.course import load_course
from autograder.hidden.ps4_language_models import slow_bpe
from autograder.source import definitions
from pskit.data.text import BUNDLED

SOURCES = load_course().root / "solutions" / "ps4_language_models"
END = "<|endoftext|>"


@cache
def notebook() -> SimpleNamespace:
    """The definitions of the solved notebook up to question 1."""
    return SimpleNamespace(**definitions(SOURCES, ("intro", "q1_tokenizer")))


@cache
def shakespeare(n_merges: int = 400) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """A vocabulary that was trained on the small text."""
    return notebook().train_bpe(BUNDLED.read_text(encoding="utf-8"), 257 + n_merges, [END])  # type: ignore[no-any-return]


def tokenizer(special: list[str]) -> Any:
    """Shakespeare's tokenizer with these special tokens."""
    vocab, merges = shakespeare()
    names = [name.encode() for name in special]
    tokens = [token for token in vocab.values() if token not in names]
    return notebook().Tokenizer(dict(enumerate(tokens + names)), merges, special)


# a few letters that make pieces, endings and overlaps likely, and anything at all
CLOSE = st.text(alphabet="als'v \n<|>.1_é日", max_size=40)
ANY = st.text(max_size=40)
TEXT = st.one_of(CLOSE, ANY, st.builds("".join, st.lists(st.one_of(CLOSE, ANY, st.just(END)), max_size=5)))
SPECIAL = st.lists(st.one_of(st.just(END), st.text(alphabet="<|>a' ", min_size=1, max_size=6)), max_size=4, unique=True)


@settings(deadline=None)
@given(TEXT, SPECIAL)
def test_pieces_join_to_the_text_and_equal_those_found_by_characters(text: str, special: list[str]) -> None:
    got = notebook().pretokenize(text, special)
    assert "".join(got) == text
    assert got == slow_bpe.pieces(text, special)


@settings(deadline=None)
@given(TEXT, SPECIAL)
def test_decoding_after_encoding_is_the_identity(text: str, special: list[str]) -> None:
    own = tokenizer(special)
    ids = own.encode(text)
    assert own.decode(ids) == text
    assert [own.vocab[i] for i in ids] == slow_bpe.encode(text, own.merges, special)


@settings(deadline=None)
@given(TEXT, SPECIAL, st.data())
def test_a_stream_equals_the_whole_however_it_is_cut(text: str, special: list[str], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    chunks = [text[a:b] for a, b in itertools.pairwise([0, *cuts, len(text)])]
    own = tokenizer(special)
    assert list(own.encode_iterable(iter(chunks))) == own.encode(text)
    assert list(own.encode_iterable(iter(text))) == own.encode(text)


@settings(deadline=None)
@given(st.lists(st.text(alphabet="abé'", min_size=1, max_size=9), max_size=12), st.integers(0, 20))
def test_training_equals_recounting(words: list[str], n_merges: int) -> None:
    text = " ".join(words) + END + "\n".join(words)
    vocab, merges = notebook().train_bpe(text, 257 + n_merges, [END])
    assert merges == slow_bpe.train(text, n_merges, [END])
    assert sorted(vocab.values()) == sorted([*(bytes([b]) for b in range(256)), END.encode(), *map(b"".join, merges)])


@settings(deadline=None)
@given(st.lists(st.text(alphabet="aab", max_size=30), max_size=6))
def test_no_token_is_made_twice(words: list[str]) -> None:
    """The text says that ids are those of the vocabulary: tokens must tell ids apart."""
    vocab, _ = notebook().train_bpe(" ".join(words), 320)
    assert len(set(vocab.values())) == len(vocab)


# \p{N} of other libraries has more than decimal digits, their \s no separators of files, and their Unicode is newer
KNOWN_TO_BOTH = st.text(
    alphabet=st.characters(exclude_categories=["No", "Nl", "Cs", "Cn", "Co", "Cc"], include_characters="\n\t\r"),
    max_size=60,
)


@settings(deadline=None)
@given(st.builds("".join, st.lists(st.one_of(KNOWN_TO_BOTH, CLOSE, st.just(END)), max_size=4)))
def test_ids_equal_those_of_tiktoken(text: str) -> None:
    other = tiktoken_of(END)
    assert notebook().Tokenizer(*shakespeare(), [END]).encode(text) == other.encode(text, allowed_special="all")


@cache
def tiktoken_of(special: str) -> Any:
    """The library with our vocabulary and GPT-2's pattern in its own notation."""
    tiktoken = pytest.importorskip("tiktoken", reason="a newer requirement than this environment")
    vocab, _ = shakespeare()
    return tiktoken.Encoding(
        "shakespeare",
        pat_str=r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        mergeable_ranks={token: i for i, token in vocab.items() if token != special.encode()},
        special_tokens={special: next(i for i, token in vocab.items() if token == special.encode())},
    )


def test_shakespeare_has_the_ids_of_tiktoken() -> None:
    text = BUNDLED.read_text(encoding="utf-8")
    assert notebook().Tokenizer(*shakespeare(), [END]).encode(text) == tiktoken_of(END).encode(text)


def test_first_merges_of_shakespeare_equal_recounting() -> None:
    text = BUNDLED.read_text(encoding="utf-8")[:8_000]
    assert notebook().train_bpe(text, 256 + 30)[1] == slow_bpe.train(text, 30)


def test_a_thousand_merges_take_seconds() -> None:
    start = time.process_time()
    assert len(shakespeare(1000)[1]) == 1000
    assert time.process_time() - start < 30, "a runaway: the whole text takes a few seconds"


def test_a_stream_needs_no_more_memory_than_a_chunk_and_the_words_it_knows() -> None:
    own = tokenizer([END])
    lines = BUNDLED.read_text(encoding="utf-8").splitlines(keepends=True)[:800]
    once = len(own.encode("".join(lines)))  # from here on every word is known
    tracemalloc.start()
    n = sum(1 for _ in own.encode_iterable(itertools.chain.from_iterable(itertools.repeat(lines, 12))))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert abs(n - 12 * once) <= 24
    assert peak < 60_000, "the stream has 300,000 characters"


@settings(deadline=None, max_examples=30)
@given(st.text(alphabet=string.ascii_lowercase, min_size=1), st.integers(1, 5))
def test_slow_oracle_cuts_words_as_people_do(word: str, spaces: int) -> None:
    """The oracle itself, by hand."""
    text = f"{word}{' ' * spaces}{word}"
    assert slow_bpe.pieces(text) == [word, *([" " * (spaces - 1)] if spaces > 1 else []), " " + word]
