"""A checkpoint rebuilt from the shipped 8-bit model answers as the model does, and goes on learning from there."""

import copy
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from voxeltrain import restore
from voxeltrain.atlas import load_atlas
from voxeltrain.augment import grey
from voxeltrain.drive import Drive
from voxeltrain.evaluate import load_network
from voxeltrain.export import Sample, write_heads
from voxeltrain.int8_graph import sub_pixels_first
from voxeltrain.losses import CENTRES
from voxeltrain.matcher import Matcher
from voxeltrain.net import CONTEXT, LEVELS, OctreeStereoNet, planes_of
from voxeltrain.quantise import feed, session
from voxeltrain.render import render

MODEL = Path(__file__).parents[2] / "models" / "octree-stereo"


@pytest.fixture(scope="module")
def sample() -> Sample:
    """A rendered pair of the demo's street."""
    drive = Drive(load_atlas("train", photos=False))
    scene = drive.scene(3.0)
    frame = render(scene, drive.atlas)
    evidence = torch.from_numpy(Matcher().run(grey(frame.left), grey(frame.right)).copy())[None]
    return (evidence, *planes_of(evidence), torch.from_numpy(scene.rig.calibration()))


@pytest.fixture(scope="module")
def net(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> OctreeStereoNet:
    """Restored, measured on that pair, written and read."""
    net = restore.restore(MODEL)
    restore.measure_norms(net, [sample])
    path = tmp_path_factory.mktemp("restored") / "checkpoint.pt"
    restore.write_checkpoint(net, path, {})
    return load_network(path)


def rows_of(net: OctreeStereoNet, sample: Sample) -> torch.Tensor:
    with torch.no_grad():
        return net.backbone(*sample[:3], sample[3][None])["rows"][0]


def test_restored_network_answers_as_the_shipped_graph(net: OctreeStereoNet, sample: Sample) -> None:
    theirs = torch.from_numpy(session(onnx.load(MODEL / "model.onnx")).run(None, feed(sample))[0][:, : 5 + CONTEXT])
    ours = rows_of(net, sample)
    m1, m2, _, _, w = (ours - theirs).abs().mean(0)[:5].tolist()
    assert m1 < 0.3 and m2 < 1.5 and w < 0.03
    for level in range(LEVELS):
        with torch.no_grad():
            occupied = [net.heads[level](rows, CENTRES[level], sample[3], *sample[0].shape[1:3]).argmax(1) == 2 for rows in (ours, theirs)]
        assert occupied[1].any()
        assert (occupied[0] == occupied[1]).float().mean() > 0.97


def test_restored_heads_are_the_shipped_ones(net: OctreeStereoNet, tmp_path: Path) -> None:
    write_heads(net, tmp_path / "heads.bin")
    shipped = (MODEL / "heads.bin").read_bytes()
    assert (tmp_path / "heads.bin").read_bytes()[: len(shipped)] == shipped


def test_measured_norms_change_nothing_in_evaluation_and_little_in_training(net: OctreeStereoNet, sample: Sample) -> None:
    plain = rows_of(restore.restore(MODEL), sample)[:, :5]
    assert (rows_of(net, sample)[:, :5] - plain).abs().mean() < 1e-3
    training = rows_of(copy.deepcopy(net).train(), sample)[:, :5]
    assert (training - plain).abs().mean(0).max() < 0.05
    identity = rows_of(restore.restore(MODEL).train(), sample)[:, :5]  # why they are measured
    assert (identity - plain).abs().mean(0)[0] > 0.3


def test_sub_pixels_go_back() -> None:
    x = np.arange(24).reshape(12, 2)
    assert (restore.sub_pixels_last(sub_pixels_first(x)) == x).all()
