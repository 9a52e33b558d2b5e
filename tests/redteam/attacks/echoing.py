"""Recognising the grader and answering with what came in."""


def arguments_returned():
    """What was passed in, returned in every form, is not what was asked for."""

    def affine(x, factor, shift=0.0):
        return x

    def cipher(text, key):
        return text

    class Scaler:
        def __init__(self, width):
            self.width = width

        def apply(self, x):
            return x

    def halve(scaler, x):
        return x


def arguments_changed_in_place():
    """Inputs overwritten in the worker do not change the grader's own, with which it compares."""

    def affine(x, factor, shift=0.0):
        return x.mul_(0)

    class Scaler:
        def __init__(self, width):
            self.width = width * 0

        def apply(self, x):
            x.zero_()
            return x

    def halve(scaler, x):
        return x.zero_()


def earlier_inputs_cached():
    """An answer to an earlier call, kept and given again, does not answer the next one."""

    SEEN = []

    def affine(x, factor, shift=0.0):
        SEEN.append(factor * x)
        return SEEN[0]

    def halve(scaler, x):
        SEEN.append(x)
        return SEEN[0]

    class Scaler:
        def __init__(self, width):
            pass


def provided_function_stolen():
    """A known-good function that the worker was given does not stay for another question."""
    import gc

    def affine(x, factor, shift=0.0):
        for thing in gc.get_objects():
            if type(thing) is type(affine) and thing.__name__.startswith("good"):
                return thing(x, factor, shift)
        raise LookupError


def answers_by_call_number():
    """Counting calls tells which test calls, and gives no answer."""

    CALLS = iter(range(1000))

    def affine(x, factor, shift=0.0):
        return [x, x * 0, factor, True, None][next(CALLS) % 5]


def answers_of_every_kind():
    """True, 0, 1, empty strings and empty containers satisfy no comparison."""

    VALUES = iter([True, 0, 1.0, "", b"", [], (), {}, None])

    def affine(x, factor, shift=0.0):
        return True

    def cipher(text, key):
        return ""

    class Scaler:
        width = True

        def __init__(self, width):
            pass

        def apply(self, x):
            return next(VALUES)

    def halve(scaler, x):
        return x.new_zeros(0)


def grader_detected():
    """A worker can tell that it is not a notebook; that is no help."""
    import os
    import sys

    GRADED = "autograder.worker.child" in sys.modules or not os.environ.get("USER")

    def affine(x, factor, shift=0.0):
        return x if GRADED else factor * x + shift


def other_questions_answered():
    """The code of one question cannot answer from within another's worker."""
    import sys

    SEEN = {}

    def cipher(text, key):
        SEEN["text"] = text
        sys.modules["seen"] = SEEN
        return text

    def affine(x, factor, shift=0.0):
        if "seen" in sys.modules:
            breach()
        return x
