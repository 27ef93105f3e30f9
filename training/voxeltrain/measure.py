"""Measures a model with the product, the independent judge and OpenCV's SGBM, for its card (card.py): JSON files in a folder."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import torch

from .flying import is_dense, without
from .layers import JUDGE, violations
from .pairs import write_pairs

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"
OPEN = SHARED / "data" / "open"
SGBM = JUDGE.with_name("sgbm_voxels.py")
# Pair: voxel edge, m, and the published bias of its truth, px (data/README.md).
REAL = {"drivingstereo_demo": (0.5, 0.45), "kitti_object_demo": (0.5, -0.25), "mb_motorcycle": (0.05, 0.0)}

def run(*command: object) -> str:
    print("+", *command, file=sys.stderr, flush=True)
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([str(c) for c in command], cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout


def voxelguard(*arguments: object) -> str:
    return run("node", "--import", "tsx", "src/cli/main.ts", *arguments)


def python(*arguments: object) -> str:
    return run(sys.executable, *arguments)


def measure_rendered(a: argparse.Namespace) -> None:
    """rendered.json of the product and rendered_sgbm.json, both by `voxelguard eval stereo`."""
    pairs, answers = a.work / "pairs", a.work / "sgbm"
    write_pairs(a.test, pairs, a.count)
    voxelguard("eval", "stereo", "--data", pairs, "--model-path", a.model, "--repeat", 1, "--voxels", a.work / "voxels", "--json", a.work / "rendered.json")
    answers.mkdir(exist_ok=True)
    for pair in sorted(pairs.iterdir()):
        python(SGBM, pair, answers / f"{pair.name}.csv")
    voxelguard("eval", "stereo", "--data", pairs, "--answers", answers, "--json", a.work / "rendered_sgbm.json")


def measure_real(a: argparse.Namespace) -> None:
    """real.json: scores of the judge, [pair, bias px, "this model" or "SGBM", score]; layers.json: layers.py, {pair: {who: layers}};
    flying.json: flying.py, of the pairs with dense truth, {pair: {who: counts and scores}}."""
    rows, layers, hanging = [], {}, {}
    for name, (voxel, bias) in REAL.items():
        pair, sgbm = OPEN / "stereo" / name, a.work / f"{name}-sgbm.csv"
        voxelguard("eval", "stereo", "--data", pair, "--model-path", a.model, "--voxel-size", voxel, "--voxels", a.work, "--json", a.work / f"{name}.json")
        python(SGBM, pair, sgbm, voxel)
        answers = {"this model": a.work / f"{name}.csv", "SGBM": sgbm}
        for added in sorted({0.0, bias}, key=abs):
            for who, answer in answers.items():
                rows.append([name, added, who, json.loads(python(JUDGE, pair, answer, voxel, added))])
        layers[name] = {who: violations(pair, answer, voxel) for who, answer in answers.items()}
        if is_dense(pair):
            hanging[name] = {who: without(pair, answer, voxel) for who, answer in answers.items()}
    (a.work / "real.json").write_text(json.dumps(rows, indent=1))
    (a.work / "layers.json").write_text(json.dumps(layers, indent=1))
    (a.work / "flying.json").write_text(json.dumps(hanging, indent=1))


def sgbm_disparity(pair: Path, truth: np.ndarray) -> np.ndarray:
    """SGBM of data/README.md, on colour images, searching as far as the truth reaches; gaps take the smaller neighbour on the row."""
    left, right = (cv2.imread(str(next(pair.glob(f"{eye}.*")))) for eye in ("left", "right"))
    reach = int(np.ceil((np.nanmax(truth) + 1) / 16) * 16)
    found = cv2.StereoSGBM_create(0, reach, 5, 600, 2400, 1, 0, 5, 100, 2, cv2.STEREO_SGBM_MODE_SGBM_3WAY).compute(left, right)
    found = np.where(found >= 0, found / 16, np.nan).astype(np.float32)

    def last_known(rows: np.ndarray) -> np.ndarray:
        at = np.maximum.accumulate(np.where(np.isfinite(rows), np.arange(rows.shape[1]), 0), 1)
        return np.take_along_axis(rows, at, 1)

    beside = np.fmin(last_known(found), last_known(found[:, ::-1])[:, ::-1])
    return np.nan_to_num(np.where(np.isfinite(found), found, beside))


def measure_disparity(a: argparse.Namespace) -> None:
    """disparity.json of the product (eval stereo) and disparity_sgbm.json, by pair."""
    voxelguard("eval", "stereo", "--data", OPEN / "stereo", "--model-path", a.model, "--repeat", 1, "--json", a.work / "disparity.json")
    scores = {}
    for pair in sorted(p.parent for p in (OPEN / "stereo").glob("*/gt_disparity.npz")):
        truth = np.load(pair / "gt_disparity.npz")["disparity"]
        off = np.abs(sgbm_disparity(pair, truth) - truth)[np.isfinite(truth) & (truth > 0)]
        scores[pair.name] = {"bad_1": float((off > 1).mean()), "bad_3": float((off > 3).mean()), "mean_px": float(off.mean())}
    (a.work / "disparity_sgbm.json").write_text(json.dumps(scores, indent=1))


def measure_training(a: argparse.Namespace) -> None:
    """training.json: what the checkpoint and the shards say; evaluate.json: torch on the test shards."""
    checkpoint, keep = a.run / "checkpoint.pt", json.loads((a.model / "manifest.json").read_text())["keep"]
    saved = torch.load(checkpoint, weights_only=True)
    kinds: Counter[str] = Counter()
    for file in (f for folder in a.shards for f in sorted(folder.glob("*.npz"))):
        with np.load(file) as z:
            kinds.update(str(k) for k in z["kind"])
    parameters = sum(v.numel() for k, v in saved["ema"].items() if "num_batches" not in k and "running" not in k)
    args = {k: saved["args"][k] for k in ("seed", "batch", "rate", "steps")}
    (a.work / "training.json").write_text(json.dumps({**saved["state"], **args, "parameters": parameters, "kinds": kinds}, indent=1))
    evaluated = run("env", f"PYTHONPATH={ROOT / 'training'}", sys.executable, "-m", "voxeltrain.evaluate", checkpoint, "--shards", a.test, "--pairs", a.count, "--keep", *keep)
    (a.work / "evaluate.json").write_text(evaluated)


def measure(a: argparse.Namespace) -> None:
    measure_rendered(a)
    if OPEN.exists():
        measure_real(a)
        measure_disparity(a)
        voxelguard("eval", "sequence", "--bag", OPEN / "bags" / "kitti_jpeg_mcap", "--model-path", a.model, "--json", a.work / "sequence.json")
    if a.run:
        measure_training(a)
