"""Log-likelihoods on the hidden patches of models that students may hand in: what the thresholds of 8a rest on.

    PSKIT_DATA=<folder with bsds500> python solutions/ps1_probabilistic/artifacts/calibrate.py bsds 5
    python solutions/ps1_probabilistic/artifacts/calibrate.py bundled 5

A seed draws other training patches. The models are fitted by the reference's em_fit, 30 rounds from groups of contrast.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from autograder.source import Namespace, definitions
from pskit import data

SET = Path(__file__).resolve().parents[1]
HIDDEN = SET.parents[1] / "autograder" / "hidden" / SET.name / "data" / "patches.npy"
NEEDED = ("intro", "q1_gaussian", "q3_mixture", "q4_em")
Mixture = tuple[Tensor, Tensor, Tensor]


def models(notebook: Namespace, X: Tensor, all_of_them: bool) -> Iterator[tuple[str, Mixture]]:
    """Models of the rows of X (N, 63) by name; the slow and the odd ones only on request."""

    def em(K: int, ridge: float = 1e-6) -> Mixture:
        return notebook["em_fit"](X, notebook["groups_by_contrast"](X, K), 30, ridge=ridge)[0]

    yield "one Gaussian", em(1)
    log_pi, mus, Sigmas = notebook["scale_mixture"](X, 10, 100)
    yield "ten scales of one Gaussian", (log_pi, mus, Sigmas + 1e-6 * torch.eye(63, dtype=torch.float64))
    yield "K = 5", em(5)
    yield "K = 10", em(10)
    yield "K = 20", (twenty := em(20))
    if all_of_them:
        yield "K = 20, diagonals only", diagonal(twenty)
        yield "K = 20, ridge 1e-5", em(20, ridge=1e-5)
        yield "K = 50", em(50)


def diagonal(model: Mixture) -> Mixture:
    """The same mixture without its correlations."""
    log_pi, mus, Sigmas = model
    return log_pi, mus, torch.diag_embed(Sigmas.diagonal(dim1=1, dim2=2))


def main(source: str, seeds: int) -> None:
    """Print a line per model and seed: nats per hidden patch and per test patch."""
    data.prefer_small(source == "bundled")
    notebook = definitions(SET, NEEDED, experiments=True)
    hidden = data.to_ac(torch.from_numpy(np.load(HIDDEN) / 255.0))[0]
    test = data.to_ac(data.patches("test", 10_000, seed=100))[0]
    for seed in range(seeds):
        X = data.to_ac(data.patches("train", 60_000, seed=seed))[0]
        for name, model in models(notebook, X, all_of_them=seed == 0):
            scores = [notebook["e_step"](rows, *model)[1].mean().item() for rows in (hidden, test)]
            print(f"{source} seed {seed} | {name} | hidden {scores[0]:.2f} | test {scores[1]:.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
