"""Train the networks of problem set 3: those of question 9, that of extension x2, and the one that comes with pskit.

    PSKIT_DATA=<folder with mnist> python solutions/ps3_diffusion_flow/artifacts/make.py MODEL [SEED] [SHARE] [FOLDER]

MODEL is ddpm, flow or few; few learns from flow of the same seed, which must be there. SHARE is the part of the full
training (1 by default, 0.5 for calibration). Losses, batches and the loop are the reference notebook's own. FOLDER gets
a checkpoint every minute, so that a second run goes on, and MODEL_SEED_SHARE.safetensors in half precision.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from reference import definitions, in_bfloat16
from torch import Tensor, nn

from autograder.source import Namespace
from pskit import data
from pskit.tensors import read, write

BLOCKS, STEPS, SIZE, RATE = 14, 100, 128, 2e-3  # the full training of question 9
FEW_BLOCKS, FEW_RATE = 5, 5e-4  # and that of extension x2
COUPLES, SOLVER_STEPS, CHUNK = 6000, 6, 250
Loss = Callable[[nn.Module, torch.Generator], Tensor]


def prepared() -> Namespace:
    """The notebook's namespace with its data, before its first training."""
    notebook = definitions()
    images, labels = data.mnist("train")
    notebook |= {"D_train": notebook["as_pm1"](images), "y_train": labels, "size": SIZE, "couples_size": SIZE, "T": 200}
    notebook["alpha_bar"] = notebook["make_schedule"]("cosine", 200)[1]
    in_bfloat16(notebook["UNet"])
    return notebook


def ddpm(notebook: Namespace, seed: int, share: float) -> nn.Module:
    """A diffusion model with labels, which guesses the noise."""
    return trained(notebook, fresh(notebook, seed, 200), notebook["ddpm_batch"], f"ddpm_{seed}", share, seed)


def flow(notebook: Namespace, seed: int, share: float) -> nn.Module:
    """A flow with labels, which guesses the velocity."""
    return trained(notebook, fresh(notebook, seed, 1), notebook["flow_batch"], f"flow_{seed}", share, seed)


def few(notebook: Namespace, seed: int, share: float) -> nn.Module:
    """A flow that starts from a trained one and learns its couples."""
    net = fresh(notebook, seed, 1)
    net.load_state_dict({name: tensor.float() for name, tensor in read(Path(f"flow_{seed}_1.safetensors"))[0].items()})
    notebook["couples"] = couples(notebook, net, seed)
    blocks = round(share * FEW_BLOCKS)
    return averaged(notebook, net, notebook["reflow_batch"], blocks, f"few_{seed}_{blocks}", FEW_RATE)


def couples(notebook: Namespace, net: nn.Module, seed: int) -> tuple[Tensor, ...]:
    """Noise, labels and ends; each chunk is kept in a file."""
    parts = []
    for i in range(COUPLES // CHUNK):
        file = Path(f"couples_{seed}/{i}.safetensors")
        if not file.exists():
            drawn = notebook["own_couples"](net, CHUNK, SOLVER_STEPS, 1000 * seed + i)
            write(file, dict(zip(("noise", "labels", "ends"), drawn, strict=True)))
            print(f"{(i + 1) * CHUNK} of {COUPLES} couples", flush=True)
        parts.append(read(file)[0])
    return tuple(torch.cat([part[name] for part in parts]) for name in ("noise", "labels", "ends"))


def fresh(notebook: Namespace, seed: int, times: int) -> nn.Module:
    """An untrained network; the notebook's own seed is 9."""
    torch.manual_seed(seed)
    net: nn.Module = notebook["UNet"](width=64, T=times)
    return net.to(memory_format=torch.channels_last)


def trained(notebook: Namespace, net: nn.Module, loss: Loss, name: str, share: float, seed: int) -> nn.Module:
    """The moving average of the network after its share of the training; each seed sees other batches."""

    def own_loss(net: nn.Module, generator: torch.Generator) -> Tensor:
        if seed and generator.initial_seed() < 10_000:  # new, and seeded with the number of its block
            generator.manual_seed(generator.initial_seed() + 10_000 * seed)
        return loss(net, generator)

    blocks = round(share * BLOCKS)
    return averaged(notebook, net, own_loss, blocks, f"{name}_{blocks}", RATE)


def averaged(notebook: Namespace, net: nn.Module, loss: Loss, blocks: int, name: str, rate: float) -> nn.Module:
    """The moving average of the network after blocks of training."""
    ema, history = notebook["train_network"](net, loss, blocks, name, rate, STEPS)
    print(f"{name}: loss {history['loss'][-1]:.4f}", flush=True)
    result: nn.Module = ema
    return result


def main(model: str, seed: int, share: float, folder: Path) -> None:
    """Train and write one network."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    net = {"ddpm": ddpm, "flow": flow, "few": few}[model](prepared(), seed, share)
    half = {key: value.detach().half().contiguous() for key, value in net.state_dict().items()}
    write(Path(f"{model}_{seed}_{share:g}.safetensors"), half)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=("ddpm", "flow", "few"))
    parser.add_argument("seed", type=int, nargs="?", default=0)
    parser.add_argument("share", type=float, nargs="?", default=1.0)
    parser.add_argument("folder", type=Path, nargs="?", default=Path(tempfile.gettempdir()) / "ps3_artifacts")
    asked = parser.parse_args()
    main(asked.model, asked.seed, asked.share, asked.folder.resolve())
