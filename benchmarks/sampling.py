"""How fast problem set 3's samplers draw digits, and how much of that time is not the network's.

    python benchmarks/sampling.py [--images 20] [--evaluations 8]

The network is the provided U-Net. Each sampler draws with guidance; beside it stands the time of as many guided
evaluations of the network without any sampler, measured in turn. The ratio is what the sampler costs on top.
"""

import argparse
import statistics
from functools import partial

import torch
from machine import machine
from reference import definitions
from times import timed
from torch import Tensor

ROUNDS = 5
QUESTIONS = (
    "q1_forward_process",
    "q2_posterior",
    "q3_training_loss",
    "q4_ancestral_sampling",
    "q5_ddim",
    "q6_guidance",
)
QUESTIONS += ("q8_flow_matching", "q9_artifacts")


@torch.no_grad()
def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--evaluations", type=int, default=8)
    asked = parser.parse_args()
    book, n = definitions("ps3", *QUESTIONS), asked.evaluations
    book.T = 200
    _, book.alpha_bar = book.make_schedule("cosine", book.T)
    net = book.provided_unet()
    x, y = torch.randn(asked.images, 1, 28, 28), torch.arange(asked.images) % 10

    def bare() -> Tensor:
        for _ in range(n):
            guess: Tensor = book.cfg(net, x, torch.full((len(x),), 100), y, 10, book.GUIDANCE)
        return guess

    draws = {name: getattr(book, f"draw_{name}") for name in ("ddim", "euler", "heun")}
    bare()  # the first call is slow
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in draws}
    for _ in range(ROUNDS):
        for name, draw in draws.items():
            took[name].append((timed(partial(draw, net, x, y, n))[1], timed(bare)[1]))
    print(machine("torch"))
    print(f"{asked.images} digits, {n} guided evaluations of {sum(p.numel() for p in net.parameters()):,} parameters")
    for name, pairs in took.items():
        own = statistics.median(each for each, _ in pairs)
        ratios = sorted(each / other for each, other in pairs)
        print(
            f"{name:6} {own:6.2f} s, {asked.images / own:5.1f} digits/s; {statistics.median(ratios):.3f} times the "
            f"network alone ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        )


if __name__ == "__main__":
    main()
