"""Makes the probabilities honest and chooses the pruning thresholds, on rendered pairs that nothing was trained on.

    python -m voxeltrain.calibrate RUN/checkpoint.pt --shards VALIDATION --out calibrated.pt

Each head's logits are divided by a temperature and shifted by one number a class (vector scaling, Guo et al. 2017, with a
single temperature), fitted to the labels of the voxels that decoding would ask it about; both are folded into the head's
last layer, so that they cost nothing. Then each level's threshold is the largest that loses a third of --loss of the
occupied leaves of the dense answer. The averaged weights and the thresholds (key `keep`) go to --out; a JSON report, with
the leaves' IoU at several occupancy thresholds, to the standard output.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .evaluate import answers, load_network
from .losses import CENTRES
from .net import LEVELS, NEAR, SIZE, VoxelHead
from .octree import OCCUPIED_FROM, flat_index

BINS = 15
ASKED = 0.03  # parents above this are divided while temperatures are fitted: about what the thresholds come to


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


def ancestor(index: Tensor, level: int, coarser: int) -> Tensor:
    """Flat index, in the grid of a coarser level, of the voxel that holds each voxel of a level."""
    _, ny, nz = (n // 2 ** (LEVELS - 1 - level) for n in SIZE)
    xyz = torch.stack([index // (ny * nz), index // nz % ny, index % nz], 1)
    return flat_index(xyz // 2 ** (level - coarser), coarser)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoint", type=Path)
    p.add_argument("--shards", type=Path, required=True)
    p.add_argument("--pairs", type=int, default=200)
    p.add_argument("--threshold", type=float, default=OCCUPIED_FROM, help="a leaf is occupied from this probability on")
    p.add_argument("--loss", type=float, default=0.004, help="share of the occupied leaves that pruning may lose")
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    net = load_network(a.checkpoint)
    pairs = answers(net, a.shards, a.pairs, seed=1)
    # indices, logits and labels of each level
    seen = [[(i, x, target[i]) for (i, x), target in zip(pair.voxels, pair.labels)] for pair in pairs]
    report: dict[str, object] = {"pairs": len(seen), "heads": []}
    grids: list[list[Tensor]] = []  # calibrated p_occupied of the dense grid, per level and pair
    for level in range(LEVELS):
        asked = [pair[level][0] >= 0 for pair in seen]
        if level:
            asked = [grids[-1][k][ancestor(pair[level][0], level, level - 1)] > ASKED for k, pair in enumerate(seen)]
        grids.append([torch.zeros(len(CENTRES[level])) for _ in seen])
        heads = net.voxel_heads()[level:] if level == LEVELS - 1 else [net.voxel_heads()[level]]
        for head, near in zip(heads, (False, True)):
            mine = [pair[level][0] >= 0 if len(heads) == 1 else is_near(pair[level][0]) == near for pair in seen]
            logits, labels = (torch.cat([pair[level][part][m & q] for pair, m, q in zip(seen, mine, asked)]) for part in (1, 2))
            temperature, shift = fit(logits, labels)
            before, after = (calibration_error(x.softmax(1)[:, 2], labels == 2) for x in (logits, logits / temperature + shift))
            fold(head, temperature, shift)
            report["heads"].append({"level": level, "near": near, "temperature": temperature, "shift": shift.tolist(), "ece_before": before, "ece": after})
            for grid, pair, m in zip(grids[level], seen, mine):
                grid[pair[level][0][m]] = (pair[level][1][m] / temperature + shift).softmax(1)[:, 2]

    occupied = [(grid > a.threshold).nonzero()[:, 0] for grid in grids[-1]]
    parents = [torch.cat([grid[ancestor(leaf, LEVELS - 1, level)] for grid, leaf in zip(grids[level], occupied)]) for level in range(LEVELS - 1)]
    keep = [float(np.quantile(p.numpy(), a.loss / (LEVELS - 1))) for p in parents]
    report["keep"] = keep
    p_leaf, truth = (torch.cat(x) for x in ([grid[pair[-1][0]] for grid, pair in zip(grids[-1], seen)], [pair[-1][2] == 2 for pair in seen]))
    report["leaf_iou"] = {f"{t:.2f}": float(((p_leaf > t) & truth).sum() / ((p_leaf > t) | truth).sum()) for t in np.arange(0.2, 0.61, 0.05)}
    saved = torch.load(a.checkpoint, weights_only=True)
    torch.save({"ema": net.state_dict(), "keep": keep, "state": saved["state"], "args": saved["args"]}, a.out)
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
