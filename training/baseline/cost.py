"""Multiply-adds: of the dense graph, and of what a sparse implementation of the octree variant would do.

    python -m baseline.cost --shards TEST

Of one rendered pair, on average: what decoding costs where just the parents are kept that truly are occupied, and where all are.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baseline.data import read_shard, stack
from baseline.sparse import SparseGrow, SparseStereoVoxelNet, make_net, reached
from baseline.targets import targets, whole_grid


def count_macs(net: nn.Module, *inputs: Tensor) -> int:
    """Multiply-accumulates of all convolutions and linear layers in one forward pass, counted by hooks."""
    macs = 0

    def add(layer: nn.Module, args: tuple[Tensor], output: Tensor) -> None:
        nonlocal macs
        # A weight meets every position once: of the output, or of the input where the layer scatters.
        scatters = isinstance(layer, nn.ConvTranspose3d)
        places = args[0] if scatters else output
        positions = places.numel() // places.shape[1]
        macs += positions * layer.weight.numel()

    layers = [m for m in net.modules() if isinstance(m, nn.Conv2d | nn.Conv3d | nn.ConvTranspose3d | nn.Linear)]
    hooks = [layer.register_forward_hook(add) for layer in layers]
    try:
        with torch.no_grad():
            net(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return macs


def sparse_decoder_macs(net: SparseStereoVoxelNet, kept: Sequence[Tensor]) -> int:
    """Multiply-adds of levels 1 to 3 over rulebooks, as spconv does them: one per pair of active sites and weight.

    kept: boolean grids [B, 1, n, n, n] of levels 0, 1, 2, whose sites are decoded further. All true: the dense cost.
    """
    macs = 0
    for stage, sites in zip((*net.levels[1:], net.finest), kept, strict=True):
        up = stage.up if isinstance(stage, SparseGrow) else stage
        macs += taps(sites, up) * up.in_channels * up.out_channels
        if isinstance(stage, SparseGrow):
            support, same = reached(sites, up), stage.same
            near = F.conv3d(support.float(), torch.ones(1, 1, *same.kernel_size), padding=1)
            macs += int(near[support].sum(dtype=torch.float64)) * same.in_channels * same.out_channels
            macs += int(support.sum()) * same.out_channels  # its head
    return macs


def taps(sites: Tensor, up: nn.ConvTranspose3d) -> int:
    """Pairs of an active input site and an output site that it reaches inside the grid."""
    ones = torch.ones(1, 1, *up.kernel_size)
    hits = F.conv_transpose3d(sites.float(), ones, stride=up.stride, padding=up.padding)
    return int(hits.sum(dtype=torch.float64))


def decoding_of(shards: Path) -> dict[str, float]:
    """The module's figures of all pairs in a folder, and the whole network's."""
    rows = [row for file in sorted(shards.glob("*.npz")) for row in read_shard(file)]
    left, right, _, _ = stack(rows[:1], [0])
    net = make_net(True, *left.shape[2:]).eval()
    sparse = 0
    for row in rows:
        occupied, _ = targets(torch.from_numpy(row["labels"])[None])
        kept = [whole_grid(level).unsqueeze(1) for level in occupied[:3]]
        sparse += sparse_decoder_macs(net, kept)
    dense = sparse_decoder_macs(net, [torch.ones_like(each) for each in kept])
    of_decoder = {"decoder_sparse": sparse / len(rows), "decoder_dense": float(dense)}
    return {"pairs": len(rows), **of_decoder, "network": float(count_macs(net, left, right))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shards", type=Path, required=True)
    print(json.dumps(decoding_of(parser.parse_args().shards.expanduser())))


if __name__ == "__main__":
    main()
