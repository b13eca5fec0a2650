"""Which slice to outline next, with answers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.errors import OptionError, PromptError
from voxtrail.evaluate import simulate
from voxtrail.session import Config, Session
from voxtrail.session.suggestions import SUGGESTION_RULES, Known


def known(outlined, confidence, area=None, iou=None, spacing=1.0):
    count = len(confidence)
    return Known(
        tuple(outlined),
        np.ones(count) if area is None else np.array(area, dtype=float),
        np.array(confidence, dtype=float),
        np.full(count, np.nan) if iou is None else np.array(iou, dtype=float),
        spacing,
    )


@pytest.mark.parametrize("name", SUGGESTION_RULES.members())
def test_outlined_slices_and_what_is_all_outlined_gain_nothing(name):
    rule = SUGGESTION_RULES.parse(name)
    line = known([0, 3, 6], [1, 0.5, 0.5, 1, 0.5, 0.5, 1], iou=[np.nan] + [0.5] * 5 + [np.nan])
    scores = rule.scores(line)
    assert (scores.shape, scores.dtype) == ((7,), np.float64)
    assert (scores >= 0).all()
    assert not scores[[0, 3, 6]].any()
    assert (scores[[1, 2, 4, 5]] > 0).all()
    assert not rule.scores(known(range(7), [1] * 7)).any()


def test_the_largest_gap_is_measured_in_millimetres():
    rule = SUGGESTION_RULES.parse("largest-gap")
    np.testing.assert_array_equal(
        rule.scores(known([0, 4, 6], [1] * 7, spacing=2.5)), [0, 2.5, 5, 2.5, 0, 2.5, 0]
    )


def test_the_lowest_iou_counts_only_where_there_is_one():
    rule = SUGGESTION_RULES.parse("lowest-iou")
    scores = rule.scores(known([0, 4], [1] * 5, iou=[np.nan, 0.75, 0.5, 1.25, 0.1]))
    np.testing.assert_allclose(scores, [0, 0.25, 0.5, 0, 0])


def test_the_expected_gain_is_what_an_outline_brings_nearer():
    # Slices 1, 2, 3 lie 1, 2, 1 from an outline; 2 mm² x 0.5 are wrong on each, 3 mm apart: 3 mm³.
    rule = SUGGESTION_RULES.parse("expected-gain")
    line = known([0, 4], [1, 0.5, 0.5, 0.5, 1], area=[2] * 5, spacing=3.0)
    # On 1: all of 1, half of 2's way. On 2: all of 2; 1 and 3 are as near to one as before.
    np.testing.assert_allclose(rule.scores(line), [0, 4.5, 3, 4.5, 0])


def test_what_is_surely_right_gains_little_and_what_is_small_as_well():
    rule = SUGGESTION_RULES.parse("expected-gain")
    line = known([0, 4, 8], [1, 0.9, 0.9, 0.9, 1, 0.4, 0.4, 0.4, 1])
    assert rule.scores(line).argmax() in (5, 7)
    small = replace(line, area_mm2=np.array([1.0] * 5 + [0.1] * 4))
    assert rule.scores(small).argmax() in (1, 3)
    by_area = SUGGESTION_RULES.parse("expected-gain:weight=area")
    np.testing.assert_allclose(by_area.scores(line)[[1, 2, 3]], by_area.scores(line)[[5, 6, 7]])


def test_an_option_out_of_range():
    with pytest.raises(OptionError, match="least"):
        SUGGESTION_RULES.parse("expected-gain:least=2")


@pytest.fixture
def session(scan, truth, bright):
    """Return the session of one bright block, axial slices 1 to 7 of 9."""
    voxels = np.where(truth.voxels == 1, 1000, -1000).astype(np.int16)
    return Session(replace(scan, voxels=voxels), Config(), model=bright)


def test_nothing_is_suggested_before_something_was_propagated(session, truth):
    session.load(simulate(truth, labels=[1]))
    with pytest.raises(PromptError, match="propagated"):
        session.suggest()


def test_each_suggestion_counts_those_before_it_as_drawn(session, truth):
    session.load(simulate(truth, "first-last", labels=[1]))
    session.run()
    found = session.suggest(9, "largest-gap")
    # Slices 1 and 7 are outlined: the middle, then the middles of what is left, then nothing.
    assert [one.slice_index for one in found] == [4, 2, 3, 5, 6]
    millimetres = truth.grid.spacing_mm[2]
    assert found[0].score == pytest.approx(3 * millimetres)
    for one, away in zip(found, (3, 1, 2, 2, 1), strict=True):  # slices from 1 or 7
        assert f"{away * millimetres:.0f} mm from the nearest outline" in one.reason
    assert [one.slice_index for one in session.suggest(1, "largest-gap")] == [4]
    said = found[0].to_json(truth.stored)
    frame = SliceFrame.of(truth.stored, Axis.AXIAL)
    assert said["slice"] == frame.slice_number(4)
    assert (said["label"], said["name"], said["axis"]) == (1, "femur", "axial")


def test_of_a_single_outline_the_ends_come_first(session, truth):
    session.load(simulate(truth, "middle", labels=[1]))
    session.run()
    found = session.suggest(3)
    assert {one.slice_index for one in found[:2]} == {1, 7}
    assert all("only outline" in one.reason for one in found[:2])
    assert found[2].slice_index in (2, 3, 5, 6)


def test_labels_and_axes_are_weighed_against_one_another(scan, truth, bright):
    axes = (Axis.AXIAL, Axis.CORONAL)
    session = Session(scan, Config(axes=("axial", "coronal")), model=bright)
    session.load(simulate(truth, "first-last", axes))
    session.run()
    found = session.suggest(50)
    assert {(one.label, one.axis) for one in found} == {(n, a) for n in (1, 2, 3) for a in axes}
    assert len({(one.label, one.axis, one.slice_index) for one in found}) == len(found)


def test_what_was_outlined_since_is_not_suggested_again(session, truth):
    session.load(simulate(truth, "first-last", labels=[1]))
    session.run()
    (first,) = session.suggest(1, "largest-gap")
    prompts = simulate(truth, "uniform:7", labels=[1]).prompts
    session.add(next(one for one in prompts if one.slice_index == first.slice_index))
    assert first.slice_index not in {one.slice_index for one in session.suggest(9)}
