"""The octree stereo network: matching evidence -> a disparity distribution per cell -> occupancy of any voxel.

A cell is 4x4 pixels. Disparities are in full-resolution pixels, voxels in units where the leaf is 0.5 m (stereo is
scale-equivariant: for another voxel size v the baseline is multiplied by 0.5 / v).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

ORIGIN = (-16.0, -6.0, 0.0)  # minimum corner of the grid, m, left optical frame
SIZE = (64, 16, 64)  # leaves along x, y, z
LEAF = 0.5  # m
LEVELS = 4  # 4, 2, 1, 0.5 m
SAMPLES = ((4, 4, 3), (4, 4, 2), (4, 4, 2), (4, 4, 1))  # inner points of a voxel per level, x, y, z
NEAR, NEAR_SLICES = 16, 3  # leaves of the first NEAR layers, which span most pixels: their own head, inner points along z
BINS = 49  # disparity bins of 4 px at 1/8 resolution
CONTEXT = 8
COVERED_PX = 2  # from here on a place is covered: slanted surfaces cover so much of themselves
KNOWN = 7  # what the network is told of the disparities that its answer may sit at
HIDDEN = 32
EVIDENCE = 128


def conv(i: int, o: int, k: int = 3, stride: int = 1, act: bool = True) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(i, o, k, stride, k // 2, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers, *([nn.ReLU(inplace=True)] if act else []))


class Residual(nn.Module):
    def __init__(self, c: int) -> None:
        super().__init__()
        self.a, self.b = conv(c, c), conv(c, c, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.b(self.a(x)))


class Separable(nn.Module):
    """Residual depthwise 3x3 + pointwise."""

    def __init__(self, c: int) -> None:
        super().__init__()
        self.depthwise = nn.Sequential(nn.Conv2d(c, c, 3, 1, 1, groups=c, bias=False), nn.BatchNorm2d(c))
        self.pointwise = conv(c, c, 1, act=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.pointwise(self.depthwise(x)))


class Up(nn.Module):
    """Twice the resolution: 1x1 to four sub-pixels each, then shuffled."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(i, 4 * o, 1)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(self.expand(x), 2)


class Backbone(nn.Module):
    """What the matcher found -> a two-component logistic distribution of disparity and context for each cell.

    Component 1 sits at the matcher's winner, component 2 at the network's own coarse disparity; both with learned offset,
    width and weight, so that the network keeps the matcher's precision where it is right and overrides it where it is
    not. Where the right eye sees nothing of it, component 1 is what lies behind, as it is, as wide and as likely everywhere.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(EVIDENCE, 32, 1)
        self.stem2 = Separable(32)
        self.down8, self.geometry, self.res8 = conv(32, 48, 3, 2, act=False), nn.Conv2d(3, 48, 1), Residual(48)
        self.down16, self.res16 = conv(48, 80, 3, 2), nn.Sequential(Residual(80), Residual(80))
        self.down32, self.res32 = conv(80, 112, 3, 2), nn.Sequential(Residual(112), Residual(112))
        self.up32, self.merge16 = Up(112, 80), conv(80, 80)
        self.up16, self.merge8 = Up(80, 48), conv(48, 48)
        self.bins, self.prior = nn.Conv2d(48, BINS, 1), nn.Parameter(torch.tensor(4.0))
        self.up8 = Up(48, 28)
        self.fuse = nn.Sequential(conv(28 + KNOWN + 32 + 16, 32, 1), Separable(32))
        self.head = nn.Conv2d(32, 5 + CONTEXT, 1)
        self.hidden = nn.Conv2d(1, 2, 1, bias=False)  # what lies behind, where that is component 1: width, logit of its weight
        with torch.no_grad():  # inputs are bytes
            self.stem.weight.mul_(1 / 80)
            self.head.weight[:5].mul_(0.1)
            self.head.bias[:5] = torch.tensor([0.0, 0.0, -0.5, 1.0, 1.0])
            self.hidden.weight[:, 0, 0, 0] = torch.tensor([-0.4, -0.4])  # narrow: else it learns to be the second wide one

    def forward(self, evidence: Tensor, match: Tensor, prior: Tensor, calibration: Tensor) -> dict[str, Tensor]:
        """evidence uint8 [B, h4, w4, 128], match uint8 [B, 16, h4, w4], prior uint8 [B, 48, h8, w8] (the three outputs of
        the kernel), calibration [B, 5] -> `rows` [B, h4 * w4, 5 + CONTEXT] and, for the losses, its parts."""
        _, h4, w4, _ = evidence.shape
        s4 = self.stem2(F.relu(self.stem(evidence.permute(0, 3, 1, 2).float())))
        x8 = self.res8(F.relu(self.down8(s4) + self.geometry(view_rays(h4 // 2, w4 // 2, calibration))))
        x16 = self.res16(self.down16(x8))
        x32 = self.res32(self.down32(x16))
        x16 = self.merge16(F.relu(x16 + self.up32(x32)))
        x8 = self.merge8(F.relu(x8 + self.up16(x16)))

        logits, coarse8 = self.coarse_disparity(self.bins(x8), prior)
        at = disparities(match, coarse8)
        o = self.head(self.fuse(torch.cat([self.up8(x8), at.known, s4, match.float() * (1 / 255)], 1)))
        return answer(o, at, self.hidden(at.hidden)) | {"logits8": logits, "coarse8": coarse8}

    def coarse_disparity(self, scores: Tensor, prior: Tensor) -> tuple[Tensor, Tensor]:
        """Logits over bins of 4 px [B, BINS, h8, w8]: scores with the aggregated costs as prior; and the mean over the best bin
        and its neighbours [B, 1, h8, w8], px."""
        logits = scores - F.pad(prior.float() * (self.prior / 255), (0, 0, 0, 0, 0, 1))
        best = logits.argmax(1, keepdim=True)
        taps = (best + torch.arange(-1, 2)[None, :, None, None]).clamp(0, BINS - 1)
        weights = logits.gather(1, taps).softmax(1)
        return logits, (weights * taps).sum(1, keepdim=True) * 4


class Disparities(NamedTuple):
    """Of each cell, [B, n, h4, w4]."""

    matched: Tensor  # px: the matcher's winner, or what lies behind where that is hidden
    coarse: Tensor  # px: the network's own at 1/8
    hidden: Tensor  # 1 where the two eyes disagree and what lies behind would be covered in the right one
    known: Tensor  # KNOWN planes: what the network is told of all this


def disparities(match: Tensor, coarse8: Tensor) -> Disparities:
    coarse = F.interpolate(coarse8.detach(), size=match.shape[2:], mode="nearest")
    planes = match.float()
    winner = planes[:, 0:1] + (planes[:, 1:2] - 128) * (1 / 32)
    disagree, covered, behind = planes[:, 7:8], planes[:, 14:15], planes[:, 15:16]
    hidden = (covered - COVERED_PX).clamp(0, 1) * disagree.clamp(0, 1)
    matched = winner + hidden * (behind - winner)
    apart = matched - coarse
    windows = [(apart, 2), (apart, 8), (apart, 32), (behind - coarse, 8), (winner - behind, 8), (covered, 8)]
    known = [coarse * (1 / 64), *[(x / px).clamp(-2, 2) for x, px in windows]]
    return Disparities(matched, coarse, hidden, torch.cat(known, 1))


def answer(o: Tensor, at: Disparities, lift: Tensor) -> dict[str, Tensor]:
    """`rows` [B, h4 * w4, 5 + CONTEXT] from the last convolution's output, and the parts of the distribution. lift
    [B, 2, h4, w4]: width and weight of what lies behind where it is hidden, before their functions; 0 elsewhere."""
    seen = 1 - at.hidden
    m1 = (at.matched + o[:, 0:1] * seen).clamp(-2, 260)
    m2 = (at.coarse + o[:, 1:2] * 16).clamp(-2, 260)
    s1, s2 = F.softplus(o[:, 2:3] * seen + lift[:, :1]) + 0.03, F.softplus(o[:, 3:4]) + 0.1
    rows = torch.cat([m1, m2, s1, s2, torch.sigmoid(o[:, 4:5] * seen + lift[:, 1:]), o[:, 5:]], 1)
    return {"rows": rows.flatten(2).transpose(1, 2), "m1": m1, "m2": m2, "s1": s1, "s2": s2, "w": rows[:, 4:5]}


def likelier(out: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Disparity and width of the component with the higher peak: a logistic's is weight / (4 width)."""
    first = out["w"] * out["s2"] > (1 - out["w"]) * out["s1"]
    return torch.where(first, out["m1"], out["m2"]), torch.where(first, out["s1"], out["s2"])


def planes_of(evidence: Tensor) -> tuple[Tensor, Tensor]:
    """The kernel's planar outputs, computed from its evidence uint8 [B, h4, w4, 128]: match and prior, uint8."""
    match = evidence[..., 112:].permute(0, 3, 1, 2).contiguous()
    b, h4, w4, _ = evidence.shape
    blocks = evidence[..., :48].reshape(b, h4 // 2, 2, w4 // 2, 2, 48).int().sum((2, 4))
    return match, ((blocks + 2) >> 2).to(torch.uint8).permute(0, 3, 1, 2).contiguous()


def view_rays(h8: int, w8: int, calibration: Tensor) -> Tensor:
    """[B, 3, h8, w8]: ray slopes (u - cx) / fx and (v - cy) / fy of cells of 8 px, and log(fx * baseline) / 4."""
    fx, fy, cx, cy, baseline = [c.reshape(-1, 1, 1, 1) for c in calibration.unbind(1)]
    u = (torch.arange(w8, device=calibration.device) * 8 + 3.5)[None, None, None, :]
    v = (torch.arange(h8, device=calibration.device) * 8 + 3.5)[None, None, :, None]
    zero = torch.zeros_like(u + v)
    return torch.cat([(u - cx) / fx + zero, (v - cy) / fy + zero, (torch.log(fx * baseline) / 4).expand_as(zero + fx) + zero], 1)


class VoxelHead(nn.Module):
    """Occupancy of voxels of one level from the cells that they project to."""

    def __init__(self, level: int, slices: int | None = None) -> None:
        super().__init__()
        self.size = LEAF * 2 ** (LEVELS - 1 - level)
        nx, ny, nz = SAMPLES[level]
        nz = slices or nz
        grid = torch.meshgrid(*[(torch.arange(n) + 0.5) / n - 0.5 for n in (nx, ny, nz)], indexing="ij")
        self.register_buffer("offsets", torch.stack(grid, -1).reshape(-1, 3) * self.size, persistent=False)
        self.half_z = self.size / nz / 2
        features = 10 + CONTEXT + 5
        self.mlp = nn.Sequential(nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 3))

    def forward(self, rows: Tensor, centres: Tensor, calibration: Tensor, h4: int, w4: int) -> Tensor:
        """rows [h4*w4, 13]; centres [N, 3] m, optical frame; calibration [5] -> logits [N, 3]: unknown, free, occupied."""
        return self.mlp(self.features(rows, centres, calibration, h4, w4))

    def features(self, rows: Tensor, centres: Tensor, calibration: Tensor, h4: int, w4: int) -> Tensor:
        """[N, 23]: statistics of the inner points, context at the centre, and where the voxel is."""
        fx, fy, cx, cy, baseline = calibration.unbind(0)

        def project(points: Tensor) -> tuple[Tensor, Tensor]:
            """Cell of each point [..., 3], the nearest one where it falls outside, and whether it falls inside."""
            z = points[..., 2].clamp(min=0.05)
            iu = torch.floor((fx * points[..., 0] / z + cx + 0.5) * 0.25)
            iv = torch.floor((fy * points[..., 1] / z + cy + 0.5) * 0.25)
            inside = ((iu >= 0) & (iu < w4) & (iv >= 0) & (iv < h4)).to(rows.dtype)
            return (iv.clamp(0, h4 - 1) * w4 + iu.clamp(0, w4 - 1)).long(), inside

        points = centres[:, None] + self.offsets[None]
        z = points[..., 2].clamp(min=0.05)
        index, inside = project(points)
        n, k = index.shape
        m1, m2, s1, s2, w = rows[:, :5].index_select(0, index.reshape(-1)).reshape(n, k, 5).unbind(-1)
        fb = fx * baseline
        near, far = fb / (z - self.half_z).clamp(min=0.05), fb / (z + self.half_z)
        below = lambda d: w * torch.sigmoid((d - m1) / s1) + (1 - w) * torch.sigmoid((d - m2) / s2)  # noqa: E731
        at_near, at_far = below(near), below(far)
        hit = (at_near - at_far).clamp(0, 1) * inside  # the surface lies within the sample's depth interval
        before, behind = (1 - at_near) * inside, at_far * inside
        count = inside.sum(1).clamp(min=1.0)
        span = (near - far).mean(1)
        spread = (s1 * inside).sum(1) / count / span.clamp(min=0.01).sqrt() * 0.3
        stats = torch.stack([
            hit.amax(1), hit.sum(1) / count, 1 - (1 - hit).prod(1), before.sum(1) / count, before.amax(1), behind.sum(1) / count,
            behind.amax(1), spread, inside.mean(1), (w * inside).sum(1) / count,
        ], 1)
        context = rows[:, 5:].index_select(0, project(centres)[0])
        zc = centres[:, 2]
        place = torch.stack([
            torch.log(zc) * 0.5, torch.log(fx * self.size / zc) * 0.3, torch.log(span + 0.01) * 0.3, centres[:, 1] * 0.3,
            torch.log(fb / zc + 0.1) * 0.3,
        ], 1)
        return torch.cat([stats, context, place], 1)


class LeafHead(nn.Module):
    """The head of the leaves: one for the near layers, one for the others."""

    def __init__(self) -> None:
        super().__init__()
        self.far, self.near = VoxelHead(LEVELS - 1), VoxelHead(LEVELS - 1, NEAR_SLICES)

    def forward(self, rows: Tensor, centres: Tensor, calibration: Tensor, h4: int, w4: int) -> Tensor:
        """As `VoxelHead`."""
        is_near = centres[:, 2] < ORIGIN[2] + NEAR * LEAF
        logits = rows.new_zeros(len(centres), 3)
        for head, where in ((self.near, is_near), (self.far, ~is_near)):
            index = where.nonzero()[:, 0]
            if len(index):
                logits = logits.index_copy(0, index, head(rows, centres[index], calibration, h4, w4))
        return logits


class OctreeStereoNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.backbone = Backbone()
        self.heads = nn.ModuleList([*[VoxelHead(level) for level in range(LEVELS - 1)], LeafHead()])

    def voxel_heads(self) -> list[VoxelHead]:
        """In the order of heads.bin: levels from coarse to fine, then the near leaves."""
        *coarse, leaf = self.heads
        return [*coarse, leaf.far, leaf.near]


def level_centres(level: int) -> Tensor:
    """Centres of all voxels of a level, m, [N, 3], x slowest."""
    k = 2 ** (LEVELS - 1 - level)
    axes = [torch.arange(n // k) for n in SIZE]
    index = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, 3)
    return torch.tensor(ORIGIN) + (index + 0.5) * LEAF * k
