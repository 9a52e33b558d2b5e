"""Hidden tests in the trusted process: pytest with this plugin and nothing else, neither configuration nor others."""

import contextlib
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import pytest

from autograder.testing.points import Worth

# Everything of pytest's own that writes, captures, hooks in or reads settings. What stays collects and runs.
_LEFT_OUT = """
cacheprovider terminal logging warnings faulthandler unraisableexception threadexception junitxml pastebin doctest
unittest stepwise setuponly setupplan recwarn tmpdir debugging legacypath reports subtests
"""
OPTIONS = (
    *("-c", os.devnull, "--noconftest", "--disable-plugin-autoload", "--import-mode=importlib"),
    *("--assert=plain", "--capture=no"),
    *(word for name in _LEFT_OUT.split() for word in ("-p", f"no:{name}")),
)

OWN_SECONDS = 60.0  # what a test may compute besides the student's calls


@dataclass(frozen=True)
class Ended:
    """One hidden test that was run: `error` is None where it passed; `worth` where it has no @points."""

    question: str
    name: str
    claim: str
    worth: Worth | None
    error: BaseException | None
    seconds: float


class Host(Protocol):
    """Who gives a test what it needs, and hears how it ended."""

    def begin(self, question: str, name: str, worth: Worth) -> None:
        """A test starts."""

    def ps(self) -> Any:
        """What the running test's `ps` is."""

    def rng(self) -> Any:
        """What the running test's `rng` is."""

    def end(self, ended: Ended) -> None:
        """The test ended."""

    def broken(self, question: str, error: BaseException | str) -> None:
        """A question's test file cannot be used."""


class PytestBroke(Exception):
    """Not a test but its surroundings failed: nothing that was found so far can be trusted."""


class Overdue(Exception):
    """A hidden test's own computing did not end in time."""


class MissingPoints(Exception):
    """A hidden test without @points; no student can be judged by it."""


def run_hidden_tests(files: Sequence[Path], host: Host) -> None:
    """Run the tests of these files in order. Raises PytestBroke when pytest or the host fails, whatever a test does."""
    if not files:
        return
    options = [*OPTIONS, f"--rootdir={files[0].parent}", *map(str, files)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a library's deprecation is no verdict, whoever grades from wherever
        code = pytest.main(options, plugins=[_Plugin(host, files)])
    if code == pytest.ExitCode.INTERRUPTED:
        raise KeyboardInterrupt
    if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise PytestBroke(f"pytest stopped with {code!r}")


def question_of(file: Path) -> str:
    """`q1_gaussian` of `.../test_q1_gaussian.py`."""
    return file.stem.removeprefix("test_")


_modules: dict[Path, ModuleType] = {}


def warm(files: Sequence[Path]) -> None:
    """Import test files ahead of their run, scipy with them. One that cannot be imported is reported when it is run."""
    for file in files:
        with contextlib.suppress(Exception):
            _module(file)


def _module(path: Path) -> ModuleType:
    if path not in _modules:
        _modules[path] = _import(path)
    return _modules[path]


class HiddenModule(pytest.Module):
    """A test file imported once per process, by its place, and not by pytest's rewriting import."""

    def _getobj(self) -> ModuleType:
        return _module(self.path)


def _import(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"hidden tests {path}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path.name} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[module.__name__]
        raise
    return module


class _Plugin:
    def __init__(self, host: Host, files: Sequence[Path]) -> None:
        self._host = host
        wanted = [file.absolute() for file in files]
        self._way = {*wanted, *(folder for file in wanted for folder in file.parents)}
        self._error: BaseException | None = None

    @pytest.fixture
    def ps(self) -> Any:
        """The student's code."""
        return self._host.ps()

    @pytest.fixture
    def rng(self) -> Any:
        """The test's own random generator."""
        return self._host.rng()

    def pytest_ignore_collect(self, collection_path: Path) -> bool:
        """Of what lies beside the wanted files and the folders above them, nothing is asked."""
        return collection_path not in self._way

    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector:
        """No `__init__.py` is imported: a test file stands alone."""
        return pytest.Dir.from_parent(parent, path=path)

    def pytest_pycollect_makemodule(self, module_path: Path, parent: pytest.Collector) -> pytest.Collector:
        return HiddenModule.from_parent(parent, path=module_path)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """A file that cannot be imported is the course's mistake, and its question's alone."""
        report = yield
        if report.failed and isinstance(collector, HiddenModule):
            self._host.broken(question_of(collector.path), str(report.longrepr))
            report.outcome, report.longrepr, report.result = "passed", None, []
        return report

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """One test, from its set-up to its tear-down."""
        question, worth = question_of(item.path), _worth(item)
        self._error = None if worth else MissingPoints(f"{item.name} has no @points")
        self._host.begin(question, item.name, worth or Worth(0, "", "", 20.0))
        started = time.monotonic()
        result = yield
        claim = _claim(item)
        self._host.end(Ended(question, item.name, claim, worth, self._error, time.monotonic() - started))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """A test whose own computing does not end is stopped, where it runs in the main thread."""
        worth = _worth(item)
        with alarm(worth.timeout + OWN_SECONDS if worth else OWN_SECONDS):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> pytest.TestReport:
        """The first error of a test counts; pytest's own account of it, with values and source, is never made."""
        if call.excinfo is not None and self._error is None:
            self._error = call.excinfo.value
        outcome, when = ("passed" if call.excinfo is None else "failed"), call.when
        assert when != "collect", "a report on a test"
        return pytest.TestReport(item.nodeid, item.location, {}, outcome, None, when)  # type: ignore[arg-type]


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    """Raise Overdue inside the block after this many seconds. Outside the main thread it does nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    started, handler = time.monotonic(), signal.signal(signal.SIGALRM, _ring)
    others, _ = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if others:  # somebody else's alarm goes on
            signal.setitimer(signal.ITIMER_REAL, max(others - (time.monotonic() - started), 0.001))


def _ring(number: int, frame: object) -> None:
    raise Overdue("the hidden test's own computing took too long")


def _worth(item: pytest.Item) -> Worth | None:
    worth = getattr(getattr(item, "function", None), "worth", None)
    return worth if isinstance(worth, Worth) else None


def _claim(item: pytest.Item) -> str:
    function: Callable[..., Any] | None = getattr(item, "function", None)
    text = (getattr(function, "__doc__", None) or "").strip()
    return text.partition("\n")[0].strip() or "(this test states no claim)"
