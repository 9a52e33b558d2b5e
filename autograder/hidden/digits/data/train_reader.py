"""Train the reader of `reader.py`: `PSKIT_DATA=<folder with mnist> python <this file>`.

Two minutes on one CPU core. Training images are moved by up to two pixels and get some noise, so that the reader's
verdict does not hang on a pixel.
"""

import hashlib
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from autograder.hidden.digits.reader import new_reader
from pskit import data

FILE = Path(__file__).parent / "reader.safetensors"
EPOCHS, BATCH, SHIFT, NOISE = 4, 100, 2, 0.1


def disturbed(x: Tensor) -> Tensor:
    """Images (B, 1, 28, 28), all moved by the same few pixels, with noise."""
    down, right = torch.randint(-SHIFT, SHIFT + 1, (2,)).tolist()
    return (x.roll((down, right), dims=(2, 3)) + NOISE * torch.randn_like(x)).clamp(0, 1)


def train(network: nn.Module, X: Tensor, y: Tensor) -> None:
    """Some epochs of Adam, with a learning rate that falls to zero."""
    steps = EPOCHS * len(X) // BATCH
    adam = torch.optim.Adam(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.0, steps)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X)).split(BATCH):
            loss = F.cross_entropy(network(disturbed(X[rows])), y[rows])
            adam.zero_grad()
            loss.backward()
            adam.step()
            schedule.step()


def main() -> None:
    """Train, print how often it errs on MNIST's test images, and write it in half precision."""
    torch.manual_seed(0)
    (X, y), (X_test, y_test) = data.mnist("train"), data.mnist("test")
    network = new_reader()
    train(network, X[:, None] / 255, y)
    tensors = {name: tensor.half() for name, tensor in network.state_dict().items()}
    network.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    with torch.no_grad():
        right = (network(X_test[:, None] / 255).argmax(1) == y_test).double().mean().item()
    save_file(tensors, FILE)
    print(f"right on {100 * right:.2f} % of {len(y_test):,} test images; {FILE.stat().st_size:,} bytes")
    print(hashlib.sha256(FILE.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
