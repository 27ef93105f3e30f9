"""Table tops and shelves close up: many overlapping small things before a wall, at 0.4 to 4 metres."""

from __future__ import annotations

import numpy as np

from . import plants, props
from .scene import Builder, Material, Rig
from .shapes import box, boxes, cards, cylinder, ellipsoid, pitch, quads, roll, sheet, tube, yaw

RICH = ("photo", "photo", "surface", "surface", "clutter", "fabric", "strokes", "stripes", "noise", "sign")
PLAIN = ("flat", "plaster", "fabric", "wood")


def sample_rig(rng: np.random.Generator, width: int, height: int, max_disparity: float) -> Rig:
    """A rig of 50 to 250 mm baseline whose disparity range begins 0.35 to 2 m away; focal length for 512 pixels."""
    fx, near = np.exp(rng.uniform(np.log(380), np.log(1300))), np.exp(rng.uniform(np.log(0.35), np.log(2.0)))
    baseline = float(np.clip(near * max_disparity * 0.93 / fx, 0.05, 0.25))
    grow = width / 512
    cx, cy = ((n - 1) / 2 + rng.uniform(-0.06, 0.06) * n for n in (width, height))
    return Rig(width, height, fx * grow, fx * grow, cx, cy, baseline)


def skin(b: Builder, size: float, **options) -> Material:
    """Any material, its pattern about as large as a thing of `size` metres."""
    rng = b.rng
    options.setdefault("own", float(rng.random() < 0.75))
    options.setdefault("gloss", float(rng.choice([0, 0, 0, 0.15, 0.5])))
    return b.surface(*(RICH if rng.random() < 0.6 else PLAIN), scale=(size * 0.7, size * 4), **options)


def cloth(b: Builder, at, wide: float, high: float, flat: bool) -> None:
    """A wavy sheet that hangs (from `at` upwards) or lies in folds."""
    rng = b.rng
    s, t = np.meshgrid(np.linspace(-1, 1, 17), np.linspace(0, 1, 9))
    wave = sum(rng.uniform(0.1, 0.5) / k * np.sin(k * (3 * s + rng.uniform(-1, 1) * 2 * t) + rng.uniform(0, 6.3)) for k in (1, 2, 3)) * wide * 0.12
    x = s * wide
    points = np.stack([x, -np.abs(wave) * 0.5 - 0.004, t * high], -1) if flat else np.stack([x, -(1 - t) * high, wave], -1)
    b.add(sheet(np.asarray(at) + points @ yaw(rng.normal(0, 0.3)).T, np.stack([x, t * high], -1)), skin(b, wide, gloss=0.0), tint=b.colour(0.4, 1.0))


def desk_lamp(b: Builder, at, size: float) -> None:
    """A foot, two rods and a shade."""
    rng, metal, colour = b.rng, b.paint(gloss=0.3), b.colour(0.1, 0.9)
    elbow, head = np.array([rng.uniform(-0.4, 0.4), -0.8, rng.uniform(-0.2, 0.2)]) * size, np.array([rng.uniform(-0.7, 0.7), -1.4, rng.uniform(-0.3, 0.3)]) * size
    b.add(cylinder(size * 0.3, size * 0.28, size * 0.06, 16), metal, at, None, colour)
    b.add(tube(np.array([[0, 0, 0], elbow / 2, elbow]), size * 0.025, 6), metal, at, None, colour)
    b.add(tube(np.array([elbow, (elbow + head) / 2, head]), size * 0.025, 6), metal, at, None, colour)
    b.add(cylinder(size * 0.33, size * 0.1, size * 0.4, 16), metal, np.asarray(at) + head, pitch(rng.normal(0, 0.4)) @ roll(rng.normal(0, 0.4)), colour)


def blades(b: Builder, at, size: float) -> None:
    """A pot plant with long bent leaves."""
    rng, leaf = b.rng, b.surface("foliage", "plaster", "flat", scale=(0.05, 0.3), own=0.3)
    green = np.array([0.45, 0.62, 0.35]) * rng.uniform(0.6, 1.4) * (1 + rng.normal(0, 0.1, 3))
    b.add(cylinder(size * 0.2, size * 0.3, size * 0.4, 14), b.surface("concrete", "gravel", "plaster", scale=(0.2, 0.6)), at, None, (0.75, 0.5, 0.38))
    for angle in rng.uniform(0, 6.3, int(rng.integers(6, 18))):
        t, out, up = np.linspace(0, 1, 7)[:, None], rng.uniform(0.4, 1.2) * size, rng.uniform(0.3, 1.1) * size
        path = np.array([np.sin(angle), 0, np.cos(angle)]) * t * out + np.array([0, -1, 0]) * (size * 0.4 + up * (2 * t - 1.3 * t * t))
        width = size * rng.uniform(0.02, 0.06) * np.array([0.8, 1, 1, 0.9, 0.7, 0.4, 0.02])[:, None]
        side = np.array([np.cos(angle), 0.2, -np.sin(angle)])
        strip = np.stack([path - side * width, path + [0, 0.3 * size * 0.05, 0], path + side * width], 1)
        b.add(sheet(np.asarray(at) + strip, np.broadcast_to(np.stack([0 * t + [0, 0.05, 0.1], t * out + [0, 0, 0]], -1), (7, 3, 2))), leaf, tint=green)


def thing(b: Builder, at, size: float) -> None:
    """One thing of about `size` metres that stands on `at`."""
    rng, at, kind = b.rng, np.asarray(at, float), b.rng.random()
    turn, colour = yaw(rng.uniform(0, 6.3)), b.colour(0.15, 1.0)
    if kind < 0.3 and b.model(str(rng.choice(["small", "small", "plant", "resting", "furniture", "bike", "car", "person"])), at, rng.uniform(0, 6.3), 1.0, size * rng.uniform(1, 2.2)):
        return
    if kind < 0.42:  # cone or tapered cup
        b.add(cylinder(size * rng.uniform(0.3, 0.6), size * rng.choice([0.0, 0.0, 0.3]), size * rng.uniform(0.6, 1.4), 18), skin(b, size), at, None, colour)
    elif kind < 0.56:  # pile of books or boxes
        up = 0.0
        for _ in range(int(rng.integers(1, 6))):
            half = size * np.array([rng.uniform(0.3, 0.8), rng.uniform(0.05, 0.4), rng.uniform(0.2, 0.7)])
            b.add(box(tuple(half)), skin(b, size), at - [0, up + half[1], 0], turn @ yaw(rng.normal(0, 0.3)), b.colour(0.15, 1.0))
            up += 2 * half[1]
    elif kind < 0.64:  # ball, egg or faceted star
        half, coarse = size * rng.uniform(0.3, 0.6, 3), rng.random() < 0.5
        b.add(ellipsoid(tuple(half), *((3, 5) if coarse else (10, 18))), skin(b, size), at - [0, half[1], 0], turn, colour)
    elif kind < 0.72:  # brushes or pencils in a cup
        b.add(cylinder(size * 0.2, size * 0.22, size * 0.5, 14), skin(b, size), at, None, colour)
        for _ in range(int(rng.integers(3, 9))):
            top = np.array([rng.normal(0, 0.25), -rng.uniform(0.8, 1.4), rng.normal(0, 0.25)]) * size
            b.add(tube(np.array([[0, -0.2 * size, 0], top / 2, top]), size * rng.uniform(0.008, 0.03), 5), b.paint(gloss=0.2), at, None, b.colour())
    elif kind < 0.78:  # lattice or grid
        card = cards(np.array([[0, -size * 0.7, 0.0]]), np.array([[size * 0.8, size * 0.7]]), yaw(rng.normal(0, 0.6))[None])
        b.add(card, Material(b.atlas.pick(rng, "fence"), size, cutout=True, dirt=0.0), at, None, colour)
    elif kind < 0.84:
        blades(b, at, size * 0.8)
    elif kind < 0.88:
        plants.foliage(b, at - [0, size * 0.6, 0], (size * 0.5, size * 0.6, size * 0.5), 40, size * 0.4, rng.uniform(0.7, 1.2) * np.ones(3))
    elif kind < 0.92:
        desk_lamp(b, at, size)
    elif kind < 0.96:  # ring standing up
        angle = np.linspace(0, 2 * np.pi, 25)
        rim = np.stack([np.sin(angle), np.cos(angle) - 1.1, 0 * angle], -1) * size * 0.5
        b.add(tube(rim, size * rng.uniform(0.03, 0.12), 8), skin(b, size), at, turn, colour)
    else:
        props.small_thing(b, at, size * 0.5)


def tabletop(b: Builder, rig: Rig, near: float) -> None:
    """A table, shelf or floor at y = 0 with things on it, a wall or a cluttered room behind."""
    rng = b.rng
    far = near * rng.uniform(1.25, 3.2) + 0.1
    half = far * rig.width / rig.fx
    sized = near * rig.width / rig.fx  # width of the view at the nearest thing
    top = b.surface("wood", "flat", "fabric", "photo", "surface", "tiles", "noise", scale=(0.3, 1.5), gloss=float(rng.choice([0, 0, 0.25])))
    start = near * rng.uniform(0.5, 1.1)
    b.add(quads(np.array([[[-2 * half, 0, far], [2 * half, 0, far], [2 * half, 0, start], [-2 * half, 0, start]]])), top, tint=b.colour(0.4, 1.0), structure=True)
    behind = far if rng.random() < 0.75 else far * rng.uniform(1.3, 3)
    lean = rng.normal(0, 0.15) * half
    wall = b.surface(*(RICH if rng.random() < 0.6 else PLAIN), scale=(0.3, 2.0), contrast=float(rng.uniform(0.2, 1.2)), casts=False)
    b.add(quads(np.array([[[-3 * half, -4 * half, behind + lean], [3 * half, -4 * half, behind - lean], [3 * half, 1.5, behind - lean], [-3 * half, 1.5, behind + lean]]])), wall, tint=rng.uniform(0.6, 1.0) * np.ones(3), structure=True)
    if rng.random() < 0.45:  # shelves
        for up in np.arange(rng.uniform(0.1, 0.3), 2 * half, rng.uniform(0.2, 0.4)) * max(1.0, half):
            b.add(box((2 * half, 0.01 * half, 0.12 * half)), top, (0, -up, far - 0.12 * half), None, b.colour(0.2, 0.8))
            count = int(rng.integers(4, 16))
            size = np.stack([rng.uniform(0.02, 0.1, count), rng.uniform(0.04, 0.12, count), rng.uniform(0.03, 0.1, count)], -1) * half
            centre = np.stack([rng.uniform(-1, 1, count) * half, -up - 0.01 * half - size[:, 1], np.full(count, far - 0.12 * half)], -1)
            b.add(boxes(centre, size), skin(b, 0.3 * half), (0, 0, 0), None, b.colour(0.3, 1.0))
    for _ in range(int(rng.integers(0, 4))):
        x, z = rng.uniform(-1, 1) * half * 0.5, rng.uniform(0.6, 0.98)
        cloth(b, (x, 0 if rng.random() < 0.6 else -rng.uniform(0, 0.3) * half, near + z * (far - near)), half * rng.uniform(0.15, 0.5), half * rng.uniform(0.2, 0.6), rng.random() < 0.4)
    for _ in range(int(rng.integers(1, 5))):  # boards and pictures that lean at the back
        tall, wide = rng.uniform(0.1, 0.4, 2) * half
        at = (rng.uniform(-0.6, 0.6) * half, -tall, near + rng.uniform(0.5, 0.97) * (far - near))
        b.add(box((wide, tall, 0.006)), skin(b, 2 * tall), at, yaw(rng.normal(0, 0.4)) @ pitch(rng.normal(0.1, 0.1)), b.colour(0.4, 1.0))
    for _ in range(int(rng.integers(10, 34))):
        t = rng.random() ** 0.8
        z = near * 1.02 + t * max(far - near * 1.1, 0.05)
        x = rng.uniform(-0.55, 0.55) * rig.width / rig.fx * z
        thing(b, (x, 0, z), sized * rng.uniform(0.06, 0.3) * (1 + 0.6 * t))
