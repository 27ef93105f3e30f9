"""Losses of one batch: disparity (coarse bins, mixture likelihood) and occupancy of sampled voxels per level."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .net import BINS, LEVELS, SIZE, OctreeStereoNet, level_centres, likelier, planes_of

CENTRES = [level_centres(level) for level in range(LEVELS)]
CLASS_WEIGHTS = torch.tensor([1.0, 1.0, 1.6])  # unknown, free, occupied: a missed obstacle is worse than a phantom
NEAR = (0, 500, 700, 1800)  # sampled voxels next to a surface, per level
ELSEWHERE = (0, 0, 200, 400)  # sampled voxels elsewhere
OUT_OF_VIEW = 3
MOST_PX = 195.0  # disparities beyond are this far


def label_pyramid(labels: Tensor) -> list[Tensor]:
    """Leaf labels int8 [65536] (0 unknown, 1 free, 2 occupied, 3 out of view) -> labels per level, coarse to fine.

    A parent is occupied if a child is, free if every child in view is, out of view if all are, else unknown.
    """
    leaf = labels.view(1, 1, *SIZE)
    occupied, seen = (leaf == 2).float(), (leaf != OUT_OF_VIEW).float()
    not_free = ((leaf == 0) | (leaf == 2)).float()
    out = [labels.long()]
    for _ in range(LEVELS - 1):
        occupied, seen, not_free = (F.max_pool3d(x, 2) for x in (occupied, seen, not_free))
        level = torch.full_like(occupied, OUT_OF_VIEW)
        level[seen > 0] = 0
        level[(seen > 0) & (not_free == 0)] = 1
        level[occupied > 0] = 2
        out.append(level.reshape(-1).long())
    return out[::-1]


def sample_voxels(labels: Tensor, level: int) -> tuple[Tensor, Tensor]:
    """Indices of voxels in view to train on, dense near surfaces, and the weight that undoes the sampling."""
    index = (labels != OUT_OF_VIEW).nonzero()[:, 0]
    weight = torch.ones(len(labels))
    if NEAR[level] == 0:
        return index, weight[index]
    shape = [n // 2 ** (LEVELS - 1 - level) for n in SIZE]
    near = F.max_pool3d((labels == 2).float().view(1, 1, *shape), 3, 1, 1).view(-1) > 0
    parts = []
    for chosen, count in ((index[near[index]], NEAR[level]), (index[~near[index]], ELSEWHERE[level] or NEAR[level])):
        if len(chosen) > count:
            weight[chosen] = min(len(chosen) / count, 15.0)
            chosen = chosen[torch.randperm(len(chosen))[:count]]
        parts.append(chosen)
    index = torch.cat(parts)
    return index, weight[index]


def disparity_losses(out: dict[str, Tensor], disparity: Tensor) -> dict[str, Tensor]:
    """disparity [B, H, W] px, 0 where the sky is. Random pixels of each cell stand for it: edges are bimodal."""
    logp = out["logits8"].log_softmax(1)
    bins = disparity.new_zeros(())
    for _ in range(2):
        dy, dx = torch.randint(1, 7, (2,)).tolist()
        t = (disparity[:, dy::8, dx::8] / 4).clamp(0, BINS - 1)
        low = t.floor().clamp(max=BINS - 2).long()
        part = t - low
        bins = bins - (logp.gather(1, low[:, None])[:, 0] * (1 - part) + logp.gather(1, low[:, None] + 1)[:, 0] * part).mean() / 2
    target8 = disparity[:, 3::8, 3::8]
    coarse = F.smooth_l1_loss(out["coarse8"][:, 0], target8, reduction="none", beta=1.0).clamp(max=20).mean()

    likelihood = disparity.new_zeros(())
    w = out["w"].clamp(0.01, 0.99)
    for _ in range(4):
        dy, dx = torch.randint(0, 4, (2,)).tolist()
        t = disparity[:, dy::4, dx::4][:, None]
        one, two = logistic(t, out["m1"], out["s1"]), logistic(t, out["m2"], out["s2"])
        likelihood = likelihood - torch.logaddexp(torch.log(w) + one, torch.log1p(-w) + two).mean() / 4
    return {"bins": bins, "coarse": coarse, "likelihood": likelihood}


def logistic(t: Tensor, m: Tensor, s: Tensor) -> Tensor:
    """Log density of a logistic distribution."""
    x = ((t - m) / s).abs()
    return -x - 2 * F.softplus(-x) - torch.log(s)


def occupancy_loss(net: OctreeStereoNet, rows: Tensor, calibration: Tensor, labels: Tensor, size: tuple[int, int], log: dict[str, float]) -> Tensor:
    """Cross-entropy + soft IoU of one pair over sampled voxels of every level; rows [h4 * w4, 13], labels int8 [65536]."""
    total = rows.new_zeros(())
    for level, target in enumerate(label_pyramid(labels)):
        index, weight = sample_voxels(target, level)
        if len(index) == 0:
            continue
        logits = net.heads[level](rows, CENTRES[level][index], calibration, *size)
        y = target[index]
        cross = (F.cross_entropy(logits, y, weight=CLASS_WEIGHTS, reduction="none") * weight).sum() / weight.sum()
        p, truth = logits.softmax(1)[:, 2], (y == 2).float()
        both, either = (weight * p * truth).sum(), (weight * (truth + p - p * truth)).sum()
        total = total + cross + (1 - (both + 1) / (either + 1)) * 0.7
        with torch.no_grad():
            hard = (p > 0.5).float()
            log[f"iou{level}"] = float((weight * hard * truth).sum() + 1e-3) / float((weight * (hard + truth - hard * truth)).sum() + 1e-3)
    return total


def batch_loss(net: OctreeStereoNet, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, float]]:
    """The loss of a batch of voxeltrain.train.batches, and its parts and measures for the log."""
    evidence, calibration, log = batch["evidence"], batch["calibration"], {}
    out = net.backbone(evidence, *planes_of(evidence), calibration)
    disparity = ((calibration[:, 0] * calibration[:, 4])[:, None, None] / batch["depth"]).clamp(0, MOST_PX)
    parts = disparity_losses(out, disparity)
    pairs: list[Tensor] = []
    for rows, c, labels in zip(out["rows"], calibration, batch["labels"]):
        one: dict[str, float] = {}
        pairs.append(occupancy_loss(net, rows, c, labels, evidence.shape[1:3], one))
        for k, v in one.items():
            log[k] = log.get(k, 0) + v / len(calibration)
    occupancy = torch.stack(pairs).mean()
    with torch.no_grad():
        off = (likelier(out)[0][:, 0] - disparity[:, 1::4, 1::4]).abs()
        log |= {k: float(v) for k, v in parts.items()} | {"occupancy": float(occupancy), "median_px": float(off.median()), "bad3": float((off > 3).float().mean())}
    return 0.4 * parts["bins"] + 0.1 * parts["coarse"] + 0.5 * parts["likelihood"] + 0.6 * occupancy, log
