"""Runs the product's commands, such as `voxelguard detect` on folders of pictures."""

from __future__ import annotations

import json
import os
import subprocess
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def command(root: Path, *words: str) -> str:
    """What a command of the product in `root` prints. Raises RuntimeError with its last words."""
    line = ["npx", "tsx", "src/cli/main.ts", *words]
    done = subprocess.run(line, cwd=root, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(f"{' '.join(line)} in {root} ended with {done.returncode}: {done.stderr[-600:]}{done.stdout[-300:]}")
    return done.stdout


@lru_cache(maxsize=None)
def knows(root: Path, name: str, option: str) -> bool:
    """Whether a command of the product has an option."""
    return option in command(root, name, "--help")


def recorded(clip: Path, below: Path, root: Path = ROOT) -> Path:
    """A clip of attacks.clips as a recording, written below a folder."""
    bag = below / "clip.mcap"
    made = ["--calibration", f"{clip}/calibration.json", "--timestamps", f"{clip}/timestamps.txt", "--poses", f"{clip}/poses.txt"]
    command(root, "bag", "from-images", "--left", f"{clip}/left", "--right", f"{clip}/right", *made, "--out", str(bag))
    return bag


def detect(folder: Path, *options: str, root: Path = ROOT) -> dict[str, dict]:
    """What the product prints of each picture in a folder, by file name."""
    lines = [json.loads(line) for line in command(root, "detect", str(folder.resolve()), "--threads", "1", *options).splitlines()]
    return {Path(line["image"]).name: line for line in lines}
