"""The student's namespace in the worker: definitions in, calls on them, a course function in the place of one."""

import __future__

import linecache
import sys
import types
from typing import Any

from autograder.worker.faults import Missing

ABSENT = object()


class View:
    """What a probe gets as `ns`: `ns.f` is the student's `f`."""

    def __init__(self, names: dict[str, Any]) -> None:
        object.__setattr__(self, "_names", names)

    def __getattr__(self, name: str) -> Any:
        try:
            return self._names[name]
        except KeyError:
            raise Missing(f"the notebook does not define {name}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self._names[name] = value

    def __contains__(self, name: str) -> bool:
        return name in self._names


class Fallback(dict[str, Any]):
    """The globals of a provided function: its own, then the student's."""

    def __init__(self, behind: dict[str, Any]) -> None:
        super().__init__(__name__="provided")
        self._behind = behind

    def __missing__(self, name: str) -> Any:
        return self._behind[name]


class Notebook:
    """One namespace, as in the notebook; `cells` are the file names of what was loaded."""

    def __init__(self) -> None:
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        self.names = module.__dict__
        self.cells: set[str] = set()
        self._before: list[tuple[str, Any]] = []

    def load(self, pieces: list[tuple[str, int, str]]) -> None:
        """Execute (filename, first line, source) in order. Raises what the code raises."""
        for filename, first_line, source in pieces:
            self.cells.add(filename)
            self._remember(filename, first_line, source)
            padded = "\n" * (first_line - 1) + source
            exec(compile(padded, filename, "exec", dont_inherit=True), self.names)

    def _remember(self, filename: str, first_line: int, source: str) -> None:
        """Let inspect.getsource find the piece; torch.jit and dataclasses look there."""
        lines = linecache.getlines(filename)
        new = [line + "\n" for line in source.split("\n")]
        last = first_line - 1 + len(new)
        lines = lines + ["\n"] * (last - len(lines))
        lines[first_line - 1 : last] = new
        linecache.cache[filename] = (sum(map(len, lines)), None, lines, filename)

    def find(self, name: str) -> Any:
        """What the notebook calls `name`. Raises Missing."""
        if name not in self.names:
            raise Missing(f"the notebook does not define {name}")
        return self.names[name]

    def run(self, source: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call `name(ns, *args)` of a probe's source, executed in a namespace of its own."""
        names = _execute(source, "probe", {"__name__": "probe"})
        return names[name](View(self.names), *args, **kwargs)

    def provide(self, source: str, name: str, target: str) -> None:
        """Put the course's function `name` in the place of the student's `target`, until `restore`."""
        names = _execute(source, "provided", Fallback(self.names))
        self._before.append((target, self.names.get(target, ABSENT)))
        self.names[target] = dict.__getitem__(names, name)

    def restore(self) -> None:
        """Take back every `provide`, last first."""
        while self._before:
            target, value = self._before.pop()
            if value is ABSENT:
                self.names.pop(target, None)
            else:
                self.names[target] = value


def _execute(source: str, filename: str, names: dict[str, Any]) -> dict[str, Any]:
    # Annotations stay text, so that a probe may name types that it does not import.
    flags = __future__.annotations.compiler_flag
    exec(compile(source, filename, "exec", flags=flags, dont_inherit=True), names)
    return names
