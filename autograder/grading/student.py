"""`ps`, the student's code as a hidden test sees it: calls go to the worker, plain data and handles come back."""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from autograder.grading.described import signature
from autograder.grading.desk import Desk
from autograder.grading.report import Measure
from autograder.grading.sources import HiddenTestError, portable_source, probe_in_words
from autograder.testing.expect import describe
from autograder.worker import Handle, Worker
from pskit.notebook import artifact_problems

ORDERS = {"highest": "desc", "lowest": "asc"}  # in Gradescope's words


class NotSubmitted(Exception):
    """An artifact that a test asks for is not part of the submission."""

    def __init__(self, file: str) -> None:
        super().__init__(f"{file} was not submitted")
        self.file = file


class Unsound(Exception):
    """An artifact that cannot be read; `sentence` says why."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Remote:
    """An object that stays in the worker: `net.encode(x)` calls a method there, `ps.get(net, "width")` reads."""

    described = "an object that is no plain data"  # what `expect_*` calls it

    def __init__(self, handle: Handle, ps: "Student") -> None:
        self._handle, self._ps = handle, ps

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        return self._ps._method(self._handle, name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object itself, as a module is called."""
        return self._ps._method(self._handle, "__call__")(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<an object of the student's, {self._handle.type_name}>"


class Student:
    """What hidden tests call `ps`. `ps.f(...)` calls the student's `f`; the other methods are described below."""

    def __init__(
        self,
        desk: Desk,
        artifacts: Mapping[str, bytes],
        parameters: Mapping[str, Sequence[str]],
        known: Callable[[str], bool] = lambda name: True,
    ) -> None:
        self._desk, self._artifacts, self._parameters, self._known = desk, artifacts, parameters, known

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The student's function or class of this name; HiddenTestError where the release asks for no such name."""
        if name.startswith("_"):
            raise AttributeError(name)
        if not self._known(name):
            raise HiddenTestError(f"ps.{name}: the release neither asks for {name} nor gives it.")

        def call(*args: Any, **kwargs: Any) -> Any:
            sent, named = _local(args), _local(kwargs)
            what = signature(name, args, kwargs, self._parameters.get(name, ()))
            return self._ask(what, lambda worker, seconds: worker.call(name, sent, named, timeout=seconds))

        return call

    def run(self, probe: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run `probe(ns, *args, **kwargs)` in the worker; `ns.f` is the student's `f`."""
        source, name = portable_source(probe)
        sent, named = _local(args), _local(kwargs)
        lines, parameters = probe_in_words(source)
        what = f"{lines}, with {signature('', args, kwargs, parameters)[1:-1] or 'no input'}"
        return self._ask(what, lambda worker, seconds: worker.run(source, name, sent, named, timeout=seconds))

    def provide(self, **functions: Callable[..., Any]) -> None:
        """Replace the student's functions by known-good ones until the end of the test."""
        for target, function in functions.items():
            source, name = portable_source(function)
            self._desk.prepare(partial(_provide, source, name, target))

    def artifact(self, file: str, *, keep: bool = False) -> Any:
        """The submitted safetensors file as a dict of tensors; with `keep` it stays in the worker, as an argument.

        Ends the test where the file is absent or unsound.
        """
        if file not in self._artifacts:
            raise NotSubmitted(file)
        problems = artifact_problems(file, self._artifacts[file])
        if problems:
            raise Unsound(problems[0])
        return self._ask(file, lambda worker, seconds: worker.artifact(file, keep=keep, timeout=seconds))

    def get(self, remote: Remote, attribute: str) -> Any:
        """An attribute of an object that stays in the worker."""
        handle = _local(remote)
        what = f"{attribute} of your object"  # what its class is called is the worker's word
        return self._ask(what, lambda worker, seconds: worker.get(handle, attribute, timeout=seconds))

    def measure(self, name: str, value: float, best: str = "highest") -> None:
        """Note a number for the class's leaderboard, which the term may switch on; `best` is "highest" or "lowest".

        It is shown with three digits. It costs and earns nothing; a value that is no finite number is left out.
        """
        if best not in ORDERS or not 0 < len(name) <= 60:
            raise HiddenTestError(f"ps.measure: {name!r} has a name of 1 to 60 letters, and `best` highest or lowest.")
        if math.isfinite(value):
            self._desk.measures[name] = Measure(name, float(f"{value:.3g}"), ORDERS[best])

    def _method(self, handle: Handle, name: str) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            sent, named = _local(args), _local(kwargs)
            what = signature(name if name != "__call__" else "forward", args, kwargs)
            return self._ask(
                what, lambda worker, seconds: worker.call_method(handle, name, sent, named, timeout=seconds)
            )

        return call

    def _ask(self, what: str, request: Callable[..., Any]) -> Any:
        answer = self._remote(self._desk.ask(what, request))
        self._desk.calls.returned = describe(answer)
        return answer

    def _remote(self, value: Any) -> Any:
        """Handles, alone or in plain containers, become objects that the test can use."""
        if isinstance(value, Handle):
            return Remote(value, self)
        if isinstance(value, list | tuple):
            return type(value)(self._remote(item) for item in value)
        if isinstance(value, dict):
            return {key: self._remote(item) for key, item in value.items()}
        return value


def _provide(source: str, name: str, target: str, worker: Worker, seconds: float) -> None:
    worker.provide(source, name, target, timeout=seconds)


def _local(value: Any) -> Any:
    """The reverse: objects that the test holds become handles again."""
    if isinstance(value, Remote):
        return value._handle
    if type(value) in (list, tuple):
        return type(value)(_local(item) for item in value)
    if type(value) is dict:
        return {key: _local(item) for key, item in value.items()}
    return value
