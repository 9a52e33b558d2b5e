"""Time the reference EM of problem set 1 against scikit-learn's, on the same patches, start, iterations and ridge.

    python benchmarks/em_vs_sklearn.py [--patches 60000] [--components 20] [--iterations 30]

Run it on an idle machine. It uses BSDS500 where `pskit.data` finds it (`PSKIT_DATA`), else the bundled photographs.
scikit-learn gets the parameters of the first M-step; the reference starts from the responsibilities and does that
M-step within its time, so both do the same E-steps and the reference one M-step more. scikit-learn computes in double
precision whatever it is given; the reference computes in the precision of its input, so it is timed in both.
"""

import argparse
import warnings
from functools import partial

import numpy as np
import torch
from machine import machine
from reference import definitions
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from times import in_turn
from torch import Tensor

from pskit import data

RIDGE = 1e-6


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


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--patches", type=int, default=60_000)
    parser.add_argument("--components", type=int, default=20)
    parser.add_argument("--iterations", type=int, default=30)
    return parser.parse_args()


def main() -> None:
    """Print the times, their ratios and the log-likelihoods."""
    asked, book = arguments(), definitions("ps1", "q3_mixture", "q4_em")
    X, _ = data.to_ac(data.patches("train", asked.patches))
    start = groups_by_contrast(X, asked.components)
    mixture = sklearn_mixture(book.m_step(X, start, ridge=RIDGE), asked.iterations)
    works = {"scikit-learn": lambda: mixture.fit(X.numpy())}
    for dtype in (torch.float64, torch.float32):
        own = (X.to(dtype), start.to(dtype))
        works[f"reference, {dtype}"] = partial(book.em_fit, *own, asked.iterations + 1, ridge=RIDGE)
    book.em_fit(X[:2000], start[:2000], 1, ridge=RIDGE)  # wake the threads
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # without early stopping it never reports convergence
        results, took = in_turn(works)
    score, theirs = float(mixture.score(X.numpy())), took["scikit-learn"]
    print(
        f"EM on {len(X)} x {X.shape[1]} patches, K = {asked.components}, {asked.iterations} iterations, ridge {RIDGE:g}"
    )
    print(machine("torch", "numpy", "scikit-learn"))
    print(f"scikit-learn: {theirs}, {score:.6f} nats")
    for name, seconds in list(took.items())[1:]:
        nats = float(results[name][1][-1])
        print(
            f"{name}: {seconds}, {nats:.6f} nats; {theirs.median / seconds.median:.1f} times faster, "
            f"log-likelihoods differ by {abs(score - nats):.1e} nats"
        )


if __name__ == "__main__":
    main()
