"""Make the reference artifacts of question 8 by the reference notebook's own functions.

    PSKIT_DATA=<folder with tinyshakespeare> python solutions/ps4_language_models/artifacts/make.py NAME FOLDER

NAME is gpt, tokenizer or scaling, or learning or laws: the expected figures of question 5, from the run of gpt, and of
question 7, from that of scaling. Checkpoints lie in FOLDER, so that a second run goes on. There was no GPU: the GPT is
smaller than the notebook's, and the five sizes read less.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from reference import SET, definitions, run_cell
from safetensors.torch import save_file
from torch import Tensor

from autograder.release.figures import write_figure
from autograder.source import Namespace
from pskit import figures

HERE = Path(__file__).resolve().parent


def save(name: str, tensors: Mapping[str, Tensor]) -> None:
    """Write an artifact beside this program."""
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / f"ps4_{name}.safetensors")


def sizes(book: Namespace) -> Any:
    """The reference GPT's configuration: 1.8 million parameters."""
    return book["GPTConfig"](65, 256, n_layer=4, n_head=4, n_embd=192)


def recipe(book: Namespace, steps: int, seed: int = 0) -> Any:
    """Its training: batches of 8 windows."""
    return book["Recipe"](steps=steps, B=8, T=256, max_lr=2e-3, min_lr=1e-4, warmup=200, seed=seed)


def train_gpt(book: Namespace) -> tuple[Any, dict[str, list[float]]]:
    """The reference GPT, trained on 3.2 million characters, and its history."""
    torch.manual_seed(0)
    model = book["GPT"](sizes(book))
    return model, book["train"](model, book["ids_train"], book["ids_val"], recipe(book, 1560), "reference_gpt")


def gpt() -> None:
    """The GPT."""
    book = definitions()
    model, _ = train_gpt(book)
    print(f"validation: {book['evaluate'](model, book['ids_val'], 256, 400):.4f} nats per character")
    save("gpt", book["gpt_tensors"](model))


FIVE = {"T": 64, "B": 16, "steps": 600, "name": "reference_scaling"}  # 0.6 million characters each


def scaling() -> None:
    """The five sizes of question 7."""
    book = definitions()
    models, _ = book["train_sizes"](**FIVE)
    packed: dict[str, Tensor] = {}
    for i, model in enumerate(models):
        print(book["count_params"](model.cfg), f"{book['evaluate'](model, book['ids_val'], 64, 400):.4f} nats")
        packed |= book["gpt_tensors"](model, f"{i}.")
    save("scaling", packed)


def tokenizer() -> None:
    """A thousand merges of the whole training text."""
    book = definitions()
    vocab, merges = book["train_bpe"](book["text_train"], 256 + 1 + 1000, ["<|endoftext|>"])
    save("tokenizer", book["tokenizer_tensors"](vocab, merges))


def learning() -> None:
    """The figure of question 5: curves of the GPT; a sample of its text is printed."""
    book, drawn = definitions(), []
    figures.show = lambda figure, alt: drawn.append(figure)
    model, history = train_gpt(book)
    lines = {"training": history["train"], "validation": history["val"]}
    figures.curves(
        lines, xlabel="blocks of 20 updates", ylabel="nats per character", title="a small GPT learns to write"
    )
    print(book["decode_chars"](book["babble"](model, book["encode_chars"]("\n"), 400)))
    write_figure(drawn[0], SET, "learning")


def laws() -> None:
    """The figures of question 7: the law of the five sizes, and which size wins at which budget."""
    book, drawn = definitions(), []
    figures.show = lambda figure, alt: drawn.append(figure)
    train_sizes = book["train_sizes"]
    book |= {"QUICK": True, "train_sizes": lambda *_: train_sizes(**FIVE)}
    for title in ("five sizes", "the law and its uncertainty", "which size for which budget"):
        run_cell(book, "q7_scaling", title, {"(64, 16, 200)": "(64, 16, 600)"})
    for figure, name in zip(drawn, ("scaling", "budgets"), strict=True):
        write_figure(figure, SET, name)


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    where = Path(sys.argv[2]).resolve()
    where.mkdir(parents=True, exist_ok=True)
    os.chdir(where)
    made = {each.__name__: each for each in (gpt, scaling, tokenizer, learning, laws)}
    made[sys.argv[1]]()
