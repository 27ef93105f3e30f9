"""Teaches the coarse heads to foretell what the leaves below them will answer: what pruning needs to know.

Labels tell a coarse head where something is; pruning asks where the leaf heads will say so, misses and phantoms included.
So the leaf heads, frozen, are the teacher: a voxel is occupied if a leaf of it in view is called occupied, free if all
are called free, else unknown. Images alone are needed, no labels (self-distillation).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor

from .evaluate import Answer, dense
from .losses import CENTRES, OUT_OF_VIEW, label_pyramid
from .net import LEVELS, OctreeStereoNet

STEPS, BATCH, RATE = 1500, 4096, 3e-3


def leaf_states(answer: Answer, threshold: float) -> Tensor:
    """What the leaf heads say, as labels [65536]: unknown, free, occupied (p > threshold), out of view."""
    occupied, free = dense(answer, threshold)
    states = torch.where(occupied[-1], 2, free.long())
    return torch.where(answer.labels[-1] == OUT_OF_VIEW, OUT_OF_VIEW, states)


@torch.no_grad()
def lessons(net: OctreeStereoNet, pairs: Iterable[Answer], threshold: float) -> list[tuple[Tensor, Tensor]]:
    """Per coarse level: features [N, 23] of all voxels in view, and the class that their leaves add up to [N]."""
    seen: list[list[tuple[Tensor, Tensor]]] = [[] for _ in range(LEVELS - 1)]
    for pair in pairs:
        targets = label_pyramid(leaf_states(pair, threshold))
        for level, parts in enumerate(seen):
            index = pair.voxels[level][0]
            parts.append((net.heads[level].features(pair.out["rows"][0], CENTRES[level][index], pair.calibration, *pair.size), targets[level][index]))
    return [(torch.cat([x for x, _ in parts]), torch.cat([y for _, y in parts])) for parts in seen]


def foretell(net: OctreeStereoNet, pairs: Iterable[Answer], threshold: float, steps: int = STEPS) -> list[dict[str, float]]:
    """Trains the coarse heads of `net` in place, from their weights; returns each level's cross-entropy before and after."""
    report = []
    for level, (features, target) in enumerate(lessons(net, pairs, threshold)):
        mlp = net.heads[level].mlp
        optimiser = torch.optim.Adam(mlp.parameters(), RATE)
        before = loss_of(mlp, features, target)
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / steps))
            pick = torch.randint(0, len(target), (BATCH,))
            loss = F.cross_entropy(mlp(features[pick]), target[pick])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        report.append({"level": level, "voxels": len(target), "before": before, "after": loss_of(mlp, features, target)})
    return report


@torch.no_grad()
def loss_of(mlp: torch.nn.Module, features: Tensor, target: Tensor) -> float:
    return float(F.cross_entropy(mlp(features), target))
