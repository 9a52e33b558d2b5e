"""Networks that the staff has trained, so that sampling need not wait for training; half precision on disk."""

from pathlib import Path

from torch import Tensor

from pskit.tensors import read

FOLDER = Path(__file__).parent / "bundled" / "weights"


def weights(name: str) -> dict[str, Tensor]:
    """The state dict, float32, of the network `name` ("ps3_unet"), which comes with pskit."""
    file = FOLDER / f"{name}.safetensors"
    if not file.is_file():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.safetensors")))
        raise ValueError(f"there is no network {name!r}; those that come with pskit are: {known}")
    return {key: value.float() for key, value in read(file)[0].items()}
