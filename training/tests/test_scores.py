"""Scores of made-up answers against figures worked out by hand."""

import pytest
import torch

from voxeltrain.labels import FREE, OCCUPIED, OUT, SHAPE, UNKNOWN
from voxeltrain.losses import label_pyramid
from voxeltrain.scores import Scores, chamfer_m


def made_up() -> torch.Tensor:
    """Leaf labels: a slab in view, all free but three occupied leaves and one unknown."""
    leaf = torch.full(SHAPE, OUT, dtype=torch.int8)
    leaf[:, :8] = FREE
    leaf[10, 2, 20] = leaf[11, 2, 20] = leaf[40, 4, 40] = OCCUPIED
    leaf[12, 2, 20] = UNKNOWN
    return leaf.view(-1)


def test_the_truth_scores_perfectly() -> None:
    labels = label_pyramid(made_up())
    scores = Scores()
    scores.add(labels, [level == OCCUPIED for level in labels], labels[-1] == FREE)
    assert scores.means() == {
        "iou0": 1, "iou1": 1, "iou2": 1, "iou3": 1, "missed": 0, "free_violation": 0, "chamfer_m": 0, "chamfer_pairs": 1, "pairs": 1,
    }  # fmt: skip


def test_a_miss_a_phantom_and_one_out_of_view() -> None:
    labels = label_pyramid(made_up())
    says = [level == OCCUPIED for level in labels]
    grid = says[-1].view(SHAPE)
    grid[40, 4, 40], grid[40, 4, 42] = False, True  # 1 m beside it, in a free leaf
    grid[0, 12, 0] = True  # out of view: does not count
    scores = Scores()
    scores.add(labels, says, ~says[-1])
    means = scores.means()
    assert means["iou3"] == pytest.approx(2 / 4) and means["iou0"] == 1
    assert means["missed"] == pytest.approx(1 / 3)
    assert means["free_violation"] == pytest.approx(1 / int((labels[-1] == FREE).sum()))
    assert means["chamfer_m"] == pytest.approx(1 / 3)
    scores.add(labels, [torch.zeros_like(level, dtype=torch.bool) for level in labels], torch.zeros_like(says[-1]))
    assert scores.means()["missed"] == pytest.approx(1 / 6)  # unknown is not a miss
    assert (scores.means()["chamfer_pairs"], scores.means()["pairs"]) == (1, 2)


def test_chamfer_is_in_metres_and_the_same_both_ways() -> None:
    one, two = torch.zeros(SHAPE, dtype=torch.bool), torch.zeros(SHAPE, dtype=torch.bool)
    one[0, 0, 0] = two[3, 0, 4] = True
    assert chamfer_m(one.view(-1), two.view(-1)) == chamfer_m(two.view(-1), one.view(-1)) == [pytest.approx(2.5)]
    assert chamfer_m(one.view(-1), torch.zeros(65536, dtype=torch.bool)) == []
