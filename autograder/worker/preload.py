"""What the fork server loads before it forks, so that a worker needs to read no file.

A worker may be unable to read the Python installation (an interpreter under a root-only home; a worker in a chroot).
Then only what is named here can be imported by student code, besides what these load themselves.
"""

import contextlib
import gc
import importlib
import os
import sys
import warnings

NEEDED = ("numpy", "torch", "msgpack", "safetensors.torch", "landlock")
# torch._dynamo: every torch.optim optimizer imports it when it is made.
USUAL = (
    "pyseccomp",
    "torch._dynamo", "torch.distributions", "torch.func", "torch.nn.functional", "torch.nn.utils", "torch.optim",
    "torch.utils.data", "torch.utils.checkpoint", "torch.fft", "torch.linalg", "torch.special",
    "numpy.fft", "numpy.linalg", "numpy.random", "numpy.polynomial",
    "scipy.special", "scipy.linalg", "scipy.stats", "scipy.optimize", "scipy.integrate", "scipy.interpolate",
    "scipy.ndimage", "scipy.signal", "scipy.spatial", "scipy.sparse",
    "tqdm", "tqdm.auto", "regex", "pskit",
    "abc", "array", "base64", "bisect", "cmath", "collections.abc", "contextlib", "copy", "dataclasses", "datetime",
    "decimal", "difflib", "enum", "fractions", "functools", "gc", "glob", "hashlib", "heapq", "html", "inspect", "io",
    "itertools", "json", "linecache", "logging", "math", "numbers", "operator", "os", "pathlib", "pickle", "pprint",
    "queue", "random", "re", "secrets", "shutil", "statistics", "string", "struct", "sys", "tempfile", "textwrap",
    "threading", "time", "traceback", "types", "typing", "typing_extensions", "unicodedata", "unittest.mock", "urllib",
    "urllib.request", "warnings", "weakref", "zipfile", "zlib", "encodings.utf_8", "encodings.latin_1",
    "encodings.ascii", "encodings.idna", "encodings.utf_16", "encodings.raw_unicode_escape",
    "encodings.unicode_escape",
)  # fmt: skip


def load(packages: list[str]) -> list[str]:
    """Import everything, in one thread, and say what could not be imported and why. `packages` are pskit's modules."""
    missing = []
    warnings.simplefilter("ignore")
    for name in (*NEEDED, *USUAL, *packages):
        try:
            importlib.import_module(name)
        except Exception as error:
            if name in NEEDED:
                raise
            missing.append(f"{name} ({type(error).__name__}: {error})")
    _warm()
    return missing


def _warm() -> None:
    """Run what initialises itself at first use, and may read files then, so that no worker has to."""
    import torch

    torch.set_num_threads(1)
    with contextlib.suppress(RuntimeError):
        torch.set_num_interop_threads(1)
    x = torch.eye(3, dtype=torch.float64, requires_grad=False)
    torch.linalg.eigh(x), torch.linalg.cholesky(x), torch.linalg.solve(x, x)
    torch.nn.functional.conv2d(torch.ones(1, 1, 4, 4), torch.ones(1, 1, 2, 2))
    torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
    torch.func.jvp(torch.sin, (x,), (x,))  # the first derivative in forward mode imports and compiles decompositions
    str(x), repr(x)
    # With `-S` nothing has set these two up, and students use them.
    import site

    site.setquit()
    sys.dont_write_bytecode = True
    os.environ.pop("PYTHONPATH", None)
    gc.collect()
    gc.freeze()
