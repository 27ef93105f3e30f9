"""An exported model folder: torch and ONNX Runtime agree, files and manifest belong together."""

import hashlib
import json
from pathlib import Path

import torch

from voxeltrain import export
from voxeltrain.net import LEVELS, OctreeStereoNet


def test_export_agrees_and_is_described(tmp_path: Path, monkeypatch) -> None:
    torch.manual_seed(2)
    net = OctreeStereoNet().eval()
    checkpoint = tmp_path / "checkpoint.pt"
    torch.save({"ema": net.state_dict(), "keep": [0.2, 0.1, 0.05]}, checkpoint)
    out = tmp_path / "model"
    monkeypatch.setattr("sys.argv", ["export", str(checkpoint), "--out", str(out), "--version", "0.0.0"])
    export.main()
    manifest = json.loads((out / "manifest.json").read_text())
    for part in ("matcher", "graph", "decoder", "heads"):
        data = (out / manifest[part]["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == manifest[part]["sha256"]
    weights = torch.load(out / "weights.pt", weights_only=True)["ema"]
    again = OctreeStereoNet()
    again.load_state_dict(weights)
    assert all(torch.allclose(a, b, atol=1e-3) for a, b in zip(again.parameters(), net.parameters()))
    assert manifest["keep"] == [0.2, 0.1, 0.05]
    assert (out / "heads.bin").stat().st_size == 4 * (LEVELS + 1) * (24 * 32 + 33 * 32 + 33 * 4)


def test_disagreement_is_noticed(tmp_path: Path) -> None:
    torch.manual_seed(2)
    net = OctreeStereoNet().eval()
    path = tmp_path / "model.onnx"
    graph = export.write_graph(net, path)
    inputs = export.sample_inputs(320, 192)
    assert export.disagreement(graph, path, inputs) < 1e-3
    with torch.no_grad():
        net.backbone.head.bias.add_(0.5)
    assert export.disagreement(graph, path, inputs) > 1e-3
