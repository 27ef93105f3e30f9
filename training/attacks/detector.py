"""The default detector (build/centernet/model.onnx) in torch, to differentiate it, and the letterbox before it.

Canvas: float32 [N, H, W, 3], RGB 0..255, H and W multiples of 32, as src/detect/letterbox.ts makes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

FOLDER = Path(__file__).resolve().parents[2] / "build/centernet"
STRIDE = 4

Operation = Callable[..., torch.Tensor]


def _convolve(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, *, pads: list[int], strides: list[int], group: int, kernel_shape: list[int]) -> torch.Tensor:
    top, left, bottom, right = pads
    if (top, left) != (bottom, right):
        x, top, left = F.pad(x, (left, right, top, bottom)), 0, 0
    return F.conv2d(x, weight, bias, strides, (top, left), groups=group)


def _double(x: torch.Tensor, _roi: None, scales: torch.Tensor, *, mode: bytes, coordinate_transformation_mode: bytes) -> torch.Tensor:
    """Linear resize to twice the size in which old pixels stay and new ones lie half-way to the next."""
    if (mode, coordinate_transformation_mode, scales.tolist()) != (b"linear", b"asymmetric", [1, 1, 2, 2]):
        raise ValueError(f"a resize by {scales.tolist()} ({mode}, {coordinate_transformation_mode}), wanted linear, asymmetric, by [1, 1, 2, 2]")
    for axis in (2, 3):
        after = torch.cat([x.narrow(axis, 1, x.shape[axis] - 1), x.narrow(axis, x.shape[axis] - 1, 1)], axis)
        x = torch.stack([x, (x + after) / 2], axis + 1).flatten(axis, axis + 1)
    return x


OPERATIONS: dict[str, Operation] = {
    "Add": lambda a, b: a + b,
    "Cast": lambda x, to: x.float(),
    "Clip": lambda x, low, high: x.clamp(low, high),
    "Concat": lambda *parts, axis: torch.cat(parts, axis),
    "Conv": _convolve,
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "Identity": lambda x: x,
    "Mul": lambda a, b: a * b,
    "Relu": torch.relu,
    "Resize": _double,
    "Sigmoid": torch.sigmoid,
    "Transpose": lambda x, perm: x.permute(perm),
}  # fmt: skip


class Detector(torch.nn.Module):
    """Walks an ONNX graph node by node. Weights are fixed; an operation that is not in OPERATIONS is refused."""

    def __init__(self, folder: Path = FOLDER) -> None:
        """folder: the product's model folder. Raises FileNotFoundError with the remedy where it is absent."""
        super().__init__()
        if not (folder / "manifest.json").exists():
            raise FileNotFoundError(f"{folder} holds no manifest.json: run `node tools/setup.mjs`, which converts the default detector")
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.classes: list[str] = self.manifest["classes"]
        graph = onnx.load(str(folder / self.manifest["graph"]["file"])).graph
        constants = {each.name: torch.from_numpy(numpy_helper.to_array(each).copy()) for each in graph.initializer}
        self.nodes: list[tuple[Operation, list[str], str, dict]] = []
        for node in graph.node:
            if node.op_type not in OPERATIONS:
                raise ValueError(f"{node.name or node.output[0]} is of the kind {node.op_type}, which is not translated")
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            step = OPERATIONS[node.op_type], list(node.input), node.output[0], attributes
            if all(name in constants for name in node.input):  # weights stored as float16
                constants[step[2]] = step[0](*(constants[name] for name in step[1]), **attributes)
            else:
                self.nodes.append(step)
        used = {name for _, inputs, _, _ in self.nodes for name in inputs}
        self.constants = {name: value for name, value in constants.items() if name in used}

        self.means = tuple(output for operation, _, output, _ in self.nodes if operation is OPERATIONS["GlobalAveragePool"])

    def forward(self, canvas: torch.Tensor, names: tuple[str, ...] = ("heat", "size", "tap"), given: dict[str, torch.Tensor] | None = None) -> dict[str, torch.Tensor]:
        """The named values of the graph: heat [N, 80, h, w] 0..1, size [N, 4, h, w] pixels left, top, right, bottom, tap [N, 24, h, w]; h, w at stride 4.

        given: values not to be computed. With `self.means` of the whole canvas, a part of it (its corner at multiples of 32)
        answers much as it does within the whole.
        """
        values: dict[str, torch.Tensor | None] = {**self.constants, **(given or {}), "": None, "image": canvas}
        needed = self._needed(names, given or {})
        missing = set(names)
        for step, (operation, inputs, output, attributes) in enumerate(self.nodes):
            if step not in needed:
                continue
            values[output] = operation(*(values[name] for name in inputs), **attributes)
            missing.discard(output)
        if missing:
            raise KeyError(f"the graph has no value {sorted(missing)}")
        return {name: values[name] for name in names}

    def _needed(self, names: tuple[str, ...], given: dict[str, torch.Tensor]) -> set[int]:
        """Numbers of the nodes that the names depend on."""
        wanted, needed = set(names), set()
        for step in range(len(self.nodes) - 1, -1, -1):
            _, inputs, output, _ = self.nodes[step]
            if output in wanted and output not in given:
                needed.add(step)
                wanted.update(inputs)
        return needed


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies in its canvas, pixels: resized to width x height at (left, top); scale is canvas by image pixels, x and y."""

    canvas: tuple[int, int]
    width: int
    height: int
    left: int
    top: int
    scale: tuple[float, float]

    def box(self, box: np.ndarray) -> np.ndarray:
        """Boxes [..., 4] (left, top, right, bottom) of the image in canvas pixels."""
        return np.asarray(box) * np.tile(self.scale, 2) + np.tile((self.left, self.top), 2)


def plan_letterbox(width: int, height: int, bound: int = 512, multiple: int = 32) -> Letterbox:
    """As planLetterbox of src/detect/letterbox.ts for the default detector: centred, canvas (width, height) cut to multiples."""
    scale = min(bound / width, bound / height)
    w, h = (min(bound, max(1, math.floor(pixels * scale + 0.5))) for pixels in (width, height))
    canvas = tuple(math.ceil(pixels / multiple) * multiple for pixels in (w, h))
    return Letterbox(canvas, w, h, (canvas[0] - w) // 2, (canvas[1] - h) // 2, (w / width, h / height))


def letterbox(image: torch.Tensor | np.ndarray) -> tuple[torch.Tensor, Letterbox]:
    """Canvas [1, H, W, 3] of an RGB image [h, w, 3], 0..255: linear, below half the size with a triangle filter, on black."""
    plan = plan_letterbox(image.shape[1], image.shape[0])
    pixels = torch.as_tensor(image).permute(2, 0, 1)[None].float()
    small = F.interpolate(pixels, (plan.height, plan.width), mode="bilinear", antialias=min(plan.scale) < 0.5)
    right, below = plan.canvas[0] - plan.width - plan.left, plan.canvas[1] - plan.height - plan.top
    return F.pad(small, (plan.left, right, plan.top, below)).permute(0, 2, 3, 1), plan


def window(boxes: np.ndarray, canvas: tuple[int, int], margin: int = 32) -> tuple[int, int, int, int]:
    """The part of a canvas (width, height) that holds boxes [N, 4] and `margin` pixels around: left, top, right, bottom, multiples of 32."""
    low = [max(0, math.floor((edge - margin) / 32) * 32) for edge in boxes[:, :2].min(0)]
    high = [min(n, math.ceil((edge + margin) / 32) * 32) for edge, n in zip(boxes[:, 2:].max(0), canvas)]
    return (*low, *high)


def cell_boxes(size: torch.Tensor) -> torch.Tensor:
    """The box of each cell, canvas pixels [N, h, w, 4] (left, top, right, bottom), of the graph's `size`."""
    y, x = torch.meshgrid(*(STRIDE * torch.arange(n, dtype=size.dtype) for n in size.shape[2:]), indexing="ij")
    return torch.stack([x - size[:, 0], y - size[:, 1], x + size[:, 2], y + size[:, 3]], -1)


def iou(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """Intersection over union of boxes [..., 4] (left, top, right, bottom), broadcast."""
    low, high = torch.maximum(a[..., :2], b[..., :2]), torch.minimum(a[..., 2:], b[..., 2:])
    common = (high - low).clamp(min=0).prod(-1)
    areas = [(each[..., 2:] - each[..., :2]).clamp(min=0).prod(-1) for each in (a, b)]
    return common / (areas[0] + areas[1] - common).clamp(min=1e-9)
