"""What cameras do to a clean pair: exposure, gamma, blur, noise, small rectification errors, JPEG, vignetting, dirt."""

from __future__ import annotations

import cv2
import numpy as np


def grey(rgb: np.ndarray) -> np.ndarray:
    """RGB uint8 [H, W, 3] -> grey uint8 [H, W], the product's weights."""
    r, g, b = (rgb[..., i].astype(np.uint32) for i in range(3))
    return ((77 * r + 150 * g + 29 * b + 128) >> 8).astype(np.uint8)


def augment_pair(left: np.ndarray, right: np.ndarray, g: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Grey uint8 [H, W] pair -> the same pair as two real cameras might deliver it. The left geometry stays."""
    shared = {
        "gain": g.uniform(0.55, 1.5), "gamma": g.uniform(0.7, 1.5), "blur": g.uniform(0, 1.1) if g.random() < 0.6 else 0.0,
        "noise": g.uniform(0, 0.03) if g.random() < 0.75 else 0.0, "vignette": g.uniform(0, 0.35) if g.random() < 0.3 else 0.0,
        "jpeg": int(g.integers(45, 97)) if g.random() < 0.5 else 0, "haze": g.uniform(0, 0.35) if g.random() < 0.25 else 0.0,
    }
    if g.random() < 0.8:
        right = misalign(right, g)
    return camera(left, shared, g), camera(right, shared, g)


def misalign(image: np.ndarray, g: np.random.Generator) -> np.ndarray:
    """Small rotation, scale and vertical shift about the centre: what remains after an honest rectification."""
    h, w = image.shape
    angle, scale = g.normal(0, 0.0006), 1 + g.normal(0, 0.0004)
    a, b = scale * np.cos(angle), scale * np.sin(angle)
    dy = g.normal(0, 0.3)
    dx = g.normal(0, 0.12)
    m = np.array([[a, b, (1 - a) * w / 2 - b * h / 2 + dx], [-b, a, b * w / 2 + (1 - a) * h / 2 + dy]])
    return cv2.warpAffine(image, m, (w, h), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def camera(image: np.ndarray, shared: dict[str, float], g: np.random.Generator) -> np.ndarray:
    h, w = image.shape
    x = image.astype(np.float32) / 255
    sigma = shared["blur"] * g.uniform(0.7, 1.3)
    if sigma > 0.25:
        x = cv2.GaussianBlur(x, (0, 0), sigma)
    if shared["haze"]:
        x = x * (1 - shared["haze"]) + shared["haze"] * 0.75
    x = x * (shared["gain"] * g.normal(1, 0.05)) + g.normal(0, 0.015)
    if shared["vignette"]:
        v, u = np.ogrid[-1 : 1 : h * 1j, -1 : 1 : w * 1j]
        x = x * (1 - shared["vignette"] * (u * u + v * v) / 2).astype(np.float32)
    if g.random() < 0.1:  # dirt or water on one lens
        c, r = (int(g.integers(w)), int(g.integers(h))), int(g.integers(6, 40))
        mask = cv2.GaussianBlur(cv2.circle(np.zeros((h, w), np.float32), c, r, float(g.uniform(0.2, 0.9)), -1), (0, 0), r / 3)
        x = x * (1 - mask) + mask * (cv2.GaussianBlur(x, (0, 0), 9) * 0.8 + 0.05)
    x = np.clip(x, 0, 1) ** (shared["gamma"] * g.normal(1, 0.03))
    if shared["noise"]:
        strength = shared["noise"] * (0.5 + np.sqrt(x))
        x = x + g.standard_normal((h, w), np.float32) * strength.astype(np.float32)
    out = (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)
    if shared["jpeg"]:
        ok, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, int(shared["jpeg"])])
        assert ok
        out = cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)
    return out
