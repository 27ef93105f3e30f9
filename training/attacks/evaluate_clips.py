"""The clips of attacks.clips frame by frame: what the product finds in their left pictures, and with stereo and time.

    python -m attacks.evaluate_clips DIR [--product ROOT] [--json F] [--sheet F.png] [--replay OPTION ...]

`detect` sees the left pictures one by one, with the defence off and, if the product has one, on. `replay --detect` sees the pairs as
a recording, without (`tracked`) and with (`stereo`) the evidence of the voxels; there an object counts where a track of its class
overlaps it by half and is not demoted, seen or held. Of a creation it is the success of the attack that is counted: a detection
on the board, a track that is not demoted.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from .evaluate import holds
from .product import ROOT, detect, knows, replay
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


def standing(line: dict, target: dict) -> dict:
    """A replayed frame with only the tracks that a user would believe, in the form of `detect`."""
    believed = [each for each in line["detections"] if each["class"] == target["class"] and each["status"] != "demoted"]
    masks = [mask if isinstance(mask, dict) else {"box": mask} for mask in line.get("masks", [])]
    return {**line, "masks": masks, "detections": [{**each, "class_id": target["kind"], "score": 1.0} for each in believed]}


def until_back(hits: list[bool]) -> int:
    """Frames from the start to the first from which on the target is never lost again."""
    return len(hits) - next((i for i, hit in enumerate(reversed(hits)) if not hit), len(hits))


def runs_of(folder: Path, product: Path, extra: list[str]) -> dict[str, dict[str, dict]]:
    """Lines by way of running and file name."""
    pictures = sorted(path.name for path in (folder / "left").iterdir())
    runs = {"": detect(folder / "left", *(["--defence", "off"] if knows(product, "detect", "--defence") else []), root=product)}
    if knows(product, "detect", "--defence"):
        runs["defended"] = detect(folder / "left", "--defence", "on", root=product)
    if knows(product, "replay", "--objects"):
        for name, options in (("tracked", ["--no-evidence-enabled"]), ("stereo", [])):
            runs[name] = dict(zip(pictures, replay(folder, *options, *extra, root=product), strict=True))
    return runs


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--product", type=Path, default=ROOT, help="checkout whose commands are run (default: this one)")
    p.add_argument("--json", type=Path, help="default: DIR/result.json")
    p.add_argument("--sheet", type=Path, help="default: DIR/sheet.png")
    p.add_argument("--replay", nargs="+", default=["--voxel-size=0.2", "--max-range=12.8"], metavar="OPTION", help="further options of replay (default: %(default)s)")
    a = p.parse_args()
    said, bands = [], []
    for path in sorted(a.folder.glob("*-clean/index.json")):
        name = path.parent.name.removesuffix("-clean")
        clip: dict = {"clip": name, "share": {}, "back_after": {}, "found": {}}
        for variant in VARIANTS:
            folder = a.folder / f"{name}-{variant}"
            if not (folder / "index.json").exists():
                continue
            index = json.loads((folder / "index.json").read_text())
            clip |= {key: index[key] for key in ("class", "mesh", "creates", "board_m")}
            targets = targets_of(index)
            for run, lines in runs_of(folder, a.product, a.replay).items():
                if run in ("tracked", "stereo"):
                    lines = {t["file"]: standing(lines[t["file"]], t) for t in targets}
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
