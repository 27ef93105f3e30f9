"""The left pictures of the clips of attacks.clips, as a recording, with the product's defence off and, if it has one, on.

    python -m attacks.evaluate_clips DIR [--patrol SHARE] [--product ROOT] [--json F] [--sheet F.png]

What stereo adds is measured by attacks.evaluate_stereo. As in attacks.evaluate, of a creation it is the success of the
attack that is counted. `back_after`: frames from the start until the product is right for good. `cost`: passes of the network,
windows looked into in one frame, frames with a mask. `oracle`: the attacked frames with the patch's place inpainted (Telea), which is
the ceiling of `recovery`.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import cv2
import numpy as np

from .evaluate import holds, recovery, variant
from .product import ROOT, command, detect, knows, recorded
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


def runs_of(folder: Path, product: Path, names: list[str], options: tuple[str, ...]) -> dict[str, dict[str, dict]]:
    """Lines by way of running and file name; the clip as one recording, so that the defence remembers. `options`: of the defence."""
    with tempfile.TemporaryDirectory() as below:
        bag = recorded(folder, Path(below), product)
        runs = {"": "off", "defended": "on"} if knows(product, "detect", "--defence") else {"": None}
        found = {}
        for run, defence in runs.items():
            more = [] if defence is None else ["--defence", defence, *(options if defence == "on" else ())]
            lines = command(product, "detect", str(bag), "--threads", "1", *more).splitlines()
            found[run] = dict(zip(names, map(json.loads, lines), strict=True))
    return found


def oracle(folder: Path, product: Path, targets: list[dict]) -> dict[str, dict]:
    """Lines by file name, of the frames with the patch's place inpainted, without a defence."""
    with tempfile.TemporaryDirectory() as below:
        for t in targets:
            left, top, right, bottom = t["patch"]
            place = [int(np.floor(left)), int(np.floor(top)), int(np.ceil(right)), int(np.ceil(bottom))]
            cv2.imwrite(f"{below}/{t['file']}", variant(read_rgb(folder / "left" / t["file"]), place, "oracle")[..., ::-1])
        return detect(Path(below), *(("--defence", "off") if knows(product, "detect", "--defence") else ()), root=product)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--patrol", help="given to `detect` (default: its own)")
    p.add_argument("--product", type=Path, default=ROOT, help="checkout whose commands are run (default: this one)")
    p.add_argument("--json", type=Path, help="default: DIR/result.json")
    p.add_argument("--sheet", type=Path, help="default: DIR/sheet.png")
    a = p.parse_args()
    said, bands = [], []
    for path in sorted(a.folder.glob("*-grey/index.json")):
        name = path.parent.name.removesuffix("-grey")
        clip: dict = {"clip": name, "share": {}, "back_after": {}, "cost": {}, "found": {}}
        for what in VARIANTS:
            folder = a.folder / f"{name}-{what}"
            if not (folder / "index.json").exists():
                continue
            index = json.loads((folder / "index.json").read_text())
            clip |= {key: index[key] for key in ("class", "mesh", "creates", "board_m")}
            targets = targets_of(index)
            runs = runs_of(folder, a.product, [t["file"] for t in targets], ("--patrol", a.patrol) if a.patrol else ())
            if what == "attacked" and not index["creates"]:
                runs["oracle"] = oracle(folder, a.product, targets)
            for run, lines in runs.items():
                key = "oracle" if run == "oracle" else f"{what} {run}".strip()
                hits = [holds(lines[t["file"]], t, index["creates"]) for t in targets]
                clip["found"][key], clip["share"][key] = hits, round(float(np.mean(hits)), 3)
                clip["back_after"][key] = until_back([hit != index["creates"] for hit in hits])
                if run == "defended":
                    passes, looks = ([line["passes"] for line in lines.values()], [len(line["looked_into"]) for line in lines.values()])
                    clip["cost"][what] = {"passes": round(float(np.mean(passes)), 3), "most_passes": max(passes), "most_windows": max(looks), "masked": sum(bool(line["masks"]) for line in lines.values())}
                chosen = targets[:: max(1, len(targets) // 7)][:8]
                bands.append(np.hstack([cell_of(read_rgb(folder / "left" / t["file"]), lines[t["file"]], t, f"{name} {key} {t['file'][:-4]}") for t in chosen]))
        said.append(clip)
        if "oracle" in clip["share"] and "attacked defended" in clip["share"]:
            rates = {**clip["share"], "defended": clip["share"]["attacked defended"]}
            clip["recovery"] = {f"of_{ceiling}": recovery(rates, ceiling) for ceiling in ("oracle", "grey") if ceiling in rates}
        print(json.dumps({key: value for key, value in clip.items() if key != "found"}), flush=True)
    (a.json or a.folder / "result.json").write_text(json.dumps({"clips": said}, indent=1) + "\n")
    cv2.imwrite(str(a.sheet or a.folder / "sheet.png"), np.vstack(bands)[..., ::-1])


if __name__ == "__main__":
    main()
