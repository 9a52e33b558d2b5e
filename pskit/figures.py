"""The figures of the problem sets: readable on light and dark pages, without relying on colour, with a text in words.

Colours are those of Okabe and Ito (2008), which people with every kind of colour vision can tell apart; lines also
differ in their dashes. matplotlib is imported by the first figure, not by `import pskit`.
"""

from __future__ import annotations

import io
import math
import sys
from collections.abc import Mapping, Sequence
from html import escape
from itertools import cycle
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
DASHES = ("-", "--", "-.", ":")
# JupyterLab shows a picture without the words of its metadata, so they follow it: read aloud, and not seen.
UNSEEN = "position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)"
WORDS = f'<span style="{UNSEEN}">Figure: {{}}</span>'


def patches(P: Tensor, title: str = "", columns: int | None = None, scale: float | None = None) -> None:
    """Patches P (N, p * p), read row by row, side by side on one sheet; `scale` is the value that becomes white.

    Zero is middle grey, so that patches without their mean (components, samples) and grey values both show.
    """
    n, p = len(P), math.isqrt(P.shape[1])
    columns = columns or math.ceil(math.sqrt(n))
    low, high = (-scale, scale) if scale else (float(P.min()), float(P.max()))
    sheet = torch.full((math.ceil(n / columns) * (p + 1) + 1, columns * (p + 1) + 1), high, dtype=torch.float64)
    for i, patch in enumerate(P.detach().to("cpu", torch.float64).reshape(n, p, p)):
        top, left = i // columns * (p + 1) + 1, i % columns * (p + 1) + 1
        sheet[top : top + p, left : left + p] = patch
    figure, (ax,) = _axes(1, width=min(12.0, 0.08 * sheet.shape[1] + 1), aspect=sheet.shape[0] / sheet.shape[1])
    _image(ax, sheet, title, low, high)
    show(figure, f"{n} patches of {p} x {p} pixels. {title}")


def photographs(images: Mapping[str, Tensor], clean: Tensor | None = None) -> None:
    """Grey photographs (H, W) in [0, 1] side by side under their names, with their PSNR where `clean` is given."""
    titles = [name if clean is None else _with_psnr(name, image, clean) for name, image in images.items()]
    height, width = next(iter(images.values())).shape
    figure, axes = _axes(len(images), width=min(5.0 * len(images), 16), aspect=height / width)
    for ax, title, image in zip(axes, titles, images.values(), strict=True):
        _image(ax, image, title, 0.0, 1.0)
    show(figure, "Photographs side by side. " + ", ".join(titles))


def psnr(image: Tensor, clean: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of values in [0, 1]; infinite for equal images."""
    error = float(((image - clean) ** 2).mean())
    return math.inf if error == 0 else -10 * math.log10(error)


def _with_psnr(name: str, image: Tensor, clean: Tensor) -> str:
    decibels = psnr(image, clean)
    return name if math.isinf(decibels) else f"{name}: {decibels:.2f} dB"


def curves(
    values: Mapping[str, Sequence[float] | Tensor],
    *,
    xlabel: str = "iteration",
    ylabel: str,
    band: tuple[float, float] | None = None,
    title: str = "",
) -> None:
    """Learning curves, one per name, with the band in which the reference run ended."""
    from matplotlib.ticker import MaxNLocator

    figure, (ax,) = _axes(1, width=7, aspect=0.55)
    if band:
        ax.axhspan(*band, color="#999999", alpha=0.35, label=f"reference: {band[0]:g} to {band[1]:g}")
    ends = []
    for (name, line), colour, dash in zip(values.items(), cycle(COLOURS), cycle(DASHES), strict=False):
        numbers = [float(v) for v in line]
        ax.plot(range(1, len(numbers) + 1), numbers, dash, color=colour, label=name)
        ends.append(f"{name} goes from {numbers[0]:.4g} to {numbers[-1]:.4g}")
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    show(figure, f"{title or 'Curves'} ({ylabel} by {xlabel}): " + "; ".join(ends))


def ladder(
    values: Mapping[str, float], *, xlabel: str, reference: Mapping[str, float] | None = None, title: str = ""
) -> None:
    """A bar for each model, in order, with its number; a diamond marks the reference's."""
    figure, (ax,) = _axes(1, width=7, aspect=0.08 * len(values) + 0.15)
    bars = ax.barh(list(values), list(values.values()), color=COLOURS[4], edgecolor="black")
    ax.bar_label(bars, fmt="%.2f", padding=8)
    if reference:
        known = {name: reference[name] for name in values if name in reference}
        ax.plot(list(known.values()), list(known), "D", color=COLOURS[1], label="reference")
        ax.legend(loc="upper right")  # the first models have the short bars
    ax.invert_yaxis()
    ax.margins(x=0.15)
    ax.set(xlabel=xlabel, title=title)
    show(figure, f"{title or xlabel}: " + ", ".join(f"{name} {value:.2f}" for name, value in values.items()))


def blend(weights: Tensor) -> Tensor:
    """Colours (..., 3) in [0, 1] that mix one colour per component, for weights (..., K) that sum to 1."""
    from matplotlib.colors import to_rgb  # kept out of `import pskit`

    palette = torch.tensor([to_rgb(colour) for colour in COLOURS[: weights.shape[-1]]], dtype=weights.dtype)
    return (weights @ palette).clamp(0, 1)


def ellipses(
    ax: Axes, mus: Tensor, Sigmas: Tensor, weights: Tensor | None = None, levels: Sequence[float] = (1, 2)
) -> None:
    """Onto `ax`: each Gaussian of mus (K, 2), Sigmas (K, 2, 2) as ellipses at these Mahalanobis distances."""
    from matplotlib.patheffects import withStroke  # kept out of `import pskit`

    turn = torch.linspace(0, 2 * math.pi, 100, dtype=torch.float64)
    circle = torch.stack([turn.cos(), turn.sin()])  # (2, 100)
    for k, (mu, Sigma) in enumerate(zip(mus.double(), Sigmas.double(), strict=True)):
        root, colour = torch.linalg.cholesky(Sigma), COLOURS[k % len(COLOURS)]
        for level in levels:
            x, y = mu[:, None] + level * root @ circle
            ax.plot(x, y, DASHES[k % len(DASHES)], color=colour, linewidth=1.5)
        share = "" if weights is None else f" {float(weights[k]):.2f}"
        halo = [withStroke(linewidth=3, foreground="white")]  # the label is read on dots of any colour
        ax.annotate(f"{k}{share}", mu.tolist(), color="black", ha="center", fontweight="bold", path_effects=halo)


def show(figure: Figure, alt: str) -> None:
    """Show a figure with a text that says what it shows, for those who cannot see it; then forget the figure."""
    import matplotlib.pyplot as plt

    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None:
        figure.show() if plt.get_backend().lower() != "agg" else figure.canvas.draw()
    else:
        _publish(figure, alt)
    plt.close(figure)


def unfinished() -> set[int]:
    """Numbers of the figures that pyplot holds."""
    plt = sys.modules.get("matplotlib.pyplot")
    return set(plt.get_fignums()) if plt else set()


def forget(numbers: set[int]) -> None:
    """Close these figures, so that nothing shows them."""
    for number in numbers:
        sys.modules["matplotlib.pyplot"].close(number)


def _publish(figure: Figure, alt: str) -> None:
    from IPython.display import display

    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=100, bbox_inches="tight", facecolor="white")
    bundle: dict[str, Any] = {"image/png": png.getvalue(), "text/plain": alt}
    publish: Any = display  # untyped in IPython 9
    publish(bundle, raw=True, metadata={"image/png": {"alt": alt}})
    publish({"text/html": WORDS.format(escape(alt)), "text/plain": ""}, raw=True)


def _axes(n: int, width: float, aspect: float) -> tuple[Figure, list[Axes]]:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(
        1, n, figsize=(width, width / n * aspect + 0.5), squeeze=False, facecolor="white", layout="constrained"
    )
    return figure, list(axes[0])


def _image(ax: Axes, image: Tensor, title: str, low: float, high: float) -> None:
    ax.imshow(image.detach().cpu().numpy(), cmap="gray", vmin=low, vmax=high, interpolation="nearest")
    ax.set_title(title)
    ax.axis("off")
