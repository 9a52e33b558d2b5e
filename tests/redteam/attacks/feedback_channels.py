"""Carrying what a function received out through the feedback, for a friend to read."""


def text_of_an_exception():
    """The text of a student's exception is withheld, whichever encoding it is in."""
    import base64

    def affine(x, factor, shift=0.0):
        raise ValueError(f"got {x} {factor} {shift}")

    def cipher(text, key):
        raise RuntimeError(f"{text} {text[::-1]} {text.encode().hex()} {base64.b64encode(text.encode())}")

    class Scaler:
        def __init__(self, width):
            assert not width, f"width is {width}"


def text_of_library_errors():
    """Errors that Python itself words around a value (KeyError, int(), json, open) do not show the value."""
    import json

    STEPS = [lambda t: {}[t], int, lambda t: json.loads(t), lambda t: open(t), lambda t: getattr(object, t), __import__]
    NEXT = iter(range(1000))

    def cipher(text, key):
        return STEPS[next(NEXT) % 6](text)

    def affine(x, factor, shift=0.0):
        return {}[factor]

    class Scaler:
        def __init__(self, width):
            int(str(width))


def text_like_torchs():
    """A text worded like torch's is repeated only as far as it holds sizes: no words, no decimals, nothing behind."""

    def cipher(text, key):
        raise RuntimeError(f"mat1 and mat2 shapes cannot be multiplied ({text} and 3x4)")

    def affine(x, factor, shift=0.0):
        raise RuntimeError(f"The size of tensor a ({factor}) must match the size of tensor b ({shift})")

    class Scaler:
        def __init__(self, width):
            raise IndexError(f"list index out of range {width}\n{width}")


def text_like_torchs_by_exec():
    """The same, raised by code that claims to be a library's."""

    def cipher(text, key):
        source = f"raise NameError({f'name {text!r} is not defined'!r})"
        exec(compile(source, "torch/_tensor.py", "exec"), {"__name__": "torch"})


def name_of_an_exception_class():
    """An exception class named after the input is called an exception."""

    def cipher(text, key):
        raise type("".join(filter(str.isalnum, text)), (Exception,), {})()

    def affine(x, factor, shift=0.0):
        raise type(f"E{str(factor).replace('.', '')}", (RuntimeError,), {"__module__": "torch"})(str(shift))


def name_of_a_returned_class():
    """An object of a class that is named after the input is described without its name."""

    def cipher(text, key):
        return type("".join(filter(str.isalnum, text)), (), {})()

    def Scaler(width):
        return type(f"W{str(width).replace('.', '')}", (), {"width": None})()


def name_of_an_attribute():
    """A missing attribute or name that is called as the input is not repeated."""

    class Empty:
        pass

    def cipher(text, key):
        return getattr(Empty(), "".join(filter(str.isalpha, text)))

    def affine(x, factor, shift=0.0):
        return eval(f"v{str(factor)[2:]}")


def names_spelt_with_dots():
    """Letters of the notebook, joined by dots, do not spell an input."""

    a = b = c = d = e = f = g = h = i = j = k = l = m = n = o = p = q = r = s = t = u = v = w = x = y = z = None

    def cipher(text, key):
        word = ".".join(filter(str.isalpha, text))
        raise AttributeError(f"'Tensor' object has no attribute '{word}'")


def names_spelt_over_gaps():
    """Letters of the notebook in every gap of one text do not spell an input."""

    a = b = c = d = e = f = g = h = i = j = k = l = m = n = o = p = q = r = s = t = u = v = w = x = y = z = None

    def cipher(text, key):
        word = "".join(filter(str.isalpha, text))
        parts = [".".join(word[at : at + 3]) for at in range(0, 12, 3)]
        raise TypeError("{}(): argument '{}' (position 1) must be {}, not {}".format(*parts))


def stub_of_another_name():
    """The text of a stub is repeated for the release's names alone."""

    def cipher(text, key):
        raise NotImplementedError(f"Question 2a: {text}")

    def affine(x, factor, shift=0.0):
        raise NotImplementedError(f"Question 1a: affine.x{str(factor)[2:]}")


def name_of_a_function():
    """A frame's function that is called as the input is not named."""

    def cipher(text, key):
        name = "".join(filter(str.isalpha, text))
        names = {}
        exec(compile(f"def {name}(): raise ValueError", "cell 1", "exec"), names)
        names[name]()


def name_of_a_file():
    """A frame's or a SyntaxError's file that is called as the input is not named."""

    def cipher(text, key):
        raise SyntaxError("invalid", (text, 1, 1, text))

    def affine(x, factor, shift=0.0):
        exec(compile("raise ValueError", f"cell {str(factor)[2:]}", "exec"))


def number_of_a_line():
    """A line number beyond the notebook's own lines is not shown."""

    def affine(x, factor, shift=0.0):
        exec(compile("\n" * 48610 + "raise ValueError", "cell 1", "exec"))

    def cipher(text, key):
        exec(compile("\n" * 48610 + "1/0", "cell 99", "exec"))


def text_of_the_line():
    """The line that is shown is the notebook's, whatever linecache holds in the worker."""
    import linecache

    def cipher(text, key):
        for cell in list(linecache.cache):
            linecache.cache[cell] = (1, None, [text + "\n"] * 1000, cell)
        raise ValueError


def notes_and_causes():
    """Notes, causes, contexts and groups of an exception are not shown."""

    def cipher(text, key):
        error = ValueError("list index out of range")
        error.add_note(text)
        error.args = (text,)
        raise ExceptionGroup(text, [error]) from KeyError(text)


def warnings_and_prints():
    """Warnings, logs, prints and raw writes reach nobody."""
    import logging
    import os
    import sys
    import warnings

    def cipher(text, key):
        warnings.warn(text)
        logging.error(text)
        print(text)
        print(text, file=sys.stderr)
        sys.__stdout__.write(text)
        os.write(1, text.encode())
        os.write(2, text.encode())
        return None


def keys_and_types_returned():
    """What a wrong answer holds is described by its kind and size alone."""

    def cipher(text, key):
        return {text: [text]}

    def affine(x, factor, shift=0.0):
        return [factor, shift]

    class Scaler:
        def __init__(self, width):
            self.width = str(width)


def sizes_returned():
    """The shape of an answer carries no decimals; what sizes can carry is bounded by what an answer may hold."""
    import torch

    def affine(x, factor, shift=0.0):
        return torch.empty(int(str(factor)[2:9]), 0, int(str(factor)[2:6]))

    def cipher(text, key):
        return torch.empty([ord(character) for character in text[:5]] + [0])


def sizes_in_an_error():
    """An error about sizes is repeated with sizes as they occur, not with the twenty bytes of a text."""
    import torch

    def cipher(text, key):
        sizes = ", ".join(str(ord(character)) for character in text)
        raise RuntimeError(f"shape '[{sizes}]' is invalid for input of size 1")

    def affine(x, factor, shift=0.0):
        return torch.zeros(int(factor * 1e10), 0) + torch.zeros(int(-shift * 100), 1, 0)


def public_checks():
    """What the worker of the hidden calls learnt is not there when the public checks run."""
    import sys

    SEEN = []

    def cipher(text, key):
        SEEN.append(text)
        results = sys.modules["pskit.checks"].results
        results["1a"] = results["2a"] = {"state": "failed", "messages": [text] * 5}
        return None

    def affine(x, factor, shift=0.0):
        cipher(str(factor), 1)
        with open("seen.txt", "a") as file:
            file.write(str(factor))
        raise ValueError(open("seen.txt").read() + str(SEEN))


def reason_of_death():
    """How a process ended is the kernel's word: its last output is not repeated."""
    import os

    def cipher(text, key):
        os.write(2, text.encode())
        os._exit(sum(text.encode()) % 256 % 70)


def title_of_a_process_and_threads():
    """Names of processes and threads are shown nowhere."""
    import ctypes
    import threading

    def cipher(text, key):
        ctypes.CDLL(None).prctl(15, text.encode(), 0, 0, 0)
        threading.current_thread().name = text
        threading.Thread(target=lambda: 1 / 0, name=text).start()


def forged_error_report():
    """A report of an error that the student forged, field by field, discloses no more than a real one."""
    import sys

    def cipher(text, key):
        sys.modules["autograder.worker.faults"].describe = lambda error, cells: {
            "kind": text, "text": text, "frames": [(text, 1, text), ("cell 1", 10**6, text)], "origin": "library",
            "not_implemented": text,
        }  # fmt: skip
        raise ValueError
