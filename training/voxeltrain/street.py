"""Streets: a swept road profile with buildings, traffic, furniture and a far background."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import plants, props, vehicles
from .scene import Builder, Material, Rig
from .shapes import box, boxes, cylinder, frustum, quads, sheet, yaw
from .weather import log_uniform

ALONG = np.array([-8, 0, 3, 6, 9, 12, 16, 20, 25, 30, 36, 43, 52, 62, 75, 90, 110, 140, 180, 240, 330.0])


def terrain(b: Builder, rough: float, material: Material, tint) -> Callable[[float, float], float]:
    """Gently uneven ground; returns its height y(x, z)."""
    rng = b.rng
    slope = rng.normal(0, 0.015, 2) if rng.random() < 0.6 else np.zeros(2)
    phase, wave = rng.random(2) * 6.3, rng.uniform(8, 20)

    def height(x, z):
        bump = np.sin(np.asarray(x) / wave + phase[0]) * np.sin(np.asarray(z) / wave + phase[1]) - np.sin(phase[0]) * np.sin(phase[1])
        return slope[0] * np.asarray(x) + slope[1] * np.asarray(z) + rough * 0.4 * bump * np.clip(np.abs(z) / 10, 0, 1)

    axis = np.sort(np.concatenate([np.linspace(-30, 30, 25), [-300, -140, -70, -45, 45, 70, 140, 300]]))
    x, z = np.meshgrid(axis, ALONG)
    uv = np.stack([x, z], -1)
    b.add(sheet(np.stack([x, height(x, z), z], -1), uv), material, tint=tint, structure=True)
    return height


def backdrop(b: Builder, distance: float) -> None:
    """Woods, hills or a skyline beyond `distance` metres, so that the far field is not bare."""
    rng = b.rng
    for far in (distance, distance * rng.uniform(1.4, 3)):
        if rng.random() < 0.3:
            continue
        high = far * rng.uniform(0.03, 0.16)
        half = 300.0
        skew = rng.normal(0, 0.1) * half
        base = 0.02 * far + 1.0
        points = np.array([[[-half, -high, far + skew], [half, -high, far - skew], [half, base, far - skew], [-half, base, far + skew]]])
        wide = high * rng.uniform(1.5, 4)
        uv = np.array([[[0, 0], [2 * half / wide, 0], [2 * half / wide, 0.995], [0, 0.995]]]) + [rng.random(), 0]
        shade = rng.uniform(0.4, 1.0) * np.ones(3)
        b.add(quads(points, uv), Material(b.atlas.pick(rng, "treeline"), wide, cutout=True, dirt=0.0), tint=shade, structure=True)
    if rng.random() < 0.6:
        spots = np.stack([rng.uniform(-1, 1, 30) * distance, np.full(30, 0.5), distance * rng.uniform(0.6, 1.6, 30)], -1)
        plants.wood(b, spots[: int(rng.integers(6, 31))], rng.uniform(6, 16))
    for x, z in zip(rng.uniform(-1, 1, 8) * distance * 0.6, distance * rng.uniform(0.4, 1.2, 8)):  # masts
        if rng.random() < 0.4:
            b.add(cylinder(0.15, 0.1, rng.uniform(6, 25), 5), b.paint(), (x, 1.0, z), None, b.colour(0.05, 0.5), structure=True)
    for _ in range(int(rng.integers(0, 9))):
        at = np.array([rng.uniform(-1, 1) * distance * 1.2, 2.0, distance * rng.uniform(0.9, 2)])
        half = rng.uniform(4, 14, 2)
        tower(b, at, half, rng.uniform(5, 0.25 * at[2] + 8))


def tower(b: Builder, at, half, height: float) -> None:
    """A distant building: a textured block."""
    rng = b.rng
    skin = b.surface("facade", "facade", "facade", "photo", "plaster", scale=(6, 14), own=1.0)
    b.add(box((half[0], height / 2, half[1])), skin, np.asarray(at) - [0, height / 2, 0], yaw(rng.normal(0, 0.2)), rng.uniform(0.5, 1.1) * np.ones(3), structure=True)


class Street:
    """Maps street coordinates (lateral metres, metres along) to the world."""

    def __init__(self, rng: np.random.Generator, lane: float) -> None:
        self.lane = lane
        self.bend = rng.normal(0, 0.0009) if rng.random() < 0.5 else 0.0
        self.slope = rng.normal(0, 0.012) if rng.random() < 0.6 else 0.0
        self.hill = rng.uniform(-0.00025, 0.00025) if rng.random() < 0.5 else 0.0
        self.bank = rng.normal(0, 0.01) if rng.random() < 0.4 else 0.0

    def point(self, lateral, along, up=0.0) -> np.ndarray:
        """World points [..., 3]."""
        lateral, along, up = np.broadcast_arrays(np.asarray(lateral, float), np.asarray(along, float), np.asarray(up, float))
        near = np.clip(along, 0, 150)
        x = lateral - self.lane + self.bend * near**2 * (1 + (along - near) / 75)
        y = self.slope * along + self.hill * near**2 + self.bank * (lateral - self.lane).clip(-20, 20) - up
        return np.stack([x, y, along], -1)

    def heading(self, along: float) -> float:
        """Direction of the street, radians about the vertical."""
        return float(np.arctan(2 * self.bend * np.clip(along, 0, 150)))

    def strip(self, b: Builder, left: float, right: float, up: float, material: Material, tint, start: float = -8, end: float = 330) -> None:
        """A lengthwise band of surface between two lateral positions."""
        along = np.unique(np.concatenate([[start], ALONG[(ALONG > start) & (ALONG < end)], [end]]))
        lateral, z = np.meshgrid([left, right], along)
        b.add(sheet(self.point(lateral, z, up), np.stack([lateral, z], -1)), material, tint=tint, structure=True)

    def wall(self, b: Builder, lateral: float, low: float, high: float, material: Material, tint) -> None:
        """An upright band along the whole street (kerb faces)."""
        points = np.stack([self.point(lateral, ALONG, high), self.point(lateral, ALONG, low)], 0)
        uv = np.stack(np.meshgrid(ALONG, [0.0, high - low]), -1)
        b.add(sheet(points, uv), material, tint=tint, structure=True)


def markings(b: Builder, street: Street, road: float) -> None:
    """Lane lines, dashes, zebra crossings, patches: thin layers 4 mm above the road."""
    rng = b.rng
    white = b.surface("asphalt", "concrete", scale=(1, 2), own=0.0, contrast=float(rng.uniform(0.3, 1.2)))
    shade = rng.uniform(0.6, 0.95) * np.array([1, 1, rng.choice([1.0, 1.0, 0.55])])

    def dashes(lateral: float, length: float, gap: float, end: float) -> None:
        for z in np.arange(-6 + rng.uniform(0, 6), end, length + gap):
            street.strip(b, lateral - 0.07, lateral + 0.07, 0.004, white, shade, z, z + length)

    if rng.random() < 0.7:
        dashes(0.0, rng.uniform(1.5, 4), rng.uniform(2, 7), 90)
    for edge in np.arange(3.5, road - 2, 3.5):  # further lanes of wide roads
        if rng.random() < 0.7:
            length, gap = rng.uniform(1.5, 6), rng.uniform(2, 9)
            for side in (-1, 1):
                dashes(side * edge, length, gap, 60)
    for side in (-1, 1):
        if rng.random() < 0.45:
            street.strip(b, side * (road - 0.25) - 0.06, side * (road - 0.25) + 0.06, 0.004, white, shade, -8, 120)
    if rng.random() < 0.25:
        z = rng.uniform(5, 40)
        for x in np.arange(-road + 0.3, road - 0.3, 1.0):
            street.strip(b, x, x + 0.5, 0.004, white, shade, z, z + 3)
    for _ in range(int(rng.integers(0, 6))):
        x, z = rng.uniform(-road, road - 1), rng.uniform(2, 40)
        tint = rng.uniform(0.3, 1.2) * np.ones(3)
        wet = float(rng.random() < 0.2)
        street.strip(b, x, min(road, x + rng.uniform(0.4, 3)), 0.003, b.surface("asphalt", "concrete", "gravel", scale=(1, 3), gloss=0.6 * wet), tint, z, z + rng.uniform(0.5, 8))


def building(b: Builder, street: Street, side: int, lateral: float, start: float, length: float, walls: list[tuple[str, np.ndarray]] | None = None) -> None:
    """A house or block with windows, doors, balconies, a roof; its front at `lateral`, metres along from `start`.

    walls: texture kinds and paint colours to choose from; anything if None.
    """
    rng = b.rng
    height, deep = (rng.uniform(5, 17) if rng.random() < 0.8 else rng.uniform(2.5, 5)), rng.uniform(6, 14)
    turn = yaw(street.heading(start + length / 2))
    at = street.point(side * (lateral + deep / 2), start + length / 2, 0.0)
    if b.view is not None and b.unseen(at, length):
        return
    plain = rng.random() < 0.45
    wall = b.surface(*(("plaster", "flat", "concrete") if plain else ("brick", "plaster", "stones", "wood", "facade", "surface")), scale=(1.2, 4.5), contrast=float(rng.uniform(0.3, 1.1)))
    tint = rng.uniform(0.5, 1.1) * (1 + rng.normal(0, 0.04, 3))
    if walls is not None:
        kind, tint = walls[int(rng.integers(len(walls)))]
        wall = b.surface(kind, scale=(1.5, 2.5), own=float(kind == "brick"), contrast=0.7, dirt=0.15)
    b.add(box((deep / 2, height / 2 + 1, length / 2)), wall, at - [0, height / 2 - 1, 0], turn, tint, structure=True)
    if height < 11 and rng.random() < 0.6:
        b.add(frustum((deep / 2 + 0.4, length / 2 + 0.3), (0.2, length / 2), height * 0.4), b.surface("tiles", scale=(1.5, 4)), at - [0, height, 0], turn, b.colour(0.12, 0.5), structure=True)
    if start > 60:
        return
    front = -side * deep / 2
    storey, bay = rng.uniform(2.7, 3.5), rng.uniform(1.8, 4)
    half_w, half_h = bay * rng.uniform(0.18, 0.36), storey * rng.uniform(0.2, 0.34)
    shop = rng.random() < 0.25
    floors, along = np.arange(int(height / storey)), np.arange(-length / 2 + bay / 2, length / 2 - bay / 4, bay)
    grid = np.stack([a.ravel() for a in np.meshgrid(floors, along, indexing="ij")], -1)
    door = (grid[:, 0] == 0) & (shop | (rng.random(len(grid)) < 0.2))
    window, door = grid[~door], grid[door]
    lit = b.dark and rng.random() < 0.7
    glass, frame = b.surface("flat", "photo", scale=(1, 3), glow=log_uniform(rng, 0.02, 0.6), contrast=1.0) if lit else b.glass(), b.paint()
    panes, frames = rng.uniform(0.03, 0.3) * np.ones(3), b.colour(0.3, 0.95)

    def put(cells: np.ndarray, up: float, half: tuple[float, float, float], skin: Material, tint) -> None:
        if len(cells):
            centres = np.stack([np.full(len(cells), front), -(storey * cells[:, 0] + up), cells[:, 1]], -1)
            b.add(boxes(centres, np.tile(half, (len(cells), 1))), skin, at, turn, tint, structure=True)

    middle = storey * 0.55
    put(window, middle, (0.05, half_h + 0.08, half_w + 0.08), frame, frames)
    put(window, middle, (0.06, half_h, half_w), glass, panes)
    put(window[rng.random(len(window)) < 0.7], middle, (0.08, half_h, 0.03), frame, frames)
    display = shop and rng.random() < 0.5
    face = b.surface("photo", "sign", "clutter", scale=(1, 3), own=1.0, gloss=0.3) if display else glass
    put(door, 1.1, (0.04, 1.05, bay * 0.42 if shop else 0.5), face, np.ones(3) if display else panes)
    balcony = np.stack([floors[1:], np.zeros(len(floors[1:]))], -1)[rng.random(len(floors[1:])) < 0.15]
    put(balcony, 0.1, (1.0, 0.08, length * 0.4), frame, frames)
    if shop:
        b.add(box((0.12, 0.35, length * 0.48)), b.surface("sign", "photo", "stripes", scale=(1.5, 4), own=1.0), at + turn @ np.array([front - 0.1 * side, -2.75, 0]), turn, structure=True)


def traffic(b: Builder, street: Street, road: float, near: float) -> None:
    """Parked rows at the kerb and vehicles, cyclists and walkers on the road."""
    rng = b.rng
    for side in (-1, 1):
        if rng.random() < 0.55:
            z, full = rng.uniform(near, near + 12), rng.uniform(0.5, 0.95)
            while z < 70:
                if rng.random() < full:
                    heading = street.heading(z) + (np.pi if rng.random() < 0.5 else 0) + rng.normal(0, 0.03)
                    (vehicles.car if rng.random() < 0.88 else vehicles.lorry)(b, street.point(side * (road - 1.05), z), heading)
                z += rng.uniform(5.2, 9)
    for _ in range(int(rng.integers(0, 6))):
        side, z = int(rng.choice([-1, 1])), near + 2 + 60 * rng.random() ** 1.3
        at = street.point(side * rng.uniform(0.2, 0.6) * road, z)
        heading = street.heading(z) + (0 if side > 0 else np.pi) + (np.pi / 2 if rng.random() < 0.08 else 0)
        kind = rng.random()
        (vehicles.car if kind < 0.75 else vehicles.lorry if kind < 0.9 else vehicles.bicycle)(b, at, heading)
    for _ in range(int(rng.integers(0, 3))):
        z = near + 1 + 35 * rng.random()
        props.person(b, street.point(rng.uniform(-road, road), z), rng.uniform(0, 6.3))


def roadside(b: Builder, street: Street, side: int, kerb: float, pavement: float, near: float) -> None:
    """Trees, posts, people, hedges and fences on one pavement."""
    rng = b.rng
    spot = lambda low=0.2, high=0.9: kerb + pavement * rng.uniform(low, high)  # noqa: E731
    green = rng.random()
    if green < 0.3:  # a belt of trees and shrubs
        for _ in range(int(rng.integers(6, 22))):
            z = near + 2 + 33 * rng.random()
            plants.bush(b, street.point(side * (kerb + pavement + rng.uniform(0.3, 5)), z), rng.uniform(0.6, 2.6))
        for _ in range(int(rng.integers(2, 8))):
            z = near + 2 + 28 * rng.random()
            plants.tree(b, street.point(side * (kerb + pavement + rng.uniform(0.5, 9)), z), rng.uniform(4, 15), 0.7 if z < 20 else 0.4)
        z, lateral = rng.uniform(22, 130, 40), kerb + pavement + rng.uniform(0.5, 16, 40)
        plants.wood(b, street.point(side * lateral, z)[: int(rng.integers(10, 41))], rng.uniform(5, 15))
    if rng.random() < 0.6:
        z, step, tall = rng.uniform(near, near + 10), rng.uniform(4, 13), rng.uniform(3, 13)
        while z < 90:
            if rng.random() < 0.8:
                lateral = (kerb + 0.6 if rng.random() < 0.8 else kerb + pavement + rng.uniform(0.5, 4)) * side
                plants.tree(b, street.point(lateral, z, 0.1), tall * rng.uniform(0.7, 1.3), 1.0 if z < 18 else 0.5 if z < 34 else 0.3)
            z += step * rng.uniform(0.8, 1.3)
    for _ in range(int(rng.integers(0, 8))):
        z = near + 45 * rng.random() ** 1.2
        props.pole(b, street.point(side * (kerb + 0.4), z, 0.1), street.heading(z) + (0 if side > 0 else np.pi))
    for _ in range(int(rng.integers(0, 5))):
        z = near + 40 * rng.random() ** 1.2
        props.person(b, street.point(side * spot(), z, 0.12), street.heading(z) + np.pi * rng.integers(2) + rng.normal(0, 0.3))
    for _ in range(int(rng.integers(0, 5))):
        z = near + 35 * rng.random()
        props.random_thing(b, street.point(side * spot(), z, 0.12))
    edge = side * (kerb + pavement)
    if rng.random() < 0.4:
        z, make = rng.uniform(0, 15), rng.random()
        for _ in range(int(rng.integers(1, 4))):
            end = z + rng.uniform(4, 18)
            if make < 0.5:
                plants.hedge(b, street.point(edge, z), street.point(edge, end), rng.uniform(0.6, 2.4), rng.uniform(0.25, 0.6))
            else:
                props.fence(b, street.point(edge, z), street.point(edge, end), rng.uniform(0.8, 2.2))
            z = end + rng.uniform(1, 8)
    if rng.random() < 0.25:
        b.add(box((0.12, 0.6, 40)), b.surface("brick", "stones", "concrete", "plaster", scale=(1, 3)), street.point(edge, 45.0, 0.5), yaw(street.heading(20)), rng.uniform(0.5, 1.0) * np.ones(3), structure=True)


def build_street(b: Builder, rig: Rig, near: float) -> None:
    """A whole street around the camera, which stands on the road or the pavement."""
    rng = b.rng
    road, pavement = rng.uniform(2.3, 7.5) if rng.random() < 0.75 else rng.uniform(7.5, 13), rng.uniform(1.2, 4)
    lane = rng.uniform(-0.75, 0.75) * road if rng.random() < 0.85 else rng.choice([-1, 1]) * (road + 0.5 * pavement)
    street = Street(rng, float(lane))
    wet = rng.uniform(0.4, 1.0) if rng.random() < 0.16 else 0.0
    if wet:  # mirrors need level ground
        street.slope, street.hill, street.bank = 0.0, 0.0, 0.0
    smooth = ("asphalt", "asphalt", "asphalt", "concrete")
    tarmac = b.surface(*smooth, *(() if road > 7.5 else ("stones", "gravel")), scale=(1.5, 5), contrast=float(rng.uniform(0.15, 1.0)), gloss=float(rng.choice([0, 0, 0, 0.35])), wet=wet)
    street.strip(b, -road, road, 0.0, tarmac, rng.uniform(0.6, 1.1) * np.ones(3))
    markings(b, street, road)
    paving = b.surface("concrete", "tiles", "stones", "asphalt", "gravel", scale=(1, 3))
    verge = b.surface("grass", "grass", "gravel", "concrete", "stones", scale=(1, 4))
    tint, lawn = rng.uniform(0.5, 1.0) * np.ones(3), rng.uniform(0.5, 1.0) * np.ones(3)
    kerb = rng.uniform(0.03, 0.16) if rng.random() < 0.85 else 0.0
    for side in (-1, 1):
        inner, outer = sorted((side * road, side * (road + pavement)))
        street.strip(b, inner, outer, kerb, paving, tint)
        street.wall(b, side * road, -0.05, kerb, b.surface("concrete", scale=(1, 2)), tint * rng.uniform(0.7, 1.2))
        inner, outer = sorted((side * (road + pavement), side * 160))
        street.strip(b, inner, outer, kerb, verge, lawn)
        roadside(b, street, side, road, pavement, near)
        setback = pavement + (rng.uniform(0.0, 1.0) if rng.random() < 0.5 else rng.uniform(2, 14))
        z, closed = rng.uniform(-8, 6), rng.uniform(0.15, 1.0)
        while z < 130 and rng.random() < 0.97:
            length = rng.uniform(5, 18)
            if rng.random() < closed:
                building(b, street, side, road + setback + rng.uniform(0, 1.0), z, length)
            elif rng.random() < 0.7:
                for _ in range(int(rng.integers(1, 4))):
                    plants.tree(b, street.point(side * (road + setback + rng.uniform(1, 12)), z + length * rng.random()), rng.uniform(4, 14), 0.6 if z < 25 else 0.3)
            z += length + (rng.uniform(1, 10) if rng.random() < 0.4 else 0)
    traffic(b, street, road, near)
    if rng.random() < 0.45:
        side, high, count = rng.choice([-1, 1]), rng.uniform(4.5, 8), int(rng.integers(1, 5))
        for z in np.arange(rng.uniform(-10, 5), 70, 25):
            here, there = street.point(side * (road + 0.5), z, high), street.point(side * (road + 0.5), z + 25, high)
            props.wires(b, here, there, count)
            b.add(cylinder(0.12, 0.09, high + 0.4, 7), b.surface("wood", "concrete"), here + [0, high, 0], None, b.colour(0.1, 0.5))
            if rng.random() < 0.4:  # across the street
                props.wires(b, here, street.point(-side * (road + rng.uniform(0.5, 6)), z + rng.uniform(-6, 6), high - 0.5), 1)
    backdrop(b, rng.uniform(60, 150))
