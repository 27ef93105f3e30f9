"""The backbone as the 8-bit graph computes it (int8_graph.py), in torch, with gradients: quantisation-aware training.

Weights and activations are rounded as there; the gradient passes the rounding as if it were not there (straight-through;
Jacob et al. 2018). Batch norms are folded with their statistics as they stand. Parameters are those of the backbone that is
wrapped, so checkpoints stay what they are; the ranges of the activations are fixed and travel with them (key `ranges`).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .int8_graph import KNOWN_STEP, KNOWN_ZERO, WEIGHT_STEPS, Quantised, Range
from .net import Backbone, OctreeStereoNet, answer, disparities, view_rays


def round_weight(weight: Tensor) -> Tensor:
    """Per output channel, symmetric, WEIGHT_STEPS to each side."""
    scale = weight.detach().abs().flatten(1).amax(1).clamp(min=1e-9) / WEIGHT_STEPS
    zero = torch.zeros(len(scale), dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, scale, zero, 0, -WEIGHT_STEPS, WEIGHT_STEPS)


def folded(layer: nn.Module) -> tuple[Tensor, Tensor, nn.Conv2d]:
    """Weight and bias of a convolution with its batch norm, and the convolution."""
    if isinstance(layer, nn.Conv2d):
        return layer.weight, layer.bias, layer
    convolution, norm = layer[0], layer[1]
    gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return convolution.weight * gain[:, None, None, None], norm.bias - norm.running_mean * gain, convolution


class RoundedBackbone(nn.Module):
    """Takes and gives what `Backbone` does."""

    def __init__(self, backbone: Backbone, ranges: dict[str, Range]) -> None:
        super().__init__()
        self.net = backbone
        self.points = {name: Quantised.of(name, span) for name, span in ranges.items()}

    def round(self, x: Tensor, name: str) -> Tensor:
        point = self.points[name]
        return torch.fake_quantize_per_tensor_affine(x, point.scale, point.zero, 0, 255)

    def conv(self, x: Tensor, name: str) -> Tensor:
        weight, bias, layer = folded(self.net.get_submodule(name))
        return self.round(F.conv2d(x, round_weight(weight), bias, layer.stride, layer.padding, 1, layer.groups), name)

    def linear(self, x: Tensor, name: str) -> Tensor:
        weight, bias, _ = folded(self.net.get_submodule(name))
        return F.conv2d(x, round_weight(weight), bias)

    def sum(self, a: Tensor, b: Tensor, name: str) -> Tensor:
        return self.round(F.relu(a + b), name)

    def residual(self, x: Tensor, name: str) -> Tensor:
        return self.sum(x, self.conv(F.relu(self.conv(x, f"{name}.a")), f"{name}.b"), name)

    def separable(self, x: Tensor, name: str) -> Tensor:
        return self.sum(x, self.conv(self.conv(x, f"{name}.depthwise"), f"{name}.pointwise"), name)

    def up(self, x: Tensor, finer: Tensor, name: str) -> Tensor:
        return self.sum(finer, F.pixel_shuffle(self.conv(x, f"{name}.expand"), 2), name)

    def forward(self, evidence: Tensor, match: Tensor, prior: Tensor, calibration: Tensor) -> dict[str, Tensor]:
        _, h4, w4, _ = evidence.shape
        s4 = self.separable(F.relu(self.conv(evidence.permute(0, 3, 1, 2).float(), "stem")), "stem2")
        rays = self.net.geometry(view_rays(h4 // 2, w4 // 2, calibration))
        x8 = self.residual(self.sum(self.conv(s4, "down8"), self.round(rays, "geometry"), "enter8"), "res8")
        x16 = self.residual(self.residual(F.relu(self.conv(x8, "down16")), "res16.0"), "res16.1")
        x32 = self.residual(self.residual(F.relu(self.conv(x16, "down32")), "res32.0"), "res32.1")
        x16 = F.relu(self.conv(self.up(x32, x16, "up32"), "merge16"))
        x8 = F.relu(self.conv(self.up(x16, x8, "up16"), "merge8"))
        logits, coarse8 = self.net.coarse_disparity(self.linear(x8, "bins"), prior)
        at = disparities(match, coarse8)
        o = self.linear(self.separable(self.fuse(x8, at.known, s4, match), "fuse.1"), "head")
        return answer(o, at, self.net.hidden(at.hidden)) | {"logits8": logits, "coarse8": coarse8}

    def fuse(self, x8: Tensor, known: Tensor, s4: Tensor, match: Tensor) -> Tensor:
        """up8 and what reads it as one 1x1 at 1/8, and the 1x1 over the bytes of the other inputs."""
        weight, bias, _ = folded(self.net.fuse[0])
        expand = self.net.up8.expand
        n = expand.out_channels // 4
        part, rest = weight[:, :n, 0, 0], weight[:, n:]
        fold = torch.einsum("of,fsi->osi", part, expand.weight.reshape(n, 4, -1)).reshape(-1, expand.in_channels, 1, 1)
        fold_bias = torch.einsum("of,fs->os", part, expand.bias.reshape(n, 4)).reshape(-1)
        near = F.pixel_shuffle(self.round(F.conv2d(x8, round_weight(fold), fold_bias), "fuse.up"), 2)

        step = torch.from_numpy(np.asarray(KNOWN_STEP, np.float32))[:, None, None]
        zero = torch.from_numpy(np.asarray(KNOWN_ZERO, np.float32))[:, None, None]
        octets = (known / step + zero).clamp(0, 255)
        octets = octets + (octets.round() - octets).detach() - zero
        s4_step = self.points["stem2"].scale
        unit = torch.cat([step.flatten(), torch.full((s4.shape[1],), s4_step), torch.full((match.shape[1],), 1 / 255)])
        joined = F.conv2d(torch.cat([octets, s4 / s4_step, match.float()], 1), round_weight(rest * unit[None, :, None, None]), bias)
        return self.sum(near, self.round(joined, "fuse.in"), "fuse.0")


def rounded(net: OctreeStereoNet, ranges: dict[str, Range]) -> OctreeStereoNet:
    """The network with the 8-bit backbone; its parameters are those of `net`."""
    out = OctreeStereoNet()
    out.backbone, out.heads = RoundedBackbone(net.backbone, ranges), net.heads
    return out
