"""What a checkpoint was made by: the code that counts, followed from a few names through the whole notebook.

Whoever mends an answer wants the training to start again, also where the mistake was in a constructor, in a helper, or
in a class that another one uses. So functions and classes are followed to all definitions of the notebook that they
name. Comments and the order of cells do not count.
"""

import hashlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import CodeType
from typing import Any

PLAIN = (bool, int, float, complex, str, bytes, type(None))


def fingerprint(made_by: Iterable[Callable[..., Any]], settings: Mapping[str, Any]) -> str:
    """Changes when a setting does, or the code of `made_by` or of anything of the notebook that it uses in turn."""
    codes = sorted(repr(_facts(function)) for function in followed(made_by))
    return hashlib.sha256(repr((codes, sorted(settings.items()))).encode()).hexdigest()


def followed(made_by: Iterable[Callable[..., Any]]) -> list[Callable[..., Any]]:
    """These functions, the methods of these classes, and all functions beside them that their code names."""
    found: list[Callable[..., Any]] = []
    waiting: list[tuple[int | None, Any]] = [(None, part) for part in made_by]
    while waiting:
        home, part = waiting.pop()
        for function in _functions(part):
            own = function.__globals__
            if function in found or home not in (None, id(own)):
                continue  # met before, or imported: a library's code is not the notebook's
            found.append(function)
            named = [own[name] for name in _names(function.__code__) if name in own]
            waiting += [(id(own), each) for each in named]
    return found


def _functions(part: Any) -> Iterator[Callable[..., Any]]:
    """The function itself; a class's methods, with those of the notebook's classes that it inherits from."""
    if isinstance(part, type):
        kin = [each for each in part.__mro__ if each.__module__ == part.__module__]
        members = [member for each in kin for member in vars(each).values()]
    else:
        members = [part]
    for member in members:
        for each in (member, getattr(member, "__func__", None), getattr(member, "fget", None)):
            plain = inspect.unwrap(each) if callable(each) else each
            if inspect.isfunction(plain):  # a wrapper may wrap what is written in C
                yield plain


def _names(code: CodeType) -> set[str]:
    """Names that the code looks up outside of itself, in functions within it as well."""
    inside = [_names(each) for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*inside)


def _facts(function: Callable[..., Any]) -> tuple[Any, ...]:
    defaults = [*(function.__defaults__ or ()), *sorted((function.__kwdefaults__ or {}).items())]
    return function.__qualname__, _code_facts(function.__code__), _constant(tuple(defaults))


def _code_facts(code: CodeType) -> tuple[Any, ...]:
    return code.co_code, code.co_names, [_constant(each) for each in code.co_consts]


def _constant(value: Any) -> Any:
    """A form that is the same in every process; what has none, such as an object that is a default, is left out."""
    if isinstance(value, CodeType):
        return _code_facts(value)
    if isinstance(value, tuple):
        return tuple(_constant(each) for each in value)
    if isinstance(value, frozenset):
        return sorted(repr(_constant(each)) for each in value)  # sets of strings have another order in every process
    return value if isinstance(value, PLAIN) else type(value).__name__
