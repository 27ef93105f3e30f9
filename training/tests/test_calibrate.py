"""Calibration of the heads."""

from __future__ import annotations

import numpy as np
import torch

from voxeltrain.calibrate import ancestor, calibration_error, choose_keep, fit, fold
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
    for level in range(LEVELS - 1):
        apart = (level_centres(level)[ancestor(leaf, level)] - level_centres(LEVELS - 1)[leaf]).abs()
        assert float(apart.max()) < 0.25 * 2 ** (LEVELS - level)


def test_thresholds_spend_the_allowed_loss_where_it_saves_most() -> None:
    g = np.random.default_rng(0)
    needed = g.random(20000) < 0.1
    p = g.random((20000, 3))
    p[needed, 2] = 0.4 + 0.6 * p[needed, 2]  # only the finest level tells
    keep = choose_keep(p, needed, 0.01)
    kept = (p > keep).all(1)
    assert kept[needed].mean() >= 0.99
    even = np.quantile(p[needed], 0.01 / 3, axis=0)
    assert kept.mean() <= (p > even).all(1).mean()
    assert 0.4 < keep[2] < 0.42
