"""What an attack minimises. All take the detector's values and return a loss for each view, [N]."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .detector import STRIDE

NAMES = ("heat",)
CUE_NAMES = ("heat", "tap")
AROUND = {"energy": 1.0, "hues": 0.0}  # weight of the ring


def logits(heat: torch.Tensor, kind: int) -> torch.Tensor:
    """Log-odds of a class, [N, h, w]."""
    return torch.logit(heat[:, kind], 1e-6)


def _middle(like: torch.Tensor, box: torch.Tensor, share: float) -> torch.Tensor:
    """Cells [h, w] in the middle `share` of a box (canvas pixels); at least one."""
    y, x = (STRIDE * torch.arange(n) for n in like.shape[-2:])
    centre, half = (box[:2] + box[2:]) / 2, (share * (box[2:] - box[:2]) / 2).clamp(min=STRIDE / 2)
    return ((y - centre[1]).abs() <= half[1])[:, None] & ((x - centre[0]).abs() <= half[0])


def hide(values: dict[str, torch.Tensor], kind: int, box: torch.Tensor) -> torch.Tensor:
    """The class's best log-odds in the middle of the object, where a box that overlaps it by half starts, and their mean excess over a score of 0.15."""
    score = logits(values["heat"], kind)
    inside = _middle(score, box, 0.6)
    excess = (score + 1.73).relu() * inside
    return score.masked_fill(~inside, -torch.inf).amax((1, 2)) + excess.sum((1, 2)) / (excess > 0).sum((1, 2)).clamp(min=1)


def create(values: dict[str, torch.Tensor], kind: int, box: torch.Tensor) -> torch.Tensor:
    """Minus the class's best log-odds in the middle of the patch."""
    score = logits(values["heat"], kind)
    return -score.masked_fill(~_middle(score, box, 0.5), -torch.inf).amax((1, 2))


def cues(values: dict[str, torch.Tensor], canvas: torch.Tensor) -> dict[str, torch.Tensor]:
    """Maps [N, h, w] at stride 4 of what the gate looks at, as src/detect/defence/cues.ts makes them.

    energy: log of the length of the tap's vector. hues: of the Laplacian over neighbours 3 pixels away, every other pixel, of
    red - green and blue - green, the root of the smaller eigenvalue of their second moments in a cell.
    """
    pixels = canvas.permute(0, 3, 1, 2)
    sharp = 4 * pixels - sum(torch.roll(pixels, step, axis) for axis in (2, 3) for step in (-3, 3))
    u, v = (sharp[:, each, ::2, ::2] - sharp[:, 1, ::2, ::2] for each in (0, 2))
    uu, uv, vv = (F.avg_pool2d(part, STRIDE // 2) for part in (u * u, u * v, v * v))
    smaller = (uu + vv) / 2 - (((uu - vv) / 2).square() + uv.square() + 1e-3).sqrt()
    return {
        "energy": values["tap"].square().sum(1).add(1e-6).log() / 2,
        "hues": (smaller.relu() + 1e-3).sqrt(),
    }


class Stealth:
    """Penalty for cues that stand out: hues as they are, energy against the ring, half a side wide, around the patch.

    The mean over the patch, less that over the ring, counts where it exceeds the 0.9 quantile of all such windows of the
    clean picture, in units of that quantile's distance from the median, as log(1 + excess).
    """

    def __init__(self, values: dict[str, torch.Tensor], canvas: torch.Tensor, box: tuple[float, ...]) -> None:
        """values, canvas: of the clean image; box: of the patch, canvas pixels."""
        self.bounds = {}
        for name, cue in cues(values, canvas).items():
            left, top, right, bottom = _cells(box)
            width, height, ring = right - left, bottom - top, _ring(left, right)
            inner = F.avg_pool2d(cue[:, None], (height, width), 1)
            outer = F.avg_pool2d(F.pad(cue[:, None], (ring,) * 4, mode="replicate"), (height + 2 * ring, width + 2 * ring), 1)
            share = width * height / ((width + 2 * ring) * (height + 2 * ring))
            contrast = inner - AROUND[name] * (outer - share * inner) / (1 - share)
            middle, high = contrast.flatten().quantile(torch.tensor([0.5, 0.9]))
            self.bounds[name] = high, (high - middle).clamp(min=1e-3)

    def __call__(self, values: dict[str, torch.Tensor], canvas: torch.Tensor, box: tuple[float, ...]) -> dict[str, torch.Tensor]:
        """The penalty of each cue, [N]. box: of the patch, in pixels of this canvas."""
        penalty = {}
        for name, cue in cues(values, canvas).items():
            left, top, right, bottom = _cells(box)
            ring = _ring(left, right)
            inner = cue[:, top:bottom, left:right]
            outer = cue[:, max(0, top - ring) : bottom + ring, max(0, left - ring) : right + ring]
            around = (outer.sum((1, 2)) - inner.sum((1, 2))) / (outer[0].numel() - inner[0].numel())
            high, unit = self.bounds[name]
            penalty[name] = ((inner.mean((1, 2)) - AROUND[name] * around - high) / unit).relu().log1p()
        return penalty


def _ring(left: int, right: int) -> int:
    return max(1, (right - left) // 2)


def _cells(box: tuple[float, ...]) -> list[int]:
    """The cells that a box (canvas pixels) covers: left, top, right, bottom."""
    first = [int(edge / STRIDE) for edge in box[:2]]
    return first + [max(low + 1, round(edge / STRIDE)) for low, edge in zip(first, box[2:])]
