"""Calibration of the heads."""

from __future__ import annotations

import torch

from voxeltrain.calibrate import ancestor, calibration_error, fit, fold
from voxeltrain.net import LEVELS, SIZE, VoxelHead, level_centres


def test_fit_finds_the_scale_that_labels_were_drawn_with() -> None:
    torch.manual_seed(0)
    logits = torch.randn(20000, 3) * 3
    labels = torch.distributions.Categorical(logits=logits / 2.5 + torch.tensor([0.3, 0.0, -0.3])).sample()
    temperature, shift = fit(logits, labels)
    assert abs(temperature - 2.5) < 0.15
    assert (shift - torch.tensor([0.3, 0.0, -0.3])).abs().max() < 0.1
    before, after = (calibration_error(x.softmax(1)[:, 2], labels == 2) for x in (logits, logits / temperature + shift))
    assert after < 0.02 < 0.08 < before


def test_folded_head_gives_the_calibrated_logits() -> None:
    head, x = VoxelHead(1), torch.randn(50, 23)
    wanted = head.mlp(x) / 1.7 + torch.tensor([0.2, -0.1, -0.1])
    fold(head, 1.7, torch.tensor([0.2, -0.1, -0.1]))
    assert torch.allclose(head.mlp(x), wanted, atol=1e-5)


def test_calibration_error_of_a_constant_answer_is_its_distance_from_the_share() -> None:
    assert abs(calibration_error(torch.full((1000,), 0.7), torch.arange(1000) < 400) - 0.3) < 1e-5


def test_ancestors_contain_their_leaves() -> None:
    leaf = torch.arange(0, SIZE[0] * SIZE[1] * SIZE[2], 97)
    assert torch.equal(ancestor(ancestor(leaf, 3, 2), 2, 0), ancestor(leaf, 3, 0))
    for level in range(LEVELS - 1):
        apart = (level_centres(level)[ancestor(leaf, LEVELS - 1, level)] - level_centres(LEVELS - 1)[leaf]).abs()
        assert float(apart.max()) < 0.25 * 2 ** (LEVELS - level)
