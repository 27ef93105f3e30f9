"""Multiply-adds: of the dense graph, and of what a sparse implementation of the octree variant would do."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baseline.sparse import SparseGrow, SparseStereoVoxelNet, reached


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
