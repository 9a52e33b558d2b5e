"""The first cell: where the notebook runs, and the same random numbers in every run."""

import os
import platform
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from pskit import checkpoint, data
from pskit.drive import folder_in_drive


@dataclass(frozen=True)
class Setup:
    """What the notebook's cells ask for: the device to train on, and whether to be quick."""

    device: torch.device
    quick: bool
    seed: int


def setup(seed: int = 0, *, quick: bool = False, needs_gpu: bool = False, drive: str = "") -> Setup:
    """Say where the notebook runs, seed torch, NumPy and random, and choose small data where `quick`.

    `drive` names a folder of the student's Google Drive in which checkpoints are kept; without it none is touched.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    data.prefer_small(quick)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(f"Python {platform.python_version()}, torch {torch.__version__}, NumPy {np.__version__}")
    print(_device_in_words(device, needs_gpu))
    print(_room())
    print(f"Data folder: {data.folder()}")
    print(_quick_in_words(quick))
    if needs_gpu and not quick and device.type == "cpu":
        print("Without a GPU the full runs of this set take hours. QUICK = True is the smaller setting.")
    checkpoint.keep_in((folder_in_drive(drive) if drive else None) or Path())
    return Setup(device, quick, seed)


def _device_in_words(device: torch.device, needs_gpu: bool) -> str:
    if device.type == "cuda":
        facts = torch.cuda.get_device_properties(device)
        return f"Device: {facts.name}, {facts.total_memory / 2**30:.0f} GB"
    advice = "in Colab choose Runtime > Change runtime type > T4 GPU." if needs_gpu else "this run needs none."
    return f"Device: CPU with {os.cpu_count()} cores. No GPU: {advice}"


def _room() -> str:
    disk = f"disk: {shutil.disk_usage('.').free / 2**30:.0f} GB free"
    try:
        import psutil  # Jupyter's kernel brings it; plain Python may lack it
    except ImportError:
        return disk.capitalize()
    return f"Memory: {psutil.virtual_memory().available / 2**30:.1f} GB free, {disk}"


def _quick_in_words(quick: bool) -> str:
    if quick:
        return "QUICK = True: small data and short runs. Set it to False for the figures that the text quotes."
    return "QUICK = False: full data and full runs."
