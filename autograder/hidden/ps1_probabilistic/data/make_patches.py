"""Cut the hidden evaluation patches of question 8: `python autograder/hidden/ps1_probabilistic/data/make_patches.py`.

The photographs ship with scikit-image 0.25 or later and scikit-learn 1.6 or later; none of them is among the
photographs that students get. README.md beside this file has their sources, licences and the result's hash.
"""

import hashlib
from pathlib import Path

import numpy as np
import skimage
import sklearn
from PIL import Image

HERE = Path(__file__).parent
SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"
PHOTOGRAPHS = (  # file, how many pixels become one along each side
    (SKLEARN / "flower.jpg", 2),
    (SKIMAGE / "rocket.jpg", 2),
    (SKIMAGE / "grass.png", 1),
    (SKIMAGE / "hubble_deep_field.jpg", 1),
)
EACH, SIDE = 2000, 8


def patches(file: Path, shrink: int, rng: np.random.Generator) -> np.ndarray:
    """EACH different 8 x 8 patches (EACH, 64) of grey values 0 to 255, all positions equally likely.

    Patches of a single grey value are left out: a density with a spike there would gain without being a better model.
    """
    grey = np.asarray(Image.open(file).convert("L").reduce(shrink))
    windows = np.lib.stride_tricks.sliding_window_view(grey, (SIDE, SIDE)).reshape(-1, SIDE * SIDE)
    uneven = np.flatnonzero(np.ptp(windows, axis=1) > 1)
    return windows[rng.choice(uneven, EACH, replace=False)]


def main() -> None:
    """Write patches.npy and print its hash."""
    rng = np.random.default_rng(2026)
    np.save(HERE / "patches.npy", np.concatenate([patches(file, shrink, rng) for file, shrink in PHOTOGRAPHS]))
    print(hashlib.sha256((HERE / "patches.npy").read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
