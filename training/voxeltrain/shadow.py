"""Sun shadows and nearness-to-ground darkening from two depth maps of the scene.

Both maps live in the world, so both eyes see the same shadows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .raster import edge_functions, rasterise, visible_triangles

if TYPE_CHECKING:
    from .atlas import Atlas
    from .render import Tables
    from .scene import Scene

REACH = 45.0  # metres ahead of the camera that have shadows


class DepthMap:
    """Orthographic heights along one direction over the region ahead of the camera."""

    def __init__(self, scene: Scene, tables: Tables, atlas: Atlas, direction: np.ndarray, size: int) -> None:
        d = direction / np.linalg.norm(direction)
        side = np.cross(d, [0.0, 0.0, 1.0] if abs(d[2]) < 0.9 else [1.0, 0.0, 0.0])
        side /= np.linalg.norm(side)
        basis = np.stack([side, np.cross(d, side), d])
        rig = scene.rig
        reach = REACH * scene_size(scene)
        spread = np.array([-rig.cx, rig.width - rig.cx]) / rig.fx * reach
        view = np.array([[x, 0, z] for x in (*spread, *(spread * 0.03)) for z in (0.02 * reach, reach)])
        floor = view @ scene.rotation @ np.diag([1, 0, 1]) + [scene.eye[0], 0, scene.eye[2]]
        high = floor - [0, min(3.0, 0.1 * reach), 0]
        area = np.concatenate([floor, high]) @ basis.T
        low, extent = area[:, :2].min(0) - 0.5, np.ptp(area[:, :2], axis=0) + 1.0
        self.size = size
        self.basis, self.low, self.step = basis, low, extent / size
        plane = scene.corners @ basis.T
        pixel = (plane[..., :2] - low) / self.step
        corners = np.concatenate([pixel, np.ones_like(pixel[..., :1])], -1)
        # cards seen edge on and things far outside cast nothing
        seen = visible_triangles(corners, size, size)
        seen = seen[(scene.facet[seen] @ d >= 0) & tables.casts[scene.material[seen]]]
        edges, determinant = edge_functions(corners[seen])
        good = np.abs(determinant) > 1e-6
        seen, edges = seen[good], edges[good]
        toward = plane[seen][..., 2] + 1000.0
        priority = np.einsum("tkc,tk->tc", edges, toward)
        material = scene.material[seen]
        keep = self._holes(tables.tile[material], scene.uv[seen], edges, np.nonzero(tables.cutout[material])[0], atlas)
        owner = rasterise(corners[seen], edges, priority, size, size, tables.cutout[material], keep)
        flat = owner.ravel()
        hit = np.nonzero(flat >= 0)[0]
        ys, xs = np.divmod(hit, size)
        p = priority[flat[hit]]
        self.height = np.full(size * size, -1e9, np.float32)
        self.height[hit] = p[:, 0] * xs + p[:, 1] * ys + p[:, 2] - 1000.0
        border = self.height.reshape(size, size)
        border[[0, -1]], border[:, [0, -1]] = -1e9, -1e9

    @staticmethod
    def _holes(tile: np.ndarray, uv: np.ndarray, edges: np.ndarray, cut: np.ndarray, atlas: Atlas):
        planes = np.zeros((2, 3, len(edges)), np.float32)
        planes[:, :, cut] = np.einsum("tkc,tka->act", edges[cut], uv[cut])

        def keep(owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            px, py = x.astype(np.float32), y.astype(np.float32)
            u, v = (a[owner] * px + b[owner] * py + c[owner] for a, b, c in planes)
            return atlas.alpha(tile[owner], u, v, np.full(len(owner), 2)) > 110

        return keep

    def locate(self, point: np.ndarray) -> np.ndarray:
        """Map column, row and height of world points [N, 3], float32 [3, N]."""
        plane = self.basis @ point.T
        plane[:2] = (plane[:2] - self.low[:, None]) / self.step[:, None] + 0.5
        return plane.astype(np.float32)

    def above(self, place: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
        """Metres from located points to the nearest caster towards the light; shift in map cells."""
        column, row = (place[0] + np.float32(shift[0])).astype(np.int32), (place[1] + np.float32(shift[1])).astype(np.int32)
        # cells outside clip to the border, which casts nothing
        np.clip(column, 0, self.size - 1, out=column)
        np.clip(row, 0, self.size - 1, out=row)
        row *= self.size
        row += column
        return self.height[row] - place[2]


def scene_size(scene: Scene) -> float:
    """Scene length over that of a street (small scenes are built at their own scale)."""
    return 1.0 / scene.scale


class ShadowMap:
    """Visibility of the sun (0..1) and of the sky (0.3..1) at world points."""

    def __init__(self, scene: Scene, tables: Tables, atlas: Atlas) -> None:
        self.softness = scene.light.softness
        self.unit = scene_size(scene)
        self.sun = DepthMap(scene, tables, atlas, scene.light.sun, 640) if scene.light.sun_colour.max() > 0 else None
        self.top = DepthMap(scene, tables, atlas, np.array([0.05, -1.0, 0.03]), 256)

    def visibility(self, point: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Share of the sun seen, [N]."""
        if self.sun is None:
            return np.zeros(len(point), np.float32)
        place = self.sun.locate(point + normal * (1.5 * float(self.sun.step.max())))
        cells = np.maximum(self.softness / self.sun.step, 0.5)
        bias = 0.02 * self.unit + float(self.sun.step.max()) * 0.5
        seen = np.zeros(len(point), np.float32)
        for tap in ((-0.9, -0.4), (0.4, -0.9), (0.9, 0.4), (-0.4, 0.9)):
            seen += self.sun.above(place, tap * cells) < bias
        return seen / 4

    def occlusion(self, point: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Share of sky light that reaches the point, [N]: less under and beside things."""
        place = self.top.locate(point + normal * (0.1 * self.unit))
        cells = 0.35 * self.unit / self.top.step
        hidden = np.zeros(len(point), np.float32)
        for tap in ((0, 0), (-1.0, 0.6), (0.8, 0.9), (-1.6, -1.8), (1.9, -1.2)):
            hidden += np.clip(self.top.above(place, tap * cells) / np.float32(0.3 * self.unit), 0, 1)
        return 1 - 0.65 * hidden / 5
