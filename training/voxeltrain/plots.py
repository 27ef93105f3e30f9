"""Pictures of an evaluation.

    python -m voxeltrain.plots EVAL.json --out DIR [--other NAME=EVAL.json ...] [--log RUN/log.jsonl]

EVAL.json: of `voxelguard eval stereo --json`. Writes reliability.png and iou.png (with the others beside it); worst.png,
the ten pairs of lowest iou_ray with what was said and what is true, if the evaluation was run with --voxels over pairs
with labels; learning.png from a training log and the test.jsonl beside it.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image

from .labels import FREE, OCCUPIED, ORIGIN, OUT, SHAPE, UNKNOWN, VOXEL

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.colors import ListedColormap  # noqa: E402
from matplotlib.patches import Patch  # noqa: E402

COLOURS = ("#0b3954", "#d1495b", "#edae49", "#5b8e7d", "#8d6a9f")
STATES = {"unknown": UNKNOWN, "free": FREE, "occupied": OCCUPIED}
STATE_COLOURS = ("#c9c9c9", "#d9ecf2", "#0b3954", "#ffffff")  # unknown, free, occupied, out of view
plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False})


def save(figure: plt.Figure, path: Path, colours: int = 64) -> Path:
    """PNG of few colours: a tenth of the bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    plt.close(figure)
    Image.open(buffer).convert("RGB").quantize(colours).save(path, optimize=True)
    return path


def reliability(evaluation: dict, path: Path) -> Path:
    """Share truly occupied over the mean probability of each bin, per level; marks grow with the cells in the bin."""
    levels = evaluation["reliability"]["levels"]
    figure, axis = plt.subplots(figsize=(4.2, 4))
    axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8, linestyle="--")
    for level, bins in enumerate(levels):
        p, share, count = (np.array([b[k] for b in bins]) for k in ("mean_p", "occupied", "count"))
        error = evaluation["all"]["score"]["levels"][level]["head_calibration_error"]
        label = f"x{2 ** (len(levels) - 1 - level)} (ECE {error:.3f})"
        axis.plot(p, share, color=COLOURS[level], linewidth=1.2, label=label)
        axis.scatter(p, share, s=6 * np.log10(count + 1) ** 1.5, color=COLOURS[level])
    axis.set(xlabel="p_occupied", ylabel="share truly occupied", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axis.legend(loc="upper left", title="edge in leaves")
    return save(figure, path)


def iou(evaluations: dict[str, dict], path: Path) -> Path:
    """Occupied IoU per level of the octree, and iou_ray per range; evaluations by name."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), sharey=True)
    width = 0.8 / len(evaluations)
    for i, (name, evaluation) in enumerate(evaluations.items()):
        levels = [level["iou_32m"] for level in evaluation["all"]["score"]["levels"]]
        ranges = [one["iou_ray"] for one in evaluation["ranges"]]
        shift = (i - (len(evaluations) - 1) / 2) * width
        for axis, values in ((left, levels), (right, ranges)):
            bars = axis.bar(np.arange(len(values)) + shift, values, width * 0.95, color=COLOURS[i], label=name)
            axis.bar_label(bars, fmt="%.2f", fontsize=7, padding=1)
    first = next(iter(evaluations.values()))
    left.set_xticks(range(len(levels)), [f"x{2 ** (len(levels) - 1 - level)}" for level in range(len(levels))])
    right.set_xticks(range(len(ranges)), [f"{one['from']}-{one['to']}" for one in first["ranges"]])
    left.set(xlabel="edge of the cell, leaves", ylabel="IoU", ylim=(0, 1), title="occupied IoU per level")
    right.set(xlabel="distance ahead, leaves", title="iou_ray per range")
    right.legend()
    return save(figure, path)


def learning(log: Path, path: Path) -> Path:
    """Disparity error while training, and IoU per level on test pairs (training pairs where none were scored), over hours."""
    read = lambda file: [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []  # noqa: E731
    steps, scored = read(log), read(log.with_name("test.jsonl"))
    tests, title = (scored, "occupied IoU, test pairs") if scored else (steps, "occupied IoU, training voxels")
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3))
    hours = lambda rows: [row["seconds"] / 3600 for row in rows]  # noqa: E731
    for key, label, colour in (("median_px", "median, px", COLOURS[0]), ("bad3", "share off by > 3 px", COLOURS[1])):
        left.plot(hours(steps), [row[key] for row in steps], color=colour, linewidth=1.2, label=label)
    left.set(xlabel="hours", title="disparity, training pairs", yscale="log")
    for level in range(sum(f"iou{i}" in tests[0] for i in range(8)) if tests else 0):
        right.plot(hours(tests), [row[f"iou{level}"] for row in tests], color=COLOURS[level], linewidth=1.2, label=f"level {level}")
    right.set(xlabel="hours", title=title, ylim=(0, 1))
    for axis in (left, right):
        if axis.lines:
            axis.legend()
    return save(figure, path)


def read_voxels(path: Path) -> np.ndarray:
    """voxels.csv -> state of every leaf [64, 16, 64]; OUT where no cell is listed."""
    grid = np.full(SHAPE, OUT, np.int8)
    with path.open() as stream:
        for row in csv.DictReader(stream):
            edge = round(float(row["size_m"]) / VOXEL)
            centre = np.array([float(row[axis]) for axis in "xyz"])
            x, y, z = np.round((centre - ORIGIN) / VOXEL - edge / 2).astype(int)
            grid[x : x + edge, y : y + edge, z : z + edge] = STATES[row["state"]]
    return grid


def seen_from_above(grid: np.ndarray) -> np.ndarray:
    """[64, 16, 64] -> [z, x], far rows first: occupied if anything in the column is, else free, else unknown, else out."""
    top = np.full((SHAPE[0], SHAPE[2]), OUT, np.int8)
    for state in (UNKNOWN, FREE, OCCUPIED):
        top[(grid == state).any(1)] = state
    return top.T[::-1]


def worst(evaluation: dict, path: Path, count: int = 10) -> Path | None:
    """Contact sheet of the pairs of lowest iou_ray; nothing where the evaluation kept no voxels or knows no labels."""
    known = [p for p in evaluation["pairs"] if p["truth"] == "labels" and "voxels" in p]
    cases = sorted(known, key=lambda p: p["score"]["iou_ray_32m"])[:count]
    if not cases:
        return None
    figure, axes = plt.subplots((len(cases) + 1) // 2, 6, figsize=(10, 1.35 * ((len(cases) + 1) // 2)), width_ratios=(2, 1, 1) * 2, squeeze=False)
    cells = axes.reshape(-1, 3)
    for axis in cells.ravel():
        axis.axis("off")
    for (image, said, true), case in zip(cells, cases):
        left = cv2.imread(str(Path(case["path"]) / "left.png"), cv2.IMREAD_GRAYSCALE)
        with np.load(Path(case["path"]) / "gt_labels.npz") as z:
            labels = z["labels"]
        predicted = np.where(labels == OUT, OUT, read_voxels(Path(case["voxels"])))
        image.imshow(cv2.resize(left, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), cmap="gray")
        image.set_title(f"{case['pair']} {case['tags'].get('kind', '')}: iou_ray {case['score']['iou_ray_32m']:.2f}", fontsize=7)
        for axis, grid, title in ((said, predicted, "said"), (true, labels, "true")):
            axis.imshow(seen_from_above(grid), cmap=ListedColormap(STATE_COLOURS), vmin=0, vmax=3, interpolation="nearest")
            axis.set_title(title, fontsize=7)
    names = [Patch(facecolor=c, edgecolor="#999999", label=n) for c, n in zip(STATE_COLOURS, ("unknown", "free", "occupied", "out of view"))]
    figure.legend(handles=names, loc="lower center", ncols=4, bbox_to_anchor=(0.5, 0.02), title="from above, camera at the bottom")
    return save(figure, path, 24)


def draw(evaluations: dict[str, dict], log: Path | None, out: Path) -> list[Path]:
    """All pictures of the first evaluation; the paths that were written."""
    out.mkdir(parents=True, exist_ok=True)
    first = next(iter(evaluations.values()))
    paths = [reliability(first, out / "reliability.png"), iou(evaluations, out / "iou.png"), worst(first, out / "worst.png")]
    if log is not None:
        paths.append(learning(log, out / "learning.png"))
    return [path for path in paths if path is not None]


def named(text: str) -> tuple[str, dict]:
    """NAME=FILE.json -> its name and content."""
    name, _, file = text.partition("=")
    return name, json.loads(Path(file).read_text())


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("evaluation", type=Path)
    p.add_argument("--other", type=named, action="append", default=[])
    p.add_argument("--log", type=Path)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    evaluations = {"this model": json.loads(a.evaluation.read_text()), **dict(a.other)}
    for path in draw(evaluations, a.log, a.out):
        print(f"{path}  {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
