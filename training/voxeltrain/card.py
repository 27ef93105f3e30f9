"""Writes a model's card from what the commands measured.

    python -m voxeltrain.card MODEL --run RUN --evaluation evaluate.json --quantisation quantise.json \\
        --accuracy ../out/accuracy.json --shards DIR [DIR ...]

evaluate.json: output of voxeltrain.evaluate; quantise.json: of voxeltrain.quantise; accuracy.json: written by
`npm test -- test/accuracy`. No figure on the card comes from anywhere else.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import torch


def shard_summary(folders: list[Path]) -> tuple[int, Counter[str]]:
    """Number of pairs and of pairs per kind of scene."""
    kinds: Counter[str] = Counter()
    for folder in folders:
        for file in sorted(folder.glob("*.npz")):
            with np.load(file) as z:
                kinds.update(str(k) for k in z["kind"])
    return sum(kinds.values()), kinds


def training_section(run: Path, folders: list[Path], remarks: list[str]) -> list[str]:
    saved = torch.load(run / "checkpoint.pt", weights_only=True)
    state, args = saved["state"], saved["args"]
    count, kinds = shard_summary(folders)
    parameters = sum(v.numel() for k, v in saved["ema"].items() if "num_batches" not in k and "running" not in k)
    return [
        "## Training",
        "",
        f"- {parameters:,} parameters; weights are the exponential mean over the steps.",
        f"- {state['step']} steps, {state['pairs']} augmented pairs, {state['seconds'] / 3600:.2f} h on one thread of a shared two-core machine; seed {args['seed']}, batch {args['batch']}, peak rate {args['rate']}, cosine over {args['steps']} steps.",
        f"- Data: {count} pairs rendered by `voxeltrain.shards` (seeds from 1 on, and from 100000 on): " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()) + ". Meshes and photo textures of `shared/data/train` beside procedural ones. Nothing of `shared/data/open` was used.",
        "- Each pair is augmented as two cameras would see it (`augment.py`); the matching evidence is the kernel's, byte for byte.",
        *[f"- {remark}" for remark in remarks],
        "",
    ]


def milliseconds(times: dict[str, float]) -> str:
    return f"{times['int8']} ms (FP32 {times['fp32']} ms)"


def table(head: list[str], rows: list[list[object]]) -> list[str]:
    cells = [[f"{c:.3f}" if isinstance(c, float) else str(c) for c in row] for row in rows]
    return ["| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *cells]] + [""]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", type=Path)
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--evaluation", type=Path, required=True)
    p.add_argument("--quantisation", type=Path, required=True)
    p.add_argument("--accuracy", type=Path, required=True)
    p.add_argument("--shards", type=Path, nargs="+", required=True)
    p.add_argument("--remark", action="append", default=[], help="what else must be known of the training")
    a = p.parse_args()
    manifest = json.loads((a.model / "manifest.json").read_text())
    evaluation, quantisation, accuracy = (json.loads(f.read_text()) for f in (a.evaluation, a.quantisation, a.accuracy))
    levels = [f"iou{i}" for i in range(4)]
    lines = [
        f"# {manifest['name']} {manifest['version']}",
        "",
        "Octree occupancy from a rectified stereo pair: census matching with semi-global aggregation (matcher.wasm), a small network that turns the evidence into a disparity distribution for each 4x4 pixels (model.onnx, INT8), and heads that answer occupied / free / unknown for any voxel, coarse to fine (octree.wasm, heads.bin). Grey images, any size up to 192 px of disparity, calibration as an input, voxel size free.",
        "",
        *training_section(a.run, a.shards, a.remark),
        "## Rendered test pairs",
        "",
        f"{evaluation['pairs']} pairs with other seeds, textures and meshes (`python -m voxeltrain.evaluate`), occupied IoU at p > 0.5 over voxels in view:",
        "",
        *table(["", "4 m", "2 m", "1 m", "0.5 m"], [["all voxels", *[evaluation[k] for k in levels]]]),
        f"Pruning at {manifest['keep']} keeps {evaluation['pruning_recall'] * 100:.2f} % of the occupied leaves of the dense answer and evaluates {evaluation['leaves_evaluated'] * 100:.1f} % of the leaves in view.",
        "",
        f"INT8 against FP32 (`python -m voxeltrain.quantise`, {quantisation['test_pairs']} pairs):",
        "",
        *table(["", "4 m", "2 m", "1 m", "0.5 m"], [[k.upper(), *[quantisation[k][level] for level in levels]] for k in ("fp32", "int8")]),
        f"Disparity of component 1 moves by {quantisation['m1_px']['mean']:.3f} px on average; the backbone at 880x400 takes at least {milliseconds(quantisation['threads1_ms'])} on one thread, {milliseconds(quantisation['threads2_ms'])} on two (shared machine).",
        "",
        "## Real street pairs, never trained on",
        "",
        "Scored by `shared/eval/voxel_score.py` on `voxels.csv` of `voxelguard infer` (0.5 m), beside OpenCV's SGBM through `shared/eval/sgbm_voxels.py` (`npm test -- test/accuracy`). The sets are for measuring only (DrivingStereo, KITTI: non-commercial):",
        "",
        *table(
            ["pair", "by", "iou_ray 15 m", "iou_ray 32 m", "missed", "free violation", "precision", "recall", "chamfer m"],
            [
                [pair, who, *[float(score[k]) for k in ("iou_ray_15m", "iou_ray_32m", "missed", "free_violation", "precision", "recall", "chamfer_m")]]
                for pair, two in accuracy.items()
                for who, score in (("this model", two["ours"]), ("SGBM", two["sgbm"]))
            ],
        ),
        "## Limits",
        "",
        "- Trained on rendered scenes alone.",
        "- It calls free space occupied more often than SGBM does (free violation above): the price of its recall.",
        "- A voxel of 0.5 m at 25 m is 0.3 px of disparity deep for a 0.54 m baseline and 720 px: that far, occupancy is context more than measurement.",
        "- Disparities above 192 px are not matched; with 720 px and 0.54 m that is what is nearer than 2 m.",
        "",
    ]
    (a.model / "card.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
