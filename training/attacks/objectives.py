"""What an attack minimises. All take the detector's values and return a loss for each view, [N]."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from .detector import STRIDE, TAP8

NAMES = ("heat",)
CUE_NAMES = ("heat", "tap", TAP8)
STRIDES = {"energy8": 8}  # of the cues; the others: 4


def logits(heat: torch.Tensor, kind: int) -> torch.Tensor:
    """Log-odds of a class, [N, h, w]."""
    return torch.logit(heat[:, kind], 1e-6)


def _middle(like: torch.Tensor, box: torch.Tensor, share: float) -> torch.Tensor:
    """Cells [h, w] in the middle `share` of a box (canvas pixels); at least one."""
    y, x = (STRIDE * torch.arange(n) for n in like.shape[-2:])
    centre, half = (box[:2] + box[2:]) / 2, (share * (box[2:] - box[:2]) / 2).clamp(min=STRIDE / 2)
    return ((y - centre[1]).abs() <= half[1])[:, None] & ((x - centre[0]).abs() <= half[0])


def hide(values: dict[str, torch.Tensor], kind: int, box: torch.Tensor) -> torch.Tensor:
    """Smooth maximum of the class's log-odds over the cells in the middle of the object: a box that overlaps it by half starts there."""
    score = logits(values["heat"], kind)
    return score.masked_fill(~_middle(score, box, 0.6), -torch.inf).logsumexp((1, 2))


def create(values: dict[str, torch.Tensor], kind: int, box: torch.Tensor) -> torch.Tensor:
    """Minus the class's best log-odds in the middle of the patch."""
    score = logits(values["heat"], kind)
    return -score.masked_fill(~_middle(score, box, 0.5), -torch.inf).amax((1, 2))


def cues(values: dict[str, torch.Tensor], canvas: torch.Tensor) -> dict[str, torch.Tensor]:
    """Maps [N, h, w] of what a gate may look at, those of src/detect/defence/cues.ts among them.

    The length of both taps' vectors (stride 4 and 8), and, at stride 4, the root mean square of the Laplacian of brightness
    (texture) and of the differences red - green and blue - green (chroma).
    """
    pixels = canvas.permute(0, 3, 1, 2)
    sharp = 4 * pixels - sum(torch.roll(pixels, step, axis) for axis in (2, 3) for step in (-1, 1))
    rms = lambda *parts: F.avg_pool2d(sum(part.square() for part in parts) / len(parts), STRIDE).add(1).sqrt()  # noqa: E731
    return {
        "energy4": values["tap"].square().sum(1).add(1e-6).sqrt(),
        "energy8": values[TAP8].square().sum(1).add(1e-6).sqrt(),
        "texture": rms(sharp.mean(1)),
        "chroma": rms(sharp[:, 0] - sharp[:, 1], sharp[:, 2] - sharp[:, 1]),
    }


class Stealth:
    """Penalty for cues that stand out: log of the mean cue over the patch by that of the image's own quantile of equal windows, where above."""

    def __init__(self, values: dict[str, torch.Tensor], canvas: torch.Tensor, box: tuple[float, ...], quantile: float = 0.9) -> None:
        """values, canvas: of the clean image; box: of the patch, canvas pixels."""
        self.bounds = {}
        for name, cue in cues(values, canvas).items():
            left, top, right, bottom = _cells(name, box)
            self.bounds[name] = F.avg_pool2d(cue[:, None], (bottom - top, right - left), 1).flatten().quantile(quantile)

    def __call__(self, values: dict[str, torch.Tensor], canvas: torch.Tensor, box: tuple[float, ...]) -> dict[str, torch.Tensor]:
        """Excess of each cue, [N]; 0: no more than the quantile. box: of the patch, in pixels of this canvas."""
        excess = {}
        for name, cue in cues(values, canvas).items():
            left, top, right, bottom = _cells(name, box)
            excess[name] = (cue[:, top:bottom, left:right].mean((1, 2)) / self.bounds[name]).log().relu()
        return excess


def _cells(name: str, box: tuple[float, ...]) -> list[int]:
    """The cells of a cue that a box (canvas pixels) covers: left, top, right, bottom."""
    stride = STRIDES.get(name, STRIDE)
    first = [int(edge / stride) for edge in box[:2]]
    return first + [max(low + 1, round(edge / stride)) for low, edge in zip(first, box[2:])]
