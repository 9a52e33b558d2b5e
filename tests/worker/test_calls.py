"""The worker as grading uses it: calls, handles, probes, provided functions, artifacts, exceptions."""

import numpy as np
import pytest
import safetensors.torch
import torch

from autograder.worker import (
    Died,
    ForkServer,
    Frame,
    Handle,
    Raised,
    Worker,
)
from tests.walls.inside import Code
from tests.worker.inside import define, raised


def test_a_function_is_called_with_plain_data(worker: Worker) -> None:
    define(worker, "def f(*args, **kwargs): return [*args, kwargs]")
    x = torch.arange(6.0).reshape(2, 3).t()
    got = worker.call("f", (x, np.ones(2), (1, "a", b"b", None), 10**40), {"k": 2.5})
    assert torch.equal(got[0], x)
    assert np.array_equal(got[1], np.ones(2))
    assert got[2:] == [(1, "a", b"b", None), 10**40, {"k": 2.5}]


def test_work_in_place_does_not_reach_the_grader(worker: Worker) -> None:
    define(worker, "def f(x): return x.zero_()")
    x = torch.ones(3)
    assert worker.call("f", (x,)).sum() == 0
    assert x.sum() == 3


def test_pieces_share_one_namespace_and_keep_their_lines(worker: Worker) -> None:
    worker.load([Code("K = 3", "cell 2", 1), Code("def f(x):\n    return 1 / x", "cell 7", 5)])
    with pytest.raises(Raised) as caught:
        worker.call("f", (0,))
    assert caught.value.frames == (Frame("cell 7", 6, "f"),)
    assert worker.get(None, "K") == 3


def test_a_class_gives_a_handle_whose_methods_and_attributes_answer(worker: Worker) -> None:
    define(worker, "class VAE:\n    def __init__(self, d): self.d = d\n    def encode(self, x): return self.d + x")
    vae = worker.call("VAE", (3,))
    assert isinstance(vae, Handle)
    assert vae.type_name == "VAE"
    assert worker.call_method(vae, "encode", (4,)) == 7
    assert worker.get(vae, "d") == 3


def test_a_handle_can_be_an_argument(worker: Worker) -> None:
    define(worker, "class Box:\n    def __init__(self, v): self.v = v\ndef f(boxes): return boxes['a'].v")
    assert worker.call("f", ({"a": worker.call("Box", (5,))},)) == 5


def test_a_handle_of_another_worker_is_refused(server: ForkServer, worker: Worker) -> None:
    with server.fork() as other:
        define(other, "class Box: pass")
        box = other.call("Box")
    with pytest.raises(Died, match="ended"):
        worker.call_method(box, "f")


def test_a_probe_runs_by_itself_and_sees_the_notebook_as_ns(worker: Worker) -> None:
    define(worker, "import torch\ndef f(x): return (x ** 2).sum()")
    probe = """
def gradient(ns, x: Tensor) -> Tensor:
    import torch
    x = x.requires_grad_()
    return torch.autograd.grad(ns.f(x), x)[0]
"""
    assert worker.run(probe, "gradient", (torch.tensor([1.0, 2.0]),)).tolist() == [2.0, 4.0]
    define(worker, "hidden = 'gradient' in globals()")
    assert worker.get(None, "hidden") is False, "a probe must not stay in the notebook"


def test_a_provided_function_replaces_the_students_until_restore(worker: Worker) -> None:
    define(worker, "import math\nSCALE = 10\ndef e_step(x): return 0\ndef fit(x): return e_step(x) + 1")
    worker.provide("def good(x):\n    return SCALE * x", "good", "e_step")
    worker.provide("def new(x):\n    return e_step(x)", "new", "not_yet_there")
    assert worker.call("fit", (2,)) == 21
    assert worker.call("not_yet_there", (2,)) == 20
    worker.restore()
    assert worker.call("fit", (2,)) == 1
    with pytest.raises(Raised, match="does not define"):
        worker.call("not_yet_there", (2,))


def test_an_artifact_is_loaded_in_the_worker(server: ForkServer) -> None:
    data = safetensors.torch.save({"mu": torch.arange(3.0)})
    with server.fork(files={"gmm.safetensors": data}) as worker:
        assert worker.artifact("gmm.safetensors")["mu"].tolist() == [0.0, 1.0, 2.0]
        define(worker, "def total(state): return float(state['mu'].sum())")
        assert worker.call("total", (worker.artifact("gmm.safetensors", keep=True),)) == 3.0
        define(worker, "def size(name): return len(open(name, 'rb').read())")
        assert worker.call("size", ("gmm.safetensors",)) == len(data)
        with pytest.raises(FileNotFoundError):
            worker.artifact("other.safetensors")


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 100, (2**62).to_bytes(8, "little") + b"{}"], ids=["empty", "noise", "huge"]
)
def test_an_artifact_that_is_none_raises_in_the_worker(server: ForkServer, data: bytes) -> None:
    with server.fork(files={"x.safetensors": data}) as worker, pytest.raises(Raised) as caught:
        worker.artifact("x.safetensors")
    assert caught.value.kind == "SafetensorError"


@pytest.mark.parametrize("name", ["../x", "/etc/x", "", "..", "a/b", "a\0b"])
def test_a_file_name_with_a_path_is_refused(server: ForkServer, name: str) -> None:
    with pytest.raises(ValueError, match="not a plain file name"):
        server.fork(files={name: b""})


def test_equal_submissions_see_equal_random_numbers(server: ForkServer) -> None:
    draws = []
    for _ in range(2):
        with server.fork() as worker:
            define(
                worker,
                "import torch, random, numpy as np\ndef f(): return random.random(), np.random.rand(), torch.rand(1)",
            )
            draws.append(worker.call("f"))
    assert draws[0] == draws[1]


def test_workers_share_nothing(server: ForkServer) -> None:
    with server.fork() as one, server.fork() as two:
        define(one, "import torch\ntorch.mark = 1\nK = 1")
        define(two, "import torch\ndef f(): return hasattr(torch, 'mark'), 'K' in globals()")
        assert two.call("f") == (False, False)


@pytest.mark.parametrize(
    ("source", "kind", "origin"),
    [
        ("def f(): raise ValueError('mine')", "ValueError", "student"),
        ("def f(): assert False, 'mine'", "AssertionError", "student"),
        ("def f():\n    try: 1 / 0\n    except Exception as e: raise KeyError('k') from e", "KeyError", "student"),
        ("def f(): return 1 / 0", "ZeroDivisionError", "library"),
        ("def f(): return {}['k']", "KeyError", "library"),
        ("import torch\ndef f(): return torch.ones(2, 3) @ torch.ones(2, 3)", "RuntimeError", "library"),
        ("import torch\ndef f(): torch.distributions.Normal(0., -torch.ones(1))", "ValueError", "library"),
        ("import numpy as np\ndef f(): return np.ones(2) + np.ones(3)", "ValueError", "library"),
        ("def f(): return undefined_name", "NameError", "library"),
        ("def f(): return f()", "RecursionError", "library"),
        ("def f(): raise SystemExit(3)", "SystemExit", "student"),
        ("def f(): raise KeyboardInterrupt", "KeyboardInterrupt", "student"),
        ("def f(): return bytearray(10 ** 10)", "MemoryError", "library"),
        ("import torch\ndef f(): return torch.zeros(10 ** 10)", "MemoryError", "library"),
    ],
)  # fmt: skip
def test_an_exception_says_who_raised_it(worker: Worker, source: str, kind: str, origin: str) -> None:
    error = raised(worker, source)
    assert (error.kind, error.origin) == (kind, origin)
    assert error.frames[-1].function == "f"
    define(worker, "def g(): return 1")
    assert worker.call("g") == 1, "the worker must be usable afterwards"


def test_a_stub_is_recognised(worker: Worker) -> None:
    assert raised(worker, "def f(): raise NotImplementedError('Question 1b: f')").not_implemented == "Question 1b: f"
    assert raised(worker, "def f(): raise NotImplementedError('later')").not_implemented is None


def test_an_undefined_name_is_said_to_be_missing(worker: Worker) -> None:
    with pytest.raises(Raised) as caught:
        worker.call("never_defined")
    assert (caught.value.kind, caught.value.origin) == ("NameError", "missing")
    with pytest.raises(Raised) as caught:
        worker.run("def probe(ns):\n    return ns.never_defined", "probe")
    assert (caught.value.kind, caught.value.origin) == ("NameError", "missing")


def test_an_error_of_the_probe_itself_is_not_blamed_on_the_student(worker: Worker) -> None:
    with pytest.raises(Raised) as caught:
        worker.run("def probe(ns):\n    raise ValueError('ours')", "probe")
    assert (caught.value.origin, caught.value.frames) == ("probe", ())


def test_a_callable_of_the_probe_that_raises_is_the_probes(worker: Worker) -> None:
    define(worker, "def f(g): return g()")
    with pytest.raises(Raised) as caught:
        worker.run("def probe(ns):\n    def g():\n        raise ValueError\n    ns.f(g)", "probe")
    assert caught.value.origin == "probe"
    assert caught.value.frames == (Frame("cell 1", 1, "f"),)


def test_a_syntax_error_names_its_cell(worker: Worker) -> None:
    with pytest.raises(Raised) as caught:
        define(worker, "def f(:")
    assert (caught.value.kind, caught.value.origin) == ("SyntaxError", "student")
    assert "cell 1" in caught.value.text


def test_an_exception_that_cannot_be_printed_is_reported(worker: Worker) -> None:
    source = "class E(Exception):\n    def __str__(self): raise SystemExit\ndef f(): raise E"
    assert raised(worker, source).kind == "E"


def test_source_of_a_function_can_be_inspected(worker: Worker) -> None:
    worker.load([Code("def f():\n    return 1", "cell 4", 3), Code("def g():\n    return 2", "cell 4", 9)])
    define(worker, "import inspect\ndef source(name): return inspect.getsource(globals()[name])")
    assert worker.call("source", ("g",)) == "def g():\n    return 2\n"


def test_gradients_optimizers_and_threads_work(worker: Worker) -> None:
    """The fork has inherited no thread, and torch starts those that it wants."""
    define(worker, """
import torch
def f():
    torch.set_num_threads(2)
    net = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1)).double()
    best = torch.optim.Adam(net.parameters(), lr=1e-2)
    x = torch.randn(256, 64, dtype=torch.float64)
    losses = []
    for _ in range(20):
        loss = (net(x) - x.sum(-1, keepdim=True)).pow(2).mean()
        best.zero_grad(); loss.backward(); best.step()
        losses.append(loss.item())
    conv = torch.nn.functional.conv2d(torch.ones(2, 3, 32, 32), torch.ones(4, 3, 3, 3))
    return losses[-1] < losses[0], conv.shape[-1], torch.linalg.eigvalsh(torch.eye(100)).sum().item()
""")  # fmt: skip
    assert worker.call("f", timeout=60.0) == (True, 30, 100.0)


def test_derivatives_in_forward_mode_work(worker: Worker) -> None:
    """Their first use imports a module of torch's, which a worker that reads no file could not."""
    define(worker, """
import torch
def f():
    x = torch.ones(2, 3, dtype=torch.float64)
    _, along = torch.func.jvp(lambda x: x**3, (x,), (2 * x,))
    return along.sum().item(), torch.vmap(torch.func.jacfwd(torch.square))(x).sum().item()
""")  # fmt: skip
    assert worker.call("f") == (36.0, 12.0)


@pytest.mark.parametrize(
    "line",
    [
        "import torch.nn.functional as F", "from torch.distributions import Normal, MultivariateNormal",
        "from torch.utils.data import DataLoader, TensorDataset", "import scipy.special, scipy.stats, scipy.linalg",
        "from tqdm.auto import tqdm", "import pskit", "from dataclasses import dataclass", "import heapq, re",
        "from torch.func import vmap, jacrev", "import numpy.random", "from collections import Counter, defaultdict",
    ],
)  # fmt: skip
def test_what_notebooks_import_is_there(worker: Worker, line: str) -> None:
    define(worker, line)


def test_pskit_loads_in_the_server(server: ForkServer) -> None:
    assert [line for line in server.not_loaded if line.startswith("pskit")] == []
