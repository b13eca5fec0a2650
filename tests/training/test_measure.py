"""Dice by distance beside copying: counted by distance, copies moved with the window."""

from __future__ import annotations

import pytest
import torch

from training.architecture import Architecture, new_model
from training.measure import FARTHEST, Scores, _copied, held_out, own_table, scores_of, table
from training.scenes.arrange import SceneKind
from training.scenes.stack import StackBatch

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


def test_scores_are_means_by_distance_and_far_ones_are_joined() -> None:
    scores = Scores()
    scores.add(1, torch.tensor([0.5, 1.0]), torch.tensor([0.0, 0.5]))
    scores.add(FARTHEST + 3, torch.tensor([0.0]), torch.tensor([0.0]))
    scores.add_own(
        torch.tensor([0.5, 1.0]), torch.ones(2, 10, 10) * torch.tensor([[[0.01]], [[0.5]]])
    )
    assert scores.at(0) == (0.75, 1.0)
    assert scores.own == {0.02: [0.5], 1.0: [1.0]}
    twice = Scores()
    twice.join(scores)
    twice.join(scores)
    assert twice.at(1) == scores.at(1) == (0.75, 0.25)
    assert twice.own[0.02] == [0.5, 0.5]
    assert scores.at(FARTHEST) == (0.0, 0.0)
    assert scores.mean() == (pytest.approx(0.5), pytest.approx(1 / 6))


def test_a_copy_lies_where_the_outline_lies_in_the_scan() -> None:
    outline = torch.zeros(1, 1, 8, 8, dtype=torch.bool)
    outline[0, 0, 2, 3] = True
    start = torch.tensor([[[10, 10], [11, 8]]])  # the window went down by one and left by two
    empty = torch.zeros(1, 2, 8, 8)
    batch = StackBatch(empty, empty, outline, start, torch.tensor([[8, 8]]))
    assert _copied(batch, 0, 0, 1).nonzero().tolist() == [[0, 1, 5]]


def test_nine_outlines_leave_no_slice_farther_than_one() -> None:
    batch, settings = held_out(9, 32, 1, SceneKind(), largest=24)
    assert settings.outlined == (0, 3, 6, 9, 12, 15, 18, 21, 24)
    assert batch.image.shape == (1, 25, 32, 32)


def test_a_model_is_scored_by_preset_and_budget() -> None:
    model = new_model(Architecture(width=16, blocks=(1, 1, 2, 1), channels=64), 64, 0).eval()
    found = scores_of(model, ["is+sps"], budgets=(9,), stacks=1)
    assert list(found) == [("is+sps", 9)]
    assert 0 <= found["is+sps", 9].mean()[0] <= 1
    assert "| is+sps, 9 |" in table(found)
    assert "| is+sps, 9 |" in own_table(found)
