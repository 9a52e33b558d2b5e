"""A call of the student's function, and a look at its arguments afterwards: the caller needs them again."""

from torch import Tensor, equal

from autograder.testing import expect_true

UNCHANGED = "the arguments are needed again: write X = X - mu, not X -= mu"


def probe_call(ns, name, args, kwargs):
    """The result, the arguments after the call, and whether one of them was marked for gradients."""
    got = getattr(ns, name)(*args, **kwargs)
    return got, list(args), any(getattr(each, "requires_grad", False) for each in args)


def untouched(ps, name, *args, **kwargs):
    """What the student's function of this name returns; its arguments must be what they were."""
    got, after, marked = ps.run(probe_call, name, args, kwargs)
    expect_same(after, args, marked)
    return got


def expect_same(after, given, marked=False):
    """The arguments after a call are what was given."""
    expect_true(all(same(left, each) for left, each in zip(after, given, strict=True)), UNCHANGED)
    expect_true(not marked, "the arguments stay as they are: detach before asking for a gradient in one")


def same(left, given):
    """Whether an argument is still what was given."""
    if isinstance(given, Tensor):
        return isinstance(left, Tensor) and left.shape == given.shape and equal(left, given)
    if isinstance(given, (list, tuple)):
        return len(left) == len(given) and all(same(*pair) for pair in zip(left, given, strict=True))
    return left == given
