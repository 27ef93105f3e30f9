"""Turns an exported model folder into its 8-bit version for CPUs, and measures what that costs and gains.

    python -m voxeltrain.quantise FP32_DIR --shards TRAIN --test TEST --out INT8_DIR

Ranges of activations are those that the network was trained with (rounding.py), else they come from augmented training pairs
run through the float graph. Prints a JSON report and exits with 1
when the occupied IoU of the leaves falls by more than 0.01 or the 8-bit graph is not faster on one thread and on two.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from .augment import augment_pair, grey
from .export import INPUTS, RANGES, Sample, sample_inputs, write_graph, write_manifest
from .int8_graph import Range, Weights, build, fold_up8, follow, module_of, read_weights
from .losses import CENTRES, OUT_OF_VIEW, label_pyramid
from .matcher import Matcher
from .net import CONTEXT, LEVELS, OctreeStereoNet, planes_of
from .octree import OCCUPIED_FROM

MAX_LOSS = 0.01  # leaf IoU
Labelled = tuple[Sample, np.ndarray]
KEPT = 4096  # values per tensor and pair that ranges are chosen from
# Where a tensor of the 8-bit graph lies in the float graph: a convolution and what follows it.
RELU, SUM, UP = ("Relu",), ("Add", "Relu"), ("DepthToSpace", "Add", "Relu")
POINTS: dict[str, tuple[str, tuple[str, ...]]] = {
    **{name: (name, RELU) for name in ("stem", "down16", "down32", "merge16", "merge8")},
    **{name: (name, ()) for name in ("down8", "geometry", "up32.expand", "up16.expand", "stem2.depthwise", "fuse.1.depthwise")},
    **{f"{name}.a": (f"{name}.a", RELU) for name in ("res8", "res16.0", "res16.1", "res32.0", "res32.1")},
    **{f"{name}.b": (f"{name}.b", ()) for name in ("res8", "res16.0", "res16.1", "res32.0", "res32.1")},
    **{name: (f"{name}.b", SUM) for name in ("res8", "res16.0", "res16.1", "res32.0", "res32.1")},
    **{f"{name}.pointwise": (f"{name}.pointwise", ()) for name in ("stem2", "fuse.1")},
    **{name: (f"{name}.pointwise", SUM) for name in ("stem2", "fuse.1")},
    "enter8": ("down8", SUM), "up32": ("up32.expand", UP), "up16": ("up16.expand", UP),
    "fuse.0": ("fuse.0", RELU), "fuse.linear": ("fuse.0", ()),
}


def pairs(folder: Path, limit: int, seed: int) -> Iterator[Labelled]:
    """The first pairs of a folder of shards, spread over its files, as inputs of the graph and leaf labels. Fixed augmentation."""
    files = sorted(folder.glob("*.npz"))
    if not files:
        raise SystemExit(f"{folder} holds no shards (*.npz)")
    matcher, done = Matcher(), 0
    each = -(-limit // len(files))
    for file in files:
        with np.load(file) as z:
            shard = {k: z[k][:each] for k in ("left", "right", "labels", "calibration")}
        for left, right, labels, calibration in zip(*shard.values()):
            if done >= limit:
                return
            left, right = augment_pair(grey(left), grey(right), np.random.default_rng(seed + done))
            evidence = torch.from_numpy(matcher.run(left, right).copy())[None]
            yield (evidence, *planes_of(evidence), torch.from_numpy(calibration)), labels
            done += 1


def session(model: onnx.ModelProto, threads: int = 1) -> onnxruntime.InferenceSession:
    """U8S8 products are exact with VNNI and on arm64; the entry keeps older x86 from saturating them, and is free elsewhere."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 3
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def feed(inputs: Sample) -> dict[str, np.ndarray]:
    return {name: x.numpy() for name, x in zip(INPUTS, inputs)}


def watch(model: onnx.ModelProto) -> tuple[onnx.ModelProto, dict[str, str]]:
    """The float graph with all of POINTS as outputs, and the output's name for each point."""
    convs = {module_of(n): n.output[0] for n in model.graph.node if n.op_type == "Conv"}
    names = {point: follow(model, convs[start], *ops).output[0] if ops else convs[start] for point, (start, ops) in POINTS.items()}
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    watched.graph.output.extend(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in names.values())
    return watched, names


def split_fuse(values: dict[str, np.ndarray], w: Weights) -> dict[str, np.ndarray]:
    """What the 8-bit graph adds up as `fuse.linear`: the part that comes through up8, folded, and the rest."""
    weight, bias = fold_up8(w)
    part = np.tensordot(weight[:, :, 0, 0], values["merge8"][0], 1) + bias[:, None, None]
    four, h, w8 = part.shape
    shuffled = part.reshape(2, 2, four // 4, h, w8).transpose(2, 3, 0, 4, 1).reshape(1, four // 4, 2 * h, 2 * w8)
    return {"fuse.up": part, "fuse.in": values["fuse.linear"] - shuffled}


def choose_range(samples: np.ndarray, low: float, high: float) -> Range:
    """The clipping range with the least squared error of 8 bits on the samples; ties go to the widest."""
    best, chosen = np.inf, (low, high)
    for share in np.linspace(1, 0.3, 36):
        a, b = min(low * share, 0.0), max(high * share, 1e-6)
        step = (b - a) / 255
        zero = round(-a / step)
        error = float(np.square(step * (np.clip(np.rint(samples / step) + zero, 0, 255) - zero) - samples, dtype=np.float64).mean())
        if error < best:
            best, chosen = error, (a, b)
    return chosen


def calibrate(model: onnx.ModelProto, w: Weights, inputs: Iterator[Sample]) -> dict[str, Range]:
    watched, names = watch(model)
    run = session(watched)
    kept: dict[str, list[np.ndarray]] = {}
    extent: dict[str, Range] = {}
    for i, sample in enumerate(inputs):
        values = dict(zip(names, run.run(list(names.values()), feed(sample))))
        g = np.random.default_rng(i)
        for name, value in (values | split_fuse(values, w)).items():
            flat = value.reshape(-1)
            low, high = extent.get(name, (0.0, 0.0))
            extent[name] = min(low, float(flat.min())), max(high, float(flat.max()))
            kept.setdefault(name, []).append(flat[g.integers(0, flat.size, KEPT)])
    chosen = {name: choose_range(np.concatenate(parts), *extent[name]) for name, parts in kept.items()}
    chosen = {name: (float(low), float(high)) for name, (low, high) in chosen.items()}
    return chosen | {"geometry": extent["geometry"]}  # cameras beyond the shards' are to be expected: nothing clipped here


def ranges_of(net: OctreeStereoNet, shards: Path, count: int = 64) -> dict[str, Range]:
    """Ranges of a network's activations on augmented training pairs."""
    with tempfile.TemporaryDirectory() as folder:
        write_graph(net, Path(folder) / "model.onnx")
        model = onnx.load(Path(folder) / "model.onnx")
    return calibrate(model, read_weights(model), (inputs for inputs, _ in pairs(shards, count, 1_000_000)))


def read_heads(path: Path) -> nn.ModuleList:
    """The heads of a model folder, by level (layout: export.write_heads)."""
    net, raw = OctreeStereoNet(), np.fromfile(path, "<f4")
    at = 0

    def take(*shape: int) -> Tensor:
        nonlocal at
        at += int(np.prod(shape))
        return torch.from_numpy(raw[at - int(np.prod(shape)) : at].reshape(shape).copy())

    with torch.no_grad():
        for head in net.voxel_heads():
            for layer in (head.mlp[0], head.mlp[2], head.mlp[4]):
                o, i = layer.weight.shape
                wide = -(-o // 4) * 4
                layer.weight.copy_(take(i, wide)[:, :o].T)
                layer.bias.copy_(take(wide)[:o])
    if at != raw.size:
        raise SystemExit(f"{path} holds {raw.size} numbers, these heads take {at}")
    return net.heads.eval()


@torch.no_grad()
def compare(graphs: dict[str, onnx.ModelProto], heads: nn.ModuleList, samples: Iterator[Labelled]) -> dict[str, object]:
    """Occupied IoU at OCCUPIED_FROM per level and graph over all pairs, and how far the disparities of the second are from the first's."""
    runs = {name: session(model) for name, model in graphs.items()}
    both, either = ({name: np.zeros(LEVELS) for name in graphs} for _ in range(2))
    shift: dict[str, list[np.ndarray]] = {"m1_px": [], "m2_px": []}
    apart = union = 0.0
    for inputs, labels in samples:
        h4, w4 = inputs[0].shape[1:3]
        pyramid = label_pyramid(torch.from_numpy(labels))
        rows = {name: run.run(None, feed(inputs))[0] for name, run in runs.items()}
        leaves = []
        for name in graphs:
            used = torch.from_numpy(rows[name][:, : 5 + CONTEXT])
            for level in range(LEVELS):
                index = (pyramid[level] != OUT_OF_VIEW).nonzero()[:, 0]
                p = heads[level](used, CENTRES[level][index], inputs[3], h4, w4).softmax(1)[:, 2] > OCCUPIED_FROM
                truth = pyramid[level][index] == 2
                both[name][level] += float((p & truth).sum())
                either[name][level] += float((p | truth).sum())
            leaves.append(p)
        apart, union = apart + float((leaves[0] ^ leaves[1]).sum()), union + float((leaves[0] | leaves[1]).sum())
        first, second = rows.values()
        for column, key in enumerate(shift):
            shift[key].append(np.abs(first[:, column] - second[:, column]))
    iou = {name: both[name] / np.maximum(1, either[name]) for name in graphs}
    report: dict[str, object] = {}
    for name, levels in iou.items():
        report[name] = {f"iou{i}": round(float(v), 4) for i, v in enumerate(levels)}
    for key, parts in shift.items():
        d = np.concatenate(parts)
        report[key] = {"mean": float(d.mean()), "p99": float(np.quantile(d, 0.99)), "largest": float(d.max())}
    return report | {"leaves_agree_iou": round(1 - apart / max(1.0, union), 4), "test_pairs": len(shift["m1_px"])}


def clock(graphs: dict[str, onnx.ModelProto], inputs: Sample, rounds: int) -> dict[str, dict[str, float]]:
    """Least milliseconds of each graph on one thread and on two, interleaved."""
    out: dict[str, dict[str, float]] = {}
    values = feed(inputs)
    for threads in (1, 2):
        runs = {name: session(model, threads) for name, model in graphs.items()}
        least = dict.fromkeys(graphs, np.inf)
        for _ in range(rounds):
            for name, run in runs.items():
                start = time.perf_counter()
                run.run(None, values)
                least[name] = min(least[name], time.perf_counter() - start)
        out[f"threads{threads}_ms"] = {name: round(t * 1e3, 2) for name, t in least.items()}
    return out


def verdict(report: dict) -> list[str]:
    """Why the 8-bit graph must not ship; empty when it may."""
    lost = report["fp32"][f"iou{LEVELS - 1}"] - report["int8"][f"iou{LEVELS - 1}"]
    faults = [f"leaf IoU fell by {lost:.4f}, more than {MAX_LOSS}"] if not lost <= MAX_LOSS else []
    for key in ("threads1_ms", "threads2_ms"):
        if not report[key]["int8"] < report[key]["fp32"]:
            faults.append(f"{key}: int8 takes {report[key]['int8']}, fp32 {report[key]['fp32']}")
    return faults


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("fp32", type=Path, help="folder written by voxeltrain.export")
    p.add_argument("--shards", type=Path, required=True, help="training shards, for the ranges")
    p.add_argument("--test", type=Path, required=True, help="test shards, for the scores")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--calibration-pairs", type=int, default=64)
    p.add_argument("--test-pairs", type=int, default=100)
    p.add_argument("--rounds", type=int, default=60, help="timed runs of each graph and thread count")
    a = p.parse_args()
    model = onnx.load(a.fp32 / "model.onnx")
    weights = read_weights(model)
    if (a.fp32 / RANGES).exists():  # trained with
        ranges = json.loads((a.fp32 / RANGES).read_text())
    else:
        ranges = calibrate(model, weights, (inputs for inputs, _ in pairs(a.shards, a.calibration_pairs, 1_000_000)))
    quantised = build(weights, ranges)
    a.out.mkdir(parents=True, exist_ok=True)
    onnx.save(quantised, a.out / "model.onnx")
    for file in ("heads.bin", "matcher.wasm", "octree.wasm"):
        shutil.copyfile(a.fp32 / file, a.out / file)
    old = json.loads((a.fp32 / "manifest.json").read_text())
    write_manifest(a.out, old["name"], old["version"], tuple(old["keep"]))

    graphs = {"fp32": model, "int8": quantised}
    report = compare(graphs, read_heads(a.fp32 / "heads.bin"), pairs(a.test, a.test_pairs, 0))
    report |= clock(graphs, sample_inputs(), a.rounds)
    report |= {"calibration_pairs": a.calibration_pairs, "faults": verdict(report)}
    print(json.dumps(report, indent=1))
    if report["faults"]:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
