"""How alike two submissions are, and which pairs stand out of their class."""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel
from sklearn.feature_extraction.text import TfidfVectorizer

from autograder.similarity.code import Code

LEAST = 0.5  # no pair below it stands out
FAR = 6.0  # robust standard deviations above the class's usual similarity
ALONE = 0.9  # stands out where the class is too small to say what is usual
SMALL = 10  # submissions with code of their own
EQUAL = 1 - 1e-6  # but for rounding

Places = tuple[int, int]  # of a pair's submissions among those that are compared


@dataclass(frozen=True)
class Pair:
    """Two submissions. similarity: cosine of rare token runs. verbatim: share of lines equal to the letter."""

    one: str
    other: str
    similarity: float
    verbatim: float
    stands_out: bool


def similarities(codes: Sequence[Code], released: frozenset[str]) -> dict[Places, float]:
    """Every pair by its places in `codes`; a submission that holds nothing of its own is in none."""
    own = [[gram for gram in code.grams if gram not in released] for code in codes]
    places = [i for i, each in enumerate(own) if each]
    if len(places) < 2:
        return {}
    weights = TfidfVectorizer(analyzer=list, sublinear_tf=True).fit_transform([own[i] for i in places])
    cosine = (weights @ weights.T).toarray()
    return {
        (one, other): min(1.0, float(cosine[i, j]))
        for i, one in enumerate(places)
        for j, other in enumerate(places)
        if i < j
    }


def pairs(codes: Sequence[Code], released: frozenset[str], most: int = 200) -> list[Pair]:
    """The most similar pairs, the most similar first."""
    found = similarities(codes, released)
    far = outstanding(found)
    ordered = sorted(found.items(), key=lambda item: (-item[1], codes[item[0][0]].name, codes[item[0][1]].name))
    return [
        Pair(codes[i].name, codes[j].name, round(value, 4), _verbatim(codes[i], codes[j]), (i, j) in far)
        for (i, j), value in ordered[:most]
    ]


def outstanding(found: Mapping[Places, float]) -> set[Places]:
    """The pairs that stand out: far above what is usual in this class, where the class says what is.

    What half of the class writes is nobody's own: a pair must share more than each of the two shares with that half.
    """
    of_each: dict[int, list[float]] = defaultdict(list)
    for places, value in found.items():
        for place in places:
            of_each[place].append(value)
    if len(of_each) < SMALL:
        return {places for places, value in found.items() if value >= ALONE}
    far = threshold(list(found.values()))
    shared = {place: statistics.median(values) + 1 - EQUAL for place, values in of_each.items()}
    return {(i, j) for (i, j), value in found.items() if value >= far and value > max(shared[i], shared[j])}


def threshold(values: Sequence[float]) -> float:
    """Far above the usual; where that is more than can be reached, equality."""
    middle = statistics.median(values)
    spread = 1.4826 * statistics.median(abs(value - middle) for value in values)
    return min(EQUAL, max(LEAST, middle + FAR * spread))


def _verbatim(one: Code, other: Code) -> float:
    """With names, comments and layout as they were written."""
    return round(Indel.normalized_similarity(one.raw, other.raw), 4)
