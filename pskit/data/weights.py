"""Networks that the staff has trained, so that sampling need not wait for training; half precision on disk.

They come with pskit, so no network is needed; a file is used only if it has the hash that stands here.
"""

from pathlib import Path

from torch import Tensor

from pskit.data.hashes import digest
from pskit.tensors import read

HASHES = {"ps3_unet": "fa46b7cd340c02b7c41884fcf66c005daf8acc5602daea80b65fac8857f71abb"}  # SHA-256 of the files
FOLDER = Path(__file__).parent / "bundled" / "weights"


def weights(name: str) -> dict[str, Tensor]:
    """The state dict, float32, of the network `name` ("ps3_unet"), which comes with pskit."""
    if name not in HASHES:
        known = ", ".join(sorted(HASHES))
        raise ValueError(f"there is no network {name!r}; those that come with pskit are: {known}")
    file = FOLDER / f"{name}.safetensors"
    if not file.is_file() or digest(file.read_bytes()) != HASHES[name]:
        raise ValueError(f"{file} is missing or damaged; install pskit again, with the cell that does so")
    return {key: value.float() for key, value in read(file)[0].items()}
