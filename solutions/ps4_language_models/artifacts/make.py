"""Make the reference artifacts of question 8 by the reference notebook's own functions.

    PSKIT_DATA=<folder with tinyshakespeare> python solutions/ps4_language_models/artifacts/make.py NAME FOLDER

NAME is gpt, tokenizer or scaling. Checkpoints lie in FOLDER, so that a second run goes on. There was no GPU: the GPT is
smaller than the notebook's, and the five sizes read less.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from reference import definitions
from safetensors.torch import save_file
from torch import Tensor

HERE = Path(__file__).resolve().parent


def save(name: str, tensors: Mapping[str, Tensor]) -> None:
    """Write an artifact beside this program."""
    save_file({key: tensor.contiguous() for key, tensor in tensors.items()}, HERE / f"ps4_{name}.safetensors")


def gpt() -> None:
    """A GPT of 1.8 million parameters on the whole training text, 3.2 million characters of it."""
    book = definitions()
    torch.manual_seed(0)
    model = book["GPT"](book["GPTConfig"](65, 256, n_layer=4, n_head=4, n_embd=192))
    recipe = book["Recipe"](steps=1560, B=8, T=256, max_lr=2e-3, min_lr=1e-4, warmup=200)
    book["train"](model, book["ids_train"], book["ids_val"], recipe, "reference_gpt")
    print(f"validation: {book['evaluate'](model, book['ids_val'], 256, 400):.4f} nats per character")
    save("gpt", book["gpt_tensors"](model))


def scaling() -> None:
    """The five sizes of question 7, 0.6 million characters each."""
    book = definitions()
    models, _ = book["train_sizes"](T=64, B=16, steps=600, name="reference_scaling")
    packed: dict[str, Tensor] = {}
    for i, model in enumerate(models):
        print(book["count_params"](model.cfg), f"{book['evaluate'](model, book['ids_val'], 128, 400):.4f} nats")
        packed |= book["gpt_tensors"](model, f"{i}.")
    save("scaling", packed)


def tokenizer() -> None:
    """A thousand merges of the whole training text."""
    book = definitions()
    vocab, merges = book["train_bpe"](book["text_train"], 256 + 1 + 1000, ["<|endoftext|>"])
    save("tokenizer", book["tokenizer_tensors"](vocab, merges))


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    where = Path(sys.argv[2]).resolve()
    where.mkdir(parents=True, exist_ok=True)
    os.chdir(where)
    {"gpt": gpt, "scaling": scaling, "tokenizer": tokenizer}[sys.argv[1]]()
