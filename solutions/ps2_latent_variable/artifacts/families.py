"""Draw the four reference artifacts beside each other, each with what it is judged by: the figure of question 8.

    python solutions/ps2_latent_variable/artifacts/families.py

Samples and numbers come from the hidden tests' own readers of the files, with draws of seed 0; a few seconds.
"""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from reference import SET

from autograder.hidden.ps2_latent_variable import test_q8_artifacts as judges
from autograder.hidden.ps2_latent_variable.handed_in import applied
from autograder.release.figures import write_figure
from pskit.figures import COLOURS
from pskit.tensors import read

HERE = Path(__file__).resolve().parent
f64 = torch.float64


def tensors(file: str) -> dict[str, torch.Tensor]:
    """A reference artifact."""
    return {name: tensor.to(f64) for name, tensor in read(HERE / file)[0].items()}


def digits(ax: Axes, images: torch.Tensor) -> None:
    """Draw 40 digits (40, 28, 28) in [0, 1], eight in a row."""
    sheet = images.reshape(5, 8, 28, 28).permute(0, 2, 1, 3).reshape(140, 224)
    ax.imshow(sheet, cmap="gray", vmin=0, vmax=1)
    ax.set_axis_off()


def autoencoder(ax: Axes, rng: np.random.Generator) -> str:
    """Samples of the decoder."""
    model = judges.Autoencoder(tensors(judges.VAE))
    codes = torch.randn(40, model.L, generator=torch.Generator().manual_seed(1), dtype=f64)
    digits(ax, applied(model.decoder, codes, torch.relu).sigmoid())
    return f"autoencoder: $-$ELBO {judges.negative_bound(model, rng):.0f} nats on hidden digits"


def flow(ax: Axes, rng: np.random.Generator) -> str:
    """The density on the plane, and points of the data."""
    model = judges.PlaneFlow(tensors(judges.FLOW))
    side = torch.linspace(-1.7, 1.7, 160, dtype=f64)
    x, y = torch.meshgrid(side, side, indexing="xy")
    density = model.log_prob(torch.stack([x.flatten(), y.flatten()], dim=1)).exp().reshape(x.shape)
    ax.imshow(density, origin="lower", extent=(-1.7, 1.7, -1.7, 1.7), cmap="viridis")
    ax.plot(*judges.moon_points(rng, 150).T, ".", color="white", markersize=2)
    ax.set(xticks=[], yticks=[], xlim=(-1.7, 1.7), ylim=(-1.2, 1.2))
    return f"flow: {judges.gap(model, rng):.2f} nats from the true density"


def ring(ax: Axes, rng: np.random.Generator) -> str:
    """Points of the generator, and circles around the points that count as good."""
    model = judges.RingGenerator(tensors(judges.RING))
    codes = torch.randn(1500, model.L, generator=torch.Generator().manual_seed(1), dtype=f64)
    ax.plot(*model.points(codes).T, ".", color=COLOURS[0], markersize=2)
    angle = np.arange(8) * np.pi / 4
    for x, y in zip(2 * np.cos(angle), 2 * np.sin(angle), strict=True):
        ax.add_patch(plt.Circle((x, y), 0.3, fill=False, color=COLOURS[1]))
    ax.set(xticks=[], yticks=[], aspect="equal")
    modes, good, _ = judges.on_the_ring(model, rng)
    return f"GAN: {modes} of 8 modes, {100 * good:.0f} % good points"


def on_demand(ax: Axes, rng: np.random.Generator) -> str:
    """Samples of the conditional generator, a label per column."""
    model = judges.DigitGenerator(tensors(judges.DIGITS))
    codes = torch.randn(40, model.L, generator=torch.Generator().manual_seed(1), dtype=f64)
    digits(ax, model.images(codes, torch.arange(40) % 8))
    agree, variety = judges.on_demand(model, rng)
    return f"conditional GAN: {100 * agree:.0f} % as asked, variety {variety:.2f}"


if __name__ == "__main__":
    figure, axes = plt.subplots(2, 2, figsize=(11, 7.6), layout="constrained", width_ratios=(1.6, 1))
    with torch.no_grad():
        for ax, draw in zip(axes.flat, (autoencoder, flow, on_demand, ring), strict=True):
            ax.set_title(draw(ax, np.random.default_rng(0)), fontsize=11)
    write_figure(figure, SET, "families")
