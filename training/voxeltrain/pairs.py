"""Writes the pairs of shards as the pair folders that `voxelguard eval stereo` reads.

    python -m voxeltrain.pairs SHARDS --out DIR [--count N]

DIR/NNNNN, counted over all shards: left.png and right.png, grey, with the fixed augmentation that voxeltrain.evaluate
gives the same pair; calib.json with the tags kind, lighting and rig as far as the shard has them; gt_disparity.npz
(`disparity`, pixels, NaN in the sky); gt_labels.npz (`labels` uint8 [64, 16, 64] of labels.py, `voxel_size_m`). Lengths
are grid metres, in which the leaf is 0.5 m.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from .augment import augment_pair, grey
from .labels import SHAPE, VOXEL

SKY_M = 5e4
TAGS = ("kind", "lighting", "rig")


def write_pair(folder: Path, shard: dict[str, np.ndarray], row: int, seed: int) -> None:
    """One row of a shard; `seed`: of the augmentation."""
    folder.mkdir(parents=True, exist_ok=True)
    images = augment_pair(grey(shard["left"][row]), grey(shard["right"][row]), np.random.default_rng(seed))
    for eye, image in zip(("left", "right"), images):
        cv2.imwrite(str(folder / f"{eye}.png"), image)
    height, width = images[0].shape
    fx, fy, cx, cy, baseline = (float(c) for c in shard["calibration"][row])
    camera = {"width": width, "height": height, "fx": fx, "fy": fy, "cx": cx, "cy": cy, "baseline_m": baseline}
    tags = {tag: str(shard[tag][row]) for tag in TAGS if tag in shard}
    (folder / "calib.json").write_text(json.dumps(camera | tags, indent=1) + "\n")
    depth = shard["depth"][row].astype(np.float32)
    disparity = np.where(depth < SKY_M, np.float32(fx * baseline) / depth, np.float32(np.nan))
    np.savez_compressed(folder / "gt_disparity.npz", disparity=disparity.astype(np.float32))
    labels = shard["labels"][row].reshape(SHAPE).astype(np.uint8)
    np.savez_compressed(folder / "gt_labels.npz", labels=labels, voxel_size_m=np.array([VOXEL], np.float32))


def write_pairs(shards: Path, out: Path, count: int) -> int:
    """Writes the first `count` pairs of a folder of shards; returns how many there were."""
    done = 0
    for file in sorted(shards.glob("*.npz")):
        if done == count:
            break
        with np.load(file) as z:
            shard = {name: z[name] for name in z.files}
        for row in range(min(len(shard["left"]), count - done)):
            write_pair(out / f"{done:05d}", shard, row, done)
            done += 1
    return done


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("shards", type=Path)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--count", type=int, default=200)
    a = p.parse_args()
    print(json.dumps({"pairs": write_pairs(a.shards, a.out, a.count)}))


if __name__ == "__main__":
    main()
