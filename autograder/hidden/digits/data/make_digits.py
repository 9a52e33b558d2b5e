"""Choose the hidden digits: `PSKIT_DATA=<folder with mnist> python <this file>`.

They are test images of MNIST, none of them among those that come with pskit. README.md beside this file has their
licence and the results' hashes.
"""

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

from pskit import data

HERE = Path(__file__).parent
BUNDLED = 50  # pskit holds the first test images of each class
EACH, COLUMNS = 100, 50


def rows_of(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """EACH rows of every class without the first ones, mixed."""
    chosen = [rng.choice(np.flatnonzero(labels == k)[BUNDLED:], EACH, replace=False) for k in range(10)]
    mixed: np.ndarray = rng.permutation(np.concatenate(chosen))
    return mixed


def main() -> None:
    """Write digits.png, a sheet of COLUMNS digits a row, and digits.txt, their labels; print their hashes."""
    images, labels = (part.numpy() for part in data.mnist("test"))
    assert len(images) == 10_000, "the whole of MNIST is needed"
    rows = rows_of(labels, np.random.default_rng(2027))
    sheet = images[rows].reshape(-1, COLUMNS, 28, 28).transpose(0, 2, 1, 3).reshape(-1, 28 * COLUMNS)
    Image.fromarray(sheet).save(HERE / "digits.png", optimize=True)
    lines = "".join(map(str, labels[rows]))
    text = "\n".join(lines[i : i + COLUMNS] for i in range(0, len(lines), COLUMNS))
    (HERE / "digits.txt").write_text(text + "\n", encoding="ascii")
    for name in ("digits.png", "digits.txt"):
        print(name, hashlib.sha256((HERE / name).read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
