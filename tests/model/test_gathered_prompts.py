"""Prompts of one slice, joined as SAM 2 takes them."""

from __future__ import annotations

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt
from voxtrail.errors import PromptError
from voxtrail.model.gathered_prompts import GatheredPrompts

MASK = MaskPrompt(1, Axis.AXIAL, 3, np.eye(4, dtype=bool))
BOX = BoxPrompt(1, Axis.AXIAL, 3, (1.0, 2.0, 3.0, 4.0))
CLICKS = PointPrompt(1, Axis.AXIAL, 3, ((5.0, 6.0), (7.0, 8.0)), (True, False))
MORE = PointPrompt(1, Axis.AXIAL, 3, ((9.0, 9.0),), (False,))


def test_corners_come_before_clicks_and_clicks_keep_their_order() -> None:
    found = GatheredPrompts.of([CLICKS, MORE, BOX, MASK])
    assert found.points_xy == ((1, 2), (3, 4), (5, 6), (7, 8), (9, 9))
    assert found.labels == (2, 3, 1, 0, 0)
    assert found.mask is MASK.mask


@pytest.mark.parametrize("prompts", [[], [MASK, MASK], [BOX, CLICKS, BOX]])
def test_what_cannot_stand_together_is_refused(prompts: list) -> None:
    with pytest.raises(PromptError, match="at most one mask, at most one box"):
        GatheredPrompts.of(prompts)
