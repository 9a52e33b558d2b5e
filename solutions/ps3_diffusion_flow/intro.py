# %% [markdown] role="text"
# # Problem set 3: diffusion and flow matching
#
# [![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]({{colab_url}})
#
# Destroying a picture is easy: add a little noise, many times, and nothing is left. This problem set turns that around.
# If a network has learnt to take *one small step* back, from a noisy picture to a slightly less noisy one, then many
# such steps lead from pure noise to a picture that nobody has ever seen. No adversary is needed, no bound has to be
# tight and no Jacobian cheap: the loss is a mean of squares. The idea is from physics (Sohl-Dickstein et al., 2015),
# and it draws most of the images that computers draw today.
#
# You go from noise to digits twice. First by **diffusion** (Ho, Jain and Abbeel, *Denoising diffusion probabilistic
# models*, 2020), where the way back is a chain of Gaussians; then by **flow matching** (Lipman et al., 2023; Liu, Gong
# and Liu, 2023), where it is a differential equation. Both use one network with the same budget, so you can compare
# them. And a trained model can do more than draw: you fill holes, add colour and turn scribbles into digits, without
# training anything again.
#
# | | you will |
# | --- | --- |
# | 1, 2 | derive the way to noise and the exact way back, and four names for the same prediction |
# | 3 | find the loss: why a variational bound becomes "guess the noise", and train a network on it |
# | 4, 5 | sample: 200 random steps, as DDPM takes them, or 10 deterministic ones, as DDIM does |
# | 6, 7 | steer the samples by labels and by measurements |
# | 8 | replace the chain by a flow: velocities, solvers, and exact likelihoods |
# | 9 | hand in two trained models; a classifier and hidden images judge them |
#
# One idea runs through all questions. For *Gaussian* data, and for mixtures of Gaussians, everything that the network
# has to learn has a **closed form**. So each sampler first runs with the exact answer, on data in the plane, where you
# see every particle move and know the truth; only then it meets the network, whose answers are approximate.
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
# With `QUICK = True` everything runs on small data that comes with `pskit`: the whole notebook takes a few minutes on
# two CPU cores and needs no network. Use it while you write. Set `QUICK = False` and run the notebook again from here
# when your code works: it downloads MNIST (11 MB, once), and the numbers in the text become yours.
#
# In Colab the machine's files go with the machine. With the further argument `drive="ps3"`, `setup` keeps the
# checkpoints of training runs in your Google Drive, where they survive a disconnect. Nothing here needs Drive.

# %% role="run" id="quick"
QUICK = True
here = setup(seed=0, quick=QUICK, needs_gpu=not QUICK)
plt.rcParams["axes.prop_cycle"] = plt.cycler(color=figures.COLOURS)  # for every kind of colour vision

# %% [markdown] role="text"
# ## Conventions
#
# Most mistakes in diffusion code are silent: the samples look a little worse, and nothing else happens. Nearly all of
# them are about *which time* a number belongs to. So here is what times mean, in this notebook and in the tests.
#
# - **Batches**: the first dimension is the example. `x` is (B, ...): points (B, 2) in float64, digits (B, 1, 28, 28) in
#   float32 with values in [-1, 1]. Your functions work for any shape, and return the dtype and device of `x`.
# - **Time of a diffusion**: `t` is an int64 tensor (B,), *one time per example*, from 0 to T - 1. `xt` is the noisy
#   example at time `t`. Already at time 0 there is a little noise; **clean data is at time -1**.
# - **The schedule** is a float64 tensor `alpha_bar` (T,), the share of the data's variance that is left at time `t`. It
#   is always an argument. *The share at time -1 is 1.*
# - **A model** is anything that can be called as `model(x, t)` and returns a tensor like `x`. Conditional models are
#   called as `model(x, t, y)` with labels `y` (B,) in int64; one further number, `null`, means "no label".
# - **Flow matching**: `t` is a float (B,) from 0, which is noise, to 1, which is data. It runs the other way around!
# - **Losses** are per example, (B,): the *mean* over features. (Formulas in papers are sums, $\lVert\cdot\rVert^2$; the
#   best model is the same.) The training cell takes the mean over the batch.
# - **Arguments stay as they are**: the caller needs them again. Only `ema_update` (3b) changes one, on purpose.
# - **Randomness is an argument** (`noise`, `noises`, `u`). No graded function draws random numbers itself.
# - **Guidance** with weight $w$ is $u + w\,(c - u)$ of an unconditional prediction $u$ and a conditional one $c$, so
#   that $w=1$ is the conditional model.
#
# A cell that you have to complete raises `NotImplementedError("Question 1a: ...")` until you do. Replace that line,
# keep the names and arguments, and add helpers wherever you like. The cell below it runs *public checks* and says in
# words what holds; cells that train or draw wait until what they need is written. Written answers go into the cells
# that say so, in Markdown with LaTeX.

# %% [markdown] role="text"
# ## Data about which everything is known
#
# Our first data is a mixture of twelve Gaussians in the plane, arranged as a pinwheel of three arms. The arms are the
# labels. Take $x = a\,x_0 + b\,\epsilon$, data $x_0$ that is scaled and covered with noise
# $\epsilon\sim\mathcal N(0, I)$. For a single Gaussian $x_0\sim\mathcal N(m, S)$, data and noise are jointly Gaussian
# with $x$, whose covariance is $C = a^2S+b^2I$, and the rules of conditioning (question 5 of problem set 1) give
#
# $$
# \mathbb E[x_0\mid x] = m + a\,S\,C^{-1}(x-am), \qquad \mathbb E[\epsilon\mid x] = b\,C^{-1}(x-am).
# $$
#
# For a mixture, these are averaged with the posterior probabilities of the components, exactly as you denoised patches
# in problem set 1. The class below does that. Its answers are the best that *any* network could give.


# %% role="given" id="mixture"
class Mixture:
    """A mixture of Gaussians: log_pi (K,), mus (K, D), Sigmas (K, D, D) and the label of each component, owner (K,)."""

    def __init__(self, log_pi: Tensor, mus: Tensor, Sigmas: Tensor, owner: Tensor) -> None:
        self.log_pi, self.mus, self.Sigmas, self.owner = log_pi, mus, Sigmas, owner
        self.n_labels = self.null = int(owner.max()) + 1  # the label `null` stands for the whole mixture
        self._spectrum, self._axes = torch.linalg.eigh(Sigmas)  # (K, D) and (K, D, D)

    def sample(self, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """n points (n, D) and their labels (n,)."""
        k = torch.multinomial(self.log_pi.exp(), n, replacement=True, generator=generator)
        noise = torch.randn(n, self.mus.shape[1], generator=generator, dtype=torch.float64)
        return self.mus[k] + torch.einsum("nde,ne->nd", torch.linalg.cholesky(self.Sigmas)[k], noise), self.owner[k]

    def data(self, x: Tensor, a: Tensor | float, b: Tensor | float, y: Tensor | None = None) -> Tensor:
        """E[data | a * data + b * noise = x] for x (B, D); a and b are numbers or (B, 1); y (B,) are labels."""
        weights, scaled, a = self._posterior(x, a, b, y)
        means = self.mus + a * torch.einsum("kde,bke->bkd", self._axes, self._spectrum * scaled)
        return (weights.exp()[..., None] * means).sum(dim=1).to(x)

    def noise(self, x: Tensor, a: Tensor | float, b: Tensor | float, y: Tensor | None = None) -> Tensor:
        """E[noise | a * data + b * noise = x], (B, D)."""
        weights, scaled, _ = self._posterior(x, a, b, y)
        slope = (weights.exp()[..., None] * torch.einsum("kde,bke->bkd", self._axes, scaled)).sum(dim=1)
        return (torch.as_tensor(b, dtype=torch.float64) * slope).to(x)

    def logpdf(self, x: Tensor, a: Tensor | float = 1.0, b: Tensor | float = 0.0, y: Tensor | None = None) -> Tensor:
        """The log-density (B,) of a * data + b * noise at x (B, D), in nats."""
        return self._log_joint(x, a, b, y)[0].logsumexp(dim=1).to(x)

    def _posterior(
        self, x: Tensor, a: Tensor | float, b: Tensor | float, y: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        log_joint, scaled, a = self._log_joint(x, a, b, y)
        return log_joint.log_softmax(dim=1), scaled, a

    def _log_joint(
        self, x: Tensor, a: Tensor | float, b: Tensor | float, y: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """log p(k, x) (B, K), C_k^-1 (x - a m_k) in the axes of component k (B, K, D), and a (B or 1, 1, 1)."""
        a, b = (torch.as_tensor(each, dtype=torch.float64).reshape(-1, 1, 1) for each in (a, b))
        turned = torch.einsum("kde,bkd->bke", self._axes, x.double()[:, None] - a * self.mus)
        variance = a**2 * self._spectrum + b**2  # the eigenvalues of C_k, (B or 1, K, D)
        log_pi = self.log_pi.expand(len(x), -1)
        if y is not None:
            asked = (y[:, None] == self.null) | (y[:, None] == self.owner)
            log_pi = log_pi.masked_fill(~asked, -torch.inf).log_softmax(dim=1)
        energy = turned**2 / variance + variance.log() + math.log(2 * math.pi)
        return log_pi - 0.5 * energy.sum(dim=2), turned / variance, a


def pinwheel(arms: int = 3, links: int = 4) -> Mixture:
    """A mixture in the plane: each arm is a label and a chain of long Gaussians that winds outwards."""
    arm, link = torch.arange(arms).repeat_interleave(links), torch.arange(links).repeat(arms)
    radius = 0.35 + 0.47 * link.double()
    angle = 2 * math.pi / arms * arm + 0.9 * radius
    along = angle + torch.atan2(0.9 * radius, torch.ones(()))  # the direction in which the spiral grows
    axes = torch.stack([torch.stack([along.cos(), along.sin()], 1), torch.stack([-along.sin(), along.cos()], 1)], 2)
    Sigmas = axes @ torch.diag(torch.tensor([0.22, 0.055], dtype=torch.float64) ** 2) @ axes.mT
    mus = radius[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    log_pi = torch.full((len(arm),), -math.log(len(arm)), dtype=torch.float64)
    return Mixture(log_pi, mus, Sigmas, arm)


def exact_eps(mixture: Mixture, alpha_bar: Tensor) -> Callable[..., Tensor]:
    """The best predictor of the noise for data from the mixture: model(x (B, D), t (B,), y (B,) or None)."""

    def model(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        return mixture.noise(x, alpha_bar[t, None].sqrt(), (1 - alpha_bar[t, None]).sqrt(), y)

    return model


def exact_score(mixture: Mixture, alpha_bar: Tensor) -> Callable[..., Tensor]:
    """The gradient of log p_t(x) for data from the mixture: model(x (B, D), t (B,), y (B,) or None)."""

    def model(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        a, b = alpha_bar[t, None].sqrt(), (1 - alpha_bar[t, None]).sqrt()
        return -mixture.noise(x, a, b, y) / b

    return model


def exact_velocity(mixture: Mixture) -> Callable[..., Tensor]:
    """E[data - noise | (1 - t) * noise + t * data = x] for times (B,) in [0, 1]: model(x (B, D), t, y or None)."""

    def model(x: Tensor, t: Tensor, y: Tensor | None = None) -> Tensor:
        a, b = t[:, None].double(), 1 - t[:, None].double()
        return mixture.data(x, a, b, y) - mixture.noise(x, a, b, y)

    return model


# %% [markdown] role="text"
# ### Training that survives
#
# Training cells show their progress and save a checkpoint at least every minute. Interrupt them, or lose the
# connection, and run the cell again: they go on where they stopped. A checkpoint is a flat dict of tensors; `pack` and
# `unpack` turn networks and optimizers into one and back.
#
# A checkpoint belongs to what made it. Mend an answer or one of its helpers, change a learning rate or the size of a
# network, and the training starts again by itself. It does not see a seed, the data, or a loop that stands in its cell
# outside of any function. If you change one of those, or want a fresh start, delete the file that the cell names, and
# run the cell again.
#
# Helpers that draw follow. You need not read them.


# %% role="given" id="drawing"
def show_points(frames: dict[str, Tensor], alt: str, y: Tensor | None = None, mixture: Mixture | None = None) -> None:
    """A film strip: each frame (N, 2) under its name, marked by label, before the lines of the mixture's density."""
    fig, axes = plt.subplots(
        1, len(frames), figsize=(max(2.6 * len(frames), 4), 2.9), squeeze=False, layout="constrained"
    )
    for ax, (name, x) in zip(axes[0], frames.items(), strict=True):
        plane(ax, mixture)
        for label in [None] if y is None else y.unique().tolist():
            own = x if label is None else x[y == label]
            ax.scatter(*own.T, s=4, marker="o^s"[label or 0], color=figures.COLOURS[label or 0], linewidths=0)
        ax.set_title(name)
    figures.show(fig, alt)


def show_trails(trails: dict[str, Tensor], alt: str, mixture: Mixture | None = None) -> None:
    """The paths (S, N, 2) of N particles under their name, each from a hollow dot to a full one."""
    fig, axes = plt.subplots(1, len(trails), figsize=(3.9 * len(trails), 4.2), squeeze=False, layout="constrained")
    for ax, (name, paths) in zip(axes[0], trails.items(), strict=True):
        plane(ax, mixture)
        for n in range(paths.shape[1]):
            ax.plot(*paths[:, n].T, color=figures.COLOURS[n % 6], linewidth=0.9)
        ax.scatter(*paths[0].T, s=14, facecolors="white", edgecolors="black", zorder=3)
        ax.scatter(*paths[-1].T, s=14, color="black", zorder=3)
        ax.set_title(name)
    figures.show(fig, alt)


def plane(ax: plt.Axes, mixture: Mixture | None, reach: float = 2.6) -> None:
    """Axes for points in the plane, with lines of equal density of the mixture."""
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
    if mixture is not None:
        line = torch.linspace(-reach, reach, 120, dtype=torch.float64)
        grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), dim=2)
        height = mixture.logpdf(grid.reshape(-1, 2)).reshape(120, 120)
        ax.contour(line, line, height, levels=[-5, -3, -1], colors="#999999", linewidths=0.6)


def show_digits(x: Tensor, title: str = "", columns: int = 20) -> None:
    """A sheet of digits (N, 1, 28, 28) with values in [-1, 1]."""
    figures.patches((x.flatten(1).clamp(-1, 1) + 1) / 2, title, columns)


def show_digit_film(frames: list[Tensor], title: str) -> None:
    """A film strip: a row for each digit, a column for each frame (N, 1, 28, 28)."""
    show_digits(torch.stack(frames, dim=1).flatten(0, 1), title, columns=len(frames))


# %% role="given" id="grey-values"
def as_pm1(images: Tensor) -> Tensor:
    """Grey values (N, 28, 28) uint8 as float32 (N, 1, 28, 28) in [-1, 1]."""
    return images[:, None].float() / 127.5 - 1


# %% [markdown] role="text"
# Digits stand for real images. They are not binarised here: grey values from -1 (paper) to 1 (ink).

# %% role="run" id="data"
with experiment("data"):
    mixture = pinwheel()
    X_2d, y_2d = mixture.sample(2000, torch.Generator().manual_seed(0))  # (2000, 2), (2000,)
    (digits_train, y_train), (digits_test, y_test) = data.mnist("train"), data.mnist("test")
    D_train, y_train = as_pm1(digits_train).to(here.device), y_train.to(here.device)  # (N, 1, 28, 28), (N,)
    D_test, y_test = as_pm1(digits_test).to(here.device), y_test.to(here.device)
    show_points({"2,000 points": X_2d}, "Points on a pinwheel of three arms.", y_2d, mixture)
    show_digits(D_test[:40], "forty digits that no network is trained on")

# %% [markdown] role="text"
# **Look.** Each arm starts near the centre, where the three are hard to tell apart, and ends far out, where nothing
# else is. A sampler that is a little wrong will put points *between* the arms. Keep the picture in mind: later you will
# judge samplers by it.
