"""Time the reference EM of problem set 1 against scikit-learn's, on the same patches, start, iterations and ridge.

    python benchmarks/em_vs_sklearn.py [--patches 60000] [--components 20] [--iterations 30]

Run it on an idle machine. It uses BSDS500 where `pskit.data` finds it (`PSKIT_DATA`), else the bundled photographs.
scikit-learn gets the parameters of the first M-step; the reference starts from the responsibilities and does that
M-step within its time, so both do the same E-steps and the reference one M-step more. scikit-learn computes in double
precision whatever it is given; the reference computes in the precision of its input, so it is timed in both.
"""

import argparse
import math
import os
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jupytext
import numpy as np
import sklearn
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from torch import Tensor

from pskit import data

SET = Path(__file__).parents[1] / "solutions" / "ps1_probabilistic"
RIDGE = 1e-6


def reference() -> dict[str, Any]:
    """The names that the answer cells of questions 3 and 4 define."""
    names: dict[str, Any] = {"torch": torch, "math": math, "Tensor": Tensor}
    for question in ("q3_mixture", "q4_em"):
        for cell in jupytext.read(SET / f"{question}.py").cells:
            if cell.metadata.get("role") == "answer":
                exec(compile(cell.source, question, "exec"), names)
    return names


def groups_by_contrast(X: Tensor, K: int) -> Tensor:
    """The notebook's start: each patch belongs to its quantile of the norm with probability 0.9."""
    rank = X.norm(dim=1).argsort().argsort()
    return (0.9 * torch.nn.functional.one_hot(rank * K // len(X), K).to(X.dtype) + 0.1 / K).log()


def sklearn_mixture(params: tuple[Tensor, Tensor, Tensor], iterations: int) -> GaussianMixture:
    """A mixture of scikit-learn that starts at these parameters and does not stop early."""
    log_pi, mus, Sigmas = params
    return GaussianMixture(
        len(log_pi),
        tol=0.0,
        reg_covar=RIDGE,
        max_iter=iterations,
        init_params="random_from_data",
        weights_init=log_pi.exp().numpy() / log_pi.exp().sum().item(),
        means_init=mus.numpy(),
        precisions_init=np.linalg.inv(Sigmas.numpy()),
    )


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of the work and its wall time in seconds."""
    start = time.perf_counter()
    return work(), time.perf_counter() - start


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=60_000)
    parser.add_argument("--components", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=30)
    return parser.parse_args()


def main() -> None:
    """Print both times, their ratio and both log-likelihoods."""
    asked, names = arguments(), reference()
    X, _ = data.to_ac(data.patches("train", asked.patches))
    start = groups_by_contrast(X, asked.components)
    mixture = sklearn_mixture(names["m_step"](X, start, ridge=RIDGE), asked.iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # without early stopping it never reports convergence
        _, theirs = timed(lambda: mixture.fit(X.numpy()))
    score = float(mixture.score(X.numpy()))
    print(
        f"EM on {len(X)} x {X.shape[1]} patches, K = {asked.components}, {asked.iterations} iterations, ridge {RIDGE:g}"
    )
    load = os.getloadavg()[0]
    print(f"{platform.machine()}, {os.cpu_count()} cores, load {load:.1f}, Python {platform.python_version()}")
    print(f"scikit-learn {sklearn.__version__}, NumPy {np.__version__}: {theirs:.1f} s, {score:.6f} nats")
    for dtype in (torch.float64, torch.float32):
        ours, nats = reference_fit(names["em_fit"], X.to(dtype), start.to(dtype), asked.iterations + 1)
        print(
            f"reference, torch {torch.__version__}, {dtype}: {ours:.1f} s, {nats:.6f} nats; "
            f"{theirs / ours:.1f} times faster, log-likelihoods differ by {abs(score - nats):.1e} nats"
        )


def reference_fit(em_fit: Callable[..., Any], X: Tensor, start: Tensor, rounds: int) -> tuple[float, float]:
    """Seconds, and the mean log-likelihood that the reference reaches."""
    em_fit(X[:2000], start[:2000], 1, ridge=RIDGE)  # wake the threads
    (_, trace), seconds = timed(lambda: em_fit(X, start, rounds, ridge=RIDGE))
    return seconds, float(trace[-1])


if __name__ == "__main__":
    main()
