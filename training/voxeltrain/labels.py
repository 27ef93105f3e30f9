"""Three-state voxel labels from exact depth.

Grid in the left optical frame (x right, y down, z forward): x -16..16, y -6..2, z 0..32 metres,
voxel 0.5 m, [64, 16, 64], index order x, y, z. Stereo is scale-equivariant: a scene built for another
voxel size has its depth and baseline multiplied by 0.5 / voxel before it comes here.
"""

from __future__ import annotations

import numpy as np

UNKNOWN, FREE, OCCUPIED, OUT = 0, 1, 2, 3
ORIGIN = np.array([-16.0, -6.0, 0.0])
SHAPE = (64, 16, 64)
VOXEL = 0.5
CENTRES = (np.stack(np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij"), -1).reshape(-1, 3) + 0.5) * VOXEL + ORIGIN
_INNER = np.array([[0, 0, 0]] + [[x, y, z] for x in (-0.3, 0.3) for y in (-0.3, 0.3) for z in (-0.3, 0.3)]) * VOXEL


def in_view(calibration: np.ndarray, height: int, width: int) -> np.ndarray:
    """Voxels [65536] whose centre projects inside the left image; calibration is fx, fy, cx, cy, baseline_m."""
    fx, fy, cx, cy = (float(c) for c in calibration[:4])
    u, v = fx * CENTRES[:, 0] / CENTRES[:, 2] + cx, fy * CENTRES[:, 1] / CENTRES[:, 2] + cy
    return (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)


def surface_points(depth: np.ndarray, calibration: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Points [N, 3] on visible surfaces, no further than half a voxel apart along one surface.

    depth: metres [H, W]; surface: [H, W], equal numbers on one smooth surface, -1 for none.
    """
    fx, fy, cx, cy = (float(c) for c in calibration[:4])
    v, u = np.indices(depth.shape)
    near = depth < 60
    z = np.where(near, depth, 0).astype(np.float64)
    xyz = np.stack([(u - cx) / fx * z, (v - cy) / fy * z, z], -1)
    points = [xyz[near]]
    pairs = ((np.s_[:-1], np.s_[1:]), (np.s_[:, :-1], np.s_[:, 1:]))
    for one, two in pairs:
        gap = np.abs(xyz[one] - xyz[two]).max(-1)
        fill = near[one] & near[two] & (surface[one] == surface[two]) & (surface[one] >= 0) & (gap > VOXEL / 2)
        a, b = xyz[one][fill], xyz[two][fill]
        steps = np.ceil(gap[fill] / (VOXEL / 2)).astype(int)
        pick = np.repeat(np.arange(len(steps)), steps)
        part = (np.arange(len(pick)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) / steps[pick]
        points.append(a[pick] + (b - a)[pick] * part[:, None])
    return np.concatenate(points)


def voxel_labels(depth: np.ndarray, calibration: np.ndarray, surface: np.ndarray) -> np.ndarray:
    """Labels int8 [64, 16, 64] of the left view; arguments as in `surface_points`, depth inf for sky."""
    fx, fy, cx, cy = (float(c) for c in calibration[:4])
    height, width = depth.shape
    occupied = np.zeros(SHAPE, bool)
    cell = np.floor((surface_points(depth, calibration, surface) - ORIGIN) / VOXEL).astype(int)
    cell = cell[((cell >= 0) & (cell < SHAPE)).all(1)]
    occupied[tuple(cell.T)] = True

    seen = np.nonzero(in_view(calibration, height, width))[0]
    inner = CENTRES[seen, None] + _INNER
    u = np.rint(fx * inner[..., 0] / inner[..., 2] + cx).astype(int)
    v = np.rint(fy * inner[..., 1] / inner[..., 2] + cy).astype(int)
    inside = (u >= 0) & (u < width) & (v >= 0) & (v < height)
    passed = inside & (depth[v.clip(0, height - 1), u.clip(0, width - 1)] > inner[..., 2])
    labels = np.full(len(CENTRES), OUT, np.int8)
    labels[seen] = np.where(passed.sum(1) >= 0.6 * inside.sum(1), FREE, UNKNOWN)
    labels = labels.reshape(SHAPE)
    labels[occupied & (labels != OUT)] = OCCUPIED
    return labels
