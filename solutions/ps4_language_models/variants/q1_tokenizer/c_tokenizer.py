"""Right and wrong answers to question 1c. Most inherit from the reference and change one thing."""

import heapq
import re
from itertools import pairwise

from autograder.verify.variants import right, wrong


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


@wrong("Tokenizer")
class StreamIsCutBeforeWhiteSpace(Tokenizer):
    def encode_iterable(self, chunks):
        rest = ""
        for chunk in chunks:
            *done, rest = re.split(r"(?<=\S)(?=\s)", rest + chunk)  # no piece of text reaches over this
            yield from self.encode("".join(done))
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
