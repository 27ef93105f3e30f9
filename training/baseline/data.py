"""Rendered shards as the baseline takes them: colour pairs, normalised, with the distortions that ours trains on.

The paper's network is made for colour; `voxeltrain.augment` distorts grey images. So each colour channel goes through it
with the same random numbers: same exposure, blur, misalignment, dirt and noise in all three.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from baseline.net import normalise, rig_planes
from voxeltrain.augment import augment_pair

SHARDS_AT_ONCE = 4
NAMES = ("left", "right", "labels", "calibration")
Batch = tuple[Tensor, Tensor, list[tuple[int, ...]], Tensor]


def colour_pair(left: np.ndarray, right: np.ndarray, seed: int) -> tuple[Tensor, Tensor]:
    """RGB uint8 [H, W, 3] pair -> distorted and normalised [3, H, W]; `seed` as for the grey pair of ours."""
    channels = [augment_pair(left[..., c], right[..., c], np.random.default_rng(seed)) for c in range(3)]
    left_rgb, right_rgb = (torch.from_numpy(np.stack(eye))[None] for eye in zip(*channels, strict=True))
    return normalise(left_rgb)[0], normalise(right_rgb)[0]


def planes_of(calibration: np.ndarray) -> tuple[int, ...]:
    """The twelve plane shifts of a pair; calibration is fx, fy, cx, cy in px, baseline in grid metres."""
    return rig_planes(float(calibration[0]) * float(calibration[4]))


def read_shard(path: Path) -> list[dict[str, np.ndarray]]:
    with np.load(path) as z:
        shard = {name: z[name] for name in NAMES}
    return [{name: shard[name][i] for name in NAMES} for i in range(len(shard["left"]))]


def stack(rows: Sequence[dict[str, np.ndarray]], seeds: Sequence[int]) -> Batch:
    """left, right [B, 3, H, W], planes of each pair, labels int8 [B, 65536]."""
    pairs = [colour_pair(row["left"], row["right"], seed) for row, seed in zip(rows, seeds, strict=True)]
    left, right = (torch.stack(eye).contiguous(memory_format=torch.channels_last) for eye in zip(*pairs, strict=True))
    labels = torch.from_numpy(np.stack([row["labels"] for row in rows]))
    return left, right, [planes_of(row["calibration"]) for row in rows], labels


def batches(folders: Sequence[Path], size: int, seed: int) -> Iterator[Batch]:
    """Endless batches from a few shards at a time; shards may appear while it runs."""
    g = np.random.default_rng(seed)
    while True:
        files = sorted(file for folder in folders for file in folder.glob("*.npz"))
        picked = g.choice(len(files), min(SHARDS_AT_ONCE, len(files)), replace=False)
        rows = [row for file in picked for row in read_shard(files[file])]
        order = g.permutation(len(rows))
        for at in range(0, len(order) - size + 1, size):
            yield stack([rows[i] for i in order[at : at + size]], [int(s) for s in g.integers(2**62, size=size)])
