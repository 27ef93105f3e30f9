"""All textures of one split in mip-mapped pages, with trilinear sampling."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from . import cutouts, textures
from .textures import SIZE

LEVELS = 8
# surface kind: its painter and how many variants
KINDS: dict[str, tuple[Callable[[np.random.Generator], np.ndarray], int]] = {
    "asphalt": (textures.asphalt, 10),
    "concrete": (textures.concrete, 8),
    "plaster": (textures.plaster, 12),
    "brick": (textures.brick, 10),
    "stones": (textures.stones, 8),
    "gravel": (textures.gravel, 8),
    "grass": (textures.grass, 10),
    "foliage": (textures.foliage, 10),
    "wood": (textures.wood, 8),
    "tiles": (textures.tiles, 10),
    "fabric": (textures.fabric, 14),
    "flat": (textures.flat, 8),
    "clutter": (textures.clutter, 20),
    "noise": (textures.noise, 12),
    "stripes": (textures.stripes, 8),
    "strokes": (textures.strokes, 8),
    "facade": (textures.facade, 14),
    "leaves_card": (cutouts.leaves_card, 20),
    "twigs_card": (cutouts.twigs_card, 5),
    "treeline": (cutouts.treeline, 8),
    "tree_card": (cutouts.tree_card, 16),
    "fence": (cutouts.fence, 10),
    "sign": (textures.sign, 14),
    "clouds": (textures.clouds, 8),
}
# panoramas by the lighting they suit
PANORAMAS = {
    "day": ("park", "sky", "sunrise", "forest"), "overcast": ("city", "venice", "sky", "forest"), "low_sun": ("dawn", "sunrise", "park", "venice"),
    "night": ("night", "dawn", "venice"), "indoor": ("apartment", "bridge", "esplanade", "hall", "lab", "lobby", "studio", "warehouse", "workshop"),
}  # fmt: skip
DATA = Path(os.environ.get("VOXELGUARD_TRAIN_DATA", Path(__file__).resolve().parents[3] / "shared/data/train"))


def in_split(index: int, split: str) -> bool:
    """Every fifth asset (in name order) is kept for the test split."""
    return (index % 5 == 0) == (split == "test")


def photo_tiles(split: str, rng: np.random.Generator) -> dict[str, list[np.ndarray]]:
    """Photographs as uint8 RGB tiles; empty without the data folder.

    `surface` are materials, `photo` crops of street and household pictures and panoramas.
    """
    def files(pattern: str) -> list[Path]:
        return [f for i, f in enumerate(sorted(DATA.glob(pattern))) if in_split(i, split)]

    def load(path: Path) -> np.ndarray:
        return cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)

    def fit(image: np.ndarray) -> np.ndarray:
        return cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_AREA)

    def crop(image: np.ndarray) -> np.ndarray:
        side = min(image.shape[:2])
        y, x = (int(rng.integers(0, n - side + 1)) for n in image.shape[:2])
        return fit(image[y : y + side, x : x + side])

    surfaces = [f for f in files("textures/*.jpg") if not f.name.startswith("pano_")]
    photos = files("detect/coco_train/**/*.jpg") + files("detect/carla/**/*.jpg")[::12] + files("textures/pano_*.jpg")
    return {
        "surface": [fit(load(f)) for f in surfaces],
        "photo": [crop(load(f)) for f in photos],
    }


def panorama_pages(split: str) -> dict[str, np.ndarray]:
    """Equirectangular photographs by name, uint8 RGB [256, 512 + 2, 3] with a wrapped column on both sides."""
    files = [f for i, f in enumerate(sorted(DATA.glob("textures/pano_*.jpg"))) if in_split(i, split)]
    images = {f.stem.removeprefix("pano_"): cv2.cvtColor(cv2.imread(str(f)), cv2.COLOR_BGR2RGB) for f in files}
    return {name: np.pad(image, ((0, 0), (1, 1), (0, 0)), mode="wrap") for name, image in images.items()}


def remap(page: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear samples uint8 [N, 3] of an image at columns x and rows y [N]."""
    count, wide = len(x), 1024
    if count == 0:
        return np.zeros((0, 3), np.uint8)
    place = np.zeros((2, -(-count // wide) * wide), np.float32)
    place[0, :count], place[1, :count] = x, y
    return cv2.remap(page, *place.reshape(2, -1, wide), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(-1, 3)[:count]


class Atlas:
    """Texture tiles SIZE x SIZE with mip levels; `kinds` maps a surface kind to tile numbers."""

    def __init__(self, split: str, photos: bool = True) -> None:
        rng = np.random.default_rng(1 if split == "train" else 999)
        tiles: list[np.ndarray] = []
        self.kinds: dict[str, np.ndarray] = {}

        def append(kind: str, images: list[np.ndarray]) -> None:
            self.kinds[kind] = np.arange(len(tiles), len(tiles) + len(images))
            tiles.extend(images)

        for kind, (make, count) in KINDS.items():
            count = count if split == "train" else max(4, count // 2)
            append(kind, [np.uint8(np.clip(make(rng), 0, 1) * 255 + 0.5) for _ in range(count)])
        if photos:
            opaque = np.full((SIZE, SIZE, 1), 255, np.uint8)
            for kind, images in photo_tiles(split, rng).items():
                append(kind, [np.dstack([image, opaque]) for image in images])
        pages = panorama_pages(split) if photos else {}
        self.panorama_names, self.panorama_images = list(pages), list(pages.values())
        self._build(np.stack(tiles))

    def _build(self, base: np.ndarray) -> None:
        """Mip pages: level k is one image, all tiles in a grid, each with a wrapped border of one texel."""
        self.columns = int(np.ceil(np.sqrt(len(base))))
        self.pages: list[np.ndarray] = []
        self.alpha_texels: list[np.ndarray] = []
        level = base
        for _ in range(LEVELS):
            side = level.shape[1] + 2
            page = np.zeros((self.columns * side, self.columns * side, 3), np.uint8)
            for k, tile in enumerate(np.pad(level[..., :3], ((0, 0), (1, 1), (1, 1), (0, 0)), mode="wrap")):
                row, column = divmod(k, self.columns)
                page[row * side : (row + 1) * side, column * side : (column + 1) * side] = tile
            self.pages.append(page)
            self.alpha_texels.append(np.ascontiguousarray(level[..., 3]).ravel())
            a = level.astype(np.float32)
            last, level = level, np.uint8((a[:, ::2, ::2] + a[:, 1::2, ::2] + a[:, ::2, 1::2] + a[:, 1::2, 1::2]) / 4 + 0.5)
        self.offset = np.cumsum([0] + [len(a) for a in self.alpha_texels[:-1]]).astype(np.int32)
        self.alpha_texels = np.concatenate(self.alpha_texels)
        self.mean = last.reshape(len(base), -1, 4).mean(1)[:, :3].astype(np.float32) / 255

    def panoramas_of(self, lighting: str) -> list[int]:
        """Numbers of the panoramas that suit a lighting."""
        return [i for i, name in enumerate(self.panorama_names) if name in PANORAMAS[lighting]]

    def panorama_rows(self, index: int) -> np.ndarray:
        """Mean linear colour of each row of a panorama, zenith first, [256, 3]."""
        return (self.panorama_images[index].astype(np.float32).mean(1) / 255) ** 2

    def panorama(self, index: int, direction: np.ndarray, turn: float) -> np.ndarray:
        """Linear RGB float32 [N, 3] of a panorama along unit world directions [N, 3]; turn in rounds."""
        page = self.panorama_images[index]
        u = np.arctan2(direction[:, 0], direction[:, 2]) * np.float32(0.5 / np.pi) + np.float32(turn)
        u = (u - np.floor(u)) * (page.shape[1] - 2) + np.float32(0.5)
        v = np.arccos(np.clip(-direction[:, 1], -1, 1)) * np.float32(page.shape[0] / np.pi) - np.float32(0.5)
        return (remap(page, u, v).astype(np.float32) * np.float32(1 / 255)) ** 2

    def pick(self, rng: np.random.Generator, *kinds: str) -> int:
        """A random tile of the given kinds (those that exist), else of all opaque ones."""
        pool = [self.kinds[k] for k in kinds if k in self.kinds and len(self.kinds[k])]
        pool = pool or [self.kinds["noise"], self.kinds["clutter"]]
        return int(rng.choice(pool[int(rng.integers(len(pool)))]))

    def _look_up(self, level: int, tile: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Bilinear RGB uint8 [N, 3] of one mip level; u, v in 0..1."""
        size = SIZE >> level
        row, column = np.divmod(tile, self.columns)
        return remap(self.pages[level], column * (size + 2) + u * size + np.float32(0.5), row * (size + 2) + v * size + np.float32(0.5))

    def sample(self, tile: np.ndarray, u: np.ndarray, v: np.ndarray, lod: np.ndarray, trilinear: bool = True) -> np.ndarray:
        """RGB float32 [N, 3] in 0..1; u, v in tiles (wrapped), lod the base-2 log of texels a pixel."""
        u, v = (u - np.floor(u)).astype(np.float32), (v - np.floor(v)).astype(np.float32)
        lod = np.clip(lod, 0, LEVELS - 1).astype(np.float32)
        low = lod.astype(np.int32) if trilinear else np.rint(lod).astype(np.int32)
        # half of the samples lie near enough to one level to need no other
        part = np.clip(2 * (lod - low) - np.float32(0.5), 0, 1)
        low += part >= 1
        out = np.zeros((len(u), 3), np.float32)
        for level in range(int(low.min(initial=LEVELS)), int(low.max(initial=-1)) + 1):
            here = np.nonzero(low == level)[0]
            out[here] = self._look_up(level, tile[here], u[here], v[here])
            if trilinear and level + 1 < LEVELS:
                here = here[(part[here] > 0) & (part[here] < 1)]
                high = self._look_up(level + 1, tile[here], u[here], v[here])
                out[here] += (high - out[here]) * part[here, None]
        out *= np.float32(1 / 255)
        return out

    def alpha(self, tile: np.ndarray, u: np.ndarray, v: np.ndarray, lod: np.ndarray) -> np.ndarray:
        """Nearest alpha [N] in 0..255."""
        level = np.clip(lod, 0, 4).astype(np.int32)
        size = np.right_shift(SIZE, level)
        x = ((u - np.floor(u)) * size).astype(np.int32) & (size - 1)
        y = ((v - np.floor(v)) * size).astype(np.int32) & (size - 1)
        return self.alpha_texels[self.offset[level] + tile.astype(np.int32) * size * size + y * size + x]


@lru_cache(maxsize=4)
def load_atlas(split: str, photos: bool = True) -> Atlas:
    """The atlas of a split, made once a process; deterministic."""
    return Atlas(split, photos)
