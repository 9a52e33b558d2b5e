"""A small course's exports as text, and its gradebook made by the real command: what the gradebook's tests share."""

import csv
from collections.abc import Mapping
from pathlib import Path

from autograder.cli import main

COURSE = """
[course]
title = "Models"
term = "Spring 2027"
timezone = "America/New_York"
mirror = "https://github.com/example/problem-sets"
mirror_ref = "main"
hidden_seed = 1

[late]
hours = 120
percent_per_hour = 1

[points]
core = 100

[sets.ps1_first]
title = "First"
due = 2027-02-12T23:59:00
core = ["q1_a"]
available = []
extensions = []

[sets.ps2_second]
title = "Second"
due = 2027-03-12T23:59:00
core = ["q1_a"]
available = []
extensions = []
"""
HEADER = (
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
    "Lateness (H:M:S),View Count,Submission Count,1: q1 (100.0 pts)"
)
ADA = "Ada,Lovelace,0042,ada@example.edu,,80.5,100.0,Graded,11,2027-02-13 00:59:30 -0500,01:00:30,0,1,80.5"
BEN = "Ben,Bitdiddle,43,Ben@Example.edu,,90.0,100.0,Graded,12,2027-02-12 22:00:00 -0500,00:00:00,0,1,90.0"
EVE = "Eve,O'Hara,44,eve@example.edu,,,100.0,Missing,,,,0,0,"


def write(folder: Path, name: str, *lines: str) -> Path:
    (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder / name


def gradebook(course: Path, *words: str) -> int:
    return main(["gradebook", *words, "-o", str(course / "grades"), "--root", str(course)])


def rows(course: Path, name: str = "gradebook.csv") -> list[Mapping[str, str]]:
    with (course / "grades" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
