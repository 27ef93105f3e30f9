"""Average precision of detections as COCO counts it (pycocotools).

    voxelguard detect IMAGES --score 0.01 > detections.jsonl
    python -m voxeltrain.coco_ap detections.jsonl --labels LABELS [--json F]

LABELS: a folder with NAME.txt for each NAME.jpg: YOLO text, `class cx cy w h` a line, shares of the image. An image
without a file there is refused; an empty file means no object. Crowds are not labelled, so nothing is ignored. Classes
that no label names do not count.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
from pathlib import Path

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

FIGURES = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100")


def read_labels(path: Path, width: int, height: int) -> list[tuple[int, list[float]]]:
    """Class and box (left, top, width, height, pixels) of each line."""
    boxes = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fields = line.split()
        if len(fields) != 5:
            raise ValueError(f"{path}, line {number}: {len(fields)} fields, wanted class cx cy w h")
        cx, cy, w, h = map(float, fields[1:])
        boxes.append((int(fields[0]), [(cx - w / 2) * width, (cy - h / 2) * height, w * width, h * height]))
    return boxes


def score(lines: list[dict], labels: Path) -> dict[str, float]:
    """COCO's figures of the lines that `voxelguard detect` printed."""
    images, truths, found = [], [], []
    for number, line in enumerate(lines, 1):
        if "error" in line:
            raise ValueError(f"{line['image']}: {line['error']['message']}")
        images.append({"id": number, "width": line["width"], "height": line["height"]})
        path = labels / f"{Path(line['image']).stem}.txt"
        for kind, box in read_labels(path, line["width"], line["height"]):
            truths.append({"id": len(truths) + 1, "image_id": number, "category_id": kind, "bbox": box,
                           "area": box[2] * box[3], "iscrowd": 0})
        for each in line["detections"]:
            left, top, right, bottom = each["box"]
            found.append({"image_id": number, "category_id": each["class_id"], "score": each["score"],
                          "bbox": [left, top, right - left, bottom - top]})
    kinds = sorted({truth["category_id"] for truth in truths})
    coco = COCO()
    coco.dataset = {"info": {}, "images": images, "annotations": truths, "categories": [{"id": kind} for kind in kinds]}
    # It prints what it does.
    with contextlib.redirect_stdout(io.StringIO()):
        coco.createIndex()
        if not found:
            return dict.fromkeys(FIGURES, 0.0)
        evaluation = COCOeval(coco, coco.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return dict(zip(FIGURES, map(float, evaluation.stats), strict=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lines", type=Path)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    args = parser.parse_args()
    lines = [json.loads(line) for line in args.lines.read_text().splitlines()]
    figures = score(lines, args.labels)
    print(f"{len(lines)} images: " + ", ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    if args.json is not None:
        args.json.write_text(json.dumps({"images": len(lines), **figures}, indent=2))


if __name__ == "__main__":
    main()
