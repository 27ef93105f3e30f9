"""A vectorised z-buffer for triangle soups, exact at pixel centres.

Homogeneous rasterisation: with the corners as columns of M (projected, not divided),
inv(M) (x, y, 1) are the barycentric weights over depth. It needs no clipping, and the same
three numbers give depth and every attribute, in double precision, in both eyes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .shapes import cross

# candidate pixels (triangle index, x, y) -> bool
Keep = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def edge_functions(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Edge functions [T, 3, 3] (corner, coefficient of x, y, 1) and determinants [T].

    corners: float64 [T, 3, 3] homogeneous pixel coordinates (x w, y w, w) of three corners.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    edges = np.stack([cross(b, c), cross(c, a), cross(a, b)], 1)
    determinant = np.einsum("ti,ti->t", a, edges[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        edges /= determinant[:, None, None]
    return edges, determinant


def visible_triangles(corners: np.ndarray, height: int, width: int) -> np.ndarray:
    """Indices of the triangles that may cover a pixel, a margin of one included; corners as in `edge_functions`."""
    code = np.full(len(corners), 31, np.uint8)
    for k in range(3):
        x, y, w = (np.ascontiguousarray(corners[:, k, c]) for c in range(3))
        far_side = (x < -w) | (x > width * w).view(np.uint8) << 1 | (y < -w).view(np.uint8) << 2 | (y > height * w).view(np.uint8) << 3
        code &= np.where(w > 1e-6, far_side, 16).astype(np.uint8)
    # a corner behind the camera tells nothing about the sides
    return np.nonzero(code == 0)[0]


def rasterise(corners: np.ndarray, edges: np.ndarray, priority: np.ndarray, height: int, width: int, cut: np.ndarray, keep: Keep) -> np.ndarray:
    """Nearest triangle a pixel, int32 [height, width], -1 where none.

    corners, edges: as above. priority: [T, 3] coefficients of x, y, 1 of a positive number that
    is larger where nearer (inverse depth). cut: bool [T], triangles with holes; their candidate pixels
    that `keep` denies are dropped.
    """
    w = [corners[:, k, 2] for k in range(3)]
    front = (w[0] > 1e-3) & (w[1] > 1e-3) & (w[2] > 1e-3)
    with np.errstate(divide="ignore", invalid="ignore"):
        rows = [corners[:, k, 1] / w[k] for k in range(3)]
    lowest = np.minimum(np.minimum(rows[0], rows[1]), rows[2])
    highest = np.maximum(np.maximum(rows[0], rows[1]), rows[2])
    first = np.where(front, np.ceil(lowest - 1e-9), 0).clip(0, height)
    last = np.where(front, np.floor(highest + 1e-9), height - 1).clip(-1, height - 1)
    count = np.maximum(last - first + 1, 0).astype(np.int64)
    tri = np.repeat(np.arange(len(corners)), count)
    y = (np.arange(len(tri)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)).astype(np.float64)

    # the edge crosses row y at x = -(b y + c) / a; a positive a bounds from the left
    slope = np.where(edges[..., 0] == 0, 1e-200, edges[..., 0])
    with np.errstate(invalid="ignore", over="ignore"):
        per_row, at_zero = -edges[..., 1] / slope, -edges[..., 2] / slope
    leftmost = slope > 0
    low, high = np.zeros(len(tri)), np.full(len(tri), width - 1.0)
    for k in range(3):
        cross = per_row[tri, k] * y + at_zero[tri, k]
        left = leftmost[tri, k]
        np.maximum(low, cross, out=low, where=left)
        np.minimum(high, cross, out=high, where=~left)
    low, high = np.ceil(low - 1e-9), np.floor(high + 1e-9)
    span = np.maximum(high - low + 1, 0).astype(np.int64)
    some = np.nonzero(span)[0]
    tri, y, low, span = tri[some], y[some], low[some], span[some]

    first = low.astype(np.int64) + y.astype(np.int64) * width - (np.cumsum(span) - span)
    pixel = np.arange(span.sum(), dtype=np.int32) + np.repeat(first.astype(np.int32), span)
    owner = np.repeat(tri.astype(np.int32), span)
    ahead = (pixel - np.repeat((y * width + low).astype(np.int32), span)).astype(np.float32)
    start = priority[tri, 0] * low + priority[tri, 1] * y + priority[tri, 2]
    score = np.repeat(start.astype(np.float32), span) + np.repeat(priority[tri, 0].astype(np.float32), span) * ahead
    key = (np.maximum(score, 0, out=score).view(np.int32).astype(np.int64) << 31) | owner
    best = np.full(height * width, -1, np.int64)
    holed = cut[owner]
    solid = np.nonzero(~holed)[0]
    np.maximum.at(best, pixel[solid], key[solid])
    holed = np.nonzero(holed)[0]
    holed = holed[key[holed] > best[pixel[holed]]]
    rows_of, columns_of = np.divmod(pixel[holed], width)
    holed = holed[keep(owner[holed], columns_of, rows_of)]
    np.maximum.at(best, pixel[holed], key[holed])
    return np.where(best < 0, -1, best & 0x7FFFFFFF).astype(np.int32).reshape(height, width)
