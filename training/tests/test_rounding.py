"""The rounded backbone computes what the 8-bit graph computes, and trains the weights of the one it wraps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from test_quantise import made_up, model, net, ranges, rows_of, weights  # noqa: F401  (fixtures)
from voxeltrain.int8_graph import Range, Weights, build
from voxeltrain.net import CONTEXT, OctreeStereoNet
from voxeltrain.rounding import rounded


@torch.no_grad()
def test_it_is_the_8_bit_graph(net: OctreeStereoNet, weights: Weights, ranges: dict[str, Range]) -> None:  # noqa: F811
    inputs = made_up(17)
    inputs[1][0, 7, :8] = 0  # there nothing is hidden
    graph = rows_of(build(weights, ranges), inputs)
    ours = rounded(net, ranges).eval().backbone(*inputs[:3], inputs[3][None])["rows"][0].numpy()
    plain = net.backbone(*inputs[:3], inputs[3][None])["rows"][0].numpy()
    apart, rounding = (np.abs(graph - np.pad(x, ((0, 0), (0, 3)))).mean(0)[: 5 + CONTEXT] for x in (ours, plain))
    assert apart[0] == 0 and apart[1] < 0.5 * rounding[1]  # the pixels
    share = apart[2:] / rounding[2:]
    assert np.all(share < 1) and share.mean() < 0.8  # a byte more or less where the order of sums decides


def test_gradients_reach_the_wrapped_weights(net: OctreeStereoNet, ranges: dict[str, Range]) -> None:  # noqa: F811
    inputs = made_up(3)
    out = rounded(net, ranges).backbone(*inputs[:3], inputs[3][None])
    (out["rows"].square().mean() + out["logits8"].square().mean()).backward()
    assert all(p.grad is not None and p.grad.any() for p in net.backbone.parameters())
    net.zero_grad()


def test_a_range_that_is_missing_is_named(net: OctreeStereoNet) -> None:  # noqa: F811
    with pytest.raises(KeyError, match="stem"):
        rounded(net, {}).backbone(*made_up(1)[:3], made_up(1)[3][None])
