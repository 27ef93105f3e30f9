"""Adaptation on made-up pairs: the mirrored run is the right view, the losses point downhill, the command writes its files."""

import copy
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from test_train import write_shard
from voxeltrain import adapt, selfsup
from voxeltrain.matcher import Matcher
from voxeltrain.net import OctreeStereoNet, likelier, planes_of
from voxeltrain.restore import measure_norms, restore, write_checkpoint

MODEL = Path(__file__).parents[2] / "models" / "octree-stereo"
WIDTH, HEIGHT, NEAR, FAR = 256, 128, 24, 8
CALIBRATION = np.array([300, 300, 127.5, 63.5, 0.4], np.float32)


def texture(g: np.random.Generator, height: int, width: int) -> np.ndarray:
    return np.uint8(cv2.normalize(cv2.GaussianBlur(g.random((height, width), np.float32), (0, 0), 1.2), None, 0, 255, cv2.NORM_MINMAX))


@pytest.fixture(scope="module")
def pair() -> adapt.Pair:
    """A square at 24 px of disparity before a wall at 8: x 96..159 in the left view, 72..135 in the right one."""
    g = np.random.default_rng(4)
    wall, square = texture(g, HEIGHT, WIDTH + FAR), texture(g, 64, 64)
    left, right = wall[:, :WIDTH].copy(), wall[:, FAR:].copy()
    left[32:96, 96:160] = square
    right[32:96, 96 - NEAR : 160 - NEAR] = square
    return adapt.Pair(left, right, CALIBRATION)


@pytest.fixture(scope="module")
def net(pair: adapt.Pair) -> OctreeStereoNet:
    """The shipped one, with batch norms that suit this pair."""
    net, evidence = restore(MODEL), torch.from_numpy(Matcher().run(pair.left, pair.right).copy())[None]
    measure_norms(net, [(evidence, *planes_of(evidence), torch.from_numpy(CALIBRATION))])
    return net


def run(net: OctreeStereoNet, batch: adapt.Batch) -> dict[str, torch.Tensor]:
    return net.backbone(batch.evidence, *planes_of(batch.evidence), batch.calibration)


def test_mirrored_run_gives_the_right_views_disparity(net: OctreeStereoNet, pair: adapt.Pair) -> None:
    batch = adapt.make_batch([pair], Matcher(), np.random.default_rng(0))
    assert torch.equal(batch.calibration[1], batch.calibration[0])  # a centred camera is its own mirror image
    with torch.no_grad():
        disparity, _ = likelier(run(net, batch))
        right = selfsup.partner(disparity)[0, 0]
        _, agree, visible = (x[0, 0] for x in selfsup.agreement(disparity))
    inner = np.s_[11:21, 21:31]  # cells of the square in the right view
    assert (right[inner] - NEAR).abs().median() < 0.5
    assert (right[11:21, 38:58] - FAR).abs().median() < 0.5
    assert agree[11:21, 27:37].float().mean() > 0.9
    assert visible[11:21, 21:23].float().mean() < 0.5  # wall left of the square: only the left view sees it
    assert visible[11:21, 44:60].float().mean() > 0.9


def test_photometric_cost_is_least_at_the_truth_and_blind_to_gain(pair: adapt.Pair) -> None:
    left, right = (torch.from_numpy(i.astype(np.float32))[None, None] for i in pair[:2])
    cells = np.s_[:, :, 2:-2, 44:60]
    cost = lambda d, r=right: float(selfsup.photometric(left, r, torch.full((1, 1, HEIGHT // 4, WIDTH // 4), d))[cells].mean())  # noqa: E731
    assert cost(8.0) < 0.02 < 0.2 < min(cost(5.0), cost(11.0))
    assert cost(8.0) < cost(8.5) < cost(9.5)
    assert cost(8.0, right * 0.8 + 10) < 0.1


def test_a_few_steps_lower_the_photometric_cost(net: OctreeStereoNet, pair: adapt.Pair) -> None:
    student = copy.deepcopy(net)
    with torch.no_grad():  # spoil it: 1.2 px off where the matcher is believed
        student.backbone.head.bias[0] += 1.2
    batch = adapt.make_batch([pair], Matcher(), np.random.default_rng(0))
    with torch.no_grad():
        visible = selfsup.agreement(likelier(run(net, batch))[0])[2]
    optimiser = torch.optim.Adam(student.parameters(), 1e-4)
    costs, errors = [], []
    for _ in range(12):
        out = run(student, batch)
        loss = selfsup.stereo_losses(out, batch.left, batch.right, visible)["photometric"]
        costs.append(float(loss.detach()))
        errors.append(float((likelier(out)[0][0, 0, 4:-4, 44:60] - FAR).abs().mean().detach()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert costs[-1] < 0.6 * costs[0]
    assert errors[-1] < 0.6 * errors[0]


def test_teacher_pulls_a_spoilt_student_back(net: OctreeStereoNet, pair: adapt.Pair) -> None:
    student = copy.deepcopy(net)
    batch = adapt.make_batch([pair], Matcher(), np.random.default_rng(0))
    torch.manual_seed(0)
    same = adapt.unlabelled_losses(student, net, batch)
    with torch.no_grad():
        student.backbone.head.bias[4] -= 3
        student.heads[2].mlp[-1].bias[2] += 2
    torch.manual_seed(0)
    spoilt = adapt.unlabelled_losses(student, net, batch)
    assert spoilt["disparity"] > same["disparity"] and spoilt["occupancy"] > same["occupancy"]
    (spoilt["disparity"] + spoilt["occupancy"]).backward()
    assert student.backbone.head.bias.grad[4] < 0 < student.heads[2].mlp[-1].bias.grad[2]


def test_crop_moves_the_principal_point(pair: adapt.Pair) -> None:
    part = adapt.crop(pair, (64, 160), np.random.default_rng(3))
    x = int(pair.calibration[2] - part.calibration[2])
    assert part.left.shape == (160, 64) and 0 <= x <= WIDTH - 64 and part.calibration[3] == pair.calibration[3]
    assert np.array_equal(part.right[:HEIGHT], pair.right[:, x : x + 64])


def test_command_reads_a_sequence_and_writes_a_checkpoint(net: OctreeStereoNet, pair: adapt.Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_shard(tmp_path / "shards")
    sequence = tmp_path / "sequence"
    sequence.mkdir()
    for k in range(2):
        cv2.imwrite(str(sequence / f"{k:04d}_left.jpg"), pair.left)
        cv2.imwrite(str(sequence / f"{k:04d}_right.jpg"), pair.right)
    (sequence / "calib.json").write_text(json.dumps(dict(zip(("fx", "fy", "cx", "cy", "baseline_m"), map(float, CALIBRATION)))))
    write_checkpoint(net, tmp_path / "start.pt", {})
    options = ["--pairs", sequence, "--shards", tmp_path / "shards", "--test", tmp_path / "shards", "--steps", 2, "--batch", 1, "--crop", 128, 64]
    monkeypatch.setattr("sys.argv", [str(x) for x in ("adapt", "--from", tmp_path / "start.pt", "--run", tmp_path / "run", *options)])
    adapt.main()
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    before, after = (result[k][str(tmp_path / "shards")] for k in ("before", "after"))
    assert result["unlabelled_pairs"] == 2 and before.keys() == after.keys() and before["pairs"] == 4
    saved = adapt.load_network(tmp_path / "run" / "checkpoint.pt")
    moved = sum(float((a - b).abs().sum()) for a, b in zip(saved.state_dict().values(), net.state_dict().values()))
    assert moved > 0


def test_pairs_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    (tmp_path / "calib.json").write_text(json.dumps({"fx": 1, "fy": 1, "cx": 0, "cy": 0, "baseline_m": None}))
    with pytest.raises(SystemExit, match="baseline_m"):
        adapt.read_pairs(tmp_path, 0.5, shards=False)
