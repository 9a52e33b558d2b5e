"""Time problem set 4's reference tokenizer against a plain-Python peer and against libraries in Rust.

    python benchmarks/bpe.py [--merges 1000] [--few 20]

The peer is the educational byte-pair encoder that tiktoken carries; it goes through the whole text for each merge, so
it gets few merges, and ours is timed at as many. tiktoken encodes with our vocabulary. `tokenizers` trains where it is
installed. The text is tiny Shakespeare where `PSKIT_DATA` names a folder that holds it, else the tenth of it that comes
with pskit. All run on one core.
"""

import argparse
import os
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import tiktoken
from machine import machine, timed
from reference import definitions
from tiktoken._educational import SimpleBytePairEncoding, bpe_train

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def of_tokenizers(text: str, vocab_size: int) -> float | None:
    """Seconds of the tokenizers library for the same vocabulary size; None where it is not installed."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError:
        return None
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
    return timed(lambda: tokenizer.train_from_iterator([text], trainer))[1]


def training(text: str, train: Callable[..., Any], merges: int, few: int) -> tuple[dict[int, bytes], list[Any]]:
    """Print what training takes; the vocabulary and the merges of ours."""
    _, ours_few = timed(lambda: train(text, 256 + few))
    _, peer = timed(lambda: bpe_train(text, 256 + few, GPT2, visualise=None))
    print(f"{few} merges: ours {ours_few:.2f} s, the peer {peer:.2f} s; ours is {peer / ours_few:.1f} times as fast")
    trained, ours = timed(lambda: train(text, 256 + merges))
    library = of_tokenizers(text, 256 + merges)
    said = f"tokenizers {library:.2f} s; ours takes {ours / library:.1f} times as long" if library else "no tokenizers"
    print(f"{merges} merges: ours {ours:.2f} s, {said}")
    return trained


def encoding(text: str, tokenizer: Any) -> None:
    """Print how fast the text is encoded, by a fresh tokenizer without any memory of words."""
    ranks = {token: i for i, token in tokenizer.vocab.items()}
    library = tiktoken.Encoding("ours", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
    peer = SimpleBytePairEncoding(pat_str=GPT2, mergeable_ranks=ranks)
    part = text[: len(text) // 10]
    (ids, ours), (theirs, rust) = timed(lambda: tokenizer.encode(text)), timed(lambda: library.encode_ordinary(text))
    slow, plain = timed(lambda: peer.encode(part, visualise=None))
    rate, peers = len(text) / ours / 1e6, len(part) / plain / 1e6
    print(f"encoding: ours {rate:.2f} MB/s, the peer {peers:.2f} MB/s; ours is {rate / peers:.1f} times as fast")
    print(f"encoding: tiktoken {len(text) / rust / 1e6:.2f} MB/s; ours takes {ours / rust:.1f} times as long")
    print(f"the same ids: {ids == theirs and ids[: len(slow) // 2] == slow[: len(slow) // 2]}")


def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--merges", type=int, default=1000)
    parser.add_argument("--few", type=int, default=20)
    asked = parser.parse_args()
    book = definitions("ps4", "q1_tokenizer")
    text = book.data.shakespeare()
    libraries = ("tiktoken", "tokenizers") if find_spec("tokenizers") else ("tiktoken",)
    print(machine(*libraries))
    print(f"a text of {len(text):,} characters")
    encoding(text, book.Tokenizer(*training(text, book.train_bpe, asked.merges, asked.few)))


if __name__ == "__main__":
    main()
