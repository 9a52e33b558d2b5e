"""Question 1. Oracles: byte pair encoding done slowly (slow_bpe.py), examples by hand, and decoding after encoding.

Texts are drawn from small alphabets, in which pairs are often equally frequent and often overlap. Vocabularies are
given to the tokenizer with shuffled ids.
"""

from itertools import pairwise

import numpy as np

from autograder.hidden.ps4_language_models import slow_bpe
from autograder.testing import expect_equal, expect_true, points

END, DOT = "<|endoftext|>", "[.*]"  # the second would mean something in a pattern
SPECIAL = [END, DOT, "<| a \n|>", "<|a|>", "<|a|><|a|>"]
STRANGE = [
    "",
    "\x00",
    "🙂👩‍🚀",
    "naïve façade\r\n",
    "日本語 テキスト",
    "\ufeffx\u200d",
    "   \n\t ",
    "½²٣ _a_",
    "'ll'Ll''s x'",
]
ENGLISH = "It's said we'll meet  at 10:45, or\nnot at all...  Who'd've thought?\n\n\n  \"Aye\" x_1=2; they're   late "


def good_pretokenize(text, special=()):
    """Known-good pieces, in the worker: special tokens whole, the longest first."""
    import re

    pattern = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+")
    tokens = sorted(special, key=len, reverse=True)
    if not tokens:
        return pattern.findall(text)
    found = []
    for i, part in enumerate(re.split("(" + "|".join(re.escape(token) for token in tokens) + ")", text)):
        found.extend([part] if i % 2 else pattern.findall(part))
    return found


def letters(rng, n, alphabet="abc"):
    """n letters, some likelier than others."""
    weights = rng.dirichlet(np.full(len(alphabet), 2.0))
    return "".join(rng.choice(list(alphabet), size=n, p=weights))


def prose(rng, n_words, alphabet="abé", special=()):
    """Words of a few letters from a small lexicon, of very different frequencies, with signs between them."""
    lexicon = [letters(rng, int(rng.integers(1, 7)), alphabet) for _ in range(8)]
    weights = rng.dirichlet(np.full(8, 0.5))
    gaps = [" ", " ", " ", " ", "  ", "\n", ", ", "'s ", "\n\n ", "12", *special]
    return "".join(rng.choice(lexicon, p=weights) + rng.choice(gaps) for _ in range(n_words))


def shuffled(rng, merges, special=()):
    """A vocabulary of these merges with ids in no order."""
    tokens = [*(bytes([b]) for b in range(256)), *(a + b for a, b in merges), *(each.encode() for each in special)]
    return {int(i): token for i, token in zip(rng.permutation(len(tokens)), tokens, strict=True)}


# 1a


@points(1, part="1a", hint="the pattern finds the pieces, all of them, in order; joined, they are the text")
def test_pieces_are_those_of_the_pattern_and_lose_nothing(ps, rng):
    """Without special tokens the pieces are what the pattern finds: any text in any script, none of it lost."""
    for text in [ENGLISH, *STRANGE, prose(rng, 40, "ab0'_ \n"), letters(rng, 60, "l's \n.é1")]:
        got = ps.pretokenize(text)
        expect_equal(got, slow_bpe.pieces(text))
        expect_equal("".join(got), text, "nothing of the text is lost")
        expect_equal(ps.pretokenize(text, []), got, "an empty list names no special tokens")


@points(1, part="1a", hint="special tokens are whole pieces wherever they stand, signs and all, the longest first")
def test_special_tokens_are_whole_and_the_longest_wins(ps, rng):
    """Named special tokens are pieces of their own, whatever signs they contain; the longest that fits counts."""
    by_hand = f"go{END}{END} on<|a|><|a|><|a|>[.*][xy] <|a|"
    want = ["go", END, END, " on", "<|a|><|a|>", "<|a|>", DOT, "[", "xy", "]", " <|", "a", "|"]
    for names in (SPECIAL, SPECIAL[::-1], sorted(SPECIAL)):
        expect_equal(ps.pretokenize(by_hand, names), want)
    want = ["ab", "ab", "bab", "x"]
    expect_equal(ps.pretokenize("ababbabx", ["ab", "bab"]), want, "special tokens are found from left to right")
    for names in ([END], ["<|a|>"], [DOT, END], SPECIAL, ["a", "ab", "bab"]):
        text = prose(rng, 40, special=SPECIAL) + "  " + END
        expect_equal(ps.pretokenize(text, names), slow_bpe.pieces(text, names))


# 1b


def learnt(ps, text, n_merges, special=()):
    """The student's vocabulary and merges, of the types that were asked for."""
    got = ps.train_bpe(text, 256 + len(special) + n_merges, list(special))
    expect_true(isinstance(got, tuple | list) and len(got) == 2, "return the vocabulary and the merges")
    vocab, merges = got
    expect_true(isinstance(vocab, dict), "the vocabulary is a dict from ids to bytes")
    pairs = isinstance(merges, list) and all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in merges)
    expect_true(pairs, "the merges are a list of pairs of bytes")
    return vocab, [tuple(pair) for pair in merges]


@points(1, part="1b", hint="count at every position: in aaa the pair (a, a) occurs twice; merge from left to right")
def test_repeated_letters_are_counted_at_every_position(ps, rng):
    """aaabdaaabac, and words in which one letter comes many times in a row."""
    ps.provide(pretokenize=good_pretokenize)
    by_hand = [(b"a", b"a"), (b"aa", b"a"), (b"aaa", b"b")]
    expect_equal(learnt(ps, "aaabdaaabac", 3)[1], by_hand)
    expect_equal(learnt(ps, "aaa zz", 1)[1], [(b"a", b"a")])
    for _ in range(6):
        runs = " ".join("".join(ch * int(rng.integers(1, 6)) for ch in letters(rng, 3, "xy")) for _ in range(5))
        expect_equal(learnt(ps, runs, 9)[1], slow_bpe.train(runs, 9))


@points(1, part="1b", hint="after each merge all counts are those of the merged pieces; compare with recounting")
def test_merges_equal_those_of_a_slow_trainer(ps, rng):
    """On random texts, the merges and their order are those of a trainer that recounts everything every time."""
    ps.provide(pretokenize=good_pretokenize)
    for alphabet in ("ab", "abc", "abcdefgh", "aé日"):
        text = " ".join(letters(rng, int(rng.integers(1, 12)), alphabet) for _ in range(40))
        expect_equal(learnt(ps, text, 25)[1], slow_bpe.train(text, 25))


@points(
    1, part="1b", hint="of equally frequent pairs max(tied): tuples of bytes, first token first, as Python compares"
)
def test_ties_go_to_the_greatest_pair_of_byte_strings(ps, rng):
    """Where every pair is equally frequent, pairs are merged from the greatest down, compared as tuples of bytes."""
    ps.provide(pretokenize=good_pretokenize)
    for text in ("ab\ncd\nef\nda", "z\u00e9\naz\n\u65e5a", "BC\nbc\nzA", "\x7fa\n\u0101b\nzz"):
        expect_equal(learnt(ps, text, 4)[1], slow_bpe.train(text, 4))
    # (ab, z) is greater than (a, zz), although azz is greater than abz
    words = ["abz", "ab", "azz", "zz", "zz", "ab"]
    expect_equal(learnt(ps, "\n".join(words), 4)[1], slow_bpe.train("\n".join(words), 4))
    for _ in range(4):
        text = "\n".join(letters(rng, 4, "abcdé") for _ in range(6))
        expect_equal(learnt(ps, text, 12)[1], slow_bpe.train(text, 12))


@points(1, part="1b", hint="pairs live inside a piece, and a piece that occurs 90 times counts 90 times")
def test_pieces_are_counted_as_often_as_they_occur_and_never_joined(ps, rng):
    """Frequent words count more than rare ones, and no pair reaches from one piece into the next."""
    ps.provide(pretokenize=good_pretokenize)
    often = "pqr pqs pqt" + " xy" * 4  # four words in the text, and one piece for a set
    expect_equal(learnt(ps, often, 2)[1], [(b"x", b"y"), (b" ", b"xy")])
    for _ in range(3):
        text = prose(rng, 60)
        expect_equal(learnt(ps, text, 20)[1], slow_bpe.train(text, 20))


@points(1, part="1b", hint="take special tokens out before counting; what stands before and after them never meets")
def test_special_tokens_take_no_part_in_training(ps, rng):
    """Special tokens are not counted, not cut, and separate what stands around them."""
    ps.provide(pretokenize=good_pretokenize)
    for special in ([END], ["<|a|>", "<|a|><|a|>"], SPECIAL):
        text = prose(rng, 50, special=special * 3) + f"ab{special[-1]}ab" * 20
        expect_equal(learnt(ps, text, 15, special)[1], slow_bpe.train(text, 15, special))


@points(
    1, part="1b", hint="256 bytes, the special tokens, one token for each merge; ids from 0; stop when no pair is left"
)
def test_vocabulary_is_complete_and_not_larger_than_asked(ps, rng):
    """Ids are 0 to n - 1 in any layout, for bytes, special tokens and merged tokens; short texts end training early."""
    ps.provide(pretokenize=good_pretokenize)
    for text, n_merges, special in (
        (prose(rng, 30), 12, [END]),
        ("aaa b", 50, []),
        ("", 3, SPECIAL),
        ("ab", 0, [DOT]),
        ("abab", -2, [DOT]),
    ):
        vocab, merges = learnt(ps, text, n_merges, special)
        expect_equal(sorted(vocab), list(range(256 + len(special) + len(merges))), "the ids are 0, 1, 2, ...")
        want = [*(bytes([b]) for b in range(256)), *(each.encode() for each in special), *(a + b for a, b in merges)]
        expect_true(sorted(vocab.values()) == sorted(want), "bytes, special tokens and merged tokens, each once")
        expect_equal(len(merges), len(slow_bpe.train(text, n_merges, special)), "as many merges as there is room for")


# 1c


def encoded(ps, vocab, merges, special, text):
    """What the student's tokenizer makes of text, as tokens."""
    ids = ps.Tokenizer(vocab, merges, special).encode(text)
    expect_true(isinstance(ids, list), "encode returns a list of ids")
    expect_true(all(i in vocab for i in ids), "every id is one of the vocabulary's")
    return [vocab[i] for i in ids]


@points(
    2, part="1c", hint="in each piece, the pair that was learnt first is merged first, everywhere, until none is left"
)
def test_merges_are_applied_in_the_order_of_training(ps, rng):
    """The tokens of a text are those that applying every merge in the order of training gives, piece by piece."""
    ps.provide(pretokenize=good_pretokenize)
    for alphabet, n_merges in (("ab", 12), ("abc", 30), ("aé日'", 25), ("ab c", 20)):
        merges = slow_bpe.train(prose(rng, 80, alphabet), n_merges)
        vocab = shuffled(rng, merges)
        for text in (letters(rng, 50, alphabet), prose(rng, 30, alphabet), "aaaaaaa", "b"):
            expect_equal(encoded(ps, vocab, merges, [], text), slow_bpe.encode(text, merges))
    order = [(b"a", b"b"), (b"c", b"d"), (b"ab", b"c"), (b"d", b"e")]  # the third never comes before the second
    expect_equal(encoded(ps, shuffled(rng, order), order, [], "abcd abce"), slow_bpe.encode("abcd abce", order))
    across = [(b"e", b" "), (b"a", b"b"), (b"1", b"a")]  # no training makes the first and the last of these
    expect_equal(encoded(ps, shuffled(rng, across), across, [], "e ab 1ab"), slow_bpe.encode("e ab 1ab", across))


@points(1, part="1c", hint="join all bytes first, then read them as UTF-8; bytes that are no text are replaced")
def test_bytes_are_joined_before_they_are_read(ps, rng):
    """Characters that are spread over several tokens come back, and bytes that are no UTF-8 are replaced."""
    merges = [(b"\x9f", b"\x99"), (b"a", b"\xc3")]
    vocab = shuffled(rng, merges, [END])
    ids = {token: i for i, token in vocab.items()}
    cases = [
        [b"\xf0", b"\x9f\x99", b"\x82"],
        [b"a\xc3", b"\xa9"],
        [b"a\xc3"],
        [b"\xff", b"b", b"\x82"],
        [END.encode()],
        [],
    ]
    cases += [[bytes([int(b)]) for b in rng.integers(0, 256, size=9)] for _ in range(3)]
    for tokens in cases:
        got = ps.Tokenizer(vocab, merges, [END]).decode([ids[token] for token in tokens])
        expect_equal(got, b"".join(tokens).decode("utf-8", errors="replace"))


@points(1, part="1c", hint="decode after encode gives back every text: other scripts, NUL, white space, nothing at all")
def test_every_text_comes_back(ps, rng):
    """Decoding after encoding is the identity: emoji, NUL, line ends, no text, random characters, special tokens."""
    ps.provide(pretokenize=good_pretokenize)
    merges = slow_bpe.train(prose(rng, 60, "aé日") + ENGLISH, 40)
    vocab = shuffled(rng, merges, SPECIAL)
    anything = "".join(chr(int(c)) for c in rng.choice([*range(0xD800), *range(0xE000, 0x110000)], size=60))
    for text in [*STRANGE, ENGLISH, anything, prose(rng, 30, special=SPECIAL)]:
        for special in (SPECIAL, []):
            got = encoded(ps, vocab, merges, special, text)
            expect_equal(got, slow_bpe.encode(text, merges, special))
            tokenizer = ps.Tokenizer(vocab, merges, special)
            expect_equal(tokenizer.decode(tokenizer.encode(text)), text, "decoding gives the text back")


@points(1, part="1c", hint="a named special token is one id, wherever it stands; one that is not named is only text")
def test_special_tokens_become_one_id_each(ps, rng):
    """Named special tokens are one id each, the longest first, also without text; without being named they are text."""
    ps.provide(pretokenize=good_pretokenize)
    merges = slow_bpe.train("<|a|> endoftext of the text" * 3, 30)
    vocab = shuffled(rng, merges, SPECIAL)
    for special in (SPECIAL, [END], [DOT, "<|a|>"], []):
        for text in (END, f"the{END}{END} text", "<|a|><|a|><|a|>[.*]", prose(rng, 20, special=SPECIAL)):
            expect_equal(encoded(ps, vocab, merges, special, text), slow_bpe.encode(text, merges, special))


def probe_stream(ns, vocab, merges, special, chunks):
    """All ids of a stream of chunks."""
    return list(ns.Tokenizer(vocab, merges, special).encode_iterable(iter(chunks)))


@points(
    1, part="1c", hint="pieces and special tokens may be cut by the end of a chunk; wait until nothing can change them"
)
def test_streams_equal_the_whole_however_they_are_cut(ps, rng):
    """The ids of a stream are those of the joined text, for chunks of any length, also empty ones."""
    ps.provide(pretokenize=good_pretokenize)
    text = f"we'll{END}it's  \n\n  so {DOT}<|a|><|a|><|a|>b<| a \n|> "
    text += prose(rng, 25, "aél'", SPECIAL) + ENGLISH + "<|a"
    merges = slow_bpe.train(text, 40, SPECIAL)
    vocab = shuffled(rng, merges, SPECIAL)
    ids = {token: i for i, token in vocab.items()}
    for special in (SPECIAL, []):
        want = [ids[token] for token in slow_bpe.encode(text, merges, special)]
        for n_cuts in (0, 1, 9, 60, len(text)):
            cuts = [0, *sorted(int(c) for c in rng.integers(0, len(text) + 1, size=n_cuts)), len(text)]
            chunks = [text[a:b] for a, b in pairwise(cuts)]
            expect_equal(ps.run(probe_stream, vocab, merges, special, chunks), want)
        expect_equal(ps.run(probe_stream, vocab, merges, special, list(text)), want)
        expect_equal(ps.run(probe_stream, vocab, merges, special, text.splitlines(keepends=True)), want)
    expect_equal(ps.run(probe_stream, vocab, merges, SPECIAL, []), [])
    wordy, said = "<end of the text>", "ab <end of the text><end of the text> ab <end of the text"
    vocab = shuffled(rng, merges, [wordy])
    ids = {token: i for i, token in vocab.items()}
    want = [ids[token] for token in slow_bpe.encode(said, merges, [wordy])]
    got = ps.run(probe_stream, vocab, merges, [wordy], list(said))
    expect_equal(got, want, "a special token whose first sign is a piece of its own, character by character")


def probe_lag(ns, vocab, merges, special, chunk, n):
    """The ids of a stream of n equal chunks, and how many characters were read when each of them came."""
    read = [0]

    def chunks():
        for _ in range(n):
            read[0] += len(chunk)
            yield chunk

    ids, seen = [], []
    for i in ns.Tokenizer(vocab, merges, special).encode_iterable(chunks()):
        ids.append(i)
        seen.append(read[0])
    return seen, ids


@points(1, part="1c", hint="give ids out while chunks come in: neither the text nor the ids may be collected first")
def test_streams_are_read_as_they_are_needed(ps, rng):
    """Ids come while the text is being read, a few words behind it, and the ids of all of it come."""
    ps.provide(pretokenize=good_pretokenize)
    merges = slow_bpe.train("ab abc ab, abc. abc", 8)
    vocab = shuffled(rng, merges, [END])
    for chunk in ("ab abc, ", "ab abc.\n", f"abc ab{END}", "a b c " * 40):
        n = 6000 // len(chunk)
        seen, ids = ps.run(probe_lag, vocab, merges, [END], chunk, n)
        expect_true(all(isinstance(i, int) and i in vocab for i in ids), "one id after another, not lists of them")
        given = np.cumsum([0, *(len(vocab[i]) for i in ids)])
        expect_equal(int(given[-1]), n * len(chunk), "the stream's ids are those of its whole text")
        behind = [read - before for read, before in zip(seen, given[:-1].tolist(), strict=True)]
        expect_true(max(behind) <= len(chunk) + 1000, "hold back a chunk and a few words, not more")
