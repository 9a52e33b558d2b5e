# %% [markdown] role="text"
# # Problem set 2: latent variable models
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({{colab_url}})
#
# A mixture of Gaussians (problem set 1) has one hidden variable with $K$ values, and everything about it could be
# summed exactly. The digit that you are about to write has far more hidden causes: which digit, how slanted, how thick
# the pen, how tired the hand. In this problem set the hidden variable becomes a vector, the map from it to the image
# becomes a neural network, and the sum over hidden values becomes an integral that nobody can do. There are three ways
# to live with that, and you build all three on the same images:
#
# | | the idea | you can evaluate | you can sample |
# | --- | --- | --- | --- |
# | **variational autoencoder** | bound the integral from below, train the bound | a bound of $\log p(x)$ | yes |
# | **normalizing flow** | choose a network for which the integral is exact | $\log p(x)$ | yes |
# | **adversarial network** | do not evaluate at all; let a critic compare samples with data | nothing | yes |
#
# None of them wins. At the end you have measured what each can and cannot do.
#
# | | you will |
# | --- | --- |
# | 1, 2 | derive the evidence lower bound, build a variational autoencoder, and watch its latent variables die |
# | 3, 4 | follow a density through an invertible network, and build RealNVP |
# | 5, 6, 7 | derive what a discriminator knows, train a GAN, watch it lose modes, and tame its critic |
# | 8 | hand in your trained models; they are judged on images that they were not trained on |
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
# anything and no restart, and it may be run again at any time, for example after Colab has disconnected. For the full
# runs choose a T4 GPU (Runtime > Change runtime type); with `QUICK = True` two CPU cores are enough.

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
import copy
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from pskit import check, data, experiment, figures, pack, points_of, resumable, save_artifact, setup, submit, unpack

# %% [markdown] role="text"
# With `QUICK = True` everything runs on small data that comes with `pskit`: the whole notebook takes three minutes on a
# busy CPU core (measured) and needs no network. Use it while you write. Set `QUICK = False` and run the notebook again
# from here when your code works: it downloads MNIST (11 MB, once), and the numbers in the text become yours. All full
# trainings together are about a quarter of an hour of waiting on a T4, a third of it for the flow of question 4 (an
# estimate, from times on a CPU). The box above each training cell says what was measured.
#
# In Colab the machine's files go with the machine. With the further argument `drive="ps2"`, `setup` keeps the
# checkpoints of training runs in your Google Drive, where they survive a disconnect. Nothing here needs Drive.

# %% role="run" id="quick"
QUICK = True
here = setup(seed=0, quick=QUICK, needs_gpu=not QUICK)
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=figures.COLOURS)  # for every kind of colour vision

# %% [markdown] role="text"
# ## Conventions
#
# - **Batches**: the first dimension is the example: `x` is (B, D), or (B, C, H, W) for images where the text says so.
# - **Per example, in nats**: log-likelihoods, divergences and bounds are (B,), *summed* over pixels and over latent
#   dimensions. The training cell takes the mean over the batch, nobody else does. The losses of adversarial networks
#   are the exception: they are means over the batch, scalars. (The gradient penalty of 7a is per example again.)
# - **Randomness is an argument** (`eps`, `u`, `alpha`, `z`). No graded function draws random numbers itself; a new
#   network may draw what it starts from, as `SNLinear` of 7c does with its `u`.
# - **Arguments stay as they are**: the caller needs them again. Only a step of training (6a) changes networks.
# - **Symbols**: `mu` and `logvar` are a diagonal Gaussian, its mean and the logarithm of its *variance*. `logits` are
#   numbers before the sigmoid. A flow's `forward` goes from data to noise, $x \mapsto z$, and its log-determinant is
#   $\log\lvert\det \partial z/\partial x\rvert$.
# - **Some letters have two meanings**, as in the papers: `alpha` is a margin in question 3 and a random number in 7,
#   `u` is noise in 3 and a singular vector in 7, $s$ is a shrunk grey value in 3 and a log-scale in 4.
# - **Images** are in [0, 1] for autoencoders (binarised: 0 or 1) and in [-1, 1] for adversarial networks.
# - **Devices**: networks and training data are float32 on `here.device`. A graded function works on whatever device and
#   dtype its inputs have: write `torch.zeros_like(x)`, not `torch.zeros(3).cuda()`.
#
# A cell that you have to complete raises `NotImplementedError("Question 1a: ...")` until you do. Replace that line,
# keep the names and arguments, and add helpers wherever you like. The cell below it runs *public checks* and says in
# words what holds; cells that train or draw wait until what they need is written. Written answers go into the cells
# that say so, in Markdown with LaTeX.

# %% [markdown] role="text"
# ## Data
#
# Handwritten digits. A pixel of MNIST is a grey value from 0 to 255, but most of them are almost black or white, and a
# simple likelihood for a pixel is a coin. So each pixel is *binarised*: it becomes ink with a probability that is its
# grey value, $x_d \sim \text{Bernoulli}(g_d/255)$. The draws are made once, from a fixed seed, so that your numbers can
# be compared with others' (a new draw every epoch would be other data, with other log-likelihoods).


# %% role="given" id="binarise"
def binarise(images: Tensor, seed: int = 0) -> Tensor:
    """Zeros and ones (N, 784), float32: each pixel of images (N, 28, 28) uint8 is 1 with probability value / 255."""
    u = torch.rand(images.shape, generator=torch.Generator().manual_seed(seed))
    return (u < images / 255).flatten(1).float()


# %% role="run" id="data"
with experiment("data"):
    digits_train, labels_train = data.mnist("train")  # (N, 28, 28) uint8, (N,)
    digits_test, labels_test = data.mnist("test")
    B_train, B_test = binarise(digits_train, seed=1), binarise(digits_test, seed=2)  # (N, 784) zeros and ones
    figures.patches(digits_test[:40].flatten(1) / 255, "digits in grey", columns=20)
    figures.patches(B_test[:40], "the same digits, binarised", columns=20)

# %% [markdown] role="text"
# **Look.** Where do two draws of the same digit differ? Those pixels are coin tosses, and no model can predict them:
# even the best one pays nats for the ragged border of every stroke.
#
# ### Training that survives
#
# Training cells show their progress and save a checkpoint at least every minute. Interrupt them, or lose the
# connection, and run the cell again: they go on where they stopped. A checkpoint is a flat dict of tensors; `pack` and
# `unpack` turn networks and optimizers into one and back.
#
# A checkpoint belongs to what made it. Mend an answer or one of its helpers, change a learning rate or the size of a
# network, and the training starts again by itself. It does not see a seed, the data, or a loop that stands in its cell
# outside of any function. If you change one of those, or want a fresh start, delete the file that the cell names, for
# instance `checkpoints/vae.safetensors`, and run the cell again.
