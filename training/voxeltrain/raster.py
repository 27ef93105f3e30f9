"""A vectorised z-buffer for triangle soups, exact at pixel centres.

Homogeneous rasterisation: with the corners as columns of M (projected, not divided),
inv(M) (x, y, 1) are the barycentric weights over depth. It needs no clipping, and the same
three numbers give depth and every attribute, in double precision, in both eyes.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .shapes import cross

ROWS = 1 << 14  # triangle rows drawn at a time, so that temporaries stay in the cache
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
    w = corners[..., 2]
    front = (w > 1e-3).all(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        column, row = corners[..., 0] / w, corners[..., 1] / w
    first, last = _span(row, front, height)
    left, right = _span(column, front, width)
    count = np.where(left <= right, np.maximum(last - first + 1, 0), 0)
    best = np.full(height * width, -1, np.int64)
    # what has no holes goes first, so that fewer holes need looking at
    some = np.nonzero(count)[0]
    order = np.concatenate([some[~cut[some]], some[cut[some]]])
    block = np.cumsum(count[order]) // ROWS
    for part in np.split(order, np.nonzero(np.diff(block))[0] + 1):
        _draw(best, part, count[part], first[part], edges, priority, width, cut, keep)
    return np.where(best < 0, -1, best & 0x7FFFFFFF).astype(np.int32).reshape(height, width)


def _span(at: np.ndarray, front: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last pixel centre that triangles with corners `at` [T, 3] along one axis may cover; all if not wholly in front."""
    low, high = np.minimum(np.minimum(at[:, 0], at[:, 1]), at[:, 2]), np.maximum(np.maximum(at[:, 0], at[:, 1]), at[:, 2])
    first = np.where(front, np.ceil(low - 1e-9), 0).clip(0, size)
    last = np.where(front, np.floor(high + 1e-9), size - 1).clip(-1, size - 1)
    return first.astype(np.int64), last.astype(np.int64)


def _draw(best: np.ndarray, part: np.ndarray, count: np.ndarray, first: np.ndarray, edges: np.ndarray, priority: np.ndarray, width: int, cut: np.ndarray, keep: Keep) -> None:
    """Draws the triangles `part` [P], `count` rows each from row `first`, into best [H * W] (score and triangle as one key)."""
    pick = np.repeat(np.arange(len(part)), count)
    y = (np.arange(len(pick)) - np.repeat(np.cumsum(count) - count - first, count)).astype(np.float64)
    # the edge crosses row y at x = -(b y + c) / a; a positive a bounds from the left
    edge = edges[part]
    slope = np.where(edge[..., 0] == 0, 1e-200, edge[..., 0])
    with np.errstate(invalid="ignore", over="ignore"):
        per_row, at_zero = -edge[..., 1] / slope, -edge[..., 2] / slope
    leftmost = slope > 0
    low, high = np.zeros(len(pick)), np.full(len(pick), width - 1.0)
    for k in range(3):
        crossing = per_row[pick, k] * y + at_zero[pick, k]
        left = leftmost[pick, k]
        np.maximum(low, crossing, out=low, where=left)
        np.minimum(high, crossing, out=high, where=~left)
    low, high = np.ceil(low - 1e-9), np.floor(high + 1e-9)
    some = np.nonzero(high >= low)[0]
    pick, y, low = pick[some], y[some], low[some]
    span = (high[some] - low + 1).astype(np.int32)
    owner = part[pick]
    slope = priority[owner]
    start = np.repeat(np.arange(len(span), dtype=np.int32), span)
    ahead = np.arange(len(start), dtype=np.int32) - (np.cumsum(span, dtype=np.int32) - span)[start]
    pixel = (y * width + low).astype(np.int32)[start] + ahead
    score = (slope[:, 0] * low + slope[:, 1] * y + slope[:, 2]).astype(np.float32)[start]
    score += slope[:, 0].astype(np.float32)[start] * ahead
    key = np.maximum(score, 0, out=score).view(np.int32).astype(np.int64) << 31
    key |= owner[start]
    if cut[part[-1]]:  # the only blocks with holes: those without come first
        nearer = np.nonzero(key > best[pixel])[0]
        pixel, key = pixel[nearer], key[nearer]
        owner = key & 0x7FFFFFFF
        rows, columns = np.divmod(pixel, np.int32(width))
        kept = ~cut[owner] | keep(owner, columns, rows)
        pixel, key = pixel[kept], key[kept]
    np.maximum.at(best, pixel, key)
