"""A scene is a triangle soup with materials, a sky, a sun and a stereo rig.

World frame: x right, y down, z forward (level), the ground near y = 0 below the camera. Metres.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from .atlas import Atlas
from .meshes import MeshLibrary
from .shapes import Shape, cross, yaw

Rng = np.random.Generator


@dataclass(frozen=True)
class Material:
    """How a surface looks: texture tile repeated every `scale` metres.

    contrast scales the texture about its mean colour, own is how much of that mean is kept
    (the rest is grey, coloured by the tint of the object), gloss mirrors the surroundings, dirt is
    large-scale staining, cutout makes transparent texels holes, glow adds light, wet reflects the scene
    in the level plane Scene.mirror, and what does not cast lets all light through (the shell of a room).
    """

    tile: int
    scale: float = 1.0
    contrast: float = 1.0
    own: float = 1.0
    gloss: float = 0.0
    dirt: float = 0.2
    cutout: bool = False
    glow: float = 0.0
    wet: float = 0.0
    casts: bool = True


@dataclass(frozen=True)
class Rig:
    """Rectified stereo pair: pixels (centres at whole numbers) and metres."""

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    baseline: float

    def calibration(self) -> np.ndarray:
        """fx, fy, cx, cy, baseline_m as float32 [5]."""
        return np.array([self.fx, self.fy, self.cx, self.cy, self.baseline], np.float32)


@dataclass
class Sky:
    """Radiance above the horizon; colours are linear RGB [3]. A panorama (its number, times gain) replaces the painted sky; disc is the radiance of the visible sun."""

    zenith: np.ndarray
    horizon: np.ndarray
    cloud_tile: int
    cloud: float
    cloud_scale: float
    turn: float = 0.0
    ground: np.ndarray = field(default_factory=lambda: np.full(3, 0.15))
    panorama: int = -1
    gain: float = 1.0
    disc: float = 0.0


@dataclass
class Light:
    """Sun direction (unit, towards the sun) and colour, sky colour, shadow softness in metres.

    lamps [L, 10]: position, colour, axis of the beam, cosine of its half angle (-1: all round).
    """

    sun: np.ndarray
    sun_colour: np.ndarray
    ambient: np.ndarray
    softness: float
    lamps: np.ndarray = field(default_factory=lambda: np.zeros((0, 10)))


@dataclass
class Scene:
    """Everything the renderer needs. Triangle arrays have length T; `surface` numbers smooth surfaces."""

    corners: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    tint: np.ndarray
    material: np.ndarray
    surface: np.ndarray
    facet: np.ndarray  # outward normal of closed bodies, zero for open ones, [T, 3]
    materials: list[Material]
    rig: Rig
    rotation: np.ndarray  # camera from world, [3, 3]
    eye: np.ndarray  # left camera centre in the world, [3]
    sky: Sky
    light: Light
    fog: float  # metres to 1/e
    exposure: float  # wanted mean brightness of the left image, linear
    kind: str
    scale: float = 1.0  # stored metres per scene metre
    lighting: str = "day"
    mirror: float | None = None  # world y of the level plane in which wet surfaces reflect
    bloom: float = 0.0  # share of light beyond white that scatters about it
    flare: float = 0.0  # brightness of the sun's ghosts


class Builder:
    """Collects shapes.

    `keep_out` is the camera's clear radius for movable things, `focal` its focal length in pixels
    (for the level of detail), `meshes` models to mix with the built ones. `dark` scenes have lit lamps,
    which `lamp` collects. `view` (heading in radians, tangent of the half width, metres beside it that are
    still needed for shadows) lets out of sight things be left out.
    """

    def __init__(self, atlas: Atlas, rng: Rng, eye: np.ndarray, keep_out: float, focal: float = 500.0, meshes: MeshLibrary | None = None, dark: bool = False, view: tuple[float, float, float] | None = None) -> None:
        self.focal, self.meshes, self.dark, self.view = focal, meshes, dark, view
        self.lamps: list[np.ndarray] = []
        self.atlas, self.rng, self.eye, self.keep_out = atlas, rng, np.asarray(eye, float), keep_out
        self.parts: list[tuple[np.ndarray, ...]] = []
        self.materials: list[Material] = []
        self.surfaces = 0
        self.refused = False

    @contextmanager
    def whole(self) -> Iterator[None]:
        """What is added inside is kept or, if one part is too near the camera, left out as a whole."""
        before, self.refused = len(self.parts), False
        yield
        if self.refused:
            del self.parts[before:], self.materials[before:]
        self.refused = False

    def add(self, shape: Shape, material: Material, at=(0.0, 0.0, 0.0), turn: np.ndarray | None = None, tint=(1.0, 1.0, 1.0), structure: bool = False, offset: bool = True) -> None:
        """Places a shape; tint is RGB or [T, 3]. Things too near the camera are left out unless `structure`."""
        corners, normals = shape.corners, shape.normals
        if turn is not None:
            corners, normals = corners @ turn.T, normals @ turn.T
        corners = corners + np.asarray(at, float)
        flat = corners.reshape(-1, 3)
        low, high = flat.min(0), flat.max(0)
        if self.view is not None and self.unseen((low + high) / 2, float(np.abs(high - low).sum()) / 2):
            return
        if not structure:
            if np.linalg.norm(np.maximum(0, np.maximum(low - self.eye, self.eye - high))) < self.keep_out:
                self.refused = True
                return
        uv = shape.uv / material.scale if not material.cutout else shape.uv
        if offset and not material.cutout:
            uv = uv + self.rng.random(2)
        count = len(corners)
        tint = np.broadcast_to(np.asarray(tint, np.float32), (count, 3))
        facet = np.zeros((count, 3))
        if shape.solid:
            facet = cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
            facet *= np.sign(np.einsum("tc,tkc->t", facet, normals))[:, None]
        self.parts.append((corners, normals, uv, tint, np.full(count, len(self.materials)), shape.face + self.surfaces, facet))
        self.materials.append(material)
        self.surfaces += int(shape.face.max()) + 1

    def unseen(self, centre: np.ndarray, radius: float) -> bool:
        """Whether a ball is far enough outside the view that it casts no shadow into it either."""
        heading, half, beside = self.view
        x, _, z = centre - self.eye
        s, c = np.sin(heading), np.cos(heading)
        ahead, side = x * s + z * c, abs(x * c - z * s)
        return ahead < -radius - beside or side - radius > max(ahead, 0) * half + beside

    def lamp(self, at, colour, axis=(0.0, 1.0, 0.0), cosine: float = -1.0) -> None:
        """A point lamp at `at`, radiating `colour` (irradiance at one metre) about `axis`."""
        self.lamps.append(np.concatenate([at, colour, axis, [cosine]]))

    def nearest_lamps(self, count: int) -> np.ndarray:
        """The lamps [<= count, 10] that matter most to the view."""
        lamps = np.array(self.lamps).reshape(-1, 10)
        strength = lamps[:, 3:6].sum(1) / (np.linalg.norm(lamps[:, :3] - self.eye - [0, 0, 8], axis=1) ** 2 + 9)
        return lamps[np.argsort(-strength, kind="stable")[:count]]

    def model(self, group: str, at, heading: float, chance: float = 1.0, size: float | None = None) -> bool:
        """Stands a random model of the library at `at` with the given chance; False if it did not. size: its greatest extent, metres."""
        rng = self.rng
        if self.meshes is None or rng.random() > chance:
            return False
        model = self.meshes.pick(rng, group)
        if model is None:
            return False
        grow = rng.uniform(0.85, 1.15) if size is None else size / model.size.max()
        distance = max(float(np.linalg.norm(np.asarray(at) - self.eye)), 0.5)
        shape, colours = model.at_detail(self.focal * model.size.max() * grow / distance)
        scaled = Shape(shape.corners * grow, shape.normals, shape.uv * grow, shape.face)
        shift = rng.uniform(0.6, 1.4) * (1 + rng.normal(0, 0.12, 3))
        if group not in ("person", "resting", "tree", "plant", "hedge") and rng.random() < 0.4:
            colours = colours[:, rng.permutation(3)]
        if group in ("car", "lorry") and rng.random() < 0.7:  # most are white, grey, black or dull
            grey = colours.mean(1, keepdims=True)
            colours, shift = grey + (colours - grey) * rng.uniform(0, 0.4), shift * rng.uniform(0.1, 1.2)
        gloss = float(rng.uniform(0.05, 0.4) if rng.random() < 0.6 else rng.uniform(0.4, 0.9)) if group in ("car", "lorry", "bike") else 0.0
        kinds = ("flat", "plaster", "noise") if gloss else ("flat", "fabric", "noise", "plaster", "foliage" if group in ("tree", "plant", "hedge") else "flat")
        skin = self.surface(*kinds, scale=(0.4, 2.0), own=0.0, gloss=gloss, contrast=float(rng.uniform(0.2, 1.0)))
        self.add(scaled, skin, at, yaw(heading), np.clip(colours * shift, 0.02, 1.1))
        return True

    def soup(self) -> dict[str, np.ndarray | list[Material]]:
        """The collected triangle arrays, by `Scene` field name."""
        names = ("corners", "normals", "uv", "tint", "material", "surface", "facet")
        arrays = {name: np.concatenate([p[i] for p in self.parts]) for i, name in enumerate(names)}
        return {**arrays, "materials": self.materials}

    # Materials by what they are ------------------------------------------------------------

    def surface(self, *kinds: str, scale: tuple[float, float] = (1.0, 3.0), **options) -> Material:
        """A material of one of the texture kinds, repeated every `scale` (range, metres)."""
        options.setdefault("contrast", float(self.rng.uniform(0.5, 1.2)))
        options.setdefault("dirt", float(self.rng.uniform(0.0, 0.4)))
        return Material(self.atlas.pick(self.rng, *kinds), float(self.rng.uniform(*scale)), **options)

    def paint(self, gloss: float = 0.0) -> Material:
        """Plain painted or plastic surface, coloured by the tint."""
        return self.surface("flat", "plaster", scale=(0.5, 2.0), own=0.0, gloss=gloss, contrast=float(self.rng.uniform(0.2, 1.0)))

    def glass(self) -> Material:
        """Dark window glass."""
        return self.surface("flat", scale=(1.0, 2.0), own=0.0, gloss=float(self.rng.uniform(0.4, 0.9)), dirt=0.1)

    def colour(self, low: float = 0.03, high: float = 0.9) -> np.ndarray:
        """A random paint colour: mostly greys and dull tones, seldom bright ones."""
        value, kind = self.rng.uniform(low, high), self.rng.random()
        spread = 0.04 if kind < 0.5 else 0.2 if kind < 0.8 else 0.6
        return np.clip(value * (1 + self.rng.normal(0, spread, 3)), 0.02, 1)
