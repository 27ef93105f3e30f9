"""What the right eye does not see, on a board before a wall."""

import numpy as np
import pytest
import torch

from voxeltrain.hidden import DisparityScores, hidden_from_right

WALL, BOARD, LEFT, RIGHT = 8.0, 20.0, 40, 56


def board_before_wall() -> np.ndarray:
    disparity = np.full((16, 96), WALL, np.float32)
    disparity[:, LEFT:RIGHT] = BOARD
    return disparity


def test_hidden_is_the_rim_and_the_wall_left_of_the_board() -> None:
    hidden = hidden_from_right(board_before_wall())[3]
    assert np.flatnonzero(hidden).tolist() == [*range(int(WALL)), *range(LEFT - int(BOARD - WALL) + 1, LEFT)]  # the one on the rim counts as seen


def test_a_slanted_surface_hides_nothing_of_itself() -> None:
    slanted = np.tile(np.linspace(4, 24, 96, dtype=np.float32), (4, 1))
    assert not hidden_from_right(slanted)[:, 24:].any()


def test_wrong_cells_count_where_they_are() -> None:
    truth, scores = board_before_wall(), DisparityScores()
    cells = torch.from_numpy(truth[1::4, 1::4].copy())[None, None]
    cells[..., LEFT // 4 - 1] = BOARD  # the foreground, where it hides the wall
    cells[..., 20] += 2.9  # not yet wrong
    cells[..., 21] -= 3.1
    half, one = torch.full_like(cells, 0.6), torch.ones_like(cells)
    scores.add({"w": half, "m1": cells, "m2": cells * 0, "s1": one, "s2": one}, truth)
    assert scores.means() == {"bad3": pytest.approx(8 / 96), "bad3_hidden": pytest.approx(4 / 20), "bad3_seen": pytest.approx(4 / 76)}
    scores.add({"w": half, "m1": cells * 0, "m2": cells, "s1": 2 * one, "s2": one}, truth)
    assert scores.means()["bad3"] == pytest.approx(8 / 96)
