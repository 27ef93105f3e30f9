"""The furniture, people, vehicles and plants of the data folder as shapes, at three levels of detail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from .atlas import DATA, in_split
from .shapes import Shape

FOLDER = DATA / "meshes"


@dataclass
class Model:
    """One model: shapes from fine to coarse, colours [T, 3] (0..1) of each, and its size in metres (x, y, z)."""

    shapes: list[Shape]
    colours: list[np.ndarray]
    size: np.ndarray

    def at_detail(self, pixels: float) -> tuple[Shape, np.ndarray]:
        """The shape that suits an object `pixels` high in the image, and its colours."""
        level = 0 if pixels > 260 else 1 if pixels > 100 else 2
        level = min(level, len(self.shapes) - 1)
        return self.shapes[level], self.colours[level]


def group_of(entry: dict) -> str:
    """What a model is used as."""
    name, kind, category = entry["name"].lower(), entry["coco_class"], entry["category"]
    width, height, depth = entry["size_m"]
    if kind == "person":
        return "person" if height > 1.5 and depth < 0.65 else "resting"
    if kind in ("bus", "truck") or "van" in name or "fork" in name:
        return "lorry"
    if kind == "car":
        return "car"
    if category == "Vehicles":
        return "bike"
    if category == "Exterior":
        return "tree" if height > 4 else "hedge" if "hedge" in name else "street"
    if kind == "potted plant":
        return "plant"
    return "small" if max(width, height, depth) < 0.4 else "furniture"


def clustered(vertices: np.ndarray, faces: np.ndarray, cells: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A coarser mesh by merging vertices in a grid; returns vertices, faces and which old faces they are."""
    low, extent = vertices.min(0), np.ptp(vertices, axis=0).max()
    cell = np.floor((vertices - low) / extent * cells).astype(int)
    _, merged = np.unique(cell @ [1, 1 << 10, 1 << 20], return_inverse=True)
    count = np.bincount(merged)
    centre = np.stack([np.bincount(merged, vertices[:, k]) / count for k in range(3)], -1)
    new = merged[faces]
    distinct = (new[:, 0] != new[:, 1]) & (new[:, 1] != new[:, 2]) & (new[:, 0] != new[:, 2])
    kept = np.nonzero(distinct)[0]
    _, first = np.unique(np.sort(new[kept], 1), axis=0, return_index=True)
    return centre, new[kept[first]], kept[first]


def mesh_shape(vertices: np.ndarray, faces: np.ndarray) -> Shape:
    """A Shape with box-mapped uv, normals smoothed across edges below 45 degrees, and a face number per facing direction."""
    corners = vertices[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal = cross / (np.linalg.norm(cross, axis=1, keepdims=True) + 1e-12)
    total = np.stack([np.bincount(faces.ravel(), np.repeat(cross[:, k], 3), len(vertices)) for k in range(3)], -1)
    total /= np.linalg.norm(total, axis=1, keepdims=True) + 1e-12
    smooth = total[faces]
    agree = np.einsum("tkc,tc->tk", smooth, normal) > 0.7
    normals = np.where(agree[..., None], smooth, normal[:, None])
    axis = np.abs(normal).argmax(1)
    plane = np.array([[2, 1], [0, 2], [0, 1]])[axis]
    uv = np.take_along_axis(corners, plane[:, None].repeat(3, 1), 2)
    side = axis * 2 + (np.take_along_axis(normal, axis[:, None], 1)[:, 0] > 0)
    return Shape(corners, normals, uv, side)


@lru_cache(maxsize=None)
def load_model(file: str, detailed: bool) -> Model:
    """A model of the data folder; `detailed` keeps the one finest level (foliage cannot be merged)."""
    with np.load(FOLDER / file) as data:
        vertices = data["vertices_mm"].astype(float) * (0.001, -0.001, 0.001)
        faces, colours = data["faces"].astype(int), data["face_color"].astype(np.float32) / 255
    shapes, shades = [mesh_shape(vertices, faces)], [colours]
    if not detailed:
        for cells in (36, 15):
            coarse, fewer, old = clustered(vertices, faces, cells)
            if len(fewer) < 40:  # thin things collapse: keep the finer level
                break
            shapes.append(mesh_shape(coarse, fewer))
            shades.append(colours[old])
    return Model(shapes, shades, np.ptp(vertices, axis=0))


class MeshLibrary:
    """Models of one split by group; empty without the data folder."""

    def __init__(self, split: str) -> None:
        self.files: dict[str, list[str]] = {}
        if not (FOLDER / "index.json").exists():
            return
        entries = sorted(json.loads((FOLDER / "index.json").read_text())["meshes"], key=lambda e: (group_of(e), e["file"]))
        for index, entry in enumerate(entries):
            if in_split(index, split):
                self.files.setdefault(group_of(entry), []).append(entry["file"])

    def pick(self, rng: np.random.Generator, group: str) -> Model | None:
        """A random model of a group, or None if there is none."""
        files = self.files.get(group)
        return load_model(files[int(rng.integers(len(files)))], group in ("tree", "hedge", "plant")) if files else None


@lru_cache(maxsize=2)
def load_meshes(split: str) -> MeshLibrary:
    """The library of a split, made once a process."""
    return MeshLibrary(split)
