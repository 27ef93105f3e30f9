"""Pair folders, pictures and cards from made-up shards and evaluations."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from voxeltrain import card, measure, pairs, plots
from voxeltrain.augment import augment_pair, grey
from voxeltrain.labels import FREE, OCCUPIED, OUT, VOXEL
from voxeltrain.flying import flying, is_dense, without
from voxeltrain.layers import violations

CALIBRATION = np.array([100, 100, 64, 32, 0.4], np.float32)


def write_shards(folder: Path, tags: dict[str, str]) -> dict[str, np.ndarray]:
    """Two shards of two pairs; all arrays of both, one after the other."""
    g = np.random.default_rng(0)
    left = g.integers(0, 255, (4, 64, 128, 3), np.uint8)
    depth = np.full((4, 64, 128), 5.0, np.float16)
    depth[:, :20] = 6e4
    labels = g.integers(0, 4, (4, 65536)).astype(np.int8)
    shard = {"left": left, "right": np.roll(left, -8, 2), "depth": depth, "labels": labels, "calibration": np.tile(CALIBRATION, (4, 1))}
    shard |= {tag: np.array([value] * 4) for tag, value in tags.items()}
    folder.mkdir()
    for i in range(2):
        np.savez(folder / f"s{i}.npz", **{k: v[2 * i : 2 * i + 2] for k, v in shard.items()})
    return shard


def test_pair_folders_hold_what_torch_is_scored_on(tmp_path: Path) -> None:
    shard = write_shards(tmp_path / "shards", {"kind": "street", "lighting": "night"})
    assert pairs.write_pairs(tmp_path / "shards", tmp_path / "out", 3) == 3
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["00000", "00001", "00002"]
    third = tmp_path / "out" / "00002"
    images = augment_pair(grey(shard["left"][2]), grey(shard["right"][2]), np.random.default_rng(2))
    for eye, image in zip(("left", "right"), images):
        np.testing.assert_array_equal(cv2.imread(str(third / f"{eye}.png"), cv2.IMREAD_UNCHANGED), image)
    calibration = json.loads((third / "calib.json").read_text())
    assert (calibration["width"], calibration["height"], calibration["kind"], calibration["lighting"]) == (128, 64, "street", "night")
    assert "rig" not in calibration
    disparity = np.load(third / "gt_disparity.npz")["disparity"]
    assert np.isnan(disparity[:20]).all()
    np.testing.assert_allclose(disparity[20:], 100 * 0.4 / 5, rtol=1e-6)
    truth = np.load(third / "gt_labels.npz")
    np.testing.assert_array_equal(truth["labels"].ravel(), shard["labels"][2])
    assert truth["labels"].dtype == np.uint8 and truth["voxel_size_m"] == [VOXEL]


def test_voxels_are_read_as_they_were_written(tmp_path: Path) -> None:
    file = tmp_path / "v.csv"
    file.write_text("x,y,z,size_m,state,p_occupied\n-14,-4,2,4,free,0.01\n0.25,-0.25,10.75,0.5,occupied,0.9\n")
    grid = plots.read_voxels(file)
    assert (grid[:8, :8, :8] == FREE).all() and (grid == FREE).sum() == 512
    assert grid[32, 11, 21] == OCCUPIED and (grid == OCCUPIED).sum() == 1
    top = plots.seen_from_above(grid)
    assert top[64 - 1 - 21, 32] == OCCUPIED and top[-1, 0] == FREE and top[0, 0] == OUT


def evaluation(folder: Path) -> dict:
    """As `voxelguard eval stereo --json --voxels` writes it, of the pairs in a folder; figures without meaning."""
    score = {k: 0.5 for k in ("iou_15m", "iou_32m", "iou_ray_15m", "iou_ray_32m", "recall", "precision", "free_violation", "missed", "calibration_error")}
    score["levels"] = [{"iou_15m": 0.6, "iou_32m": 0.5, "head_iou": 0.4, "head_calibration_error": 0.1 * level} for level in range(4)]
    bins = [{"count": 10 * (i + 1), "mean_p": i / 10 + 0.05, "occupied": i / 12} for i in range(10)]
    group = {"pairs": 3, "score": score, "leaves_evaluated": 0.1, "disparity": {"bad_1": 0.2, "bad_3": 0.1, "mean_px": 1.0}}
    paths = sorted(folder.iterdir())
    for path in paths:
        (folder.parent / f"{path.name}.csv").write_text("x,y,z,size_m,state,p_occupied\n0.25,-0.25,10.75,0.5,occupied,0.9\n")
    entries = [
        {"pair": p.name, "path": str(p), "tags": {"kind": "street"}, "truth": "labels", "voxels": str(folder.parent / f"{p.name}.csv"), "score": {"iou_ray_32m": 0.1 * i}}
        for i, p in enumerate(paths)
    ]
    ranges = [{"from": 16 * i, "to": 16 * i + 16, "iou": 0.5, **{k: v for k, v in score.items() if k != "levels"}, "iou_ray": 0.5} for i in range(4)]
    groups = {"kind": {"street": group}, "lighting": {}, "rig": {}}
    return {"pairs": entries, "all": group, "ranges": ranges, "reliability": {"voxels": bins, "levels": [bins] * 4}, "groups": groups}


def test_pictures_are_drawn_and_small(tmp_path: Path) -> None:
    write_shards(tmp_path / "shards", {"kind": "street"})
    pairs.write_pairs(tmp_path / "shards", tmp_path / "pairs", 3)
    log = tmp_path / "log.jsonl"
    log.write_text("".join(json.dumps({"step": i, "seconds": 60 * i, "median_px": 3 / i, "bad3": 0.5 / i}) + "\n" for i in (1, 2, 3)))
    ours = evaluation(tmp_path / "pairs")
    drawn = plots.draw({"this model": ours, "SGBM": ours}, log, tmp_path / "images")
    assert [p.name for p in drawn] == ["reliability.png", "iou.png", "worst.png", "learning.png"]
    for path in drawn:
        image = np.asarray(Image.open(path).convert("RGB"))
        assert path.stat().st_size < 150_000 and min(image.shape[:2]) > 200 and image.std() > 5
    without = {**ours, "pairs": [{**p, "truth": "disparity"} for p in ours["pairs"]]}
    assert plots.worst(without, tmp_path / "none.png") is None and not (tmp_path / "none.png").exists()


def test_card_leaves_out_what_was_not_measured(tmp_path: Path, monkeypatch) -> None:
    write_shards(tmp_path / "shards", {"kind": "street"})
    pairs.write_pairs(tmp_path / "shards", tmp_path / "pairs", 3)
    model, work = tmp_path / "model", tmp_path / "work"
    for folder in (model, work):
        folder.mkdir()
    (model / "manifest.json").write_text(json.dumps({"name": "m", "version": "9.9.9"}))
    for name in ("rendered.json", "rendered_sgbm.json"):
        (work / name).write_text(json.dumps(evaluation(tmp_path / "pairs")))
    (work / "sequence.json").write_text(json.dumps({"frames": 5, "range_m": 15, "voxel_size_m": 0.5, **{k: {"seen_again": 7, "occupied": 0.75, "free": 0.2, "free_alone": 0.0625, "unknown": 0.05} for k in ("next", "later")}}))
    monkeypatch.setattr(card, "measure", lambda a: None)
    monkeypatch.setattr("sys.argv", ["card", str(model), "--test", "x", "--work", str(work), "--images", str(tmp_path / "images"), "--limit", "It is made up."])
    card.main()
    text = (model / "card.md").read_text()
    assert text.startswith("# m 9.9.9\n") and "- It is made up." in text
    headings = [line for line in text.splitlines() if line.startswith("## ")]
    assert headings == ["## Rendered test pairs", "## Agreement along a drive", "## Pictures", "## Limits"]
    assert "| next frame | 7 | 75.0 % | 20.0 % | 6.2 % | 5.0 % |" in text
    assert "](../images/worst.png)" in text and "learning.png" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(row.count("|") == rows[i - 1].count("|") for i, row in enumerate(rows) if row.startswith("| ---"))


def test_sgbm_finds_a_shift_everywhere(tmp_path: Path) -> None:
    wide = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (80, 240, 3), np.uint8), (0, 0), 1)
    for eye, image in (("left", wide[:, :200]), ("right", wide[:, 12:212])):
        cv2.imwrite(str(tmp_path / f"{eye}.png"), image)
    truth = np.full((80, 200), 12.0, np.float32)
    found = measure.sgbm_disparity(tmp_path, truth)
    assert found.shape == truth.shape and np.isfinite(found).all()
    assert (np.abs(found - truth) > 1).mean() < 0.02


@pytest.mark.skipif(not measure.JUDGE.exists(), reason=f"no judge: {measure.JUDGE} is missing")
def test_layers_count_what_stands_in_the_way_of_rays(tmp_path: Path) -> None:
    y, x = (v.ravel() for v in np.mgrid[-1:1:0.1, -2:2:0.1])
    np.savez(tmp_path / "lidar.npz", points=np.stack([x, y, np.full_like(x, 10.2)], 1))
    (tmp_path / "calib.json").write_text(json.dumps({"fx": 400, "fy": 400, "cx": 320, "cy": 240, "width": 640, "height": 480, "baseline_m": 0.1}))
    answer = tmp_path / "voxels.csv"
    rows = [(0.25, -0.25, 5.25), (0.25, 0.25, 10.25), (-9.75, 0.25, 30.25)]  # in the way; the wall itself; beside all rays
    answer.write_text("x,y,z,size_m,state,p_occupied\n" + "".join(f"{x},{y},{z},0.5,occupied,0.9\n" for x, y, z in rows))
    layers = {layer["from_m"]: layer for layer in violations(tmp_path, answer, 0.5)}
    assert [layers[y]["violations"] for y in (-1.0, -0.5, 0.0, 0.5)] == [0, 1, 0, 0]
    assert layers[-0.5]["truth"] == 8 and layers[-0.5]["free"] > 40
    assert [layers[y]["found"] for y in (-0.5, 0.0)] == [0, 1]
    assert sum(layer["truth"] for layer in layers.values()) == 32


def test_flying_pixels_hang_between_two_surfaces() -> None:
    disparity = np.full((12, 20), 8.0, np.float32)
    disparity[:, 10:] = 20.0
    disparity[6:, 10:] += np.arange(10, dtype=np.float32) * 0.9  # a slant is a surface
    assert not flying(disparity).any()
    disparity[:3, 10] = 13.0  # between both sides
    disparity[8, 4], disparity[9, 5] = 3.0, np.nan  # alone; not known
    assert np.argwhere(flying(disparity)).tolist() == [[0, 10], [1, 10], [2, 10], [8, 4]]


@pytest.mark.skipif(not measure.JUDGE.exists(), reason=f"no judge: {measure.JUDGE} is missing")
def test_voxels_of_flying_pixels_alone_are_taken_out_of_the_truth(tmp_path: Path) -> None:
    calibration = {"fx": 40, "fy": 40, "cx": 31.5, "cy": 15.5, "width": 64, "height": 32, "baseline_m": 1.0}
    (tmp_path / "calib.json").write_text(json.dumps(calibration))
    disparity = np.full((32, 64), 40 / 10.2, np.float32)  # a wall at 10.2 m
    disparity[:, :32] = 40 / 3.2  # one before it at 3.2 m
    disparity[4:28, 32] = 40 / 6.2  # and what hangs between them
    np.savez(tmp_path / "gt_disparity.npz", disparity=disparity)
    answer = tmp_path / "voxels.csv"
    rows = [(0.25, y, 6.25, "occupied") for y in (-0.25, 0.25)] + [(0.25, y, 6.25, "free") for y in (-0.75, 0.75)] + [(0.75, 0.25, 10.25, "occupied")]
    answer.write_text("x,y,z,size_m,state,p_occupied\n" + "".join(f"{x},{y},{z},0.5,{state},0.5\n" for x, y, z, state in rows))
    assert is_dense(tmp_path)
    said = without(tmp_path, answer, 0.5)
    assert said["flying"] == 24 and said["voxels"] - said["only_flying"] == said["without"]["gt_occupied"] and said["with"]["gt_occupied"] == said["voxels"]
    assert (said["called_occupied"], said["called_free"]) == (2, 2) and said["only_flying"] > 4
    assert said["without"]["missed"] == 0 < said["with"]["missed"]
    disparity[:, ::2] = np.nan
    np.savez(tmp_path / "gt_disparity.npz", disparity=disparity)
    assert not is_dense(tmp_path)
