"""Safetensors files checked without running anything: a bounded look at the header, then the safetensors library.

What this does not protect against: a flaw in the library's own parser on a file that passes the look at its header.
Tensors are loaded for grading in the worker, not here.
"""

import json
from collections.abc import Mapping
from math import prod
from typing import Any

from pskit.notebook.limits import MAX_ARTIFACT_BYTES, MAX_SAFETENSORS_HEADER, MAX_TENSORS, MIB

ITEM_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
"""The dtypes that an artifact may use, with their sizes."""

AGAIN = "Save it with safetensors.torch.save_file, as the artifact cell does, and resubmit."

_OTHERS = {
    b"PK\x03\x04": "a file of torch.save (a pickle in a zip)",
    b"\x80": "a pickle",
    b"\x93NUMPY": "a NumPy file",
    b"\x89HDF": "an HDF5 file",
    b"<": "a web page",
}


class _Bad(Exception):
    """The reason why a file is no usable safetensors file; it continues "ps1_gmm.safetensors ..."."""


def artifact_problems(name: str, data: bytes) -> list[str]:
    """Sentences about what is wrong with a safetensors file; none for a sound one."""
    try:
        header, size = _header(data)
        _check_tensors(header, len(data) - 8 - size)
        _check_by_library(data)
    except _Bad as reason:
        return [f"{name} {reason}. {AGAIN}"]
    return []


def _header(data: bytes) -> tuple[Mapping[str, Any], int]:
    """The tensors that the header describes, and its own size in bytes."""
    if len(data) > MAX_ARTIFACT_BYTES:
        raise _Bad(f"has {len(data) // MIB} MB; at most {MAX_ARTIFACT_BYTES // MIB} MB are read")
    for head, kind in _OTHERS.items():
        if data.startswith(head) and not data[8:9] == b"{":
            raise _Bad(f"is {kind}, whatever its name says")
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8:
        raise _Bad(f"breaks off: it has {len(data)} bytes and announces more")
    if size > MAX_SAFETENSORS_HEADER:
        raise _Bad(f"has a header of {size:,} bytes; at most {MAX_SAFETENSORS_HEADER:,} are read")
    try:
        header = json.loads(data[8 : 8 + size])
    except (ValueError, RecursionError):
        raise _Bad("has a damaged header") from None
    if not isinstance(header, dict) or len(header) > MAX_TENSORS:
        raise _Bad("has a header that lists no tensors, or too many")
    return {key: value for key, value in header.items() if key != "__metadata__"}, size


def _check_tensors(header: Mapping[str, Any], body: int) -> None:
    """The tensors fill the file's `body` bytes, each its own."""
    spans = sorted(_span(name, entry) for name, entry in header.items())
    if not spans:
        raise _Bad("holds no tensors")
    end = 0
    for start, stop, name in spans:
        if start != end:
            raise _Bad(f"stores tensor {name!r} over another one or after a gap")
        end = stop
    if end != body:
        raise _Bad(f"describes {end:,} bytes of tensors and holds {body:,}")


def _span(name: str, entry: Any) -> tuple[int, int, str]:
    """Start and end of a tensor's bytes, when its dtype, shape and size agree."""
    try:
        dtype, shape, (start, stop) = entry["dtype"], entry["shape"], entry["data_offsets"]
        numbers = [*shape, start, stop]
    except (TypeError, KeyError, ValueError):
        raise _Bad(f"describes tensor {name!r} incompletely") from None
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise _Bad(f"stores tensor {name!r} as {str(dtype)[:20]!r}; allowed are {', '.join(ITEM_BYTES)}")
    if not all(type(number) is int and 0 <= number <= MAX_ARTIFACT_BYTES for number in numbers):
        raise _Bad(f"gives tensor {name!r} an impossible shape or place")
    if len(shape) > 16 or stop - start != prod(shape) * ITEM_BYTES[dtype]:
        raise _Bad(f"gives tensor {name!r} a shape that does not fit its bytes")
    return start, stop, name


def _check_by_library(data: bytes) -> None:
    from safetensors import SafetensorError, deserialize

    try:
        deserialize(data)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError) as error:
        raise _Bad(f"is not accepted by the safetensors library ({str(error)[:120]})") from None
