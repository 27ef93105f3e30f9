"""Triangle soups of basic shapes.

A `Shape` is in local metres, x right, y down, z forward; up is -y. uv are metres along the surface.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np


@dataclass
class Shape:
    """corners, normals float64 [T, 3, 3] (triangle, corner, xyz); uv [T, 3, 2]; face int [T], one number a smooth surface.

    solid: a closed body whose normals point outwards, so that its far side is never seen.
    """

    corners: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    face: np.ndarray
    solid: bool = False

    def scaled(self, by) -> Shape:
        """A stretched copy, by factors along x, y, z; normals follow, uv does not."""
        normals = self.normals / np.maximum(by, 1e-6)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
        return Shape(self.corners * by, normals, self.uv, self.face, self.solid)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product over the last axis (quicker than numpy's for small arrays)."""
    out = np.empty(np.broadcast_shapes(a.shape, b.shape))
    out[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    out[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    out[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return out


def yaw(angle: float) -> np.ndarray:
    """Turn about the vertical, radians; positive turns +z towards +x."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def pitch(angle: float) -> np.ndarray:
    """Turn about the x axis, radians; positive turns +z towards -y (up)."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def roll(angle: float) -> np.ndarray:
    """Turn about the z axis, radians; positive turns +x towards +y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def quads(points: np.ndarray, uv: np.ndarray | None = None) -> Shape:
    """Flat quadrilaterals [Q, 4, 3], corners in order round the edge; uv metres from the first corner."""
    points = np.asarray(points, float)
    across, down = points[:, 1] - points[:, 0], points[:, 3] - points[:, 0]
    if uv is None:
        width, height = np.linalg.norm(points[:, 2] - points[:, 3], axis=1), np.linalg.norm(down, axis=1)
        width = np.maximum(width, np.linalg.norm(across, axis=1))
        uv = np.zeros((len(points), 4, 2))
        uv[:, 1:3, 0], uv[:, 2:, 1] = width[:, None], height[:, None]
    normal = cross(across, down) + cross(points[:, 2] - points[:, 1], points[:, 3] - points[:, 2])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    normals = np.repeat(normal, 2, 0)[:, None].repeat(3, 1)
    return Shape(points[:, _HALVES].reshape(-1, 3, 3), normals, uv[:, _HALVES].reshape(-1, 3, 2), np.repeat(np.arange(len(points)), 2))


_HALVES = [0, 1, 2, 0, 2, 3]


def patches(grid: np.ndarray) -> np.ndarray:
    """The quadrilaterals [Q, 4, C] of a grid of points [R, S, C]."""
    return np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]], 2).reshape(-1, 4, grid.shape[-1])


_BOX = np.array(
    [
        [[-1, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1]],
        [[1, -1, 1], [-1, -1, 1], [-1, 1, 1], [1, 1, 1]],
        [[-1, -1, 1], [-1, -1, -1], [-1, 1, -1], [-1, 1, 1]],
        [[1, -1, -1], [1, -1, 1], [1, 1, 1], [1, 1, -1]],
        [[-1, -1, 1], [1, -1, 1], [1, -1, -1], [-1, -1, -1]],
        [[-1, 1, -1], [1, 1, -1], [1, 1, 1], [-1, 1, 1]],
    ],
    float,
)
_BOX_NORMAL = np.array([[0, 0, -1], [0, 0, 1], [-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0]], float)


def frustum(bottom: tuple[float, float], top: tuple[float, float], height: float, shift: float = 0.0) -> Shape:
    """A box with base half sizes `bottom` (x, z) at y = 0 and `top` at y = -height, moved `shift` along z."""
    points = _BOX.copy()
    high = points[..., 1] < 0
    points[..., 0] *= np.where(high, top[0], bottom[0])
    points[..., 2] = points[..., 2] * np.where(high, top[1], bottom[1]) + np.where(high, shift, 0)
    points[..., 1] = np.where(high, -height, 0)
    shape = quads(points)
    flip = (shape.normals[::2, 0] * _BOX_NORMAL).sum(1) < 0
    shape.normals[np.repeat(flip, 2)] *= -1
    shape.solid = True
    return shape


def box(half: tuple[float, float, float]) -> Shape:
    """A box with half sizes (x, y, z) about the origin."""
    return boxes(np.zeros((1, 3)), np.array([half], float))


def boxes(centres: np.ndarray, half: np.ndarray) -> Shape:
    """Several boxes at centres [K, 3] with half sizes [K, 3] as one shape."""
    points = _BOX[None] * np.asarray(half)[:, None, None] + np.asarray(centres)[:, None, None]
    shape = quads(points.reshape(-1, 4, 3))
    shape.normals = np.tile(np.repeat(_BOX_NORMAL, 2, 0), (len(points), 1))[:, None].repeat(3, 1)
    shape.solid = True
    return shape


def lathe(radius: np.ndarray, y: np.ndarray, sides: int, squash: float = 1.0, smooth: bool = True) -> Shape:
    """A solid of revolution about y: radii at heights y (both [n], from top to bottom); z scaled by squash."""
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.stack([np.sin(angle), np.zeros_like(angle), -np.cos(angle)], -1)
    points = ring[None] * radius[:, None, None] + np.stack([np.zeros_like(y), y, np.zeros_like(y)], -1)[:, None]
    points[..., 2] *= squash
    length = np.concatenate([[0], np.cumsum(np.hypot(np.diff(radius), np.diff(y)))])
    uv = np.stack(np.broadcast_arrays(angle[None] * radius.max(), length[:, None]), -1)
    shape = quads(patches(points), patches(uv))
    if smooth:
        slope = np.gradient(radius, y + np.arange(len(y)) * 1e-9)
        slope = np.nan_to_num(slope, posinf=20, neginf=-20).clip(-20, 20)
        normal = ring[None] + np.stack([np.zeros_like(y), -slope, np.zeros_like(y)], -1)[:, None]
        normal[..., 2] /= squash
        normal = normal / np.linalg.norm(normal, axis=-1, keepdims=True)
        shape.normals = patches(normal)[:, _HALVES].reshape(-1, 3, 3)
    shape.face[:] = 0
    return shape


@lru_cache(maxsize=None)
def _unit_post(taper: float, sides: int) -> Shape:
    body = lathe(np.array([taper, 1.0]), np.array([-1.0, 0.0]), sides)
    lid = lathe(np.array([0.0, taper]), np.array([-1.0, -1.0 + 1e-6]), sides, smooth=False)
    lid.normals[:] = (0, -1, 0)
    lid.face[:] = 1
    return join([body, lid])


def cylinder(bottom: float, top: float, height: float, sides: int = 10) -> Shape:
    """A tapered post standing on y = 0, with a flat lid; radii in metres."""
    shape = _unit_post(round(top / max(bottom, 1e-6), 1), sides).scaled((bottom, height, bottom))
    shape.uv = shape.uv * (bottom, height)
    return shape


@lru_cache(maxsize=None)
def _unit_ball(rings: int, sides: int) -> Shape:
    t = np.linspace(0, np.pi, rings + 1)
    shape = lathe(np.sin(t), -np.cos(t), sides)
    shape.normals = shape.corners / np.linalg.norm(shape.corners, axis=-1, keepdims=True)
    shape.solid = True
    return shape


def ellipsoid(half: tuple[float, float, float], rings: int = 8, sides: int = 14) -> Shape:
    """An ellipsoid with half sizes (x, y, z) about the origin."""
    shape = _unit_ball(rings, sides).scaled(half)
    shape.uv = shape.uv * (max(half[0], half[2]), half[1])
    return shape


def tube(points: np.ndarray, radius: float, sides: int = 4) -> Shape:
    """A thin rod along a path [n, 3]."""
    points = np.asarray(points, float)
    along = np.gradient(points, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True) + 1e-12
    helper = np.where(np.abs(along[:, :1]) < 0.9, [[1.0, 0, 0]], [[0, 1.0, 0]])
    side = cross(along, helper)
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    other = cross(along, side)
    angle = np.linspace(0, 2 * np.pi, sides + 1)
    ring = side[:, None] * np.cos(angle)[:, None] + other[:, None] * np.sin(angle)[:, None]
    skin = points[:, None] + ring * radius
    shape = quads(patches(skin))
    shape.normals = patches(ring)[:, _HALVES].reshape(-1, 3, 3)
    shape.face[:] = 0
    shape.solid = True
    return shape


def cards(centres: np.ndarray, half: np.ndarray, turn: np.ndarray) -> Shape:
    """Flat squares: centres [K, 3], half sizes [K, 2], rotations [K, 3, 3]; uv spans 0..1 each."""
    corner = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
    local = corner[None] * np.concatenate([half, np.ones((len(half), 1))], 1)[:, None]
    points = np.einsum("kij,kqj->kqi", turn, local) + centres[:, None]
    uv = np.broadcast_to(np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float), (len(half), 4, 2))
    return quads(points, uv)


def sheet(points: np.ndarray, uv: np.ndarray) -> Shape:
    """A smooth surface from a grid of points [R, C, 3] with uv metres [R, C, 2]."""
    du, dv = np.gradient(points, axis=1), np.gradient(points, axis=0)
    normal = cross(du, dv)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    normal *= np.where(normal[..., 1:2] > 0, -1, 1)
    shape = quads(patches(points), patches(uv))
    shape.normals = patches(normal)[:, _HALVES].reshape(-1, 3, 3)
    shape.face[:] = 0
    return shape


def loft(rings: np.ndarray) -> Shape:
    """A smooth hull through cross-sections [S, R, 3], each an open arch over the same axis; seen from outside only."""
    du, dv = np.gradient(rings, axis=1), np.gradient(rings, axis=0)
    normal = cross(du, dv)
    normal *= np.sign((normal * (rings - rings.mean((0, 1)))).sum((0, 1)).sum() + 1e-12)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-12
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(rings, axis=0), axis=-1).mean(1))])
    round_ = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(rings, axis=1), axis=-1).mean(0))])
    shape = quads(patches(rings), patches(np.stack(np.meshgrid(round_, along), -1)))
    shape.normals = patches(normal)[:, _HALVES].reshape(-1, 3, 3)
    shape.face[:] = 0
    shape.solid = True
    return shape


def join(shapes: list[Shape]) -> Shape:
    """Several shapes as one; face numbers stay as given."""
    arrays = (np.concatenate([getattr(s, name) for s in shapes]) for name in ("corners", "normals", "uv", "face"))
    return Shape(*arrays, all(s.solid for s in shapes))
