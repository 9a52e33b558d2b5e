"""The students' side: what the notebooks import. Everything here uses only what Colab has installed."""

from pskit import data, figures
from pskit.artifact import save_artifact
from pskit.checkpoint import resumable
from pskit.checks import check
from pskit.environment import setup
from pskit.experiments import experiment
from pskit.handin import points_of, submit
from pskit.states import pack, unpack

__all__ = [
    "check", "data", "experiment", "figures", "pack", "points_of", "resumable", "save_artifact", "setup", "submit",
    "unpack",
]  # fmt: skip
