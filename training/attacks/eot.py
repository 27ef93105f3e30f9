"""Expectation over transformation: the patch as it may be seen, laid into the canvas in a way that gradients pass."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Spread:
    """Bounds of the uniform draws; shift in shares of the side, turn in degrees, offset and noise (deviation) of 0..1."""

    shift: float = 0.10
    scale: float = 0.12
    turn: float = 6.0
    gain: float = 0.15
    offset: float = 0.05
    noise: float = 0.02


@dataclass
class Views:
    """`count` draws: columns [N] of shift x, shift y, scale, turn (radians), gain, offset, and the deviation of the noise."""

    columns: torch.Tensor
    noise: float

    @staticmethod
    def drawn(count: int, spread: Spread, generator: torch.Generator) -> Views:
        """Seeded by the generator."""
        bounds = torch.tensor([spread.shift, spread.shift, spread.scale, spread.turn * torch.pi / 180, spread.gain, spread.offset])
        middle = torch.tensor([0.0, 0, 1, 0, 1, 0])
        return Views(((2 * torch.rand(count, 6, generator=generator) - 1) * bounds + middle).T, spread.noise)

    @staticmethod
    def plain() -> Views:
        """The patch just where and as it is."""
        return Views(torch.tensor([[0.0, 0, 1, 0, 1, 0]]).T, 0.0)


def lay(canvas: torch.Tensor, patch: torch.Tensor, box: tuple[float, ...], views: Views, generator: torch.Generator | None = None) -> torch.Tensor:
    """The canvas [1, H, W, 3] (0..255) with the patch [3, h, w] (0..1) at `box` (left, top, right, bottom, canvas pixels), [N, H, W, 3].

    Pixels at the rim are mixed by how much of them the patch covers.
    """
    height, width = canvas.shape[1:3]
    dx, dy, scale, turn, gain, offset = (column[:, None, None] for column in views.columns)
    half_x, half_y = (box[2] - box[0]) / 2, (box[3] - box[1]) / 2
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    # Only the surroundings that some view may touch.
    reach = float(((scale.max() + 2 * max(dx.abs().max(), dy.abs().max())) * 1.42 if turn.any() else scale.max() + 2 * max(dx.abs().max(), dy.abs().max())) * max(half_x, half_y)) + 2
    x0, x1 = max(0, int(cx - reach)), min(width, int(cx + reach) + 1)
    y0, y1 = max(0, int(cy - reach)), min(height, int(cy + reach) + 1)
    y, x = torch.meshgrid(torch.arange(y0, y1) + 0.5, torch.arange(x0, x1) + 0.5, indexing="ij")
    x, y = x - cx - 2 * half_x * dx, y - cy - 2 * half_y * dy
    u = (x * turn.cos() + y * turn.sin()) / (half_x * scale)
    v = (y * turn.cos() - x * turn.sin()) / (half_y * scale)
    cover = ((1 - u.abs()) * half_x * scale + 0.5).clamp(0, 1) * ((1 - v.abs()) * half_y * scale + 0.5).clamp(0, 1)
    seen = F.grid_sample(patch.expand(len(u), -1, -1, -1), torch.stack([u, v], -1), padding_mode="border", align_corners=False).permute(0, 2, 3, 1)
    seen = seen * gain[..., None] + offset[..., None]
    if views.noise > 0:
        seen = seen + views.noise * torch.randn(seen.shape, generator=generator)
    out = canvas.expand(len(u), -1, -1, -1).clone()
    behind = canvas[:, y0:y1, x0:x1]
    out[:, y0:y1, x0:x1] = behind + cover[..., None] * (255 * seen.clamp(0, 1) - behind)
    return out
