"""Vehicles. Each stands on `at` (world metres), turned by `heading` radians about the vertical (0: the front towards +z)."""

from __future__ import annotations

import numpy as np

from .place import RUBBER, lifted, whole
from .scene import Builder
from .shapes import Shape, box, cylinder, ellipsoid, frustum, loft, quads, roll, tube, yaw


def wheels(b: Builder, at, turn: np.ndarray, half_width: float, axles: list[float], radius: float) -> None:
    """Wheels on both sides at the given z positions."""
    rubber, hub = b.paint(), b.paint(gloss=0.3)
    metal = b.rng.uniform(0.2, 0.7) * np.ones(3)
    for side in (-1, 1):  # arch, tyre, hub
        for z in axles:
            for size, out, skin, tint in ((1.16, 0.004, rubber, RUBBER * 0.7), (1.0, 0.03, rubber, RUBBER), (0.66, 0.042, hub, metal)):
                place = lifted(at, turn, side * (half_width + out - 0.2), radius, z)
                b.add(cylinder(radius * size, radius * size, 0.2, 18), skin, place, turn @ roll(side * np.pi / 2), tint)


def car_body(rng: np.random.Generator, width: float, length: float, belt: float, roof: float) -> tuple[Shape, Shape, Shape]:
    """Lower body, cabin and windows of a car; half width and half length, heights of belt and roof in metres."""
    nose, tail = rng.uniform(0.68, 0.84) * belt, rng.uniform(0.82, 1.0) * belt
    z = length * np.array([-1.0, -1.0, -0.985, -0.94, -0.8, -0.45, 0.1, 0.45, 0.8, 0.94, 0.985, 1.0, 1.0])
    deck = np.interp(z / length, [-1, -0.94, -0.5, 0.4, 0.94, 1], [tail * 0.8, tail, belt, belt, nose, nose * 0.8])
    deck[[1, -2]] *= 0.8
    sill = np.full(len(z), 0.2)
    sill[[1, -2]] = 0.36
    deck[[0, -1]] = sill[[0, -1]] = 0.34  # the ends close to a line
    wide = width * (1 - 0.16 * np.abs(z / length) ** 8)
    across = np.array([-0.9, -0.985, -1.0, -0.97, -0.86, -0.45, 0.0, 0.45, 0.86, 0.97, 1.0, 0.985, 0.9])
    up = np.array([0.0, 0.15, 0.5, 0.8, 0.98, 1.03, 1.045])
    up = np.concatenate([up, up[-2::-1]])
    y = sill[:, None] + (deck - sill)[:, None] * up
    body = loft(np.stack(np.broadcast_arrays(across * wide[:, None], -y, z[:, None]), -1))

    front, rear = rng.uniform(0.22, 0.42) * length, -length * rng.uniform(0.62, 0.95)
    lean_front, lean_rear = rng.uniform(0.55, 0.8), rng.uniform(0.12, 0.6)
    stations = np.array([rear, rear + lean_rear, (front + rear) / 2, front - lean_front, front])
    top = np.array([belt, roof - 0.04, roof, roof - 0.05, belt - 0.02])
    bottom = np.full(5, belt - 0.06)
    arch_x = np.array([-0.93, -0.75, -0.6, 0.0, 0.6, 0.75, 0.93]) * width
    share = np.array([0.0, 0.93, 1.0, 1.03, 1.0, 0.93, 0.0])
    cabin = loft(np.stack(np.broadcast_arrays(arch_x, -(bottom[:, None] + (top - bottom)[:, None] * share), stations[:, None]), -1))

    def pane(corners: list[tuple[float, float, float]], out: tuple[float, float, float]) -> np.ndarray:
        points = np.array(corners)
        return points.mean(0) + (points - points.mean(0)) * 0.9 + np.array(out) * 0.012

    low, high = belt + 0.02, belt + 0.93 * (roof - belt)
    panes = [
        pane([(-0.7 * width, -high, stations[3]), (0.7 * width, -high, stations[3]), (0.84 * width, -low, front), (-0.84 * width, -low, front)], (0, -1, 1.5)),
        pane([(-0.7 * width, -high, stations[1]), (0.7 * width, -high, stations[1]), (0.84 * width, -low, rear), (-0.84 * width, -low, rear)], (0, -1, -1.5)),
    ]
    middle = (front + rear) / 2
    for side in (-1, 1):
        for a, b_, c, d in ((stations[1] + 0.1, middle - 0.04, middle - 0.04, rear + 0.4 * lean_rear + 0.22), (middle + 0.04, stations[3] - 0.08, front - 0.38, middle + 0.04)):
            corners = [(side * 0.757 * width, -high, a), (side * 0.757 * width, -high, b_), (side * 0.91 * width, -low, c), (side * 0.91 * width, -low, d)]
            panes.append(pane(corners, (side * 1.5, -0.5, 0)))
    return body, cabin, quads(np.array(panes))


@whole
def car(b: Builder, at, heading: float, colour: np.ndarray | None = None) -> None:
    """A saloon, estate or hatchback with glossy paint and dark windows."""
    if colour is None and b.model("car", at, heading, 0.25 if b.dark else 0.45):
        return
    rng, turn = b.rng, yaw(heading)
    width, length = rng.uniform(0.84, 0.95), rng.uniform(1.85, 2.4)
    belt, roof = rng.uniform(0.86, 1.0), rng.uniform(1.4, 1.7)
    black = colour is None and rng.random() < 0.3  # polished and dark: nothing to match but what it mirrors
    paint, glass, dark = b.paint(gloss=rng.uniform(0.4, 1.0) if black else rng.uniform(0.15, 0.7)), b.glass(), b.paint()
    picked = b.colour(0.02, 0.12) if black else b.colour(0.03, 0.95)
    colour = picked if colour is None else colour
    body, cabin, panes = car_body(rng, width, length, belt, roof)
    b.add(body, paint, at, turn, colour)
    b.add(cabin, paint, at, turn, colour)
    b.add(panes, glass, at, turn, rng.uniform(0.03, 0.15) * np.ones(3))
    b.add(box((width * 0.88, 0.09, length * 0.9)), dark, lifted(at, turn, 0, 0.22, 0), turn, RUBBER)
    lamp, red = b.paint(gloss=0.5), b.paint(gloss=0.4)
    if b.dark and rng.random() < 0.6:
        lamp, red = b.surface("flat", glow=float(rng.uniform(5, 60))), b.surface("flat", glow=float(rng.uniform(0.5, 3)))
        ahead = turn @ np.array([0, 0, 1.0])
        b.lamp(lifted(at, turn, 0, belt * 0.66, length + 0.1), np.ones(3) * rng.uniform(2, 15), ahead + [0, 0.05, 0], 0.85)
    for side in (-1, 1):
        b.add(ellipsoid((0.2, 0.075, 0.12), 6, 10), lamp, lifted(at, turn, side * width * 0.68, belt * 0.66, length * 0.955), turn, (0.95, 0.95, 0.9))
        b.add(ellipsoid((0.16, 0.1, 0.09), 6, 10), red, lifted(at, turn, side * width * 0.74, belt * 0.8, -length * 0.965), turn, (0.65, 0.04, 0.04))
        b.add(ellipsoid((0.11, 0.075, 0.06), 6, 10), paint, lifted(at, turn, side * (width + 0.06), belt + 0.06, length * 0.2), turn, colour)
    b.add(box((width * 0.5, 0.07, 0.02)), dark, lifted(at, turn, 0, 0.42, length * 0.985), turn, (0.05, 0.05, 0.05))
    for end in (length, -length):
        b.add(box((0.26, 0.055, 0.012)), b.surface("sign", scale=(0.5, 0.5), own=1.0), lifted(at, turn, 0, 0.55, end * 1.003), turn)
    wheels(b, at, turn, width - 0.02, [length * 0.62, -length * 0.6], rng.uniform(0.3, 0.35))


@whole
def lorry(b: Builder, at, heading: float) -> None:
    """A van, lorry or bus."""
    if b.model("lorry", at, heading, 0.3):
        return
    rng, turn = b.rng, yaw(heading)
    width, length, height = rng.uniform(0.95, 1.25), rng.uniform(2.4, 5.5), rng.uniform(1.9, 3.4)
    colour = b.colour(0.1, 0.95)
    skin = b.surface("clutter", "photo", "sign", "stripes", scale=(2, 5), own=1.0) if rng.random() < 0.3 else b.paint(gloss=rng.uniform(0, 0.4))
    b.add(frustum((width, length), (width * 0.97, length * 0.98), height - 0.45), skin, lifted(at, turn, 0, 0.45, 0), turn, colour)
    glass = b.glass()
    b.add(box((width * 0.85, 0.4, 0.02)), glass, lifted(at, turn, 0, height * 0.62, length * 1.0), turn, (0.08, 0.08, 0.1))
    cabs = [length * 0.75] if rng.random() < 0.6 else list(np.arange(-length * 0.8, length * 0.9, 1.3))
    for z in cabs:
        b.add(box((width * 1.01, 0.36, 0.5)), glass, lifted(at, turn, 0, height * 0.62, z), turn, (0.08, 0.08, 0.1))
    for side in (-1, 1):
        b.add(box((0.1, 0.2, 0.02)), b.paint(gloss=0.4), lifted(at, turn, side * width * 0.85, 0.9, -length), turn, (0.6, 0.03, 0.03))
    wheels(b, at, turn, width - 0.1, [length * 0.7, -length * 0.6], rng.uniform(0.35, 0.5))


@whole
def bicycle(b: Builder, at, heading: float) -> None:
    """Two wheels and a frame of thin tubes."""
    if b.model("bike", at, heading, 0.6):
        return
    turn, colour, metal = yaw(heading), b.colour(), b.paint(gloss=0.2)
    angle = np.linspace(0, 2 * np.pi, 17)
    for z in (-0.52, 0.52):
        rim = np.stack([np.zeros_like(angle), -0.34 + 0.33 * np.sin(angle), z + 0.33 * np.cos(angle)], -1)
        b.add(tube(rim, 0.018), metal, at, turn, RUBBER)
    for path in ([[0, -0.34, -0.52], [0, -0.85, -0.2], [0, -0.8, 0.35], [0, -0.34, 0.52]], [[0, -0.34, -0.52], [0, -0.3, 0], [0, -0.8, 0.35]], [[0, -0.3, 0], [0, -0.95, -0.25]], [[-0.25, -1.0, 0.3], [0, -1.02, 0.36], [0.25, -1.0, 0.3]]):
        b.add(tube(np.array(path, float), 0.022), metal, at, turn, colour)
    b.add(box((0.07, 0.03, 0.13)), metal, lifted(at, turn, 0, 0.97, -0.25), turn, RUBBER)
