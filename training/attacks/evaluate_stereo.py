"""What stereo keeps of the objects that a patch hides, and takes from those that it makes up, on the clips of attacks.clips.

    python -m attacks.evaluate_stereo DIR [--product ROOT] [--json F] [--defence on]

Each clip becomes a recording (`voxelguard bag from-images`) and is replayed with `--detect`, with stereo evidence and without.
Per frame, of a target that is really there (IoU with its label at least .3, the box of a held track being a prediction):
seen (score .4 by the detector in this frame), first_seen (frames before the first so seen), sure (the share that is
seen from there on), ids (how many it had), kept (seen, or held by solid voxels), solid (in ~/points at least 3 voxels lie in
the middle of its box within 1 m of its distance: an obstacle to the map, whatever the detector says). Of a made-up one: shown (a
detection of the class lies on it, score .4 after demotion), demoted (one lies on it and lost its score to the evidence).
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory

from .detector import iou
from .evaluate_clips import targets_of
from .product import ROOT, command, recorded
from .targets import SCORE

SAME = 0.3
NEAR_M, VOXELS = 1.0, 3


def points_of(path: Path) -> list[np.ndarray]:
    """Centres of the solid voxels of each frame, metres, left optical frame."""
    clouds = []
    with path.open("rb") as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        for *_, cloud in reader.iter_decoded_messages(topics=["points"]):
            clouds.append(np.frombuffer(bytes(cloud.data), np.float32).reshape(-1, cloud.point_step // 4)[:, :3])
    return clouds


def is_solid(points: np.ndarray, target: dict, distance: float, camera: dict) -> bool:
    """Whether enough voxels lie in the middle of the box at about the distance."""
    left, top, right, bottom = target["box"]
    near = points[np.abs(points[:, 2] - distance) <= NEAR_M]
    u = camera["fx"] * near[:, 0] / near[:, 2] + camera["cx"]
    v = camera["fy"] * near[:, 1] / near[:, 2] + camera["cy"]
    across, down = (u - left) / (right - left), (v - top) / (bottom - top)
    return int(((across > 0) & (across < 1) & (down > 0) & (down < 0.8)).sum()) >= VOXELS


def on_it(line: dict, target: dict) -> list[dict]:
    """Objects of the target's class where it is."""
    found = []
    for each in line["detections"]:
        overlap = float(iou(torch.tensor(each["box"]), torch.tensor(target["box"], dtype=torch.float32)))
        if each["class_id"] == target["kind"] and overlap >= SAME:
            found.append(each)
    return found


def judge(index: dict, lines: list[dict], clouds: list[np.ndarray], camera: dict) -> dict[str, float]:
    rows: dict[str, list[bool]] = {}
    ids = []
    for frame, target, line, points in zip(index["frames"], targets_of(index), lines, clouds, strict=True):
        if index["creates"]:
            found = on_it(line, {**target, "box": target["patch"]})
            row = {
                "shown": any(each["score"] >= SCORE and each["status"] == "seen" for each in found),
                "demoted": any(each["status"] == "demoted" for each in found),
            }
        else:
            found = on_it(line, target)
            ids += [each["id"] for each in found if each["score"] >= SCORE and each["status"] == "seen"][:1]
            row = {
                "seen": any(each["score"] >= SCORE and each["status"] == "seen" for each in found),
                "kept": any(each["status"] in ("seen", "held") for each in found),
                "solid": is_solid(points, target, frame["distance_m"], camera),
            }
        for name, value in row.items():
            rows.setdefault(name, []).append(value)
    said = {name: round(float(np.mean(values)), 3) for name, values in rows.items()}
    if not index["creates"]:
        first = rows["seen"].index(True) if any(rows["seen"]) else len(rows["seen"])
        after = rows["seen"][first:]
        said |= {"first_seen": first, "sure": round(float(np.mean(after)), 3) if after else 0.0, "ids": len(set(ids))}
    return said


def run(folder: Path, root: Path, below: Path, options: list[str]) -> tuple[list[dict], list[np.ndarray]]:
    """Objects and solid voxels of each frame of one clip."""
    out, objects = below / "map.mcap", below / "objects.jsonl"
    command(root, "replay", str(recorded(folder, below, root)), "--detect", "--out", str(out), "--objects", str(objects), *options)
    return [json.loads(line) for line in objects.read_text().splitlines()], points_of(out)


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--product", type=Path, default=ROOT, help="checkout whose `replay` is run (default: this one)")
    p.add_argument("--json", type=Path, help="default: DIR/stereo.json")
    p.add_argument("--only", nargs="+", metavar="CLIP", help="names such as suit-attacked")
    p.add_argument("--defence", choices=("on", "off"), default="off", help="the patch defence beside it")
    a = p.parse_args()
    defence = [] if a.defence == "on" else ["--no-patch-defense-enabled"]
    said = []
    for path in sorted(a.folder.glob("*/index.json")):
        if a.only and path.parent.name not in a.only:
            continue
        index = json.loads(path.read_text())
        camera = json.loads((path.parent / "calibration.json").read_text())
        row: dict = {"clip": path.parent.name, "class": index["class"], "creates": index["creates"]}
        for name, options in (("alone", ["--no-evidence-enabled"]), ("stereo", [])):
            with tempfile.TemporaryDirectory() as below:
                row[name] = judge(index, *run(path.parent.resolve(), a.product, Path(below), [*defence, *options]), camera)
        said.append(row)
        print(json.dumps(row), flush=True)
    (a.json or a.folder / "stereo.json").write_text(json.dumps({"clips": said}, indent=1) + "\n")


if __name__ == "__main__":
    main()
