"""Procedural surface textures: periodic RGBA tiles, one function a surface kind.

Every function takes a numpy Generator and returns float32 [SIZE, SIZE, 4] in 0..1
(RGB as a camera would store it, and alpha: 0 is a hole).
"""

from __future__ import annotations

import cv2
import numpy as np
from scipy.spatial import cKDTree

SIZE = 256
Rng = np.random.Generator


def spectral_noise(rng: Rng, beta: float) -> np.ndarray:
    """Periodic noise [SIZE, SIZE] with spectrum 1/f^beta, zero mean and unit deviation."""
    fy = np.fft.fftfreq(SIZE)[:, None] * SIZE
    fx = np.fft.rfftfreq(SIZE)[None] * SIZE
    radius = np.hypot(fx, fy)
    radius[0, 0] = 1.0
    spectrum = radius ** (-beta) * np.exp(2j * np.pi * rng.random(radius.shape))
    spectrum[0, 0] = 0.0
    noise = np.fft.irfft2(spectrum, s=(SIZE, SIZE))
    return (noise / (noise.std() + 1e-9)).astype(np.float32)


def solid(colour: np.ndarray, alpha: float = 1.0) -> np.ndarray:
    """One colour everywhere, [SIZE, SIZE, 4]."""
    tile = np.empty((SIZE, SIZE, 4), np.float32)
    tile[..., :3] = colour
    tile[..., 3] = alpha
    return tile


def vary(rng: Rng, tile: np.ndarray, beta: float, amount: float) -> np.ndarray:
    """Multiplies the colour by 1 + amount * noise."""
    tile[..., :3] *= (1.0 + amount * spectral_noise(rng, beta))[..., None]
    return tile


def grey(rng: Rng, low: float, high: float, hue: float = 0.03) -> np.ndarray:
    """A random near-grey colour [3]."""
    return np.clip(rng.uniform(low, high) * (1 + rng.normal(0, hue, 3)), 0.01, 1)


def wrapped_polygons(tile: np.ndarray, polygons: list[np.ndarray], colours: list[np.ndarray]) -> None:
    """Fills polygons (float [n, 2] pixels) with RGBA colours, periodically."""
    canvas = np.ascontiguousarray(tile)
    for points, colour in zip(polygons, colours):
        low, high = points.min(0), points.max(0)
        for dx in (-SIZE, 0, SIZE):
            for dy in (-SIZE, 0, SIZE):
                if low[0] + dx > SIZE or low[1] + dy > SIZE or high[0] + dx < 0 or high[1] + dy < 0:
                    continue
                cv2.fillPoly(canvas, [np.int32(np.round((points + (dx, dy)) * 16))], [float(c) for c in colour], cv2.LINE_AA, 4)
    tile[...] = canvas


def leaf_polygons(rng: Rng, count: int, length: float, width: float) -> list[np.ndarray]:
    """`count` pointed leaves, each [6, 2], about `length` pixels long."""
    angle, size = rng.random(count) * 2 * np.pi, length * rng.uniform(0.5, 1.2, count)
    outline = np.array([[-1, 0], [-0.4, 0.8], [0.3, 0.7], [1, 0], [0.3, -0.7], [-0.4, -0.8]]) * (0.5, 0.5 * width)
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2) * size[:, None, None]
    return list(outline @ turn.transpose(0, 2, 1) + rng.random((count, 1, 2)) * SIZE)


def green(rng: Rng, count: int) -> np.ndarray:
    """Leaf colours [count, 3]: greens, seldom autumn or blossom."""
    base = np.array([rng.uniform(0.2, 0.42), rng.uniform(0.34, 0.52), rng.uniform(0.12, 0.28)])
    if rng.random() < 0.08:
        base = np.array([rng.uniform(0.4, 0.7), rng.uniform(0.2, 0.5), rng.uniform(0.05, 0.2)])
    return np.clip(base * rng.uniform(0.35, 1.5, (count, 1)) * (1 + rng.normal(0, 0.12, (count, 3))), 0, 1)


def asphalt(rng: Rng) -> np.ndarray:
    """Tarmac: fine grain, stains, sometimes cracks."""
    tile = vary(rng, solid(grey(rng, 0.28, 0.55)), rng.uniform(0.0, 0.6), rng.uniform(0.02, 0.14))
    tile = vary(rng, tile, 1.8, rng.uniform(0.0, 0.08))
    for _ in range(int(rng.integers(0, 4))):
        path = np.cumsum(rng.normal(0, 7, (40, 2)) + rng.normal(0, 3, 2), 0) + rng.random(2) * SIZE
        cv2.polylines(tile, [np.int32(path)], False, [0.1, 0.1, 0.1, 1.0], 1, cv2.LINE_AA)
    return tile


def concrete(rng: Rng) -> np.ndarray:
    """Concrete slabs with joints."""
    tile = vary(rng, solid(grey(rng, 0.45, 0.75, 0.03)), rng.uniform(0.3, 1.6), rng.uniform(0.01, 0.08))
    step = SIZE // int(rng.choice([1, 2, 4]))
    for k in range(0, SIZE, step):
        tile[k : k + 2, :, :3] *= 0.7
        tile[:, k : k + 2, :3] *= 0.7
    return tile


def plaster(rng: Rng) -> np.ndarray:
    """Painted render with faint stains."""
    colour = np.clip(grey(rng, 0.45, 0.95, 0.06), 0, 1)
    tile = vary(rng, solid(colour), rng.uniform(0.6, 2.0), rng.uniform(0.004, 0.05))
    return vary(rng, tile, 0.2, rng.uniform(0.0, 0.03))


def brick(rng: Rng) -> np.ndarray:
    """Courses of bricks with mortar joints."""
    base = np.array([rng.uniform(0.35, 0.75), rng.uniform(0.2, 0.5), rng.uniform(0.15, 0.45)])
    tile = solid(grey(rng, 0.4, 0.8))
    rows, columns, joint = int(rng.choice([8, 12, 16])), int(rng.choice([3, 4, 5])), int(rng.integers(1, 4))
    height, width = SIZE / rows, SIZE / columns
    for row in range(rows):
        shift = (row % 2) * width / 2
        for column in range(columns + 1):
            x0, x1 = int(column * width - shift) + joint, int((column + 1) * width - shift)
            shade = np.append(np.clip(base * (1 + rng.normal(0, 0.13)), 0, 1), 1.0)
            tile[int(row * height) + joint : int((row + 1) * height), max(0, x0) : max(0, x1)] = shade
    return vary(rng, tile, 0.3, 0.07)


def stones(rng: Rng) -> np.ndarray:
    """Irregular cells (paving, rubble walls, cracked earth)."""
    count = int(rng.integers(20, 220))
    sites = rng.random((count, 2)) * SIZE
    grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE), indexing="xy"), -1).reshape(-1, 2)
    distance, index = cKDTree(sites, boxsize=SIZE).query(grid, k=2)
    base = grey(rng, 0.3, 0.7, 0.06)
    palette = np.clip(base * (1 + rng.normal(0, 0.18, (count, 1)) + rng.normal(0, 0.04, (count, 3))), 0, 1)
    tile = solid(base)
    edge = np.clip((distance[:, 1] - distance[:, 0]) / rng.uniform(2, 6), 0.25, 1)
    tile[..., :3] = (palette[index[:, 0]] * edge[:, None]).reshape(SIZE, SIZE, 3)
    return vary(rng, tile, 0.5, 0.08)


def gravel(rng: Rng) -> np.ndarray:
    """Earth, sand or gravel."""
    base = np.clip(np.array([0.5, 0.45, 0.38]) * rng.uniform(0.5, 1.3) * (1 + rng.normal(0, 0.1, 3)), 0, 1)
    tile = vary(rng, solid(base), rng.uniform(0.2, 1.2), rng.uniform(0.1, 0.3))
    return vary(rng, tile, 1.6, rng.uniform(0.0, 0.15))


def grass(rng: Rng) -> np.ndarray:
    """Lawn."""
    base = green(rng, 1)[0] * rng.uniform(0.8, 1.4)
    tile = vary(rng, solid(base), rng.uniform(0.1, 0.5), rng.uniform(0.12, 0.35))
    tint = spectral_noise(rng, 1.5) * rng.uniform(0, 0.15)
    tile[..., 0] *= 1 + tint
    tile[..., 2] *= 1 - tint
    return tile


def foliage(rng: Rng) -> np.ndarray:
    """Closed foliage (hedges, crowns seen from afar)."""
    count = int(rng.integers(500, 1100))
    tile = solid(green(rng, 1)[0] * 0.3)
    colours = [np.append(c, 1.0) for c in green(rng, count)]
    wrapped_polygons(tile, leaf_polygons(rng, count, rng.uniform(8, 28), rng.uniform(0.4, 1.0)), colours)
    return tile


def wood(rng: Rng) -> np.ndarray:
    """Planks with grain."""
    base = np.array([0.6, 0.42, 0.26]) * rng.uniform(0.4, 1.3) * (1 + rng.normal(0, 0.08, 3))
    grain = spectral_noise(rng, 1.0)
    grain = cv2.resize(grain[: SIZE // 16], (SIZE, SIZE), interpolation=cv2.INTER_LINEAR).T
    tile = solid(base)
    tile[..., :3] *= (1 + rng.uniform(0.04, 0.16) * grain)[..., None]
    plank = SIZE // int(rng.choice([2, 4, 8]))
    for k in range(0, SIZE, plank):
        tile[:, k : k + plank, :3] *= rng.uniform(0.85, 1.15)
        tile[:, k : k + 2, :3] *= 0.5
    return tile


def tiles(rng: Rng) -> np.ndarray:
    """Floor or roof tiles."""
    tile = solid(grey(rng, 0.2, 0.85, 0.07))
    count = int(rng.choice([2, 4, 8, 16]))
    step = SIZE // count
    shades = np.kron(1 + rng.normal(0, rng.uniform(0.0, 0.12), (count, count)), np.ones((step, step)))
    tile[..., :3] *= shades[..., None]
    ramp = 1 - rng.uniform(0, 0.4) * (np.arange(SIZE) % step) / step
    tile[..., :3] *= ramp[:, None, None]
    for k in range(0, SIZE, step):
        tile[k : k + 2, :, :3] *= 0.6
        tile[:, k : k + 1, :3] *= 0.7
    return vary(rng, tile, 0.8, 0.04)


def fabric(rng: Rng) -> np.ndarray:
    """Cloth: plain, striped or checked."""
    tile = solid(rng.uniform(0.05, 0.9, 3))
    kind = rng.integers(4)
    if kind == 1:
        tile[(np.arange(SIZE) // int(rng.choice([8, 16, 32]))) % 2 == 0] = np.append(rng.uniform(0, 1, 3), 1)
    elif kind == 2:
        for axis in (0, 1):
            lines = (np.arange(SIZE) // 16) % int(rng.integers(2, 5)) == 0
            (tile if axis == 0 else tile.transpose(1, 0, 2))[lines, :, :3] *= rng.uniform(0.4, 1.4, 3)
    return vary(rng, vary(rng, tile, 1.5, 0.08), 0.2, rng.uniform(0.01, 0.08))


def flat(rng: Rng) -> np.ndarray:
    """Nearly textureless paint."""
    return vary(rng, solid(grey(rng, 0.5, 0.95, 0.05)), rng.uniform(0.5, 2.0), rng.uniform(0.0, 0.02))


def clutter(rng: Rng) -> np.ndarray:
    """Free mixture of shapes: posters, shelves, anything with strong texture."""
    count = int(rng.integers(60, 400))
    base = rng.random(3)
    tile = solid(base)
    palette = np.clip(base + rng.normal(0, rng.uniform(0.1, 0.45), (24, 3)), 0, 1)
    corners = int(rng.choice([3, 4, 4, 6]))
    radius = rng.uniform(12, 60) * rng.random(count) ** 2 + 3
    phase = rng.random(count) * 6.3 if rng.random() < 0.6 else np.full(count, np.pi / 4)
    angles = phase[:, None] + np.arange(corners) * 2 * np.pi / corners
    outline = np.stack([np.cos(angles), np.sin(angles) * rng.uniform(0.4, 1)], -1) * radius[:, None, None]
    colours = [np.append(palette[i], 1.0) for i in rng.integers(24, size=count)]
    wrapped_polygons(tile, list(outline + rng.random((count, 1, 2)) * SIZE), colours)
    return vary(rng, tile, rng.uniform(0.5, 1.5), rng.uniform(0.0, 0.2))


def noise(rng: Rng) -> np.ndarray:
    """Coloured noise."""
    tile = solid(rng.uniform(0.2, 0.8, 3))
    for channel in range(3):
        if channel == 0 or rng.random() < 0.4:
            field = spectral_noise(rng, rng.uniform(0.2, 1.6))
        tile[..., channel] += field * rng.uniform(0.04, 0.2)
    return tile


def stripes(rng: Rng) -> np.ndarray:
    """Soft or hard stripes."""
    wave = np.sin(np.arange(SIZE) / SIZE * 2 * np.pi * int(rng.choice([1, 2, 3, 4, 8, 16])))
    wave = np.sign(wave) if rng.random() < 0.5 else wave
    tile = solid(rng.uniform(0.3, 0.7, 3))
    tile[..., :3] += (wave[None] if rng.random() < 0.5 else wave[:, None])[..., None] * rng.normal(0, 0.2, 3)
    return vary(rng, tile, 1.0, 0.06)


def strokes(rng: Rng) -> np.ndarray:
    """Random strokes of any colour."""
    tile = solid(rng.random(3))
    for _ in range(int(rng.integers(40, 250))):
        start = rng.random(2) * SIZE
        end = start + rng.normal(0, rng.uniform(6, 40), 2)
        cv2.line(tile, tuple(int(v) for v in start), tuple(int(v) for v in end), [*rng.random(3).tolist(), 1.0], int(rng.integers(1, 5)), cv2.LINE_AA)
    return tile


def facade(rng: Rng) -> np.ndarray:
    """A wall with window rows, for buildings further off."""
    tile = plaster(rng) if rng.random() < 0.6 else brick(rng)
    columns, rows = int(rng.integers(2, 6)), int(rng.integers(2, 5))
    width, height = rng.uniform(0.35, 0.75), rng.uniform(0.4, 0.7)
    frame = [*grey(rng, 0.5, 0.95).tolist(), 1.0]
    for i in range(columns):
        for j in range(rows):
            x0, y0 = (i + 0.5 - width / 2) * SIZE / columns, (j + 0.5 - height / 2) * SIZE / rows
            x1, y1 = x0 + width * SIZE / columns, y0 + height * SIZE / rows
            glass = [*(grey(rng, 0.05, 0.4, 0.1)).tolist(), 1.0]
            cv2.rectangle(tile, (int(x0), int(y0)), (int(x1), int(y1)), glass, -1)
            if rng.random() < 0.4:
                cv2.rectangle(tile, (int(x0), int(y0)), (int(x1), int((y0 + y1) / 2)), frame, -1)
            cv2.rectangle(tile, (int(x0), int(y0)), (int(x1), int(y1)), frame, 2)
            cv2.line(tile, (int((x0 + x1) / 2), int(y0)), (int((x0 + x1) / 2), int(y1)), frame, 1)
    return vary(rng, tile, 1.2, 0.04)


def sign(rng: Rng) -> np.ndarray:
    """A road sign, plate or poster."""
    tile = solid(rng.choice([[0.9, 0.9, 0.9], [0.1, 0.25, 0.7], [0.8, 0.1, 0.1], [0.9, 0.75, 0.1], [0.1, 0.45, 0.2]]))
    border = [*rng.choice([[0.85, 0.1, 0.1], [0.95, 0.95, 0.95], [0.05, 0.05, 0.05]]).tolist(), 1.0]
    cv2.rectangle(tile, (0, 0), (SIZE - 1, SIZE - 1), border, int(rng.integers(8, 60)))
    ink = [*rng.choice([[0.03, 0.03, 0.03], [0.95, 0.95, 0.95]]).tolist(), 1.0]
    glyphs = np.zeros((SIZE, SIZE), np.uint8)
    for row in range(int(rng.integers(1, 4))):
        text = "".join(rng.choice(list("ABEHKNRSTX01358"), int(rng.integers(1, 7))))
        cv2.putText(glyphs, text, (40, 90 + row * 60), cv2.FONT_HERSHEY_SIMPLEX, rng.uniform(1.2, 2.4), 255, int(rng.integers(3, 12)), cv2.LINE_AA)
    return tile + (np.float32(ink) - tile) * (glyphs / np.float32(255))[..., None]


def clouds(rng: Rng) -> np.ndarray:
    """Cloud cover in every channel, 0 clear .. 1 white."""
    cover = np.clip(0.5 + rng.uniform(-0.4, 0.4) + 0.35 * spectral_noise(rng, rng.uniform(1.4, 2.0)), 0, 1)
    return np.dstack([cover] * 3 + [np.ones_like(cover)]).astype(np.float32)
