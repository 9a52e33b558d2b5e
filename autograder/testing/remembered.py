"""What was measured of a handed-in file, remembered: tiers of one threshold, proofs and classes ask it again and again.

Only what depends on nothing else than the file and the draws may be remembered, and only values that no test changes.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from torch import Tensor

Value = TypeVar("Value")


class Memory(Generic[Value]):
    """The last `most` answers by their names: `memory(name, work_it_out)`; those asked for last are kept."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.answers: OrderedDict[str, Value] = OrderedDict()

    def __call__(self, name: str, work_it_out: Callable[[], Value]) -> Value:
        """The answer of this name, worked out where it is not known."""
        if name not in self.answers:
            self.answers[name] = work_it_out()
        self.answers.move_to_end(name)
        while len(self.answers) > self.most:
            self.answers.popitem(last=False)
        return self.answers[name]


def digest(*tensors: Tensor) -> str:
    """A name for these tensors: their dtypes, shapes and bytes."""
    mark = hashlib.sha256()
    for tensor in tensors:
        numbers = tensor.detach().contiguous().reshape(-1).view(torch.uint8)  # numpy has no bfloat16
        mark.update(f"{tensor.dtype} {tuple(tensor.shape)}".encode() + numbers.numpy().tobytes())
    return mark.hexdigest()


def file_digest(tensors: Mapping[str, Tensor]) -> str:
    """A name for a file's tensors with their names; a file's tensors come in any order."""
    names = sorted(tensors)
    return f"{names} {digest(*(tensors[name] for name in names))}"


_numbers: Memory[Any] = Memory(10_000)  # a few floats each


def measured(
    measure: Callable[[Any, np.random.Generator], Value],
    read: Callable[[dict[str, Tensor]], Any],
    tensors: Mapping[str, Tensor],
    rng: np.random.Generator,
) -> Value:
    """`measure(read(tensors), rng)`, a few numbers; with the same tensors and draws it is looked up.

    What `read` or `measure` raises is raised each time. The draws of rng are used up only where it is worked out, so a
    test takes nothing else from it.
    """
    name = f"{measure.__qualname__} {read.__qualname__} {file_digest(tensors)} {rng.bit_generator.state}"
    known: Value = _numbers(name, lambda: measure(read(dict(tensors)), rng))
    return known
