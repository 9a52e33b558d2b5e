"""Make the expected figures of the extensions, as `make.py` does for the core questions.

    PSKIT_DATA=<folder with bsds500> python solutions/ps1_probabilistic/artifacts/make_extensions.py

Takes a few minutes on two CPU cores, nearly all of it for the race of x3.
"""

import os
import tempfile

import make

from autograder.source import Namespace

make.NAMES = {
    ("x1_discrete", 1): "two_peaks",
    ("x1_discrete", 2): "tables",
    ("x2_sampling", 1): "dimensions",
    ("x2_sampling", 2): "five_ways",
    ("x3_gradient_mixture", 1): "race",
}
ANSWERS = ("q1_gaussian", "q3_mixture", "q4_em")


def main() -> None:
    """Run the intro, the answers that x3 needs, and the extensions."""
    namespace: Namespace = {"__name__": "notebook"}
    make.SILENT |= set(ANSWERS)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for file in ("intro", *ANSWERS, "x1_discrete", "x2_sampling", "x3_gradient_mixture"):
            make.run(file, namespace)
        os.chdir(make.HERE)


if __name__ == "__main__":
    main()
