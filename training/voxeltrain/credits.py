"""Lists whose meshes and textures training uses, from the indices of the data folder: `python -m voxeltrain.credits > CREDITS.md`"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

DATA = Path(os.environ.get("VOXELGUARD_TRAIN_DATA", Path(__file__).parents[3] / "shared" / "data" / "train"))


def main() -> None:
    meshes: dict[tuple[str, str], set[str]] = defaultdict(set)
    for mesh in json.loads((DATA / "meshes" / "index.json").read_text())["meshes"]:
        meshes[mesh["library"], mesh["licence"]].add(mesh["creator"])
    textures: dict[tuple[str, str], set[str]] = defaultdict(set)
    for texture in json.loads((DATA / "textures" / "index.json").read_text()):
        textures[texture["source"], texture["licence"]].add(texture["credit"])
    print("# Credits of the training data\n")
    print("Renders for training show these works; none of them is part of this repository or its package. Written by")
    print("`python -m voxeltrain.credits`.\n\n## Meshes (Debian package sweethome3d-furniture)\n")
    for (library, licence), creators in sorted(meshes.items()):
        print(f"- {library} ({licence}): {', '.join(sorted(creators))}")
    print("\n## Textures and panoramas\n")
    for (source, licence), credits in sorted(textures.items()):
        print(f"- {source} ({licence}): {', '.join(sorted(credits))}")
    print("- Crops of COCO train2017 images (Flickr terms; GitHub lightly-ai/coco128_yolo)")
    print("- Crops of CARLA street views (MIT; GitHub DanielHfnr/Carla-Object-Detection-Dataset)")


if __name__ == "__main__":
    main()
