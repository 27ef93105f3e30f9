"""What cameras do to a clean pair: exposure, gamma, blur, noise, small rectification errors, JPEG, vignetting, dirt, flicker, stray light."""

from __future__ import annotations

import cv2
import numpy as np


def grey(rgb: np.ndarray) -> np.ndarray:
    """RGB uint8 [H, W, 3] -> grey uint8 [H, W], the product's weights."""
    r, g, b = (rgb[..., i].astype(np.uint32) for i in range(3))
    return ((77 * r + 150 * g + 29 * b + 128) >> 8).astype(np.uint8)


NOTHING = {"motion": 0.0, "angle": 0.0, "haze": 0.0, "exposure": 0.03, "uneven": 0.0, "bands": 0.0, "dirt": 0.0, "stray": 0.0}


def augment_pair(left: np.ndarray, right: np.ndarray, g: np.random.Generator, good: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Grey uint8 [H, W] pair -> the same pair as two real cameras might deliver it. The left geometry stays. good: share of pairs
    that come from good cameras in good light, of which most photographs of other sets are."""
    some = lambda chance, low, high: float(g.uniform(low, high)) if g.random() < chance else 0.0  # noqa: E731
    if good and g.random() < good:
        shared = NOTHING | {
            "gain": g.uniform(0.8, 1.25), "gamma": g.uniform(0.85, 1.2), "blur": some(0.5, 0, 0.6), "sharpen": some(0.15, 0.2, 0.6),
            "noise": some(0.8, 0, 0.015), "vignette": some(0.2, 0, 0.2), "jpeg": some(0.3, 80, 97),
        }  # fmt: skip
        return camera(left, shared, g), camera(misalign(right, g), shared, g)
    shared = {
        "gain": g.uniform(0.55, 1.5) if g.random() < 0.92 else g.uniform(1.5, 2.6), "gamma": g.uniform(0.7, 1.5),
        "blur": some(0.6, 0, 1.1), "motion": some(0.07, 2, 6), "angle": g.uniform(0, np.pi), "sharpen": some(0.15, 0.2, 1.0),
        "noise": some(0.65, 0, 0.03) or some(0.3, 0.03, 0.07), "vignette": some(0.3, 0, 0.35), "jpeg": some(0.5, 45, 97), "haze": some(0.25, 0, 0.35),
        "exposure": g.uniform(0.08, 0.25) if g.random() < 0.15 else 0.05, "uneven": some(0.2, 0.05, 0.3), "bands": some(0.08, 0.02, 0.12),
        "dirt": 0.12, "stray": some(0.1, 0.1, 0.8), "stray_x": g.uniform(-0.1, 1.1), "stray_y": g.uniform(-0.2, 0.6), "stray_r": g.uniform(0.05, 0.4),
    }  # fmt: skip
    if g.random() < 0.8:
        right = misalign(right, g)
    return camera(left, shared, g), camera(right, shared, g)


def misalign(image: np.ndarray, g: np.random.Generator) -> np.ndarray:
    """Small rotation, scale and shift about the centre: what remains after rectification, one pair in eight up to 1 px of it."""
    h, w = image.shape
    poor = g.random() < 0.12
    angle, scale = g.normal(0, 0.0006), 1 + g.normal(0, 0.0004)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    dy = g.uniform(-1, 1) if poor else g.normal(0, 0.3)
    dx = g.normal(0, 0.12)
    m = np.array([[a, b, (1 - a) * w / 2 - b * h / 2 + dx], [-b, a, b * w / 2 + (1 - a) * h / 2 + dy]])
    return cv2.warpAffine(image, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def soften(x: np.ndarray, shared: dict[str, float], g: np.random.Generator) -> np.ndarray:
    """Defocus, motion blur and the camera's own sharpening of float32 [H, W]."""
    sigma = shared["blur"] * g.uniform(0.7, 1.3)
    if sigma > 0.25:
        x = cv2.GaussianBlur(x, (0, 0), sigma)
    if shared["motion"]:
        reach, kernel = shared["motion"] / 2, np.zeros((7, 7), np.float32)
        dx, dy = reach * np.cos(shared["angle"]), reach * np.sin(shared["angle"])
        cv2.line(kernel, (round(3 - dx), round(3 - dy)), (round(3 + dx), round(3 + dy)), 1.0, 1, cv2.LINE_AA)
        x = cv2.filter2D(x, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE)
    if shared["sharpen"]:
        x = x + (x - cv2.GaussianBlur(x, (0, 0), 1.2)) * np.float32(shared["sharpen"])
    return x


def unevenness(h: int, w: int, shared: dict[str, float], g: np.random.Generator) -> np.ndarray | float:
    """Factor [H, W] of vignetting, of a slope of brightness and of the bands of lamps flickering under a rolling shutter."""
    v, u = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None]
    factor: np.ndarray | float = 1.0
    if shared["vignette"]:
        factor = 1 - np.float32(shared["vignette"] / 2) * (u * u + v * v)
    if shared["uneven"]:
        du, dv = (np.float32(shared["uneven"] * g.uniform(-1, 1)) for _ in range(2))
        factor = factor * (1 + du * u + dv * v)
    if shared["bands"]:
        factor = factor * (1 + np.float32(shared["bands"]) * np.sin(v * np.float32(g.uniform(4, 20)) + np.float32(g.uniform(0, 6.3))))
    return factor


def dirty(x: np.ndarray, g: np.random.Generator) -> np.ndarray:
    """Drops, smears and dust on the lens of float32 [H, W]: blurred and lightened in spots."""
    h, w = x.shape
    mask = np.zeros((h // 4 + 1, w // 4 + 1), np.float32)
    for _ in range(int(g.integers(1, 9))):
        c, r = (int(g.integers(mask.shape[1])), int(g.integers(mask.shape[0]))), int(g.integers(1, 10))
        cv2.ellipse(mask, c, (r, int(r * g.uniform(0.5, 3)) + 1), float(g.uniform(0, 180)), 0, 360, float(g.uniform(0.15, 0.9)), -1)
    mask = cv2.resize(cv2.GaussianBlur(mask, (0, 0), float(g.uniform(0.8, 3))), (w, h))
    smeared = cv2.resize(cv2.GaussianBlur(cv2.resize(x, (w // 4, h // 4), interpolation=cv2.INTER_AREA), (0, 0), 2.5), (w, h))
    return x + mask * (smeared * np.float32(g.uniform(0.5, 1.0)) + np.float32(g.uniform(0, 0.1)) - x)


def stray_light(h: int, w: int, shared: dict[str, float], g: np.random.Generator) -> np.ndarray:
    """Veil of light [H, W] about a bright source in or beside the frame, not the same in both eyes."""
    x, y, r = shared["stray_x"] * w + g.normal(0, 6), shared["stray_y"] * h + g.normal(0, 3), shared["stray_r"] * w
    fall = lambda n, c: 1 / (1 + ((np.arange(n, dtype=np.float32) - np.float32(c)) / np.float32(r)) ** 2)  # noqa: E731
    return np.float32(shared["stray"] * g.uniform(0.6, 1.0)) * fall(h, y)[:, None] * fall(w, x)[None]


def camera(image: np.ndarray, shared: dict[str, float], g: np.random.Generator) -> np.ndarray:
    """Grey uint8 [H, W] as one camera delivers it; `shared` is what both cameras of the pair have in common."""
    h, w = image.shape
    x = soften(image.astype(np.float32) * np.float32(1 / 255), shared, g)
    if shared["haze"]:
        x = x * np.float32(1 - shared["haze"]) + np.float32(shared["haze"] * 0.75)
    if shared["stray"]:
        x = x + stray_light(h, w, shared, g)
    if g.random() < shared["dirt"]:
        x = dirty(x, g)
    x = x * np.float32(shared["gain"] * max(0.4, g.normal(1, shared["exposure"]))) + np.float32(g.normal(0, 0.015))
    x = np.clip(x * unevenness(h, w, shared, g), 0, 1)
    # the tone curve by a table of 1024 steps
    curve = np.linspace(0, 1, 1024, dtype=np.float32) ** np.float32(shared["gamma"] * g.normal(1, 0.03))
    x = curve[(x * np.float32(1023) + np.float32(0.5)).astype(np.int32)]
    if shared["noise"]:
        x = x + g.standard_normal((h, w), np.float32) * (np.float32(shared["noise"]) * (np.float32(0.5) + np.sqrt(x)))
    out = (np.clip(x, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8)
    if shared["jpeg"]:
        ok, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(shared["jpeg"])])
        assert ok
        out = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return out
