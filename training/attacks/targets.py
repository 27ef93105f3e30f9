"""What is attacked: labelled persons and cars that the detector finds, and background where it finds nothing."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from voxeltrain.coco_ap import read_labels

from .detector import Detector, cell_boxes, iou, letterbox

DATA = Path(os.environ.get("VOXELGUARD_DATA", Path(__file__).resolve().parents[3] / "shared/data"))
SCORE, IOU = 0.4, 0.5  # what counts as found
PERSON, CAR = 0, 2
SPLITS = {"coco_val": "open/detect/coco_val", "voc100": "open/detect/voc100", "coco_train": "train/detect/coco_train", "carla": "train/detect/carla"}
CARLA = {0: CAR}  # its own class numbers
SIDE = {PERSON: 0.18, CAR: 0.3}  # of the patch, shares of the box height: about 6 % of the box's area, both
LEAST_SIDE = 10  # canvas pixels
PER_IMAGE = 2


@dataclass(frozen=True)
class Target:
    """image: below DATA; kind: COCO class; boxes are left, top, right, bottom in pixels of the image, the patch's whole ones."""

    image: str
    kind: int
    box: tuple[float, ...]
    patch: tuple[int, ...]

    @property
    def area(self) -> float:
        """Area of the patch as a share of the box."""
        (l, t, r, b), (pl, pt, pr, pb) = self.box, self.patch
        return (pr - pl) * (pb - pt) / ((r - l) * (b - t))


def read_rgb(path: Path) -> np.ndarray:
    """RGB uint8 [H, W, 3]."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ValueError(f"{path} is no picture that OpenCV reads")
    return np.ascontiguousarray(image[..., ::-1])


def square(cx: float, cy: float, side: float, width: int, height: int) -> tuple[int, ...]:
    """A square of whole pixels about a point, moved to lie inside the image."""
    side = min(max(4, round(side)), width, height)
    left, top = (int(np.clip(round(c - side / 2), 0, n - side)) for c, n in ((cx, width), (cy, height)))
    return left, top, left + side, top + side


def found(detector: Detector, image: np.ndarray) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Classes [K], scores [K] and boxes [K, 4] (image pixels) of what the detector finds in an RGB image, not suppressed."""
    canvas, plan = letterbox(image)
    with torch.no_grad():
        out = detector(canvas, ("heat", "size"))
    heat = out["heat"][0]
    peak = (heat == F.max_pool2d(heat, 3, 1, 1)) & (heat >= SCORE)
    kind, y, x = peak.nonzero(as_tuple=True)
    shift, scale = torch.tensor((plan.left, plan.top) * 2), torch.tensor(plan.scale * 2)
    return kind, heat[kind, y, x], (cell_boxes(out["size"])[0, y, x] - shift) / scale


def objects(detector: Detector, split: str) -> Iterator[Target]:
    """Persons and cars of a split that are found, at most PER_IMAGE an image, the largest first; the patch at the box's centre."""
    folder = DATA / SPLITS[split]
    for path in sorted((folder / "images").glob("*.jpg")):
        image = read_rgb(path)
        height, width = image.shape[:2]
        truths = []
        for kind, (left, top, w, h) in read_labels(folder / "labels" / f"{path.stem}.txt", width, height):
            kind = CARLA.get(kind, -1) if split == "carla" else kind
            if kind in SIDE and SIDE[kind] * h * min(512 / width, 512 / height) >= LEAST_SIDE:
                truths.append((w * h, kind, (left, top, left + w, top + h)))
        if not truths:
            continue
        kinds, _, boxes = found(detector, image)
        taken = 0
        for _, kind, box in sorted(truths, reverse=True):
            if taken < PER_IMAGE and (iou(boxes[kinds == kind], torch.tensor(box)) >= IOU).any():
                taken += 1
                patch = square((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, SIDE[kind] * (box[3] - box[1]), width, height)
                yield Target(str(path.relative_to(DATA)), kind, tuple(round(c, 2) for c in box), patch)


def backgrounds(detector: Detector, split: str, share: float = 0.25, clear: float = 0.3) -> Iterator[Target]:
    """A square of `share` of the shorter side an image, on background: `clear` sides away from all that is labelled or found.

    Seeded by the image's name; images without such a place are left out. Persons and cars take turns.
    """
    folder = DATA / SPLITS[split]
    count = 0
    for path in sorted((folder / "images").glob("*.jpg")):
        image = read_rgb(path)
        height, width = image.shape[:2]
        rng = np.random.default_rng(zlib.crc32(path.name.encode()))
        labels = [(l, t, l + w, t + h) for _, (l, t, w, h) in read_labels(folder / "labels" / f"{path.stem}.txt", width, height)]
        taken = np.concatenate([np.array(labels).reshape(-1, 4), found(detector, image)[2].numpy()])
        side = share * min(width, height)
        for _ in range(60):
            x, y = rng.uniform(0.6 * side, width - 0.6 * side), rng.uniform(0.6 * side, height - 0.6 * side)
            reach = side * (0.5 + clear)
            if not ((taken[:, 0] < x + reach) & (taken[:, 2] > x - reach) & (taken[:, 1] < y + reach) & (taken[:, 3] > y - reach)).any():
                patch = square(x, y, side, width, height)
                yield Target(str(path.relative_to(DATA)), (PERSON, CAR)[count % 2], tuple(map(float, patch)), patch)
                count += 1
                break
