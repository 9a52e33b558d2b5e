"""Right and wrong answers to question 1b: training."""

import heapq
from collections import Counter
from itertools import pairwise

from autograder.verify.variants import right, wrong


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
    ids = {as_bytes(pair): pair for pair in number}
    heap = [Greatest(n, as_bytes(pair)) for pair, n in number.items()]
    heapq.heapify(heap)
    while len(vocab) < vocab_size and heap:
        top = heapq.heappop(heap)
        pair = ids[top.pair]
        if number[pair] != top.n or not top.n:
            continue
        merges.append(top.pair)
        new, vocab[len(vocab)] = len(vocab), b"".join(top.pair)
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
