"""The 8-bit graph is the float graph but for rounding: same structure, exact where pixels matter, same bytes each time."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
import torch.nn.functional as F

from voxeltrain import export, int8_graph, quantise
from voxeltrain.export import Sample
from voxeltrain.int8_graph import Quantised, Range, Weights, build, fold_up8, follow, fuse_inputs, read_weights, sub_pixels_first
from voxeltrain.net import CONTEXT, OctreeStereoNet, planes_of, view_rays

CALIBRATION = torch.tensor([700.0, 710.0, 130.0, 60.0, 0.4])


def made_up(seed: int, height: int = 128, width: int = 256) -> Sample:
    """Inputs of the backbone: smooth random bytes, one clear minimum of the costs for most cells."""
    g = torch.Generator().manual_seed(seed)
    coarse = torch.rand(1, 128, height // 32 + 1, width // 32 + 1, generator=g)
    planes = F.interpolate(coarse, (height // 4, width // 4), mode="bilinear") * 255
    planes[:, 113] = torch.rand(height // 4, width // 4, generator=g) * 255
    evidence = planes.round().to(torch.uint8).permute(0, 2, 3, 1).contiguous()
    return evidence, *planes_of(evidence), CALIBRATION


@pytest.fixture(scope="module")
def net() -> OctreeStereoNet:
    """Random weights and random statistics of the batch norms, so that folding them matters."""
    torch.manual_seed(5)
    net = OctreeStereoNet().eval()
    with torch.no_grad():
        for m in net.modules():
            if isinstance(m, torch.nn.BatchNorm2d):
                m.running_mean.normal_(0, 0.2)
                m.running_var.uniform_(0.3, 1.2)
                m.bias.normal_(0, 0.2)
        net.backbone.head.weight[:2] = 0  # then m1 and m2 are the bare disparities
        net.backbone.head.bias[:2] = 0
    return net


@pytest.fixture(scope="module")
def model(net: OctreeStereoNet, tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    path = tmp_path_factory.mktemp("float") / "model.onnx"
    with pytest.MonkeyPatch.context() as patch:  # traced without the matching kernel
        patch.setattr(export, "sample_inputs", lambda: made_up(0))
        export.write_graph(net, path)
    return onnx.load(path)


@pytest.fixture(scope="module")
def weights(model: onnx.ModelProto) -> Weights:
    return read_weights(model)


@pytest.fixture(scope="module")
def ranges(model: onnx.ModelProto, weights: Weights) -> dict[str, Range]:
    return quantise.calibrate(model, weights, (made_up(s) for s in range(4)))


def rows_of(model: onnx.ModelProto, inputs: Sample) -> np.ndarray:
    return quantise.session(model).run(None, quantise.feed(inputs))[0]


def test_weights_are_found_by_module(net: OctreeStereoNet, weights: Weights) -> None:
    convs = [m for m in net.backbone.modules() if isinstance(m, torch.nn.Conv2d)]
    assert len(weights.convs) == len(convs)
    np.testing.assert_array_equal(weights.convs["up16.expand"][0], net.backbone.up16.expand.weight.detach().numpy())
    assert weights.convs["res16.1.b"][0].shape == (80, 80, 3, 3)
    assert weights.prior == pytest.approx(4.0 / 255, rel=1e-6)


def test_another_structure_is_refused(model: onnx.ModelProto) -> None:
    with pytest.raises(ValueError, match="0 nodes of type Softmax read evidence"):
        follow(model, "evidence", "Softmax")


def test_sub_pixels_first_is_depth_to_space() -> None:
    x = torch.arange(2 * 12.0 * 3 * 5).reshape(2, 12, 3, 5)
    wanted = F.pixel_shuffle(x, 2)
    ours = torch.from_numpy(sub_pixels_first(x[0].numpy())).reshape(2, 2, 3, 3, 5).permute(2, 3, 0, 4, 1).reshape(3, 6, 10)
    assert torch.equal(ours, wanted[0])


def test_folded_fuse_is_the_float_fuse(net: OctreeStereoNet, weights: Weights) -> None:
    torch.manual_seed(1)
    x8, s4 = torch.randn(1, 48, 4, 6), Quantised("s4", 0.03, 0)
    octets = torch.randint(0, 256, (1, 55, 8, 12)).float()  # s4, known, match
    step = torch.tensor([192 / 255 / 64, *[2 / 127.5] * 6]).reshape(1, 7, 1, 1)
    zero = torch.tensor([0.0, *[128.0] * 6]).reshape(1, 7, 1, 1)
    real = torch.cat([net.backbone.up8(x8), (octets[:, 32:39] - zero) * step, octets[:, :32] * s4.scale, octets[:, 39:] / 255], 1)
    weight, bias = (torch.from_numpy(v) for v in weights.convs["fuse.0"])
    wanted = F.conv2d(real, weight, bias)

    fold, fold_bias = (torch.from_numpy(v) for v in fold_up8(weights))
    up = F.conv2d(x8, fold, fold_bias).reshape(2, 2, 32, 4, 6).permute(2, 3, 0, 4, 1).reshape(1, 32, 8, 12)
    rest, rest_bias = (torch.from_numpy(v).float() for v in fuse_inputs(weights, s4))
    assert torch.allclose(up + F.conv2d(octets, rest, rest_bias), wanted, atol=2e-4)


@pytest.mark.parametrize(("height", "width"), [(128, 256), (64, 96)])
def test_rounding_is_all_that_differs(
    model: onnx.ModelProto, weights: Weights, ranges: dict[str, Range], height: int, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_graph, "WEIGHT_STEPS", 63)  # no overflow on any machine, so that rounding can be all
    inputs = made_up(17, height, width)
    inputs[1][0, 7, : height // 8] = 0  # there nothing is hidden
    ours, wanted = rows_of(build(weights, ranges), inputs), rows_of(model, inputs)
    assert ours.shape == wanted.shape == (height * width // 16, 16)
    np.testing.assert_array_equal(ours[:, 0], wanted[:, 0])  # m1 is the matcher's winner, sub-pixel, never rounded, or what lies behind
    match = inputs[1][0].reshape(16, -1).double().numpy()
    hidden = (match[14] > 2) & (match[7] > 0)
    np.testing.assert_array_equal(ours[:, 0], np.where(hidden, match[15], match[0] + (match[1] - 128) / 32).clip(-2, 260))
    assert np.mean(np.abs(ours[:, 1] - wanted[:, 1]) < 0.5) > 0.95  # m2 is the coarse disparity
    assert np.all(ours[:, 5 + CONTEXT :] == 0)
    for column in range(2, 5 + CONTEXT):
        spread = wanted[:, column].std()
        assert np.abs(ours[:, column] - wanted[:, column]).mean() < 0.2 * spread, column


def test_view_rays_are_the_float_ones(net: OctreeStereoNet, weights: Weights, ranges: dict[str, Range]) -> None:
    built = build(weights, ranges)
    built.graph.output.append(onnx.helper.make_tensor_value_info("geometry.float", onnx.TensorProto.FLOAT, None))
    ours = quantise.session(built).run(["geometry.float"], quantise.feed(made_up(0, 64, 96)))[0]
    with torch.no_grad():
        wanted = net.backbone.geometry(view_rays(8, 12, CALIBRATION[None])).permute(0, 2, 3, 1)
    np.testing.assert_allclose(ours, wanted.numpy(), atol=1e-5)


def test_offsets_are_1_and_16_px_and_what_is_hidden_is_taken_as_it_is(weights: Weights, ranges: dict[str, Range]) -> None:
    weight, bias = weights.convs["head"]
    inputs = made_up(3)
    inputs[1][0, 7, :4] = 0  # there the two eyes agree
    hidden = ((inputs[1][0, 14] > 2) & (inputs[1][0, 7] > 0)).reshape(-1).numpy()
    assert hidden.any() and not hidden.all()

    def rows(first: float, second: float, lift: float) -> np.ndarray:
        moved = bias.copy()
        moved[:2] = first, second
        lifts = np.array([-lift, lift], np.float32).reshape(2, 1, 1, 1)
        return rows_of(build(Weights(weights.convs | {"head": (weight, moved), "hidden": (lifts, np.zeros(2, np.float32))}, weights.prior), ranges), inputs)

    still, ours = rows(0, 0, 0), rows(0.25, 0.5, 80)
    np.testing.assert_allclose(ours[:, 0], still[:, 0] + np.where(hidden, 0, 0.25), atol=1e-4)
    np.testing.assert_allclose(ours[:, 1], still[:, 1] + 8, atol=1e-4)
    np.testing.assert_allclose(ours[:, 2], np.where(hidden, 0.03, still[:, 2]), atol=1e-4)
    np.testing.assert_allclose(ours[:, 4], np.where(hidden, 1, still[:, 4]), atol=1e-4)
    np.testing.assert_allclose(still[hidden][:, [2, 4]], [[np.log(2) + 0.03, 0.5]] * hidden.sum(), atol=1e-5)  # nothing else has a say


def test_wide_widths_survive_softplus(weights: Weights, ranges: dict[str, Range]) -> None:
    weight, bias = (v.copy() for v in weights.convs["head"])
    weight[2:4], bias[2:4] = 0, (100.0, -100.0)
    extreme = Weights({**weights.convs, "head": (weight, bias)}, weights.prior)
    inputs = made_up(3)
    inputs[1][0, 7] = 0  # nothing is hidden
    rows = rows_of(build(extreme, ranges), inputs)
    np.testing.assert_allclose(rows[:, 2], 100.03, rtol=1e-6)
    np.testing.assert_allclose(rows[:, 3], 0.1, atol=1e-6)


def test_same_inputs_same_bytes(model: onnx.ModelProto, weights: Weights, ranges: dict[str, Range]) -> None:
    again = quantise.calibrate(model, weights, (made_up(s) for s in range(4)))
    assert build(weights, again).SerializeToString() == build(read_weights(model), ranges).SerializeToString()


def test_only_pixels_stay_float(weights: Weights, ranges: dict[str, Range]) -> None:
    graph = build(weights, ranges).graph
    kinds = [n.op_type for n in graph.node]
    assert "Conv" not in kinds and "DepthToSpace" not in kinds
    assert kinds.count("QLinearConv") == len(weights.convs) - len(("geometry", "bins", "head", "hidden", "up8.expand")) + 1
    assert [n.op_type for n in graph.node if "evidence" in n.input] == ["QLinearConv", "Shape"]


def test_range_clips_outliers_and_holds_zero() -> None:
    g = np.random.default_rng(0)
    bulk = g.normal(0, 1, 40_000).astype(np.float32)
    low, high = quantise.choose_range(np.append(bulk, np.float32(12)), float(bulk.min()), 12.0)
    assert 3 < high < 12 and low < -1
    even = np.linspace(0, 1, 1000, dtype=np.float32)
    assert quantise.choose_range(even, 0.0, 1.0) == (0.0, 1.0)
    assert Quantised.of("x", (0.5, 2.0)).zero == 0


def test_heads_are_read_back(net: OctreeStereoNet, tmp_path: Path) -> None:
    export.write_heads(net, tmp_path / "heads.bin")
    for ours, wanted in zip(quantise.read_heads(tmp_path / "heads.bin"), net.heads):
        for a, b in zip(ours.parameters(), wanted.parameters()):
            assert torch.equal(a, b)
    (tmp_path / "long.bin").write_bytes((tmp_path / "heads.bin").read_bytes() + b"\0" * 4)
    with pytest.raises(SystemExit, match="these heads take"):
        quantise.read_heads(tmp_path / "long.bin")


def test_verdict() -> None:
    times = {"threads1_ms": {"fp32": 2.0, "int8": 1.0}, "threads2_ms": {"fp32": 2.0, "int8": 1.0}}
    assert quantise.verdict({"fp32": {"iou3": 0.4}, "int8": {"iou3": 0.392}} | times) == []
    assert len(quantise.verdict({"fp32": {"iou3": 0.4}, "int8": {"iou3": 0.38}} | times)) == 1
    assert len(quantise.verdict({"fp32": {"iou3": 0.4}, "int8": {"iou3": float("nan")}} | times)) == 1
    slow = times | {"threads2_ms": {"fp32": 2.0, "int8": 2.0}}
    assert "threads2_ms" in quantise.verdict({"fp32": {"iou3": 0.4}, "int8": {"iou3": 0.4}} | slow)[0]


def test_no_shards_is_said(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no shards"):
        next(quantise.pairs(tmp_path, 1, 0))
