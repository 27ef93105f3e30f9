"""MobileStereoNet's feature blocks: image [B, 3, H, W] -> [B, 32, H / 4, W / 4], the same weights for both eyes."""

import torch
from torch import Tensor, nn


def conv_norm(
    inputs: int, outputs: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution without bias that keeps the size (divided by `stride`), and its batch norm."""
    padding = dilation * (kernel // 2)
    kind = nn.Conv2d if dilation == 1 else PhasedConv2d
    conv = kind(inputs, outputs, kernel, stride, padding, dilation, groups, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


class PhasedConv2d(nn.Conv2d):
    """Convolution of stride 1 and dilation 2; while training, as four plain ones over the even and odd rows and columns.

    Equal (height and width must be even), and a third of the time (one thread): going backward through dilated depthwise ones is slow in PyTorch.
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        b, c, h, w = x.shape
        rows = x.permute(0, 2, 3, 1).reshape(b, h // 2, 2, w // 2, 2, c)  # channels stay last, as features are laid out
        phases = rows.permute(2, 4, 0, 1, 3, 5).reshape(4 * b, h // 2, w // 2, c).permute(0, 3, 1, 2)
        out = nn.functional.conv2d(phases, self.weight, padding=self.padding[0] // 2, groups=self.groups)
        rows = out.permute(0, 2, 3, 1).reshape(2, 2, b, h // 2, w // 2, -1)
        return rows.permute(2, 3, 0, 4, 1, 5).reshape(b, h, w, -1).permute(0, 3, 1, 2)


class MobileV1Residual(nn.Module):
    """Two depthwise-separable 3x3 convolutions, no ReLU6 after the second, plus the input (1x1 where shapes differ)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *conv_norm(inputs, inputs, 3, stride, dilation, groups=inputs), nn.ReLU6(inplace=True),
            *conv_norm(inputs, outputs, 1), nn.ReLU6(inplace=True),
            *conv_norm(outputs, outputs, 3, 1, dilation, groups=outputs), nn.ReLU6(inplace=True),
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
            *conv_norm(inputs, hidden, 1), nn.ReLU6(inplace=True),
            *conv_norm(hidden, hidden, 3, stride, groups=hidden), nn.ReLU6(inplace=True),
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
