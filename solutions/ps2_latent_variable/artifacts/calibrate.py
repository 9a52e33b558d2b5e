"""What models reach at half of the training of the full notebook, judged as the hidden tests do: the thresholds of 8.

    PSKIT_DATA=<folder with mnist> python solutions/ps2_latent_variable/artifacts/calibrate.py vae 0 1 2 3 4

The first argument may also be moons, ring or digits. A seed starts other networks, and for the autoencoder and the flow
it draws other batches and points as well. Checkpoints lie in `--folder`, so that a second run goes on.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from reference import definitions

from autograder.hidden.ps2_latent_variable import test_q8_artifacts as judges
from autograder.hidden.digits.reader import reader
from autograder.source import Namespace
from pskit import data


def vae(notebook: Namespace, seed: int) -> str:
    """8 of 16 epochs."""
    digits = notebook["binarise"](data.mnist("train")[0], seed=1)
    torch.manual_seed(seed)
    model = notebook["VAE"](hidden=500)
    order = torch.randperm(len(digits), generator=torch.Generator().manual_seed(seed))
    notebook["train_vae"](model, digits[order] if seed else digits, 8, f"half_vae_{seed}")
    nats = judges.negative_bound(judges.Autoencoder(notebook["weights"](model)), np.random.default_rng(0))
    return f"-elbo {nats:.2f} nats"


def moons(notebook: Namespace, seed: int) -> str:
    """2,000 of 4,000 steps, with a learning rate that has fallen to zero."""
    torch.manual_seed(seed)
    flow = notebook["moons_flow"]()
    notebook["train_moons"](flow, notebook["moons"](20_000, seed=100 + seed), 2000, f"half_moons_{seed}")
    nets = torch.nn.ModuleList(net for net in flow.modules() if isinstance(net, notebook["CouplingMLP"]))
    gap = judges.gap(judges.PlaneFlow(notebook["weights"](nets)), np.random.default_rng(0))
    return f"{gap:.4f} nats worse than the truth"


def ring(notebook: Namespace, seed: int) -> str:
    """40 of 80 blocks."""
    first = notebook["ring_players"]

    def other_players(*args: Any) -> dict[str, Any]:
        players: dict[str, Any] = first(*args)
        torch.manual_seed(seed)
        for net in (players["G"], players["D"]):
            for layer in net.layers:
                if hasattr(layer, "reset_parameters"):
                    layer.reset_parameters()
        return players

    notebook["ring_players"] = other_players
    Path(f"ring{seed}").mkdir(exist_ok=True)  # the notebook names its checkpoints itself
    os.chdir(f"ring{seed}")
    G = notebook["train_on_ring"]("non_saturating", 40)[0]
    os.chdir("..")
    notebook["ring_players"] = first
    modes, good, spread = judges.on_the_ring(judges.RingGenerator(notebook["weights"](G)), np.random.default_rng(0))
    return f"{modes} modes, {100 * good:.1f} % good, spread {spread:.3f}"


def digits(notebook: Namespace, seed: int) -> str:
    """40 of 80 blocks."""
    players = notebook["digit_players"](seed)
    images, labels = data.mnist("train")

    def judge(drawn: torch.Tensor) -> torch.Tensor:
        return reader()((drawn + 1) / 2)

    notebook["train_digits"](players, images, labels, 40, judge, f"half_digits_{seed}")
    model = judges.DigitGenerator(notebook["weights"](players["G"]))
    agree, variety = judges.on_demand(model, np.random.default_rng(0))
    return f"{100 * agree:.1f} % as asked, variety {variety:.2f}"


def main(train: Callable[[Namespace, int], str], seeds: list[int], folder: Path) -> None:
    """Print a line per seed."""
    torch.set_num_threads(1)
    notebook = definitions()
    folder.mkdir(parents=True, exist_ok=True)
    os.chdir(folder)
    for seed in seeds:
        print(f"{train.__name__} seed {seed} | {train(notebook, seed)}", flush=True)


if __name__ == "__main__":
    trainings = {each.__name__: each for each in (vae, moons, ring, digits)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=trainings)
    parser.add_argument("seeds", nargs="+", type=int)
    parser.add_argument("--folder", type=Path, help="for checkpoints (a new temporary one)")
    chosen = parser.parse_args()
    main(trainings[chosen.model], chosen.seeds, chosen.folder or Path(tempfile.mkdtemp()))
