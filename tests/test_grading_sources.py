"""Probes and provided functions travel as their own source, and a test's author hears when that cannot work."""

import re

import numpy as np
import pytest
import torch

from autograder.grading.sources import HiddenTestError, portable_source, probe_in_words
from autograder.testing import points

CONSTANT = 3.0


def run(function):
    """Execute the portable source as the worker does, in an empty namespace."""
    source, name = portable_source(function)
    names = {}
    exec(source, names)
    return names[name]


def uses_imports_of_its_module(ns, x: torch.Tensor) -> torch.Tensor:
    return torch.tensor(np.square(x.numpy()))


def test_torch_and_numpy_come_along():
    assert run(uses_imports_of_its_module)(None, torch.tensor([3.0])).tolist() == [9.0]


@points(1, "1a", hint="")
def decorated_and_annotated(ns, x: "NoSuchType" = 2) -> "NoSuchType":  # noqa: F821
    def inner(y):
        return x * y

    return [inner(y) for y in range(3)]


def test_decorators_and_annotations_stay_behind():
    assert run(decorated_and_annotated)(None) == [0, 2, 4]


def test_a_nested_function_is_dedented():
    def nested(ns):
        return 5

    assert run(nested)(None) == 5


def recursive(n):
    return 1 if n == 0 else n * recursive(n - 1)


def test_a_function_may_call_itself():
    assert run(recursive)(4) == 24


def uses_a_constant(ns):
    return CONSTANT


def uses_a_helper(ns):
    return recursive(3)


@pytest.mark.parametrize(("function", "name"), [(uses_a_constant, "CONSTANT"), (uses_a_helper, "recursive")])
def test_names_of_the_tests_module_are_refused_by_name(function, name):
    with pytest.raises(HiddenTestError, match=f"{function.__name__} uses {name} from outside itself"):
        portable_source(function)


def test_a_closure_is_refused():
    width = 3

    def closure(ns):
        return width

    with pytest.raises(HiddenTestError, match="closure uses width from outside itself"):
        portable_source(closure)


@pytest.mark.parametrize(("function", "said"), [(lambda ns: 1, "not as a lambda"), (len, "must be a function")])
def test_what_is_no_def_is_refused(function, said):
    with pytest.raises(HiddenTestError, match=re.escape(said)):
        portable_source(function)


def probe_of_two(ns, x, steps):
    return [ns.second(ns.first(x), each) for each in ns.first(steps)]


def probe_of_none(ns):
    return len(dir(ns))


@pytest.mark.parametrize(
    ("probe", "words", "parameters"),
    [
        (probe_of_two, "lines that use second and first", ["x", "steps"]),
        (probe_of_none, "lines that use your code", []),
    ],
)
def test_a_probe_is_told_by_the_definitions_that_it_uses(probe, words, parameters):
    source, _ = portable_source(probe)
    assert probe_in_words(source) == (words, parameters)
