"""The annotator of the experiment `suggestion`."""

from __future__ import annotations

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.session import Config, Session
from voxtrail.study.settings import Settings
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.suggest_outlines import SuggestOutlines, annotate

RULES = ("expected-gain", "largest-gap", "lowest-iou", "uniform", "random", "oracle")


@pytest.fixture
def context(data, nano) -> TaskContext:
    return TaskContext(Settings(data, model=str(nano), device="cpu", margin_mm=4.0))


@pytest.fixture
def target(context, manifest):
    """Return the structure on most slices."""
    return context.open(max(manifest.structures, key=lambda item: item.axial_slices))


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_outlines_as_many_slices_as_were_asked_for(rule, target, context) -> None:
    found = SuggestOutlines(rule, outlines=5).run(target, context)
    assert found.prompts == 5
    assert 0 <= found.scores["dice"] <= 1
    again = SuggestOutlines(rule, outlines=5).run(target, context)
    assert again.scores == found.scores


def test_outlines_are_added_one_by_one_and_are_true(target, context) -> None:
    loaded = context.model(None, None)
    session = Session(target.volume, Config(model=loaded.name, quality=False), model=loaded)
    counts = []
    for _ in annotate(session, target, "largest-gap", "first-middle-last", 6):
        counts.append(len(session.prompts.prompts))
    assert counts == [3, 4, 5, 6]
    truth = Axis.AXIAL.to_stack(target.truth.voxels > 0)
    for prompt in session.prompts.prompts:
        np.testing.assert_array_equal(prompt.mask, truth[prompt.slice_index])


def test_from_one_outline_both_suggested_ends_are_drawn_at_once(target, context) -> None:
    loaded = context.model(None, None)
    session = Session(target.volume, Config(model=loaded.name, quality=False), model=loaded)
    counts = [
        len(session.prompts.prompts)
        for _ in annotate(session, target, "expected-gain", "middle", 4)
    ]
    assert counts[0] == 1
    assert counts == sorted(counts)
    assert max(counts) <= 4
