"""A plot of what a training run logs, redrawn in place: one picture in the notebook however long the run is."""

import io
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

FIRST, EVERY = 10.0, 5.0  # seconds until the first picture (short runs get none), and between two at least
SHARE = 0.05  # of the time goes into drawing at the most
PANELS = 4


class LivePlot:
    """The picture of one run. Outside of a notebook it does nothing."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._handle: Any = None
        self._next = time.monotonic() + FIRST

    def update(self, history: Mapping[str, Sequence[float]]) -> None:
        """Draw, if it is time to."""
        start = time.monotonic()
        if start < self._next or not history or not _in_notebook():
            return
        self._show(_png(self.title, history), _in_words(self.title, history))
        cost = time.monotonic() - start
        self._next = time.monotonic() + max(EVERY, cost / SHARE)

    def close(self) -> None:
        """Take the picture away: the run is over and its cell draws its own."""
        if self._handle is not None:
            self._handle.update({"text/plain": ""}, raw=True)
            self._handle = None

    def _show(self, png: bytes, alt: str) -> None:
        from IPython.display import display

        bundle, metadata = {"image/png": png, "text/plain": alt}, {"image/png": {"alt": alt}}
        if self._handle is None:
            publish: Any = display  # untyped in IPython 9
            self._handle = publish(bundle, raw=True, metadata=metadata, display_id=True)
        else:
            self._handle.update(bundle, raw=True, metadata=metadata)


def _in_notebook() -> bool:
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return hasattr(shell, "kernel")


def _png(title: str, history: Mapping[str, Sequence[float]]) -> bytes:
    """A panel for each logged name. pyplot, and with it the notebook's own figures, is left alone."""
    from matplotlib.figure import Figure

    shown = list(history.items())[:PANELS]
    figure = Figure(figsize=(3.6 * len(shown), 2.4), layout="constrained", facecolor="white")
    for ax, (name, values) in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
        ax.plot(range(1, len(values) + 1), values, color="#0072B2")
        ax.set(xlabel="logged step", title=f"{name}: {values[-1]:.4g}")
    figure.suptitle(title)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=80)
    return stream.getvalue()


def _in_words(title: str, history: Mapping[str, Sequence[float]]) -> str:
    now = "; ".join(f"{name} goes from {values[0]:.4g} to {values[-1]:.4g}" for name, values in history.items())
    return f"{title}, so far: {now}"
