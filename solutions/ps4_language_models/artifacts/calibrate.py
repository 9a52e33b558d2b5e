"""What the thresholds of question 8 rest on: other seeds, judged as the hidden tests do.

    PSKIT_DATA=<data> python solutions/ps4_language_models/artifacts/calibrate.py NAME FOLDER SEEDS

<data> holds tinyshakespeare. NAME is gpt (half of the reference's training) or scaling (all of it). Checkpoints lie in
FOLDER, so that a second run goes on. Prints a line for each seed: the surprise at hidden plays, in nats per character.
"""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import torch
from make import FIVE, recipe, sizes
from reference import definitions

from autograder.hidden.ps4_language_models.handed_in import Tensors, nats_per_character
from autograder.source import Namespace


def judged(book: Namespace, tensors: Tensors, prefix: str = "", count: int = 64) -> float:
    """What the hidden tests measure; the notebook's own classes stand in for a worker."""
    ps = SimpleNamespace(run=lambda probe, *args: probe(SimpleNamespace(**book), *args))
    return nats_per_character(ps, tensors, prefix, count)


def gpt(book: Namespace, seed: int) -> str:
    """780 of 1,560 updates, with a learning rate that has fallen to its least."""
    torch.manual_seed(seed)
    model = book["GPT"](sizes(book))
    book["train"](model, book["ids_train"], book["ids_val"], recipe(book, 780, seed), f"half_gpt_{seed}")
    return f"{judged(book, book['gpt_tensors'](model)):.3f}"


def scaling(book: Namespace, seed: int) -> str:
    """The five sizes, from the smallest on."""
    models, _ = book["train_sizes"](**FIVE | {"name": f"scaling_{seed}"}, seed=seed)
    packed: dict[str, torch.Tensor] = {}
    for i, model in enumerate(models):
        packed |= book["gpt_tensors"](model, f"{i}.")
    return ", ".join(f"{judged(book, packed, f'{i}.', 32):.3f}" for i in range(len(models)))


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    where = Path(sys.argv[2]).resolve()
    where.mkdir(parents=True, exist_ok=True)
    os.chdir(where)
    for each in map(int, sys.argv[3:]):
        nats = {"gpt": gpt, "scaling": scaling}[sys.argv[1]](definitions(), each)
        print(f"{sys.argv[1]}, seed {each}: {nats} nats", flush=True)
