"""One way to score occupancy on rendered pairs, for every network: counts are summed over pairs, then divided.

Only voxels in view count. iou0 .. iou3 (coarse to fine): occupied IoU of each level, all pairs together. Of the leaves:
missed = truly occupied, predicted free / truly occupied; free_violation = truly free, predicted occupied / truly free;
chamfer_m = mean of the two directed mean distances between nearest occupied leaf centres, averaged over the pairs
where both sets have any (chamfer_pairs of them).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from .labels import CENTRES, FREE, OCCUPIED, OUT

LEVELS = 4


@dataclass
class Scores:
    """Sums over the pairs added so far."""

    both: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS))
    either: np.ndarray = field(default_factory=lambda: np.zeros(LEVELS))
    missed: int = 0
    occupied: int = 0
    violated: int = 0
    free: int = 0
    chamfers_m: list[float] = field(default_factory=list)
    pairs: int = 0

    def add(self, labels: list[Tensor], occupied: list[Tensor], free: Tensor) -> None:
        """One pair. labels: `losses.label_pyramid`; occupied: boolean like each level of it; free: boolean, leaves."""
        for level, (label, says) in enumerate(zip(labels, occupied, strict=True)):
            truth, says = label == OCCUPIED, says & (label != OUT)
            self.both[level] += int((truth & says).sum())
            self.either[level] += int((truth | says).sum())
        leaf, says = labels[-1], occupied[-1] & (labels[-1] != OUT)
        self.missed += int((free & (leaf == OCCUPIED)).sum())
        self.occupied += int((leaf == OCCUPIED).sum())
        self.violated += int((says & (leaf == FREE)).sum())
        self.free += int((leaf == FREE).sum())
        self.chamfers_m += chamfer_m(says, leaf == OCCUPIED)
        self.pairs += 1

    def means(self) -> dict[str, float]:
        """The figures of the module's docstring by name."""
        return {f"iou{level}": float(self.both[level] / max(1, self.either[level])) for level in range(LEVELS)} | {
            "missed": self.missed / max(1, self.occupied),
            "free_violation": self.violated / max(1, self.free),
            "chamfer_m": float(np.mean(self.chamfers_m)) if self.chamfers_m else float("nan"),
            "chamfer_pairs": len(self.chamfers_m),
            "pairs": self.pairs,
        }


def chamfer_m(one: Tensor, two: Tensor) -> list[float]:
    """Chamfer distance of two sets of leaves, boolean [65536]; an empty list where a set is empty."""
    a, b = (torch.from_numpy(CENTRES)[chosen].numpy() for chosen in (one, two))
    if len(a) == 0 or len(b) == 0:
        return []
    return [float(cKDTree(b).query(a)[0].mean() + cKDTree(a).query(b)[0].mean()) / 2]
