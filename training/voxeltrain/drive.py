"""Renders the demo drive: a small vehicle rolls down a town street among walkers and traffic.

    python -m voxeltrain.drive --out DIR

Writes left/NNNN.jpg, right/NNNN.jpg, depth/NNNN.png (uint16 centimetres of z, 0 for none, every second
pixel of the left image) and drive.json. Everything is procedural: the result may be published.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from . import plants, props, vehicles
from .atlas import Atlas, load_atlas
from .render import render
from .scene import Builder, Light, Rig, Scene, Sky
from .shapes import box, cylinder, ellipsoid, pitch, roll, yaw
from .street import Street, backdrop, building

SEED = 20
FRAMES, RATE = 120, 10.0
START_NS = 1_750_000_000_000_000_000
RIG = Rig(640, 360, 450.0, 450.0, 319.5, 168.0, 0.30)
HEIGHT = 1.2
ROAD, PAVEMENT, KERB = 4.7, 2.6, 0.13
ZEBRA = 25.0
JPEG_QUALITY, DEPTH_STEP = 72, 2
WALLS = [(kind, np.array(colour)) for kind, colour in (
    ("plaster", (0.93, 0.83, 0.66)), ("plaster", (0.86, 0.64, 0.48)), ("plaster", (0.90, 0.89, 0.84)), ("plaster", (0.72, 0.78, 0.80)),
    ("plaster", (0.93, 0.78, 0.50)), ("brick", (1.0, 0.95, 0.9)), ("brick", (0.9, 0.8, 0.72)),
)]  # fmt: skip
PAINTS = np.array([(0.55, 0.06, 0.05), (0.85, 0.86, 0.88), (0.08, 0.15, 0.36), (0.10, 0.10, 0.11), (0.62, 0.64, 0.66), (0.75, 0.55, 0.12), (0.10, 0.30, 0.24), (0.92, 0.92, 0.9)])


def robot(time: float) -> tuple[float, float]:
    """Metres along the street and lateral position of the camera at `time` seconds; 3.2 to 3.9 m/s."""
    along = 3.5 * time + 0.6 * (1 - np.cos(time * 0.6))
    return along, 1.7 + 0.55 * np.sin(along / 9.0) * min(1.0, along / 5)


def ground(b: Builder, street: Street) -> None:
    """Road, marks, pavements, kerbs and lawns."""
    white = np.ones(3)
    street.strip(b, -ROAD, ROAD, 0.0, b.surface("asphalt", scale=(2.5, 2.5), contrast=0.9, own=0.3), 0.62 * white, -20)
    paint = b.surface("concrete", scale=(1.5, 1.5), own=0.0, contrast=0.6)
    for x in np.arange(-ROAD + 0.4, ROAD - 0.3, 1.0):
        street.strip(b, x, x + 0.5, 0.005, paint, 0.9 * white, ZEBRA - 1.5, ZEBRA + 1.5)
    for z in np.arange(-18.0, 120, 7.0):
        if abs(z + 1.5 - ZEBRA) > 4:
            street.strip(b, -0.07, 0.07, 0.004, paint, 0.85 * white, z, z + 3)
    for side in (-1, 1):
        street.strip(b, side * 2.85 - 0.05, side * 2.85 + 0.05, 0.004, paint, 0.8 * white, -20, 150)
    for x, z, wide, long in ((0.6, 9.0, 1.4, 3.2), (-2.4, 17.0, 1.0, 6.0), (1.2, 38.0, 1.2, 4.0)):
        street.strip(b, x, x + wide, 0.003, b.surface("asphalt", scale=(1, 2), own=0.0), 0.36 * white, z, z + long)
    paving, stone, lawn = b.surface("tiles", scale=(1.6, 1.6), own=0.2), b.surface("concrete", scale=(1.0, 1.0), own=0.2), b.surface("grass", scale=(2, 2))
    for side in (-1, 1):
        street.strip(b, *sorted((side * ROAD, side * (ROAD + PAVEMENT))), KERB, paving, 0.75 * white, -20)
        street.wall(b, side * ROAD, -0.05, KERB, stone, 0.8 * white)
        street.strip(b, *sorted((side * ROAD, side * (ROAD + 0.14))), KERB + 0.004, stone, 0.85 * white, -20)
        street.strip(b, *sorted((side * (ROAD + PAVEMENT), side * 160)), KERB, lawn, white, -20)


def planter(b: Builder, at: np.ndarray) -> None:
    """A round tub with a shrub."""
    b.add(cylinder(0.38, 0.46, 0.5, 14), b.surface("concrete", scale=(1, 1), own=0.3), at, None, (0.7, 0.55, 0.45))
    plants.foliage(b, at - [0, 0.8, 0], (0.45, 0.4, 0.45), 40, 0.35, np.ones(3))


def cafe(b: Builder, street: Street, along: float) -> None:
    """Tables, chairs and parasols on the left pavement."""
    for k in range(3):
        at = street.point(-(ROAD + 1.7), along + 2.6 * k, KERB)
        props.table(b, at, 0.0)
        for turn in (0.0, np.pi):
            props.chair(b, at + yaw(turn) @ np.array([0, 0, -0.75]), turn)
        b.add(cylinder(0.025, 0.025, 2.4, 8), b.paint(), at, None, (0.8, 0.8, 0.8))
        b.add(cylinder(1.15, 0.05, 0.4, 12), b.surface("fabric", scale=(0.6, 0.6), own=0.0), at - [0, 2.2, 0], None, ((0.8, 0.2, 0.15), (0.95, 0.9, 0.8), (0.15, 0.4, 0.35))[k])


def town(b: Builder, street: Street) -> None:
    """All that does not move."""
    rng = b.rng
    ground(b, street)
    for side in (-1, 1):
        z = -16.0
        while z < 135:
            length = float(rng.uniform(8, 14))
            if (side < 0 and 30 < z < 42) or (side > 0 and 52 < z < 66):  # a gap with a garden
                for _ in range(3):
                    plants.tree(b, street.point(side * (ROAD + PAVEMENT + rng.uniform(2, 9)), z + length * rng.random(), KERB), rng.uniform(5, 9))
                plants.hedge(b, street.point(side * (ROAD + PAVEMENT + 0.4), z, KERB), street.point(side * (ROAD + PAVEMENT + 0.4), z + length, KERB), 1.1, 0.35)
            else:
                building(b, street, side, ROAD + PAVEMENT + 0.2, z, length, WALLS)
            z += length
        for z in np.arange(4.0 if side > 0 else 9.0, 125, 11.0):
            plants.tree(b, street.point(side * (ROAD + 0.75), z, KERB), rng.uniform(5.0, 6.8), 1.0 if z < 60 else 0.5)
        for z in np.arange(9.5 if side > 0 else 3.5, 110, 22.0):
            at = street.point(side * (ROAD + 0.45), z, KERB)
            b.add(cylinder(0.07, 0.045, 5.2, 10), b.paint(gloss=0.1), at, None, (0.12, 0.16, 0.15))
            b.add(ellipsoid((0.2, 0.24, 0.2)), b.paint(gloss=0.5), at - [0, 5.35, 0], None, (0.95, 0.93, 0.85))
        for z in (ZEBRA - 2.4, ZEBRA + 2.4):
            for lateral in (ROAD + 0.35,):
                b.add(cylinder(0.055, 0.05, 0.95, 10), b.paint(), street.point(side * lateral, z, KERB), None, (0.75, 0.15, 0.1))
    for z in (12.0, 34.0, 56.0):
        props.bench(b, street.point(ROAD + 2.1, z, KERB), street.heading(z) - np.pi / 2)
        planter(b, street.point(ROAD + 2.0, z + 2.2, KERB))
        b.add(cylinder(0.24, 0.27, 0.85, 14), b.paint(), street.point(ROAD + 0.5, z + 1.5, KERB), None, (0.16, 0.3, 0.22))
    cafe(b, street, 13.0)
    sign = b.surface("sign", scale=(0.6, 0.6), own=1.0, dirt=0.0)
    for side, z in ((1, ZEBRA - 3.2), (1, 47.0), (-1, ZEBRA + 3.5)):
        at = street.point(side * (ROAD + 0.4), z, KERB)
        b.add(cylinder(0.03, 0.03, 2.5, 8), b.paint(), at, None, (0.5, 0.5, 0.5))
        b.add(box((0.3, 0.3, 0.012)), sign, at + np.array([0, -2.2, -0.04]), offset=False)
    places = ((1, 16.5), (1, 37.5), (1, 43.2), (1, 60.0), (1, 66.0), (-1, 6.0), (-1, 35.0), (-1, 41.0), (-1, 47.0), (-1, 68.0), (-1, 80.0), (1, 85.0))
    for k, (side, z) in enumerate(places):
        vehicles.car(b, street.point(side * (ROAD - 0.98), z), street.heading(z) + (0 if side > 0 else np.pi), PAINTS[k % len(PAINTS)])
    vehicles.bicycle(b, street.point(ROAD + 1.2, 20.0, KERB), 0.3)
    vehicles.bicycle(b, street.point(ROAD + 1.2, 20.8, KERB), 0.35)
    backdrop(b, 130.0)


# walkers: side, lateral beyond the kerb, metres along at the start, speed (+ away from the camera)
WALKERS = [(1, 1.3, 9.0, 1.25), (1, 1.9, 27.0, -1.3), (-1, 0.9, 11.0, -1.2), (-1, 2.2, 20.0, 1.35), (-1, 1.2, 33.0, -1.4), (1, 1.5, 44.0, 1.2), (-1, 1.6, 52.0, -1.3), (1, 1.1, 58.0, -1.25), (1, 1.8, 58.6, -1.25)]
# vehicles: kind, lateral, metres along at the start, speed
TRAFFIC = [("car", -1.75, 38.0, -7.0), ("lorry", -1.8, 66.0, -6.5), ("car", -1.75, 92.0, -7.5), ("car", -1.75, 108.0, -7.5), ("car", 1.7, 15.0, 5.6), ("car", 1.7, 62.0, 4.2)]


def moving(b: Builder, street: Street, time: float) -> None:
    """Walkers and traffic at `time` seconds; each has its own fixed randomness, so it looks the same in every frame."""
    for k, (side, lateral, along, speed) in enumerate(WALKERS):
        b.rng = np.random.default_rng(1000 + k)
        z = along + speed * time
        heading = street.heading(z) + (0.0 if speed > 0 else np.pi)
        props.person(b, street.point(side * (ROAD + lateral), z, KERB), heading, phase=abs(speed) * time * 4.6 + k)
    for k, (delay, z) in enumerate(((0.6, ZEBRA - 0.3), (1.3, ZEBRA + 0.6))):
        b.rng = np.random.default_rng(2000 + k)
        across = np.clip(-(ROAD + 1.0) + 1.75 * (time - delay), -(ROAD + 1.0), ROAD + 2.2)
        walking = abs(across) < ROAD + 0.9
        props.person(b, street.point(across, z, 0.0 if abs(across) < ROAD else KERB), np.pi / 2, phase=1.75 * time * 4.2 + k if walking else 0.3)
    for k, (kind, lateral, along, speed) in enumerate(TRAFFIC):
        b.rng = np.random.default_rng(3000 + k)
        z = along + speed * time
        if -12 < z < 150:
            at, heading = street.point(lateral, z), street.heading(z) + (0.0 if speed > 0 else np.pi)
            if kind == "car":
                vehicles.car(b, at, heading, PAINTS[(k + 2) % len(PAINTS)])
            else:
                vehicles.lorry(b, at, heading)


class Drive:
    """The town and its camera, frame by frame."""

    rig = RIG

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        rng = np.random.default_rng(SEED)
        self.street = Street(rng, 0.0)
        self.street.bend, self.street.slope, self.street.hill, self.street.bank = 0.0011, 0.0, 0.0, 0.0
        self.town = Builder(atlas, rng, np.zeros(3), 0.0)
        town(self.town, self.street)
        sun = np.array([-0.42, -0.80, -0.42])
        white, blue = np.array([0.93, 0.97, 1.0]), np.array([0.22, 0.44, 0.86])
        self.light = Light(sun / np.linalg.norm(sun), np.array([1.0, 0.88, 0.70]) * 2.3, (0.35 * blue + 0.65 * white) * 0.55, 0.05)
        self.sky = Sky(blue * 0.85, (0.25 * blue + 0.75 * white) * 1.1, int(atlas.kinds["clouds"][2]), 0.75, 0.5, turn=0.3, ground=np.full(3, 0.18))

    def pose(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Camera centre in the world [3] and rotation camera from world [3, 3]."""
        (along, lateral), (ahead, next_lateral) = robot(time), robot(time + 0.05)
        here, there = self.street.point(lateral, along), self.street.point(next_lateral, ahead)
        heading = np.arctan2(there[0] - here[0], there[2] - here[2])
        sway = 0.004 * np.sin(time * 7.1), 0.003 * np.sin(time * 5.3 + 1)
        return here - [0, HEIGHT + 0.004 * np.sin(time * 9), 0], (yaw(heading) @ pitch(-0.02 + sway[0]) @ roll(sway[1])).T

    def scene(self, time: float) -> Scene:
        """The scene at `time` seconds."""
        eye, rotation = self.pose(time)
        b = Builder(self.atlas, np.random.default_rng(0), eye, 0.0)
        b.parts, b.materials, b.surfaces = list(self.town.parts), list(self.town.materials), self.town.surfaces
        moving(b, self.street, time)
        return Scene(**b.soup(), rig=self.rig, rotation=rotation, eye=eye, sky=self.sky, light=self.light, fog=700.0, exposure=0.19, kind="drive")

    def odometry(self, time: float) -> np.ndarray:
        """T_odom_optical [4, 4]; odom is on the ground below the first camera, x forward, y left, z up."""
        first, rotation = self.pose(0.0)
        ahead = rotation.T @ np.array([0, 0, 1.0])
        level = yaw(np.arctan2(ahead[0], ahead[2])).T
        axes = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], float) @ level
        eye, rotation = self.pose(time)
        pose = np.eye(4)
        pose[:3, :3] = axes @ rotation.T
        pose[:3, 3] = axes @ (eye - first * [1, 0, 1])
        return pose


def write_frame(drive: Drive, out: Path, index: int) -> dict:
    """Renders and writes one frame; returns its entry in drive.json."""
    time = index / RATE
    frame = render(drive.scene(time), drive.atlas)
    for eye in ("left", "right"):
        cv2.imwrite(str(out / eye / f"{index:04d}.jpg"), getattr(frame, eye)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    depth = frame.depth[::DEPTH_STEP, ::DEPTH_STEP] * 100
    depth = np.where(depth < 65535, depth, 0).round().astype(np.uint16)
    cv2.imwrite(str(out / "depth" / f"{index:04d}.png"), depth, [cv2.IMWRITE_PNG_COMPRESSION, 9])
    return {"stampNs": str(START_NS + round(time * 1e9)), "T_odom_optical": [round(float(x), 7) for x in drive.odometry(time).ravel()]}


def write_drive(drive: Drive, out: Path, frames: range) -> None:
    """Renders and writes these frames, and last drive.json."""
    cv2.setNumThreads(1)
    for folder in ("left", "right", "depth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    entries = [write_frame(drive, out, k) for k in frames]
    rig = drive.rig
    calibration = {"width": rig.width, "height": rig.height, "fx": rig.fx, "fy": rig.fy, "cx": rig.cx, "cy": rig.cy, "baseline_m": rig.baseline}
    document = {"calibration": calibration, "depth": {"unit": "cm", "step": DEPTH_STEP, "none": 0}, "frames": entries}
    temporary = out / "drive.json.tmp"
    temporary.write_text(json.dumps(document, indent=1) + "\n")
    temporary.rename(out / "drive.json")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="render every n-th frame only (a preview)")
    options = parser.parse_args()
    write_drive(Drive(load_atlas("train", photos=False)), options.out, range(0, FRAMES, options.every))


if __name__ == "__main__":
    main()
