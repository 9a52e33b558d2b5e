"""Byte pair encoding done slowly and obviously, to compare with: cut character by character, recounted for each merge.

Nothing here uses regular expressions or remembers anything; ids play no part.
"""

from collections import Counter
from itertools import pairwise

Pair = tuple[bytes, bytes]
ENDINGS = ("'s", "'d", "'m", "'t", "'ll", "'ve", "'re")


def kind(ch: str) -> str:
    """What a character is to the pattern."""
    if ch.isspace():
        return "space"
    if ch.isdecimal():
        return "digit"
    return "letter" if ch.isalnum() else "sign"


def first_piece(text: str) -> str:
    """The piece at the beginning of a text without special tokens."""
    for ending in ENDINGS:
        if text.startswith(ending):
            return ending
    run = 1 if text.startswith(" ") and len(text) > 1 and kind(text[1]) != "space" else 0
    end = run
    while end < len(text) and kind(text[end]) == kind(text[run]):
        end += 1
    if kind(text[run]) == "space" and end < len(text) and end > 1:
        end -= 1  # the last space belongs to what follows
    return text[:end]


def pieces(text: str, special: list[str] = ()) -> list[str]:
    """The pieces of text, special tokens whole."""
    found, plain, i = [], "", 0
    while i < len(text):
        here = max((token for token in special if text.startswith(token, i)), key=len, default="")
        if here:
            found += [*plain_pieces(plain), here]
            plain = ""
        else:
            plain += text[i]
        i += len(here) or 1
    return [*found, *plain_pieces(plain)]


def plain_pieces(text: str) -> list[str]:
    """The pieces of a text without special tokens."""
    found = []
    while text:
        found.append(first_piece(text))
        text = text[len(found[-1]) :]
    return found


def merged(tokens: list[bytes], pair: Pair) -> list[bytes]:
    """The tokens with every occurrence of the pair put together, from left to right."""
    done: list[bytes] = []
    while tokens:
        width = 2 if tuple(tokens[:2]) == pair else 1
        done, tokens = [*done, b"".join(tokens[:width])], tokens[width:]
    return done


def single_bytes(piece: str) -> list[bytes]:
    """The bytes of a piece, one token each."""
    return [bytes([byte]) for byte in piece.encode()]


def train(text: str, n_merges: int, special: list[str] = ()) -> list[Pair]:
    """The first merges, by recounting everything for each of them."""
    words = [single_bytes(piece) for piece in pieces(text, special) if piece not in special]
    merges: list[Pair] = []
    while len(merges) < n_merges:
        number = Counter(pair for word in words for pair in pairwise(word))
        if not number:
            break
        merges.append(max(number, key=lambda pair: (number[pair], pair)))
        words = [merged(word, merges[-1]) for word in words]
    return merges


def encode(text: str, merges: list[Pair], special: list[str] = ()) -> list[bytes]:
    """The tokens of text, as bytes: every merge in the order of training, in each piece."""
    tokens: list[bytes] = []
    for piece in pieces(text, special):
        word = [piece.encode()] if piece in special else single_bytes(piece)
        for pair in merges if piece not in special else []:
            word = merged(word, pair)
        tokens += word
    return tokens
