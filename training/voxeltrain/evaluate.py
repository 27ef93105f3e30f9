"""Scores a network on rendered shards (scores.py), and what pruning keeps of its answers."""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .augment import augment_pair, grey
from .hidden import DisparityScores
from .losses import CENTRES, MOST_PX, OUT_OF_VIEW, label_pyramid
from .matcher import Matcher
from .net import LEVELS, OctreeStereoNet, planes_of
from .octree import OCCUPIED_FROM, OctreeGraph, flat_index
from .rounding import rounded
from .scores import Scores


def load_network(checkpoint: Path) -> OctreeStereoNet:
    """The averaged weights of a checkpoint, ready to run."""
    net = OctreeStereoNet()
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["ema"])
    return net.eval()


def load_keep(checkpoint: Path) -> tuple[float, float, float]:
    """Pruning thresholds of a checkpoint, coarse to fine: those of voxeltrain.calibrate, else careful ones."""
    return tuple(torch.load(checkpoint, weights_only=True).get("keep", (0.03, 0.04, 0.06)))


def load_ranges(checkpoint: Path) -> dict[str, tuple[float, float]] | None:
    """The ranges of a checkpoint that was trained with the rounding of the 8-bit graph (rounding.py)."""
    return torch.load(checkpoint, weights_only=True).get("ranges")


def as_shipped(net: OctreeStereoNet, checkpoint: Path) -> OctreeStereoNet:
    """The network with the rounding that its checkpoint was trained with, if any; shares all weights."""
    ranges = load_ranges(checkpoint)
    return rounded(net, ranges).eval() if ranges else net


class Answer(NamedTuple):
    """What the network says of one pair of a shard."""

    row: dict[str, np.ndarray]
    out: dict[str, Tensor]  # of the backbone
    size: tuple[int, int]  # cells of 4x4 px: rows, columns
    labels: list[Tensor]  # `label_pyramid`
    voxels: list[tuple[Tensor, Tensor]]  # per level: indices [N] of the voxels in view, logits [N, 3]

    @property
    def calibration(self) -> Tensor:
        return torch.from_numpy(self.row["calibration"])


@torch.no_grad()
def answers(net: OctreeStereoNet, folder: Path, limit: float = math.inf, seed: int | None = 0) -> Iterator[Answer]:
    """Every voxel in view of the first `limit` pairs of a folder of shards. Pair k is augmented with `seed` + k, not at all
    where that is None."""
    net, matcher, done = net.eval(), Matcher(), 0
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as z:
            shard = {k: z[k] for k in ("left", "right", "depth", "labels", "calibration")}
        for values in zip(*shard.values()):
            if done >= limit:
                return
            row = dict(zip(shard, values))
            left, right = grey(row["left"]), grey(row["right"])
            if seed is not None:
                left, right = augment_pair(left, right, np.random.default_rng(seed + done))
            evidence = torch.from_numpy(matcher.run(left, right).copy())[None]
            calibration = torch.from_numpy(row["calibration"])
            out, size = net.backbone(evidence, *planes_of(evidence), calibration[None]), tuple(evidence.shape[1:3])
            labels = label_pyramid(torch.from_numpy(row["labels"]))
            seen = [(target != OUT_OF_VIEW).nonzero()[:, 0] for target in labels]
            voxels = [(i, head(out["rows"][0], CENTRES[level][i], calibration, *size)) for level, (head, i) in enumerate(zip(net.heads, seen))]
            yield Answer(row, out, size, labels, voxels)
            done += 1


def dense(answer: Answer, threshold: float) -> tuple[list[Tensor], Tensor]:
    """Which voxels are occupied (p > threshold), boolean grid per level, and which leaves are free: the rest, where free is
    likelier than unknown. Out of view: neither."""
    grids = []
    for (index, logits), target in zip(answer.voxels, answer.labels):
        p = torch.zeros(len(target), 3)
        p[index] = logits.softmax(1)
        grids.append(p)
    occupied = [p[:, 2] > threshold for p in grids]
    return occupied, ~occupied[-1] & (grids[-1][:, 1] > grids[-1][:, 0])


def true_disparity(row: dict[str, np.ndarray]) -> np.ndarray:
    """Of a row of a shard [H, W], px, as the network can answer."""
    fx, _, _, _, baseline = row["calibration"]
    return np.clip(fx * baseline / row["depth"].astype(np.float32), 0, MOST_PX)


@torch.no_grad()
def evaluate_shards(
    net: OctreeStereoNet, folder: Path, limit: int = 200, keep: tuple[float, float, float] | None = None, threshold: float = 0.5, seed: int | None = 0
) -> dict[str, float]:
    """Scores (scores.py) of the dense answers, occupied at p > threshold, over the first `limit` pairs of a folder of shards, and
    how often the disparity is wrong (hidden.py). With `keep`: share of the occupied leaves of the dense answer that pruning
    keeps, and share of leaves in view that are evaluated. seed: as for `answers`."""
    scores, disparities = Scores(), DisparityScores()
    kept = dense_occupied = evaluated = in_view = 0
    for answer in answers(net, folder, limit, seed):
        occupied, free = dense(answer, threshold)
        scores.add(answer.labels, occupied, free)
        disparities.add(answer.out, true_disparity(answer.row))
        if keep is None:
            continue
        height, width = answer.row["left"].shape[:2]
        index = OctreeGraph(net, keep).decode(answer.out["rows"][0], answer.calibration, torch.tensor([float(width), float(height)]), *answer.size)[-2]
        visited = torch.zeros_like(free)
        visited[flat_index(index, LEVELS - 1)] = True
        evaluated += len(index)
        in_view += len(answer.voxels[-1][0])
        dense_occupied += int(occupied[-1].sum())
        kept += int((visited & occupied[-1]).sum())
    means = scores.means() | disparities.means()
    if keep is None:
        return means
    return means | {"pruning_recall": kept / max(1, dense_occupied), "leaves_evaluated": evaluated / max(1, in_view)}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--shards", type=Path, required=True)
    p.add_argument("--pairs", type=int, default=200)
    p.add_argument("--keep", type=float, nargs=3, help="pruning thresholds other than the checkpoint's")
    p.add_argument("--threshold", type=float, default=OCCUPIED_FROM, help="a voxel is occupied from this probability on")
    p.add_argument("--clean", action="store_true", help="the pictures as they were rendered, without the distortions of cameras")
    a = p.parse_args()
    keep = tuple(a.keep) if a.keep else load_keep(a.checkpoint)
    print(json.dumps(evaluate_shards(as_shipped(load_network(a.checkpoint), a.checkpoint), a.shards, a.pairs, keep, a.threshold, None if a.clean else 0), indent=1))


if __name__ == "__main__":
    main()
