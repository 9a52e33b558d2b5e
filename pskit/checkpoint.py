"""Training that survives a disconnect: steps that are counted, shown and saved, and go on where they stopped.

    run = resumable("checkpoints/em.safetensors", {"log_resp": log_resp0}, made_by=(em_fit, e_step, m_step))
    for i in run.steps(30):
        run.state = {"log_resp": ...}
        run.log(nats=155.4)

A checkpoint belongs to the code, the settings and the sizes that made it: when one of the functions or classes in
`made_by` changes, or anything of the notebook that they use, or a setting, or the shape of a tensor that the training
starts with, training starts again. Random numbers are not part of it; draw them from a generator seeded by the step.
"""

import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from torch import Tensor
from tqdm import tqdm

from pskit.fingerprint import fingerprint
from pskit.live import LivePlot
from pskit.tensors import read, write

home = Path()  # where relative paths of checkpoints begin; `setup` puts it into Google Drive for those who want that


def keep_in(folder: Path) -> None:
    """Checkpoints lie in this folder from now on."""
    global home
    home = folder


class resumable:
    """A training loop with a checkpoint. `state` is a dict of tensors, replaced (not changed in place) by each step.

    `history` maps each logged name to its values so far.
    """

    def __init__(
        self,
        path: str | Path,
        state: Mapping[str, Tensor],
        *,
        made_by: tuple[Callable[..., Any], ...] = (),
        settings: Mapping[str, Any] | None = None,
        every: float = 60.0,
        fresh: bool = False,
    ) -> None:
        self.path, self.state, self.every = home / path, dict(state), every
        self.done = 0
        self.history: dict[str, list[float]] = {}
        self._mark = fingerprint(made_by, settings or {})
        if not fresh:
            self._resume()

    def steps(self, n: int, title: str = "") -> Iterator[int]:
        """The numbers of the steps still to do, out of n. Saves every `every` seconds and at the end."""
        title = title or self.path.stem
        self._plot = LivePlot(title)
        saved_at, start = time.monotonic(), self.done
        # On stdout, since notebooks paint stderr red, and not before a step is done: a step may wait for an answer.
        with tqdm(
            total=n, initial=start, desc=title, file=sys.stdout, delay=math.inf, mininterval=0.5, dynamic_ncols=True
        ) as self._bar:
            for i in range(start, n):
                yield i
                self.done = i + 1
                self._bar.delay = 0
                self._bar.update()
                if self.done == n or time.monotonic() - saved_at >= self.every:
                    self.save()
                    saved_at = time.monotonic()
        self._plot.close()

    def log(self, **values: float) -> None:
        """Remember numbers of this step, such as the loss; show them beside the bar, and in a plot if it takes long."""
        for name, value in values.items():
            self.history.setdefault(name, []).append(float(value))
        self._bar.set_postfix({name: f"{float(value):.4g}" for name, value in values.items()})
        self._plot.update(self.history)

    def save(self) -> None:
        """Write the checkpoint now."""
        about = {"done": self.done, "history": self.history, "made_by": self._mark}
        write(self.path, self.state, {"about": json.dumps(about)})

    def _resume(self) -> None:
        if not self.path.exists():
            return
        try:
            state, info = read(self.path)
            about = json.loads(info["about"])
        except (SafetensorError, OSError, KeyError, ValueError):
            print(f"{self.path} cannot be read; training starts again.")
            return
        if about["made_by"] != self._mark or not self._fits(state):
            print(f"{self.path} was made by other code or settings; training starts again.")
            return
        self.state, self.done, self.history = state, about["done"], about["history"]
        print(f"Resumed after step {self.done} from {self.path}. Delete that file to start again.")

    def _fits(self, state: Mapping[str, Tensor]) -> bool:
        """Whether what is saved has the shapes of what this training starts with."""
        return all(state[name].shape == tensor.shape for name, tensor in self.state.items() if name in state)
