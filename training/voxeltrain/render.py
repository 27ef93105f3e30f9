"""Renders both eyes of a scene, with exact depth.

Colours are linear inside and gamma-encoded at the end. What belongs to the scene and its lens (mirrors,
bloom, flare) is here; what a sensor does (noise, gain, blur), training adds to each eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .atlas import Atlas
from .glare import BRIGHTEST, bloom, ghosts
from .raster import edge_functions, rasterise, visible_triangles
from .scene import Scene
from .shadow import ShadowMap

BLOCK = 1 << 14  # samples shaded at a time, so that temporaries stay in the cache


@dataclass
class Frame:
    """One rendered pair: RGB uint8 [H, W, 3], left depth float32 metres [H, W] (inf in the sky), left surface int32 [H, W] (-1 sky)."""

    left: np.ndarray
    right: np.ndarray
    depth: np.ndarray
    surface: np.ndarray


class Tables:
    """Material columns and single-precision corner attributes, for vectorised shading."""

    def __init__(self, scene: Scene, atlas: Atlas) -> None:
        column = lambda name, kind=np.float32: np.array([getattr(m, name) for m in scene.materials], kind)  # noqa: E731
        self.tile = column("tile", np.int32)
        self.scale, self.contrast, self.gloss = column("scale"), column("contrast"), column("gloss")
        self.dirt, self.glow, self.cutout = column("dirt"), column("glow"), column("cutout", bool)
        self.wet, self.casts = column("wet"), column("casts", bool)
        # per triangle and corner: uv, normal
        self.corner = np.concatenate([scene.uv, scene.normals], -1).astype(np.float32).reshape(-1, 15)
        self.tint = scene.tint.astype(np.float32)
        own = column("own")[:, None]
        self.mean = atlas.mean[self.tile]
        self.base = self.mean * own + (1 - own)


class Eye:
    """One camera of the rig: which triangle every sample sees, and what it looks like."""

    def __init__(self, scene: Scene, tables: Tables, atlas: Atlas, shift: float, mirrored: bool = False) -> None:
        """`shift` is the distance from the left camera to the right, metres; `mirrored` sees what the plane Scene.mirror reflects."""
        self.scene, self.tables, self.atlas, self.mirrored = scene, tables, atlas, mirrored
        rig = scene.rig
        self.rotation = scene.rotation
        self.centre = scene.eye + scene.rotation.T @ np.array([shift, 0, 0])
        if mirrored:  # the same rays, turned up at the plane
            self.rotation = scene.rotation * [1, -1, 1]
            self.centre = self.centre * [1, -1, 1] + [0, 2 * scene.mirror, 0]
        p = (scene.corners - self.centre) @ self.rotation.T
        z = p[..., 2]
        corners = np.stack([rig.fx * p[..., 0] + rig.cx * z, rig.fy * p[..., 1] + rig.cy * z, z], -1)
        seen = visible_triangles(corners, rig.height, rig.width)
        seen = seen[np.einsum("tc,tc->t", scene.facet[seen], scene.corners[seen, 0] - self.centre) <= 0]
        if mirrored:
            seen = seen[scene.corners[seen, :, 1].min(1) < scene.mirror - 0.03 / scene.scale]
        edges, determinant = edge_functions(corners[seen])
        good = np.abs(determinant) > 1e-12
        self.triangle, self.corners, self.edges = seen[good], corners[seen[good]], edges[good]

    def trace(self, offset: float, grow: int, among: np.ndarray | None = None) -> np.ndarray:
        """Visible triangle (position in self.triangle, -1 sky) at pixels moved by `offset` both ways, int32 [H + grow, W + grow].

        among: positions [K] of the triangles to look at, all if None.
        """
        rig, tables = self.scene.rig, self.tables
        among = np.arange(len(self.triangle)) if among is None else among
        corners, edges, triangle = self.corners[among], self.edges[among], self.triangle[among]
        corners[..., :2] -= offset * corners[..., 2:]
        edges[..., 2] += offset * (edges[..., 0] + edges[..., 1])
        material = self.scene.material[triangle]
        cut = np.nonzero(tables.cutout[material])[0]
        uvw = np.concatenate([self.scene.uv[triangle[cut]], np.ones((len(cut), 3, 1))], -1)
        planes = np.zeros((3, 3, len(corners)), np.float32)
        planes[:, :, cut] = np.einsum("tkc,tka->act", edges[cut], uvw)
        tile, texels = tables.tile[material], (256 / (tables.scale[material] * rig.fx)).astype(np.float32)

        def keep(owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
            px, py = x.astype(np.float32), y.astype(np.float32)
            u, v, inverse = (a[owner] * px + b[owner] * py + c[owner] for a, b, c in planes)
            z = 1 / np.maximum(inverse, np.float32(1e-9))
            return self.atlas.alpha(tile[owner], u * z, v * z, np.log2(z * texels[owner] + np.float32(1e-6))) > 110

        owner = rasterise(corners, edges, edges.sum(1), rig.height + grow, rig.width + grow, tables.cutout[material], keep)
        return np.append(among, -1)[owner]

    def seen_or_small(self, owner: np.ndarray) -> np.ndarray:
        """Positions of the triangles that own a pixel centre or are a few pixels small: all that a pixel corner may see."""
        w = self.corners[..., 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            x, y = self.corners[..., 0] / w, self.corners[..., 1] / w
        small = (w > 1e-3).all(1) & ((x.max(1) - x.min(1)) * (y.max(1) - y.min(1)) < 6)
        small[owner[owner >= 0]] = True
        return np.nonzero(small)[0]

    def shade(self, shadow: ShadowMap, owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Linear colour float32 [N, 3] and depth float64 [N] (inf in the sky) of samples at x, y [N] that see `owner` [N]."""
        colour, depth = np.empty((len(x), 3), np.float32), np.full(len(x), np.inf)
        for start in range(0, len(x), BLOCK):
            part = np.s_[start : start + BLOCK]
            colour[part], depth[part] = self._shade_block(shadow, owner[part], x[part], y[part])
        return colour, depth

    def _shade_block(self, shadow: ShadowMap, owner: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        rig, scene = self.scene.rig, self.scene
        ray = np.empty((len(x), 3))
        ray[:, 0], ray[:, 1], ray[:, 2] = (x - rig.cx) / rig.fx, (y - rig.cy) / rig.fy, 1
        ray = ray @ self.rotation
        norm = np.sqrt(np.einsum("nc,nc->n", ray, ray))
        toward = (ray / norm[:, None]).astype(np.float32)
        colour, depth = np.empty((len(x), 3), np.float32), np.full(len(x), np.inf)
        away, hit = np.nonzero(owner < 0)[0], np.nonzero(owner >= 0)[0]
        colour[away] = sky_radiance(scene, self.atlas, toward[away])
        if not len(hit):
            return colour, depth
        e = self.edges.reshape(-1, 9).take(owner[hit], 0).reshape(-1, 3, 3)
        weight = e[:, :, 0] * x[hit, None] + e[:, :, 1] * y[hit, None] + e[:, :, 2]
        depth[hit] = 1 / (weight[:, 0] + weight[:, 1] + weight[:, 2])
        weight *= depth[hit, None]
        point = (self.centre + depth[hit, None] * ray[hit]).astype(np.float32)
        colour[hit] = self._surface(shadow, self.triangle[owner[hit]], weight.astype(np.float32), point, toward[hit], norm[hit].astype(np.float32), depth[hit].astype(np.float32))
        return colour, depth

    def _surface(self, shadow: ShadowMap, triangle: np.ndarray, weight: np.ndarray, point: np.ndarray, toward: np.ndarray, norm: np.ndarray, z: np.ndarray) -> np.ndarray:
        scene, tables, atlas, light = self.scene, self.tables, self.atlas, self.scene.light
        corner = tables.corner.take(triangle, 0).reshape(-1, 3, 5)
        mixed = corner[:, 0] * weight[:, :1] + corner[:, 1] * weight[:, 1:2] + corner[:, 2] * weight[:, 2:]
        uv, normal = mixed[:, :2], mixed[:, 2:]
        normal = normal / (np.sqrt(np.einsum("nc,nc->n", normal, normal))[:, None] + np.float32(1e-9))
        facing = np.einsum("nc,nc->n", normal, toward)
        normal *= np.where(facing > 0, np.float32(-1), np.float32(1))[:, None]
        cosine = np.abs(facing)

        m = scene.material[triangle]
        lod = np.log2(z * np.float32(256 / scene.rig.fx) / tables.scale[m] + np.float32(1e-6)) - np.float32(0.5) * np.log2(np.maximum(cosine, np.float32(0.05))) - np.float32(0.2)
        albedo = atlas.sample(tables.tile[m], uv[:, 0], uv[:, 1], lod)
        albedo -= tables.mean.take(m, 0)
        albedo *= tables.contrast[m][:, None]
        albedo += tables.base.take(m, 0)
        stained = np.nonzero(tables.dirt[m] > 0)[0]
        clouds = atlas.kinds["clouds"]
        stain = atlas.sample(clouds[m[stained] % len(clouds)], uv[stained, 0] * np.float32(0.23), uv[stained, 1] * np.float32(0.23), np.full(len(stained), 3, np.float32), trilinear=False)[:, 0]
        albedo[stained] *= (1 + tables.dirt[m[stained]] * (stain - np.float32(0.5)))[:, None]
        albedo *= tables.tint.take(triangle, 0)
        np.clip(albedo, 0.01, 1.1, out=albedo)
        albedo *= albedo

        dome = (np.float32(0.72) - np.float32(0.28) * normal[:, 1]) * shadow.occlusion(point, normal)
        shade = dome[:, None] * light.ambient.astype(np.float32)
        if light.sun_colour.max() > 0:
            lit = np.maximum(normal @ light.sun.astype(np.float32), 0)
            bright = np.nonzero(lit > 0)[0]
            lit[bright] *= shadow.visibility(point[bright], normal[bright])
            shade += lit[:, None] * light.sun_colour.astype(np.float32)
        for lamp in light.lamps.astype(np.float32):
            shade += lamp_light(lamp, point, normal)
        shade += tables.glow[m][:, None]
        albedo *= shade
        shiny = np.nonzero(tables.gloss[m] > 0)[0]
        if len(shiny):
            strength = (tables.gloss[m[shiny]] * (np.float32(0.12) + np.float32(0.88) * (1 - cosine[shiny]) ** 3))[:, None]
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
        if scene.sky.panorama >= 0:
            return seen
        band = atlas.sample(np.full(len(normal), scene.sky.cloud_tile), np.arctan2(mirror[:, 0], mirror[:, 2]), mirror[:, 1], np.full(len(normal), 2.0), trilinear=False)[:, :1]
        seen *= np.where(np.abs(mirror[:, 1:2] + 0.12) < 0.08 + 0.35 * band, np.float32(0.3), np.float32(1))
        return seen


def lamp_light(lamp: np.ndarray, point: np.ndarray, normal: np.ndarray) -> np.ndarray:
    """Irradiance [N, 3] of one lamp (see Light) at points [N, 3]; nothing shades it."""
    to = lamp[:3] - point
    squared = np.einsum("nc,nc->n", to, to) + np.float32(0.05)
    distance = np.sqrt(squared)
    share = np.maximum(np.einsum("nc,nc->n", normal, to) / distance, np.float32(0.05)) / (squared + np.float32(0.3))
    if lamp[9] > -1:
        share *= np.clip((-(to @ lamp[6:9]) / distance - lamp[9]) * np.float32(8), 0, 1)
    return share[:, None] * lamp[3:6]


def sky_radiance(scene: Scene, atlas: Atlas, direction: np.ndarray) -> np.ndarray:
    """Linear RGB [N, 3] seen along unit world directions [N, 3] that miss everything."""
    sky = scene.sky
    if sky.panorama >= 0:
        colour = atlas.panorama(sky.panorama, direction, sky.turn) * np.float32(sky.gain)
    else:
        up = np.clip(-direction[:, 1], 0, 1)
        colour = (sky.zenith + (sky.horizon - sky.zenith) * (1 - up[:, None]) ** 3).astype(np.float32)
        if sky.cloud > 0:
            reach = sky.cloud_scale / np.maximum(up, 0.03)
            plane = direction[:, [0, 2]] * reach[:, None]
            cover = atlas.sample(np.full(len(up), sky.cloud_tile), plane[:, 0] + sky.turn, plane[:, 1], np.log2(reach / sky.cloud_scale) - 1, trilinear=False)[:, :1]
            cover *= sky.cloud * np.clip(up[:, None] * 12, 0, 1)
            colour += (np.float32(sky.horizon.mean() * 1.25) - colour) * cover
        colour = np.where((direction[:, 1] > 0.02)[:, None], sky.ground.astype(np.float32), colour)
    if sky.disc > 0:  # the sun, half a degree wide, and its halo
        near = direction @ scene.light.sun.astype(np.float32)
        halo = np.where(near > 0.99996, np.float32(sky.disc), np.float32(0.02 * sky.disc) * np.exp((near - 1) * np.float32(500)))
        colour += halo[:, None] * scene.light.sun_colour.astype(np.float32)
    return colour


def _smooth_edges(eye: Eye, shadow: ShadowMap, owner: np.ndarray, colour: np.ndarray, limit: float) -> np.ndarray:
    """Quincunx anti-aliasing: half the pixel centre, an eighth each of the four pixel corners.

    Corners matter where they see another surface than a neighbouring centre. They take the mean colour of
    the neighbours that see the same surface, and are shaded where there is none.
    """
    height, width = owner.shape
    number = np.append(eye.scene.surface[eye.triangle], -1)
    corner = eye.trace(-0.5, 1, eye.seen_or_small(owner))
    centre_surface, corner_surface = number[owner], number[corner]
    views = [(slice(dy, dy + height), slice(dx, dx + width)) for dy in (0, 1) for dx in (0, 1)]
    shaded, alike = np.zeros((*corner.shape, 3), np.float32), np.zeros(corner.shape, np.float32)
    differs = np.zeros(corner.shape, bool)
    for view in views:
        same = corner_surface[view] == centre_surface
        differs[view] |= ~same
        alike[view] += same
    for view in views:
        py, px = np.nonzero((corner_surface[view] == centre_surface) & differs[view])
        shaded[view][py, px] += colour[py, px] / alike[view][py, px][:, None]
    ys, xs = np.nonzero(differs & (alike == 0))
    shaded[ys, xs] = np.minimum(eye.shade(shadow, corner[ys, xs], xs - 0.5, ys - 0.5)[0], limit)
    out = colour.copy()
    for view in views:
        py, px = np.nonzero(corner_surface[view] != centre_surface)
        out[py, px] += (shaded[view][py, px] - colour[py, px]) / 8
    return out


def _reflections(eye: Eye, shadow: ShadowMap, shift: float, owner: np.ndarray, colour: np.ndarray) -> None:
    """Mixes into colour [H, W, 3] what wet level surfaces mirror: more the more grazing, less where the floor is rough."""
    scene, tables, rig = eye.scene, eye.tables, eye.scene.rig
    wet = tables.wet[scene.material[eye.triangle]][owner] * (owner >= 0)
    ys, xs = np.nonzero(wet > 0)
    if scene.mirror is None or not len(ys):
        return
    other = Eye(scene, tables, eye.atlas, shift, mirrored=True)
    seen, _ = other.shade(shadow, other.trace(0.0, 0)[ys, xs], xs.astype(float), ys.astype(float))
    ray = np.stack([(xs - rig.cx) / rig.fx, (ys - rig.cy) / rig.fy, np.ones(len(xs))], -1) @ scene.rotation
    cosine = np.abs(ray[:, 1]) / np.linalg.norm(ray, axis=1)
    where = ray[:, [0, 2]] * ((scene.mirror - scene.eye[1]) / np.maximum(np.abs(ray[:, 1]), 1e-3))[:, None] + eye.centre[[0, 2]]
    puddle = eye.atlas.sample(np.full(len(xs), scene.sky.cloud_tile), where[:, 0] * 0.13, where[:, 1] * 0.13, np.full(len(xs), 1.0), trilinear=False)[:, 0]
    share = wet[ys, xs] * (0.08 + 0.92 * (1 - cosine) ** 4) * np.clip(puddle * 3 - 0.6, 0.15, 1)
    colour[ys, xs] += (seen - colour[ys, xs]) * share[:, None].astype(np.float32)


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
        colour = colour.reshape(*owner.shape, 3)
        _reflections(eye, shadow, shift, owner, colour)
        if first is None:
            surface = np.append(scene.surface[eye.triangle], -1)[owner]
            first = depth.reshape(owner.shape).astype(np.float32), surface.astype(np.int32)
            metered = colour[owner >= 0] if (owner >= 0).mean() > 0.1 else colour
            gain = scene.exposure / max(float(np.minimum(metered, 3 * np.median(metered) + 0.05).mean()), 1e-3)
        glow = bloom(colour * np.float32(gain), scene.bloom) + ghosts(scene, float((colour.max(-1) * gain > BRIGHTEST / 4).any()))
        # brighter than twice white counts as twice white when an edge pixel mixes its parts
        colour = _smooth_edges(eye, shadow, owner, np.minimum(colour, 2 / gain), 2 / gain)
        images.append(np.uint8(np.sqrt(np.clip(colour * gain + glow, 0, 1)) * 255 + 0.5))
    return Frame(images[0], images[1], *first)
