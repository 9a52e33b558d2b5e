"""Time writing with problem set 4's key-value cache, without it, and by nanoGPT's `generate`, which has none.

    python benchmarks/kv_cache.py [PATH_OF_A_NANOGPT_CHECKOUT] [--tokens 512] [--width 128] [--layers 4]

Each writes the same number of tokens after one token; the models are of one size and untrained, for time does not
depend on weights. Rounds alternate on one core, and the median is printed.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from gpt_vs_peer import peer
from machine import machine
from reference import definitions
from torch import Tensor

ROUNDS = 3
Write = Callable[[Tensor, int], Tensor]


def likeliest(logits: Tensor) -> Tensor:
    """The next token (1, 1)."""
    return logits[:, -1:].argmax(-1)


def writers(checkout: Path | None, tokens: int, width: int, layers: int) -> tuple[dict[str, Write], float]:
    """Each way to write by its name, and the largest difference of logits with and without the cache."""
    book = definitions("ps4", "q3_transformer", "q4_kv_cache")
    sizes = {"vocab_size": 65, "block_size": tokens + 1, "n_layer": layers, "n_head": 4, "n_embd": width}
    torch.manual_seed(0)
    model = book.CachedGPT(book.GPTConfig(**sizes)).eval()

    def cached(idx: Tensor, n: int) -> Tensor:
        memory, last = book.new_cache(model), idx
        for _ in range(n):
            last = likeliest(model(last, memory))
            idx = torch.cat([idx, last], dim=1)
        return idx

    def whole(idx: Tensor, n: int) -> Tensor:
        for _ in range(n):
            idx = torch.cat([idx, likeliest(model(idx))], dim=1)
        return idx

    idx, memory = torch.randint(65, (1, tokens)), book.new_cache(model)
    apart = (torch.cat([model(each, memory) for each in idx.split(7, dim=1)], dim=1) - model(idx)).abs().max()
    ways: dict[str, Write] = {"with the cache": cached, "from the whole text": whole}
    if checkout:
        theirs = peer(checkout, sizes)[0].eval()
        ways["nanoGPT's generate"] = theirs.generate
    return ways, float(apart)


@torch.no_grad()
def main() -> None:
    """Print times and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkout", type=Path, nargs="?", help="a folder that holds nanoGPT's model.py")
    for name, default in (("tokens", 512), ("width", 128), ("layers", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    ways, apart = writers(asked.checkout, asked.tokens, asked.width, asked.layers)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, write in ways.items():
            started = time.perf_counter()
            write(torch.zeros(1, 1, dtype=torch.long), asked.tokens)
            seconds[name].append(time.perf_counter() - started)
    print(machine("torch"))
    print(f"{asked.tokens} tokens, width {asked.width}, {asked.layers} layers; logits differ by {apart:.0e} at most")
    fast = statistics.median(seconds["with the cache"])
    for name, took in seconds.items():
        median = statistics.median(took)
        spread = f"{min(took):.2f} to {max(took):.2f}"
        print(
            f"{name:22} {median:6.2f} s ({spread})  {asked.tokens / median:7.0f} tokens/s  {median / fast:5.1f} times"
        )


if __name__ == "__main__":
    main()
