"""Makes the probabilities honest and pruning cheap, on rendered pairs that nothing was trained on.

    python -m voxeltrain.calibrate RUN/checkpoint.pt --train TRAIN --shards VALIDATION --out calibrated.pt

First the leaf heads: their logits are divided by a temperature and shifted by one number a class (vector scaling, Guo et
al. 2017, with a single temperature), fitted to the labels of the voxels that decoding would ask about; both are folded into
the head's last layer, so that they cost nothing. Then the coarse heads learn what the leaves will answer (foretell.py).
Last the pruning thresholds: those that evaluate the fewest leaves while they lose --loss of the occupied leaves of the dense
answer. The averaged weights and the thresholds (key `keep`) go to --out; a JSON report, with the leaves' IoU at several
occupancy thresholds, to the standard output.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .evaluate import Answer, answers, as_shipped, load_network
from .foretell import foretell
from .net import LEVELS, NEAR, SIZE, OctreeStereoNet, VoxelHead
from .octree import OCCUPIED_FROM, flat_index

BINS = 15
ASKED = 0.03  # parents above this are divided while temperatures are fitted: about what the thresholds come to
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.0)  # of the allowed loss, tried for each level


def is_near(index: Tensor) -> Tensor:
    """Leaves of the near layers; index counts z fastest."""
    return index % SIZE[2] < NEAR


def fit(logits: Tensor, labels: Tensor) -> tuple[float, Tensor]:
    """Temperature and shift [3] that make `logits / temperature + shift` most likely."""
    log_t, shift = torch.zeros((), requires_grad=True), torch.zeros(3, requires_grad=True)
    optimiser = torch.optim.LBFGS([log_t, shift], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(logits * torch.exp(-log_t) + shift, labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    shift = shift.detach()
    return float(log_t.detach().exp()), shift - shift.mean()


def calibration_error(p: Tensor, truth: Tensor) -> float:
    """Expected calibration error of p [N] against truth bool [N], equal-width bins (Guo et al. 2017)."""
    cell = (p * BINS).long().clamp(max=BINS - 1)
    count = torch.bincount(cell, minlength=BINS).clamp(min=1)
    gap = torch.bincount(cell, p - truth.float(), minlength=BINS) / count
    return float((gap.abs() * count).sum() / len(p))


@torch.no_grad()
def fold(head: VoxelHead, temperature: float, shift: Tensor) -> None:
    last = head.mlp[4]
    last.weight.div_(temperature)
    last.bias.div_(temperature).add_(shift)


def ancestor(index: Tensor, coarser: int) -> Tensor:
    """Flat index, in the grid of a coarser level, of the voxel that holds each leaf."""
    _, ny, nz = SIZE
    xyz = torch.stack([index // (ny * nz), index // nz % ny, index % nz], 1)
    return flat_index(xyz // 2 ** (LEVELS - 1 - coarser), coarser)


def calibrate_leaves(net: OctreeStereoNet, pairs: list[Answer], near: bool) -> dict[str, object]:
    """Fits and folds the temperature and shift of one of the two leaf heads."""
    logits, labels = [], []
    for pair in pairs:
        (parents, parent_logits), (index, x) = pair.voxels[-2:]
        p = torch.zeros(len(pair.labels[-2]))
        p[parents] = parent_logits.softmax(1)[:, 2]
        mine = (is_near(index) == near) & (p[ancestor(index, LEVELS - 2)] > ASKED)
        logits.append(x[mine])
        labels.append(pair.labels[-1][index[mine]])
    x, y = torch.cat(logits), torch.cat(labels)
    temperature, shift = fit(x, y)
    before, after = (calibration_error(z.softmax(1)[:, 2], y == 2) for z in (x, x / temperature + shift))
    fold(net.heads[-1].near if near else net.heads[-1].far, temperature, shift)
    return {"near": near, "temperature": temperature, "shift": shift.tolist(), "ece_before": before, "ece": after}


def leaves(pairs: list[Answer]) -> tuple[Tensor, Tensor]:
    """p_occupied of every leaf in view and, before it, of its ancestors [N, LEVELS], coarse to fine; and the labels [N]."""
    p, labels = [], []
    for pair in pairs:
        index, columns = pair.voxels[-1][0], []
        for level, (at, logits) in enumerate(pair.voxels):
            grid = torch.zeros(len(pair.labels[level]))
            grid[at] = logits.softmax(1)[:, 2]
            columns.append(grid[ancestor(index, level)])
        p.append(torch.stack(columns, 1))
        labels.append(pair.labels[-1][index])
    return torch.cat(p), torch.cat(labels)


def choose_keep(p: np.ndarray, needed: np.ndarray, loss: float) -> list[float]:
    """Thresholds per coarse level that evaluate the fewest of the leaves with ancestors p [N, LEVELS - 1], while they lose at
    most the share `loss` of the `needed` ones."""
    cuts = np.quantile(p[needed], np.multiply(SHARES, loss), axis=0) - 1e-6  # kept: p above the threshold
    fewest, best = np.inf, cuts[0]
    for pick in itertools.product(range(len(SHARES)), repeat=p.shape[1]):
        keep = cuts[pick, range(p.shape[1])]
        kept = (p > keep).all(1)
        if kept[needed].mean() >= 1 - loss and kept.mean() < fewest:
            fewest, best = kept.mean(), keep
    return [float(k) for k in best]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--train", type=Path, required=True, help="shards whose images the coarse heads learn from")
    p.add_argument("--train-pairs", type=int, default=300)
    p.add_argument("--shards", type=Path, required=True, help="validation shards")
    p.add_argument("--pairs", type=int, default=200)
    p.add_argument("--threshold", type=float, default=OCCUPIED_FROM, help="a leaf is occupied from this probability on")
    p.add_argument("--loss", type=float, default=0.004, help="share of the occupied leaves that pruning may lose")
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = load_network(a.checkpoint)
    shipped = as_shipped(net, a.checkpoint)
    pairs = list(answers(shipped, a.shards, a.pairs, seed=1))
    report: dict[str, object] = {"pairs": len(pairs), "leaves": [calibrate_leaves(net, pairs, near) for near in (False, True)]}
    report["foretell"] = foretell(net, answers(shipped, a.train, a.train_pairs, seed=2), a.threshold)
    every, labels = leaves(list(answers(shipped, a.shards, a.pairs, seed=1)))
    p_leaf, truth = every[:, -1], labels == 2
    report["keep"] = keep = choose_keep(every[:, :-1].numpy(), (p_leaf > a.threshold).numpy(), a.loss)
    report["leaf_iou"] = {f"{t:.2f}": float(((p_leaf > t) & truth).sum() / ((p_leaf > t) | truth).sum()) for t in np.arange(0.2, 0.61, 0.05)}
    saved = torch.load(a.checkpoint, weights_only=True)
    torch.save(saved | {"ema": net.state_dict(), "keep": keep}, a.out)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
