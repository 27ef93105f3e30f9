"""Training on a made-up shard: it writes a checkpoint, goes on from it, and its weights can be loaded."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from voxeltrain import quantise, soup, train
from voxeltrain.evaluate import load_network, load_ranges


def write_shard(folder: Path, pairs: int = 4, height: int = 64, width: int = 128) -> None:
    g = np.random.default_rng(0)
    left = g.integers(0, 255, (pairs, height, width, 3), np.uint8)
    folder.mkdir()
    np.savez(
        folder / "made-up.npz",
        left=left,
        right=np.roll(left, -8, 2),
        depth=np.full((pairs, height, width), 5.0, np.float16),
        labels=g.integers(0, 4, (pairs, 65536)).astype(np.int8),
        calibration=np.tile(np.array([100, 100, 64, 32, 0.4], np.float32), (pairs, 1)),
        kind=np.array(["noise"] * pairs),
    )


def run(monkeypatch, folder: Path, steps: int, *more: str, name: str = "run") -> dict:
    arguments = ["train", "--run", str(folder / name), "--shards", str(folder / "shards"), "--steps", str(steps), "--batch", "2"]
    monkeypatch.setattr("sys.argv", [*arguments, *more])
    train.main()
    return torch.load(folder / name / "checkpoint.pt", weights_only=True)


def test_training_resumes_where_it_stopped(tmp_path: Path, monkeypatch, capsys) -> None:
    write_shard(tmp_path / "shards")
    monkeypatch.setattr(train, "REPORT_EVERY", 1)
    first = run(monkeypatch, tmp_path, 2)
    assert not capsys.readouterr().err
    second = run(monkeypatch, tmp_path, 3)
    assert "{'steps': (2, 3)}" in capsys.readouterr().err, "another end of the cosine is said"
    assert (first["state"]["step"], second["state"]["step"], second["state"]["pairs"]) == (2, 3, 6)
    assert second["state"]["seconds"] > first["state"]["seconds"]
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert all(np.isfinite(line["likelihood"]) for line in lines)
    # One step from the second: near it, and not the same.
    distance = sum(float((a - b).abs().sum()) for a, b in zip(first["net"].values(), second["net"].values()))
    fresh = train.OctreeStereoNet().state_dict()
    afresh = sum(float((a - b).abs().sum()) for a, b in zip(first["net"].values(), fresh.values()))
    assert 0 < distance < afresh / 5
    assert load_network(tmp_path / "run" / "checkpoint.pt").training is False


def test_a_new_run_begins_with_the_weights_that_it_is_given(tmp_path: Path, monkeypatch) -> None:
    write_shard(tmp_path / "shards")
    torch.manual_seed(5)
    given = train.OctreeStereoNet()
    torch.save({"ema": given.half().state_dict()}, tmp_path / "weights.pt")
    begun = run(monkeypatch, tmp_path, 1, "--start", str(tmp_path / "weights.pt"), name="begun")
    apart = sum(float((a - b.float()).abs().sum()) for a, b in zip(begun["net"].values(), given.state_dict().values()))
    elsewhere = sum(float((a - b).abs().sum()) for a, b in zip(begun["net"].values(), train.OctreeStereoNet().state_dict().values()))
    assert 0 < apart < elsewhere / 5


def test_the_last_phase_trains_through_the_rounding(tmp_path: Path, monkeypatch) -> None:
    write_shard(tmp_path / "shards")
    start = run(monkeypatch, tmp_path, 1)
    monkeypatch.setattr(train, "ranges_of", lambda net, shards: quantise.ranges_of(net, shards, 2))
    last = run(monkeypatch, tmp_path, 2, "--rounded", "--start", str(tmp_path / "run/checkpoint.pt"), name="last")
    assert "ranges" not in start and "stem" in last["ranges"]
    changed = {k for k, v in last["ema"].items() if not torch.equal(v, start["ema"][k])}
    assert "backbone.res8.a.0.weight" in changed and not any("running" in k for k in changed)
    assert load_ranges(tmp_path / "last/checkpoint.pt") == last["ranges"]
    again = run(monkeypatch, tmp_path, 3, "--rounded", name="last")
    assert again["ranges"] == last["ranges"]


def test_a_soup_is_the_mean_of_its_networks(tmp_path: Path, monkeypatch) -> None:
    one, two = train.OctreeStereoNet().half(), train.OctreeStereoNet()
    two.backbone.stem2.depthwise[1].num_batches_tracked += 7
    for name, net in (("one", one), ("two", two)):
        torch.save({"ema": net.state_dict()}, tmp_path / f"{name}.pt")
    monkeypatch.setattr("sys.argv", ["soup", str(tmp_path / "one.pt"), str(tmp_path / "two.pt"), "--shares", "0.25", "0.75", "--out", str(tmp_path / "mean.pt")])
    soup.main()
    mean = load_network(tmp_path / "mean.pt").state_dict()
    for name, value in mean.items():
        a, b = (net.state_dict()[name].float() for net in (one, two))
        assert torch.allclose(value.float(), 0.25 * a + 0.75 * b if value.dtype.is_floating_point else torch.maximum(a, b), atol=1e-6), name
    with pytest.raises(ValueError, match="add up to 1"):
        soup.soup([one.state_dict(), two.state_dict()], [0.5, 0.6])
