"""The judges of problem set 3's artifacts: the grader's U-Net is the notebook's; a sentence for what does not fit."""

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from autograder.course import load_course
from autograder.hidden.digits.distance import frechet, trace_of_root
from autograder.hidden.digits.images import hidden_digits
from autograder.hidden.digits.reader import read
from autograder.hidden.ps3_diffusion_flow.judged import likeness, noise_error
from autograder.hidden.ps3_diffusion_flow.networks import HandedIn, checked, cosine_shares, shapes
from autograder.source import Namespace, definitions
from autograder.testing import Unexpected
from pskit import data

SOURCES = load_course().root / "solutions" / "ps3_diffusion_flow"


@cache
def notebook() -> Namespace:
    """What the solved notebook defines up to the network of question 3."""
    return definitions(SOURCES, ("intro", "q1_forward_process", "q3_training_loss"))


def unet(width: int, times: float, seed: int = 0) -> nn.Module:
    """The notebook's network with every weight moved, so that no layer is zero."""
    torch.manual_seed(seed)
    net: nn.Module = notebook()["UNet"](width=width, T=times)
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return net


@pytest.mark.parametrize(("width", "times"), [(64, 1.0), (24, 200.0)])
def test_the_graders_network_is_the_notebooks(width: int, times: float) -> None:
    net = unet(width, times)
    x, part, y = torch.randn(5, 1, 28, 28), torch.rand(5), torch.tensor([0, 3, 9, 10, 5])
    with torch.no_grad():
        want = net(x, times * part, y)
    assert {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()} == shapes(width)
    torch.testing.assert_close(HandedIn(net.state_dict())(x, part, y), want, rtol=1e-3, atol=1e-4)


def test_the_graders_schedule_is_the_notebooks() -> None:
    torch.testing.assert_close(cosine_shares(), notebook()["make_schedule"]("cosine", 200)[1])


def test_guidance_of_one_is_the_labels_guess() -> None:
    net = HandedIn(unet(8, 1.0).state_dict())
    x, part, y = torch.randn(3, 1, 28, 28), torch.rand(3), torch.tensor([1, 2, 3])
    torch.testing.assert_close(net.guided(x, part, y, 1.0), net(x, part, y), rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(net.guided(x, part, y, 0.0), net(x, part, torch.full((3,), 10)))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda w: {}, "'first.weight'"),
        (lambda w: {**w, "more": torch.zeros(2)}, "'more'"),
        (lambda w: {name: each for name, each in w.items() if name != "last.2.bias"}, "'last.2.bias'"),
        (lambda w: {**w, "first.weight": torch.zeros(72, 4, 3, 3)}, "72 channels"),
        (lambda w: {**w, "first.weight": torch.tensor(1.0)}, "0 channels"),
        (lambda w: {**w, "last.2.weight": torch.zeros(4, 8, 3)}, "shape (4, 8, 3)"),
        (lambda w: {**w, "first.bias": torch.full((8,), math.nan)}, "NaN"),
        (lambda w: {**w, "first.bias": torch.ones(8, dtype=torch.int32)}, "int32"),
    ],
)
def test_what_is_no_network_gets_a_sentence(spoil: Any, said: str) -> None:
    with pytest.raises(Unexpected) as raised:
        checked(spoil(unet(8, 1.0).state_dict()))
    assert said in str(raised.value)


def test_a_network_that_overflows_is_judged_and_not_fatal() -> None:
    net = HandedIn({name: 1e30 * tensor for name, tensor in unet(8, 1.0).state_dict().items()})
    assert bool(torch.isfinite(net(torch.randn(2, 1, 28, 28), torch.rand(2), torch.tensor([1, 2]))).all())


def test_only_the_provided_network_looks_like_the_provided_network() -> None:
    provided: dict[str, Tensor] = data.weights("ps3_unet")
    assert likeness(provided) > 0.999
    assert abs(likeness(unet(64, 200.0, seed=1).state_dict())) < 0.1
    assert likeness(unet(24, 200.0).state_dict()) == 0.0
    assert likeness({}) == 0.0


def test_the_error_without_labels_tells_a_null_that_was_never_trained() -> None:
    provided: dict[str, Tensor] = data.weights("ps3_unet")
    null = torch.randn(1, provided["labels.weight"].shape[1], generator=torch.Generator().manual_seed(0))
    untrained = provided | {"labels.weight": torch.cat([provided["labels.weight"][:10].float(), null])}

    def error(tensors: dict[str, Tensor], *, told: bool) -> float:
        return noise_error(HandedIn(tensors), np.random.default_rng(0), told=told)  # the same digits and noise

    assert error(untrained, told=True) == error(provided, told=True) < error(provided, told=False) < 0.06
    assert error(untrained, told=False) > 2 * error(provided, told=False)


def test_the_distance_is_small_for_real_digits_and_large_for_one_digit() -> None:
    images, labels = hidden_digits()
    assert frechet(images) == pytest.approx(0.0, abs=1e-6)
    assert frechet(images[labels == 3]) > 5 * frechet(images[::2])
    assert (read(images) == labels).double().mean() > 0.98


def test_the_root_of_covariances_is_that_of_commuting_ones() -> None:
    a, b = np.diag([4.0, 9.0, 0.0]), np.diag([1.0, 16.0, 25.0])
    assert trace_of_root(a, b) == pytest.approx(2 * 1 + 3 * 4)


def test_a_file_has_one_name_in_whatever_order_its_tensors_come() -> None:
    tensors = dict(unet(8, 200).state_dict())
    turned = dict(reversed(tensors.items()))
    other = tensors | {"first.bias": tensors["first.bias"] + 1}
    assert HandedIn(tensors).name == HandedIn(turned).name != HandedIn(other).name
