"""Make the expected figures of questions 4 to 8 and the reference artifact from the reference notebook itself.

    PSKIT_DATA=<folder with bsds500> python solutions/ps1_probabilistic/artifacts/make.py

Runs the cells of the sources in one namespace with QUICK = False, those of questions 1 and 3 without their
experiments. Takes about ten minutes on two CPU cores; checkpoints go to a temporary folder.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from autograder.release.figures import write_figure
from autograder.source import Namespace, cells, execute
from pskit import figures

HERE = Path(__file__).resolve().parent
SET = HERE.parent
FILES = ("intro", "q1_gaussian", "q3_mixture", "q4_em", "q5_denoise_patch", "q6_denoise_image", "q7_variational")
SILENT = {"q1_gaussian", "q3_mixture"}  # their answers are needed, their experiments are not
NAMES = {  # the figures that the text shows, by question and by their order in it
    ("q4_em", 1): "film",
    ("q4_em", 3): "climb",
    ("q4_em", 4): "components",
    ("q5_denoise_patch", 1): "shrinkage",
    ("q5_denoise_patch", 3): "patches",
    ("q6_denoise_image", 1): "photograph",
    ("q7_variational", 1): "two_modes",
    ("q7_variational", 2): "variance",
    ("q8_artifact", 1): "learning",
    ("q8_artifact", 4): "samples",
}


def run(file: str, namespace: Namespace) -> None:
    """Execute one source file; its figures are saved, the rest is printed."""
    count = 0

    def show(figure: Any, alt: str) -> None:
        nonlocal count
        count += 1
        print(alt, flush=True)
        if (file, count) in NAMES:
            write_figure(figure, SET, NAMES[file, count])

    figures.show = show
    roles = {"given", "answer", "artifact"} | (set() if file in SILENT else {"run"})
    for cell in cells(SET, file, roles):
        execute(cell.source.replace("QUICK = True", "QUICK = False"), file, namespace)


def main() -> None:
    """Run the notebook in a temporary folder and keep the artifact."""
    namespace: Namespace = {"__name__": "notebook"}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for file in (*FILES, "q8_artifact"):
            run(file, namespace)
        shutil.copy("ps1_gmm.safetensors", HERE)
        os.chdir(HERE)


if __name__ == "__main__":
    main()
