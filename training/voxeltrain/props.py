"""People, street furniture and household things.

Every function adds to a Builder at `at` (world metres, the point on the ground), turned by `heading`
radians about the vertical (0: the front towards +z).
"""

from __future__ import annotations

import numpy as np

from .place import RUBBER, lifted, whole
from .plants import bush, foliage
from .scene import Builder, Material
from .shapes import box, cylinder, ellipsoid, frustum, pitch, quads, tube, yaw
from .vehicles import bicycle


@whole
def person(b: Builder, at, heading: float, phase: float | None = None) -> None:
    """A walking or standing person; phase is the gait angle in radians (legs and arms swing)."""
    if phase is None and b.model("person", at, heading, 0.5):
        return
    rng, turn = b.rng, yaw(heading)
    s = rng.uniform(0.85, 1.1) if rng.random() < 0.85 else rng.uniform(0.5, 0.75)
    phase = rng.uniform(0, 2 * np.pi) if phase is None else phase
    swing = 0.5 * np.sin(phase) * (1 if rng.random() < 0.8 else 0.1)
    cloth = b.surface("fabric", "plaster", "noise", scale=(0.3, 1.2), own=float(rng.random() < 0.6))
    trousers, skin = b.surface("fabric", "flat", scale=(0.4, 1.5), own=0.0), b.paint()
    leg, coat = b.colour(0.03, 0.5), b.colour(0.05, 0.9)
    flesh = np.array([0.85, 0.62, 0.5]) * rng.uniform(0.35, 1.1)
    hair = np.array([0.3, 0.2, 0.13]) * rng.uniform(0.1, 2.0)
    for side in (-1, 1):
        hip, knee = np.array([side * 0.1 * s, -0.9 * s, 0]), swing * side
        thigh = hip + np.array([0, 0.44, 0.44 * np.tan(knee) * 0.8]) * s
        foot = thigh + np.array([0, 0.43, 0.2 * np.tan(knee) - 0.12 * abs(knee)]) * s
        b.add(tube(np.array([hip, (hip + thigh) / 2, thigh]), 0.085 * s, 7), trousers, at, turn, leg)
        b.add(tube(np.array([thigh, foot]), 0.062 * s, 7), trousers, at, turn, leg)
        b.add(box((0.045 * s, 0.035 * s, 0.12 * s)), skin, at + turn @ (foot + np.array([0, 0.0, 0.05])), turn, RUBBER)
        shoulder = np.array([side * 0.21 * s, -1.42 * s, 0])
        elbow = shoulder + np.array([side * 0.04, 0.29, -0.25 * knee]) * s
        hand = elbow + np.array([0, 0.25, 0.08 - 0.3 * knee]) * s
        b.add(tube(np.array([shoulder, elbow, hand]), 0.05 * s, 6), cloth, at, turn, coat)
        b.add(ellipsoid((0.045 * s, 0.07 * s, 0.05 * s), 4, 6), skin, at + turn @ hand, turn, flesh)
    b.add(ellipsoid((0.21 * s, 0.36 * s, 0.135 * s)), cloth, lifted(at, turn, 0, 1.2 * s, 0), turn, coat)
    b.add(ellipsoid((0.17 * s, 0.16 * s, 0.13 * s), 6), trousers, lifted(at, turn, 0, 0.92 * s, 0), turn, leg)
    b.add(cylinder(0.055 * s, 0.055 * s, 0.12 * s, 7), skin, lifted(at, turn, 0, 1.47 * s, 0), turn, flesh)
    b.add(ellipsoid((0.085 * s, 0.12 * s, 0.1 * s)), skin, lifted(at, turn, 0, 1.66 * s, 0.01), turn, flesh)
    b.add(ellipsoid((0.09 * s, 0.09 * s, 0.105 * s), 6), skin, lifted(at, turn, 0, 1.71 * s, -0.02), turn, hair)
    if rng.random() < 0.3:
        b.add(box((0.14 * s, 0.2 * s, 0.09 * s)), cloth, lifted(at, turn, 0, 1.25 * s, -0.2 * s), turn, b.colour())


def fence(b: Builder, start, end, height: float) -> None:
    """A see-through fence with posts between two ground points."""
    rng, start, end = b.rng, np.asarray(start, float), np.asarray(end, float)
    length = float(np.linalg.norm(end - start))
    up = np.array([0, -height, 0])
    scale = rng.uniform(0.8, 1.6)
    uv = np.array([[[0, 0], [length / scale, 0], [length / scale, 1], [0, 1]]], float)
    colour = rng.uniform(0.6, 1.4) * np.ones(3)
    b.add(quads(np.array([[start + up, end + up, end, start]]), uv), Material(b.atlas.pick(rng, "fence"), max(scale, height), cutout=True, dirt=0.0), tint=colour, structure=True)
    post = b.paint()
    for t in np.arange(0, length, 2.5) / length:
        b.add(cylinder(0.035, 0.035, height * 1.05, 6), post, start + (end - start) * t, None, colour * 0.4)


@whole
def pole(b: Builder, at, heading: float) -> None:
    """A lamp post, sign post, traffic light or bare pole."""
    rng, turn, at = b.rng, yaw(heading), np.asarray(at, float)
    metal, colour = b.paint(gloss=rng.uniform(0, 0.2)), b.colour(0.05, 0.6)
    kind = rng.random()
    if kind < 0.35:  # road sign
        height, radius = rng.uniform(1.9, 2.8), 0.03
        b.add(cylinder(radius, radius, height, 7), metal, at, turn, colour)
        half = rng.uniform(0.2, 0.45)
        face = b.surface("sign", "sign", "photo", scale=(half * 2, half * 2), own=1.0, dirt=0.1)
        plate = box((half, half * rng.uniform(0.6, 1.2), 0.01))
        b.add(plate, face, at + turn @ np.array([0, -height + half, -0.05]), turn @ yaw(np.pi * (rng.random() < 0.5)), offset=False)
    elif kind < 0.6:  # lamp
        height, radius = rng.uniform(4, 8.5), rng.uniform(0.06, 0.1)
        b.add(cylinder(radius, radius * 0.6, height, 8), metal, at, turn, colour)
        arm = np.array([[0, -height + 0.1, 0], [rng.uniform(0.5, 1.8), -height - 0.3, 0]])
        b.add(tube(arm, 0.035, 5), metal, at, turn, colour)
        b.add(box((0.3, 0.06, 0.12)), b.surface("flat", glow=40.0) if b.dark else metal, at + turn @ arm[1], turn, colour)
        if b.dark:
            b.lamp(at + turn @ arm[1] + [0, 0.2, 0], rng.uniform(1.5, 8) * np.array([1, rng.uniform(0.6, 0.95), rng.uniform(0.3, 0.9)]), (0, 1, 0), 0.1)
    elif kind < 0.8:  # traffic light
        height = rng.uniform(2.4, 4.0)
        b.add(cylinder(0.06, 0.05, height, 8), metal, at, turn, colour)
        b.add(box((0.16, 0.45, 0.12)), b.paint(), at + turn @ np.array([0, -height + 0.2, -0.15]), turn, (0.05, 0.05, 0.05))
        for k, lamp in enumerate(((0.9, 0.1, 0.05), (0.9, 0.6, 0.05), (0.1, 0.8, 0.4))):
            b.add(ellipsoid((0.09, 0.09, 0.03), 4, 8), b.surface("flat", glow=float(rng.random() < 0.3)), at + turn @ np.array([0, -height - 0.1 + 0.28 * k, -0.27]), turn, lamp)
    else:
        b.add(cylinder(r := rng.uniform(0.015, 0.16), r * 0.8, rng.uniform(0.7, 9), 8), b.surface("wood", "concrete", "flat"), at, turn, colour)


@whole
def bench(b: Builder, at, heading: float) -> None:
    """A park bench."""
    if b.model("street", at, heading, 0.3):
        return
    turn, plank, colour = yaw(heading), b.surface("wood", scale=(0.5, 1.5), own=0.6), b.colour(0.2, 0.8)
    for z in (-0.18, 0.0, 0.18):
        b.add(box((0.8, 0.02, 0.07)), plank, lifted(at, turn, 0, 0.45, z), turn, colour)
    for up in (0.65, 0.82):
        b.add(box((0.8, 0.06, 0.02)), plank, lifted(at, turn, 0, up, -0.28), turn, colour)
    for side in (-0.65, 0.65):
        b.add(box((0.03, 0.22, 0.22)), b.paint(), lifted(at, turn, side, 0.22, 0), turn, RUBBER * 3)
        b.add(box((0.03, 0.25, 0.02)), b.paint(), lifted(at, turn, side, 0.65, -0.25), turn, RUBBER * 3)


def table(b: Builder, at, heading: float) -> None:
    """A table, often with things on it."""
    if b.model("furniture", at, heading, 0.4):
        return
    rng, turn, colour = b.rng, yaw(heading), b.colour(0.2, 0.9)
    wide, deep, high = rng.uniform(0.4, 1.0), rng.uniform(0.3, 0.6), rng.uniform(0.45, 0.95)
    top = b.surface("wood", "flat", "photo", "surface", "tiles", scale=(0.6, 2), gloss=float(rng.choice([0, 0, 0.3])))
    b.add(box((wide, 0.02, deep)), top, lifted(at, turn, 0, high, 0), turn, colour)
    leg = b.paint()
    for x in (-1, 1):
        for z in (-1, 1):
            b.add(box((0.025, high / 2, 0.025)), leg, lifted(at, turn, x * wide * 0.9, high / 2, z * deep * 0.85), turn, colour * 0.7)
    for _ in range(int(rng.integers(0, 6))):
        small_thing(b, lifted(at, turn, rng.uniform(-0.8, 0.8) * wide, high + 0.02, rng.uniform(-0.8, 0.8) * deep), rng.uniform(0.04, 0.18))


@whole
def chair(b: Builder, at, heading: float) -> None:
    """A chair with four legs."""
    if b.model("furniture", at, heading, 0.5):
        return
    turn, seat, colour = yaw(heading), b.surface("fabric", "wood", "flat", scale=(0.3, 1.0)), b.colour()
    b.add(box((0.22, 0.03, 0.22)), seat, lifted(at, turn, 0, 0.45, 0), turn, colour)
    b.add(box((0.22, 0.24, 0.02)), seat, lifted(at, turn, 0, 0.74, -0.21), turn @ pitch(0.12), colour)
    for x in (-0.19, 0.19):
        for z in (-0.19, 0.19):
            b.add(box((0.018, 0.22, 0.018)), b.paint(), lifted(at, turn, x, 0.22, z), turn, colour * 0.5)


def shelf(b: Builder, at, heading: float) -> None:
    """An open shelf full of boxes, or a cupboard."""
    if b.model("furniture", at, heading, 0.3):
        return
    rng, turn, colour = b.rng, yaw(heading), b.colour(0.2, 0.9)
    wide, deep, high = rng.uniform(0.4, 1.2), rng.uniform(0.15, 0.35), rng.uniform(0.8, 2.3)
    board = b.surface("wood", "flat", "surface", scale=(0.8, 2))
    if rng.random() < 0.35:
        b.add(box((wide, high / 2, deep)), board, lifted(at, turn, 0, high / 2, 0), turn, colour)
        return
    b.add(box((wide, high / 2, 0.01)), board, lifted(at, turn, 0, high / 2, -deep), turn, colour * 0.8)
    for x in (-wide, wide):
        b.add(box((0.015, high / 2, deep)), board, lifted(at, turn, x, high / 2, 0), turn, colour)
    for up in np.arange(0.05, high, rng.uniform(0.28, 0.5)):
        b.add(box((wide, 0.012, deep)), board, lifted(at, turn, 0, up, 0), turn, colour)
        for x in np.arange(-wide + 0.1, wide - 0.1, rng.uniform(0.12, 0.4)):
            if rng.random() < 0.7:
                half = (rng.uniform(0.03, 0.14), rng.uniform(0.05, 0.13), rng.uniform(0.08, deep * 0.8))
                b.add(box(half), b.surface("photo", "clutter", "flat", "sign", scale=(0.2, 0.8)), lifted(at, turn, x, up + 0.012 + half[1], 0), turn, b.colour(0.2, 1.0))


def small_thing(b: Builder, at, size: float) -> None:
    """Any small solid standing on `at`, about `size` metres in radius."""
    rng, at = b.rng, np.asarray(at, float)
    skin = b.surface("photo", "surface", "clutter", "noise", "strokes", "stripes", "flat", "wood", "sign", scale=(size, size * 5), own=float(rng.random() < 0.7), gloss=float(rng.choice([0, 0, 0, 0.4])))
    colour, turn = b.colour(0.15, 1.0), yaw(rng.uniform(0, 6.3))
    kind = rng.integers(4)
    if kind == 0:
        half = size * rng.uniform(0.3, 1.4, 3)
        b.add(box(tuple(half)), skin, at - [0, half[1], 0], turn, colour)
    elif kind == 1:
        b.add(cylinder(size * rng.uniform(0.4, 1), size * rng.uniform(0.2, 1), size * rng.uniform(0.5, 3), 14), skin, at, turn, colour)
    elif kind == 2:
        half = size * rng.uniform(0.5, 1.1, 3)
        b.add(ellipsoid(tuple(half)), skin, at - [0, half[1], 0], turn, colour)
    else:
        foliage(b, at - [0, size * 1.5, 0], (size, size, size), 16, size * 1.2, colour)
        b.add(cylinder(size * 0.5, size * 0.6, size * 0.8, 10), skin, at, turn, colour)


@whole
def bin_(b: Builder, at, heading: float) -> None:
    """A waste bin, bollard, post box or crate."""
    if b.model("street", at, heading, 0.4):
        return
    rng = b.rng
    colour, skin = b.colour(0.05, 0.7), b.paint(gloss=0.1)
    if rng.random() < 0.5:
        b.add(frustum((0.28, 0.3), (0.3, 0.36), rng.uniform(0.8, 1.2)), skin, at, yaw(heading), colour)
    else:
        radius = rng.uniform(0.06, 0.3)
        b.add(cylinder(radius, radius, rng.uniform(0.6, 1.1), 12), skin, at, yaw(heading), colour)


def wires(b: Builder, start, end, count: int) -> None:
    """Sagging cables between two points in the air."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    t = np.linspace(0, 1, 10)[:, None]
    for k in range(count):
        path = start + (end - start) * t + np.concatenate([0.35 * k + 0 * t, 2.0 * t * (1 - t), 0 * t], 1)
        b.add(tube(path, b.rng.uniform(0.008, 0.025), 3), b.paint(), (0, 0, 0), None, RUBBER, structure=True)


def random_thing(b: Builder, at) -> None:
    """Anything that may stand on the ground."""
    rng = b.rng
    heading = rng.uniform(0, 6.3)
    kind = rng.random()
    if b.model(str(rng.choice(["street", "furniture", "resting", "plant", "hedge", "bike"])), at, heading, 0.3):
        return
    if kind < 0.3:
        small_thing(b, at, rng.uniform(0.1, 0.9))
    elif kind < 0.9:
        [bin_, pole, bench, table, chair, shelf, bicycle, person][int(rng.integers(8))](b, at, heading)
    else:
        bush(b, at, rng.uniform(0.4, 1.6))
