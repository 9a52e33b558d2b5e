# %% [markdown] role="text"
# # Problem set 1: simple probabilistic models
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({{colab_url}})
#
# A photograph taken in the dark is full of noise. How can a program tell the noise from the picture? It has to know
# what pictures look like: it needs a **generative model**, a probability for every possible image. In this problem
# set you build one, from one Gaussian to a mixture of many, fit it to pieces of real photographs with your own
# expectation-maximisation, and use it to clean a photograph that it has never seen. The idea, with a mixture of 200
# Gaussians, is that of Zoran and Weiss (*From learning models of natural image patches to whole image restoration*,
# ICCV 2011). Everything that you meet on the way comes back in the later sets: latent variables and the evidence lower
# bound in variational autoencoders, the posterior mean and the score in diffusion models.
#
# | | you will |
# | --- | --- |
# | 1, 2 | fit Gaussians, compute their densities where naive formulas underflow, and turn them into a classifier |
# | 3, 4 | add a latent variable: the mixture, the E-step, the M-step, and why EM climbs |
# | 5, 6 | derive the best denoiser under your model, prove Tweedie's formula, and clean a photograph |
# | 7 | approximate a posterior, and compare the two ways to differentiate an expectation |
# | 8 | hand in your trained mixture; it is judged by the likelihood it gives to photographs that you do not have |
#
# **Due {{due}}.** You have {{late_hours}} late hours for all sets together, charged by the started hour; after that,
# each hour costs {{percent_per_hour}} % of the set's points. You work alone: talk about ideas, but write every line
# and every derivation yourself. Language models may help you to test your code and to look up functions of a library;
# they may not write answers. [For students]({{mirror}}/blob/{{mirror_ref}}/students.md) tells the rest: Colab and GPUs,
# what counts, how grading works and what it cannot see, and how to ask about a grade.

# %% [markdown] role="text"
# ## Setup
#
# The cell below installs the course's small package `pskit` where it is missing. It needs no other version of
# anything, no restart and no GPU, and it may be run again at any time, for example after Colab has disconnected.

# %% role="given" id="setup"
def install_pskit(wheel: str, sha256: str, version: str) -> None:
    """Install the course's package where this Python lacks it, and nothing else; say what else is missing."""
    import subprocess
    import sys
    from importlib import invalidate_caches, metadata, util

    def found(package: str) -> str:
        return next((each.version for each in metadata.distributions(name=package)), "")

    if found("pskit") != version and (found("pskit") or util.find_spec("pskit") is None):
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", f"{wheel}#sha256={sha256}"]
        done = subprocess.run(pip, check=False, capture_output=True, text=True)
        if done.returncode:
            print("pskit could not be installed. Is there a network? Run this cell again; if it stays, ask the staff.")
            print(done.stderr)
        invalidate_caches()
    needed = metadata.requires("pskit") or [] if found("pskit") else []
    if missing := " ".join(package for package in needed if not found(package)):
        print(f"This Python lacks {missing}. Run this in a cell of its own, then go on: %pip install {missing}")


install_pskit("{{pskit_wheel}}", "{{pskit_sha256}}", "{{pskit_version}}")

# %% role="given" id="imports"
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import Tensor

from pskit import check, data, experiment, figures, points_of, resumable, save_artifact, setup, submit
from pskit.data import dct_basis, from_ac, to_ac

# %% [markdown] role="text"
# With `QUICK = True` everything runs on small data that comes with `pskit`: the whole notebook takes a few minutes on
# two CPU cores and needs no network. Use it while you write. Set `QUICK = False` and run the notebook again from here
# when your code works: it downloads the Berkeley photographs (70 MB, once), and the numbers in the text become yours.
#
# In Colab the machine's files go with the machine. With the further argument `drive="ps1"`, `setup` keeps the
# checkpoints of training runs in your Google Drive, where they survive a disconnect. Nothing here needs Drive.

# %% role="run" id="quick"
QUICK = True
here = setup(seed=0, quick=QUICK)
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=figures.COLOURS)  # for every kind of colour vision

# %% [markdown] role="text"
# ## Conventions
#
# - **Data**: one example per row, `X` is (N, D). All tensors are `torch.float64` unless the text says otherwise;
#   results have the dtype of their inputs.
# - **Probability**: log-densities and log-likelihoods are *per example*, (N,), in *nats*, summed over dimensions.
#   Probabilities stay in log space: `log_pi` (K,), `log_resp` (N, K).
# - **Symbols**: `mu` (D,) and `Sigma` (D, D) are one Gaussian, `mus` (K, D) and `Sigmas` (K, D, D) are many. `Sigma` is
#   a covariance, never its inverse or its root; `sigma` is the standard deviation of noise.
# - **Ridge**: `ridge` is added once, to the diagonal of an estimated covariance.
# - **Arguments** stay as they are: the caller needs them again.
# - **Randomness** is an argument (`eps`, `noise`, `generator`). No graded function draws random numbers itself.
# - **Images**: grey values in [0, 1]. A photograph is (H, W); a patch of p x p pixels is a row of p * p values, read
#   line by line.
#
# A cell that you have to complete raises `NotImplementedError("Question 1a: ...")` until you do. Replace that line,
# keep the function's name and arguments, and add helpers wherever you like. The cell below it runs *public checks*
# and says in words what holds; cells that train or draw wait until what they need is written. Written answers go into
# the cells that say so, in Markdown with LaTeX.

# %% [markdown] role="text"
# ## Data
#
# Our examples are patches of 8 x 8 pixels from grey photographs. How bright a patch is as a whole says little about
# what is on it, so we take the mean of each patch away. The 64 numbers that are left always sum to zero: they live in
# 63 dimensions, and their 64 x 64 covariance has no inverse. We therefore write each patch in an orthonormal basis of
# those 63 dimensions, the cosine patterns of JPEG without the constant one. `basis` holds a pattern per column, so
# that `P @ basis` are the coefficients of patches `P` (N, 64), and since the columns are orthonormal, lengths,
# distances and densities are the same in both descriptions. Photographs for training and for testing are different
# pictures.

# %% role="run" id="data"
with experiment("data"):
    basis = dct_basis(8)  # (64, 63)
    P_train = data.patches("train", 20_000 if QUICK else 60_000)  # (N, 64) grey values
    P_test = data.patches("test", 5_000 if QUICK else 10_000)
    X_train, means_train = to_ac(P_train)  # (N, 63) coefficients, (N, 1) means
    X_test, means_test = to_ac(P_test)
    photo = data.photographs("test", bundled=True)[0]  # (H, W), the one that you will clean
    figures.photographs({"a photograph for testing": photo})
    figures.patches(P_train[:96], "patches for training", columns=24)
    figures.patches(basis.T, "the 63 patterns of the basis", columns=21)

# %% [markdown] role="text"
# **Look.** Most patches are almost flat, some hold one edge, a few are full of texture. A model that is good at
# patches has to know all three kinds. Which of them will a single Gaussian describe worst?
