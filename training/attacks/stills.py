"""Attacks on pictures.

    python -m attacks.stills white-box --split coco_val --out DIR [--limit N] [--steps N]

Writes DIR/<attack>/<split>/NNN.png, the whole picture with the patch in it, and index.json, which says of each what was
done to it (attacks/evaluate.py reads it). Attacks: grey, noise, transferred (the ready-made patches of the data folder),
white-box (hides the object), adaptive (hides it and keeps the gate's cues low), creation (makes a person or a car of
background). Resumable: a picture with its NNN.json is not made again. Pictures of the data folder are not to be published.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F

from .detector import Detector, letterbox, window
from .eot import Spread, Views, lay
from .objectives import CUE_NAMES, NAMES, Stealth, create, hide
from .optimise import noise, optimise
from .targets import DATA, SPLITS, Target, backgrounds, objects, read_rgb

STEPS = {"white-box": 40, "creation": 40, "adaptive": 50}
TEXELS = 24  # of a patch, each way; fewer where it is smaller
START_SPLIT, START_TARGETS, START_STEPS = "coco_train", 12, 300
ATTACKS = ("grey", "noise", "transferred", *STEPS)
RATE = 0.04  # of the first step; the start is a good one
ENOUGH = -1.4  # log-odds at which the search may end: a score of 0.2 to hide, 0.8 to create
STEALTH = 1.0  # weight of each cue's excess against log-odds

Loss = Callable[[torch.Tensor, Views, torch.Generator], torch.Tensor]


def white_box_loss(detector: Detector, image: np.ndarray, target: Target, attack: str, stealth: float) -> Loss:
    """What the attack minimises, as a function of the patch; only the part of the canvas about the target is computed anew."""
    canvas, plan = letterbox(image)
    boxes = plan.box([target.box, target.patch])
    part = window(boxes, plan.canvas)
    box, place = boxes - np.tile(part[:2], 2)
    box, place = torch.tensor(box, dtype=torch.float32), tuple(place)
    names = CUE_NAMES if attack == "adaptive" else NAMES
    with torch.no_grad():
        whole = detector(canvas, (*names, *detector.means))
        hidden = Stealth(whole, canvas, tuple(boxes[1])) if attack == "adaptive" else None
    means = {name: whole[name] for name in detector.means}
    canvas = canvas[:, part[1] : part[3], part[0] : part[2]]
    objective = create if attack == "creation" else hide

    def loss(patch: torch.Tensor, seen: Views, generator: torch.Generator) -> torch.Tensor:
        laid = lay(canvas, patch, place, seen, generator)
        values = detector(laid, names, means)
        total = objective(values, target.kind, box)
        if hidden is not None:
            total = total + stealth * sum(hidden(values, laid, place).values())
        return total.mean()

    return loss


def universal(detector: Detector, attack: str, kind: int, out: Path, folder: Path, stealth: float) -> torch.Tensor:
    """A patch [3, TEXELS, TEXELS] for any target of a class, from those of START_SPLIT: where the search for each single one starts.

    Kept in `folder`; every step sees one of START_TARGETS pictures.
    """
    file = folder / f"start-{detector.classes[kind]}.npy"
    if not file.exists():
        choose = backgrounds if attack == "creation" else objects
        targets = [t for t in chosen(detector, choose, START_SPLIT, out, None) if t.kind == kind and t.box[3] - t.box[1] < 300]
        losses = [white_box_loss(detector, read_rgb(DATA / t.image), t, attack, stealth) for t in targets[:START_TARGETS]]

        def loss(patch: torch.Tensor, seen: Views, generator: torch.Generator) -> torch.Tensor:
            return losses[int(torch.randint(len(losses), (1,), generator=generator))](patch, seen, generator)

        patch, _ = optimise(loss, noise((TEXELS, TEXELS), kind), seed=kind, steps=START_STEPS)
        np.save(file, patch.numpy())
    return torch.from_numpy(np.load(file))


def ready_made(number: int, side: int, behind: np.ndarray) -> tuple[np.ndarray, str]:
    """A patch of the data folder resized to `side` over what is behind it [side, side, 3], and its name."""
    patches = json.loads((DATA / "open/patches/index.json").read_text())["patches"]
    name = patches[number % len(patches)]["file"]
    pixels = cv2.imread(str(DATA / "open/patches" / name), cv2.IMREAD_UNCHANGED).astype(np.float32)
    alpha = pixels[..., 3:] / 255 if pixels.shape[2] == 4 else np.ones_like(pixels[..., :1])
    premultiplied = np.concatenate([pixels[..., 2::-1] * alpha, alpha], -1)
    small = cv2.resize(premultiplied, (side, side), interpolation=cv2.INTER_AREA)
    return np.uint8(small[..., :3] + (1 - small[..., 3:]) * behind + 0.5), name


def attacked(detector: Detector, image: np.ndarray, target: Target, attack: str, seed: int, steps: int, stealth: float, start: torch.Tensor | None) -> tuple[np.ndarray, dict]:
    """The attacked picture and what else is to be said of it."""
    left, top, right, bottom = target.patch
    side = right - left
    said = {}
    if attack == "grey":
        patch = np.full((side, side, 3), 128, np.uint8)
    elif attack == "noise":
        patch = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    elif attack == "transferred":
        patch, said["ready_made"] = ready_made(seed, side, image[top:bottom, left:right])
    else:
        loss = white_box_loss(detector, image, target, attack, stealth)
        start = resized(noise((TEXELS, TEXELS), seed) if start is None else start, min(TEXELS, side))
        texels, losses = optimise(loss, start, seed=seed, steps=steps, rate=RATE, enough=ENOUGH)
        said["steps"] = len(losses)
        said["loss"] = [round(each, 3) for each in (losses[0], *losses[4::5])]
        patch = np.uint8(resized(texels, side).permute(1, 2, 0).numpy() * 255 + 0.5)
    image = image.copy()
    image[top:bottom, left:right] = patch
    return image, said


def resized(patch: torch.Tensor, side: int) -> torch.Tensor:
    """A patch [3, h, w] as [3, side, side]."""
    return F.interpolate(patch[None], (side, side), mode="bilinear", antialias=True)[0].clamp(0, 1)


def run(detector: Detector, targets: list[Target], attack: str, split: str, folder: Path, steps: int, stealth: float = STEALTH, starts: dict[int, torch.Tensor] | None = None) -> list[dict]:
    """Attacks each target, skipping those that are done; index.json holds those up to the last one. Returns its targets."""
    folder.mkdir(parents=True, exist_ok=True)
    start = {"split": START_SPLIT, "targets": START_TARGETS, "steps": START_STEPS} if starts else "noise"
    index = {"attack": attack, "split": split, "creates": attack == "creation", "model": detector.manifest["graph"]["sha256"]}
    if attack in STEPS:
        index |= {"most_steps": steps, "rate": RATE, "enough": ENOUGH, "texels": TEXELS, "start": start, "spread": asdict(Spread())}
    if attack == "adaptive":
        index["stealth"] = stealth
    done = []
    for number, target in enumerate(targets):
        picture, note = folder / f"{number:03d}.png", folder / f"{number:03d}.json"
        if not note.exists():
            began = time.process_time()
            image, said = attacked(detector, read_rgb(DATA / target.image), target, attack, number, steps, stealth, (starts or {}).get(target.kind))
            cv2.imwrite(str(picture), image[..., ::-1])
            entry = {"file": picture.name, **asdict(target), "class": detector.classes[target.kind], "area_share": round(target.area, 4), "seed": number, **said}
            note.write_text(json.dumps({**entry, "seconds": round(time.process_time() - began, 1)}))
        done.append(json.loads(note.read_text()))
        temporary = folder / "index.json.tmp"
        temporary.write_text(json.dumps({**index, "targets": done}, indent=1) + "\n")
        temporary.rename(folder / "index.json")
    return done


def chosen(detector: Detector, choose: Callable, split: str, out: Path, limit: int | None) -> list[Target]:
    """The first targets of a split; all of them are kept in a file, because finding them takes a pass over every picture."""
    file = out / f"{choose.__name__}-{split}.json"
    if not file.exists():
        targets = list(islice(choose(detector, split), limit))
        if limit is not None:
            return targets
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([asdict(target) for target in targets]) + "\n")
    fields = json.loads(file.read_text())[:limit]
    return [Target(**{**each, "box": tuple(each["box"]), "patch": tuple(each["patch"])}) for each in fields]


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("attack", choices=ATTACKS)
    p.add_argument("--split", choices=SPLITS, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--limit", type=int, help="only the first so many targets")
    p.add_argument("--steps", type=int, help=f"of gradient descent (default: {STEPS})")
    p.add_argument("--stealth", type=float, default=STEALTH, help="weight of each of the gate's cues (adaptive)")
    p.add_argument("--name", help="folder below --out (default: the attack)")
    a = p.parse_args()
    torch.set_num_threads(1)
    detector = Detector()
    targets = chosen(detector, backgrounds if a.attack == "creation" else objects, a.split, a.out, a.limit)
    folder = a.out / (a.name or a.attack) / a.split
    began = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    starts = {kind: universal(detector, a.attack, kind, a.out, folder.parent, a.stealth) for kind in {t.kind for t in targets}} if a.attack in STEPS else {}
    print(json.dumps({"start": str(folder.parent), "cpu_seconds": round(time.process_time(), 1)}), flush=True)
    run(detector, targets, a.attack, a.split, folder, a.steps or STEPS.get(a.attack, 0), a.stealth, starts)
    print(json.dumps({"targets": len(targets), "folder": str(folder), "seconds": round(time.perf_counter() - began, 1)}))


if __name__ == "__main__":
    main()
