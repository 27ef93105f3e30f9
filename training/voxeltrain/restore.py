"""Rebuilds a checkpoint from an 8-bit model folder, so that training can go on where only the shipped model is left.

    python -m voxeltrain.restore ../models/octree-stereo --shards DIR --out checkpoint.pt

Undoes voxeltrain.int8_graph: weights back to float, sub-pixels back in their order, the folded up8 split in two. Folding
also lost every batch norm; a layer that merely passes its input on would change the network as soon as training
normalises by the batch. So the statistics are measured again on rendered pairs and the affine part undoes them: the network
is the same in evaluation and, but for the batch's own noise, in training. Filters get the length of fresh ones back, which
batch norm makes free to choose, so that a step of the optimiser means what it meant. What 8 bits rounded off stays lost.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from .export import Sample
from .int8_graph import HEAD, HEAD_PX, KNOWN, KNOWN_STEP, KNOWN_ZERO, sub_pixels_first
from .net import OctreeStereoNet
from .quantise import pairs

FRESH = 3**-0.5  # length of a filter as nn.Conv2d starts it
Affine = tuple[np.ndarray, np.ndarray]  # weight [out, in / groups, k, k] and bias [out], float64


class Reader:
    """Constants of an 8-bit graph by the node that uses them."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        self.nodes = {n.name: n for n in model.graph.node}

    def constant(self, node: str) -> np.ndarray:
        """The one constant that a node reads."""
        (name,) = (i for i in self.nodes[node].input if i in self.values)
        return self.values[name].astype(np.float64)

    def inputs(self, node: str) -> list[np.ndarray | None]:
        return [self.values.get(i) for i in self.nodes[node].input]

    def conv(self, name: str) -> Affine:
        """Of a QLinearConv; its bias is in units of input step * weight step."""
        _, step, _, weight, scale, _, _, _, bias = self.inputs(name)
        scale = scale.astype(np.float64)
        return weight * scale[:, None, None, None], bias * scale * float(step)

    def linear(self, name: str) -> Affine:
        """Of a MatMulIntegerToFloat [in, out], as a 1x1 convolution."""
        _, weight, _, scale, _, _, bias = self.inputs(name)
        return (weight * scale.astype(np.float64)).T[:, :, None, None], bias.astype(np.float64)

    def step(self, name: str) -> float:
        """Of the uint8 tensor that a QLinearAdd writes."""
        return float(self.inputs(name)[6])


def sub_pixels_last(values: np.ndarray) -> np.ndarray:
    """(2, 2, o) -> (o, 2, 2) along axis 0, the inverse of int8_graph.sub_pixels_first."""
    order = sub_pixels_first(np.arange(len(values)))
    out = np.empty_like(values)
    out[order] = values
    return out


def split_fuse(r: Reader, width: int) -> dict[str, Affine]:
    """up8.expand and fuse.0 from their folded product (rank `width`, the channels of up8; the balanced factors of its
    singular value decomposition) and from the part of fuse on bytes [s4, known, match]."""
    weight, bias = r.conv("fuse.up")  # rows (2, 2, o)
    o, i = len(weight) // 4, weight.shape[1]
    product = np.concatenate([weight[:, :, 0, 0], bias[:, None]], 1).reshape(4, o, i + 1).transpose(1, 0, 2).reshape(o, -1)
    u, s, v = np.linalg.svd(product, full_matrices=False)
    root = np.sqrt(s[:width])
    through = u[:, :width] * root
    expand = (root[:, None] * v[:width]).reshape(width * 4, i + 1)

    joined, bias = r.conv("fuse.in")
    features, known, last = np.split(joined, [-KNOWN - 16, -16], 1)
    step, zero = (x.reshape(1, KNOWN, 1, 1) for x in (KNOWN_STEP, KNOWN_ZERO))
    fuse = np.concatenate([through[:, :, None, None], known / step, features / r.step("stem2"), last * 255], 1)
    return {"up8.expand": (expand[:, :-1, None, None], expand[:, -1]), "fuse.0": (fuse, bias + (known * zero).sum((1, 2, 3)))}


def read_convs(model: onnx.ModelProto, up8: int) -> tuple[dict[str, Affine], float]:
    """All convolutions of the backbone by module path, batch norms folded, and the weight of the aggregated costs."""
    r = Reader(model)
    convs = {n.name: r.conv(n.name) for n in model.graph.node if n.op_type == "QLinearConv" and not n.name.startswith("fuse.up")}
    del convs["fuse.in"]
    for name in ("up32.expand", "up16.expand"):
        convs[name] = tuple(sub_pixels_last(x) for x in convs[name])
    convs |= split_fuse(r, up8)
    convs["geometry"] = np.stack([r.constant("x"), r.constant("y"), r.constant("fb.scaled") * 4], 1)[:, :, None, None], r.constant("fb.offset")
    convs["bins"] = r.linear("scores")
    weight, bias = r.linear("head")
    convs["head"] = weight[:HEAD] / HEAD_PX[:, None, None, None], bias[:HEAD] / HEAD_PX
    convs["hidden"] = np.array([r.constant(f"{name}.lift") for name in ("s1", "weight")]).reshape(2, 1, 1, 1), np.zeros(2)
    sign = 1 if r.nodes["logits"].op_type == "Sub" else -1
    return convs, sign * float(r.inputs("cost")[1]) * 255


@torch.no_grad()
def load_heads(net: OctreeStereoNet, path: Path) -> None:
    """The voxel heads (layout: export.write_heads). Models up to 1.0.0 have one for all leaves: the near ones' starts equal."""
    heads = net.voxel_heads()
    layers = [[head.mlp[0], head.mlp[2], head.mlp[4]] for head in heads]
    shapes = [(layer.in_features, layer.out_features, -(-layer.out_features // 4) * 4) for layer in layers[0]]
    rows = np.fromfile(path, "<f4").reshape(-1, sum((i + 1) * wide for i, _, wide in shapes))
    if len(rows) not in (len(heads) - 1, len(heads)):
        raise SystemExit(f"{path} holds {len(rows)} heads, expected {len(heads)}")
    for mlp, row in zip(layers, [*rows, rows[-1]]):
        for layer, part, (i, o, wide) in zip(mlp, np.split(row, np.cumsum([(i + 1) * wide for i, _, wide in shapes])[:-1]), shapes):
            table = torch.from_numpy(part.reshape(i + 1, wide)[:, :o].copy())
            layer.weight.copy_(table[:-1].T)
            layer.bias.copy_(table[-1])


def restore(folder: Path) -> OctreeStereoNet:
    """The network of a model folder, batch norms passing on what the folded convolutions give."""
    net = OctreeStereoNet().eval()
    convs, prior = read_convs(onnx.load(folder / "model.onnx"), net.backbone.up8.expand.out_channels // 4)
    found = {name for name, m in net.backbone.named_modules() if isinstance(m, nn.Conv2d)}
    with torch.no_grad():
        for name, (weight, bias) in convs.items():
            module = net.backbone.get_submodule(name)
            conv, norm = (module[0], module[1]) if isinstance(module, nn.Sequential) else (module, None)
            found.remove(name if norm is None else f"{name}.0")
            conv.weight.copy_(torch.from_numpy(weight))
            if (shift := (norm or conv).bias) is not None:
                shift.copy_(torch.from_numpy(bias))
            if norm is not None:
                norm.running_var.fill_(1 - norm.eps)
        net.backbone.prior.fill_(prior)
    if found:
        raise SystemExit(f"{folder} has no weights for {sorted(found)}")
    load_heads(net, folder / "heads.bin")
    return net


@torch.no_grad()
def measure_norms(net: OctreeStereoNet, inputs: Iterable[Sample]) -> None:
    """Gives every batch norm the statistics of its input over the samples, and the affine part that undoes them."""
    sums: dict[str, list[Tensor]] = {}

    def note(name: str):
        def hook(_: nn.Module, args: tuple[Tensor]) -> None:
            x = args[0].double()
            part = [torch.tensor(float(x[:, 0].numel())), x.sum((0, 2, 3)), x.square().sum((0, 2, 3))]
            sums[name] = [a + b for a, b in zip(sums[name], part)] if name in sums else part

        return hook

    norms = {name.removesuffix(".1"): m for name, m in net.backbone.named_modules() if isinstance(m, nn.BatchNorm2d)}
    hooks = [norm.register_forward_pre_hook(note(name)) for name, norm in norms.items()]
    for evidence, match, prior, calibration in inputs:
        net.backbone(evidence, match, prior, calibration[None])
    for hook in hooks:
        hook.remove()
    for name, norm in norms.items():
        count, total, squares = sums[name]
        conv = net.backbone.get_submodule(name)[0]
        length = conv.weight.flatten(1).norm(dim=1).clamp(min=1e-6) / FRESH
        mean = total / count
        deviation = ((squares / count - mean**2).clamp(min=1e-12) / length**2 + norm.eps).sqrt()
        conv.weight.div_(length[:, None, None, None])
        norm.running_mean.copy_(mean / length)
        norm.running_var.copy_(deviation**2 - norm.eps)
        norm.weight.copy_(deviation * length)
        norm.bias.add_(mean)


def write_checkpoint(net: OctreeStereoNet, path: Path, args: dict[str, object]) -> None:
    """As voxeltrain.train writes it, at step 0 with a fresh optimiser."""
    optimiser = torch.optim.AdamW(net.parameters(), 2e-3, weight_decay=1e-3, betas=(0.9, 0.99))
    state = {"step": 0, "seconds": 0.0, "pairs": 0}
    torch.save({"net": net.state_dict(), "ema": net.state_dict(), "optimiser": optimiser.state_dict(), "state": state, "args": args}, path)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model", type=Path, help="folder with the 8-bit model.onnx and heads.bin")
    p.add_argument("--shards", type=Path, required=True, help="rendered pairs for the statistics of the batch norms")
    p.add_argument("--pairs", type=int, default=64)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    net = restore(a.model)
    measure_norms(net, (inputs for inputs, _ in islice(pairs(a.shards, a.pairs, 2_000_000), a.pairs)))
    a.out.parent.mkdir(parents=True, exist_ok=True)
    write_checkpoint(net, a.out, {"model": str(a.model), "pairs": a.pairs})
    print(json.dumps({"out": str(a.out), "parameters": sum(x.numel() for x in net.parameters())}))


if __name__ == "__main__":
    main()
