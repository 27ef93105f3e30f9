"""StereoVoxelNet, hierarchical variant ("Dense", `Voxel2D_hie`): the baseline of every comparison.

Source: StereoVoxelNet, ICRA 2023, arXiv 2209.08459; layer table in `research/stereovoxelnet.md` section 1. The feature
blocks are MobileStereoNet's. All layers are kept but one that the original never calls (4,160 parameters).

Shapes: B images, P planes, H x W pixels at 1/4 resolution (100 x 220). Grids are [B, X, Y, Z]: x right, y down,
z forward in the rectified left optical frame.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

IMAGE_HEIGHT, IMAGE_WIDTH = 400, 880
IMAGE_MEAN, IMAGE_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DRIVING_STEREO_FX_BASELINE_PX_M = 1003.556 * 0.54
DISPARITY_MAX_PX = 192.0
LEVEL_WEIGHTS = (0.30, 0.27, 0.23, 0.20)


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


def normalise(rgb: Tensor) -> Tensor:
    """uint8 [B, 3, 400, 880] -> the float32 images that the network takes."""
    mean, std = rgb.new_tensor([IMAGE_MEAN, IMAGE_STD], dtype=torch.float32)[..., None, None]
    return (rgb / 255 - mean) / std


def conv_norm(
    inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution without bias that keeps the size (divided by `stride`), and its batch norm."""
    padding = dilation * (kernel // 2)
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class MobileV1Residual(nn.Module):
    """Two depthwise-separable 3x3 convolutions, no ReLU6 after the second, plus the input (1x1 where shapes differ)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_norm(inputs, inputs, 3, stride, dilation, groups=inputs), nn.ReLU6(),
            *conv_norm(inputs, outputs, 1), nn.ReLU6(),
            *conv_norm(outputs, outputs, 3, 1, dilation, groups=outputs), nn.ReLU6(),
            *conv_norm(outputs, outputs, 1),
        )  # fmt: skip
        same = stride == 1 and inputs == outputs
        self.skip = nn.Identity() if same else nn.Sequential(*conv_norm(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(x) + self.skip(x)


class MobileV2Residual(nn.Module):
    """Inverted bottleneck, expansion 3: widen 1x1, depthwise 3x3, narrow 1x1; plus the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        hidden = 3 * inputs
        self.body = nn.Sequential(
            *conv_norm(inputs, hidden, 1), nn.ReLU6(),
            *conv_norm(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6(),
            *conv_norm(hidden, outputs, 1),
        )  # fmt: skip
        self.same = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.same else self.body(x)


class Features(nn.Module):
    """[B, 3, 400, 880] -> [B, 32, H, W]; one copy serves both eyes."""

    def __init__(self) -> None:
        super().__init__()
        stem = [(3, 32, 2), (32, 32, 1), (32, 32, 1)]
        self.stem = nn.Sequential(*(nn.Sequential(MobileV2Residual(*shape), nn.ReLU()) for shape in stem))
        self.layer1 = nn.Sequential(*(MobileV1Residual(32, 32) for _ in range(3)))
        self.layer2 = nn.Sequential(MobileV1Residual(32, 32, stride=2), *(MobileV1Residual(32, 32) for _ in range(15)))
        self.layer3 = nn.Sequential(MobileV1Residual(32, 64), *(MobileV1Residual(64, 64) for _ in range(2)))
        self.layer4 = nn.Sequential(*(MobileV1Residual(64, 64, dilation=2) for _ in range(3)))
        self.narrow = nn.Sequential(
            *conv_norm(160, 128, 1), nn.ReLU(), *conv_norm(128, 64, 1), nn.ReLU(), nn.Conv2d(64, 32, 1)
        )

    def forward(self, image: Tensor) -> Tensor:
        l2 = self.layer2(self.layer1(self.stem(image)))
        l3 = self.layer3(l2)
        return self.narrow(torch.cat([l2, l3, self.layer4(l3)], dim=1))


class PlaneMatching(nn.Module):
    """Features of both eyes -> [B, P, H, W], one learned matching score per plane and pixel.

    At shift s, left columns s.. meet right columns ..W-s, their channels interlaced L0 R0 L1 R1 ..; three 3D
    convolutions, whose channel stride equals their channel kernel, fold the 64 channels by 8, 4 and 2. The planes stay
    a loop: each is padded at its own left edge and has its own batch statistics. Measured on the whole network in ONNX
    Runtime (CPU): one batched Conv3d, masked to mean the same, is 5-7 % slower; grouped Conv2d would be about 10 %
    faster, but the original has Conv3d.
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


def grow(inputs: int, outputs: int, kernel: int, padding: int, trim: int) -> nn.Sequential:
    """About doubles a grid (transposed convolution, stride 2), then trims it to size with an unpadded one."""
    return nn.Sequential(
        nn.ConvTranspose3d(inputs, outputs, kernel, 2, padding, bias=False), nn.BatchNorm3d(outputs), nn.ReLU(),
        nn.Conv3d(outputs, outputs, trim, bias=False), nn.BatchNorm3d(outputs), nn.ReLU(),
    )  # fmt: skip


class StereoVoxelNet(nn.Module):
    """Two normalised RGB images [B, 3, 400, 880] -> occupancy probabilities of 8^3, 16^3, 32^3 and 64^3 voxels.

    The images are float32, normalised by the caller as in the original. Other image sizes do not fit the linear layers.
    """

    def __init__(self, planes: Sequence[int]) -> None:
        super().__init__()
        self.features = Features()
        self.matching = PlaneMatching(planes)
        self.encoder = nn.Sequential(
            nn.Conv2d(len(planes), 64, 6, 2, (2, 10)), nn.ReLU(),  # 50 x 118
            nn.Conv2d(64, 128, 4, 4), nn.ReLU(),  # 12 x 29
            nn.Conv2d(128, 256, 4, 4), nn.ReLU(), nn.Flatten(),  # 3 x 7
            nn.Linear(256 * 3 * 7, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 128), nn.ReLU(),
        )  # fmt: skip
        self.seed = grow(128, 64, kernel=5, padding=0, trim=2)  # 1^3 -> 4^3
        self.levels = nn.ModuleList([grow(64, 32, 5, 1, 2), grow(32, 16, 6, 1, 3), grow(16, 8, 6, 1, 3)])
        self.heads = nn.ModuleList([nn.Conv3d(channels, 1, 1, bias=False) for channels in (32, 16, 8)])
        self.finest = nn.ConvTranspose3d(8, 1, 6, 2, 2)

    def forward(self, left: Tensor, right: Tensor) -> tuple[Tensor, ...]:
        latent = self.encoder(self.matching(self.features(left), self.features(right)))
        grid = self.seed(latent[:, :, None, None, None])
        occupancies = []
        for level, head in zip(self.levels, self.heads, strict=True):
            grid = level(grid)
            occupancies.append(head(grid).sigmoid().squeeze(1))
        return (*occupancies, self.finest(grid).sigmoid().squeeze(1))


def soft_iou_loss(
    predicted: Sequence[Tensor], wanted: Sequence[Tensor], weights: Sequence[float] = LEVEL_WEIGHTS
) -> Tensor:
    """Weighted sum over levels of 1 - soft IoU, each over its whole batch [B, X, Y, Z]; `wanted` is 0 or 1."""
    total = predicted[0].new_zeros(())
    for p, g, weight in zip(predicted, wanted, weights, strict=True):
        both = (p * g).sum()
        total = total + weight * (1 - (both + 1) / ((p + g).sum() - both + 1))
    return total


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
