"""Right and wrong answers to question 1. The class's variants inherit from the reference's and change one thing."""

import heapq
import re
from collections import Counter
from itertools import pairwise

from autograder.verify.variants import right, wrong

# 1a


def cut_out(text, names, find):
    """The pieces of text, where the names are special, in the order of the names, and `find` cuts the rest."""
    if not names:
        return find(text)
    parts = re.split("(" + "|".join(map(re.escape, names)) + ")", text)
    return [piece for i, part in enumerate(parts) for piece in ([part] if i % 2 else find(part))]


@wrong("pretokenize")
def special_tokens_never_split(text, special=()):
    return PATTERN.findall(text)


@wrong("pretokenize")
def special_tokens_in_the_order_of_the_list(text, special=()):
    return cut_out(text, list(special), PATTERN.findall)


@wrong("pretokenize")
def shortest_special_token_first(text, special=()):
    return cut_out(text, sorted(special, key=len), PATTERN.findall)


@wrong("pretokenize")
def special_tokens_read_as_patterns(text, special=()):
    if not special:
        return PATTERN.findall(text)
    parts = re.split("(" + "|".join(sorted(special, key=len, reverse=True)) + ")", text)
    return [p for i, part in enumerate(parts) for p in ([part] if i % 2 else PATTERN.findall(part or ""))]


@wrong("pretokenize")
def special_tokens_are_lost(text, special=()):
    if not special:
        return PATTERN.findall(text)
    longest_first = sorted(special, key=len, reverse=True)
    return [p for part in re.split("|".join(map(re.escape, longest_first)), text) for p in PATTERN.findall(part)]


@wrong("pretokenize")
def empty_list_splits_everywhere(text, special=()):
    longest_first = sorted(special, key=len, reverse=True)
    parts = re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)
    return [p for i, part in enumerate(parts) for p in ([part] if i % 2 else PATTERN.findall(part))]


@wrong("pretokenize")
def splits_at_white_space(text, special=()):
    return cut_out(text, sorted(special, key=len, reverse=True), str.split)


@wrong("pretokenize")
def spaces_are_stripped(text, special=()):
    return cut_out(
        text, sorted(special, key=len, reverse=True), lambda part: [p.strip() or p for p in PATTERN.findall(part)]
    )


@wrong("pretokenize")
def white_space_pieces_are_dropped(text, special=()):
    return [piece for piece in pretokenize(text, special) if piece.strip()]


@wrong("pretokenize")
def text_is_put_into_lower_case(text, special=()):
    return pretokenize(text.lower(), special)


@wrong("pretokenize")
def line_by_line(text, special=()):
    return [piece for line in text.splitlines(keepends=True) for piece in pretokenize(line, special)]


@wrong("pretokenize")
def only_the_first_of_each_special_token(text, special=()):
    pieces = [text]
    for token in sorted(special, key=len, reverse=True):
        whole, pieces = pieces, []
        for part in whole:
            before, found, after = part.partition(token) if part not in special else (part, "", "")
            pieces += [each for each in (before, found, after) if each]
    return [p for part in pieces for p in ([part] if part in special else PATTERN.findall(part))]


@wrong("pretokenize")
def empty_pieces_between_special_tokens(text, special=()):
    return cut_out(text, sorted(special, key=len, reverse=True), lambda part: PATTERN.findall(part) or [part])


@right("pretokenize")
def one_pattern_for_both(text, special=()):
    names = [re.escape(token) for token in sorted(special, key=len, reverse=True)]
    if not names:
        return [match.group() for match in PATTERN.finditer(text)]
    plain = re.compile("|".join(names))
    pieces, start = [], 0
    for match in plain.finditer(text):
        pieces.extend(PATTERN.findall(text[start : match.start()]))
        pieces.append(match.group())
        start = match.end()
    return pieces + PATTERN.findall(text[start:])


@right("pretokenize")
def by_looking_at_every_place(text, special=()):
    longest_first = sorted(special, key=len, reverse=True)
    pieces, start, i = [], 0, 0
    while i < len(text):
        token = next((each for each in longest_first if text.startswith(each, i)), None)
        if token is None:
            i += 1
            continue
        pieces += [*PATTERN.findall(text[start:i]), token]
        start = i = i + len(token)
    return pieces + PATTERN.findall(text[start:])


# 1b


def greatest(number):
    """The most frequent pair, and of several the greatest."""
    return max(number, key=lambda pair: (number[pair], pair))


def slow_train(text, vocab_size, special, count=pairwise, choose=greatest, merge=merge_pair, cut=pretokenize, least=1):
    """The recounting trainer, with one part replaced by a mistake."""
    special = list(special)
    tokens = [bytes([b]) for b in range(256)] + [each.encode() for each in special]
    pieces = Counter(piece for piece in cut(text, special) if piece not in special)
    words = [([bytes([b]) for b in piece.encode()], n) for piece, n in pieces.items()]
    merges = []
    while len(tokens) < vocab_size:
        number = Counter()
        for word, n in words:
            for pair in count(word):
                number[pair] += n
        if max(number.values(), default=0) < least:
            break
        merges.append(choose(number))
        tokens.append(b"".join(merges[-1]))
        words = [(merge(word, merges[-1]), n) for word, n in words]
    return dict(enumerate(tokens)), merges


@wrong("train_bpe")
def ties_to_the_first_seen(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, choose=lambda number: max(number, key=number.get))


@wrong("train_bpe")
def ties_to_the_smallest(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, choose=lambda number: min(number, key=lambda p: (-number[p], p)))


@wrong("train_bpe")
def ties_by_the_joined_bytes(text, vocab_size, special=()):
    joined = lambda number: max(number, key=lambda pair: (number[pair], b"".join(pair)))  # noqa: E731
    return slow_train(text, vocab_size, special, choose=joined)


@wrong("train_bpe")
def ties_by_the_second_token_first(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, choose=lambda number: max(number, key=lambda p: (number[p], p[::-1])))


@wrong("train_bpe")
def ties_by_the_order_of_ids(text, vocab_size, special=()):
    made = {bytes([b]): b for b in range(256)}

    def choose(number):
        best = max(number, key=lambda pair: (number[pair], made[pair[0]], made[pair[1]]))
        made.setdefault(b"".join(best), len(made))
        return best

    return slow_train(text, vocab_size, special, choose=choose)


@wrong("train_bpe")
def ties_to_the_longest_token(text, vocab_size, special=()):
    longest = lambda number: max(number, key=lambda pair: (number[pair], len(b"".join(pair)), pair))  # noqa: E731
    return slow_train(text, vocab_size, special, choose=longest)


def without_overlap(word):
    """Pairs of a word in which aaa has (a, a) once."""
    last = None
    for i, pair in enumerate(pairwise(word)):
        if last == (i - 1, pair):
            last = None
            continue
        last = (i, pair)
        yield pair


@wrong("train_bpe")
def aaa_counts_once(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, count=without_overlap)


@wrong("train_bpe")
def a_pair_counts_once_per_piece(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, count=lambda word: set(pairwise(word)))


def from_the_right(tokens, pair):
    """The pair merged from right to left."""
    flipped = merge_pair([token[::-1] for token in tokens[::-1]], (pair[1][::-1], pair[0][::-1]))
    return [token[::-1] for token in flipped[::-1]]


@wrong("train_bpe")
def merges_from_the_right(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, merge=from_the_right)


def only_the_first(tokens, pair):
    """The pair merged at its first place only."""
    for i, each in enumerate(pairwise(tokens)):
        if each == pair:
            return [*tokens[:i], b"".join(pair), *tokens[i + 2 :]]
    return tokens


@wrong("train_bpe")
def merges_one_occurrence_per_piece(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, merge=only_the_first)


@wrong("train_bpe")
def word_frequency_is_ignored(text, vocab_size, special=()):
    seen = lambda text, special: list(dict.fromkeys(pretokenize(text, special)))  # noqa: E731
    return slow_train(text, vocab_size, special, cut=seen)


@wrong("train_bpe")
def merges_across_pieces(text, vocab_size, special=()):
    whole = lambda text, special: ["".join(p for p in pretokenize(text, special) if p not in special)]  # noqa: E731
    return slow_train(text, vocab_size, special, cut=whole)


@wrong("train_bpe")
def words_without_their_spaces(text, vocab_size, special=()):
    return slow_train(
        text, vocab_size, special, cut=lambda text, special: [p.strip() for p in pretokenize(text, special)]
    )


@wrong("train_bpe")
def special_tokens_are_not_removed(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, cut=lambda text, special: pretokenize(text))


@wrong("train_bpe")
def special_tokens_are_counted_as_words(text, vocab_size, special=()):
    special = list(special)
    vocab, merges = train_bpe(text.replace("\x00", ""), vocab_size - len(special))  # as if they were none
    return {**vocab, **{len(vocab) + i: token.encode() for i, token in enumerate(special)}}, merges


@wrong("train_bpe")
def text_around_special_tokens_is_joined(text, vocab_size, special=()):
    special = list(special)
    plain = "".join(piece for piece in pretokenize(text, special) if piece not in special)
    return train_bpe(plain, vocab_size, special)


@wrong("train_bpe")
def counts_are_never_renewed(text, vocab_size, special=()):
    first = Counter(
        pair
        for piece in pretokenize(text, special)
        if piece not in special
        for pair in pairwise(bytes([b]) for b in piece.encode())
    )
    room = vocab_size - 256 - len(list(special))
    merges = sorted(first, key=lambda pair: (first[pair], pair), reverse=True)[: max(room, 0)]
    tokens = [*(bytes([b]) for b in range(256)), *(each.encode() for each in special), *map(b"".join, merges)]
    return dict(enumerate(tokens)), merges


@wrong("train_bpe")
def old_counts_are_not_taken_away(text, vocab_size, special=()):
    kept = Counter()

    def choose(number):
        for pair, n in number.items():
            kept[pair] = max(kept[pair], n)
        best = max(kept, key=lambda pair: (kept[pair], pair))
        del kept[best]
        return best

    return slow_train(text, vocab_size, special, choose=choose)


@wrong("train_bpe")
def characters_instead_of_bytes(text, vocab_size, special=()):
    special = list(special)
    tokens = [bytes([b]) for b in range(256)] + [each.encode() for each in special]
    words = [[ch.encode() for ch in piece] for piece in pretokenize(text, special) if piece not in special]
    merges = []
    while len(tokens) < vocab_size and (number := Counter(pair for word in words for pair in pairwise(word))):
        merges.append(max(number, key=lambda pair: (number[pair], pair)))
        tokens.append(b"".join(merges[-1]))
        words = [merge_pair(word, merges[-1]) for word in words]
    return dict(enumerate(tokens)), merges


@wrong("train_bpe")
def vocabulary_without_special_tokens(text, vocab_size, special=()):
    vocab, merges = train_bpe(text, vocab_size, special)
    left = [token for token in vocab.values() if token not in [each.encode() for each in special]]
    return dict(enumerate(left)), merges


@wrong("train_bpe")
def special_tokens_come_on_top_of_the_size(text, vocab_size, special=()):
    return train_bpe(text, vocab_size + len(list(special)), special)


@wrong("train_bpe")
def one_merge_too_many(text, vocab_size, special=()):
    return train_bpe(text, vocab_size + 1, special)


@wrong("train_bpe")
def only_bytes_of_the_text(text, vocab_size, special=()):
    vocab, merges = train_bpe(text, vocab_size, special)
    used = [token for token in vocab.values() if len(token) > 1 or token in text.encode()]
    return dict(enumerate(used)), merges


@wrong("train_bpe")
def stops_at_pairs_that_occur_once(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special, least=2)


@wrong("train_bpe")
def merges_as_joined_tokens(text, vocab_size, special=()):
    vocab, merges = train_bpe(text, vocab_size, special)
    return vocab, [b"".join(pair) for pair in merges]


@wrong("train_bpe")
def vocabulary_from_tokens_to_ids(text, vocab_size, special=()):
    vocab, merges = train_bpe(text, vocab_size, special)
    return {token: i for i, token in vocab.items()}, merges


@right("train_bpe")
def recounts_every_time(text, vocab_size, special=()):
    return slow_train(text, vocab_size, special)


@right("train_bpe")
def special_tokens_have_the_first_ids(text, vocab_size, special=()):
    vocab, merges = train_bpe(text, vocab_size, special)
    names = [each.encode() for each in special]
    ordered = sorted(vocab.values(), key=lambda token: (token not in names, token))
    return dict(reversed(list(enumerate(ordered)))), merges


class Greatest:
    """A pair whose order is reversed, for a heap that gives the smallest."""

    def __init__(self, n, pair):
        self.n, self.pair = n, pair

    def __lt__(self, other):
        return (self.n, self.pair) > (other.n, other.pair)


@right("train_bpe")
def with_a_heap_and_ids(text, vocab_size, special=()):
    special = set(special)
    vocab = dict(enumerate([*(bytes([b]) for b in range(256)), *(each.encode() for each in special)]))
    pieces = Counter(piece for piece in pretokenize(text, special) if piece not in special)
    words = [(list(piece.encode()), n) for piece, n in pieces.items()]
    number, merges = Counter(), []
    for word, n in words:
        for pair in pairwise(word):
            number[pair] += n
    as_bytes = lambda pair: (vocab[pair[0]], vocab[pair[1]])  # noqa: E731
    ids = {}
    heap = []
    for pair, n in number.items():
        ids[as_bytes(pair)] = pair
        heap.append(Greatest(n, as_bytes(pair)))
    heapq.heapify(heap)
    while len(vocab) < vocab_size and heap:
        top = heapq.heappop(heap)
        pair = ids[top.pair]
        if number[pair] != top.n or not top.n:
            continue
        merges.append(top.pair)
        new = len(vocab)
        vocab[new] = b"".join(top.pair)
        changed = set()
        for i, (word, n) in enumerate(words):
            if pair not in pairwise(word):
                continue
            for each in pairwise(word):
                number[each] -= n
                changed.add(each)
            out, at = [], 0
            while at < len(word):
                hit = tuple(word[at : at + 2]) == pair
                out.append(new if hit else word[at])
                at += 1 + hit
            words[i] = (out, n)
            for each in pairwise(out):
                number[each] += n
                changed.add(each)
        for each in changed - {pair}:
            ids[as_bytes(each)] = each
            heapq.heappush(heap, Greatest(number[each], as_bytes(each)))
    return vocab, merges


# 1c


class Changed(Tokenizer):
    """The reference, which remembers no pieces, with its steps apart so that one can be changed."""

    def encode(self, text):
        return [i for piece in pretokenize(text, self.special) for i in self.encode_piece(piece)]

    def encode_piece(self, piece):
        if piece in self.special:
            return [self.ids[piece.encode()]]
        return [self.ids[token] for token in self.merge([bytes([b]) for b in piece.encode()])]

    def merge(self, tokens):
        while mergeable := [pair for pair in pairwise(tokens) if pair in self.rank]:
            tokens = merge_pair(tokens, self.choose(mergeable))
        return tokens

    def choose(self, mergeable):
        return min(mergeable, key=self.rank.get)


@wrong("Tokenizer")
class GreedyLongestMatch(Changed):
    def merge(self, tokens):
        rest, found = b"".join(tokens), []
        names = [name.encode() for name in self.special]
        while rest:
            found.append(max((t for t in self.ids if rest.startswith(t) and t not in names), key=len))
            rest = rest[len(found[-1]) :]
        return found


@wrong("Tokenizer")
class LeftmostPairFirst(Changed):
    def choose(self, mergeable):
        return mergeable[0]


@wrong("Tokenizer")
class LatestMergeFirst(Changed):
    def choose(self, mergeable):
        return max(mergeable, key=self.rank.get)


@wrong("Tokenizer")
class LongestMergeFirst(Changed):
    def choose(self, mergeable):
        return max(mergeable, key=lambda pair: (len(b"".join(pair)), -self.rank[pair]))


@wrong("Tokenizer")
class MergesOnce(Changed):
    def merge(self, tokens):
        mergeable = [pair for pair in pairwise(tokens) if pair in self.rank]
        return merge_pair(tokens, self.choose(mergeable)) if mergeable else tokens


@wrong("Tokenizer")
class FirstPlaceOnly(Changed):
    def merge(self, tokens):
        for pair in self.merges:
            tokens = only_the_first(tokens, pair)
        return tokens


@wrong("Tokenizer")
class FromTheRight(Changed):
    def merge(self, tokens):
        for pair in self.merges:
            tokens = from_the_right(tokens, pair)
        return tokens


@wrong("Tokenizer")
class RanksAreIds(Changed):
    def choose(self, mergeable):
        return min(mergeable, key=lambda pair: self.ids[b"".join(pair)])


@wrong("Tokenizer")
class BytesAreTheirOwnIds(Changed):
    def encode_piece(self, piece):
        return [
            token[0] if len(token) == 1 else self.ids[token]
            for token in map(self.vocab.get, super().encode_piece(piece))
        ]


@wrong("Tokenizer")
class NeverMerges(Changed):
    def merge(self, tokens):
        return tokens


@wrong("Tokenizer")
class WithoutPieces(Changed):
    def encode(self, text):
        return self.encode_piece(text)


@wrong("Tokenizer")
class MergesAcrossPieces(Changed):
    def encode(self, text):
        return [self.ids[t] for t in self.merge([self.vocab[i] for i in super().encode(text)])]


@wrong("Tokenizer")
class SpecialTokensNeverSplit(Changed):
    def encode(self, text):
        return [i for piece in pretokenize(text) for i in self.encode_piece(piece)]


@wrong("Tokenizer")
class ShortestSpecialTokenFirst(Changed):
    def encode(self, text):
        pieces = cut_out(text, sorted(self.special, key=len), PATTERN.findall)
        return [i for piece in pieces for i in self.encode_piece(piece)]


@wrong("Tokenizer")
class SpecialTokensAreDropped(Changed):
    def encode_piece(self, piece):
        return [] if piece in self.special else super().encode_piece(piece)


@wrong("Tokenizer")
class SpecialTokensAreSpelt(Changed):
    def encode_piece(self, piece):
        return [self.ids[token] for token in self.merge([bytes([b]) for b in piece.encode()])]


@wrong("Tokenizer")
class KnowsOneSpecialTokenOnly(Changed):
    def __init__(self, vocab, merges, special=()):
        super().__init__(vocab, merges, list(special)[:1])


@wrong("Tokenizer")
class UnknownCharactersAreReplaced(Changed):
    def encode(self, text):
        return super().encode(text.encode("latin-1", errors="replace").decode("latin-1"))


@wrong("Tokenizer")
class WhiteSpaceIsTidied(Changed):
    def encode(self, text):
        return super().encode(re.sub(r"\s+", " ", text))


@wrong("Tokenizer")
class LineEndsAreTranslated(Changed):
    def encode(self, text):
        return super().encode(text.replace("\r\n", "\n"))


@wrong("Tokenizer")
class EndsEveryTextWithASpecialToken(Changed):
    def encode(self, text):
        return super().encode(text) + [self.ids[name.encode()] for name in self.special[:1]]


@wrong("Tokenizer")
class StrictDecodePerToken(Tokenizer):
    def decode(self, ids):
        return "".join(self.vocab[i].decode("utf-8") for i in ids)


@wrong("Tokenizer")
class ReplacesPerToken(Tokenizer):
    def decode(self, ids):
        return "".join(self.vocab[i].decode("utf-8", errors="replace") for i in ids)


@wrong("Tokenizer")
class StrictDecode(Tokenizer):
    def decode(self, ids):
        return b"".join(self.vocab[i] for i in ids).decode("utf-8")


@wrong("Tokenizer")
class DecodeIgnoresErrors(Tokenizer):
    def decode(self, ids):
        return b"".join(self.vocab[i] for i in ids).decode("utf-8", errors="ignore")


@wrong("Tokenizer")
class DecodesLatin1(Tokenizer):
    def decode(self, ids):
        return b"".join(self.vocab[i] for i in ids).decode("latin-1")


@wrong("Tokenizer")
class DecodeDropsSpecialTokens(Tokenizer):
    def decode(self, ids):
        names = [name.encode() for name in self.special]
        return b"".join(self.vocab[i] for i in ids if self.vocab[i] not in names).decode(errors="replace")


@wrong("Tokenizer")
class DecodeStrips(Tokenizer):
    def decode(self, ids):
        return super().decode(ids).strip()


@wrong("Tokenizer")
class DecodePutsSpacesBetween(Tokenizer):
    def decode(self, ids):
        return b" ".join(self.vocab[i] for i in ids).decode(errors="replace")


@wrong("Tokenizer")
class StreamChunkByChunk(Tokenizer):
    def encode_iterable(self, chunks):
        for chunk in chunks:
            yield from self.encode(chunk)


@wrong("Tokenizer")
class StreamStripsLines(Tokenizer):
    def encode_iterable(self, chunks):
        return super().encode_iterable(chunk.rstrip("\n") for chunk in chunks)


@wrong("Tokenizer")
class StreamReadsAllFirst(Tokenizer):
    def encode_iterable(self, chunks):
        yield from self.encode("".join(chunks))


@wrong("Tokenizer")
class StreamCollectsTheIds(Tokenizer):
    def encode_iterable(self, chunks):
        return iter(list(super().encode_iterable(chunks)))


@wrong("Tokenizer")
class StreamGivesListsOfIds(Tokenizer):
    def encode_iterable(self, chunks):
        for chunk in chunks:
            yield self.encode(chunk)


def hold_back(self, chunks, doubt, n_pieces, flush=True):
    """The stream of the reference with other numbers of characters and pieces held back."""
    rest = ""
    for chunk in chunks:
        rest += chunk
        pieces = pretokenize(rest, self.special)
        ends = [sum(map(len, pieces[: i + 1])) for i in range(len(pieces))]
        sure = [piece for piece, end in zip(pieces, ends, strict=True) if end <= len(rest) - doubt]
        for piece in sure[: max(len(sure) - n_pieces, 0)]:
            yield from self.encode(piece) if piece not in self.special else [self.ids[piece.encode()]]
            rest = rest[len(piece) :]
    if flush:
        yield from self.encode(rest)


@wrong("Tokenizer")
class StreamHoldsOnePieceBack(Tokenizer):
    def encode_iterable(self, chunks):
        return hold_back(self, chunks, max(map(len, self.special), default=1) - 1, 1)


@wrong("Tokenizer")
class StreamHoldsNothingBack(Tokenizer):
    def encode_iterable(self, chunks):
        return hold_back(self, chunks, 0, 0)


@wrong("Tokenizer")
class StreamCutsSpecialTokens(Tokenizer):
    def encode_iterable(self, chunks):
        return hold_back(self, chunks, 0, 2)


@wrong("Tokenizer")
class StreamLosesItsEnd(Tokenizer):
    def encode_iterable(self, chunks):
        return hold_back(self, chunks, max(map(len, self.special), default=1) - 1, 2, flush=False)


@wrong("Tokenizer")
class StreamWaitsForAnEmptyLine(Tokenizer):
    def encode_iterable(self, chunks):
        rest = ""
        for chunk in chunks:
            *done, rest = re.split(r"(?<=\n\n)(?=\S)", rest + chunk)
            for part in done:
                yield from self.encode(part)
        yield from self.encode(rest)


@right("Tokenizer")
class MergesInTheOrderOfTraining(Changed):
    def merge(self, tokens):
        for pair in self.merges:
            tokens = merge_pair(tokens, pair)
        return tokens


@right("Tokenizer")
class OnePlaceAtATime(Changed):
    def merge(self, tokens):
        while mergeable := [pair for pair in pairwise(tokens) if pair in self.rank]:
            tokens = only_the_first(tokens, self.choose(mergeable))
        return tokens


@right("Tokenizer")
class OnIdsWithAHeap:
    def __init__(self, vocab, merges, special=None):
        self.vocab = vocab
        self.names = list(special or [])
        of = {token: i for i, token in vocab.items()}
        self.byte = [of[bytes([b])] for b in range(256)]
        self.named = {name: of[name.encode("utf-8")] for name in self.names}
        self.table = {(of[a], of[b]): (rank, of[a + b]) for rank, (a, b) in enumerate(merges)}

    def encode(self, text):
        ids = []
        for piece in pretokenize(text, self.names):
            ids.extend([self.named[piece]] if piece in self.named else self.word(piece.encode("utf-8")))
        return ids

    def word(self, raw):
        ids = [self.byte[b] for b in raw]
        after = {i: i + 1 for i in range(len(ids))}
        before = {i + 1: i for i in range(len(ids))}
        heap = []

        def offer(i):
            j = after.get(i, len(ids))
            if i >= 0 and j < len(ids) and (ids[i], ids[j]) in self.table:
                heapq.heappush(heap, (self.table[ids[i], ids[j]][0], i, j, ids[i], ids[j]))

        for i in range(len(ids)):
            offer(i)
        while heap:
            _, i, j, a, b = heapq.heappop(heap)
            if after.get(i) != j or ids[i] != a or ids[j] != b:
                continue
            ids[i] = self.table[a, b][1]
            after[i] = after.pop(j)
            before[after[i]] = i
            ids[j] = None
            offer(i)
            offer(before.get(i, -1))
        return [i for i in ids if i is not None]

    def decode(self, ids):
        raw = bytearray()
        for i in ids:
            raw += self.vocab[i]
        return raw.decode("utf-8", "replace")

    def encode_iterable(self, chunks):
        longest = max([len(name) for name in self.names] + [1])
        rest = ""
        for chunk in chunks:
            rest += chunk
            # a space after something else always begins a piece; no special token of the list may reach over it
            edges = [m.end() for m in re.finditer(r"\S(?=\s)", rest[: max(len(rest) - longest, 0)])]
            edges = [
                e for e in edges if not any(name in rest[max(0, e - longest) : e + longest] for name in self.names)
            ]
            if edges:
                yield from self.encode(rest[: edges[-1]])
                rest = rest[edges[-1] :]
        yield from self.encode(rest)


@right("Tokenizer")
class HoldsMoreBack(Tokenizer):
    def encode_iterable(self, chunks):
        return hold_back(self, chunks, 2 * max(map(len, self.special), default=1), 5)
