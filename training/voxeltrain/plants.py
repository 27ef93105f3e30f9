"""Trees, shrubs and hedges: leaf cards over trunks and dense hearts. `at` is the point on the ground, world metres."""

from __future__ import annotations

import numpy as np

from .place import whole
from .scene import Builder, Material
from .shapes import box, cards, cylinder, ellipsoid, tube, yaw


def foliage(b: Builder, centre, half, count: int, size: float, tint: np.ndarray, tile: int | None = None) -> None:
    """Leaf cards of about `size` metres in ellipsoids [K, 3] of half sizes `half` [K, 3] about `centre` [K, 3] (or one), `count` each."""
    rng = b.rng
    centre, half = np.atleast_2d(centre), np.atleast_2d(half)
    centre, half = np.repeat(centre, count, 0), np.repeat(np.broadcast_to(half, centre.shape), count, 0)
    count = len(centre)
    spot = rng.normal(size=(count, 3))
    spot *= (rng.uniform(0.45, 1.0, count) / np.linalg.norm(spot, axis=1))[:, None]
    turn = turns(rng.uniform(0, 6.3, count), rng.normal(0, 0.6, count))
    half_size = np.repeat(size * rng.uniform(0.35, 0.65, (count, 1)), 2, 1)
    shape = cards(centre + spot * half, half_size, turn)
    blend = 0.7 * np.repeat(spot / np.linalg.norm(spot, axis=1, keepdims=True), 2, 0)[:, None] + 0.3 * shape.normals
    shape.normals = blend + np.array([0, -0.2, 0])
    light = np.repeat(rng.uniform(0.7, 1.2, count) * (1 - 0.3 * spot[:, 1]), 2)
    tile = b.atlas.pick(rng, "leaves_card") if tile is None else tile
    b.add(shape, Material(tile, size, cutout=True, dirt=0.0), tint=light[:, None] * tint, offset=False)


def turns(heading: np.ndarray, tilt: np.ndarray) -> np.ndarray:
    """Rotations yaw(heading) @ pitch(tilt) of all pairs, [N, 3, 3]."""
    s, c, sp, cp, zero = np.sin(heading), np.cos(heading), np.sin(tilt), np.cos(tilt), np.zeros_like(heading)
    return np.stack([np.stack([c, s * sp, s * cp], -1), np.stack([zero, cp, -sp], -1), np.stack([-s, c * sp, c * cp], -1)], -2)


def tree_cards(b: Builder, at, height: float) -> None:
    """A tree far away: two crossed pictures of it. `at` [K, 3] and `height` [K] may be many trees."""
    rng, at = b.rng, np.atleast_2d(at)
    height = np.broadcast_to(height, len(at)).astype(float)
    half = np.stack([height * rng.uniform(0.35, 0.55, len(at)), height / 2 * 1.03], -1)
    first = rng.uniform(0, np.pi, len(at))
    turn = np.concatenate([turns(first, 0 * first), turns(first + np.pi / 2, 0 * first)])
    centre = at - np.stack([0 * height, height / 2, 0 * height], -1)
    shape = cards(np.tile(centre, (2, 1)), np.tile(half, (2, 1)), turn)
    shape.normals = np.broadcast_to(shape.normals * 0.4 + [0, -0.6, -0.4], shape.normals.shape).copy()
    tint = np.tile(np.repeat(rng.uniform(0.5, 1.15, (len(at), 1)), 2, 0), (2, 1)) * np.ones(3)
    b.add(shape, Material(b.atlas.pick(rng, "tree_card"), float(height.mean()), cutout=True, dirt=0.0), tint=tint, structure=True)


def wood(b: Builder, spots: np.ndarray, tall: float) -> None:
    """Many far trees at points [K, 3] on the ground, of several kinds."""
    kinds = b.rng.integers(4, size=len(spots))
    for kind in range(4):
        here = spots[kinds == kind]
        if len(here):
            tree_cards(b, here, tall * b.rng.uniform(0.5, 1.3, len(here)))


@whole
def tree(b: Builder, at, height: float, detail: float = 1.0) -> None:
    """A leafy, conifer or bare tree; detail scales the number of cards (below 0.4: crossed pictures)."""
    rng, at = b.rng, np.asarray(at, float)
    if detail < 0.4:
        return tree_cards(b, at, height)
    if detail >= 1 and b.model("tree", at, rng.uniform(0, 6.3), 0.1):
        return
    bark = b.surface("gravel", "wood", "stones", scale=(0.5, 1.5), own=0.3)
    brown = np.array([0.42, 0.36, 0.3]) * rng.uniform(0.5, 1.3)
    kind = rng.random()
    radius = height * rng.uniform(0.014, 0.03)
    tint = rng.uniform(0.7, 1.15) * (1 + rng.normal(0, 0.05, 3))
    if kind < 0.15:  # conifer
        b.add(cylinder(radius, radius * 0.3, height * 0.9, 7), bark, at, None, brown)
        tile = b.atlas.pick(rng, "leaves_card")
        k = np.linspace(0.12, 0.95, 7)
        reach = height * 0.24 * (1.05 - k)
        centre = at - np.stack([0 * k, height * k, 0 * k], -1)
        foliage(b, centre, np.stack([reach, np.full(7, height * 0.05), reach], -1), int(14 * detail) + 4, height * 0.16, tint * [0.6, 0.8, 0.7], tile)
        return
    trunk = height * rng.uniform(0.2, 0.45)
    b.add(cylinder(radius, radius * 0.6, trunk * 1.3, 8), bark, at, None, brown)
    for angle in rng.uniform(0, 6.3, int(rng.integers(3, 7))):
        out = np.array([np.sin(angle), 0, np.cos(angle)]) * height * rng.uniform(0.12, 0.28)
        top = at - [0, trunk + height * rng.uniform(0.15, 0.45), 0]
        start = at - [0, trunk * rng.uniform(0.75, 1.2), 0]
        b.add(tube(np.array([start, (start + top + out) / 2 + [0, 0.05 * height, 0], top + out]), radius * 0.35, 5), bark, (0, 0, 0), None, brown)
    if kind < 0.25:  # bare
        turn = np.stack([yaw(a) for a in rng.uniform(0, 6.3, 6)])
        size = np.full((6, 2), height * 0.4)
        centre = at - [0, height * 0.62, 0] + rng.normal(0, 0.03 * height, (6, 3))
        b.add(cards(centre, size, turn), Material(b.atlas.pick(rng, "twigs_card"), height * 0.8, cutout=True, dirt=0.0), tint=tint)
        return
    tile, heart = b.atlas.pick(rng, "leaves_card"), b.surface("foliage", scale=(0.8, 2.0))
    crown = (height - trunk) / 2
    # few large clumps about dense hearts, or many small ones with sky between them
    dense = rng.random() < 0.5
    clumps = int(rng.integers(2, 6)) if dense else int(rng.integers(9, 22))
    shift = rng.normal(size=(clumps, 3))
    shift *= (rng.uniform(0.2, 0.4 if dense else 0.95, clumps) * crown / np.linalg.norm(shift, axis=1))[:, None]
    part = crown * (rng.uniform(0.5, 0.85, clumps) if dense else rng.uniform(0.2, 0.42, clumps))
    half = part[:, None] * np.stack([rng.uniform(0.8, 1.2, clumps), np.full(clumps, 0.8), np.ones(clumps)], -1)
    centre = at - [0, trunk + crown, 0] + shift * [1, 0.9, 1]
    if dense:
        for c, h in zip(centre, half):
            b.add(ellipsoid(tuple(h * 0.62), 6, 9), heart, c, None, tint * 0.6)
    else:
        for end in centre[:7]:
            start = at - [0, trunk * rng.uniform(0.8, 1.25), 0]
            b.add(tube(np.array([start, (start + end) / 2 - [0, 0.05 * height, 0], end]), radius * 0.25, 4), bark, (0, 0, 0), None, brown)
    foliage(b, centre, half, int((60 if dense else 26) * detail) + 3, float(part.mean()) * (rng.uniform(0.5, 0.85) if dense else rng.uniform(0.45, 0.75)) / detail**0.3, tint, tile)


@whole
def bush(b: Builder, at, size: float) -> None:
    """A round shrub of leaf cards down to the ground."""
    tint = b.rng.uniform(0.6, 1.1) * np.ones(3)
    if b.rng.random() < 0.5:
        foliage(b, np.asarray(at) - [0, size * 0.5, 0], (size * 0.6, size * 0.5, size * 0.6), int(b.rng.integers(30, 60)), size * 0.55, tint)
        return
    clumps = b.rng.normal(0, 0.28, (8, 3)) * size * [1, 0.8, 1] - [0, size * 0.5, 0]  # straggling
    foliage(b, np.asarray(at) + np.minimum(clumps, [9, -0.05 * size, 9]), np.full(3, size * 0.22), int(b.rng.integers(5, 12)), size * 0.3, tint)


def hedge(b: Builder, start, end, height: float, half: float) -> None:
    """A clipped hedge between two ground points, with leaf cards on its skin."""
    rng, start, end = b.rng, np.asarray(start, float), np.asarray(end, float)
    along = end - start
    length = float(np.linalg.norm(along))
    turn = yaw(np.arctan2(along[0], along[2]))
    tint = rng.uniform(0.6, 1.1) * np.ones(3)
    b.add(box((half, height / 2, length / 2)), b.surface("foliage", scale=(0.8, 2.0)), (start + end) / 2 - [0, height / 2, 0], turn, tint, structure=length > 6)
    count = min(220, int(length * 9))
    where = start + along * rng.random((count, 1)) + (turn @ np.array([half, 0, 0])) * rng.choice([-1, 1], (count, 1)) - np.array([0, 1, 0]) * rng.uniform(0.1, 1.02, (count, 1)) * height
    spin = turns(rng.uniform(0, 6.3, count), rng.normal(0, 0.5, count))
    near = np.linalg.norm(where - b.eye, axis=1) > b.keep_out
    shape = cards(where[near], rng.uniform(0.08, 0.22, (int(near.sum()), 1)).repeat(2, 1), spin[near])
    if len(shape.corners):
        b.add(shape, Material(b.atlas.pick(rng, "leaves_card"), 0.3, cutout=True, dirt=0.0), tint=tint, structure=True)
