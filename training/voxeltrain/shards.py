"""Writes rendered pairs as npz shards of 20.

    python -m voxeltrain.shards --split train --seed 1 --count 1000 --out DIR

Pair k is a function of its seed alone. Finished shards are skipped, so a run may be stopped and
resumed; with --first K --step N several processes share the work. Arrays of a shard: left, right
uint8 [N, H, W, 3] RGB; depth float16 [N, H, W] metres (6e4 in the sky); labels int8 [N, 65536]
(see labels.py); calibration float32 [N, 5] fx, fy, cx, cy, baseline_m; kind [N] (see worlds.KINDS); lighting [N] ("day", "overcast",
"low_sun", "night", "indoor"); rig [N], the class of the baseline ("50-100 mm", "100-250 mm", "250-600 mm"). Depth and baseline
are in grid metres: scene metres times Scene.scale.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np

from .atlas import Atlas, load_atlas
from .labels import voxel_labels
from .meshes import MeshLibrary, load_meshes
from .render import Frame, render
from .scene import Scene
from .worlds import MAX_DISPARITY, random_scene

PAIRS = 20


def rig_class(baseline: float) -> str:
    """Class of a rig by its true baseline, metres."""
    return "50-100 mm" if baseline < 0.1 else "100-250 mm" if baseline < 0.25 else "250-600 mm"


def usable(scene: Scene, frame: Frame) -> bool:
    """False for frames nearer than the disparity range, empty of near things, filled by one wall, or without contrast."""
    disparity = scene.rig.fx * scene.rig.baseline / frame.depth
    too_near = (disparity > MAX_DISPARITY * scene.rig.width / 512).mean() > 0.12
    something = (frame.depth * scene.scale < 32).mean() > 0.12 and (disparity > 2).mean() > 0.12
    low, high = np.percentile(disparity, (5, 95))
    return bool(not too_near and something and high - low > 4 and frame.left.std() > 12)


def make_pair(seed: int, atlas: Atlas, meshes: MeshLibrary | None = None, width: int = 512, height: int = 256) -> dict[str, np.ndarray | str]:
    """One usable pair as shard rows; deterministic in the seed."""
    rng = np.random.default_rng(seed)
    while True:
        scene = random_scene(rng, atlas, meshes, width, height)
        frame = render(scene, atlas)
        if usable(scene, frame):
            break
    calibration = scene.rig.calibration()
    calibration[4] *= scene.scale
    depth = frame.depth * np.float32(scene.scale)
    labels = voxel_labels(depth, calibration, frame.surface)
    return {
        "left": frame.left,
        "right": frame.right,
        "depth": np.minimum(depth, 6e4).astype(np.float16),
        "labels": labels.ravel(),
        "calibration": calibration,
        "kind": scene.kind,
        "lighting": scene.lighting,
        "rig": rig_class(scene.rig.baseline),
    }


def write_shard(path: Path, rows: list[dict[str, np.ndarray | str]]) -> None:
    """Stacks the rows and writes them under a temporary name first."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    with open(temporary, "wb") as stream:
        np.savez(stream, **{name: np.stack([row[name] for row in rows]) for name in rows[0]})
    temporary.rename(path)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--split", choices=("train", "test"), default="train")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first pair")
    parser.add_argument("--count", type=int, default=1000, help="pairs")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--width", type=int, default=512)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--first", type=int, default=0, help="first shard of this process")
    parser.add_argument("--step", type=int, default=1, help="take every n-th shard")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    atlas, meshes = load_atlas(options.split), load_meshes(options.split)
    begin, made = time.process_time(), 0
    for shard in range(options.first, (options.count + PAIRS - 1) // PAIRS, options.step):
        path = options.out / f"{options.split}_{options.seed:07d}_{shard:05d}.npz"
        if path.exists():
            continue
        last = min(options.count, (shard + 1) * PAIRS)
        write_shard(path, [make_pair(options.seed + k, atlas, meshes, options.width, options.height) for k in range(shard * PAIRS, last)])
        made += last - shard * PAIRS
        print(f"{path.name}  {(time.process_time() - begin) / made:.3f} CPU s a pair", flush=True)


if __name__ == "__main__":
    main()
