"""The baseline is what the paper's authors built: sizes, planes, volume, loss, and its ONNX file."""

from pathlib import Path

import onnxruntime
import pytest
import torch

from baseline.export import LEVEL_NAMES, export, noise_pair, open_session, random_net, worst_difference
from baseline.net import (
    DRIVING_STEREO_FX_BASELINE_PX_M,
    PlaneMatching,
    StereoVoxelNet,
    count_macs,
    normalise,
    soft_iou_loss,
    voxel_planes,
)


@pytest.fixture(scope="module")
def net() -> StereoVoxelNet:
    return random_net()


@pytest.fixture(scope="module")
def onnx_path(net: StereoVoxelNet, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("baseline") / "baseline.onnx"
    export(net, path)
    return path


def test_planes_of_both_published_rigs() -> None:
    assert voxel_planes(DRIVING_STEREO_FX_BASELINE_PX_M) == (0, 4, 5, 6, 7, 8, 9, 11, 13, 16, 21, 30)
    assert voxel_planes(43.88, 0.1, 0.2, 6.4) == (0, 3, 4, 5, 6, 7, 8, 10, 12, 16, 22, 37)


def test_size_and_cost_are_the_published_ones(net: StereoVoxelNet) -> None:
    assert sum(p.numel() for p in net.parameters()) == pytest.approx(5.40e6, rel=0.02)
    assert count_macs(net, *noise_pair(0)) == pytest.approx(14.24e9, rel=0.02)


def test_a_plane_interlaces_shifted_features_and_leaves_the_rest_zero() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 2, 32, 6, 20)
    matching = PlaneMatching([0, 5]).eval()
    folded: list[torch.Tensor] = []
    matching.fold[0].register_forward_pre_hook(lambda _, args: folded.append(args[0]))
    volume = matching(left, right)
    assert volume.shape == (2, 2, 6, 20)
    assert folded[1].shape == (2, 1, 64, 6, 15)
    assert torch.equal(folded[1][:, 0, 0::2], left[..., 5:])
    assert torch.equal(folded[1][:, 0, 1::2], right[..., :15])
    assert not volume[:, 1, :, :5].any()


def test_normalise_centres_the_colour_channels() -> None:
    rgb = torch.tensor([124, 116, 104], dtype=torch.uint8).view(1, 3, 1, 1)  # ImageNet's mean colour, rounded
    assert normalise(rgb).abs().max() < 0.01


def test_soft_iou_weighs_the_levels() -> None:
    right = [torch.ones(1, n, n, n) for n in (1, 2, 2, 2)]
    assert soft_iou_loss(right, right).item() == pytest.approx(0)
    half = [0.5 * right[0], *right[1:]]  # (0.5 + 1) / (1 + 1) = 0.75 at level 0
    assert soft_iou_loss(half, right).item() == pytest.approx(0.30 * 0.25)


def test_onnx_runtime_agrees_with_pytorch(net: StereoVoxelNet, onnx_path: Path) -> None:
    assert worst_difference(net, onnx_path) <= 1e-3
    assert [path.name for path in onnx_path.parent.iterdir()] == ["baseline.onnx"]


def test_onnx_has_the_documented_interface_and_uses_both_images(onnx_path: Path) -> None:
    session: onnxruntime.InferenceSession = open_session(onnx_path, threads=2)
    assert {i.name: (i.shape, i.type) for i in session.get_inputs()} == {
        "left": ([1, 3, 400, 880], "tensor(float)"),
        "right": ([1, 3, 400, 880], "tensor(float)"),
    }
    assert {o.name: o.shape for o in session.get_outputs()} == {
        name: [1, n, n, n] for name, n in zip(LEVEL_NAMES, (8, 16, 32, 64), strict=True)
    }
    left, right = (image.numpy() for image in noise_pair(4))
    both = session.run(None, {"left": left, "right": right})[3]
    for other in ({"left": left, "right": left}, {"left": right, "right": right}):
        assert abs(session.run(None, other)[3] - both).max() > 0.01
