"""The left pictures of the clips of attacks.clips, frame by frame, with the product's defence off and, if it has one, on.

    python -m attacks.evaluate_clips DIR [--product ROOT] [--json F] [--sheet F.png]

What stereo and time add is measured by attacks.evaluate_stereo. As in attacks.evaluate, of a creation it is the success of the
attack that is counted. `back_after`: frames from the start until the product is right for good.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from .evaluate import holds
from .product import ROOT, detect, knows
from .sheet import cell_of
from .targets import read_rgb

VARIANTS = ("clean", "grey", "attacked")


def targets_of(index: dict) -> list[dict]:
    """The target of each frame, as attacks.evaluate has them."""
    found = []
    for frame in index["frames"]:
        corners = np.array(frame["corners"]) + 0.5
        found.append({"file": f"{frame['pair']}.png", "kind": index["kind"], "class": index["class"], "box": frame["box"], "patch": [*corners.min(0), *corners.max(0)]})
    return found


def until_back(hits: list[bool]) -> int:
    """Frames before the first from which on all are right; all of them where the last is wrong."""
    return len(hits) - next((i for i, hit in enumerate(reversed(hits)) if not hit), len(hits))


def runs_of(folder: Path, product: Path) -> dict[str, dict[str, dict]]:
    """Lines by way of running and file name."""
    if not knows(product, "detect", "--defence"):
        return {"": detect(folder / "left", root=product)}
    return {"": detect(folder / "left", "--defence", "off", root=product), "defended": detect(folder / "left", "--defence", "on", root=product)}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--product", type=Path, default=ROOT, help="checkout whose commands are run (default: this one)")
    p.add_argument("--json", type=Path, help="default: DIR/result.json")
    p.add_argument("--sheet", type=Path, help="default: DIR/sheet.png")
    a = p.parse_args()
    said, bands = [], []
    for path in sorted(a.folder.glob("*-grey/index.json")):
        name = path.parent.name.removesuffix("-grey")
        clip: dict = {"clip": name, "share": {}, "back_after": {}, "found": {}}
        for variant in VARIANTS:
            folder = a.folder / f"{name}-{variant}"
            if not (folder / "index.json").exists():
                continue
            index = json.loads((folder / "index.json").read_text())
            clip |= {key: index[key] for key in ("class", "mesh", "creates", "board_m")}
            targets = targets_of(index)
            for run, lines in runs_of(folder, a.product).items():
                key = f"{variant} {run}".strip()
                hits = [holds(lines[t["file"]], t, index["creates"]) for t in targets]
                clip["found"][key], clip["share"][key] = hits, round(float(np.mean(hits)), 3)
                clip["back_after"][key] = until_back([hit != index["creates"] for hit in hits])
                chosen = targets[:: max(1, len(targets) // 7)][:8]
                bands.append(np.hstack([cell_of(read_rgb(folder / "left" / t["file"]), lines[t["file"]], t, f"{name} {key} {t['file'][:-4]}") for t in chosen]))
        said.append(clip)
        print(json.dumps({key: value for key, value in clip.items() if key != "found"}), flush=True)
    (a.json or a.folder / "result.json").write_text(json.dumps({"clips": said}, indent=1) + "\n")
    cv2.imwrite(str(a.sheet or a.folder / "sheet.png"), np.vstack(bands)[..., ::-1])


if __name__ == "__main__":
    main()
