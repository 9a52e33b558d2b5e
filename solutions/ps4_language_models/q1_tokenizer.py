# %% [markdown] role="text"
# ## 1. Tokens (18 points)
#
# A language model chooses among finitely many symbols. Which? **Words** are too many, and tomorrow there is a new one.
# **Characters** are 150,000 in Unicode, most of which a model would never see. **Bytes** are 256: every text in every
# script is a string of them (its UTF-8 encoding), nothing is ever unknown, and nothing is lost. But a text has many
# bytes, and the work of a transformer grows with the square of their number.
#
# **Byte pair encoding** starts from bytes and lets the data decide what to abbreviate: the most frequent pair of
# neighbours becomes a new symbol, again and again. It was a method of compression (Gage, 1994); Sennrich, Haddow and
# Birch (2016) cut words with it, and Radford et al. (*Language models are unsupervised multitask learners*, 2019,
# section 2.2) did so on bytes, as nearly everyone has since.
#
# ### 1a. Pre-tokens (code, 2 points)
#
# Left alone, the method would make one token of `dog.`, another of `dog!`, a third of `dog?`. So the text is first cut
# into *pieces* (pre-tokens), and no token ever reaches from one piece into the next. The pattern below cuts like
# GPT-2's. Python's `re` has no classes `\p{L}` and `\p{N}`, so letters are written as `[^\W\d_]`: whatever belongs to a
# word and is neither a digit nor an underscore. Its alternatives are tried in order:
#
# | alternative | takes |
# | --- | --- |
# | `'(?:[sdmt]\|ll\|ve\|re)` | an English ending, as in `it's` and `we'll` |
# | ` ?[^\W\d_]+` | letters, with one space before them if there is one |
# | ` ?\d+` | digits, likewise |
# | ` ?(?:[^\w\s]\|_)+` | other signs, likewise |
# | `\s+(?!\S)` | white space; if more follows, without its last character: a space goes with it, others stay alone |
# | `\s+` | the white space that is left |
#
# A **special token** such as `<|endoftext|>` is a sign for the model, not text: it stands between two documents, say.
# It is one piece, whole, and the text before it knows nothing of the text after it. Special tokens are found from left
# to right. Where several could begin at one place, the longest counts: with `<|a|>` and `<|a|><|a|>` in the list,
# `<|a|><|a|><|a|>` is two pieces.
#
# Write `pretokenize`. Nothing is lost: the pieces, joined, are the text. Special tokens may contain any character, also
# those that mean something in a pattern, and there may be none of them. Expect 6 lines.

# %% role="given" id="pattern"
PATTERN = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\w\s]|_)+|\s+(?!\S)|\s+")


# %% role="answer" part="1a"
def pretokenize(text: str, special: Iterable[str] = ()) -> list[str]:
    """The pieces of text in order: special tokens whole (the longest first), and what PATTERN finds between them."""
    ### BEGIN SOLUTION
    longest_first = sorted(special, key=len, reverse=True)
    if not longest_first:
        return PATTERN.findall(text)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)  # plain, special, plain, ...
    pieces = []
    for i, part in enumerate(parts):
        pieces += [part] if i % 2 else PATTERN.findall(part)
    return pieces
    ### END SOLUTION


# %% role="check" part="1a"
with check("1a") as c:
    c.equal(pretokenize("We'll see:  two dogs!"), ["We", "'ll", " see", ":", " ", " two", " dogs", "!"], "pieces")
    c.equal(pretokenize("yes<eot>no", ["<eot>"]), ["yes", "<eot>", "no"], "a special token is one piece")
    c.equal(pretokenize("yes<eot>no"), ["yes", "<", "eot", ">", "no"], "without being named it is text")
    c.equal(pretokenize("a<|b|>c", ["<|b|>"]), ["a", "<|b|>", "c"], "signs of patterns are only signs")

# %% [markdown] role="text"
# ### 1b. Training (code, 6 points)
#
# The vocabulary starts with the 256 bytes and the special tokens. Then, as often as there is room:
#
# 1. Count every pair of neighbours within the pieces, at every position. A piece that occurs 90 times counts 90 times.
#    In `aaa` the pair (`a`, `a`) occurs twice, although only one of the two can be merged.
# 2. Take the pair with the highest count; of several, the **lexicographically greatest**, `max(tied)`: tuples of
#    `bytes`, compared as Python does.
# 3. Write it down in `merges`, put its two tokens together as a new token into `vocab`, and merge it in every piece,
#    from left to right.
#
# Special tokens, which are all different and longer than one byte, take no part: they are not counted, and nothing
# merges with them. Training ends early if no pair is left.
#
# Done literally, each round goes through the whole text: minutes for Shakespeare, years for the web. Two thoughts make
# it seconds, in plain Python. Most pieces occur many times, so keep each *once*, with its number. And a merge changes
# only the pieces that hold the pair: for each pair remember which these are, take away the counts of their pairs,
# merge, and count them again. `merge_pair` is given; expect 20 lines. (Recounting everything is accepted, too, but you
# will wait in the cells below.)


# %% role="given" id="merge_pair"
def merge_pair(tokens: list[bytes], pair: tuple[bytes, bytes]) -> list[bytes]:
    """The tokens with every occurrence of the pair put together, from left to right."""
    merged, i = [], 0
    while i < len(tokens):
        width = 2 if tuple(tokens[i : i + 2]) == pair else 1
        merged.append(b"".join(tokens[i : i + width]))
        i += width
    return merged


# %% role="answer" part="1b"
def train_bpe(
    text: str, vocab_size: int, special: Iterable[str] = ()
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """The vocabulary, from ids 0, 1, 2, ... in any order to tokens, and the merges in the order of their making."""
    ### BEGIN SOLUTION
    special = list(special)
    tokens = [bytes([b]) for b in range(256)] + [each.encode() for each in special]
    pieces = Counter(piece for piece in pretokenize(text, special) if piece not in special)
    words, times = [[bytes([b]) for b in piece.encode()] for piece in pieces], list(pieces.values())
    number = Counter()  # how often a pair occurs in the text
    holders = defaultdict(set)  # the words that (may) hold a pair

    def count(w: int, sign: int) -> None:
        for pair in pairwise(words[w]):
            number[pair] += sign * times[w]
            holders[pair].add(w)

    for w in range(len(words)):
        count(w, 1)
    merges = []
    while len(tokens) < vocab_size and (most := max(number.values(), default=0)):
        best = max(pair for pair, n in number.items() if n == most)
        merges.append(best)
        tokens.append(b"".join(best))
        for w in holders.pop(best):
            count(w, -1)
            words[w] = merge_pair(words[w], best)
            count(w, 1)
    return dict(enumerate(tokens)), merges
    ### END SOLUTION


# %% role="check" part="1b"
with check("1b") as c:
    lows = "low low low low low lower lower newest newest newest newest widest widest"
    vocab, merges = train_bpe(lows, 262, ["<eot>"])
    c.equal(merges[:2], [(b"o", b"w"), (b"l", b"ow")], "`low` is what they have in common")
    c.equal(merges[2:4], [(b"s", b"t"), (b"e", b"st")], "(s, t) and (e, s) occur 6 times each, and (s, t) is greater")
    c.equal(sorted(vocab), list(range(262)), "the ids are 0, 1, 2, ... without a gap")
    c.true({b"<eot>", b"\x00", b"\xff", b"low", b"est"} <= set(vocab.values()), "special, bytes and merged tokens")
    c.equal(train_bpe("aaa", 300)[1], [(b"a", b"a"), (b"aa", b"a")], "training ends when no pair is left")

# %% [markdown] role="text"
# ### 1c. The tokenizer (code, 7 points)
#
# A tokenizer is what training leaves behind: the vocabulary, the merges in their order, the special tokens. Write the
# class.
#
# - `encode(text)`: cut into pieces. A special token becomes its id. In every other piece, start from single bytes; of
#   all pairs that can merge, merge the one that was learnt *first*, everywhere in the piece; repeat until none is left.
#   This is what training did to the piece. (Taking the longest token that fits is something else: question 1d.)
# - `decode(ids)`: join the tokens' bytes, and only then read them as UTF-8. A token may end in the middle of a
#   character, and a model may write bytes that are no text at all: `errors="replace"`.
# - `encode_iterable(chunks)`: the same ids as `encode` of the joined chunks, *however the text was cut*, one after
#   another, while the chunks come in. A file larger than your memory is such an iterable of lines. Hold back a chunk
#   and a few words, not more.
#
# What must be held back? Only the last **two** pieces of a text can change when more text follows. (Two, as `'` and `l`
# become `'ll`; and white space waits for what comes next.) And where special tokens are named, the last characters of a
# text might be the beginning of one; if the longest has `n` characters, `n - 1` of them are in doubt, and so are the
# two pieces before them. (A special token that begins before the doubtful characters is certain, even where it reaches
# into them: do not cut it.)
#
# The ids are those of `vocab`, whatever their order; the special tokens are in it, and no two ids have the same bytes.
# Remember the ids of pieces that you have met, as most come again (their number may grow). Expect 35 lines.


# %% role="answer" part="1c"
class Tokenizer:
    """Byte pair encoding with a given vocabulary (id to token), merges in order, and special tokens."""

    def __init__(self, vocab: dict[int, bytes], merges: list[tuple[bytes, bytes]], special: Iterable[str] = ()) -> None:
        """Keep what encoding and decoding need."""
        ### BEGIN SOLUTION
        self.vocab, self.merges, self.special = vocab, merges, list(special)
        self.ids = {token: i for i, token in vocab.items()}
        self.rank = {pair: i for i, pair in enumerate(merges)}
        self.encode_piece = lru_cache(50_000)(self.encode_piece)  # words come back; memory is bounded where none does
        ### END SOLUTION

    def encode(self, text: str) -> list[int]:
        """The ids of text."""
        ### BEGIN SOLUTION
        return [i for piece in pretokenize(text, self.special) for i in self.encode_piece(piece)]

    def encode_piece(self, piece: str) -> list[int]:
        """The ids of one piece."""
        if piece in self.special:
            return [self.ids[piece.encode()]]
        tokens = [bytes([b]) for b in piece.encode()]
        while mergeable := self.rank.keys() & set(pairwise(tokens)):
            tokens = merge_pair(tokens, min(mergeable, key=self.rank.__getitem__))
        return [self.ids[token] for token in tokens]
        ### END SOLUTION

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; bytes that are no UTF-8 become the replacement character."""
        ### BEGIN SOLUTION
        return b"".join(self.vocab[i] for i in ids).decode(errors="replace")
        ### END SOLUTION

    def encode_iterable(self, chunks: Iterable[str]) -> Iterator[int]:
        """The ids of the text that the chunks make together, one by one, while the chunks come in."""
        ### BEGIN SOLUTION
        doubt = max(map(len, self.special), default=0)  # characters that may begin a special token
        rest = ""
        for chunk in chunks:
            rest += chunk
            pieces = pretokenize(rest, self.special)
            ends = accumulate(map(len, pieces))
            sure = [piece for piece, end in zip(pieces, ends, strict=True) if end <= len(rest) - doubt][:-2]
            for piece in sure:
                yield from self.encode_piece(piece)
            rest = rest[sum(map(len, sure)) :]
        yield from self.encode(rest)
        ### END SOLUTION


# %% role="check" part="1c"
with check("1c") as c:
    vocab = dict(enumerate([*(bytes([b]) for b in range(256)), b"<eot>", b"bc", b"ab", b"\xc3\xa9"]))
    tokenizer = Tokenizer(vocab, [(b"b", b"c"), (b"a", b"b"), (b"\xc3", b"\xa9")], ["<eot>"])
    c.equal(tokenizer.encode("abc"), [97, 257], "(b, c) was learnt before (a, b)")
    c.equal(tokenizer.encode("ab<eot>"), [258, 256], "a special token is one id")
    c.equal(tokenizer.decode([99, 97, 102, 195, 169]), "café", "a character may come in two tokens")
    c.equal(tokenizer.decode([97, 195]), "a\ufffd", "half a character is replaced")
    c.equal(tokenizer.decode(tokenizer.encode("naïve 日本 🙂\x00")), "naïve 日本 🙂\x00", "round trip")
    c.equal(list(tokenizer.encode_iterable(["a", "bc<e", "ot>", "ab"])), [97, 257, 256, 258], "cut anywhere")
    long = Tokenizer({256: b"<|end of text|>", **{b: bytes([b]) for b in range(256)}}, [], ["<|end of text|>"])
    said = "ab <|end of text|><|end of text|> a <|end"
    c.equal(list(long.encode_iterable(said)), long.encode(said), "character by character, with a long special token")
    endless = ("to be or not to be, " for _ in iter(int, 1))
    c.true(isinstance(next(iter(tokenizer.encode_iterable(endless))), int), "the first id of a text without end")

# %% [markdown] role="text"
# **Look: what Shakespeare's tokens are.** A thousand merges, trained on all text but the last tenth, and then a passage
# that was not seen, with its tokens apart. On the whole text the reference trains for 1.2 s (processor time, one core
# of a server).


# %% role="given"
def show_tokens(tokenizer: Tokenizer, s: str) -> None:
    """The text s on coloured ground, which changes with each token."""
    tokens = [tokenizer.decode([i]).replace("\n", "⏎\n") for i in tokenizer.encode(s)]
    lines = "".join(tokens).split("\n")
    width = max(map(len, lines))
    size = (0.08 * width, 0.2 * len(lines))  # letters of size 10 are 8 of 100 dots wide
    figure, ax = plt.subplots(figsize=size, gridspec_kw={"left": 0, "bottom": 0, "right": 1, "top": 1})
    row, column = 0, 0
    for n, token in enumerate(tokens):
        for i, part in enumerate(token.split("\n")):
            row, column = (row + 1, 0) if i else (row, column)
            ax.barh(row, len(part), left=column, height=0.9, color=figures.COLOURS[n % 4], alpha=0.3, linewidth=0)
            column += len(part)
    for row, line in enumerate(lines):
        ax.text(0, row, line, family="monospace", fontsize=10, va="center")
    ax.set(xlim=(0, width), ylim=(len(lines) - 0.5, -0.5))
    ax.axis("off")
    figures.show(figure, "A passage, with a bar between its tokens: " + "|".join(tokens))


# %% role="run"
with experiment("a tokenizer for Shakespeare"):
    start = time.perf_counter()
    bpe_vocab, bpe_merges = train_bpe(text_train, 256 + 1 + 1000, ["<|endoftext|>"])
    print(f"{len(bpe_merges)} merges in {time.perf_counter() - start:.1f} s")
    bpe = Tokenizer(bpe_vocab, bpe_merges, ["<|endoftext|>"])
    made = [b"".join(pair).decode(errors="replace") for pair in bpe_merges]
    print("first merges:  ", *map(repr, made[:24]))
    print("last merges:   ", *map(repr, made[-12:]))
    print("longest tokens:", *map(repr, sorted(made, key=len)[-8:]))
    show_tokens(bpe, text_val.partition("\n\n")[2][:500])

# %% [markdown] role="text"
# **Look.** Which words are one token with the space before them, and two without it, as at the beginning of a line? Why
# are there long tokens in capitals? Find a word that is cut where no grammar would cut it.
#
# **Look: compression.** The merges of a smaller vocabulary are the first merges of a larger one, so one training gives
# all sizes. The grey line is what a vocabulary of *all* pieces would reach, as no token is longer than a piece. With
# the whole text (`QUICK = False`), 457, 957 and 1,257 tokens have 1.85, 2.39 and 2.54 bytes per token in the training
# text, and 1.80, 2.23 and 2.35 in the validation text, of which the training text has only the beginning of one play.

# %% role="run"
with experiment("compression"):
    sizes = [k for k in (0, 10, 30, 100, 200, 400, 700, 1000) if k <= len(bpe_merges)]
    shortened = {"training": text_train[-100_000:], "validation": text_val[-100_000:]}
    ratio: dict[str, list[float]] = {name: [] for name in shortened}
    for k in sizes:
        smaller = Tokenizer(bpe_vocab, bpe_merges[:k], ["<|endoftext|>"])
        for name, part in shortened.items():
            ratio[name].append(len(part.encode()) / len(smaller.encode(part)))
    figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
    for name, marker, values in zip(ratio, "os", ratio.values(), strict=True):
        ax.plot([257 + k for k in sizes], values, marker=marker, label=f"{name} text")
    limit = len(text_val.encode()) / len(pretokenize(text_val))
    ax.axhline(limit, color="#999999", label="pieces as tokens")
    ax.set(xlabel="tokens in the vocabulary", ylabel="bytes per token", ylim=(0, None))
    ax.legend(loc="lower right")
    ends = "; ".join(f"{name} from {values[0]:.2f} to {values[-1]:.2f}" for name, values in ratio.items())
    figures.show(figure, f"Bytes per token grow ever more slowly with the vocabulary: {ends}; pieces have {limit:.2f}.")

# %% [markdown] role="text"
# **Look: who pays.** The same sentence in five languages (article 1 of the Universal Declaration of Human Rights), in
# Shakespeare's tokens. A model that reads and writes a fixed number of tokens, at a price for each, serves these five
# readers differently. What would you change: the tokenizer, the text that it is trained on, or the price?

# %% role="run"
with experiment("five languages"):
    sentences = {
        "English": "All human beings are born free and equal in dignity and rights.",
        "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren.",
        "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα.",
        "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है।",
        "Chinese": "人人生而自由,在尊严和权利上一律平等。",
    }
    print(f"{'':10}{'characters':>12}{'bytes':>8}{'tokens':>8}")
    for language, sentence in sentences.items():
        print(f"{language:10}{len(sentence):12}{len(sentence.encode()):8}{len(bpe.encode(sentence)):8}")

# %% [markdown] role="text"
# ### 1d. What a tokenizer decides (written, 3 points)
#
# 1. Compare bytes with words and with Unicode characters as the *first* symbols, in three respects: texts that cannot
#    be written, the size of the vocabulary, the length of the sequence. Which of these does merging change, and which
#    can it never spoil? Why does an unfinished model that samples tokens need `errors="replace"`, although no text
#    does? (1 point)
# 2. Give two merges and a text of three characters that `encode` cuts differently from "take the longest token of the
#    vocabulary that fits, from left to right". A model was trained on the ids of `encode`, and someone uses it with the
#    ids of the other method. Both decode to the same text; what goes wrong, and would a round-trip test see it?
#    (1 point)
# 3. Read the compression curve. By which factor does the number of tokens fall from 257 to 457 tokens in the
#    vocabulary, and by which from 957 to 1257? A transformer of width $d$ spends about $c_1Td^2+c_2T^2d$ on a text of
#    $T$ tokens, and keeps $Vd$ numbers for its vocabulary. What does doubling the bytes per token do to each of the
#    three terms, and what speaks, besides memory, against a very large $V$ on a text as small as this one? Use the
#    difference of the two curves on the whole text. (1 point)

# %% [markdown] role="written" part="1d"
# ### BEGIN SOLUTION
# **1.** *Texts that cannot be written*: with words, every text with a word that is not in the list (a name, a typing
# error, another language); with the characters of a corpus, every text with another character; with bytes, none, as
# UTF-8 writes every text in them. *Vocabulary*: words hundreds of thousands, and growing with the corpus; Unicode
# characters about 150,000; bytes 256. *Length*: words are shortest; characters about five times longer; bytes equal
# characters for English, and are two to four times longer for other scripts. Merging makes sequences shorter and the
# vocabulary larger, by as much as one wants. It never spoils that everything can be written, as the 256 bytes stay in
# the vocabulary, and that decoding gives the text back, as a merged token is nothing but its bytes. Tokens of a text
# join to valid UTF-8. A model may put any token after any other, for example the first byte of `é` and then a space;
# this is no UTF-8, and a strict decoder would raise an exception in the middle of a sample.
#
# **2.** Merges 1. (`b`, `c`), 2. (`a`, `b`), text `abc`. The first merge learnt is applied first: `a`, `bc`. The
# longest token at the beginning is `ab`: `ab`, `c`. The model has never, or hardly ever, seen `ab` followed by `c` in
# training, since `encode` does not write it: it is asked for the probability of something outside its data, its
# predictions after it are bad, and the likelihood of the text falls, silently. A round trip only tests that decoding
# inverts encoding, and that holds for both; only a comparison of the ids themselves sees the difference.
#
# **3.** (Whole text, validation.) From 257 to 457 tokens in the vocabulary the text has 1.80 times fewer
# tokens, from 957 to 1257 only 1.05 times. The first merges stand for very frequent pairs, and frequencies fall
# quickly with rank (Zipf), so each further merge saves less; no number of merges passes the mean length of a piece.
# Doubling the bytes per token halves $T$: the first term is halved, the second divided by four, and $Vd$ grows with the
# $V$ that is needed, here several times. A large $V$ has many tokens that are rare, here names and rare words of the
# training text, each with $d$ numbers to learn from a handful of examples. The curves show it: late merges shorten
# the training text, from which they were counted, more than the validation text, so that part of the vocabulary is
# fitted to the training text, an overfitting before the model has seen any of it.
# ### END SOLUTION
# ### BEGIN MARK SCHEME
# - 0.5 points: bytes, words and characters in the three respects; merging trades length for vocabulary
# - 0.5 points: everything stays writable; models may write bytes that are no UTF-8, texts do not
# - 0.5 points: an example, with both results
# - 0.5 points: the ids are unlike those of training, probabilities suffer silently, and no round trip sees it
# - 0.5 points: both factors, from the student's own curve, and the effect of doubling on the three terms
# - 0.5 points: rare tokens with too few examples, or merges that fit the training text, read off the two curves
# ### END MARK SCHEME
