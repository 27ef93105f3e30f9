"""Losses on unlabelled rectified pairs: photometric, left-right consistency, smoothness, and a frozen teacher's answers.

A batch holds every pair twice, [pairs, mirrored pairs]: a mirrored pair is the flipped right image with the flipped left
one, again a rectified pair, whose disparity is the right view's, flipped. All maps are [2B, 1, h4, w4] over cells of 4x4 px,
disparities in px of the full image. Photometric cost and one-sided occlusion after UnFlow (Meister et al. 2018), the
left-right term after Godard et al. 2017.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .losses import CENTRES, OUT_OF_VIEW, logistic, sample_voxels
from .net import LEVELS, OctreeStereoNet, likelier

Out = dict[str, Tensor]
CENSUS = 2  # radius at half resolution: 10 px wide
TOLERANCE = (1.0, 0.03)  # px, and share of the disparity, that the two views may differ by
SURE = 0.6  # probability from which the teacher's class of a voxel is believed


def mirrored(left: np.ndarray, right: np.ndarray, calibration: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images [H, W], padded to full cells before, calibration fx, fy, cx, cy, baseline -> the mirrored pair and its own."""
    fx, fy, cx, cy, baseline = calibration
    flipped = np.array([fx, fy, left.shape[1] - 1 - cx, cy, baseline], np.float32)
    return right[:, ::-1], left[:, ::-1], flipped


def partner(values: Tensor) -> Tensor:
    """The map of each pair's other view, in that view's own left-right order."""
    return values.roll(len(values) // 2, 0).flip(-1)


def look_right(values: Tensor, disparity: Tensor) -> tuple[Tensor, Tensor]:
    """Values [B, C, h, w] of the right view at x - disparity [B, 1, h, w] (px of this grid), and where that is inside."""
    b, _, h, w = values.shape
    x = torch.arange(w)[None, None] - disparity[:, 0]
    y = torch.arange(h)[None, :, None].expand(b, h, w).to(x.dtype)
    grid = torch.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], -1)
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False), (x >= 0)[:, None]


def census(image: Tensor) -> Tensor:
    """Soft signs [B, K, h, w] of the differences to the neighbours of an image [B, 1, h, w], 0..255: blind to gain and offset."""
    side = 2 * CENSUS + 1
    padded = F.pad(image, (CENSUS,) * 4, mode="replicate")
    patches = F.unfold(padded, side).view(len(image), side * side, *image.shape[2:])
    difference = patches - image
    return difference / (difference.square() + 16).sqrt()


def photometric(left: Tensor, right: Tensor, disparity: Tensor) -> Tensor:
    """Cost 0..1 [B, 1, h4, w4] of the left image [B, 1, H, W] against the right one warped by the disparity, at 1/2 resolution."""
    half = F.interpolate(disparity, scale_factor=2, mode="bilinear", align_corners=False) / 2
    seen = F.avg_pool2d(left, 2)
    warped, _ = look_right(F.avg_pool2d(right, 2), half)
    distance = (census(seen) - census(warped)).square()
    return F.avg_pool2d((distance / (distance + 0.1)).mean(1, keepdim=True), 2)


def smoothness(disparity: Tensor, left: Tensor) -> Tensor:
    """Mean bend of the disparity, cells wide, less where the image [B, 1, H, W] has an edge: planes are free."""
    image, total = F.avg_pool2d(left, 4) / 255, disparity.new_zeros(())
    for axis in (2, 3):
        bend = disparity.diff(n=2, dim=axis).abs()
        edge = image.diff(dim=axis).abs()
        n = edge.shape[axis] - 1
        total = total + (bend.clamp(max=4) * torch.exp(-12 * torch.maximum(edge.narrow(axis, 0, n), edge.narrow(axis, 1, n)))).mean()
    return total


def agreement(disparity: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Difference to the other view's disparity at the matched place; where the two agree; where this view is not hidden from
    the other one (nothing there has a larger disparity)."""
    other, inside = look_right(partner(disparity), disparity / 4)
    tolerance = TOLERANCE[0] + TOLERANCE[1] * disparity
    difference = disparity - other
    return difference, inside & (difference.abs() < tolerance), inside & (difference > -tolerance)


def stereo_losses(out: Out, left: Tensor, right: Tensor, visible: Tensor) -> dict[str, Tensor]:
    """What the pairs themselves say; left, right [2B, 1, H, W], 0..255, clean. `visible` [2B, 1, h4, w4] comes from a frozen
    network: one that masks for itself learns to look where it is masked, beyond the border."""
    disparity, _ = likelier(out)
    difference, _, _ = agreement(disparity)
    apart = F.smooth_l1_loss(difference, torch.zeros_like(difference), reduction="none").clamp(max=3)
    mean = lambda x: (x * visible).sum() / visible.sum().clamp(min=1)  # noqa: E731
    return {
        "photometric": mean(photometric(left, right, disparity)), "consistency": mean(apart), "smoothness": smoothness(disparity, left),
    }


def trusted(teacher: Out) -> Tensor:
    """Cells where the teacher's views agree and its chosen component is narrow."""
    disparity, width = likelier(teacher)
    return agreement(disparity)[1] & (width < TOLERANCE[0] + TOLERANCE[1] * disparity)


def taught_disparity(out: Out, teacher: Out) -> Tensor:
    """Cross-entropy of the student's mixture, and of its coarse bins, with draws from the teacher's, over trusted cells. Draws,
    not means: the widths and weights that the heads read must stay as wide as the doubt is."""
    trust = trusted(teacher).float()
    u = torch.rand_like(teacher["m1"]).clamp(1e-3, 1 - 1e-3)
    first = torch.rand_like(u) < teacher["w"]
    t = torch.where(first, teacher["m1"], teacher["m2"]) + torch.where(first, teacher["s1"], teacher["s2"]) * torch.logit(u)
    w = out["w"].clamp(0.01, 0.99)
    density = torch.logaddexp(torch.log(w) + logistic(t, out["m1"], out["s1"]), torch.log1p(-w) + logistic(t, out["m2"], out["s2"]))
    trust8 = F.avg_pool2d(trust, 2)
    bins = (teacher["logits8"].softmax(1) * out["logits8"].log_softmax(1)).sum(1, keepdim=True)
    return -(density * trust).sum() / trust.sum().clamp(min=1) - (bins * trust8).sum() / trust8.sum().clamp(min=1)


def taught_occupancy(net: OctreeStereoNet, rows: Tensor, teacher_net: OctreeStereoNet, teacher_rows: Tensor, calibration: Tensor, size: tuple[int, int]) -> Tensor:
    """Cross-entropy with the teacher's probabilities of voxels that it is sure of, all levels; rows [h4 * w4, 13] of one pair,
    sampled near the surfaces that the teacher sees."""
    h4, w4 = size
    total = rows.new_zeros(())
    for level in range(LEVELS):
        centres = CENTRES[level]
        with torch.no_grad():
            u = calibration[0] * centres[:, 0] / centres[:, 2] + calibration[2]
            v = calibration[1] * centres[:, 1] / centres[:, 2] + calibration[3]
            seen = ((u >= 0) & (u < 4 * w4) & (v >= 0) & (v < 4 * h4)).nonzero()[:, 0]
            p = torch.zeros(len(centres), 3)
            p[seen] = teacher_net.heads[level](teacher_rows, centres[seen], calibration, h4, w4).softmax(1)
            labels = torch.full((len(centres),), OUT_OF_VIEW)
            labels[seen] = torch.where(p[seen].amax(1) > SURE, p[seen].argmax(1), OUT_OF_VIEW)
            index, weight = sample_voxels(labels, level)
        if len(index) == 0:
            continue
        logits = net.heads[level](rows, centres[index], calibration, h4, w4)
        total = total - ((p[index] * logits.log_softmax(1)).sum(1) * weight).sum() / weight.sum()
    return total
