"""Coarse heads that foretell the leaves."""

from __future__ import annotations

import numpy as np
import torch

from voxeltrain.evaluate import Answer
from voxeltrain.export import sample_inputs
from voxeltrain.foretell import foretell, leaf_states, lessons
from voxeltrain.losses import CENTRES, OUT_OF_VIEW, label_pyramid
from voxeltrain.net import LEVELS, OctreeStereoNet, level_centres
from voxeltrain.octree import may_be_seen

THRESHOLD = 0.34


def made_up(net: OctreeStereoNet) -> Answer:
    """The untrained network's answer to a made-up pair of 320x160 px; all voxels in view, nothing of them known."""
    inputs = sample_inputs(320, 160)
    calibration = inputs[3]
    index = (level_centres(LEVELS - 1) / 0.5).floor().long() - torch.tensor([-32, -12, 0])
    seen = may_be_seen(LEVELS - 1, index, calibration, torch.tensor([320.0, 160.0]))
    labels = label_pyramid(torch.where(seen, 0, OUT_OF_VIEW).to(torch.int8))
    with torch.no_grad():
        out = net.backbone(*inputs[:3], calibration[None])
        where = [(target != OUT_OF_VIEW).nonzero()[:, 0] for target in labels]
        voxels = [(i, head(out["rows"][0], CENTRES[k][i], calibration, 40, 80)) for k, (head, i) in enumerate(zip(net.heads, where))]
    return Answer({"calibration": calibration.numpy(), "left": np.zeros((160, 320), np.uint8)}, out, (40, 80), labels, voxels)


def test_the_lesson_is_what_the_leaves_say() -> None:
    torch.manual_seed(0)
    net = OctreeStereoNet().eval()
    answer = made_up(net)
    states = leaf_states(answer, THRESHOLD)
    index, logits = answer.voxels[-1]
    assert torch.equal(states[index] == 2, logits.softmax(1)[:, 2] > THRESHOLD)
    assert set(states[answer.labels[-1] == OUT_OF_VIEW].tolist()) == {OUT_OF_VIEW}
    for level, (features, target) in enumerate(lessons(net, [answer], THRESHOLD)):
        assert features.shape == (len(target), 23)
        assert torch.equal(target, label_pyramid(states)[level][answer.voxels[level][0]])


def test_coarse_heads_learn_it_and_leaves_stay() -> None:
    torch.manual_seed(0)
    net = OctreeStereoNet().eval()
    answer = made_up(net)
    leaves = [p.clone() for p in net.heads[-1].parameters()]
    for level in foretell(net, [answer], THRESHOLD, steps=60):
        assert level["after"] < 0.7 * level["before"], level
    assert all(torch.equal(a, b) for a, b in zip(leaves, net.heads[-1].parameters()))
