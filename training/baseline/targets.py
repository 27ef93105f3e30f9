"""What the network is to answer, and the loss: soft IoU over the voxels in view.

The grid of training is the renderer's (x -16..16, y -6..2, z 0..32 m, 0.5 m voxels, 64 x 16 x 64). The paper's decoder
stays a 64^3 one; ours are rows 48..63 of y, so it spans y -30..2 m instead of -31..1 m, and every level starts at the
same corner (in the original the levels are misaligned in y, and all is shifted by half a metre in x).

A voxel is wanted occupied where the labels say so, and empty where they say free or unknown: the network has two states.
What is out of view has no say in the loss; in the original it counts as free.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from voxeltrain.losses import OUT_OF_VIEW, label_pyramid

LEVEL_WEIGHTS = (0.30, 0.27, 0.23, 0.20)
SIDES = (8, 16, 32, 64)
OCCUPIED = 2


def level_shape(side: int) -> tuple[int, int, int]:
    """Voxels x, y, z of the trained part of a level whose decoder grid is side^3."""
    return side, side // 4, side


def trained_rows(grid: Tensor) -> Tensor:
    """[.., n, n, n] of the decoder -> [.., n, n / 4, n], the part that has labels."""
    return grid[..., -(grid.shape[-2] // 4) :, :]


def whole_grid(rows: Tensor) -> Tensor:
    """Inverse of `trained_rows`: zeros (False) above."""
    return F.pad(rows, (0, 0, 3 * rows.shape[-2], 0))


def targets(labels: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """labels int8 [B, 65536] -> wanted and in-view, boolean [B, n, n / 4, n] for each level."""
    pyramids = [label_pyramid(one) for one in labels]
    levels = [torch.stack(level).view(len(labels), *level_shape(n)) for n, level in zip(SIDES, zip(*pyramids), strict=True)]
    return [level == OCCUPIED for level in levels], [level != OUT_OF_VIEW for level in levels]


def soft_iou_loss(
    predicted: Sequence[Tensor],
    wanted: Sequence[Tensor],
    seen: Sequence[Tensor],
    weights: Sequence[float] = LEVEL_WEIGHTS,
) -> Tensor:
    """Weighted sum over levels of 1 - soft IoU, each over what is `seen` of its whole batch; all [B, X, Y, Z]."""
    total = predicted[0].new_zeros(())
    for p, g, view, weight in zip(predicted, wanted, seen, weights, strict=True):
        p, g = p * view, g * view
        both = (p * g).sum()
        total = total + weight * (1 - (both + 1) / ((p + g).sum() - both + 1))
    return total
