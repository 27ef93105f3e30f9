"""Fine-tunes a network on unlabelled rectified pairs, beside labelled rendered ones so that it does not forget.

    python -m voxeltrain.adapt --from CHECKPOINT --run RUN --pairs DIR [DIR ...] --shards DIR [DIR ...] --test DIR [DIR ...]

--pairs takes folders of one pair (left.*, right.*, calib.json), of a sequence (NNNN_left.*, NNNN_right.*, calib.json), and with
--ignore-labels folders of shards, of which only the images and the calibration are read. Writes RUN/checkpoint.pt (as
voxeltrain.train does), RUN/log.jsonl and RUN/result.json: scores on the --test shards before and after. Batch norm keeps its
statistics, so that what is trained is what is exported. Losses: selfsup.py. --weight 0 is the control: the same steps with
the labelled batches only.

Licences: weights that ship may only be adapted on recordings whose licence allows it: your own. Of ../../shared/data nothing
qualifies: what lies in open/ is for measuring (and KITTI and DrivingStereo are non-commercial), train/ has no stereo pairs.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from .augment import augment_pair, grey
from .evaluate import answers, dense, load_network, true_disparity
from .losses import batch_loss
from .matcher import Matcher
from .net import OctreeStereoNet, likelier, planes_of
from .scores import Scores
from .selfsup import agreement, mirrored, stereo_losses, taught_disparity, taught_occupancy
from .train import batches

WEIGHTS = {"photometric": 20.0, "consistency": 0.3, "smoothness": 0.05, "disparity": 1.0, "occupancy": 1.0}
REPORT_EVERY = 20  # steps


class Pair(NamedTuple):
    """Grey uint8 [H, W] each, and float32 [5]: fx, fy, cx, cy px, baseline in units of leaf / 0.5 m."""

    left: np.ndarray
    right: np.ndarray
    calibration: np.ndarray


def read_calibration(path: Path, voxel: float) -> np.ndarray:
    c = json.loads(path.read_text())
    values = [c.get(k) for k in ("fx", "fy", "cx", "cy", "baseline_m")]
    if None in values or c.get("doffs_px") or not c.get("rectified", True):
        raise SystemExit(f"{path}: needs fx, fy, cx, cy, baseline_m of a rectified pair with one principal point for both cameras")
    values[4] *= 0.5 / voxel
    return np.array(values, np.float32)


def read_pairs(folder: Path, voxel: float, shards: bool) -> list[Pair]:
    """All pairs of a folder; see the top of the file."""
    if shards:
        out = []
        for file in sorted(folder.glob("*.npz")):
            with np.load(file) as z:
                out += [Pair(grey(a), grey(b), c) for a, b, c in zip(z["left"], z["right"], z["calibration"])]
    else:
        files = sorted(folder.glob("*left.*"))
        calibration = read_calibration(folder / "calib.json", voxel)
        read = lambda f: grey(cv2.imread(str(f), cv2.IMREAD_COLOR)[..., ::-1])  # noqa: E731
        out = [Pair(read(f), read(f.with_name(f.name.replace("left.", "right."))), calibration) for f in files]
    if not out:
        raise SystemExit(f"{folder} holds no pairs")
    return out


def crop(pair: Pair, size: tuple[int, int], g: np.random.Generator) -> Pair:
    """A random window of at most this width and height (multiples of 32), padded to it where the images are smaller."""
    (h, w), (wide, high) = pair.left.shape, size
    x, y = (int(g.integers(0, max(0, n - m) + 1)) for n, m in ((w, wide), (h, high)))
    window = [cv2.copyMakeBorder(i[y : y + high, x : x + wide], 0, max(0, high - h), 0, max(0, wide - w), cv2.BORDER_REPLICATE) for i in pair[:2]]
    return Pair(*window, pair.calibration - np.array([0, 0, x, y, 0], np.float32))


class Batch(NamedTuple):
    """[pairs, mirrored pairs]; images float [2B, 1, H, W] 0..255, evidence of them and of them augmented, calibration [2B, 5]."""

    left: Tensor
    right: Tensor
    evidence: Tensor
    augmented: Tensor
    calibration: Tensor


def make_batch(pairs: list[Pair], matcher: Matcher, g: np.random.Generator) -> Batch:
    """Pairs of one size; every other batch is left as clean as it came."""
    worn = [Pair(*augment_pair(p.left, p.right, g), p.calibration) for p in pairs] if g.random() < 0.5 else pairs
    views, worn_views = ([*x, *(Pair(*mirrored(*p)) for p in x)] for x in (pairs, worn))
    images = [torch.from_numpy(np.stack([p[k] for p in views])).float()[:, None] for k in (0, 1)]
    evidence = [torch.from_numpy(np.stack([matcher.run(p.left, p.right) for p in x])) for x in (views, worn_views)]
    return Batch(*images, *evidence, torch.from_numpy(np.stack([p.calibration for p in views])))


def unlabelled(pairs: list[Pair], size: int, window: tuple[int, int], seed: int) -> Iterator[Batch]:
    """Endless."""
    g, matcher = np.random.default_rng(seed), Matcher()
    while True:
        yield make_batch([crop(pairs[int(g.integers(len(pairs)))], window, g) for _ in range(size)], matcher, g)


def unlabelled_losses(net: OctreeStereoNet, teacher: OctreeStereoNet, batch: Batch) -> dict[str, Tensor]:
    out = net.backbone(batch.augmented, *planes_of(batch.augmented), batch.calibration)
    with torch.no_grad():
        taught = teacher.backbone(batch.evidence, *planes_of(batch.evidence), batch.calibration)
        _, _, visible = agreement(likelier(taught)[0])
    pairs, size = len(batch.left) // 2, batch.evidence.shape[1:3]
    occupancy = [taught_occupancy(net, out["rows"][k], teacher, taught["rows"][k], batch.calibration[k], size) for k in range(pairs)]
    return stereo_losses(out, batch.left, batch.right, visible) | {
        "disparity": taught_disparity(out, taught), "occupancy": torch.stack(occupancy).mean(),
    }


def score(net: OctreeStereoNet, folder: Path) -> dict[str, float]:
    """On all pairs of a folder of shards as they are: share of cells with a surface whose chosen disparity is off by more than
    1 and 3 px, median px, occupied IoU per level."""
    scores, errors = Scores(), []
    for answer in answers(net, folder, seed=None):
        truth = torch.from_numpy(true_disparity(answer.row)[1::4, 1::4])
        error = (likelier(answer.out)[0][0, 0, : truth.shape[0], : truth.shape[1]] - truth).abs()
        errors.append(error[(truth > 0.5) & (truth < 192)])
        scores.add(answer.labels, *dense(answer, 0.5))
    error = torch.cat(errors)
    figures = {"bad1": (error > 1).float().mean(), "bad3": (error > 3).float().mean(), "median_px": error.median()}
    figures |= {k: v for k, v in scores.means().items() if k.startswith("iou")}
    return {k: round(float(v), 4) for k, v in figures.items()} | {"pairs": scores.pairs}


def pace(done: float) -> float:
    """Share of the peak learning rate after this share of the steps: a tenth of warm-up, then a cosine to 0."""
    return min(1.0, 10 * done) * 0.5 * (1 + math.cos(math.pi * done))


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--from", dest="start", type=Path, required=True, help="checkpoint to start from, and the teacher")
    p.add_argument("--run", type=Path, required=True)
    p.add_argument("--pairs", type=Path, nargs="+", required=True)
    p.add_argument("--ignore-labels", action="store_true", help="--pairs are shards")
    p.add_argument("--shards", nargs="+", required=True, help="labelled rendered pairs")
    p.add_argument("--test", type=Path, nargs="*", default=[], help="labelled shards to score before and after")
    p.add_argument("--voxel", type=float, default=0.5, help="leaf size that the rig is used with, m")
    p.add_argument("--crop", type=int, nargs=2, default=(512, 256), help="width and height, multiples of 32")
    p.add_argument("--batch", type=int, default=2, help="pairs of each kind and step")
    p.add_argument("--steps", type=int, default=400)
    p.add_argument("--rate", type=float, default=3e-4)
    p.add_argument("--weight", type=float, default=1.0, help="of the unlabelled losses")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    a.run.mkdir(parents=True, exist_ok=True)
    teacher = load_network(a.start)
    net, ema = copy.deepcopy(teacher), copy.deepcopy(teacher)
    optimiser = torch.optim.AdamW(net.parameters(), a.rate, weight_decay=1e-3, betas=(0.9, 0.99))
    pairs = [pair for folder in a.pairs for pair in read_pairs(folder, a.voxel, a.ignore_labels)]
    clean, rendered = unlabelled(pairs, a.batch, tuple(a.crop), a.seed), batches(a.shards, a.batch, a.seed)
    result: dict[str, object] = {"unlabelled_pairs": len(pairs), "steps": a.steps, "weight": a.weight}
    result["before"] = {str(f): score(teacher, f) for f in a.test}
    smooth: dict[str, float] = {}
    began = time.monotonic()
    with (a.run / "log.jsonl").open("w") as log:
        for step in range(1, a.steps + 1):
            for group in optimiser.param_groups:
                group["lr"] = a.rate * pace(step / a.steps)
            labelled, _ = batch_loss(net, next(rendered))
            parts = {k: WEIGHTS[k] * v for k, v in unlabelled_losses(net, teacher, next(clean)).items()} if a.weight else {}
            loss = labelled + a.weight * sum(parts.values())
            optimiser.zero_grad()
            loss.backward()
            if torch.isfinite(torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)):
                optimiser.step()
            with torch.no_grad():
                for e, n in zip(ema.parameters(), net.parameters()):
                    e.lerp_(n, max(0.02, 1 / (step + 1)))
            for k, v in {"labelled": labelled, **parts}.items():
                smooth[k] = float(v.detach()) if k not in smooth else smooth[k] * 0.95 + float(v.detach()) * 0.05
            if step % REPORT_EVERY == 0:
                line = {"step": step, "seconds": round(time.monotonic() - began, 1), **{k: round(v, 4) for k, v in smooth.items()}}
                print(json.dumps(line), file=log, flush=True)
                print(json.dumps(line), flush=True)
    state = {"step": a.steps, "seconds": time.monotonic() - began, "pairs": 2 * a.steps * a.batch}
    args = {k: str(v) for k, v in vars(a).items()}
    torch.save({"net": net.state_dict(), "ema": ema.state_dict(), "optimiser": optimiser.state_dict(), "state": state, "args": args}, a.run / "checkpoint.pt")
    result["after"] = {str(f): score(ema, f) for f in a.test}
    (a.run / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
