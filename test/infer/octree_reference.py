"""Writes what torch makes of made-up rows: the reference of octree-evaluator.test.ts. Usage: octree_reference.py OUT_DIR"""

import json
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "training"))
from voxeltrain.export import write_heads  # noqa: E402
from voxeltrain.net import LEVELS, OctreeStereoNet  # noqa: E402
from voxeltrain.octree import OctreeGraph  # noqa: E402

out = Path(sys.argv[1])
torch.manual_seed(11)
net = OctreeStereoNet().eval()
h4, w4 = 24, 40
with torch.no_grad():
    for head in net.voxel_heads():
        head.mlp[-1].weight.mul_(6)
    rows = torch.rand(h4 * w4, 16) * torch.tensor([60.0, 60.0, 3.0, 9.0, 1.0, *[4.0] * 11]) + torch.tensor([0.0, 0, 0.05, 0.1, 0, *[-2.0] * 11])
    calibration, view = torch.tensor([141.3, 150.7, 83.4, 40.6, 0.45]), torch.tensor([157.0, 93.0])
    dense = OctreeGraph(net, (0.0, 0.0, 0.0)).decode(rows[:, :13], calibration, view, h4, w4)
    # Half of each level is kept; between two values, so that the last bit of none decides.
    halves = [dense[2 * k + 1][:, 2].sort().values for k in range(LEVELS - 1)]
    keep = tuple(float(p[len(p) // 2 - 1 : len(p) // 2 + 1].mean()) for p in halves)
    answer = OctreeGraph(net, keep).decode(rows[:, :13], calibration, view, h4, w4)
rows.numpy().astype("<f4").tofile(out / "rows.bin")
write_heads(net, out / "heads.bin")
levels = [{"index": answer[2 * k].flatten().tolist(), "p": answer[2 * k + 1].flatten().tolist()} for k in range(LEVELS)]
(out / "answer.json").write_text(json.dumps({"h4": h4, "w4": w4, "keep": keep, "levels": levels}))
