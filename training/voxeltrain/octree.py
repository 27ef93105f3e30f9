"""Coarse-to-fine decoding: only children of kept parents are evaluated. The reference of assembly/octree.ts."""

from __future__ import annotations

import torch
from torch import Tensor

from .net import LEAF, LEVELS, ORIGIN, SIZE, OctreeStereoNet

OCCUPIED_FROM = 0.3  # calibrated probability from which a leaf counts as occupied: the product's occupancy_threshold
CHILDREN = torch.tensor([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])


def may_be_seen(level: int, index: Tensor, calibration: Tensor, view: Tensor) -> Tensor:
    """True for voxels of a level with at least one leaf whose centre projects into the image of width, height `view`.

    index [N, 3]. Coarse levels use a bound: the leaf centres of a cell span a box; its projection is largest at the near
    face for points away from the axis and smallest at the far face.
    """
    fx, fy, cx, cy, _ = calibration.unbind(0)
    cell = LEAF * 2 ** (LEVELS - 1 - level)
    centre = torch.tensor(ORIGIN) + (index.to(calibration.dtype) + 0.5) * cell
    reach = (cell - LEAF) / 2  # half the span of the leaf centres
    near, far = (centre[:, 2] - reach).clamp(min=0.1), (centre[:, 2] + reach).clamp(min=0.1)
    inside = near > 0  # all of them
    for axis, (f, c) in enumerate(((fx, cx), (fy, cy))):
        low, high = centre[:, axis] - reach, centre[:, axis] + reach
        # smallest and largest pixel that the box reaches on this axis
        smallest = f * low / torch.where(low < 0, near, far) + c
        largest = f * high / torch.where(high > 0, near, far) + c
        inside = inside & (largest >= 0) & (smallest <= view[axis] - 1)
    return inside


class OctreeGraph:
    """The heads of a network over the octree. A parent is kept where occupied may hide in it: p_occupied above the level's
    threshold."""

    def __init__(self, net: OctreeStereoNet, keep: tuple[float, float, float]) -> None:
        self.net, self.keep = net, keep

    def decode(self, rows: Tensor, calibration: Tensor, view: Tensor, h4: int, w4: int) -> tuple[Tensor, ...]:
        """rows [h4 * w4, 13] of the backbone; calibration [5] (fx, fy, cx, cy px; baseline in units of leaf / 0.5 m); view [2]
        (width, height of the unpadded image) -> for each level: index int64 [N, 3] and probabilities [N, 3] (unknown,
        free, occupied)."""
        axes = [torch.arange(n // 2 ** (LEVELS - 1)) for n in SIZE]
        index = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
        out: list[Tensor] = []
        for level in range(LEVELS):
            seen = may_be_seen(level, index, calibration, view)
            index = index.index_select(0, torch.nonzero(seen)[:, 0])
            cell = LEAF * 2 ** (LEVELS - 1 - level)
            centres = torch.tensor(ORIGIN) + (index.to(rows.dtype) + 0.5) * cell
            p = self.net.heads[level](rows, centres, calibration, h4, w4).softmax(1)
            out += [index, p]
            if level < LEVELS - 1:
                kept = index.index_select(0, torch.nonzero(p[:, 2] > self.keep[level])[:, 0])
                index = (kept[:, None] * 2 + CHILDREN[None]).reshape(-1, 3)
        return tuple(out)


def flat_index(index: Tensor, level: int) -> Tensor:
    """Position in the dense grid of a level, x slowest."""
    _, ny, nz = (n // 2 ** (LEVELS - 1 - level) for n in SIZE)
    return (index[:, 0] * ny + index[:, 1]) * nz + index[:, 2]
