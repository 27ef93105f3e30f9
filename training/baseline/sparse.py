"""The octree-sparse variant (`Voxel2D_sparse`, "Sparse-Pred"), with dense operations that give the sparse answers.

Source: `research/stereovoxelnet.md` section 1. From level 1 on only what is reached from kept parents exists: the rest
is exactly 0, which is free, and stays out of the batch statistics. A transposed convolution (kernel 6, stride 2) reaches
six places a side per parent; the submanifold convolution after it keeps the set of sites.

Departures: what is out of the camera's view is never kept (the caller's mask says so), and where nothing is kept nothing
is decoded, while the original then decodes everything.
"""

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from baseline.net import DRIVING_STEREO_FX_BASELINE_PX_M, IMAGE_HEIGHT, IMAGE_WIDTH, StereoVoxelNet, voxel_planes

PRUNE_AT = 0.5

Keep = Callable[[int, Tensor], Tensor]
"""Level 0 .. 2 and its occupancies [B, n, n, n] -> boolean grid of the parents to decode further."""


def reached(sites: Tensor, up: nn.ConvTranspose3d) -> Tensor:
    """Boolean [B, 1, 2n, 2n, 2n]: places that a transposed convolution writes to from active `sites` [B, 1, n, n, n]."""
    ones = torch.ones(1, 1, *up.kernel_size)
    return F.conv_transpose3d(sites.float(), ones, stride=up.stride, padding=up.padding) > 0.5


class SparseGrow(nn.Module):
    """Doubles a grid: sparse transposed convolution, then a submanifold one, each with batch norm and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose3d(inputs, outputs, 6, 2, 2, bias=False)
        self.same = nn.Conv3d(outputs, outputs, 3, padding=1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm1d(outputs), nn.BatchNorm1d(outputs)])

    def forward(self, grid: Tensor, support: Tensor) -> Tensor:
        """grid [B, C, n, n, n], 0 where pruned; support as `reached` gives it."""
        for conv, norm in zip((self.up, self.same), self.norms, strict=True):
            grid = norm_sites(conv(grid), support[:, 0], norm)
        return grid


def norm_sites(grid: Tensor, support: Tensor, norm: nn.BatchNorm1d) -> Tensor:
    """Batch norm and ReLU over the sites of `support` [B, n, n, n]; 0 elsewhere."""
    rows = grid.movedim(1, -1)
    sites = rows[support]
    if len(sites) == 0:
        return torch.zeros_like(grid)
    out = torch.zeros_like(rows)
    out[support] = norm(sites).relu()
    return out.movedim(-1, 1)


class SparseStereoVoxelNet(StereoVoxelNet):
    """`StereoVoxelNet` up to level 0; levels 1 to 3 are decoded from kept parents only."""

    def __init__(self, planes: Sequence[int], height: int = IMAGE_HEIGHT, width: int = IMAGE_WIDTH) -> None:
        super().__init__(planes, height, width)
        self.levels = nn.ModuleList([self.levels[0], SparseGrow(32, 16), SparseGrow(16, 8)])
        for stage in self.levels[1:]:
            nn.init.kaiming_normal_(stage.same.weight, mode="fan_out", nonlinearity="relu")

    def decode(self, latent: Tensor, keep: Keep = lambda _, p: p >= PRUNE_AT) -> tuple[Tensor, ...]:
        return self.decode_kept(latent, keep)[0]

    def decode_kept(self, latent: Tensor, keep: Keep) -> tuple[tuple[Tensor, ...], list[Tensor]]:
        """Occupancies of the four levels, and the kept sites [B, 1, n, n, n] of the first three."""
        grid = self.levels[0](self.seed(latent[:, :, None, None, None]))
        occupancies = [self.heads[0](grid).sigmoid()]
        support = torch.ones_like(occupancies[0], dtype=torch.bool)
        kept = []
        for level, stage in enumerate((*self.levels[1:], self.finest)):
            kept.append(keep(level, occupancies[-1].squeeze(1)).unsqueeze(1) & support)
            grid = grid * kept[-1]
            support = reached(kept[-1], stage.up if isinstance(stage, SparseGrow) else stage)
            if isinstance(stage, SparseGrow):
                grid = stage(grid, support)
                occupancies.append(self.heads[level + 1](grid).sigmoid() * support)
            else:
                occupancies.append(stage(grid).sigmoid() * support)
        return tuple(p.squeeze(1) for p in occupancies), kept


def make_net(sparse: bool, height: int, width: int) -> StereoVoxelNet:
    """The network to train at an image size; its own planes (DrivingStereo's) serve where a pair brings none."""
    kind = SparseStereoVoxelNet if sparse else StereoVoxelNet
    net = kind(voxel_planes(DRIVING_STEREO_FX_BASELINE_PX_M), height, width)
    net.features.to(memory_format=torch.channels_last)
    return net
