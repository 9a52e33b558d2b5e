"""Hidden test of the target's artifact."""

import torch

from autograder.testing import expect_close, points


@points(2, "4a", hint="train longer", timeout=5)
def test_weights_point_the_right_way(ps):
    """The weights have the direction that training finds."""
    weights = ps.artifact("target.safetensors")["w"]
    expect_close(weights / weights.norm(), torch.tensor([2.0, 3.0, 6.0]) / 7)
