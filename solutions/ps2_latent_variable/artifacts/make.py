"""Make the reference artifacts of question 8 and the expected figures from the reference notebook itself.

    PSKIT_DATA=<folder with mnist> python solutions/ps2_latent_variable/artifacts/make.py [FOLDER] [--only WORDS ...]

Runs the notebook's cells in one namespace with QUICK = False, but only the experiments named here, or those of them
whose titles hold one of the words. Checkpoints lie in FOLDER, so that a second run goes on. Two things are shorter than
in the notebook, for want of a GPU: the flow of digits is trained for 150 steps, and two games are played on the ring.
"""

import argparse
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from reference import NEEDED, SET

from autograder.release.figures import write_figure
from autograder.source import Namespace, cells, execute
from pskit import figures

HERE = Path(__file__).resolve().parent
SHORTER = {
    r"\d+ if QUICK else 6000": "150",  # steps of the flow of digits
    r"if not QUICK:\n        games": "if False:\n        games",  # two games on the ring rather than five
}
FIGURES = {  # experiments that are run, and the names of those of their figures that the text shows
    "data": {},
    "a variational autoencoder of digits": {1: "bound"},
    "reconstructions and samples": {2: "samples"},
    "walking between digits": {1: "walk"},
    "beta, and the dimensions that collapse": {1: "collapse"},
    "with and without noise and price": {1: "plane"},
    "RealNVP on two moons": {},
    "the flow from three sides": {1: "moons"},
    "RealNVP on digits": {},
    "games on the ring": {1: "ring"},
    "the conditional ring": {1: "conditional"},
    "three critics on the line": {1: "critics"},
    "saving the autoencoder": {},
    "saving the flow": {},
    "saving the generator of the ring": {},
    "digits on demand": {2: "demand"},
    "samples and their nearest training digits": {},
    "three families": {},
    "saving the generator of digits": {},
    "digits in 49 letters": {2: "letters"},
    "one MADE, and several": {1: "mades"},
}


def run(source: str, file: str, namespace: Namespace, words: list[str]) -> None:
    """Execute a cell, or what it defines where its experiment is not wanted; keep its figures."""
    title = re.search(r'^with experiment\("(.+?)"[,)]', source, re.MULTILINE)
    chosen = title is None or (title[1] in FIGURES and any(word in title[1] for word in words))
    names, count = FIGURES[title[1]] if title and chosen else {}, 0

    def show(figure: Any, alt: str) -> None:
        nonlocal count
        count += 1
        print(alt, flush=True)
        if count in names:
            write_figure(figure, SET, names[count])

    figures.show = show
    for long, short in SHORTER.items():
        source = re.sub(long, short, source)
    execute(source.replace("QUICK = True", "QUICK = False"), file, namespace, only_definitions=not chosen)


def main(folder: Path, words: list[str]) -> None:
    """Run the notebook in the folder and keep what it saves."""
    namespace: Namespace = {"__name__": "notebook"}
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    for file in NEEDED:
        for cell in cells(SET, file, ("given", "answer", "run", "artifact")):
            run(cell.source, file, namespace, words)
    for artifact in folder.glob("ps2_*.safetensors"):
        shutil.copy(artifact, HERE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="for checkpoints (a new temporary one)")
    parser.add_argument("--only", nargs="+", default=[""], help="words of titles")
    chosen = parser.parse_args()
    main((chosen.folder or Path(tempfile.mkdtemp())).resolve(), chosen.only)
