"""The reference notebook's definitions for the programs of this folder: what its models need outside of it."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import matplotlib as mpl
import torch

from autograder import source
from autograder.source import Namespace
from pskit.figures import COLOURS

mpl.use("Agg")
mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=COLOURS)  # as in the notebook

SET = Path(__file__).resolve().parents[1]
NEEDED = ("intro", "q1_forward_process", "q2_posterior", "q3_training_loss", "q4_ancestral_sampling", "q5_ddim")
NEEDED += ("q6_guidance", "q7_editing", "q8_flow_matching", "q9_artifacts", "x2_few_steps")


def definitions() -> Namespace:
    """Everything that the notebook defines, for a processor without a GPU."""
    namespace = source.definitions(SET, NEEDED, experiments=True)
    namespace |= {"QUICK": False, "here": SimpleNamespace(device=torch.device("cpu"), quick=False, seed=0)}
    return namespace


def in_bfloat16(net: type) -> None:
    """Let networks of this class compute in bfloat16, which processors with matrix units do twice as fast."""
    forward = net.forward

    def faster(self: Any, *args: Any) -> torch.Tensor:
        with torch.autocast("cpu", torch.bfloat16), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
            result: torch.Tensor = forward(self, *args)
        return result.float()

    net.forward = faster
