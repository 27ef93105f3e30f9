"""The matching kernel of the product (assembly/matcher.ts), run from Python: training sees the very same bytes."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import wasmtime

CHANNELS = 128
BASE = 4096
KERNEL = Path(os.environ.get("VOXELGUARD_KERNEL", Path(__file__).parents[2] / "build" / "matcher.wasm"))


def pad_to_32(grey: np.ndarray) -> np.ndarray:
    """Image [H, W] with edge pixels repeated to the right and below, up to multiples of 32."""
    h, w = grey.shape
    if h % 32 == 0 and w % 32 == 0:
        return grey
    return cv2.copyMakeBorder(grey, 0, -h % 32, 0, -w % 32, cv2.BORDER_REPLICATE)


class Matcher:
    """Holds one WebAssembly instance; not shared between threads."""

    def __init__(self, kernel: Path = KERNEL) -> None:
        if not kernel.exists():
            raise FileNotFoundError(f"{kernel} is missing: run `npm run build:kernel`")
        engine = wasmtime.Engine()
        self.store = wasmtime.Store(engine)
        module = wasmtime.Module.from_file(engine, str(kernel))
        exports = wasmtime.Instance(self.store, module, []).exports(self.store)
        self.exports = exports
        self.memory = exports["memory"]

    def run(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """left, right: uint8 [H, W] grey, rectified -> evidence uint8 [H32 / 4, W32 / 4, 128], H32, W32 padded sizes."""
        left, right = pad_to_32(left), pad_to_32(right)
        h, w = left.shape
        call = lambda name, *args: self.exports[name](self.store, *args)  # noqa: E731
        missing = BASE + call("bytesNeeded", w, h) + 65536 - self.memory.data_len(self.store)
        if missing > 0:
            self.memory.grow(self.store, missing // 65536 + 1)
        self.memory.write(self.store, np.ascontiguousarray(left).tobytes(), call("leftAt", BASE))
        self.memory.write(self.store, np.ascontiguousarray(right).tobytes(), call("rightAt", BASE, w, h))
        call("run", BASE, w, h)
        at = call("evidenceAt", BASE, w, h)
        raw = self.memory.read(self.store, at, at + w * h // 16 * CHANNELS)
        return np.frombuffer(raw, np.uint8).reshape(h // 4, w // 4, CHANNELS)
