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
from functools import partial
from importlib.util import find_spec
from typing import Any

import tiktoken
from machine import machine
from reference import definitions
from tiktoken._educational import SimpleBytePairEncoding, bpe_train
from times import in_turn

GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def library_training(text: str, vocab_size: int) -> Callable[[], Any] | None:
    """Training by the tokenizers library to the same vocabulary size; None where it is not installed."""
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError:
        return None
    alphabet = pre_tokenizers.ByteLevel.alphabet()

    def train() -> None:
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=alphabet, show_progress=False)
        tokenizer.train_from_iterator([text], trainer)

    return train


def training(text: str, train: Callable[..., Any], merges: int, few: int) -> tuple[dict[int, bytes], list[Any]]:
    """Print what training takes; the vocabulary and the merges of ours."""
    peer = partial(bpe_train, text, 256 + few, GPT2, visualise=None)
    _, took = in_turn({"ours": partial(train, text, 256 + few), "peer": peer})
    ratio = took["peer"].median / took["ours"].median
    print(f"{few} merges: ours {took['ours']}, the peer {took['peer']}; ours is {ratio:.1f} times as fast")
    works = {"ours": partial(train, text, 256 + merges)}
    if library := library_training(text, 256 + merges):
        works["tokenizers"] = library
    results, took = in_turn(works)
    said = "no tokenizers"
    if library:
        ratio = took["ours"].median / took["tokenizers"].median
        said = f"tokenizers {took['tokenizers']}; ours takes {ratio:.1f} times as long"
    print(f"{merges} merges: ours {took['ours']}, {said}")
    trained: tuple[dict[int, bytes], list[Any]] = results["ours"]
    return trained


def encoding(text: str, vocab: dict[int, bytes], fresh: Callable[[], Any]) -> None:
    """Print how fast the text is encoded, by fresh tokenizers without any memory of words."""
    ranks = {token: i for i, token in vocab.items()}
    library = tiktoken.Encoding("ours", pat_str=GPT2, mergeable_ranks=ranks, special_tokens={})
    peer, part = SimpleBytePairEncoding(pat_str=GPT2, mergeable_ranks=ranks), text[: len(text) // 10]
    ids, took = in_turn(
        {
            "ours": lambda: fresh().encode(text),
            "tiktoken": lambda: library.encode_ordinary(text),
            "peer": lambda: peer.encode(part, visualise=None),
        }
    )
    ours, rust, plain = (took[name] for name in ("ours", "tiktoken", "peer"))
    rate, peers = len(text) / ours.median / 1e6, len(part) / plain.median / 1e6
    print(f"encoding: ours {ours}, {rate:.2f} MB/s; the peer {peers:.2f} MB/s; {rate / peers:.1f} times as fast")
    print(f"encoding: tiktoken {rust}; ours takes {ours.median / rust.median:.1f} times as long")
    some = len(ids["peer"]) // 2
    print(f"the same ids: {ids['ours'] == ids['tiktoken'] and ids['ours'][:some] == ids['peer'][:some]}")


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
    trained = training(text, book.train_bpe, asked.merges, asked.few)
    encoding(text, trained[0], lambda: book.Tokenizer(*trained))


if __name__ == "__main__":
    main()
