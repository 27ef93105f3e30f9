"""The baseline is what the paper's authors built: sizes, planes, volume, loss, and its ONNX file."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from baseline import train
from baseline.cost import count_macs, decoding_of, sparse_decoder_macs
from baseline.evaluate import evaluate_shards, load_network
from baseline.export import LEVEL_NAMES, export, noise_pair, open_session, random_net, worst_difference
from baseline.features import PhasedConv2d
from baseline.net import (
    DRIVING_STEREO_FX_BASELINE_PX_M,
    PlaneMatching,
    StereoVoxelNet,
    normalise,
    rig_planes,
    voxel_planes,
)
from baseline.sparse import SparseGrow, make_net, reached
from baseline.targets import level_shape, soft_iou_loss, targets, trained_rows, whole_grid


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


@pytest.mark.parametrize("fx_baseline_px_m", [1.0, 22.2, 86.4, 219.4, 326.2, 549.4, 1269.5, 3000.0])
def test_any_rig_has_twelve_planes_and_keeps_the_papers(fx_baseline_px_m: float) -> None:
    planes = rig_planes(fx_baseline_px_m)
    assert len(planes) == 12 and planes[0] == 0 and list(planes) == sorted(set(planes)) and planes[-1] <= 48
    assert set(voxel_planes(fx_baseline_px_m)) <= set(planes)


def test_a_rig_whose_planes_are_twelve_has_the_papers() -> None:
    assert rig_planes(DRIVING_STEREO_FX_BASELINE_PX_M) == voxel_planes(DRIVING_STEREO_FX_BASELINE_PX_M)


def test_folded_planes_are_the_original_convolutions() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 2, 32, 6, 20, requires_grad=True)
    matching = PlaneMatching([0, 2, 5]).eval()
    want, got = matching(left, right), matching.folded(left, right, [matching.planes] * 2)
    assert want.std() > 0.01
    assert torch.allclose(got, want, atol=1e-5)
    weight = matching.fold[3].weight
    gradients = [torch.autograd.grad((volume**2).sum(), weight, retain_graph=True)[0] for volume in (want, got)]
    assert torch.allclose(*gradients, rtol=1e-3, atol=1e-3 * float(gradients[0].abs().max()))
    other = matching.folded(left, right, [(0, 2, 5), (1, 3, 4)])
    assert torch.allclose(other[0], want[0], atol=1e-5)
    assert torch.allclose(other[1], PlaneMatching.forward(with_planes(matching, (1, 3, 4)), left, right)[1], atol=1e-5)


def with_planes(matching: PlaneMatching, planes: tuple[int, ...]) -> PlaneMatching:
    other = PlaneMatching(planes).eval()
    other.load_state_dict(matching.state_dict())
    return other


def test_batch_statistics_of_folded_planes_are_those_of_one_plane_alone() -> None:
    torch.manual_seed(0)
    left, right = torch.randn(2, 2, 32, 6, 20)
    one, two = PlaneMatching([3]), PlaneMatching([3])
    two.load_state_dict(one.state_dict())
    assert torch.allclose(one.train()(left, right), two.train().folded(left, right, [[3], [3]]), atol=1e-5)
    assert torch.allclose(one.fold[4].running_var, two.fold[4].running_var, rtol=1e-4)


def test_phases_equal_dilation() -> None:
    torch.manual_seed(0)
    conv = PhasedConv2d(4, 4, 3, 1, 2, 2, 4, bias=False)
    image = torch.randn(2, 4, 8, 12)
    assert torch.allclose(conv.train()(image), conv.eval()(image), atol=1e-6)


def test_soft_iou_weighs_the_levels_and_ignores_what_is_not_seen() -> None:
    right = [torch.ones(1, n, n, n) for n in (1, 2, 2, 2)]
    assert soft_iou_loss(right, right, right).item() == pytest.approx(0)
    half = [0.5 * right[0], *right[1:]]  # (0.5 + 1) / (1 + 1) = 0.75 at level 0
    assert soft_iou_loss(half, right, right).item() == pytest.approx(0.30 * 0.25)
    assert soft_iou_loss(half, right, [0 * right[0], *right[1:]]).item() == pytest.approx(0)


def test_targets_are_aligned_levels_of_the_labels() -> None:
    labels = torch.full((1, 64, 16, 64), 3, dtype=torch.int8)
    labels[0, 40:, :, :] = 1
    labels[0, 45, 11, 30] = 2
    labels[0, 50, 2, 9] = 0
    wanted, seen = targets(labels.view(1, -1))
    for level, side in enumerate((8, 16, 32, 64)):
        assert wanted[level].shape == (1, *level_shape(side))
        leaves = 64 // side
        assert wanted[level].nonzero().tolist() == [[0, 45 // leaves, 11 // leaves, 30 // leaves]]
        assert seen[level].nonzero()[:, 1].min() == 40 // leaves
        assert torch.equal(trained_rows(whole_grid(wanted[level])), wanted[level])
        assert whole_grid(wanted[level]).shape == (1, side, side, side)


def test_sparse_levels_are_zero_off_their_parents_and_cost_what_is_touched() -> None:
    torch.manual_seed(0)
    net = make_net(True, 256, 512).eval()
    latent = torch.randn(1, 128)
    site = torch.zeros(1, 8, 8, 8, dtype=torch.bool)
    site[0, 3, 4, 5] = True
    (_, level1, *_), kept = net.decode_kept(latent, lambda level, p: site if level == 0 else p >= 0)
    assert [int(k.sum()) for k in kept[:2]] == [1, 6**3]
    box = level1[0].nonzero()
    assert box.min(0).values.tolist() == [4, 6, 8] and box.max(0).values.tolist() == [9, 11, 13]
    none, nothing = net.decode_kept(latent, lambda _, p: torch.zeros_like(p, dtype=torch.bool))
    assert not any(p.any() for p in none[1:])
    assert sparse_decoder_macs(net, nothing) == 0
    # one inner parent: 6^3 taps of 32 x 16; a submanifold 3^3 over a 6^3 block touches (6 + 5 + 5)^3; heads 6^3 x 16
    one = sparse_decoder_macs(net, [kept[0], *nothing[1:]])
    assert one == 6**3 * 32 * 16 + 16**3 * 16 * 16 + 6**3 * 16


def test_submanifold_values_are_those_of_a_convolution_over_the_sites() -> None:
    torch.manual_seed(0)
    stage = SparseGrow(3, 2).eval()
    sites = torch.rand(1, 1, 4, 4, 4) > 0.9
    grid = torch.randn(1, 3, 4, 4, 4) * sites
    support = reached(sites, stage.up)
    scale = (1 + stage.norms[0].eps) ** -0.5
    up = (stage.up(grid) * scale).relu()
    want = (torch.nn.functional.conv3d(up, stage.same.weight, padding=1) * scale).relu() * support
    assert torch.allclose(stage(grid, support), want, atol=1e-5)


@pytest.mark.parametrize("sparse", [False, True])
def test_training_resumes_and_the_checkpoint_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sparse: bool) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    g = np.random.default_rng(0)
    left = g.integers(0, 255, (2, 128, 256, 3), np.uint8)
    np.savez(
        shards / "made-up.npz", left=left, right=np.roll(left, -8, 2), labels=g.integers(0, 4, (2, 65536)).astype(np.int8),
        calibration=np.tile(np.array([200, 200, 128, 64, 0.4], np.float32), (2, 1)),
    )  # fmt: skip
    monkeypatch.setattr(train, "REPORT_EVERY", 1)
    run = tmp_path / "run"
    states = []
    for _ in range(2):
        spent = states[-1]["seconds"] if states else 0.0
        train.train(run, [shards], None, spent + 0.01, 2, 1, sparse)
        states.append(torch.load(run / "checkpoint.pt", weights_only=True)["state"])
    assert [state["step"] for state in states] == [1, 2]
    assert [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()] == [1, 2]
    scores = evaluate_shards(load_network(run / "checkpoint.pt"), shards)
    assert scores["pairs"] == 2 and all(0 <= scores[name] <= 1 for name in ("iou0", "iou3", "missed", "free_violation"))
    assert ("octree_macs" in scores) is sparse
    macs = decoding_of(shards)
    assert 0 < macs["decoder_sparse"] < macs["decoder_dense"] < macs["network"]


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
