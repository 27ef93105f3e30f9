"""What of a pair's dense truth no surface is at: pixels that hang between the two sides of an edge, as resizing a picture of
disparities makes them. The judge (shared/eval/voxel_score.py) counts the voxel of each as truly occupied.

    python -m voxeltrain.flying PAIR voxels.csv [VOXEL_SIZE_M]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from .layers import load_judge, voxels_of

JUMP = 1.0  # px of disparity
DENSE = 0.8  # share of the pixels


def flying(disparity: np.ndarray) -> np.ndarray:
    """Pixels [H, W] of a picture of disparities (NaN: unknown) that differ by more than JUMP from all four neighbours, or lie
    between the two to the sides, or those above and below, more than JUMP from each."""
    around = np.pad(disparity, 1, constant_values=np.nan)
    left, right, above, below = (disparity - around[y : y + len(disparity), x : x + disparity.shape[1]] for y, x in ((1, 0), (1, 2), (0, 1), (2, 1)))
    between = lambda a, b: (np.minimum(np.abs(a), np.abs(b)) > JUMP) & (a * b < 0)  # noqa: E731
    alone = np.all([~(np.abs(step) <= JUMP) for step in (left, right, above, below)], 0)
    return np.isfinite(disparity) & (alone | between(left, right) | between(above, below))


def is_dense(pair: Path) -> bool:
    """Whether the truth of a pair folder is a picture of disparities of which nearly all are known, so that neighbours tell."""
    file = pair / "gt_disparity.npz"
    return file.exists() and np.isfinite(np.load(file)["disparity"]).mean() > DENSE


def without(pair: Path, answer: Path, voxel: float) -> dict[str, float | int | dict[str, float]]:
    """How much of the truth of a pair folder is flying, and the judge's scores of voxels.csv with it and without: pixels;
    voxels of `voxel` metres, all and those in which nothing else is, of these what the answer calls occupied and free."""
    judge = load_judge()
    calibration = json.loads((pair / "calib.json").read_text())
    disparity = np.load(pair / "gt_disparity.npz")["disparity"]
    grid, bad = judge.Grid(voxel, calibration), flying(disparity)
    state = judge.read_voxels(answer, grid)
    clouds = [judge.points_from_disparity(np.where(mask, np.nan, disparity), calibration, calibration.get("doffs_px") or 0.0) for mask in (False, bad)]
    every, kept = (voxels_of(grid, cloud) & grid.seen for cloud in clouds)
    only = every & ~kept
    scores = [judge.score(answer, cloud, calibration, voxel) for cloud in clouds]
    return {
        "pixels": int(np.isfinite(disparity).sum()), "flying": int(bad.sum()), "voxels": int(every.sum()), "only_flying": int(only.sum()),
        "called_occupied": int((only & (state == judge.STATE["occupied"])).sum()), "called_free": int((only & (state == judge.STATE["free"])).sum()),
        "with": scores[0], "without": scores[1],
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(without(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.5), indent=1))
