"""The reference notebook's definitions for the programs of this folder: what its models need outside of it."""

from pathlib import Path
from types import SimpleNamespace

import matplotlib as mpl
import torch

from autograder import source
from autograder.source import Namespace

mpl.use("Agg")

SET = Path(__file__).resolve().parents[1]
NEEDED = ("intro", "q1_elbo", "q2_vae", "q3_change_of_variables", "q4_coupling_flows")
NEEDED += ("q5_gan_objectives", "q6_gan_training", "q7_lipschitz_critics", "q8_artifacts")
NEEDED += ("x2_vq_vae", "x3_autoregressive_flows")  # for their figures


def definitions() -> Namespace:
    """Everything that the notebook defines, for a processor without a GPU."""
    namespace = source.definitions(SET, NEEDED, experiments=True)
    namespace["here"] = SimpleNamespace(device=torch.device("cpu"), quick=False, seed=0)
    return namespace
