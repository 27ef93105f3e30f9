"""What strong light does in a lens: bloom about bright places and ghosts of the sun. Each eye has its own."""

from __future__ import annotations

import cv2
import numpy as np

from .scene import Scene

BRIGHTEST = 60.0  # times white; what is brighter blooms as this


def bloom(image: np.ndarray, strength: float) -> np.ndarray:
    """Light [H, W, 3] scattered from places of `image` (linear, white is 1) brighter than white."""
    over = np.clip(image - 1, 0, BRIGHTEST).astype(np.float32)
    if strength <= 0 or not (over > 0.05).any():
        return np.zeros((1, 1, 3), np.float32)
    height, width = over.shape[:2]
    small = cv2.resize(over, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    spread = 0.6 * cv2.GaussianBlur(small, (0, 0), 1.0) + 0.3 * cv2.GaussianBlur(small, (0, 0), 4.0) + 0.1 * cv2.GaussianBlur(small, (0, 0), 16.0)
    return cv2.resize(spread * np.float32(strength), (width, height), interpolation=cv2.INTER_LINEAR)


def ghosts(scene: Scene, visible: float) -> np.ndarray | float:
    """Flare [H, W, 3]: soft discs on the line from the sun's image through the centre; `visible` is the share of the sun seen."""
    rig = scene.rig
    x, y, z = scene.rotation @ scene.light.sun
    if scene.flare <= 0 or visible <= 0 or z < 0.2:
        return 0.0
    sun, centre = np.array([rig.fx * x / z + rig.cx, rig.fy * y / z + rig.cy]), np.array([rig.cx, rig.cy])
    if (np.abs(sun - centre) > (rig.width, 1.5 * rig.height)).any():
        return 0.0
    out = np.zeros((rig.height, rig.width, 3), np.float32)
    g = np.random.default_rng(int(abs(sun[0]) * 7))  # a lens has one set of ghosts; any will do
    for _ in range(int(g.integers(2, 6))):
        at, radius = centre + (centre - sun) * g.uniform(-0.6, 1.4), int(rig.width * g.uniform(0.01, 0.09)) + 2
        disc = cv2.circle(np.zeros(out.shape[:2], np.float32), tuple(int(v) for v in at), radius, 1.0, -1 if g.random() < 0.7 else 2)
        out += cv2.GaussianBlur(disc, (0, 0), radius * 0.15 + 0.7)[..., None] * np.float32(g.uniform(0.3, 1.0, 3) * scene.flare * visible)
    return out
