"""How often the disparity is wrong, apart for what only the left eye sees: there nothing can be matched, only foretold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from .net import likelier

BAD_PX = 3.0
MARGIN_PX = 0.5  # that far within its rim a surface covers


def hidden_from_right(disparity: np.ndarray) -> np.ndarray:
    """True [H, W] where a pixel of the left view has no place in the right image, or one that a nearer surface covers.

    disparity: of the left view [H, W], px, true everywhere.
    """
    place = np.arange(disparity.shape[1]) - disparity
    leftmost = np.minimum.accumulate(place[:, ::-1], 1)[:, ::-1]  # of all pixels from here to the right
    covered = np.zeros(place.shape, bool)
    covered[:, :-1] = leftmost[:, 1:] < place[:, :-1] - MARGIN_PX
    return covered | (place < 0)


@dataclass
class DisparityScores:
    """Sums over the pairs added so far: cells, and those of which the likelier disparity is off by more than 3 px."""

    hidden: int = 0
    hidden_bad: int = 0
    seen: int = 0
    seen_bad: int = 0

    def add(self, out: dict[str, Tensor], disparity: np.ndarray) -> None:
        """One pair: the backbone's answer (batch of one) and the true disparity [H, W], px. A cell's second pixel stands for it."""
        found = likelier(out)[0][0, 0].numpy()
        hidden, truth = (x[1::4, 1::4] for x in (hidden_from_right(disparity), disparity))
        bad = np.abs(found - truth) > BAD_PX
        self.hidden += int(hidden.sum())
        self.hidden_bad += int((bad & hidden).sum())
        self.seen += int((~hidden).sum())
        self.seen_bad += int((bad & ~hidden).sum())

    def means(self) -> dict[str, float]:
        return {
            "bad3": (self.hidden_bad + self.seen_bad) / max(1, self.hidden + self.seen),
            "bad3_hidden": self.hidden_bad / max(1, self.hidden),
            "bad3_seen": self.seen_bad / max(1, self.seen),
        }
