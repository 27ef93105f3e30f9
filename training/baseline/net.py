"""StereoVoxelNet, hierarchical variant ("Dense", `Voxel2D_hie`): the baseline of every comparison.

Source: StereoVoxelNet, ICRA 2023, arXiv 2209.08459; layer table in `research/stereovoxelnet.md` section 1. The feature
blocks are MobileStereoNet's. All layers are kept but one that the original never calls (4,160 parameters).

Shapes: B images, P planes, H x W pixels at 1/4 resolution (100 x 220). Grids are [B, X, Y, Z]: x right, y down,
z forward in the rectified left optical frame.

Where training on rigs that differ departs from the paper, whose camera and image size are fixed:
- The planes are each pair's own (`rig_planes`), twelve for every rig.
- The first linear layer has as many inputs as the image size leaves (2,048 at 256 x 512 instead of 5,376).
- In training the plane convolutions take their batch statistics over all planes and pairs together, as they must when
  pairs have different planes; running statistics, and so the trained network, are used as in the original.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from baseline.features import Features, conv_norm

IMAGE_HEIGHT, IMAGE_WIDTH = 400, 880
IMAGE_MEAN, IMAGE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DRIVING_STEREO_FX_BASELINE_PX_M = 1003.556 * 0.54
DISPARITY_MAX_PX = 192.0


def voxel_planes(
    fx_baseline_px_m: float,
    depth_first_m: float = 0.5,
    depth_step_m: float = 2.0,
    depth_max_m: float = 32.0,
    planes_max: int = 12,
) -> tuple[int, ...]:
    """Disparity shifts, in pixels at 1/4 resolution, of planes spread evenly over depth; 0 (infinity) comes first.

    Each depth gives the disparity fx * baseline / depth; those above 192 px are dropped, the rest divided by 4,
    rounded (half to even) and made unique. If more than `planes_max` remain, the farthest finite planes go.
    DrivingStereo, (541.92): 0 4 5 6 7 8 9 11 13 16 21 30.
    ZED2, (43.88, 0.1, 0.2, 6.4): 0 3 4 5 6 7 8 10 12 16 22 37 (shift 2 goes, as in the original).
    """
    depths_m = np.arange(depth_first_m, depth_max_m, depth_step_m)
    disparities_px = [float(fx_baseline_px_m / depth_m) for depth_m in depths_m]
    shifts = {round(disparity / 4) for disparity in disparities_px if disparity <= DISPARITY_MAX_PX} - {0}
    return (0, *sorted(shifts)[max(0, len(shifts) - planes_max + 1) :])


def rig_planes(fx_baseline_px_m: float, planes: int = 12) -> tuple[int, ...]:
    """Exactly `planes` shifts for any rig: the paper's own; where two of its depths share a shift, new ones make up.

    These are the nearest to the camera among depths at half the step, then at half of that, and so on; at last the
    smallest shifts left (rigs of so short a baseline that the grid spans fewer than twelve). 1.0, 43.88 and 541.92 px m
    all give twelve; DrivingStereo's are those of `voxel_planes`.
    """
    chosen = set(voxel_planes(fx_baseline_px_m, planes_max=planes))
    for step_m in (1.0, 0.5, 0.25):
        finer = set(voxel_planes(fx_baseline_px_m, depth_step_m=step_m, planes_max=1000)) - chosen
        chosen |= set(sorted(finer, reverse=True)[: planes - len(chosen)])
    spare = sorted(set(range(planes)) - chosen)
    return tuple(sorted(chosen | set(spare[: planes - len(chosen)])))


def normalise(rgb: Tensor) -> Tensor:
    """uint8 [B, 3, 400, 880] -> the float32 images that the network takes."""
    mean, std = rgb.new_tensor([IMAGE_MEAN, IMAGE_STD], dtype=torch.float32)[..., None, None]
    return (rgb / 255 - mean) / std


class PlaneMatching(nn.Module):
    """Features of both eyes -> [B, P, H, W], one learned matching score per plane and pixel.

    At shift s, left columns s.. meet right columns ..W-s, their channels interlaced L0 R0 L1 R1 ..; three 3D
    convolutions, whose channel stride equals their channel kernel, fold the 64 channels by 8, 4 and 2. The planes stay
    a loop: each is padded at its own left edge and has its own batch statistics. Measured on the whole network in ONNX
    Runtime (CPU): one batched Conv3d, masked to mean the same, is 5-7 % slower; grouped Conv2d would be about 10 %
    faster, but the original has Conv3d. `forward` is that graph, which is exported; `folded` trains.
    """

    def __init__(self, planes: Sequence[int]) -> None:
        super().__init__()
        self.planes = tuple(planes)
        folds = [(1, 8, 8), (8, 16, 4), (16, 8, 2)]
        self.fold = nn.Sequential(*(layer for fold in folds for layer in self._fold(*fold)))
        self.score = nn.Sequential(*conv_norm(8, 1, 1), nn.ReLU())

    @staticmethod
    def _fold(inputs: int, outputs: int, by: int) -> list[nn.Module]:
        conv = nn.Conv3d(inputs, outputs, (by, 3, 3), (by, 1, 1), (0, 1, 1), bias=False)
        return [conv, nn.BatchNorm3d(outputs), nn.ReLU()]

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        width = left.shape[3]
        scores = []
        for shift in self.planes:
            pair = torch.stack([left[..., shift:], right[..., : width - shift]], dim=2)  # [B, 32, 2, H, W-s]
            folded = self.fold(pair.flatten(1, 2).unsqueeze(1))  # [B, 1, 64, H, W-s] -> [B, 8, 1, H, W-s]
            scores.append(nn.functional.pad(self.score(folded.squeeze(2)), (shift, 0)))
        return torch.cat(scores, dim=1)

    def folded(self, left: Tensor, right: Tensor, planes: Sequence[Sequence[int]]) -> Tensor:
        """`forward` with the planes of each pair, as 2D convolutions (the same weights, multiply-adds and answers).

        A 3D convolution whose channel stride is its channel kernel is a 2D one with the groups of channels as a batch.
        Batch norms see the pixels of all planes at once.
        """
        width = left.shape[3]
        maps = []
        for features_l, features_r, shifts in zip(left, right, planes, strict=True):
            for shift in shifts:
                pair = torch.stack([features_l[..., shift:], features_r[..., : width - shift]], dim=1)
                maps.append(pair.flatten(0, 1).unsqueeze(1))  # [64, 1, H, W-s]
        for conv, norm in ((self.fold[0], self.fold[1]), (self.fold[3], self.fold[4]), (self.fold[6], self.fold[7])):
            by = conv.kernel_size[0]
            weight = conv.weight.transpose(1, 2).flatten(1, 2)  # [out, by * in, 3, 3]
            grouped = [m.reshape(-1, by * m.shape[1], *m.shape[2:]) for m in maps]
            maps = norm_together([nn.functional.conv2d(g, weight, padding=1) for g in grouped], norm)
        conv, norm = self.score[0], self.score[1]
        scores = norm_together([conv(m) for m in maps], norm)
        padded = [nn.functional.pad(s, (width - s.shape[3], 0)) for s in scores]
        return torch.cat(padded).view(len(left), -1, *left.shape[2:])


def norm_together(maps: Sequence[Tensor], norm: nn.BatchNorm2d | nn.BatchNorm3d) -> list[Tensor]:
    """Batch norm and ReLU of maps [D, C, H, w] with one set of statistics, though their widths differ."""
    flat = torch.cat([m.flatten(2) for m in maps], dim=2)
    normed = nn.functional.batch_norm(
        flat, norm.running_mean, norm.running_var, norm.weight, norm.bias, norm.training, norm.momentum, norm.eps
    ).relu_()
    pieces = normed.split([m.shape[2] * m.shape[3] for m in maps], dim=2)
    return [piece.unflatten(2, m.shape[2:]) for piece, m in zip(pieces, maps, strict=True)]


def grow(inputs: int, outputs: int, kernel: int, padding: int, trim: int) -> nn.Sequential:
    """About doubles a grid (transposed convolution, stride 2), then trims it to size with an unpadded one."""
    return nn.Sequential(
        nn.ConvTranspose3d(inputs, outputs, kernel, 2, padding, bias=False), nn.BatchNorm3d(outputs), nn.ReLU(),
        nn.Conv3d(outputs, outputs, trim, bias=False), nn.BatchNorm3d(outputs), nn.ReLU(),
    )  # fmt: skip


class StereoVoxelNet(nn.Module):
    """Two normalised RGB images [B, 3, height, width] -> occupancy probabilities of 8^3, 16^3, 32^3 and 64^3 voxels.

    The images are float32, normalised by the caller as in the original. Other image sizes do not fit the linear layers.
    Weights are drawn as in MobileStereoNet (He, fan out).
    """

    def __init__(self, planes: Sequence[int], height: int = IMAGE_HEIGHT, width: int = IMAGE_WIDTH) -> None:
        super().__init__()
        places = (height // 128) * ((width // 4 + 16) // 32)  # 3 x 7 at 400 x 880, 2 x 4 at 256 x 512
        self.features = Features()
        self.matching = PlaneMatching(planes)
        self.encoder = nn.Sequential(
            nn.Conv2d(len(planes), 64, 6, 2, (2, 10)), nn.ReLU(),  # 50 x 118
            nn.Conv2d(64, 128, 4, 4), nn.ReLU(),  # 12 x 29
            nn.Conv2d(128, 256, 4, 4), nn.ReLU(), nn.Flatten(),  # 3 x 7
            nn.Linear(256 * places, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 128), nn.ReLU(),
        )  # fmt: skip
        self.seed = grow(128, 64, kernel=5, padding=0, trim=2)  # 1^3 -> 4^3
        self.levels = nn.ModuleList([grow(64, 32, 5, 1, 2), grow(32, 16, 6, 1, 3), grow(16, 8, 6, 1, 3)])
        self.heads = nn.ModuleList([nn.Conv3d(channels, 1, 1, bias=False) for channels in (32, 16, 8)])
        self.finest = nn.ConvTranspose3d(8, 1, 6, 2, 2)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Conv3d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)

    def encode(self, left: Tensor, right: Tensor, planes: Sequence[Sequence[int]]) -> Tensor:
        """The latent [B, 128] of pairs, each with its own planes; fast to train, equal to what `forward` computes."""
        return self.encoder(self.matching.folded(self.features(left), self.features(right), planes))

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        return self.decode(self.encoder(self.matching(self.features(left), self.features(right))))

    def decode(self, latent: Tensor) -> tuple[Tensor, ...]:
        grid = self.seed(latent[:, :, None, None, None])
        occupancies = []
        for level, head in zip(self.levels, self.heads, strict=True):
            grid = level(grid)
            occupancies.append(head(grid).sigmoid().squeeze(1))
        return (*occupancies, self.finest(grid).sigmoid().squeeze(1))
