"""Values as bytes and back: the only language spoken between the grader and a worker. No pickle, no code.

A frame is a header (two sizes), a structure and a buffer section. The structure is a flat run of msgpack scalars; a
container is a tag (a one-byte msgpack binary) followed by its length and its items. Raw bytes, of arrays and of
`bytes`, lie in the buffer section in the order in which the structure mentions them; their sizes follow from dtype and
shape, so a frame cannot claim more than it carries.

    None, bool, int (64 bits), float, str     themselves
    big integer   b"i" length                 complex   b"c" re im
    bytes         b"b" length                 list      b"l" count items...
    tuple         b"t" count items...         dict      b"d" count key value ...
    torch tensor  b"T" dtype ndim sizes...    array     b"A" dtype ndim sizes...
    numpy scalar  b"S" dtype                  handle    b"h" id type_name
    torch tensor that is not contiguous       b"N", else like b"T"

What this does not protect against: a frame may hold any *value*. The decoder promises a well-formed value of bounded
size and depth in bounded time, or BadReply; it does not promise that the value is what the student's function returned.
"""

import math
import struct
from collections.abc import Callable
from typing import Any, ClassVar

import msgpack
import numpy as np
import torch
from torch import Tensor

from autograder.worker.dtypes import NUMPY, NUMPY_NAMES, TORCH, TORCH_NAMES
from autograder.worker.outcomes import BadReply, Handle

HEADER = struct.Struct("!QQ")
MAX_DEPTH = 32
MAX_DIMENSIONS = 16
MAX_ELEMENTS = 2**40
MAX_BIG_INT_BYTES = 1024
MAX_STRUCTURE = 2 * 2**20
MAX_NAME = 120

Buffer = bytes | bytearray | memoryview


class Unsendable(Exception):
    """A value that cannot be encoded: its only argument is "deep", "large" or "unreadable"."""


class Encoder:
    """Encode one value; `keep` turns what is not plain data into a handle's (id, type_name)."""

    def __init__(self, keep: Callable[[Any], tuple[int, str]], limit: int) -> None:
        self._keep, self._limit = keep, limit
        self._packer = msgpack.Packer(autoreset=False, unicode_errors="replace")
        self._buffers: list[Buffer] = []
        self._size = 0

    def encode(self, value: Any) -> list[Buffer]:
        """The frame's parts, header first."""
        self._value(value, 0)
        structure = self._packer.bytes()
        if len(structure) > MAX_STRUCTURE:
            raise Unsendable("large")
        return [HEADER.pack(len(structure), self._size), structure, *self._buffers]

    def _emit(self, *tokens: Any) -> None:
        for token in tokens:
            self._packer.pack(token)

    def _attach(self, data: Buffer) -> None:
        self._size += len(data)
        if self._size > self._limit:
            raise Unsendable("large")
        self._buffers.append(data)

    def _value(self, value: Any, depth: int) -> None:
        if depth > MAX_DEPTH:
            raise Unsendable("deep")
        for kind, method in self._METHODS:
            if isinstance(value, kind):
                return method(self, value, depth)
        return self._handle(value)

    # Student classes may override anything, so values are read through the built-in base class's own methods.

    def _none(self, value: None, depth: int) -> None:
        self._emit(None)

    def _bool(self, value: bool, depth: int) -> None:
        self._emit(bool(value))

    def _int(self, value: int, depth: int) -> None:
        value = int.__add__(value, 0)
        if -(2**63) <= value < 2**64:
            return self._emit(value)
        size = value.bit_length() // 8 + 1
        if size > MAX_BIG_INT_BYTES:
            return self._handle(value)
        self._emit(b"i", size)
        return self._attach(value.to_bytes(size, "big", signed=True))

    def _float(self, value: float, depth: int) -> None:
        self._emit(float.__add__(value, 0.0))

    def _complex(self, value: complex, depth: int) -> None:
        value = complex.__add__(value, 0)
        self._emit(b"c", value.real, value.imag)

    def _str(self, value: str, depth: int) -> None:
        if str.__len__(value) > MAX_STRUCTURE:
            raise Unsendable("large")
        self._emit(str.__str__(value))

    def _bytes(self, value: bytes, depth: int) -> None:
        data = bytes(memoryview(value))
        self._emit(b"b", len(data))
        self._attach(data)

    def _list(self, value: list[Any], depth: int) -> None:
        self._items(b"l", list.__getitem__(value, slice(None)), depth)

    def _tuple(self, value: tuple[Any, ...], depth: int) -> None:
        self._items(b"t", list(tuple.__iter__(value)), depth)

    def _items(self, tag: bytes, items: list[Any], depth: int) -> None:
        self._emit(tag, len(items))
        for item in items:
            self._value(item, depth + 1)

    def _dict(self, value: dict[Any, Any], depth: int) -> None:
        items = list(dict.items(value))
        self._emit(b"d", len(items))
        for key, item in items:
            self._value(key, depth + 1)
            self._value(item, depth + 1)

    def _tensor(self, value: Tensor, depth: int) -> None:
        with torch._C.DisableTorchFunctionSubclass(), torch.no_grad():
            if value.layout != torch.strided or value.device.type == "meta" or value.dtype not in TORCH_NAMES:
                return self._handle(value)
            plain = torch.Tensor.detach(value).cpu().resolve_conj().resolve_neg()
            plain = plain.clone(memory_format=torch.contiguous_format)
            tag = b"T" if torch.Tensor.is_contiguous(value) else b"N"
            self._emit(tag, TORCH_NAMES[plain.dtype], plain.dim(), *plain.shape)
            raw = plain.reshape(-1).view(torch.uint8).numpy()
        return self._attach(memoryview(raw.data))

    def _array(self, value: np.ndarray[Any, Any], depth: int) -> None:
        plain = np.asarray(value).view(np.ndarray)
        name = NUMPY_NAMES.get(plain.dtype.newbyteorder("="))
        if name is None:
            return self._handle(value)
        self._emit(b"A", name, plain.ndim, *plain.shape)
        return self._attach(plain.astype(NUMPY[name]).tobytes())

    def _scalar(self, value: np.generic, depth: int) -> None:
        name = NUMPY_NAMES.get(value.dtype)
        if name is None:
            return self._handle(value)
        self._emit(b"S", name)
        return self._attach(np.asarray(value).tobytes())

    def _handle(self, value: Any) -> None:
        self._emit(b"h", *self._keep(value))

    # The order matters: bool is an int, numpy.float64 is a float.
    _METHODS: tuple[tuple[type, Callable[..., None]], ...] = (
        (type(None), _none), (Tensor, _tensor), (np.ndarray, _array), (np.generic, _scalar), (bool, _bool), (int, _int),
        (float, _float), (complex, _complex), (str, _str), (bytes, _bytes), (list, _list), (tuple, _tuple),
        (dict, _dict),
    )  # fmt: skip


class Decoder:
    """Decode one frame's two sections; `resolve(id, type_name)` makes of a handle what the receiver wants it to be."""

    def __init__(self, resolve: Callable[[int, str], Any]) -> None:
        self._resolve = resolve

    def decode(self, structure: Buffer, buffers: Buffer) -> Any:
        """The value. Raises BadReply, and nothing else, when the frame is malformed or lies about itself."""
        try:
            return self._decode(structure, buffers)
        except BadReply:
            raise
        except Exception as error:
            raise BadReply(f"the reply could not be read ({type(error).__name__})") from None

    def _decode(self, structure: Buffer, buffers: Buffer) -> Any:
        tokens = msgpack.Unpacker(
            raw=False, max_buffer_size=max(len(structure), 1), max_str_len=len(structure), max_bin_len=1,
            max_array_len=0, max_map_len=0, max_ext_len=0,
        )  # fmt: skip
        tokens.feed(structure)
        self._tokens, self._buffers, self._at = iter(tokens), memoryview(buffers), 0
        value = self._value(0)
        if tokens.tell() != len(structure) or self._at != len(self._buffers):
            raise BadReply("the reply holds more than one value")
        return value

    def _token(self) -> Any:
        try:
            return next(self._tokens)
        except StopIteration:
            raise BadReply("the reply ends too early") from None

    def _number(self, limit: int) -> int:
        number = self._token()
        if type(number) is not int or not 0 <= number <= limit:
            raise BadReply("the reply states an impossible size")
        return number

    def _take(self, size: int) -> memoryview:
        if size > len(self._buffers) - self._at:
            raise BadReply("the reply claims more data than it carries")
        self._at += size
        return self._buffers[self._at - size : self._at]

    def _value(self, depth: int) -> Any:
        token = self._token()
        if token is None or type(token) in (bool, int, float, str):
            return token
        if depth >= MAX_DEPTH + 1:
            raise BadReply(f"the reply is nested more than {MAX_DEPTH} deep")
        method = self._TAGS.get(token) if type(token) is bytes else None
        if method is None:
            raise BadReply("the reply holds a kind of data that is not known")
        return method(self, depth + 1)

    def _big_int(self, depth: int) -> int:
        return int.from_bytes(self._take(self._number(MAX_BIG_INT_BYTES)), "big", signed=True)

    def _complex(self, depth: int) -> complex:
        real, imag = self._token(), self._token()
        if type(real) is not float or type(imag) is not float:
            raise BadReply("the reply holds a complex number without numbers")
        return complex(real, imag)

    def _bytes(self, depth: int) -> bytes:
        return bytes(self._take(self._number(len(self._buffers))))

    def _list(self, depth: int) -> list[Any]:
        return [self._value(depth) for _ in range(self._number(MAX_STRUCTURE))]

    def _tuple(self, depth: int) -> tuple[Any, ...]:
        return tuple(self._list(depth))

    def _dict(self, depth: int) -> dict[Any, Any]:
        items = [(self._value(depth), self._value(depth)) for _ in range(self._number(MAX_STRUCTURE))]
        # Keys that are made to share one hash would keep a dict busy for minutes; a set of the hashes is immune.
        if len({hash(key) for key, _ in items}) + 8 < len(items):
            raise BadReply("the reply holds a dict whose keys collide")
        result = dict(items)
        if len(result) != len(items):
            raise BadReply("the reply holds a dict with the same key twice")
        return result

    def _shape(self) -> tuple[int, ...]:
        shape = tuple(self._number(MAX_ELEMENTS) for _ in range(self._number(MAX_DIMENSIONS)))
        if math.prod(max(size, 1) for size in shape) > MAX_ELEMENTS:
            raise BadReply("the reply states an impossible size")
        return shape

    def _dtype(self, known: dict[str, Any]) -> Any:
        name = self._token()
        if type(name) is not str or name not in known:
            raise BadReply("the reply holds an array of a type that is not known")
        return known[name]

    def _elements(self, shape: tuple[int, ...], itemsize: int, is_bool: bool) -> bytearray:
        data = bytearray(self._take(math.prod(shape) * itemsize))
        if is_bool and data and max(data) > 1:
            raise BadReply("the reply holds a truth value that is neither true nor false")
        return data

    def _tensor(self, depth: int) -> Tensor:
        dtype: torch.dtype = self._dtype(TORCH)
        shape = self._shape()
        data = self._elements(shape, dtype.itemsize, dtype is torch.bool)
        if not data:
            return torch.empty(shape, dtype=dtype, device="cpu")
        return torch.frombuffer(data, dtype=dtype).reshape(shape)

    def _scattered(self, depth: int) -> Tensor:
        return scatter(self._tensor(depth))

    def _array(self, depth: int) -> np.ndarray[Any, Any]:
        dtype: np.dtype[Any] = self._dtype(NUMPY)
        shape = self._shape()
        data = self._elements(shape, dtype.itemsize, dtype.kind == "b")
        return np.frombuffer(data, dtype=dtype).reshape(shape)

    def _scalar(self, depth: int) -> np.generic:
        dtype: np.dtype[Any] = self._dtype(NUMPY)
        data = self._elements((1,), dtype.itemsize, dtype.kind == "b")
        scalar: np.generic = np.frombuffer(data, dtype=dtype)[0]
        return scalar

    def _handle(self, depth: int) -> Any:
        number, name = self._number(2**53), self._token()
        if type(name) is not str or len(name) > MAX_NAME:
            raise BadReply("the reply holds an object without a name")
        return self._resolve(number, name)

    _TAGS: ClassVar[dict[bytes, Callable[["Decoder", int], Any]]] = {
        b"i": _big_int, b"c": _complex, b"b": _bytes, b"l": _list, b"t": _tuple, b"d": _dict,
        b"T": _tensor, b"N": _scattered, b"A": _array, b"S": _scalar, b"h": _handle,
    }  # fmt: skip


def scatter(plain: Tensor) -> Tensor:
    """The same values, laid out in memory so that no view can flatten them; which strides it had is not kept."""
    if plain.dim() > 1:
        return plain.transpose(0, -1).contiguous().transpose(0, -1)
    return torch.stack([plain, plain], dim=-1)[..., 0]


def no_handles(value: Any) -> tuple[int, str]:
    """The `keep` of a sender that has no handles of its own: handles pass, anything else is a mistake of the caller."""
    if isinstance(value, Handle):
        return value.id, value.type_name
    raise TypeError(f"cannot send {type(value).__name__} to the worker: only plain data, tensors, arrays and handles")
