import pytest

from voxeltrain.coco_ap import score


def line(name, *detections, width=100, height=50):
    found = [{"class_id": kind, "score": s, "box": box} for kind, s, box in detections]
    return {"image": f"somewhere/{name}.jpg", "width": width, "height": height, "detections": found}


@pytest.fixture
def labels(tmp_path):
    # Class 3: left 10, top 10, right 50, bottom 30 of 100 x 50. Class 7: the upper left quarter.
    (tmp_path / "a.txt").write_text("3 0.3 0.4 0.4 0.4\n7 0.25 0.25 0.5 0.5\n")
    (tmp_path / "empty.txt").write_text("")
    return tmp_path


def test_what_is_found_exactly_scores_one(labels):
    right = line("a", (3, 0.5, [10, 10, 50, 30]), (7, 0.6, [0, 0, 50, 25]))
    figures = score([right, line("empty")], labels)
    assert figures["ap"] == pytest.approx(1)
    assert figures["ar100"] == pytest.approx(1)


def test_overlap_of_three_quarters_counts_up_to_that_threshold(labels):
    # 30 of 40 pixels of width: IoU 0.75, so the thresholds 0.50 to 0.75 of 0.50 to 0.95; class 7 is missed.
    figures = score([line("a", (3, 0.5, [10, 10, 40, 30]))], labels)
    assert figures["ap50"] == pytest.approx(0.5)
    assert figures["ap"] == pytest.approx(0.5 * 6 / 10)


def test_a_better_score_elsewhere_halves_precision(labels):
    wrong_first = line("empty", (3, 0.9, [0, 0, 20, 20]))
    right = line("a", (3, 0.5, [10, 10, 50, 30]), (7, 0.6, [0, 0, 50, 25]))
    assert score([wrong_first, right], labels)["ap"] == pytest.approx((0.5 + 1) / 2)


def test_nothing_found_or_another_class_scores_nothing(labels):
    assert score([line("a")], labels)["ap"] == 0
    assert score([line("a", (4, 0.9, [10, 10, 50, 30]))], labels)["ap"] == 0


def test_bad_input_is_named(labels):
    (labels / "bad.txt").write_text("3 0.3 0.4\n")
    with pytest.raises(ValueError, match="bad.txt, line 1: 3 fields, wanted class cx cy w h"):
        score([line("bad")], labels)
    with pytest.raises(FileNotFoundError):
        score([line("unlabelled")], labels)
    with pytest.raises(ValueError, match="torn.jpg: it is cut off"):
        score([{"image": "torn.jpg", "error": {"message": "it is cut off"}}], labels)
