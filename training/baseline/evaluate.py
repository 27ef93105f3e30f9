"""Scores the baseline on rendered shards, by the definitions of `voxeltrain.scores`, from `training/`.

    python -m baseline.evaluate RUN/checkpoint.pt --shards TEST [--pairs 200]

Pair k is distorted with seed k, as `voxeltrain.evaluate` does. The baseline has two states: what is not occupied
(p <= 0.5) is free. The sparse variant also tells the multiply-adds that a sparse decoder would do, of one pair on
average (levels 1 to 3), those of the same decoder unpruned, and of the whole network unpruned.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from baseline.cost import count_macs, sparse_decoder_macs
from baseline.data import read_shard, stack
from baseline.net import StereoVoxelNet
from baseline.sparse import PRUNE_AT, SparseStereoVoxelNet, make_net
from baseline.targets import targets, trained_rows, whole_grid
from voxeltrain.losses import label_pyramid
from voxeltrain.scores import Scores

OCCUPIED_ABOVE = 0.5


def load_network(checkpoint: Path) -> StereoVoxelNet:
    """The averaged weights of a checkpoint, ready to run."""
    saved = torch.load(checkpoint, weights_only=True)
    net = make_net(saved["sparse"], *saved["size"])
    net.load_state_dict(saved["mean"])
    return net.eval()


def rows_of(folder: Path) -> Iterator[dict[str, np.ndarray]]:
    for file in sorted(folder.glob("*.npz")):
        yield from read_shard(file)


def occupancies_of(net: StereoVoxelNet, latent: Tensor, seen: list[Tensor]) -> tuple[tuple[Tensor, ...], list[Tensor]]:
    """Occupancies of the levels, and the parents kept by the sparse variant (those above the threshold and in view)."""
    if not isinstance(net, SparseStereoVoxelNet):
        return net.decode(latent), []
    return net.decode_kept(latent, lambda level, p: (p >= PRUNE_AT) & whole_grid(seen[level]))


@torch.no_grad()
def evaluate_shards(net: StereoVoxelNet, folder: Path, limit: int = 200) -> dict[str, float]:
    """Scores over the first `limit` pairs of a folder of shards."""
    net = net.eval()
    scores = Scores()
    sparse_macs = 0
    for seed, row in enumerate(islice(rows_of(folder), limit)):
        left, right, planes, labels = stack([row], [seed])
        seen = targets(labels)[1]
        occupancies, kept = occupancies_of(net, net.encode(left, right, planes), seen)
        occupied = [trained_rows(p).flatten() > OCCUPIED_ABOVE for p in occupancies]
        scores.add(label_pyramid(labels[0]), occupied, ~occupied[-1])
        if kept:
            sparse_macs += sparse_decoder_macs(net, kept)
    if not isinstance(net, SparseStereoVoxelNet):
        return scores.means()
    dense = sparse_decoder_macs(net, [torch.ones_like(k) for k in kept])
    macs = {"octree_macs": sparse_macs / scores.pairs, "octree_macs_dense": float(dense)}
    return scores.means() | macs | {"network_macs_dense": float(count_macs(net, left, right))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--shards", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=200)
    a = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(evaluate_shards(load_network(a.checkpoint.expanduser()), a.shards.expanduser(), a.pairs), indent=1))


if __name__ == "__main__":
    main()
