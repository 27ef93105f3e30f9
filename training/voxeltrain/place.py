"""How things are put into scenes: as a whole or not at all, at points of their own frame."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import numpy as np

from .scene import Builder

RUBBER = np.array([0.03, 0.03, 0.035])


def whole(make: Callable[..., None]) -> Callable[..., None]:
    """Decorator: the thing is left out as a whole when a part is too near the camera or all is far out of view."""

    @wraps(make)
    def wrapped(b: Builder, at, *args, **kwargs) -> None:
        if b.view is not None and b.unseen(np.asarray(at, float), 5.0):
            return
        with b.whole():
            make(b, at, *args, **kwargs)

    return wrapped


def lifted(at: np.ndarray, turn: np.ndarray, x: float, up: float, z: float) -> np.ndarray:
    """World point [3] of a point x, up, z in the frame of a thing that stands at `at` turned by `turn`."""
    return np.asarray(at, float) + turn @ np.array([x, -up, z])
