"""Pages of what was run: a section for each round, by its title; what is not run again stays as it was."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def commit() -> str:
    """The commit that is measured, with `-dirty` where files differ from it; the pages themselves do not count."""
    git = ["git", "-C", str(ROOT)]
    name = subprocess.check_output([*git, "describe", "--always"], text=True).strip()
    others = subprocess.check_output([*git, "status", "--porcelain", "--untracked-files=no", "--", ":!*.md"], text=True)
    return f"{name}-dirty" if others else name


def kept(page: Path, end: str = "\n") -> dict[str, str]:
    """The sections of a page as it stands, by the part of their heading before `end`."""
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    found = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part[3 : part.index(end)]: part.rstrip() + "\n" for part in found}


def write(page: Path, head: str, order: Iterable[str], sections: Mapping[str, str]) -> None:
    """The page with those sections that there are, in this order."""
    there = [sections[title] for title in order if title in sections]
    page.write_text("\n".join([head, *there]), encoding="utf-8")
