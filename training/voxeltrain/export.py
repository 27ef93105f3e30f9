"""Exports a checkpoint as a model folder of the product.

    python -m voxeltrain.export CHECKPOINT --out ../models/octree-stereo --version 1.0.0

Writes model.onnx (the backbone), heads.bin (the voxel heads), matcher.wasm and octree.wasm (the kernels around them),
manifest.json and weights.pt (to go on training from), and fails unless ONNX Runtime and torch agree on the backbone to 1e-3.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from .evaluate import load_keep, load_network, load_ranges
from .matcher import KERNEL, Matcher
from .net import CONTEXT, HIDDEN, LEAF, LEVELS, NEAR, NEAR_SLICES, ORIGIN, SAMPLES, SIZE, OctreeStereoNet, planes_of

INPUTS = ["evidence", "match", "prior", "calibration"]
ROW_FLOATS = 16
RANGES = "ranges.json"  # of the activations, where the network was trained with the rounding of the 8-bit graph
OCTREE_KERNEL = KERNEL.with_name("octree.wasm")
Sample = tuple[Tensor, Tensor, Tensor, Tensor]


class BackboneGraph(nn.Module):
    """evidence, match, prior: the kernel's outputs, batch of one; calibration [5] -> rows float32 [h4 * w4, 16]."""

    def __init__(self, net: OctreeStereoNet) -> None:
        super().__init__()
        self.backbone = net.backbone

    def forward(self, evidence: Tensor, match: Tensor, prior: Tensor, calibration: Tensor) -> Tensor:
        rows = self.backbone(evidence, match, prior, calibration[None])["rows"][0]
        return torch.cat([rows, torch.zeros_like(rows[:, : ROW_FLOATS - 5 - CONTEXT])], 1)


def sample_inputs(width: int = 880, height: int = 400, seed: int = 0) -> Sample:
    """Inputs of a made-up pair: smoothed noise on a slanted plane, 8 to 60 px of disparity from top to bottom."""
    g = np.random.default_rng(seed)
    wide = g.random((height, width + 64), np.float32)
    for axis in (0, 1):
        wide = (wide + np.roll(wide, 1, axis)) / 2
    wide = ((wide - wide.min()) / np.ptp(wide) * 255).astype(np.uint8)
    left = wide[:, :width]
    right = np.stack([row[d : d + width] for row, d in zip(wide, np.linspace(8, 60, height).astype(int))])
    evidence = torch.from_numpy(Matcher().run(left, right).copy())[None]
    return evidence, *planes_of(evidence), torch.tensor([700.0, 700.0, width / 2, height / 2, 0.4])


def write_graph(net: OctreeStereoNet, path: Path) -> BackboneGraph:
    """Writes the backbone with free image size; returns the torch module that it was made from."""
    graph = BackboneGraph(net.eval()).eval()
    axes = {"evidence": {1: "h4", 2: "w4"}, "match": {2: "h4", 3: "w4"}, "prior": {2: "h8", 3: "w8"}, "rows": {0: "cells"}}
    torch.onnx.export(graph, sample_inputs(), str(path), opset_version=17, dynamo=False, input_names=INPUTS, output_names=["rows"], dynamic_axes=axes)
    onnx.checker.check_model(str(path))
    return graph


def write_heads(net: OctreeStereoNet, path: Path) -> None:
    """float32, each of `voxel_heads`: two hidden layers (weights input by input, biases) and the classes (padded from 3 to 4)."""
    parts = []
    for head in net.voxel_heads():
        for layer in (head.mlp[0], head.mlp[2]):
            parts += [layer.weight.detach().T.reshape(-1), layer.bias.detach()]
        last = head.mlp[4]
        parts += [nn.functional.pad(last.weight.detach().T, (0, 1)).reshape(-1), nn.functional.pad(last.bias.detach(), (0, 1))]
    path.write_bytes(torch.cat(parts).numpy().astype("<f4").tobytes())


def write_weights(net: OctreeStereoNet, path: Path) -> None:
    """All weights in half precision: what voxeltrain.train --start takes, small enough for git."""
    torch.save({"ema": {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}}, path)


def run_onnx(path: Path, inputs: Sample) -> np.ndarray:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {name: x.numpy() for name, x in zip(INPUTS, inputs)})[0]


@torch.no_grad()
def disagreement(graph: BackboneGraph, path: Path, inputs: Sample) -> float:
    """Largest relative difference of a row's numbers (scale: 1 + magnitude)."""
    ours, theirs = graph(*inputs).numpy(), run_onnx(path, inputs)
    return float((np.abs(ours - theirs) / (1 + np.abs(ours))).max())


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_manifest(out: Path, name: str, version: str, keep: tuple[float, ...]) -> None:
    """manifest.json of a folder that holds the four files."""
    entry = lambda file: {"file": file, "sha256": sha256(out / file)}  # noqa: E731
    manifest = {
        "name": name, "version": version, "kind": "stereo-octree",
        "matcher": entry("matcher.wasm"), "graph": entry("model.onnx"), "decoder": entry("octree.wasm"), "heads": entry("heads.bin"),
        "grid": {"origin": [round(o / LEAF) for o in ORIGIN], "size": list(SIZE), "levels": LEVELS, "unit_voxel_m": LEAF},
        "keep": list(keep), "samples": [list(s) for s in SAMPLES], "near": {"layers": NEAR, "slices": NEAR_SLICES}, "hidden": HIDDEN, "max_disparity_px": 192, "threads": 2,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--name", default="octree-stereo")
    p.add_argument("--version", required=True)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    net = load_network(a.checkpoint)
    graph = write_graph(net, a.out / "model.onnx")
    write_heads(net, a.out / "heads.bin")
    write_weights(net, a.out / "weights.pt")
    shutil.copyfile(KERNEL, a.out / "matcher.wasm")
    shutil.copyfile(OCTREE_KERNEL, a.out / "octree.wasm")
    (a.out / RANGES).unlink(missing_ok=True)
    if ranges := load_ranges(a.checkpoint):
        (a.out / RANGES).write_text(json.dumps(ranges))
    worst = max(disagreement(graph, a.out / "model.onnx", sample_inputs(w, h, s)) for s, (w, h) in enumerate([(880, 400), (640, 360)]))
    print(json.dumps({"torch_vs_onnx": worst}))
    if worst > 1e-3:
        raise SystemExit("torch and ONNX Runtime disagree by more than 1e-3")
    write_manifest(a.out, a.name, a.version, load_keep(a.checkpoint))


if __name__ == "__main__":
    main()
