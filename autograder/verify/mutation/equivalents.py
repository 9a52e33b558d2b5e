"""`solutions/psN_*/equivalent_mutants.toml`: changes that no test can notice, each with the reason.

    [[equivalent]]
    question = "q1_gaussian"
    original = "L = torch.linalg.cholesky(Sigma + 0)"
    mutated = "L = torch.linalg.cholesky(Sigma - 0)"
    reason = "adding and subtracting zero are the same"

Entries are found by their lines, not by line numbers, without their comments, so that they stay valid
when code moves.
"""

import tomllib
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from autograder.course import Refusal
from autograder.verify.mutation.mutants import Mutant, without_comments

FILE = "equivalent_mutants.toml"
KEYS = ("question", "original", "mutated", "reason")


class Equivalents:
    """The listed changes of a set."""

    def __init__(self, reasons: dict[tuple[str, str, str], str]) -> None:
        self.reasons = reasons

    def reason(self, mutant: Mutant) -> str | None:
        """Why the mutant does the same as the reference; None if it is not listed."""
        return self.reasons.get(mutant.key)

    def stale(self, questions: Collection[str], survivors: Iterable[Mutant]) -> list[str]:
        """A sentence for each entry of these questions that is no survivor any more."""
        alive = {mutant.key for mutant in survivors}
        return [
            f"{FILE}: {question}: {original!r} to {mutated!r} is no survivor; remove the entry."
            for question, original, mutated in self.reasons
            if question in questions and (question, original, mutated) not in alive
        ]


def read_equivalents(folder: Path) -> Equivalents:
    """The list of a set's folder in `solutions/`; an empty one where there is no file. Raises Refusal."""
    file = folder / FILE
    if not file.is_file():
        return Equivalents({})
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8")).get("equivalent", [])
    except tomllib.TOMLDecodeError as error:
        raise Refusal(f"{FILE} is not valid TOML: {error}.") from None
    return Equivalents(dict(_entry(number, entry) for number, entry in enumerate(entries, start=1)))


def _entry(number: int, entry: dict[str, Any]) -> tuple[tuple[str, str, str], str]:
    if sorted(entry) != sorted(KEYS) or not all(isinstance(value, str) for value in entry.values()):
        raise Refusal(f"{FILE}: entry {number} must hold the texts {', '.join(KEYS)} and nothing else.")
    if not entry["reason"].strip():
        raise Refusal(f"{FILE}: entry {number} gives no reason.")
    key = (entry["question"], without_comments(entry["original"]), without_comments(entry["mutated"]))
    return key, entry["reason"]
