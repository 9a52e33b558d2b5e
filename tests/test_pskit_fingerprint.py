"""A checkpoint belongs to all the code of the notebook that made it, wherever the change was, and to nothing else."""

import os
import subprocess
import sys

import pytest
import torch
from torch import nn

from pskit import pack, resumable, unpack
from pskit.fingerprint import fingerprint, followed

NOTEBOOK = """
import torch
from functools import cache, wraps
from torch import nn
from pskit import tensors

def scale(x):
    return 2 * x

@cache
def mask(n, parity=0):
    return tuple((i + parity) % 2 for i in range(n))

class Layer(nn.Module):
    def __init__(self, n):
        super().__init__()
        self.mask = mask(n)

    def forward(self, x):
        return scale(x)

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList(Layer(3) for _ in range(2))

    @torch.no_grad()
    def sample(self, kind):
        return kind in {"one", "two", "three"}

@wraps(torch.Tensor.sum)  # behind it is no Python code
def total(x):
    return x.sum()

def unrelated(x):
    return x

def loss(net, x):
    tensors.write, total
    return [net(each) for each in x]
"""


def mark(source=NOTEBOOK, names=("Net", "loss"), settings=None):
    made = {"__name__": "notebook"}
    exec(compile(source, "a cell", "exec"), made)
    return fingerprint([made[name] for name in names], settings or {})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return 2 * x", "return 3 * x"),  # a helper of a class that another class uses in its constructor
        ("mask(n)", "mask(n + 1)"),
        ("range(2)", "range(4)"),
        ("(i + parity) % 2", "(i + parity) % 3"),  # behind functools.cache
        ("parity=0", "parity=1"),
        ('"one", "two"', '"one", "four"'),
        ("net(each)", "-net(each)"),
    ],
)
def test_any_code_that_the_training_uses_counts(old, new):
    assert NOTEBOOK.count(old) == 1
    assert mark(NOTEBOOK.replace(old, new)) != mark()


@pytest.mark.parametrize(
    ("old", "new"), [("    return x\n", "    return -x\n"), ("def scale", "# a comment\ndef scale")]
)
def test_other_code_and_comments_do_not_count(old, new):
    assert old in NOTEBOOK
    assert mark(NOTEBOOK.replace(old, new)) == mark()


def test_it_does_not_leave_the_notebook():
    made = {"__name__": "notebook"}
    exec(NOTEBOOK, made)
    homes = {function.__globals__["__name__"] for function in followed([made["Net"], made["loss"]])}
    assert homes == {"notebook"}


def test_settings_and_their_order():
    assert mark(settings={"a": 1, "b": 2}) == mark(settings={"b": 2, "a": 1}) != mark(settings={"a": 1, "b": 3})


def test_every_process_finds_the_same():
    script = (
        "from pskit.fingerprint import fingerprint\n"
        f"made = {{'__name__': 'notebook'}}\nexec(compile({NOTEBOOK!r}, 'a cell', 'exec'), made)\n"
        "print(fingerprint([made['Net'], made['loss']], {}))"
    )
    for seed in ("1", "2"):  # sets of strings have another order
        command = [sys.executable, "-c", script]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        assert subprocess.check_output(command, text=True, env=environment).strip() == mark()


def test_networks_and_optimizers_come_back():
    torch.manual_seed(0)
    net, other = nn.Linear(2, 3), nn.Linear(2, 3)
    adam, second = torch.optim.Adam(net.parameters(), lr=0.1), torch.optim.Adam(other.parameters(), lr=0.1)
    net(torch.ones(4, 2)).sum().backward()
    adam.step()
    saved = {name: tensor.clone() for name, tensor in pack(net=net, adam=adam).items()}
    unpack(saved, net=other, adam=second)
    for player, rule in ((net, adam), (other, second)):
        rule.zero_grad()
        player(torch.ones(1, 2)).square().sum().backward()
        rule.step()
    assert torch.equal(net.weight, other.weight)


def test_a_network_of_another_size_starts_again(tmp_path, capsys):
    for width in (3, 3, 4):
        net = nn.Linear(2, width)
        run = resumable(tmp_path / "net.safetensors", pack(net=net), made_by=(mark,))
        unpack(run.state, net=net)
        for _ in run.steps(1):
            run.state = pack(net=net)
    said = capsys.readouterr().out
    assert said.count("Resumed after step 1") == said.count("training starts again") == 1
