"""Random scenes: streets, yards and parks, rooms and corridors, table tops, flying clutter."""

from __future__ import annotations

import numpy as np

from . import plants, props, tabletop, vehicles
from .atlas import Atlas
from .meshes import MeshLibrary
from .scene import Builder, Material, Rig, Scene
from .shapes import box, cards, cylinder, ellipsoid, frustum, pitch, quads, roll, yaw
from .street import backdrop, build_street, terrain
from .weather import log_uniform, room_light, sample_weather

Rng = np.random.Generator
MAX_DISPARITY = 190.0
KINDS = {"street": 0.42, "park": 0.18, "indoor": 0.17, "table": 0.14, "flying": 0.09}


def sample_rig(rng: Rng, kind: str, width: int, height: int) -> Rig:
    """A random rectified rig; focal lengths are for a width of 512 pixels and grow with it."""
    if kind == "table":
        return tabletop.sample_rig(rng, width, height, MAX_DISPARITY)
    if kind == "street" and rng.random() < 0.4:
        fx, baseline = float(rng.choice([720.0, 1000.0])) * rng.uniform(0.97, 1.03), 0.54
    else:
        fx = log_uniform(rng, 300, 1100)
        low, high = (0.05, 0.25) if kind == "indoor" else (0.06, 0.6)
        baseline = min(log_uniform(rng, low, high), MAX_DISPARITY / fx * 4.0)
    grow = width / 512
    cx = (width - 1) / 2 + rng.uniform(-0.06, 0.06) * width
    cy = (height - 1) / 2 + rng.uniform(-0.12, 0.12) * height
    return Rig(width, height, fx * grow, fx * grow, cx, cy, baseline)


def visible_spot(rng: Rng, b: Builder, rig: Rig, near: float, far: float, power: float = 1.4) -> tuple[float, float]:
    """A random x, z on the ground inside the view between two distances."""
    z = near + (far - near) * rng.random() ** power
    return float(b.eye[0] + rng.uniform(-1.05, 1.05) * max(1.0, z * rig.width / rig.fx / 2)), float(b.eye[2] + z)


def park(b: Builder, rig: Rig, near: float) -> None:
    """Grass, paths, trees, people, furniture, a far tree line or sheds."""
    rng = b.rng
    ground = terrain(b, rng.uniform(0, 0.5), b.surface("grass", "grass", "gravel", "stones", "concrete", "asphalt", "surface", scale=(0.8, 4)), rng.uniform(0.5, 1.0) * np.ones(3))
    put = lambda x, z: np.array([x, ground(x, z), z])  # noqa: E731
    for _ in range(int(rng.integers(3, 16))):
        props.random_thing(b, put(*visible_spot(rng, b, rig, near, 30)))
    for _ in range(int(rng.integers(0, 12))):
        x, z = visible_spot(rng, b, rig, near + 2, 60)
        plants.tree(b, put(x, z), rng.uniform(2.5, 11), detail=1.0 if z < 20 else 0.5 if z < 30 else 0.3)
    if rng.random() < 0.6:  # thicket
        for _ in range(int(rng.integers(4, 20))):
            plants.bush(b, put(*visible_spot(rng, b, rig, near + 5, 40, 1.0)), rng.uniform(0.6, 2.5))
    if rng.random() < 0.6:  # edge of a wood
        start = rng.uniform(25, 60)
        spots = np.array([put(*visible_spot(rng, b, rig, start, start * 2.2, 1.0)) for _ in range(int(rng.integers(10, 60)))])
        plants.wood(b, spots, rng.uniform(4, 14))
    for _ in range(int(rng.integers(0, 4))):
        props.person(b, put(*visible_spot(rng, b, rig, near + 0.5, 25)), rng.uniform(0, 6.3))
    for _ in range(int(rng.integers(0, 3))):
        x, z = visible_spot(rng, b, rig, near + 3, 35)
        end = put(x + rng.uniform(-12, 12), z + rng.uniform(-3, 12))
        if rng.random() < 0.5:
            props.fence(b, put(x, z), end, rng.uniform(0.7, 2.0))
        else:
            plants.hedge(b, put(x, z), end, rng.uniform(0.6, 2.2), rng.uniform(0.25, 0.6))
    if rng.random() < 0.35:
        x, z = visible_spot(rng, b, rig, 9, 40)
        half = rng.uniform(1.5, 5, 2)
        wall = b.surface("brick", "plaster", "wood", "stones", "surface", scale=(1, 3))
        at, turn, high = put(x, z + half[1]), yaw(rng.uniform(-0.5, 0.5)), rng.uniform(2.2, 5)
        b.add(frustum(tuple(half), tuple(half), high + 0.3), wall, at + [0, 0.3, 0], turn, rng.uniform(0.6, 1.1) * np.ones(3))
        b.add(frustum(tuple(half * 1.1), (half[0] * 1.1, 0.1), high * 0.4), b.surface("tiles", scale=(1, 3)), at - [0, high, 0], turn, b.colour(0.15, 0.6))
    for _ in range(int(rng.integers(0, 3))):
        x, z = visible_spot(rng, b, rig, near + 2, 25)
        vehicles.car(b, put(x, z), rng.uniform(0, 6.3))
    backdrop(b, rng.uniform(35, 90))


def indoor(b: Builder, rig: Rig, near: float) -> None:
    """A room, hall or corridor seen along a random heading."""
    rng = b.rng
    turn = yaw(rng.uniform(-0.5, 0.5) if rng.random() < 0.6 else 0.0)
    left, right = rng.uniform(0.9, 6), rng.uniform(0.9, 6)
    if rng.random() < 0.35:
        left, right = rng.uniform(0.8, 1.6), rng.uniform(0.8, 1.6)
    depth, back = near + log_uniform(rng, 2, 30), 3.0
    ceiling = max(-b.eye[1] + 0.4, rng.uniform(2.2, 5))
    put = lambda x, up, z: turn @ np.array([x, -up, z])  # noqa: E731

    def panel(points, material: Material, tint) -> None:
        b.add(quads(np.array([[put(*p) for p in points]])), material, tint=tint, structure=True)

    plain = rng.random() < 0.55
    wall = lambda: b.surface(*(("plaster", "flat") if plain else ("plaster", "brick", "wood", "surface", "tiles", "photo", "fabric", "concrete")), scale=(0.8, 4), contrast=float(rng.uniform(0.2, 1.1)), own=float(rng.uniform(0, 0.6)) if plain else 1.0, casts=False)  # noqa: E731
    tint = rng.uniform(0.5, 1.0) * (1 + rng.normal(0, 0.06, 3))
    floor = b.surface("wood", "tiles", "concrete", "stones", "fabric", "surface", "asphalt", scale=(0.8, 3), gloss=float(rng.choice([0, 0, 0.3])), wet=float(rng.choice([0, 0, 0.5])))
    panel(((-left, 0, -back), (right, 0, -back), (right, 0, depth), (-left, 0, depth)), floor, rng.uniform(0.5, 1.0) * np.ones(3))
    panel(((-left, ceiling, -back), (right, ceiling, -back), (right, ceiling, depth), (-left, ceiling, depth)), b.surface("plaster", "flat", "tiles", scale=(0.6, 3), contrast=float(rng.uniform(0.2, 0.8)), casts=False), rng.uniform(0.6, 1.0) * np.ones(3))
    side = wall()
    panel(((-left, ceiling, -back), (-left, ceiling, depth), (-left, 0, depth), (-left, 0, -back)), side, tint)
    panel(((right, ceiling, -back), (right, ceiling, depth), (right, 0, depth), (right, 0, -back)), side if rng.random() < 0.7 else wall(), tint)
    panel(((-left, ceiling, depth), (right, ceiling, depth), (right, 0, depth), (-left, 0, depth)), side if rng.random() < 0.5 else wall(), tint)
    frame, lamp = b.surface("wood", "flat", scale=(0.5, 2)), b.surface("flat", glow=float(rng.uniform(1, 6)))
    for x, inward in ((-left, 1), (right, -1)):
        for z in np.arange(near, depth - 0.6, rng.uniform(1.6, 5)):
            kind = rng.random()
            if kind < 0.25:  # door
                b.add(box((0.03, 1.02, 0.45)), frame, put(x + 0.02 * inward, 1.02, z), turn, b.colour(0.15, 0.9))
            elif kind < 0.45:  # window or picture
                face = lamp if rng.random() < 0.3 else b.surface("photo", "photo", "surface", "sign", "clutter", scale=(1, 1), own=1.0, gloss=float(rng.choice([0, 0.3])), glow=float(rng.choice([0, 0, 1.5])))
                b.add(box((0.03, rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.8))), face, put(x + 0.02 * inward, 1.5, z), turn)
            elif kind < 0.55:  # pillar
                b.add(box((0.2, ceiling / 2, 0.2)), wall(), put(x + 0.2 * inward, ceiling / 2, z), turn, tint)
    for z in np.arange(near, depth, 3.0):
        if rng.random() < 0.5:
            b.add(box((0.3, 0.03, 0.6)), lamp, put((right - left) / 2, ceiling - 0.04, z), turn)
            b.lamp(put((right - left) / 2, ceiling - 0.3, z), rng.uniform(0.3, 2.0) * np.array([1, 0.92, 0.8]))
    for _ in range(int(rng.integers(6, 30))):
        z = near + 0.3 + max(depth - near - 0.6, 0.1) * rng.random() ** 1.3
        x = float(np.clip(rng.uniform(-0.7, 0.7) * z * rig.width / rig.fx, -left + 0.3, right - 0.3))
        kind = rng.random()
        heading = rng.choice([0, 1, 2, 3]) * np.pi / 2 + rng.normal(0, 0.2)
        thing = [props.table, props.chair, props.shelf, props.chair, props.bin_, props.person][int(kind * 6)] if rng.random() < 0.7 else None
        if thing:
            thing(b, put(x, 0, z), heading)
        elif b.model(str(rng.choice(["furniture", "furniture", "plant", "resting"])), put(x, 0, z), heading, 0.5):
            continue
        else:
            props.small_thing(b, put(x, 0 if rng.random() < 0.8 else rng.uniform(0.5, ceiling), z), rng.uniform(0.1, 0.6))


def flying(b: Builder, rig: Rig, near: float) -> None:
    """Unrelated solids and cards in the air, over ground or before a wall."""
    rng = b.rng
    anything = ("photo", "surface", "clutter", "noise", "strokes", "stripes", "brick", "stones", "foliage", "grass", "fabric", "flat", "tiles", "wood", "facade", "sign")
    if rng.random() < 0.7:
        terrain(b, rng.uniform(0, 0.8), b.surface(*anything, scale=(0.8, 6)), rng.uniform(0.4, 1.0) * np.ones(3))
    for _ in range(int(rng.integers(18, 60))):
        z = near + 38 * rng.random() ** 1.5
        x = b.eye[0] + rng.uniform(-1.05, 1.05) * z * rig.width / rig.fx / 2
        y = b.eye[1] + rng.uniform(-1.1, 1.1) * z * rig.height / rig.fy / 2
        size = log_uniform(rng, 0.06, 1.5) * (z / 12) ** 0.4
        turn = yaw(rng.uniform(0, 6.3)) @ pitch(rng.uniform(-1.5, 1.5)) @ roll(rng.uniform(-1.5, 1.5))
        skin = b.surface(*anything, scale=(size * 0.6, size * 5), gloss=float(rng.choice([0, 0, 0, 0.5])), own=float(rng.random() < 0.7))
        half = size * rng.uniform(0.1, 1.2, 3)
        kind = rng.integers(5)
        if kind == 0:
            b.add(ellipsoid(tuple(half)), skin, (x, y, z), turn, b.colour(0.2, 1.0))
        elif kind == 1:
            b.add(cylinder(half[0], half[0] * rng.uniform(0, 1), 3 * half[1], 14), skin, (x, y, z), turn, b.colour(0.2, 1.0))
        elif kind == 2:
            cut = Material(b.atlas.pick(rng, "fence", "leaves_card"), 2 * size, cutout=True, dirt=0.0)
            b.add(cards(np.zeros((1, 3)), np.full((1, 2), size), np.eye(3)[None]), cut, (x, y, z), turn)
        else:
            b.add(box(tuple(half)), skin, (x, y, z), turn, b.colour(0.2, 1.0))
    if rng.random() < 0.6:
        backdrop(b, rng.uniform(28, 70))


def random_scene(rng: Rng, atlas: Atlas, meshes: MeshLibrary | None = None, width: int = 512, height: int = 256) -> Scene:
    """A random scene with its rig. Some of the outdoor ones have much sky."""
    kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
    rig = sample_rig(rng, kind, width, height)
    near = max(0.3 if kind == "table" else 0.6, rig.fx * rig.baseline / (MAX_DISPARITY * width / 512 * 0.93))
    tall = rng.uniform(1.1, 2.2) if kind == "street" and rng.random() < 0.7 else rng.uniform(0.3, 2.0)
    outdoor = kind not in ("indoor", "table")
    tilt, heading, scale = rng.normal(-0.03, 0.07), rng.normal(0, 0.08), 1.0
    if kind == "street":
        tilt, heading = rng.normal(0, 0.03), rng.normal(0, 0.06) if rng.random() < 0.85 else rng.uniform(-0.9, 0.9)
    if kind == "table":
        tall = near * rng.uniform(0.1, 0.7)
        tilt = -np.arctan(tall / (1.6 * near)) * rng.uniform(0.5, 1.0)
    elif kind == "indoor" and rng.random() < 0.5:
        scale = float(rng.choice([1.5, 2.0, 3.0, 5.0]))
    elif kind == "flying" and rng.random() < 0.35:
        scale = float(rng.choice([1.5, 2.0, 3.0]))
    if outdoor and rng.random() < 0.35:
        tilt += rng.uniform(0, 0.35) * height / rig.fy
    eye = np.array([0.0, -tall, 0.0])
    sky, light, lighting = sample_weather(rng, atlas)
    if not outdoor:
        light, lighting = room_light(rng), "indoor"
    # most cameras on roads and paths have room before them
    clear = max(0.75 * near, rng.uniform(2.0, 6.0)) if kind in ("street", "park") and rng.random() < 0.7 else 0.75 * near
    b = Builder(atlas, rng, eye, clear, rig.fx, meshes, lighting == "night", (heading, rig.width / rig.fx * 0.62 + 0.05, 9.0) if outdoor else None)
    {"street": build_street, "park": park, "indoor": indoor, "table": tabletop.tabletop, "flying": flying}[kind](b, rig, near)
    if kind == "table":  # the things fill 4 to 25 m of the grid
        scale = float(np.clip(rng.uniform(5, 20) / near, 3, 16))
    if lighting == "night" and rng.random() < 0.6:  # own headlights
        b.lamp(eye + [0, 0.4, 0], np.ones(3) * log_uniform(rng, 4, 40), (np.sin(heading), 0.03, np.cos(heading)), 0.85)
    light.lamps = b.nearest_lamps(6)
    fog = log_uniform(rng, 60, 400) if rng.random() < 0.15 else log_uniform(rng, 400, 4000)
    exposure = {"night": rng.uniform(0.02, 0.14), "low_sun": rng.uniform(0.07, 0.26), "indoor": rng.uniform(0.08, 0.3)}.get(lighting, rng.uniform(0.1, 0.3))
    return Scene(
        **b.soup(), rig=rig, rotation=(yaw(heading) @ pitch(tilt) @ roll(rng.normal(0, 0.02))).T, eye=eye, sky=sky, light=light,
        fog=fog if outdoor else 1e4, exposure=exposure, kind=kind, scale=scale, lighting=lighting, mirror=0.0,
        bloom=log_uniform(rng, 0.004, 0.06), flare=float(rng.choice([0, 0.02, 0.06])),
    )  # fmt: skip
