"""Renders both eyes of a scene, with exact depth.

Colours are linear inside and gamma-encoded at the end. Sensor effects (noise, gain, blur) are not
here: training adds them to each eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .atlas import Atlas
from .raster import edge_functions, rasterise, visible_triangles
from .scene import Scene
from .shadow import ShadowMap


@dataclass
class Frame:
    """One rendered pair: RGB uint8 [H, W, 3], left depth float32 metres [H, W] (inf in the sky), left surface int32 [H, W] (-1 sky)."""

    left: np.ndarray
    right: np.ndarray
    depth: np.ndarray
    surface: np.ndarray


class Tables:
    """Material columns and single-precision normals, for vectorised shading."""

    def __init__(self, scene: Scene, atlas: Atlas) -> None:
        column = lambda name, kind=np.float32: np.array([getattr(m, name) for m in scene.materials], kind)  # noqa: E731
        self.tile = column("tile", np.int32)
        self.scale, self.contrast, self.gloss = column("scale"), column("contrast"), column("gloss")
        self.dirt, self.glow, self.cutout = column("dirt"), column("glow"), column("cutout", bool)
        self.normals = scene.normals.astype(np.float32)
        own = column("own")[:, None]
        self.mean = atlas.mean[self.tile]
        self.base = self.mean * own + (1 - own)


class Eye:
    """One camera of the rig: which triangle every sample sees, and what it looks like."""

    def __init__(self, scene: Scene, tables: Tables, atlas: Atlas, shift: float) -> None:
        """`shift` is the distance from the left camera to the right, metres."""
        self.scene, self.tables, self.atlas = scene, tables, atlas
        rig = scene.rig
        self.centre = scene.eye + scene.rotation.T @ np.array([shift, 0, 0])
        p = (scene.corners - self.centre) @ scene.rotation.T
        z = p[..., 2]
        corners = np.stack([rig.fx * p[..., 0] + rig.cx * z, rig.fy * p[..., 1] + rig.cy * z, z], -1)
        seen = visible_triangles(corners, rig.height, rig.width)
        seen = seen[np.einsum("tc,tc->t", scene.facet[seen], scene.corners[seen, 0] - self.centre) <= 0]
        edges, determinant = edge_functions(corners[seen])
        good = np.abs(determinant) > 1e-12
        self.triangle, self.corners, self.edges = seen[good], corners[seen[good]], edges[good]

    def trace(self, offset: float, grow: int) -> np.ndarray:
        """Visible triangle (position in self.triangle, -1 sky) at pixels moved by `offset` both ways, int32 [H + grow, W + grow]."""
        rig, tables = self.scene.rig, self.tables
        corners = self.corners.copy()
        corners[..., :2] -= offset * corners[..., 2:]
        edges = self.edges.copy()
        edges[..., 2] += offset * (edges[..., 0] + edges[..., 1])
        material = self.scene.material[self.triangle]
        cut = np.nonzero(tables.cutout[material])[0]
        uvw = np.concatenate([self.scene.uv[self.triangle[cut]], np.ones((len(cut), 3, 1))], -1)
        planes = np.zeros((3, 3, len(corners)), np.float32)
        planes[:, :, cut] = np.einsum("tkc,tka->act", edges[cut], uvw)
        tile, texels = tables.tile[material], (256 / (tables.scale[material] * rig.fx)).astype(np.float32)

        def keep(owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            px, py = x.astype(np.float32), y.astype(np.float32)
            u, v, inverse = (a[owner] * px + b[owner] * py + c[owner] for a, b, c in planes)
            z = 1 / np.maximum(inverse, np.float32(1e-9))
            return self.atlas.alpha(tile[owner], u * z, v * z, np.log2(z * texels[owner] + np.float32(1e-6))) > 110

        return rasterise(corners, edges, edges.sum(1), rig.height + grow, rig.width + grow, tables.cutout[material], keep)

    def shade(self, shadow: ShadowMap, owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear colour float32 [N, 3] and depth float64 [N] (inf in the sky) of samples at x, y [N] that see `owner` [N]."""
        rig, scene = self.scene.rig, self.scene
        ray = np.stack([(x - rig.cx) / rig.fx, (y - rig.cy) / rig.fy, np.ones(len(x))], -1) @ scene.rotation
        norm = np.sqrt(np.einsum("nc,nc->n", ray, ray))
        colour, depth = np.empty((len(x), 3), np.float32), np.full(len(x), np.inf)
        away, hit = np.nonzero(owner < 0)[0], np.nonzero(owner >= 0)[0]
        colour[away] = sky_radiance(scene, self.atlas, (ray[away] / norm[away, None]).astype(np.float32))
        e = self.edges[owner[hit]]
        weight = e[:, :, 0] * x[hit, None] + e[:, :, 1] * y[hit, None] + e[:, :, 2]
        depth[hit] = 1 / (weight[:, 0] + weight[:, 1] + weight[:, 2])
        weight *= depth[hit, None]
        colour[hit] = self._surface(shadow, self.triangle[owner[hit]], weight, ray[hit], norm[hit].astype(np.float32), depth[hit])
        return colour, depth

    def _surface(self, shadow: ShadowMap, triangle: np.ndarray, weight: np.ndarray, ray: np.ndarray, norm: np.ndarray, depth: np.ndarray) -> np.ndarray:
        scene, tables, atlas, light = self.scene, self.tables, self.atlas, self.scene.light
        uv = np.einsum("nk,nkc->nc", weight, scene.uv[triangle])
        point = (self.centre + depth[:, None] * ray).astype(np.float32)
        normal = np.einsum("nk,nkc->nc", weight.astype(np.float32), self.tables.normals[triangle])
        normal /= np.sqrt(np.einsum("nc,nc->n", normal, normal))[:, None] + np.float32(1e-9)
        toward = ray.astype(np.float32) / norm[:, None]
        facing = np.einsum("nc,nc->n", normal, toward)
        normal *= np.where(facing > 0, np.float32(-1), np.float32(1))[:, None]
        cosine = np.abs(facing)
        z = depth.astype(np.float32)

        m = scene.material[triangle]
        lod = np.log2(z * (256 / scene.rig.fx) / tables.scale[m] + 1e-6) - 0.5 * np.log2(np.maximum(cosine, 0.05)) - 0.2
        albedo = atlas.sample(tables.tile[m], uv[:, 0], uv[:, 1], lod)
        albedo -= tables.mean[m]
        albedo *= tables.contrast[m][:, None]
        albedo += tables.base[m]
        stained = np.nonzero(tables.dirt[m] > 0)[0]
        clouds = atlas.kinds["clouds"]
        stain = atlas.sample(clouds[m[stained] % len(clouds)], uv[stained, 0] * 0.23, uv[stained, 1] * 0.23, lod[stained] - 2, trilinear=False)[:, 0]
        albedo[stained] *= (1 + tables.dirt[m[stained]] * (stain - 0.5))[:, None]
        albedo *= scene.tint[triangle]
        np.clip(albedo, 0.01, 1.1, out=albedo)
        albedo *= albedo

        lit = np.maximum(normal @ light.sun.astype(np.float32), 0) * shadow.visibility(point, normal)
        dome = (0.72 - 0.28 * normal[:, 1]) * shadow.occlusion(point, normal)
        shade = dome[:, None] * light.ambient.astype(np.float32) + lit[:, None] * light.sun_colour.astype(np.float32)
        shade += tables.glow[m][:, None]
        albedo *= shade
        shiny = np.nonzero(tables.gloss[m] > 0)[0]
        if len(shiny):
            strength = (tables.gloss[m[shiny]] * (0.12 + 0.88 * (1 - cosine[shiny]) ** 3))[:, None]
            albedo[shiny] += (self._mirror(normal[shiny], toward[shiny]) - albedo[shiny]) * strength
        haze = np.exp(-z * norm / np.float32(scene.fog))[:, None]
        horizon = scene.sky.horizon.astype(np.float32)
        return horizon + (albedo - horizon) * haze

    def _mirror(self, normal: np.ndarray, toward: np.ndarray) -> np.ndarray:
        """What glossy surfaces reflect: sky, ground, a dark rough band at the horizon, the sun's glint."""
        scene, atlas, sun = self.scene, self.atlas, self.scene.light
        mirror = toward - 2 * np.einsum("nc,nc->n", normal, toward)[:, None] * normal
        glint = np.maximum(mirror @ sun.sun.astype(np.float32), 0)[:, None] ** 60
        seen = sky_radiance(scene, atlas, mirror) + glint * sun.sun_colour.astype(np.float32) * 4
        band = atlas.sample(np.full(len(normal), scene.sky.cloud_tile), np.arctan2(mirror[:, 0], mirror[:, 2]), mirror[:, 1], np.full(len(normal), 2.0), trilinear=False)[:, :1]
        seen *= np.where(np.abs(mirror[:, 1:2] + 0.12) < 0.08 + 0.35 * band, np.float32(0.3), np.float32(1))
        return seen


def sky_radiance(scene: Scene, atlas: Atlas, direction: np.ndarray) -> np.ndarray:
    """Linear RGB [N, 3] seen along unit world directions [N, 3] that miss everything."""
    sky = scene.sky
    up = np.clip(-direction[:, 1], 0, 1)
    colour = (sky.zenith + (sky.horizon - sky.zenith) * (1 - up[:, None]) ** 3).astype(np.float32)
    if sky.cloud > 0:
        reach = sky.cloud_scale / np.maximum(up, 0.03)
        plane = direction[:, [0, 2]] * reach[:, None]
        cover = atlas.sample(np.full(len(up), sky.cloud_tile), plane[:, 0] + sky.turn, plane[:, 1], np.log2(reach / sky.cloud_scale) - 1, trilinear=False)[:, :1]
        cover *= sky.cloud * np.clip(up[:, None] * 12, 0, 1)
        colour += (np.float32(sky.horizon.mean() * 1.25) - colour) * cover
    return np.where((direction[:, 1] > 0.02)[:, None], sky.ground.astype(np.float32), colour)


def _smooth_edges(eye: Eye, shadow: ShadowMap, owner: np.ndarray, colour: np.ndarray, limit: float) -> np.ndarray:
    """Quincunx anti-aliasing: half the pixel centre, an eighth each of the four pixel corners.

    Corners are shaded only where they see another surface than a neighbouring centre.
    """
    height, width = owner.shape
    number = np.append(eye.scene.surface[eye.triangle], -1)
    corner = eye.trace(-0.5, 1)
    centre_surface, corner_surface = number[owner], number[corner]
    views = [(slice(dy, dy + height), slice(dx, dx + width)) for dy in (0, 1) for dx in (0, 1)]
    differs = np.zeros(corner.shape, bool)
    for view in views:
        differs[view] |= corner_surface[view] != centre_surface
    ys, xs = np.nonzero(differs)
    shaded = np.zeros((*corner.shape, 3), np.float32)
    shaded[ys, xs] = np.minimum(eye.shade(shadow, corner[ys, xs], xs - 0.5, ys - 0.5)[0], limit)
    out = colour.copy()
    for view in views:
        py, px = np.nonzero(corner_surface[view] != centre_surface)
        out[py, px] += (shaded[view][py, px] - colour[py, px]) / 8
    return out


def render(scene: Scene, atlas: Atlas) -> Frame:
    """Both eyes of a scene, in scene metres."""
    tables = Tables(scene, atlas)
    shadow = ShadowMap(scene, tables, atlas)
    rig = scene.rig
    ys, xs = (a.ravel().astype(float) for a in np.indices((rig.height, rig.width)))
    images, first, gain = [], None, 1.0
    for shift in (0.0, rig.baseline):
        eye = Eye(scene, tables, atlas, shift)
        owner = eye.trace(0.0, 0)
        colour, depth = eye.shade(shadow, owner.ravel(), xs, ys)
        if first is None:
            surface = np.append(scene.surface[eye.triangle], -1)[owner]
            first = depth.reshape(owner.shape).astype(np.float32), surface.astype(np.int32)
            metered = colour[owner.ravel() >= 0] if (owner >= 0).mean() > 0.1 else colour
            gain = scene.exposure / max(float(np.minimum(metered, 3 * np.median(metered) + 0.05).mean()), 1e-3)
        # brighter than twice white counts as twice white when an edge pixel mixes its parts
        colour = _smooth_edges(eye, shadow, owner, np.minimum(colour, 2 / gain).reshape(*owner.shape, 3), 2 / gain)
        images.append(np.uint8(np.sqrt(np.clip(colour * gain, 0, 1)) * 255 + 0.5))
    return Frame(images[0], images[1], *first)
