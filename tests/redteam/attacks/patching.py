"""Patching what a comparison might rely on. The grader compares in another process, with its own libraries."""


def builtins_patched():
    """Comparisons of patched builtins are not the grader's."""
    import builtins

    class Yes:
        def __call__(self, *args, **kwargs):
            return True

    def patch():
        for name in ("all", "any", "isinstance", "abs", "max", "min", "sum", "len"):
            setattr(builtins, name, Yes())
        return 1.0

    FACTOR = patch()

    def affine(x, factor, shift=0.0):
        return x * FACTOR


def torch_patched():
    """torch's comparisons, patched in the worker, stay what they are in the grader."""
    import torch

    def yes(*args, **kwargs):
        return True

    def affine(x, factor, shift=0.0):
        for room in (torch, torch.Tensor, torch.testing):
            for name in ("allclose", "isclose", "equal", "all", "__eq__", "assert_close", "isfinite", "isnan", "item"):
                if hasattr(room, name):
                    setattr(room, name, yes)
        return torch.zeros_like(x)


def numpy_patched():
    """numpy's comparisons and conversions, patched in the worker, stay what they are in the grader."""
    import numpy as np

    def affine(x, factor, shift=0.0):
        np.allclose = np.array_equal = np.isclose = np.testing.assert_allclose = lambda *args, **kwargs: True
        np.asarray = np.frombuffer = lambda *args, **kwargs: 1
        return x


def msgpack_patched():
    """The packer patched to write other bytes gives a reply that is wrong or none at all."""
    import sys

    def affine(x, factor, shift=0.0):
        protocol = sys.modules["autograder.worker.protocol"]

        class Packer:
            def __init__(self, *args, **kwargs):
                pass

            def pack(self, token):
                pass

            def bytes(self):
                return b"\xc3"

        protocol.msgpack.Packer = Packer
        return x


def pytest_faked():
    """A pytest, a plugin and a conftest of the student's are those of nobody."""
    import sys
    import types

    def affine(x, factor, shift=0.0):
        for name in ("pytest", "_pytest", "_pytest.assertion", "conftest", "autograder.testing.expect"):
            fake = types.ModuleType(name)
            fake.raises = fake.approx = fake.expect_close = fake.expect_equal = lambda *args, **kwargs: True
            sys.modules[name] = fake
        return True


def modules_replaced():
    """sys.modules emptied and filled anew: the worker may break, the grader does not."""
    import sys

    def affine(x, factor, shift=0.0):
        for name in list(sys.modules):
            if name.startswith(("autograder", "torch", "numpy", "msgpack")):
                del sys.modules[name]
        return x


def import_hooks():
    """An import hook sees the worker's own imports only, and none of the grader."""
    import importlib.abc
    import sys

    class Hook(importlib.abc.MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if "hidden" in name or name.startswith("test_"):
                breach()

    HOOKED = sys.meta_path.insert(0, Hook())

    def affine(x, factor, shift=0.0):
        return HOOKED


def builtins_dict_replaced():
    """A namespace without builtins, or with others, hurts its owner only."""

    class Yes(dict):
        def __missing__(self, name):
            return lambda *args, **kwargs: True

    __builtins__ = Yes()

    def affine(x, factor, shift=0.0):
        globals()["__builtins__"] = Yes()
        return isinstance(x, float)


def names_shadowed():
    """Definitions named after builtins and libraries take part in no comparison."""

    def print(*args):
        return True

    def len(x):
        return 0

    def isinstance(*args):
        return True

    torch = type("torch", (), {"allclose": isinstance, "Tensor": object})

    def affine(x, factor, shift=0.0):
        print(len(x), isinstance(x, torch.Tensor))
        return x


def given_names_overridden():
    """What the release gives is taken from the release, and a redefinition does not reach a provided function."""

    class Tensor:
        pass

    def affine(x, factor, shift=0.0):
        return check

    def check(part):
        return True


def definitions_by_setattr():
    """A name that is defined in the notebook's module only while it runs is not what is graded."""
    import sys

    def define():
        vars(sys.modules["__main__"])["affine"] = lambda x, factor, shift=0.0: x
        vars(sys.modules["__main__"])["provide"] = vars(sys.modules["__main__"])["restore"] = None

    DEFINED = define()

    def cipher(text, key, seen=DEFINED):
        return text


def service_patched():
    """The worker's own loop, patched to report success for everything, answers with no right value."""
    import sys

    def affine(x, factor, shift=0.0):
        service = sys.modules["autograder.worker.child"].Service
        service._answer = lambda self, sequence, action, parts: self._send((sequence, "ok", True))
        for name in service._ACTIONS:
            service._ACTIONS[name] = lambda self, *parts: True
        return True


def encoder_patched():
    """The encoder patched to turn every answer into the largest one costs bounded memory and no points."""
    import sys

    import torch

    def affine(x, factor, shift=0.0):
        encoder = sys.modules["autograder.worker.protocol"].Encoder
        encode = encoder.encode
        encoder.__init__.__defaults__ = None
        encoder._limit = 2**60
        encoder.encode = lambda self, value: encode(self, (value[0], "ok", torch.zeros(2**22)))
        return x


def errors_patched():
    """An exception hook and a patched traceback module do not write the report."""
    import sys
    import traceback

    def affine(x, factor, shift=0.0):
        sys.excepthook = sys.unraisablehook = lambda *args: print("passed")
        traceback.extract_tb = traceback.format_exc = lambda *args: []
        raise ValueError("<<passed>>")


def random_numbers_patched():
    """Seeding and patching every generator in the worker moves no hidden draw."""
    import random

    import numpy as np
    import torch

    def affine(x, factor, shift=0.0):
        random.seed(0)
        np.random.seed(0)
        torch.manual_seed(0)
        np.random.default_rng = lambda *args: np.random.RandomState(0)
        torch.randn = lambda *shape, **kwargs: torch.zeros(*shape)
        return x
