"""Runs `voxelguard detect` on folders of pictures."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def detect(folder: Path, *options: str, root: Path = ROOT) -> dict[str, dict]:
    """What the product in `root` prints of each picture in a folder, by file name. Raises RuntimeError with its last words."""
    command = ["npx", "tsx", "src/cli/main.ts", "detect", str(folder.resolve()), "--threads", "1", *options]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} in {root} ended with {done.returncode}: {done.stderr[-600:]}{done.stdout[-300:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return {Path(line["image"]).name: line for line in lines}


def has_defence(root: Path = ROOT) -> bool:
    """Whether the product's `detect` knows --defence."""
    command = ["npx", "tsx", "src/cli/main.ts", "detect", "--help"]
    return "--defence" in subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
