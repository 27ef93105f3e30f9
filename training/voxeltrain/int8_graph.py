"""Builds the backbone as an 8-bit graph for ONNX Runtime's CPU kernels from the float graph and activation ranges.

Everything between the evidence and the last feature map is uint8 with channels last (`com.microsoft.QLinearConv` with
`channels_last`, `QLinearAdd`), the layout that the evidence arrives in, so nothing is cast or transposed on the way. A
ReLU costs nothing: uint8 with zero point 0 clips at 0. What carries pixels (matched and coarse disparity, offsets, widths)
stays float, one plane each.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BINS, PIXELS_PER_BIN = 49, 4
HEAD, ROW = 13, 16
HEAD_PX = np.array([1, 16, *[1] * (HEAD - 2)])  # px per unit of the two offsets
COVERED_PX = 2
KNOWN_PX = np.array([64, 2, 8, 32, 8, 8, 8])  # per unit: coarse, matched - coarse thrice, behind - coarse, winner - behind, covered
KNOWN = len(KNOWN_PX)
WEIGHT_STEPS = 63  # of 127: products of two never overflow 16 bits on x86 without VNNI, so every machine gives the same answer
KNOWN_STEP = np.array([PIXELS_PER_BIN * (BINS - 1) / 64 / 255, *[2 / 127.5] * 6])  # of a byte
KNOWN_ZERO = np.array([0, *[128] * 6])
Range = tuple[float, float]


@dataclass(frozen=True)
class Weights:
    """Convolutions of the float graph, batch norms folded, by module path: weight [out, in / groups, k, k] and bias [out]."""

    convs: dict[str, tuple[np.ndarray, np.ndarray]]
    prior: float  # weight of the aggregated costs (bytes) in the logits


def read_weights(model: onnx.ModelProto) -> Weights:
    values = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    values |= {n.output[0]: numpy_helper.to_array(n.attribute[0].t) for n in model.graph.node if n.op_type == "Constant"}
    convs = {}
    for node in (n for n in model.graph.node if n.op_type == "Conv"):
        weight, *bias = (values[i] for i in node.input[1:])
        convs[module_of(node)] = weight, bias[0] if bias else np.zeros(len(weight), np.float32)
    prior = follow(model, "prior", "Cast", "Mul")
    return Weights(convs, float(next(values[i] for i in prior.input if i in values)))


def module_of(node: onnx.NodeProto) -> str:
    """'/backbone/res8/a/a.0/Conv' -> 'res8.a', '/backbone/res16/res16.1/b/b.0/Conv' -> 'res16.1.b'."""
    parts = node.name.removeprefix("/backbone/").removesuffix("/Conv").split("/")
    path: list[str] = []
    for parent, part in zip([None, *parts], parts):
        path.append(part.removeprefix(f"{parent}.") if parent else part)
    if len(path) > 1 and path[-1] == "0":
        path.pop()
    return ".".join(path)


def follow(model: onnx.ModelProto, value: str, *ops: str) -> onnx.NodeProto:
    """The node at the end of the chain of consumers of these types; each must be the only one of its type."""
    node = None
    for op in ops:
        found = [n for n in model.graph.node if value in n.input and n.op_type == op]
        if len(found) != 1:
            raise ValueError(f"{len(found)} nodes of type {op} read {value}, expected one: the float graph has another structure")
        node, value = found[0], found[0].output[0]
    assert node is not None
    return node


@dataclass(frozen=True)
class Quantised:
    """A uint8 tensor: real = scale * (byte - zero)."""

    name: str
    scale: float
    zero: int

    @staticmethod
    def of(name: str, span: Range) -> Quantised:
        low, high = min(span[0], 0.0), max(span[1], 1e-6)
        scale = (high - low) / 255
        return Quantised(name, float(np.float32(scale)), int(round(-low / scale)))


def per_channel(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 weights and their float32 scales, symmetric, one scale for each output."""
    scale = (np.maximum(np.abs(weight).reshape(len(weight), -1).max(1), 1e-9) / WEIGHT_STEPS).astype(np.float32)
    return np.clip(np.rint(weight / scale[:, None, None, None]), -WEIGHT_STEPS, WEIGHT_STEPS).astype(np.int8), scale


@dataclass
class Builder:
    ranges: dict[str, Range]
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[tuple[str, tuple[int, ...], bytes], onnx.TensorProto] = field(default_factory=dict)

    def constant(self, value: np.ndarray) -> str:
        """The name of an initialiser with this value, shared between those that ask for the same."""
        key = value.dtype.str, value.shape, value.tobytes()
        if key not in self.constants:
            self.constants[key] = numpy_helper.from_array(value, f"c{len(self.constants)}")
        return self.constants[key].name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def float(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def byte(self, value: int) -> str:
        return self.constant(np.array(value, np.uint8))

    def add(self, op: str, inputs: list[str], name: str, domain: str = "", outputs: int = 1, **attributes: object) -> str:
        names = [name] if outputs == 1 else [f"{name}.{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=name, domain=domain, **attributes))
        return name

    def quantiser(self, q: Quantised) -> list[str]:
        return [self.float(q.scale), self.byte(q.zero)]

    def conv(self, x: Quantised, weight: np.ndarray, bias: np.ndarray, name: str, stride: int = 1, groups: int = 1) -> Quantised:
        y = Quantised.of(name, self.ranges[name])
        integers, scale = per_channel(weight)
        shift = np.rint(bias / (scale * x.scale)).astype(np.int32)
        k = weight.shape[2]
        self.add(
            "QLinearConv",
            [x.name, *self.quantiser(x), self.constant(integers), self.constant(scale),
             self.constant(np.zeros(len(scale), np.int8)), *self.quantiser(y), self.constant(shift)],
            name, "com.microsoft", channels_last=1, kernel_shape=[k, k], pads=[k // 2] * 4, strides=[stride] * 2, group=groups,
        )
        return y

    def linear(self, x: Quantised, weight: np.ndarray, bias: np.ndarray, name: str) -> str:
        """1x1 convolution with float results [cells, out]."""
        rows = self.add("Reshape", [x.name, self.ints(-1, weight.shape[1])], f"{name}.cells")
        integers, scale = per_channel(weight)
        scales = [self.float(x.scale), self.constant(scale), self.byte(x.zero), self.constant(np.zeros(len(scale), np.int8))]
        right = self.constant(np.ascontiguousarray(integers[:, :, 0, 0].T))
        inputs = [rows, right, *scales, self.constant(bias.astype(np.float32))]
        return self.add("MatMulIntegerToFloat", inputs, name, "com.microsoft")

    def sum(self, a: Quantised, b: Quantised, name: str) -> Quantised:
        """relu(a + b)"""
        y = Quantised.of(name, (0.0, self.ranges[name][1]))
        self.add("QLinearAdd", [a.name, *self.quantiser(a), b.name, *self.quantiser(b), *self.quantiser(y)], name, "com.microsoft")
        return y

    def shuffle(self, x: Quantised, like: Quantised, o: int, name: str) -> Quantised:
        """[1, h, w, (2, 2, o)] -> [1, 2h, 2w, o], the shape of `like`: rows of 2 * o bytes change places."""
        rows = self.add("Reshape", [x.name, self.ints(0, 0, -1, 2, 2 * o)], f"{name}.rows")
        swapped = self.add("Transpose", [rows], f"{name}.swapped", perm=[0, 1, 3, 2, 4])
        shape = self.add("Shape", [like.name], f"{name}.shape")
        return Quantised(self.add("Reshape", [swapped, shape], name), x.scale, x.zero)


def sub_pixels_first(values: np.ndarray) -> np.ndarray:
    """Channels in DepthToSpace's order (o, 2, 2) -> (2, 2, o), along axis 0."""
    return values.reshape(-1, 2, 2, *values.shape[1:]).transpose(1, 2, 0, *range(3, values.ndim + 2)).reshape(values.shape)


def fold_up8(w: Weights) -> tuple[np.ndarray, np.ndarray]:
    """up8 and the part of fuse that reads it, as one 1x1: nothing lies between them but the shuffle. Order (2, 2, o)."""
    (expand, bias), (fuse, _) = w.convs["up8.expand"], w.convs["fuse.0"]
    n = len(expand) // 4
    part = fuse[:, :n, 0, 0]
    weight = np.einsum("of,fsi->soi", part, expand.reshape(n, 4, -1)).reshape(-1, expand.shape[1])
    return weight[:, :, None, None], np.einsum("of,fs->so", part, bias.reshape(n, 4)).reshape(-1)


def fuse_inputs(w: Weights, s4: Quantised) -> tuple[np.ndarray, np.ndarray]:
    """The rest of fuse as a 1x1 on bytes [s4, known, match]: each channel's scale and zero point folded in."""
    weight, bias = w.convs["fuse.0"]
    n = len(w.convs["up8.expand"][0]) // 4
    known, features, last = weight[:, n : n + KNOWN], weight[:, n + KNOWN : n + KNOWN + 32], weight[:, n + KNOWN + 32 :]
    step, zero = (v.reshape(1, KNOWN, 1, 1) for v in (KNOWN_STEP, KNOWN_ZERO))
    return np.concatenate([features * s4.scale, known * step, last / 255], 1), bias - (known * step * zero).sum((1, 2, 3))


def build(w: Weights, ranges: dict[str, Range], opset: int = 17) -> onnx.ModelProto:
    """The 8-bit graph. `ranges`: real minimum and maximum per tensor, by the names that `quantise.POINTS` gives."""
    b = Builder(ranges)
    conv = lambda x, name, **options: b.conv(x, *w.convs[name], name, **options)  # noqa: E731

    def residual(x: Quantised, name: str) -> Quantised:
        return b.sum(x, conv(conv(x, f"{name}.a"), f"{name}.b"), name)

    def separable(x: Quantised, name: str) -> Quantised:
        return b.sum(x, conv(conv(x, f"{name}.depthwise", groups=32), f"{name}.pointwise"), name)

    def up(x: Quantised, finer: Quantised, name: str) -> Quantised:
        weight, bias = (sub_pixels_first(v) for v in w.convs[f"{name}.expand"])
        return b.sum(finer, b.shuffle(b.conv(x, weight, bias, f"{name}.expand"), finer, len(bias) // 4, f"{name}.shuffled"), name)

    s4 = separable(conv(Quantised("evidence", 1.0, 0), "stem"), "stem2")
    x8 = residual(b.sum(conv(s4, "down8", stride=2), geometry(b, w), "enter8"), "res8")
    x16 = residual(residual(conv(x8, "down16", stride=2), "res16.0"), "res16.1")
    x32 = residual(residual(conv(x16, "down32", stride=2), "res32.0"), "res32.1")
    x8 = conv(up(conv(up(x32, x16, "up32"), "merge16"), x8, "up16"), "merge8")
    last = disparities(b, w, x8)
    near = b.shuffle(b.conv(x8, *fold_up8(w), "fuse.up"), s4, 32, "fuse.up.shuffled")
    joined = Quantised(b.add("Concat", [s4.name, last], "fuse.bytes", axis=3), 1.0, 0)
    x = separable(b.sum(near, b.conv(joined, *fuse_inputs(w, s4), "fuse.in"), "fuse.0"), "fuse.1")
    write_rows(b, w, x)

    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        b.nodes, "backbone_int8",
        [value("evidence", TensorProto.UINT8, [1, "h4", "w4", 128]), value("match", TensorProto.UINT8, [1, 16, "h4", "w4"]),
         value("prior", TensorProto.UINT8, [1, 48, "h8", "w8"]), value("calibration", TensorProto.FLOAT, [5])],
        [value("rows", TensorProto.FLOAT, ["cells", ROW])], list(b.constants.values()),
    )
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def geometry(b: Builder, w: Weights) -> Quantised:
    """The 1x1 over the view rays: slope x + slope y + constant, as an outer sum [1, h8, w8, 48]."""
    weight, bias = w.convs["geometry"]
    kx, ky, kb = weight[:, :, 0, 0].T
    b.add("Split", ["calibration", b.ints(1, 1, 1, 1, 1)], "calibration", outputs=5, axis=0)
    fx, fy, cx, cy, baseline = (f"calibration.{i}" for i in range(5))
    size = b.add("Shape", ["prior"], "size8")
    for axis, index, centre, focal, k, shape in (("x", 3, cx, fx, kx, (1, 1, -1, 1)), ("y", 2, cy, fy, ky, (1, -1, 1, 1))):
        count = b.add("Gather", [size, b.constant(np.array(index, np.int64))], f"{axis}.count", axis=0)
        steps = b.add("Range", [b.constant(np.array(0, np.int64)), count, b.constant(np.array(1, np.int64))], f"{axis}.steps")
        pixel = b.add("Mul", [b.add("Cast", [steps], f"{axis}.float", to=TensorProto.FLOAT), b.float(8)], f"{axis}.corner")
        pixel = b.add("Add", [pixel, b.float(3.5)], f"{axis}.pixel")
        slope = b.add("Div", [b.add("Sub", [pixel, centre], f"{axis}.off"), focal], f"{axis}.slope")
        b.add("Mul", [b.add("Reshape", [slope, b.ints(*shape)], f"{axis}.line"), b.constant(k)], axis)
    strength = b.add("Log", [b.add("Mul", [fx, baseline], "fb")], "log_fb")
    offset = b.add("Add", [b.add("Mul", [strength, b.constant(kb / 4)], "fb.scaled"), b.constant(bias)], "fb.offset")
    outer = b.add("Add", [b.add("Add", ["x", offset], "x.offset"), "y"], "geometry.float")
    q = Quantised.of("geometry", b.ranges["geometry"])
    b.add("QuantizeLinear", [outer, *b.quantiser(q)], "geometry")
    return q


def disparities(b: Builder, w: Weights, x8: Quantised) -> str:
    """`matched` and `coarse`, px, and `hidden`, float [1, 1, cells] each; returns the name of the bytes [1, h4, w4, KNOWN + 16]:
    known, match."""
    scores = b.linear(x8, *w.convs["bins"], "scores")
    costs = b.add("Reshape", ["prior", b.ints(BINS - 1, -1)], "costs")
    cells8 = b.add("Slice", [b.add("Shape", [costs], "costs.shape"), b.ints(1), b.ints(2)], "cells8")
    one = b.add("Concat", [b.ints(1), cells8], "one", axis=0)
    none = b.add("ConstantOfShape", [one], "none", value=helper.make_tensor("zero", TensorProto.UINT8, [1], [0]))
    padded = b.add("Transpose", [b.add("Concat", [costs, none], "costs.padded", axis=0)], "costs.rows", perm=[1, 0])
    cost = b.add("DequantizeLinear", [padded, b.float(abs(w.prior)), b.byte(0)], "cost")
    logits = b.add("Sub" if w.prior >= 0 else "Add", [scores, cost], "logits")

    best = b.add("ArgMax", [logits], "best", axis=1, keepdims=1)
    free = b.add("Add", [best, b.ints(-1, 0, 1)], "taps.free")
    taps = b.add("Clip", [free, b.constant(np.array(0, np.int64)), b.constant(np.array(BINS - 1, np.int64))], "taps")
    high = b.add("GatherElements", [logits, taps], "taps.logits", axis=1)
    share = b.add("Softmax", [high], "taps.share", axis=1)
    pixels = b.add("Mul", [b.add("Cast", [taps], "taps.float", to=TensorProto.FLOAT), b.float(PIXELS_PER_BIN)], "taps.px")
    coarse8 = b.add("ReduceSum", [b.add("Mul", [share, pixels], "taps.shared"), b.ints(1)], "coarse8", keepdims=1)
    shape8 = b.add("Concat", [b.ints(1, 1), b.add("Slice", ["size8", b.ints(2), b.ints(4)], "size8.hw")], "size8.planar", axis=0)
    twice = b.constant(np.array([1, 1, 2, 2], np.float32))
    image = b.add("Reshape", [coarse8, shape8], "coarse8.image")
    nearest = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    image = b.add("Resize", [image, "", twice], "coarse.image", **nearest)
    coarse = b.add("Reshape", [image, b.ints(1, 1, -1)], "coarse")

    planes = b.add("Reshape", ["match", b.ints(1, 16, -1)], "planes")
    b.add("Split", [planes, b.ints(1, 1, 5, 1, 6, 1, 1)], "plane", outputs=7, axis=1)

    def real(plane: int, step: float, zero: int, name: str) -> str:
        return b.add("DequantizeLinear", [f"plane.{plane}", b.float(step), b.byte(zero)], name)

    def share(of: str, name: str) -> str:
        return b.add("Clip", [of, b.float(0), b.float(1)], name)

    winner = b.add("Add", [real(0, 1, 0, "whole"), real(1, 1 / 32, 128, "fraction")], "winner")
    covered, behind = real(5, 1, 0, "covered"), real(6, 1, 0, "behind")
    beyond = share(b.add("Sub", [covered, b.float(COVERED_PX)], "rim"), "beyond")
    hidden = b.add("Mul", [beyond, share(real(3, 1, 0, "difference"), "disagree")], "hidden")
    nearer = b.add("Sub", [winner, behind], "nearer")
    matched = b.add("Sub", [winner, b.add("Mul", [hidden, nearer], "nearer.hidden")], "matched")
    apart, farther = b.add("Sub", [matched, coarse], "apart"), b.add("Sub", [behind, coarse], "farther")
    known = b.add("Concat", [coarse, apart, apart, apart, farther, nearer, covered], "known", axis=1)
    quantiser = [b.constant((KNOWN_STEP * KNOWN_PX).astype(np.float32)), b.constant(KNOWN_ZERO.astype(np.uint8))]
    known = b.add("QuantizeLinear", [known, *quantiser], "known.bytes", axis=1)  # clips to 2 windows, as the float graph does
    rows = b.add("Transpose", [b.add("Concat", [known, planes], "bytes.planes", axis=1)], "bytes.rows", perm=[0, 2, 1])
    size4 = b.add("Slice", [b.add("Shape", ["evidence"], "evidence.shape"), b.ints(0), b.ints(3)], "size4")
    shape = b.add("Concat", [size4, b.ints(KNOWN + 16)], "bytes.shape", axis=0)
    return b.add("Reshape", [rows, shape], "bytes.image")


def write_rows(b: Builder, w: Weights, x: Quantised) -> None:
    """The head, planar and float, on what `disparities` wrote: rows = transpose of [m1, m2, s1, s2, weight, context, zeros]."""
    pad = ROW - HEAD
    (weight, bias), (lift, _) = w.convs["head"], w.convs["hidden"]
    weight = np.pad(weight * HEAD_PX[:, None, None, None].astype(np.float32), ((0, pad), (0, 0), (0, 0), (0, 0)))
    bias = np.pad((bias * HEAD_PX).astype(np.float32), (0, pad))
    # planes of 3 axes: the reshape keeps ONNX Runtime from moving the transpose past the plane-wise operations
    planar = b.add("Transpose", [b.linear(x, weight, bias, "head")], "head.planar", perm=[1, 0])
    o = b.add("Reshape", [planar, b.ints(1, ROW, -1)], "o")
    b.add("Split", [o, b.ints(1, 1, 1, 1, 1, ROW - 5)], "part", outputs=6, axis=1)

    def lifted(part: str, i: int, name: str) -> str:
        seen = b.add("Mul", [part, "seen"], f"{name}.seen")
        return b.add("Add", [seen, b.add("Mul", ["hidden", b.float(lift[i, 0, 0, 0])], f"{name}.lift")], f"{name}.lifted")

    b.add("Sub", [b.float(1), "hidden"], "seen")
    first = b.add("Add", ["matched", b.add("Mul", ["part.0", "seen"], "m1.offset")], "m1.free")
    second = b.add("Add", ["coarse", "part.1"], "m2.free")
    m = b.add("Clip", [b.add("Concat", [first, second], "m.free", axis=1), b.float(-2), b.float(260)], "m")
    wide = b.add("Concat", [lifted("part.2", 0, "s1"), "part.3"], "s.free", axis=1)
    # softplus(x) = max(x, 0) - log(sigmoid(|x|)): vectorised, while ONNX Runtime's Softplus is not (0.5 ms here)
    small = b.add("Log", [b.add("Sigmoid", [b.add("Abs", [wide], "s.abs")], "s.sigmoid")], "s.log")
    least = b.constant(np.array([[[0.03], [0.1]]], np.float32))
    s = b.add("Add", [b.add("Sub", [b.add("Relu", [wide], "s.relu"), small], "s.soft"), least], "s")
    planes = b.add("Concat", [m, s, b.add("Sigmoid", [lifted("part.4", 1, "weight")], "weight"), "part.5"], "rows.planar", axis=1)
    b.add("Transpose", [b.add("Reshape", [planes, b.ints(ROW, -1)], "rows.flat")], "rows", perm=[1, 0])
