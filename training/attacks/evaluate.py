"""What an attack costs the product and what its defence gives back.

    python -m attacks.evaluate DIR [--patrol SHARE] [--product ROOT] [--json F] [--sheet F.png]

DIR: a folder that attacks.stills wrote. Runs `voxelguard detect` of the product in ROOT over the clean pictures, the same with a
grey square or with OpenCV's inpainting (Telea) where the patch is, the attacked ones, and, if the product has it, over the
clean and the attacked ones with --defence on. An object is found where a detection of its class scores at least 0.4 and overlaps
its label by at least half. Of a creation, a detection of the wanted class at least half of which lies on the patch, or which
holds its middle and is at most four times as large, is a success of the attack.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from .detector import iou
from .product import ROOT, detect, knows
from .sheet import draw
from .targets import DATA, IOU, SCORE, read_rgb

GREY = 128


def variant(image: np.ndarray, patch: list[int], what: str) -> np.ndarray:
    """The clean picture with the patch's place made grey or inpainted."""
    left, top, right, bottom = patch
    if what == "grey":
        image = image.copy()
        image[top:bottom, left:right] = GREY
    elif what == "oracle":
        mask = np.zeros(image.shape[:2], np.uint8)
        mask[top:bottom, left:right] = 255
        image = cv2.inpaint(image, mask, 3, cv2.INPAINT_TELEA)
    return image


def holds(line: dict, target: dict, creates: bool) -> bool:
    """Whether the target is found (of a creation: whether what was wanted appears)."""
    for each in line["detections"]:
        if each["class_id"] != target["kind"] or each["score"] < SCORE:
            continue
        box, patch = np.array(each["box"]), np.array(target["patch"])
        if not creates:
            if iou(torch.tensor(each["box"]), torch.tensor(target["box"])) >= IOU:
                return True
            continue
        size, area = np.prod(box[2:] - box[:2]), np.prod(patch[2:] - patch[:2])
        common = np.prod(np.clip(np.minimum(box[2:], patch[2:]) - np.maximum(box[:2], patch[:2]), 0, None))
        middle = (patch[:2] + patch[2:]) / 2
        if common >= size / 2 or (size <= 4 * area and (box[:2] < middle).all() and (middle < box[2:]).all()):
            return True
    return False


def misplaced(line: dict, patch: list[int] | None) -> int:
    """Masks that do not touch the patch (None: all of them)."""
    boxes = [mask["box"] for mask in line.get("masks", [])]
    return len(boxes) if patch is None else sum(float(iou(torch.tensor(box), torch.tensor(patch, dtype=torch.float))) == 0 for box in boxes)


def recovery(rates: dict[str, float], ceiling: str) -> float | None:
    """Share of the way from attacked to `ceiling` that the defence goes; None where the attack cost nothing."""
    way = rates[ceiling] - rates["attacked"]
    return None if "defended" not in rates or way == 0 else round((rates["defended"] - rates["attacked"]) / way, 4)


def run_variants(index: dict, folder: Path, product: Path, options: tuple[str, ...] = ()) -> dict[str, dict[str, dict]]:
    """The product's lines by variant and file name. options: of `detect`, besides --defence on."""
    defended = knows(product, "detect", "--defence")
    off = ["--defence", "off"] if defended else []
    lines = {}
    with tempfile.TemporaryDirectory() as below:
        for what in ("clean", "grey", "oracle", "attacked"):
            pictures = Path(below) / what
            pictures.mkdir()
            for target in index["targets"]:
                if what == "attacked":
                    (pictures / target["file"]).symlink_to((folder / target["file"]).resolve())
                else:
                    image = variant(read_rgb(DATA / target["image"]), target["patch"], what)
                    cv2.imwrite(str(pictures / target["file"]), image[..., ::-1])
            lines[what] = detect(pictures, *off, root=product)
            if defended and what in ("clean", "attacked"):
                lines["defended" if what == "attacked" else "clean_defended"] = detect(pictures, "--defence", "on", *options, root=product)
    return lines


def summary(index: dict, lines: dict[str, dict[str, dict]]) -> dict:
    """Recall by variant, together and by class, recovery, false masks and passes."""
    targets, creates = index["targets"], index["creates"]
    hits = {what: np.array([holds(line[t["file"]], t, creates) for t in targets]) for what, line in lines.items()}
    rates = {what: round(float(hit.mean()), 4) for what, hit in hits.items()}
    classes = sorted({t["class"] for t in targets})
    of_class = {name: np.array([t["class"] == name for t in targets]) for name in classes}
    area = [t["area_share"] for t in targets]
    said = {
        **{k: v for k, v in index.items() if k != "targets"},
        "score": SCORE, "iou": IOU, "targets": len(targets),
        "patch_side_px": {"min": min(t["patch"][2] - t["patch"][0] for t in targets), "max": max(t["patch"][2] - t["patch"][0] for t in targets)},
        "area_share": {"min": min(area), "mean": round(float(np.mean(area)), 4), "max": max(area)},
        "created" if creates else "recall": rates,
        "by_class": {name: {"targets": int(of.sum()), **{what: round(float(hit[of].mean()), 4) for what, hit in hits.items()}} for name, of in of_class.items()},
    }  # fmt: skip
    if "defended" in lines:
        said["recovery"] = {"of_clean": recovery(rates, "clean")} if creates else {"of_oracle": recovery(rates, "oracle"), "of_grey": recovery(rates, "grey")}
        said["false_masks"] = {
            "clean": sum(misplaced(lines["clean_defended"][t["file"]], None) for t in targets),
            "attacked": sum(misplaced(lines["defended"][t["file"]], t["patch"]) for t in targets),
        }
        passes = {what: [line.get("passes", 1) for line in lines[what].values()] for what in ("clean_defended", "defended")}
        said["passes"] = {what: {"mean": round(float(np.mean(n)), 3), "p99": float(np.percentile(n, 99)), "max": max(n)} for what, n in passes.items()}
    return said


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--patrol", help="given to `detect` (default: its own)")
    p.add_argument("--product", type=Path, default=ROOT, help="checkout whose `detect` is run (default: this one)")
    p.add_argument("--json", type=Path, help="default: DIR/result.json")
    p.add_argument("--sheet", type=Path, help="default: DIR/sheet.png")
    a = p.parse_args()
    index = json.loads((a.folder / "index.json").read_text())
    lines = run_variants(index, a.folder, a.product, ("--patrol", a.patrol) if a.patrol else ())
    said = summary(index, lines) | ({"patrol": float(a.patrol)} if a.patrol else {})
    hits = {what: [holds(line[t["file"]], t, index["creates"]) for t in index["targets"]] for what, line in lines.items()}
    (a.json or a.folder / "result.json").write_text(json.dumps({**said, "found": hits}, indent=1) + "\n")
    draw(index, a.folder, lines, a.sheet or a.folder / "sheet.png")
    print(json.dumps(said))


if __name__ == "__main__":
    main()
