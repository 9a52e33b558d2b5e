"""Train the GPT of problem set 4 and nanoGPT's side by side: the same windows, rates, clipping and number of updates.

    python benchmarks/gpt_vs_peer.py PATH_OF_A_NANOGPT_CHECKOUT [--steps 400] [--width 128] [--layers 4] [--block 64]

Run it on an idle machine; `PSKIT_DATA` may name a folder with the whole of tiny Shakespeare. Blocks of updates
alternate between the two in one process, so that both see the same machine; each block is timed. nanoGPT
(github.com/karpathy/nanoGPT, MIT licence) trains with its own model.py and its own choice of optimizer,
torch.optim.AdamW; ours with the reference answers of questions 3 and 5, the optimizer written out included. On a GPU
both use the same 16 bits. What it does not compare: torch.compile, several GPUs.
"""

import argparse
import importlib.util
import os
import statistics
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import torch
from machine import machine
from reference import definitions
from torch import Tensor, nn

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")


def peer(checkout: Path, sizes: dict[str, int]) -> tuple[nn.Module, torch.optim.Optimizer]:
    """nanoGPT's model of these sizes, without biases, and the optimizer that it configures."""
    spec = importlib.util.spec_from_file_location("peer_model", checkout / "model.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["peer_model"] = module
    spec.loader.exec_module(module)
    model = module.GPT(module.GPTConfig(**sizes, bias=False, dropout=0.0)).to(DEVICE)
    return model, model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), DEVICE.type)


def ours(book: SimpleNamespace, sizes: dict[str, int]) -> tuple[nn.Module, torch.optim.Optimizer]:
    """The notebook's model of these sizes and its optimizer."""
    model = book.GPT(book.GPTConfig(**sizes)).to(DEVICE)
    return model, book.AdamW(model.parameters(), weight_decay=0.1)


class Racer:
    """A model in training: what it needs for an update, and how long its updates took."""

    def __init__(self, book: SimpleNamespace, model: nn.Module, opt: torch.optim.Optimizer, is_peer: bool) -> None:
        self.book, self.model, self.opt, self.is_peer = book, model, opt, is_peer
        self.scaler = torch.amp.GradScaler(DEVICE.type, enabled=book.sixteen_bits(DEVICE) is torch.float16)
        self.seconds: list[float] = []  # an update of each block
        self.losses: list[float] = []  # in validation, after each block

    def update(self, x: Tensor, y: Tensor, rate: float) -> None:
        """One update, with the peer's own loss and PyTorch's clipping, or with the notebook's."""
        for group in self.opt.param_groups:
            group["lr"] = rate
        if not self.is_peer:
            self.book.update(self.model, self.opt, self.scaler, x, y, 1.0)
            return
        half = self.book.sixteen_bits(DEVICE)
        with torch.autocast(DEVICE.type, half or torch.bfloat16, enabled=half is not None):
            _, loss = self.model(x, y)
        self.opt.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.unscale_(self.opt)
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.scaler.step(self.opt)
        self.scaler.update()

    @torch.no_grad()
    def loss(self, ids: Tensor, T: int) -> float:
        """Validation loss in nats, over the same windows for both."""
        book = self.book
        starts = book.window_starts(len(ids), T, (torch.arange(128) + 0.5) / 128)
        x, y = (each.contiguous().to(DEVICE) for each in book.get_batch(ids, 128, T, starts))
        logits = self.model(x, y)[0] if self.is_peer else self.model(x)
        return float(nn.functional.cross_entropy(logits.float().flatten(0, 1), y.flatten()))


def race(racers: dict[str, Racer], book: SimpleNamespace, args: argparse.Namespace) -> None:
    """Train both, block by block in turn; the validation after each block is not timed."""
    for block in range(args.steps // args.per_block):
        order = list(racers.items())[:: 1 if block % 2 else -1]
        for _, racer in order:
            generator, started = torch.Generator().manual_seed(block), time.perf_counter()
            for step in range(block * args.per_block, (block + 1) * args.per_block):
                starts = book.window_starts(len(args.ids), args.block, torch.rand(args.batch, generator=generator))
                x, y = book.get_batch(args.ids, args.batch, args.block, starts)
                x, y = x.to(DEVICE), y.contiguous().to(DEVICE)  # the peer takes views of its targets
                racer.update(x, y, book.lr_at(step, 1e-3, 1e-4, args.steps // 20, args.steps))
            if DEVICE.type == "cuda":
                torch.cuda.synchronize()
            racer.seconds.append((time.perf_counter() - started) / args.per_block)
            racer.losses.append(racer.loss(args.ids_val, args.block))


def time_to_the_same_loss(own: Racer, other: Racer) -> str:
    """When ours has the loss that the peer ends with."""
    goal = other.losses[-1]
    blocks = next((number for number, loss in enumerate(own.losses, 1) if loss <= goal), None)
    if blocks is None:
        return f"ours does not reach nanoGPT's last loss, {goal:.4f} nats"
    ratio = sum(other.seconds) / sum(own.seconds[:blocks])
    return f"ours has nanoGPT's last loss after {blocks} of {len(own.losses)} blocks, {ratio:.2f} times as fast"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("checkout", type=Path, help="a folder that holds nanoGPT's model.py")
    for name, default in (("steps", 400), ("width", 128), ("layers", 4), ("heads", 4), ("block", 64), ("batch", 12)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--per-block", type=int, default=10, help="updates before the other model's turn")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    book = definitions("ps4", "q3_transformer", "q5_training")
    text = book.data.shakespeare()
    ids = book.encode_chars(text)
    args.ids, args.ids_val = ids[: len(ids) * 9 // 10], ids[len(ids) * 9 // 10 :]
    sizes = {
        "vocab_size": 65, "block_size": args.block, "n_layer": args.layers, "n_head": args.heads, "n_embd": args.width,
    }  # fmt: skip
    racers = {}
    for name, made in (("ours", lambda: ours(book, sizes)), ("nanoGPT", lambda: peer(args.checkout, sizes))):
        torch.manual_seed(args.seed)
        racers[name] = Racer(book, *made(), is_peer=name != "ours")
    race(racers, book, args)
    print(f"{machine('torch')}, {torch.get_num_threads()} threads")
    print(f"{sizes}, {args.steps} updates of {args.batch} x {args.block} of {len(args.ids):,} characters")
    for name, racer in racers.items():
        rate, best = 1 / statistics.median(racer.seconds), 1 / min(racer.seconds)
        count = sum(p.numel() for p in racer.model.parameters())
        speed = f"{rate:6.2f} updates/s (best {best:.2f})"
        print(f"{name:8} {count:10,} parameters  {speed}  {racer.losses[-1]:.4f} nats in validation")
    pairs = zip(racers["nanoGPT"].seconds, racers["ours"].seconds, strict=True)
    print(f"ours is {statistics.median(theirs / own for theirs, own in pairs):.3f} times as fast (median over blocks)")
    print(time_to_the_same_loss(racers["ours"], racers["nanoGPT"]))


if __name__ == "__main__":
    main()
