"""The network, its octree decoding and its losses on small inputs."""

import numpy as np
import pytest
import torch

from voxeltrain.losses import OUT_OF_VIEW, disparity_losses, label_pyramid, occupancy_loss
from voxeltrain.matcher import Matcher
from voxeltrain.net import LEVELS, SIZE, OctreeStereoNet, level_centres, planes_of
from voxeltrain.octree import OctreeGraph, flat_index, may_be_seen

CALIBRATION = torch.tensor([300.0, 310.0, 120.0, 70.0, 0.3])
WIDTH, HEIGHT = 256, 128


@pytest.fixture(scope="module")
def net() -> OctreeStereoNet:
    torch.manual_seed(3)
    net = OctreeStereoNet().eval()
    with torch.no_grad():
        for head in net.voxel_heads():  # spread the answers, so that pruning has something to decide
            head.mlp[-1].weight.mul_(8)
    return net


@pytest.fixture(scope="module")
def evidence() -> torch.Tensor:
    g = np.random.default_rng(0)
    left = g.integers(0, 255, (HEIGHT, WIDTH), np.uint8)
    return torch.from_numpy(Matcher().run(left, np.roll(left, -8, 1)).copy())[None]


def rows_of(net: OctreeStereoNet, evidence: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return net.backbone(evidence, *planes_of(evidence), CALIBRATION[None])["rows"][0]


def test_kernel_finds_a_known_shift(evidence: torch.Tensor) -> None:
    winner = evidence[0, 4:-4, 8:-4, 112].float() + (evidence[0, 4:-4, 8:-4, 113].float() - 128) / 32
    assert (winner - 8).abs().median() < 0.1
    assert ((winner - 8).abs() < 1).float().mean() > 0.95


def test_octree_answers_what_the_heads_answer(net: OctreeStereoNet, evidence: torch.Tensor) -> None:
    rows = rows_of(net, evidence)
    view = torch.tensor([float(WIDTH), float(HEIGHT)])
    with torch.no_grad():
        out = OctreeGraph(net, (0.2, 0.2, 0.2)).decode(rows, CALIBRATION, view, HEIGHT // 4, WIDTH // 4)
        kept = None
        for level in range(LEVELS):
            index, p = out[2 * level], out[2 * level + 1]
            dense = net.heads[level](rows, level_centres(level), CALIBRATION, HEIGHT // 4, WIDTH // 4).softmax(1)
            assert len(index) > 0
            assert torch.allclose(p, dense[flat_index(index, level)], atol=1e-5)
            if kept is not None:  # exactly the children of kept parents that may be seen
                assert {tuple((i // 2).tolist()) for i in index} <= kept
            kept = {tuple(i.tolist()) for i, q in zip(index, p) if q[2] > 0.2}


def test_no_voxel_in_view_is_lost_to_the_view_bound() -> None:
    g = np.random.default_rng(1)
    for _ in range(20):
        width, height = float(g.integers(100, 1300)), float(g.integers(80, 900))
        f = float(g.uniform(100, 1200))
        calibration = torch.tensor([f, f * g.uniform(0.9, 1.1), width * g.uniform(0.2, 0.8), height * g.uniform(0.2, 0.8), 0.2], dtype=torch.float32)
        centres = level_centres(LEVELS - 1)
        u = calibration[0] * centres[:, 0] / centres[:, 2] + calibration[2]
        v = calibration[1] * centres[:, 1] / centres[:, 2] + calibration[3]
        leaf = torch.stack(torch.meshgrid(*[torch.arange(n) for n in SIZE], indexing="ij"), -1).reshape(-1, 3)
        leaf = leaf[(u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)]
        for level in range(LEVELS):
            parents = torch.unique(leaf // 2 ** (LEVELS - 1 - level), dim=0)
            assert may_be_seen(level, parents, calibration, torch.tensor([width, height])).all()


def test_label_pyramid_follows_its_rule() -> None:
    g = torch.Generator().manual_seed(5)
    leaf = torch.randint(0, 4, (int(np.prod(SIZE)),), generator=g).to(torch.int8)
    leaf[torch.rand(len(leaf), generator=g) < 0.9] = 1
    levels = label_pyramid(leaf)
    for fine, coarse, level in zip(levels[:0:-1], levels[-2::-1], range(LEVELS - 1, 0, -1)):
        shape = [n // 2 ** (LEVELS - 1 - level) for n in SIZE]
        blocks = fine.view(shape[0] // 2, 2, shape[1] // 2, 2, shape[2] // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(-1, 8)
        seen = blocks != OUT_OF_VIEW
        expected = torch.zeros(len(blocks), dtype=torch.long)
        expected[((blocks == 1) | ~seen).all(1)] = 1
        expected[(blocks == 2).any(1)] = 2
        expected[~seen.any(1)] = OUT_OF_VIEW
        assert torch.equal(coarse, expected)


def test_every_parameter_learns(evidence: torch.Tensor) -> None:
    torch.manual_seed(0)
    net = OctreeStereoNet().train()
    batch = torch.cat([evidence, evidence])
    out = net.backbone(batch, *planes_of(batch), CALIBRATION[None].expand(2, 5))
    labels = torch.randint(0, 3, (int(np.prod(SIZE)),)).to(torch.int8)
    loss = sum(disparity_losses(out, torch.full((2, HEIGHT, WIDTH), 8.0)).values())
    loss = loss + occupancy_loss(net, out["rows"][0], CALIBRATION, labels, (HEIGHT // 4, WIDTH // 4), {})
    loss.backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []
