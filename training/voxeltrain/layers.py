"""What an answer finds, and where it calls free space occupied, by height: the judge's counts (shared/eval/voxel_score.py) layer by layer.

    python -m voxeltrain.layers PAIR voxels.csv [VOXEL_SIZE_M]
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

JUDGE = Path(__file__).resolve().parents[3] / "shared" / "eval" / "voxel_score.py"
RAYS = 20_000  # of the truth, at most
STEPS = 200  # along each


def load_judge() -> ModuleType:
    """shared/eval/voxel_score.py as a module."""
    spec = importlib.util.spec_from_file_location("voxel_score", JUDGE)
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    return judge


def voxels_of(grid: Any, points: np.ndarray) -> np.ndarray:
    """The voxels of the judge's grid that hold points [N, 3], bool, flat."""
    index, inside = grid.index(points)
    mask = np.zeros(len(grid.centres), bool)
    mask[grid.flat(index[inside])] = True
    return mask


def violations(pair: Path, answer: Path, voxel: float) -> list[dict[str, float]]:
    """Layers of a pair folder from the top down, one voxel (`voxel` metres) thick: `from_m` and `to_m` along y of the left
    optical frame, and how many voxels in view the truth occupies, of these the answer (voxels.csv) finds, the truth's rays cross
    more than 1.5 voxels before their ends (none of these occupied), and of those the answer calls occupied."""
    score = load_judge()
    calibration = json.loads((pair / "calib.json").read_text())
    grid = score.Grid(voxel, calibration)
    points = score.ground_truth(str(pair), calibration)
    truth, free = voxels_of(grid, points), np.zeros(len(grid.centres), bool)
    points = points[grid.index(points)[1]]
    rays = points[np.random.default_rng(0).permutation(len(points))[:RAYS]]
    length = np.linalg.norm(rays, axis=1)
    for part in np.linspace(0.01, 1, STEPS):
        free |= voxels_of(grid, rays[length * (1 - part) > 1.5 * voxel] * part)
    free &= ~truth & grid.seen
    occupied = score.read_voxels(answer, grid) == score.STATE["occupied"]
    by_layer = lambda mask: mask.reshape(grid.n).sum((0, 2)).tolist()  # noqa: E731
    truth &= grid.seen
    counts = zip(*(by_layer(mask) for mask in (truth, truth & occupied, free, free & occupied)))
    return [
        {"from_m": float(grid.lo[1] + k * voxel), "to_m": float(grid.lo[1] + (k + 1) * voxel), "truth": t, "found": hit, "free": f, "violations": v}
        for k, (t, hit, f, v) in enumerate(counts)
    ]  # fmt: skip


if __name__ == "__main__":
    for layer in violations(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 0.5):
        print(json.dumps(layer))
