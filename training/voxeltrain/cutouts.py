"""Textures with holes: twigs, bare branches, distant tree lines, fences. As in textures.py."""

from __future__ import annotations

import cv2
import numpy as np

from .textures import SIZE, Rng, foliage, gravel, green, grey, leaf_polygons, solid, spectral_noise, vary


def leaves_card(rng: Rng) -> np.ndarray:
    """A twig full of leaves with holes; alpha 0 between the leaves and towards the border."""
    count = int(rng.integers(150, 700))
    colours = green(rng, count)
    tile = solid(colours.mean(0), 0.0)
    shift = rng.normal(0, SIZE / 5, (count, 1, 2)).clip(-SIZE * 0.42, SIZE * 0.42) + SIZE / 2
    for leaf, colour, centre in zip(leaf_polygons(rng, count, rng.uniform(220, 420) / np.sqrt(count), rng.uniform(0.35, 0.9)), colours, shift):
        points = leaf - leaf.mean(0) + centre
        cv2.fillPoly(tile, [np.int32(np.round(points * 16))], [*colour.tolist(), 1.0], cv2.LINE_AA, 4)
    return tile


def twigs_card(rng: Rng) -> np.ndarray:
    """Bare branches with holes."""
    bark = np.array([0.25, 0.2, 0.16]) * rng.uniform(0.5, 1.6)
    tile = solid(bark, 0.0)
    stack = [(np.array([SIZE / 2, SIZE - 1.0]), -np.pi / 2, SIZE * 0.3, 5.0)]
    while stack:
        start, angle, length, thick = stack.pop()
        end = start + length * np.array([np.cos(angle), np.sin(angle)])
        cv2.line(tile, tuple(int(v) for v in start), tuple(int(v) for v in end), [*(bark * rng.uniform(0.7, 1.3)).tolist(), 1.0], max(1, int(thick)), cv2.LINE_AA)
        if length > 9:
            stack += [(end, angle + rng.normal(0, 0.6), length * rng.uniform(0.6, 0.85), thick * 0.7) for _ in range(int(rng.integers(2, 4)))]
    return tile


def treeline(rng: Rng) -> np.ndarray:
    """A distant wood or hill against the sky: opaque below a rough periodic outline."""
    tile = foliage(rng) if rng.random() < 0.8 else gravel(rng)
    outline = spectral_noise(rng, rng.uniform(0.8, 1.6))[0]
    top = (SIZE * 0.35 + outline * rng.uniform(5, 28)).clip(4, SIZE * 0.8)
    tile[..., 3] = np.arange(SIZE)[:, None] > top
    tile[..., :3] *= rng.uniform(0.5, 1.0)
    return tile


def fence(rng: Rng) -> np.ndarray:
    """Pickets, bars or wire mesh with holes."""
    colour = grey(rng, 0.05, 0.9, 0.1)
    tile = solid(colour, 0.0)
    kind = rng.integers(4)
    if kind == 3:
        for k in range(0, 2 * SIZE, SIZE // 8):
            cv2.line(tile, (k - SIZE, 0), (k, SIZE), [*colour.tolist(), 1.0], 3)
            cv2.line(tile, (k, 0), (k - SIZE, SIZE), [*colour.tolist(), 1.0], 3)
        return tile
    bars = int(rng.choice([4, 8, 16]))
    fill = rng.uniform(0.15, 0.35) if kind else rng.uniform(0.5, 0.85)
    tile[:, (np.arange(SIZE) * bars / SIZE) % 1 < fill, 3] = 1
    for row in rng.uniform(0.05, 0.9, int(rng.integers(1, 4))):
        tile[int(row * SIZE) : int(row * SIZE) + int(rng.integers(6, 20)), :, 3] = 1
    return vary(rng, tile, 0.8, 0.06)


def tree_card(rng: Rng) -> np.ndarray:
    """A whole tree that fills the tile: trunk and boughs, and clumps of leaves with sky between them."""
    bark = np.array([0.25, 0.2, 0.16]) * rng.uniform(0.5, 1.5)
    tile = solid(bark, 0.0)
    stem = SIZE * rng.uniform(0.15, 0.4)
    ends, stack = [], [(np.array([SIZE / 2, SIZE - 1.0]), -np.pi / 2, stem, SIZE * rng.uniform(0.02, 0.045))]
    while stack:
        start, angle, length, thick = stack.pop()
        end = (start + length * np.array([np.cos(angle), np.sin(angle)])).clip(SIZE * 0.1, SIZE * 0.97)
        cv2.line(tile, tuple(int(v) for v in start), tuple(int(v) for v in end), [*(bark * rng.uniform(0.7, 1.3)).tolist(), 1.0], max(1, int(thick)), cv2.LINE_AA)
        ends += [end] if thick < SIZE * 0.02 else []
        if length > SIZE * 0.07:
            stack += [(end, angle + rng.normal(0, 0.55), length * rng.uniform(0.6, 0.85), thick * 0.62) for _ in range(int(rng.integers(2, 4)))]
    if rng.random() < 0.15 or not ends:
        return tile
    ends = np.array(ends)[rng.permutation(len(ends))[:60]]
    count, spread = int(rng.integers(700, 2200)), SIZE * rng.uniform(0.02, 0.055)
    centres = ends[rng.integers(len(ends), size=count)] + rng.normal(0, spread, (count, 2))
    colours = green(rng, count) * (1.25 - 0.6 * centres[:, 1:] / SIZE)
    for leaf, colour, centre in zip(leaf_polygons(rng, count, rng.uniform(7, 15), rng.uniform(0.5, 1.0)), colours, centres.clip(10, SIZE - 10)):
        points = leaf - leaf.mean(0) + centre
        cv2.fillPoly(tile, [np.int32(np.round(points * 16))], [*colour.tolist(), 1.0], cv2.LINE_AA, 4)
    return tile
