"""Canvas's download of submissions: one flat folder of files called name_LATE_user_attachment_original."""

import re
import shutil
from collections import defaultdict
from pathlib import Path

from autograder.batch.entries import Download, Entry, Student, in_order

FILE = re.compile(r"(?P<who>[^_]+)(?:_LATE)?_(?P<user>\d+)_(?P<file>\d+)_(?P<original>.+)")


def is_canvas(folder: Path) -> bool:
    """Whether every file of the folder is called as Canvas calls them."""
    names = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    return bool(names) and all(FILE.fullmatch(name) for name in names)


def read_canvas(folder: Path, work: Path) -> Download:
    """A submission per student; the files of each are copied to a folder of their own in `work`.

    Canvas's user number stands as the student's sid. The download does not say when a file was handed in.
    """
    files: dict[tuple[str, str], list[tuple[int, str, Path]]] = defaultdict(list)
    for path in folder.iterdir():
        if found := FILE.fullmatch(path.name):
            files[found["who"], found["user"]].append((int(found["file"]), found["original"], path))
    entries = []
    for (who, user), found_files in files.items():
        entry = Entry(f"{who}_{user}", work / f"{who}_{user}", (Student(name=who, sid=user),))
        entry.path.mkdir(parents=True, exist_ok=True)
        for _, original, path in sorted(found_files):  # a later attachment of the same name is the newer one
            shutil.copyfile(path, entry.path / original)
        entries.append(entry)
    return Download("a Canvas download", in_order(entries))
