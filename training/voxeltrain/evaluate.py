"""Scores a network on rendered shards: occupied IoU per level, recall under pruning, calibration of the probabilities."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from .augment import augment_pair, grey
from .losses import CENTRES, OUT_OF_VIEW, label_pyramid
from .matcher import Matcher
from .net import LEVELS, OctreeStereoNet, planes_of
from .octree import OCCUPIED_FROM, OctreeGraph, flat_index


def load_network(checkpoint: Path) -> OctreeStereoNet:
    """The averaged weights of a checkpoint, ready to run."""
    net = OctreeStereoNet()
    net.load_state_dict(torch.load(checkpoint, weights_only=True)["ema"])
    return net.eval()


def load_keep(checkpoint: Path) -> tuple[float, float, float]:
    """Pruning thresholds of a checkpoint, coarse to fine: those of voxeltrain.calibrate, else careful ones."""
    return tuple(torch.load(checkpoint, weights_only=True).get("keep", (0.03, 0.04, 0.06)))


@torch.no_grad()
def evaluate_shards(net: OctreeStereoNet, folder: Path, limit: int = 200, keep: tuple[float, float, float] | None = None, threshold: float = 0.5) -> dict[str, float]:
    """Mean scores over the first `limit` pairs of a folder of shards, with a fixed augmentation per pair.

    iou0..iou3 are over all pairs together, at p > threshold, dense. With `keep`: share of the occupied leaves of the dense
    answer that pruning keeps, and share of leaves in view that are evaluated.
    """
    net = net.eval()
    matcher = Matcher()
    both, either = np.zeros(LEVELS), np.zeros(LEVELS)
    kept = dense_occupied = evaluated = in_view = done = 0
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as z:
            shard = {k: z[k] for k in ("left", "right", "labels", "calibration")}
        for i in range(len(shard["left"])):
            if done >= limit:
                break
            left, right = augment_pair(grey(shard["left"][i]), grey(shard["right"][i]), np.random.default_rng(done))
            evidence = torch.from_numpy(matcher.run(left, right).copy())[None]
            calibration = torch.from_numpy(shard["calibration"][i])
            rows = net.backbone(evidence, *planes_of(evidence), calibration[None])["rows"][0]
            h4, w4 = evidence.shape[1:3]
            labels = label_pyramid(torch.from_numpy(shard["labels"][i]))
            leaf_p = torch.zeros(len(labels[-1]))
            for level in range(LEVELS):
                index = (labels[level] != OUT_OF_VIEW).nonzero()[:, 0]
                p = net.heads[level](rows, CENTRES[level][index], calibration, h4, w4).softmax(1)[:, 2]
                truth = labels[level][index] == 2
                both[level] += float(((p > threshold) & truth).sum())
                either[level] += float(((p > threshold) | truth).sum())
                if level == LEVELS - 1:
                    leaf_p[index] = p
                    in_view += len(index)
            if keep is not None:
                view = torch.tensor([float(left.shape[1]), float(left.shape[0])])
                out = OctreeGraph(net, keep).decode(rows, calibration, view, h4, w4)
                visited = torch.zeros(len(leaf_p), dtype=torch.bool)
                visited[flat_index(out[-2], LEVELS - 1)] = True
                evaluated += len(out[-2])
                dense_occupied += int((leaf_p > threshold).sum())
                kept += int((visited & (leaf_p > threshold)).sum())
            done += 1
        if done >= limit:
            break
    scores = {f"iou{level}": float(both[level] / max(1, either[level])) for level in range(LEVELS)} | {"pairs": done}
    if keep is not None:
        scores |= {"pruning_recall": kept / max(1, dense_occupied), "leaves_evaluated": evaluated / max(1, in_view)}
    return scores


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--shards", type=Path, required=True)
    p.add_argument("--pairs", type=int, default=200)
    p.add_argument("--keep", type=float, nargs=3, help="pruning thresholds other than the checkpoint's")
    p.add_argument("--threshold", type=float, default=OCCUPIED_FROM, help="a voxel is occupied from this probability on")
    a = p.parse_args()
    keep = tuple(a.keep) if a.keep else load_keep(a.checkpoint)
    print(json.dumps(evaluate_shards(load_network(a.checkpoint), a.shards, a.pairs, keep, a.threshold), indent=1))


if __name__ == "__main__":
    main()
