"""Measures a model with the product and writes its card: one command for every table and picture.

    python -m voxeltrain.card ../models/octree-stereo --test SHARDS --work DIR [--run RUN --shards DIR [DIR ...]]
        [--quantisation quantise.json] [--other NAME=EVAL.json ...] [--count N]

Runs `voxelguard eval stereo` over rendered test pairs and over the real pairs of shared/data, `voxelguard eval sequence`,
the independent judge, and OpenCV's SGBM beside them; with --run also voxeltrain.evaluate (torch). Each writes a JSON file
into DIR; no figure on the card comes from anywhere else. Sections without their file are left out.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from .measure import ROOT, measure
from .plots import draw, named

LIMITS = (
    "Trained on rendered scenes alone.",
    "A voxel of 0.5 m at 25 m is 0.3 px of disparity deep for a 0.54 m baseline and 720 px: that far, occupancy is context more than measurement.",
    "Disparities above 192 px are not matched; with 720 px and 0.54 m that is what is nearer than 2 m.",
)


def table(head: list[str], rows: list[list[object]]) -> list[str]:
    text = lambda cell: f"{cell:.3f}" if isinstance(cell, float) else str(cell)  # noqa: E731
    return ["| " + " | ".join(map(text, row)) + " |" for row in (head, ["---"] * len(head), *rows)] + [""]


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"


SCORE_HEAD = ["IoU 15 m", "IoU 32 m", "iou_ray 15 m", "iou_ray 32 m", "recall", "precision", "free violations", "missed", "Chamfer m", "Chamfer² m²", "ECE", "leaves evaluated", "bad-3"]


def score_cells(group: dict) -> list[object]:
    """By SCORE_HEAD."""
    s = group["score"]
    plain = [s[k] for k in ("iou_15m", "iou_32m", "iou_ray_15m", "iou_ray_32m", "recall", "precision")]
    rest = [s.get("chamfer_m", "-"), s.get("chamfer_paper_m2", "-"), s["calibration_error"]]
    return [*plain, percent(s["free_violation"]), percent(s["missed"]), *rest, percent(group.get("leaves_evaluated")), percent(group.get("disparity", {}).get("bad_3"))]


def rendered_section(evaluations: dict[str, dict]) -> list[str]:
    ours = evaluations["this model"]
    lines = ["## Rendered test pairs", "", f"{ours['all']['pairs']} pairs with other seeds, textures and meshes through the product (`voxelguard eval stereo`), dense labels: IoU over all voxels in view, sums over all pairs (docs/evaluation.md).", ""]
    lines += table(["by", *SCORE_HEAD], [[name, *score_cells(e["all"])] for name, e in evaluations.items()])
    for k, title in (("iou_15m", "IoU to 15 m"), ("iou_32m", "IoU to 32 m"), ("head_iou", "IoU of the level's own head"), ("head_calibration_error", "ECE of the level's own head")):
        rows = [[name, *[level.get(k, "-") for level in e["all"]["score"]["levels"]]] for name, e in evaluations.items()]
        lines += table([title, "4 m", "2 m", "1 m", "0.5 m"], [row for row in rows if row[1] != "-"])
    ranges = [
        [name, f"{r['from'] // 2}-{r['to'] // 2} m", *[r[k] for k in ("iou", "iou_ray", "recall", "precision")], percent(r["free_violation"]), percent(r["missed"]), r.get("chamfer_m", "-"), r["calibration_error"]]
        for name, e in evaluations.items()
        for r in e["ranges"]
    ]  # fmt: skip
    lines += table(["by", "range", "IoU", "iou_ray", "recall", "precision", "free violations", "missed", "Chamfer m", "ECE"], ranges)
    for tag, groups in ours["groups"].items():
        if groups:
            lines += table([tag, "pairs", *SCORE_HEAD], [[value, group["pairs"], *score_cells(group)] for value, group in groups.items()])
    return lines


def real_section(rows: list) -> list[str]:
    keys = ("iou_ray_15m", "iou_ray_32m", "missed", "free_violation", "precision", "recall", "chamfer_m")
    note = "Scored by `shared/eval/voxel_score.py`, the truth as it is and with its published disparity bias added; 0.5 m voxels, 0.05 m on mb_motorcycle (15 m and 32 m are 1.5 m and 3.2 m there). The sets are for measuring only (DrivingStereo, KITTI: non-commercial)."
    body = [[pair, f"{bias:+.2f}", who, *[score.get(k, "-") for k in keys]] for pair, bias, who, score in rows]
    return ["## Real pairs, never trained on", "", note, "", *table(["pair", "bias px", "by", "iou_ray 15 m", "iou_ray 32 m", "missed", "free violation", "precision", "recall", "chamfer m"], body)]


def layers_section(pairs: dict) -> list[str]:
    note = "The same by height: voxels of a layer (metres below the camera) that the truth occupies and those of them found; voxels that rays of the truth cross and those of them called occupied (free violations). Where a LiDAR's rays graze the ground, they cross voxels that hold ground between two of its rings; those count as free."
    body = [
        [pair, f"{one['from_m']:.1f} to {one['to_m']:.1f}", one["truth"], one["found"], two["found"], one["free"], one["violations"], two["violations"]]
        for pair, by in pairs.items()
        for one, two in zip(by["this model"], by["SGBM"])
        if one["free"]
    ]  # fmt: skip
    return [note, "", *table(["pair", "layer m", "occupied", "found: this model", "SGBM", "free by rays", "violations: this model", "SGBM"], body)]


def flying_section(pairs: dict) -> list[str]:
    note = "Dense truth that was resized has pixels that hang between the two sides of an edge, where no surface is; the judge counts the voxel of each as truly occupied (`voxeltrain.flying`). Without them:"
    keys = ("iou_ray_32m", "missed", "free_violation", "precision", "recall", "chamfer_m")
    body = [[pair, f"{s['only_flying']} of {s['voxels']}", who, *[s["without"][k] for k in keys]] for pair, by in pairs.items() for who, s in by.items()]
    return [note, "", *table(["pair", "voxels of such pixels alone", "by", "iou_ray 32 m", "missed", "free violation", "precision", "recall", "chamfer m"], body)]


def disparity_section(ours: dict, sgbm: dict) -> list[str]:
    body = []
    for pair in ours["pairs"]:
        for who, s in (("this model", pair.get("disparity")), ("SGBM, filled", sgbm.get(pair["pair"]))):
            body.append([pair["pair"], who, *([percent(s["bad_1"]), percent(s["bad_3"]), f"{s['mean_px']:.2f}"] if s else ["-"] * 3)])
    note = "All labelled pixels; the network's disparity is one value for 4x4 pixels. SGBM as in data/README.md (colour, its search range fitted to the truth)."
    return ["## Disparity", "", note, "", *table(["pair", "by", "bad-1", "bad-3", "mean px"], body)]


def sequence_section(s: dict) -> list[str]:
    body = [[name, s[k]["seen_again"], *[percent(s[k][v]) for v in ("occupied", "free", "free_alone", "unknown")]] for k, name in (("next", "next frame"), ("later", "any later frame"))]
    note = f"{s['frames']} frames of KITTI odometry, world voxels of {s['voxel_size_m']} m within {s['range_m']} m of the camera (`voxelguard eval sequence`): what a later frame says of a voxel that an earlier one called occupied. Free alone: nothing occupied in the 26 voxels around it either."
    return ["## Agreement along a drive", "", note, "", *table(["", "voxels seen again", "occupied", "free", "of these free alone", "unknown"], body)]


def training_section(t: dict, e: dict, remarks: list[str]) -> list[str]:
    kinds = ", ".join(f"{n} {kind}" for kind, n in sorted(t["kinds"].items(), key=lambda kv: -kv[1]))
    return [
        "## Training", "",
        f"- {t['parameters']:,} parameters; weights are the exponential mean over the steps.",
        f"- {t['step']} steps, {t['pairs']} augmented pairs, {t['seconds'] / 3600:.2f} h in all; last sitting: seed {t['seed']}, batch {t['batch']}, peak rate {t['rate']}, cosine over {t['steps']} steps.",
        f"- Data: {sum(t['kinds'].values())} pairs rendered by `voxeltrain.shards`: {kinds}. Nothing of `shared/data/open` was used.",
        *[f"- {remark}" for remark in remarks],
        f"- Pruning keeps {e['pruning_recall'] * 100:.2f} % of the occupied leaves of the dense answer and evaluates {e['leaves_evaluated'] * 100:.1f} % of the leaves in view (`voxeltrain.evaluate`, {e['pairs']} pairs, torch).", "",
        *table(["torch, dense", "4 m", "2 m", "1 m", "0.5 m"], [["IoU", *[e[f"iou{i}"] for i in range(4)]]]),
    ]  # fmt: skip


def quantisation_section(q: dict) -> list[str]:
    body = [[k.upper(), *[q[k][f"iou{i}"] for i in range(4)]] for k in ("fp32", "int8")]
    times = "; ".join(f"{n} thread{'s' * (n > 1)}: INT8 {q[f'threads{n}_ms']['int8']} ms, FP32 {q[f'threads{n}_ms']['fp32']} ms" for n in (1, 2))
    return ["## INT8", "", f"{q['test_pairs']} pairs (`voxeltrain.quantise`); the first disparity moves by {q['m1_px']['mean']:.3f} px on average. Backbone at 880x400, shared machine: {times}.", "", *table(["IoU", "4 m", "2 m", "1 m", "0.5 m"], body)]


def write(a: argparse.Namespace) -> None:
    read = lambda name: json.loads(file.read_text()) if (file := a.work / name).exists() else None  # noqa: E731
    manifest = json.loads((a.model / "manifest.json").read_text())
    evaluations = {"this model": read("rendered.json"), "SGBM": read("rendered_sgbm.json"), **dict(a.other)}
    pictures = draw(evaluations, a.run and a.run / "log.jsonl", a.images)
    sections = [
        (training_section, [read("training.json"), read("evaluate.json"), a.remark]),
        (rendered_section, [evaluations]),
        (quantisation_section, [a.quantisation and json.loads(a.quantisation.read_text())]),
        (real_section, [read("real.json")]),
        (layers_section, [read("layers.json")]),
        (flying_section, [read("flying.json")]),
        (disparity_section, [read("disparity.json"), read("disparity_sgbm.json")]),
        (sequence_section, [read("sequence.json")]),
    ]
    about = "Octree occupancy from a rectified stereo pair: census matching with semi-global aggregation (matcher.wasm), a small network that turns the evidence into a disparity distribution for each 4x4 pixels (model.onnx, INT8), and heads that answer occupied / free / unknown for any voxel, coarse to fine (octree.wasm, heads.bin). Grey images, any size up to 192 px of disparity, calibration as an input, voxel size free."
    lines = [f"# {manifest['name']} {manifest['version']}", "", about, ""]
    for section, parts in sections:
        if all(part is not None for part in parts):
            lines += section(*parts)
    out = a.out or a.model / "card.md"
    lines += ["## Pictures", "", *[line for p in pictures for line in (f"![{p.stem}]({os.path.relpath(p, out.parent)})", "")]]
    lines += ["## Limits", "", *[f"- {limit}" for limit in (*LIMITS, *a.limit)], ""]
    out.write_text("\n".join(lines))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", type=lambda s: Path(s).resolve())
    p.add_argument("--test", type=Path, required=True, help="shards to evaluate on")
    p.add_argument("--work", type=lambda s: Path(s).resolve(), required=True, help="folder for what is measured")
    p.add_argument("--run", type=lambda s: Path(s).resolve(), help="folder of the training: checkpoint.pt (the calibrated one), log.jsonl")
    p.add_argument("--shards", type=Path, nargs="+", default=[], help="what it was trained on")
    p.add_argument("--quantisation", type=Path, help="output of voxeltrain.quantise")
    p.add_argument("--other", type=named, action="append", default=[], help="NAME=EVAL.json of another network on the same pairs")
    p.add_argument("--count", type=int, default=200, help="rendered pairs")
    p.add_argument("--images", type=Path, default=ROOT / "docs" / "images" / "model")
    p.add_argument("--out", type=Path, help="the card; MODEL/card.md if left out")
    p.add_argument("--remark", action="append", default=[], help="what else must be known of the training")
    p.add_argument("--limit", action="append", default=[], help="a known failure")
    a = p.parse_args()
    a.test = a.test.expanduser().resolve()
    a.work.mkdir(parents=True, exist_ok=True)
    measure(a)
    write(a)


if __name__ == "__main__":
    main()
