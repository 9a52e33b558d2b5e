"""A question's line in `course.toml`, put in without touching the file's comments and layout."""

import re
import tomllib


def with_question(text: str, set_name: str, key: str, question: str) -> str | None:
    """The text with `question` at the end of the list `key` of `[sets.SET]`; None where that cannot be done safely."""
    table = re.search(rf"^\[sets\.{re.escape(set_name)}\][^\n]*\n(?:(?!\[)[^\n]*\n?)*", text, re.MULTILINE)
    entry = table and re.search(rf"^{key}\s*=\s*\[(?P<items>[^\]#]*)\]", table[0], re.MULTILINE)
    if table is None or not entry:
        return None
    at = table.start() + entry.start("items")
    items = entry["items"]
    changed = text[:at] + _longer(items, question) + text[at + len(items) :]
    return changed if _differs_by(text, changed, set_name, key, question) else None


def _longer(items: str, question: str) -> str:
    """`"a", "b"` as `"a", "b", "c"`; a list that stands on lines of its own gets one more line."""
    kept = items.rstrip().removesuffix(",")
    if "\n" in items:
        return f'{kept},\n    "{question}",\n' if kept.strip() else f'\n    "{question}",\n'
    return f'{kept}, "{question}"' if kept.strip() else f'"{question}"'


def _differs_by(before: str, after: str, set_name: str, key: str, question: str) -> bool:
    """Whether the new text says what the old one said, and the question besides."""
    expected = tomllib.loads(before)
    expected["sets"][set_name][key].append(question)
    try:
        return tomllib.loads(after) == expected
    except tomllib.TOMLDecodeError:
        return False
