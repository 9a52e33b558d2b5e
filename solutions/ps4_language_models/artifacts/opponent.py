"""How well a table of n-grams expects Shakespeare: the opponent of the GPT in question 8.

    PSKIT_DATA=<folder with tinyshakespeare> python solutions/ps4_language_models/artifacts/opponent.py

Interpolated Kneser-Ney smoothing (Chen and Goodman, 1999) of characters with one discount for each order, which was not
tuned. Counts are from the training text; 60,000 characters of validation text and of the hidden plays are judged.
"""

import math
from collections import Counter, defaultdict

from autograder.hidden.ps4_language_models.handed_in import ALPHABET, hidden_text
from pskit import data

DISCOUNTS = (0.6, 0.7, 0.8, 0.8, 0.85, 0.9, 0.9)


class KneserNey:
    """Probabilities of the next character, by orders from 1 to n."""

    def __init__(self, text: str, n: int) -> None:
        grams = Counter(text[i : i + n] for i in range(len(text) - n + 1))
        self.counts: list[dict[str, Counter[str]]] = []
        while n:
            table: dict[str, Counter[str]] = defaultdict(Counter)
            for gram, count in grams.items():
                table[gram[:-1]][gram[-1]] += count
            self.counts.insert(0, table)
            grams, n = Counter(gram[1:] for gram in grams), n - 1  # in how many contexts each shorter one occurs

    def p(self, before: str, ch: str) -> float:
        """The probability of ch after the text `before`, which has n - 1 characters."""
        p = 1 / len(ALPHABET)
        for k, (table, discount) in enumerate(zip(self.counts, DISCOUNTS, strict=False)):
            seen = table.get(before[len(before) - k :])
            if seen is None:
                break
            total = seen.total()
            p = max(seen[ch] - discount, 0) / total + discount * len(seen) / total * p
        return p


def main() -> None:
    """Print nats per character by order."""
    text = data.shakespeare()
    train, val = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
    for n in range(2, len(DISCOUNTS) + 1):
        model, nats = KneserNey(train, n), []
        for judged in (val[:60_000], hidden_text()[:60_000]):
            places = range(n - 1, len(judged))
            nats.append(-sum(math.log(model.p(judged[i - n + 1 : i], judged[i])) for i in places) / len(places))
        stored = sum(len(each) for table in model.counts for each in table.values())
        print(f"n = {n}: validation {nats[0]:.3f}, hidden {nats[1]:.3f} nats; {stored:,} counts", flush=True)


if __name__ == "__main__":
    main()
