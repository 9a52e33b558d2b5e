"""The leak check: no line, comment or sentence of a solution, and nothing of a hidden test, in what students get.

It finds text that was copied, however it is indented, wrapped, quoted, commented out, coloured or numbered, in cells,
outputs, metadata, names of files, and zips inside zips. It does not find a solution that is reworded or whose variables
are renamed, text inside pictures or other binary data, or single lines so short that anybody would write them
(`return x`); for releases, `clear` compares every line with the source and so catches those too.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from autograder.release.canonical import canonical_lines, lone_pieces, variants
from autograder.release.errors import ReleaseError
from autograder.release.secrets import Secret
from autograder.release.texts import texts_of_bytes, texts_of_path
from autograder.source import located

GRAM = 12  # no secret that is searched inside a text is shorter
SHOWN = 5


@dataclass(frozen=True)
class Leak:
    """A secret and where it was found."""

    where: str
    secret: Secret

    def __str__(self) -> str:
        file, line = located(self.secret.file, self.secret.line)
        place = f"{file.name}:{line}"
        said = self.secret.said if len(self.secret.said) <= 80 else f"{self.secret.said[:77]}..."
        return f"{self.where}: {self.secret.kind} of {place}: {said!r}"


def find_leaks(secrets: Iterable[Secret], path: Path) -> tuple[Leak, ...]:
    """The leaks in a file, a zip or a folder; each secret once per place."""
    return _leaks(tuple(secrets), texts_of_path(path))


def refuse_leaks(secrets: Iterable[Secret], files: Mapping[str, bytes]) -> None:
    """ReleaseError if any of these files holds a secret."""
    texts = ((where, text) for name, data in files.items() for where, text in texts_of_bytes(name, data))
    leaks = _leaks(tuple(secrets), texts)
    if leaks:
        more = f"\n  and {len(leaks) - SHOWN} more" if len(leaks) > SHOWN else ""
        listed = "".join(f"\n  {leak}" for leak in leaks[:SHOWN])
        raise ReleaseError(f"Students would get what they must not see; nothing was written.{listed}{more}")


def _leaks(secrets: tuple[Secret, ...], texts: Iterable[tuple[str, str]]) -> tuple[Leak, ...]:
    alone = {secret.text: secret for secret in secrets if secret.alone}
    inside = _by_first_gram(secret for secret in secrets if not secret.alone)
    found = {
        Leak(where, s): None for where, text in texts for v in variants(text) for s in _secrets_in(v, alone, inside)
    }
    return tuple(found)


def _by_first_gram(secrets: Iterable[Secret]) -> dict[str, list[Secret]]:
    by_gram: dict[str, list[Secret]] = {}
    for secret in secrets:
        by_gram.setdefault(secret.text[:GRAM], []).append(secret)
    return by_gram


def _secrets_in(text: str, alone: Mapping[str, Secret], inside: Mapping[str, list[Secret]]) -> Iterator[Secret]:
    yield from (alone[piece] for piece in lone_pieces(text) if piece in alone)
    whole = "".join(canonical_lines(text))
    grams = {whole[start : start + GRAM] for start in range(len(whole))}
    yield from (secret for gram in grams & inside.keys() for secret in inside[gram] if secret.text in whole)
