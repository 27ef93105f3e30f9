"""Averages the weights of networks that were trained on from one another: the mean is often better than each.

    python -m voxeltrain.soup A.pt B.pt [...] --out MEAN.pt [--shares 0.5 0.5]

After "Model soups" (Wortsman et al. 2022, arXiv 2203.05482). Takes the averaged weights (`ema`) of the checkpoints; --out holds
nothing else, and is what `voxeltrain.train --start` begins with.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from .net import OctreeStereoNet


def soup(weights: list[dict[str, Tensor]], shares: list[float]) -> dict[str, Tensor]:
    """Weighted mean of every floating-point tensor; of counters the largest. `shares` add up to 1."""
    if len(shares) != len(weights) or abs(sum(shares) - 1) > 1e-6:
        raise ValueError(f"{len(weights)} networks need as many shares that add up to 1; seen {shares}")
    out = {}
    for name, first in weights[0].items():
        values = [each[name] for each in weights]
        floating = first.dtype.is_floating_point
        out[name] = sum(s * v.float() for s, v in zip(shares, values)) if floating else torch.stack(values).amax(0)
    return out


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("checkpoints", type=Path, nargs="+")
    p.add_argument("--shares", type=float, nargs="+", help="of each; equal if left out")
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    count = len(a.checkpoints)
    mean = soup([torch.load(c, weights_only=True)["ema"] for c in a.checkpoints], a.shares or [1 / count] * count)
    OctreeStereoNet().load_state_dict(mean)
    torch.save({"ema": mean}, a.out)


if __name__ == "__main__":
    main()
