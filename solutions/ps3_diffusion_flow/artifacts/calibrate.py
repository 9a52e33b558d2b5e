"""What trained networks reach, measured as the hidden tests do: what the thresholds of question 9 and x2 rest on.

    python solutions/ps3_diffusion_flow/artifacts/calibrate.py FOLDER [TERM SEEDS]

FOLDER holds what `make.py MODEL SEED SHARE FOLDER` wrote, for calibration with SHARE 0.5. Each line is one network with
one draw of hidden noise; the number of draws is 1 by default.
"""

import os
import sys
from pathlib import Path

import numpy as np
import torch

from autograder.hidden.ps3_diffusion_flow import judged
from autograder.hidden.ps3_diffusion_flow.networks import HandedIn, Tensors
from autograder.hidden.ps3_diffusion_flow.test_q9_artifacts import eight_steps, ten_steps
from autograder.hidden.ps3_diffusion_flow.test_x2_few_steps import single_step
from pskit.tensors import read

SAMPLERS = {"ddpm": ten_steps, "flow": eight_steps, "few": single_step}
ERRORS = {"ddpm": judged.noise_error, "flow": judged.velocity_error}


def error(model: str, tensors: Tensors, rng: np.random.Generator, *, told: bool) -> float:
    """The error with or without labels; NaN for the student of few steps, which neither noise nor velocity judges."""
    return ERRORS[model](HandedIn(tensors), rng, told=told) if model in ERRORS else float("nan")


def line(file: Path, seed: int) -> str:
    """One network, measured with draws of this seed."""
    model, rng = file.stem.split("_")[0], np.random.default_rng(seed)
    tensors = read(file)[0]
    told = error(model, tensors, rng, told=True)
    images = judged.samples(tensors, rng, SAMPLERS[model], anew=True)
    untold = error(model, tensors, rng, told=False)
    return (
        f"{file.stem} | draws {seed} | error {told:.4f} | without a label {untold:.4f} | "
        f"agreement {100 * judged.agreement(images):.1f} % | distance {judged.distance(images):.2f}"
    )


def main(folder: Path, draws: int) -> None:
    """Print a line for each network and draw."""
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "2")))
    for file in sorted(folder.glob("*_*_*.safetensors")):
        for seed in range(draws):
            print(line(file, seed), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
