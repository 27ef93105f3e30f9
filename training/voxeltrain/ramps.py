"""Renders a drive up to ramps and kerbs of known height, which tells drivable ground from obstacles.

    python -m voxeltrain.ramps --out DIR

Writes what `voxeltrain.drive` writes. From left to right, from FRONT metres on: a ramp of 30 degrees, one of 10 degrees, a
kerb of 0.10 m, the open way below a bar at 1.6 m, and a kerb of 0.30 m. Everything is procedural.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from . import drive
from .atlas import Atlas, load_atlas
from .scene import Builder, Light, Rig, Scene, Sky
from .shapes import box, quads, sheet
from .street import backdrop

SEED = 7
FRAMES, SPEED = 30, 1.0
RIG = Rig(640, 360, 450.0, 450.0, 319.5, 178.0, 0.10)
HEIGHT = 0.38
FRONT = 4.0
RAMPS = ((-3.6, -2.7, 30.0), (-2.5, -1.4, 10.0))  # from, to (lateral metres), degrees
KERBS = ((-1.3, -0.65, 0.10), (0.7, 3.4, 0.30))  # from, to, height
RAMP_LENGTH, LENGTH = 2.0, 4.0
BAR = 1.6


def slab(b: Builder, left: float, right: float, profile: list[tuple[float, float]], tint: float) -> None:
    """A block whose top follows `profile` (metres ahead, height above the yard), with its front and its flanks."""
    skin = b.surface("tiles", "concrete", scale=(1.0, 1.4), own=0.3, contrast=1.0)
    z, up = np.array(profile).T
    cross, along = np.meshgrid([left, right], z)
    top = np.stack([cross, -np.repeat(up[:, None], 2, 1), along], -1)
    b.add(sheet(top, np.stack([cross, along], -1)), skin, tint=tint * np.ones(3), structure=True)
    walls = [[[x, -h0, z0], [x, -h1, z1], [x, 0.05, z1], [x, 0.05, z0]] for x in (left, right) for (z0, h0), (z1, h1) in zip(profile, profile[1:])]
    if up[0] > 0:
        walls.append([[left, -up[0], z[0]], [right, -up[0], z[0]], [right, 0.05, z[0]], [left, 0.05, z[0]]])
    b.add(quads(np.array(walls, float)), b.surface("concrete", "brick", scale=(0.8, 1.2), own=0.3), tint=0.8 * tint * np.ones(3), structure=True)


def yard(b: Builder) -> None:
    """The ground, ramps, kerbs and the bar."""
    x, z = np.meshgrid(np.linspace(-60, 60, 25), np.linspace(-8, 120, 33))
    asphalt = b.surface("asphalt", scale=(2.0, 2.0), contrast=1.0, own=0.3)
    b.add(sheet(np.stack([x, np.zeros_like(x), z], -1), np.stack([x, z], -1)), asphalt, tint=0.65 * np.ones(3), structure=True)
    for left, right, degrees in RAMPS:
        up = RAMP_LENGTH * np.tan(np.radians(degrees))
        slab(b, left, right, [(FRONT, 0.0), (FRONT + RAMP_LENGTH, up), (FRONT + LENGTH, up)], 0.85)
    for left, right, height in KERBS:
        slab(b, left, right, [(FRONT, height), (FRONT + LENGTH, height)], 0.9)
    post = b.surface("concrete", scale=(1, 1), own=0.3)
    for side in (-0.58, 0.62):
        b.add(box((0.05, 0.95, 0.05)), post, (side, -0.95, FRONT + 1.0), None, (0.8, 0.7, 0.3), structure=True)
    b.add(box((0.67, 0.1, 0.05)), b.surface("brick", scale=(1, 1), own=0.3), (0.0, -BAR - 0.12, FRONT + 1.0), None, (0.85, 0.3, 0.2), structure=True)
    backdrop(b, 60.0)


class Ramps(drive.Drive):
    """The yard and its camera, frame by frame."""

    rig = RIG

    def __init__(self, atlas: Atlas) -> None:
        self.atlas = atlas
        self.town = Builder(atlas, np.random.default_rng(SEED), np.zeros(3), 0.0)
        yard(self.town)
        sun = np.array([-0.42, -0.80, -0.42])
        white, blue = np.array([0.93, 0.97, 1.0]), np.array([0.22, 0.44, 0.86])
        self.light = Light(sun / np.linalg.norm(sun), np.array([1.0, 0.88, 0.70]) * 2.3, (0.35 * blue + 0.65 * white) * 0.55, 0.05)
        self.sky = Sky(blue * 0.85, (0.25 * blue + 0.75 * white) * 1.1, int(atlas.kinds["clouds"][2]), 0.75, 0.5, turn=0.3, ground=np.full(3, 0.18))

    def pose(self, time: float) -> tuple[np.ndarray, np.ndarray]:
        """Camera centre in the world [3] and rotation camera from world [3, 3]: level, straight ahead."""
        return np.array([0.0, -HEIGHT, SPEED * time]), np.eye(3)

    def scene(self, time: float) -> Scene:
        """The scene at `time` seconds."""
        eye, rotation = self.pose(time)
        return Scene(**self.town.soup(), rig=RIG, rotation=rotation, eye=eye, sky=self.sky, light=self.light, fog=700.0, exposure=0.19, kind="ramps")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    drive.write_drive(Ramps(load_atlas("train", photos=False)), options.out, range(FRAMES))


if __name__ == "__main__":
    main()
