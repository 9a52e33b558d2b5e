"""The fresh process: definitions and public checks of each question in a namespace of its own, as in the worker.

It keeps nobody from anything: it runs the student's own code on the student's own machine.
"""

import json
import linecache
import random
import sys
import types
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pskit.checks import results
from pskit.stubs import stub_of


def main() -> None:
    """Read the plan, the first argument; append to the second an empty line, and one of outcomes for each question."""
    plan, out = map(Path, sys.argv[1:3])
    _append(out, "")
    for question in json.loads(plan.read_text(encoding="utf-8")):
        _append(out, json.dumps(_of_question(question)))


def _append(out: Path, line: str) -> None:
    with out.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _of_question(question: dict[str, Any]) -> list[dict[str, str]]:
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    results.clear()
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)
    parts = dict.fromkeys(part for part, _ in question["checks"])
    try:
        for filename, first_line, source in question["pieces"]:
            _execute(filename, first_line, source, module.__dict__)
        for part, source in question["checks"]:
            _execute(f"check {part}", 1, source, module.__dict__)
    except BaseException as error:  # SystemExit too: whatever the student's cells raise is theirs to read
        state = "not implemented" if stub_of(error) else "error"
        message = f"a cell that it needs raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"
        return [_outcome(part, state, message) for part in parts]
    return [_outcome(part) for part in parts]


def _execute(filename: str, first_line: int, source: str, names: dict[str, Any]) -> None:
    """Run a piece so that errors name its cell and line and show the line."""
    text = "\n" * (first_line - 1) + source
    _remember(filename, text.split("\n"))
    exec(compile(text, filename, "exec", dont_inherit=True), names)


def _remember(filename: str, lines: list[str]) -> None:
    """Let tracebacks find the lines of a cell, which come in pieces: each is blank where the others stand."""
    before = linecache.getlines(filename)
    merged = [f"{new or old.rstrip()}\n" for new, old in zip_longest(lines, before, fillvalue="")]
    linecache.cache[filename] = (0, None, merged, filename)


def _outcome(part: str, state: str = "error", message: str = "its checks left no record") -> dict[str, str]:
    record = results.get(part)
    if record is None:
        return {"part": part, "state": state, "message": message}
    messages = [" ".join(str(message).split()) for message in record["messages"]]
    return {"part": part, "state": record["state"], "message": messages[0][:300] if messages else ""}
