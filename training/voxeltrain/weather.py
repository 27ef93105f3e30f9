"""Weather and light: what the sky looks like, where the light comes from and how bright it is."""

from __future__ import annotations

import numpy as np

from .atlas import Atlas
from .scene import Light, Sky

Rng = np.random.Generator
# lighting of outdoor scenes and how often; rooms have "indoor"
LIGHTINGS = {"day": 0.42, "overcast": 0.25, "low_sun": 0.19, "night": 0.14}


def log_uniform(rng: Rng, low: float, high: float) -> float:
    """A number in low..high, uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def toward(azimuth: float, elevation: float) -> np.ndarray:
    """Unit world direction [3]; azimuth 0 is +z, elevation is above the horizon, radians."""
    return np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])


def painted_sky(rng: Rng, atlas: Atlas, lighting: str) -> Sky:
    """A gradient with clouds; radiance about 1 by day."""
    bright = log_uniform(rng, 0.5, 1.6)
    blue = np.array([rng.uniform(0.15, 0.45), rng.uniform(0.35, 0.6), rng.uniform(0.7, 1.0)])
    white = np.array([rng.uniform(0.8, 1.0), rng.uniform(0.88, 1.0), 1.0])
    tile, ground = atlas.pick(rng, "clouds"), np.full(3, rng.uniform(0.05, 0.25))
    if lighting == "night":
        zenith, horizon = blue * 0.02 * bright, np.array([1.0, rng.uniform(0.6, 0.9), rng.uniform(0.4, 0.9)]) * rng.uniform(0.02, 0.12)
        return Sky(zenith, horizon, tile, rng.uniform(0, 0.6), rng.uniform(0.2, 1.2), rng.random(), ground * 0.05)
    if lighting == "overcast":
        return Sky(white * bright * rng.uniform(0.7, 1.2), white * bright, tile, rng.uniform(0, 0.5), rng.uniform(0.2, 1.0), rng.random(), ground)
    cover = rng.uniform(0.3, 1.0) if rng.random() < 0.5 else rng.uniform(0, 0.25)
    horizon = (blue * 0.4 + white * 0.6) * bright
    if lighting == "low_sun":
        horizon = horizon * [1.1, rng.uniform(0.8, 0.95), rng.uniform(0.55, 0.85)]
    return Sky(blue * bright * 0.8, horizon, tile, cover, rng.uniform(0.2, 1.2), rng.random(), ground)


def photographed_sky(rng: Rng, atlas: Atlas, lighting: str) -> Sky | None:
    """A panorama that suits the lighting as sky and surroundings at infinity; None if there is none."""
    pool = atlas.panoramas_of(lighting)
    if not pool:
        return None
    index = pool[int(rng.integers(len(pool)))]
    rows = atlas.panorama_rows(index)
    zenith, horizon, ground = rows[: len(rows) // 4].mean(0), rows[len(rows) * 3 // 8 : len(rows) // 2].mean(0), rows[len(rows) * 5 // 8 :].mean(0)
    wanted = log_uniform(rng, 0.4, 1.4) * (0.06 if lighting == "night" else 1.0)
    gain = wanted / float(rows[: len(rows) // 2].mean())
    return Sky(zenith * gain, horizon * gain, atlas.pick(rng, "clouds"), 0.0, 1.0, rng.random(), ground * gain, panorama=index, gain=gain)


def sample_weather(rng: Rng, atlas: Atlas) -> tuple[Sky, Light, str]:
    """Sky, light and lighting of an outdoor scene; the sun is up to 4 where the day sky is about 1."""
    lighting = str(rng.choice(list(LIGHTINGS), p=list(LIGHTINGS.values())))
    sky = (photographed_sky(rng, atlas, lighting) if rng.random() < 0.45 else None) or painted_sky(rng, atlas, lighting)
    ambient = (0.3 * sky.zenith + 0.7 * sky.horizon) * rng.uniform(0.35, 0.7)
    warm, soft = np.array([1.0, rng.uniform(0.8, 0.97), rng.uniform(0.6, 0.9)]), rng.uniform(0.02, 0.12)
    azimuth = rng.uniform(0, 2 * np.pi)
    if lighting == "night":
        return sky, Light(toward(azimuth, 0.9), np.zeros(3), ambient * rng.uniform(0.3, 1.5) + 0.004, 0.3), lighting
    if lighting == "overcast":
        return sky, Light(toward(azimuth, rng.uniform(0.4, 1.2)), warm * rng.uniform(0, 0.3), ambient * 1.3, 0.8), lighting
    if lighting == "low_sun":
        if rng.random() < 0.45:  # ahead, in the frame or near it
            azimuth = rng.normal(0, 0.45)
        sky.disc = log_uniform(rng, 20, 200)
        return sky, Light(toward(azimuth, rng.uniform(0.05, 0.3)), warm * [1, 0.85, 0.65] * rng.uniform(0.8, 3.0), ambient, soft), lighting
    return sky, Light(toward(azimuth, rng.uniform(0.3, 1.25)), warm * rng.uniform(1.0, 3.5), ambient, soft), lighting


def room_light(rng: Rng) -> Light:
    """Lamps and windows of a room as a soft light from above and light from all round."""
    colour = np.array([1.0, rng.uniform(0.78, 1.0), rng.uniform(0.5, 1.0)])
    ambient = rng.uniform(0.2, 0.9) * (0.5 + 0.5 * colour)
    strength = rng.uniform(0.2, 1.6) if rng.random() < 0.8 else 0.0
    return Light(toward(rng.uniform(0, 6.3), rng.uniform(0.5, 1.4)), colour * strength, ambient, rng.uniform(0.03, 0.25))
