"""The judges of question 8 of problem set 2, beyond any file of weights: the truth passes, what is copied does not.

No threshold has an upper side, so the best possible model of each kind must get full points. And a model that has
learnt training examples by heart must not, however good its single samples are.
"""

import numpy as np
import pytest
import torch
from torch import Tensor

from autograder.hidden.ps2_latent_variable import test_q8_artifacts as judges
from autograder.testing import Unexpected
from pskit import data

SEEDS = range(5)
ANGLES = torch.arange(8) * torch.pi / 4
CENTRES = 2 * torch.stack([ANGLES.cos(), ANGLES.sin()], dim=1).double()


class TrueRing:
    """Eight Gaussians of standard deviation 0.1 in equal shares: the first number of a code says which."""

    L = 3

    def points(self, z: Tensor) -> Tensor:
        """Points (B, 2) from codes (B, 3)."""
        return CENTRES[(8 * torch.special.ndtr(z[:, 0])).long().clamp(max=7)] + 0.1 * z[:, 1:]


class CopiedRing(TrueRing):
    """One training point for each mode."""

    def points(self, z: Tensor) -> Tensor:
        """Points (B, 2) from codes (B, 3)."""
        found: Tensor = TrueRing().points(torch.cat([z[:, :1], torch.full_like(z[:, 1:], 0.7)], dim=1))
        return found


class TrueMoons:
    """The density that the moons are drawn from."""

    def log_prob(self, x: Tensor) -> Tensor:
        """Its logarithm (B,) at points (B, 2)."""
        return torch.from_numpy(judges.moon_log_density(x.numpy()))


class RealDigits:
    """Training digits, drawn at random among the first `each` of every label."""

    L = 1

    def __init__(self, each: int) -> None:
        grey, labels = data.mnist("train")
        self.own = [grey[labels == k][:each, None] / torch.tensor(255.0) for k in range(10)]

    def images(self, z: Tensor, y: Tensor) -> Tensor:
        """Images (B, 1, 28, 28) of digits y (B,); the code (B, 1) says which example of the label."""
        share = torch.special.ndtr(z[:, 0])
        return torch.stack(
            [self.own[k][min(int(s * len(self.own[k])), len(self.own[k]) - 1)] for s, k in zip(share, y, strict=True)]
        )


class DigitsByHeart:
    """A mixture of training digits: each pixel is as it was in one of them, with probability 1 - flip."""

    L = 1

    def __init__(self, flip: float) -> None:
        u = torch.rand(data.mnist("train")[0].shape, generator=torch.Generator().manual_seed(1))
        self.known = (u < data.mnist("train")[0] / 255).flatten(1).double()
        self.logit = float(np.log(1 / flip - 1))

    def bound(self, x: Tensor, eps: Tensor) -> Tensor:
        """The exact log-likelihood (B,) of x (B, 784): no code of any kind could give a better bound."""
        different = x.sum(1)[:, None] + self.known.sum(1) - 2 * x @ self.known.T
        same = 784 * np.log(1 / (1 + np.exp(-self.logit)))
        log_each = same - self.logit * different
        return log_each.logsumexp(1) - np.log(len(self.known))


@pytest.fixture(autouse=True)
def _bundled_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thousand digits that come with pskit, whatever lies in the cache."""
    monkeypatch.setattr("pskit.data.choice._small", True)


def draws(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_true_ring_gets_full_points() -> None:
    for seed in SEEDS:
        modes, good, spread = judges.on_the_ring(TrueRing(), draws(seed))
        judges.expect_spread(modes, spread)
        assert good > judges.GOOD_FULL + 0.2


def test_one_copied_point_for_each_mode_has_no_spread() -> None:
    modes, good, spread = judges.on_the_ring(CopiedRing(), draws(0))
    assert (modes, good) == (8, 1.0)
    with pytest.raises(Unexpected):
        judges.expect_spread(modes, spread)


def test_the_true_density_of_the_moons_gets_full_points() -> None:
    for seed in SEEDS:
        assert abs(judges.gap(TrueMoons(), draws(seed))) < 1e-9


def test_real_digits_get_full_points() -> None:
    real = RealDigits(each=100)
    for seed in SEEDS:
        agree, varied = judges.on_demand(real, draws(seed))
        judges.expect_varied(varied)
        assert agree > judges.AGREE_FULL + 0.1


def test_a_training_digit_for_each_label_is_not_varied() -> None:
    agree, varied = judges.on_demand(RealDigits(each=1), draws(0))
    assert agree > judges.AGREE_FULL
    with pytest.raises(Unexpected):
        judges.expect_varied(varied)


def test_training_digits_by_heart_are_no_good_model_of_others() -> None:
    nats = [judges.negative_bound(DigitsByHeart(flip), draws(0)) for flip in (0.02, 0.05, 0.1)]
    assert min(nats) > judges.BOUND_HALF + 20
