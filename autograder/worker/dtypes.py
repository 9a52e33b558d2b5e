"""The element types that may cross the pipe, by name."""

import numpy as np
import torch

TORCH: dict[str, torch.dtype] = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.bool, torch.uint8, torch.int8,
        torch.int16, torch.int32, torch.int64, torch.complex64, torch.complex128,
    )
}  # fmt: skip
TORCH_NAMES = {dtype: name for name, dtype in TORCH.items()}

NUMPY: dict[str, np.dtype] = {
    name: np.dtype(name)
    for name in (
        "float64", "float32", "float16", "bool", "uint8", "uint16", "uint32", "uint64",
        "int8", "int16", "int32", "int64", "complex64", "complex128",
    )
}  # fmt: skip
NUMPY_NAMES = {dtype: name for name, dtype in NUMPY.items()}
