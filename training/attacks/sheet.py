"""Contact sheet of an attack: each target clean, attacked and, where it was run, defended."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from .targets import DATA, SCORE, read_rgb

CELL = 200  # pixels
ROWS = {"clean": "clean", "attacked": "attacked", "defended": "defended"}
BOX, PATCH, MASK = (40, 200, 40), (255, 60, 200), (255, 220, 0)  # RGB


def _window(target: dict, width: int, height: int) -> tuple[int, int, int]:
    """A square about the target: left, top, side."""
    left, top, right, bottom = target["box"]
    side = int(min(1.25 * max(right - left, bottom - top), width, height))
    return int(np.clip((left + right - side) / 2, 0, width - side)), int(np.clip((top + bottom - side) / 2, 0, height - side)), side


def cell_of(image: np.ndarray, line: dict, target: dict, note: str) -> np.ndarray:
    """The surroundings of a target with what was found there, RGB [CELL, CELL, 3]."""
    left, top, side = _window(target, image.shape[1], image.shape[0])
    cell = cv2.resize(image[top : top + side, left : left + side], (CELL, CELL), interpolation=cv2.INTER_AREA)

    def frame(box: list[float], colour: tuple[int, int, int], thick: int) -> tuple[int, int]:
        x0, y0, x1, y1 = (round((v - o) * CELL / side) for v, o in zip(box, (left, top, left, top)))
        cv2.rectangle(cell, (x0, y0), (x1, y1), colour, thick)
        return max(x0, 2), max(y0, 10)

    for each in line["detections"]:
        if each["class_id"] == target["kind"] and each["score"] >= SCORE:
            at = frame(each["box"], BOX, 2)
            cv2.putText(cell, f"{each['score']:.2f}", (at[0] + 2, at[1] + 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, BOX, 1, cv2.LINE_AA)
    frame(target["patch"], PATCH, 1)
    for mask in line.get("masks", []):
        frame(mask["box"], MASK, 1)
    cv2.putText(cell, note, (3, CELL - 5), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
    return cell


def draw(index: dict, folder: Path, lines: dict[str, dict[str, dict]], out: Path, columns: int = 10, most: int = 30) -> None:
    """Writes the PNG. Green: detections of the target's class; pink: the patch; yellow: masks of the defence."""
    rows = [what for what in ROWS if what in lines]
    targets = index["targets"][:: max(1, len(index["targets"]) // most)][:most]
    bands = []
    for start in range(0, len(targets), columns):
        some = targets[start : start + columns]
        for what in rows:
            cells = []
            for target in some:
                image = read_rgb(DATA / target["image"]) if what == "clean" else read_rgb(folder / target["file"])
                cells.append(cell_of(image, lines[what][target["file"]], target, f"{target['file'][:-4]} {target['class']} {what}"))
            cells += [np.zeros((CELL, CELL, 3), np.uint8)] * (columns - len(cells))
            bands.append(np.hstack(cells))
    cv2.imwrite(str(out), np.vstack(bands)[..., ::-1])
