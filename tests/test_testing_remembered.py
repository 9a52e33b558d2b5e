"""A handed-in file is measured once for the same draws, and never taken for another one."""

import numpy as np
import pytest
import torch

from autograder.testing import Memory, digest, measured


def test_the_answers_asked_for_last_are_kept():
    memory, worked = Memory(2), []
    for name in ("a", "b", "a", "c", "a", "b"):
        assert memory(name, lambda name=name: worked.append(name) or name.upper()) == name.upper()
    assert worked == ["a", "b", "c", "b"]  # c pushed b out, for a had been asked for since


@pytest.mark.parametrize(
    "other",
    [
        torch.tensor([[1.0, 2.0], [3.0, 5.0]]),
        torch.tensor([[1.0, 2.0, 3.0, 4.0]]),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64),
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]).T,
        torch.tensor([[1.0, 2.0], [3.0, 4.0]]).bfloat16(),
    ],
)
def test_other_numbers_shapes_and_dtypes_have_other_names(other):
    assert digest(other) != digest(torch.tensor([[1.0, 2.0], [3.0, 4.0]])) == digest(torch.tensor([[1.0, 2], [3, 4]]))
    assert digest(torch.tensor(3.0)) != digest(torch.zeros(0))


def test_a_file_is_measured_again_only_for_other_draws_or_another_file():
    calls = []

    def mean_distance(model, rng):
        calls.append(model)
        return float(np.abs(rng.normal(size=3) - model).mean())

    def read(tensors):
        return float(tensors["w"])

    def ask(w, seed):
        return measured(mean_distance, read, {"w": torch.tensor(w)}, np.random.default_rng(seed))

    assert ask(1.0, 0) == ask(1.0, 0) != ask(1.0, 1)
    assert ask(1.0, 0) != ask(2.0, 0)
    assert calls == [1.0, 1.0, 2.0]


def test_a_file_that_does_not_fit_is_refused_each_time():
    def refuse(tensors):
        raise ValueError("no")

    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            measured(lambda model, rng: 0.0, refuse, {"w": torch.zeros(1)}, np.random.default_rng(0))
