"""What interactions do to the object that a client segments."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import voxtrail as vt
from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.errors import PromptError
from voxtrail.serve.remote import meaning
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import Painted, painted, slice_box
from voxtrail.serve.remote.moments import MAX_UNDO
from voxtrail.session import Cache, Config

#: What finds bright voxels is shown whole slices: nothing grows, nothing is fused with shapes.
CONFIG = Config(preset="is+sps", crop="none")


@pytest.fixture
def annotation(array, frame, bright) -> Annotation:
    return Annotation(frame.volume(array), frame, CONFIG, bright, Cache())


def lasso(frame: ArrayFrame, mask: np.ndarray, along: int, index: int) -> Painted:
    """Return the outline of a mask (z, y, x) on a slice of one of its axes."""
    only = np.zeros_like(mask)
    at = [slice(None)] * 3
    at[along] = slice(index, index + 1)
    only[tuple(at)] = mask[tuple(at)]
    (one,) = painted(only, (0, 0, 0), frame)
    return one


def run(annotation: Annotation) -> np.ndarray:
    for _ in annotation.propagating():
        pass
    return annotation.frame.to_array(annotation.shown)


def shown(annotation: Annotation) -> np.ndarray:
    return annotation.frame.to_array(annotation.shown)


def test_an_interaction_shows_its_slice_and_tells_of_it_once(annotation, frame, truth):
    annotation.outline(lasso(frame, truth, 0, 5), positive=True)
    annotation.show_drawn()
    box, voxels = annotation.changed()
    assert (box.start[0], box.stop[0]) == (5, 6)
    there = np.zeros_like(truth)
    there[box.slices] = voxels
    expected = np.zeros_like(truth)
    expected[5] = truth[5]
    np.testing.assert_array_equal(there, expected)
    assert annotation.changed() is None
    annotation.forget_told()
    assert annotation.changed()[0] == box


@pytest.mark.parametrize("along", [0, 1, 2])
def test_outlines_propagate_as_segment_does(array, frame, truth, tiny, along):
    config = Config(preset="is+sps+shape")
    annotation = Annotation(frame.volume(array), frame, config, tiny, Cache())
    filled = np.flatnonzero(truth.any(axis=tuple({0, 1, 2} - {along})))
    drawn = []
    for index in (int(filled[0]), int(filled[-1])):
        one = lasso(frame, truth, along, index)
        annotation.outline(one, positive=True)
        found = run(annotation)
        drawn.append(MaskPrompt(1, one.axis, one.slice_index, one.mask))
        axes = (frame.axis_of(along).label,)
        expected = vt.segment(
            frame.volume(array),
            Prompts(tuple(drawn), frame.stored),
            replace(config, axes=axes, extent="object"),
            model=tiny,
        )
        np.testing.assert_array_equal(found, frame.to_array(expected.labels.mask(1)))
    assert annotation.changed() is not None


def test_a_second_outline_takes_nothing_away_beyond_it(annotation, frame, truth):
    for index in (4, 6):
        annotation.outline(lasso(frame, truth, 0, index), positive=True)
        found = run(annotation)
    assert found[7:].any()


def test_a_negative_outline_corrects_what_is_shown(annotation, frame, truth):
    annotation.outline(lasso(frame, truth, 0, 5), positive=True)
    run(annotation)
    away = np.zeros_like(truth)
    away[6, :, :6] = True
    before = shown(annotation)[6].copy()
    assert (before & away[6]).any()
    annotation.outline(lasso(frame, away, 0, 6), positive=False)
    found = run(annotation)
    np.testing.assert_array_equal(found[6], before & ~away[6])
    # where nothing is shown, nothing is meant
    state = annotation.undo(), shown(annotation).copy()
    annotation.outline(lasso(frame, ~shown(annotation), 0, 6), positive=False)
    np.testing.assert_array_equal(run(annotation), state[1])


def test_undo_goes_back_to_what_was_shown_and_drawn(annotation, frame, truth):
    seen = [shown(annotation).copy()]
    for index in (4, 5, 6):
        annotation.outline(lasso(frame, truth, 0, index), positive=True)
        annotation.show_drawn()
        seen.append(shown(annotation).copy())
    annotation.outline(lasso(frame, truth, 1, 8), positive=True)  # another axis: another session
    run(annotation)
    for before in reversed(seen):
        assert annotation.undo()
        np.testing.assert_array_equal(shown(annotation), before)
    assert not annotation.undo()
    assert annotation.changed() is None
    assert not run(annotation).any()


def test_undo_is_bounded(annotation, frame, truth):
    one = lasso(frame, truth, 0, 5)
    for _ in range(MAX_UNDO + 5):
        annotation.outline(one, positive=True)
    assert sum(annotation.undo() for _ in range(MAX_UNDO + 5)) == MAX_UNDO


def test_after_reset_another_object_begins(annotation, frame, truth):
    annotation.outline(lasso(frame, truth, 0, 5), positive=True)
    run(annotation)
    annotation.changed()
    annotation.reset()
    assert annotation.changed() is None
    assert not annotation.undo()
    assert not run(annotation).any()


def test_a_mask_to_start_from_is_a_state_and_no_outline(annotation, frame, truth):
    start = np.zeros_like(truth)
    start[:, :3, :3] = True
    annotation.start_from(frame.to_scan(start))
    assert annotation.changed() is None  # the client has it
    np.testing.assert_array_equal(run(annotation), start)
    annotation.outline(lasso(frame, truth, 0, 4), positive=True)
    found = run(annotation)
    np.testing.assert_array_equal(found[4], truth[4])
    np.testing.assert_array_equal(np.delete(found, 4, 0), np.delete(start, 4, 0))
    annotation.outline(lasso(frame, truth, 0, 6), positive=True)
    found = run(annotation)
    np.testing.assert_array_equal(found[[4, 6]], truth[[4, 6]])
    np.testing.assert_array_equal(np.delete(found, (4, 5, 6), 0), np.delete(start, (4, 5, 6), 0))
    for _ in range(2):
        assert annotation.undo()
    np.testing.assert_array_equal(shown(annotation), start)
    assert annotation.undo()
    assert not shown(annotation).any()


def test_a_region_is_not_left_and_boxes_its_middle_slice(annotation, frame, array):
    annotation.region(frame.box_in_scan(Box((2, 6, 2), (7, 12, 9))), positive=True)
    annotation.show_drawn()
    box, _ = annotation.changed()
    assert (box.start[0], box.stop[0]) == (4, 5)
    found = run(annotation)
    assert found[3:7].any(axis=(1, 2)).all()
    found[2:7, 6:12, 2:9] = False
    assert not found.any()
    with pytest.raises(PromptError, match="taken away"):
        annotation.region(Box((0, 0, 0), (2, 2, 2)), positive=False)


def test_what_is_drawn_outside_the_region_widens_it(annotation, frame, truth):
    annotation.region(frame.box_in_scan(Box((2, 6, 2), (5, 12, 13))), positive=True)
    run(annotation)
    annotation.outline(lasso(frame, truth, 0, 7), positive=True)
    found = run(annotation)
    np.testing.assert_array_equal(found[7], truth[7])
    assert not found[8].any()


def test_a_click_lies_on_the_slice_that_was_drawn_on(annotation, frame, truth):
    annotation.outline(lasso(frame, truth, 1, 8), positive=True)
    annotation.show_drawn()
    annotation.click(frame.voxel((4, 8, 5)), positive=False)
    (first, second) = annotation._session.state.prompts
    assert isinstance(first, MaskPrompt)
    assert isinstance(second, PointPrompt)
    assert first.axis is second.axis is Axis.CORONAL
    assert first.slice_index == second.slice_index


def test_a_first_click_lies_on_an_axial_slice_and_shows_it(annotation, frame):
    annotation.click(frame.voxel((4, 8, 5)), positive=True)
    annotation.show_drawn()
    box, _ = annotation.changed()
    assert (box.start[0], box.stop[0]) == (4, 5)
    annotation.click(frame.voxel((2, 8, 5)), positive=False)  # nothing is shown there
    assert annotation.changed() is None
    assert run(annotation).any()


def test_a_scribble_is_clicks_on_each_slice(annotation, frame):
    drawn = np.zeros(frame.shape, bool)
    drawn[4:6, 7:10, 4:9] = True
    annotation.scribble(painted(drawn, (0, 0, 0), frame, Axis.AXIAL), positive=True)
    prompts = annotation._session.state.prompts
    assert [one.slice_index for one in prompts] == [4, 5]
    assert {len(one.points_xy) for one in prompts} == {3}


def test_a_propagation_that_is_left_shows_what_it_had_found(annotation, frame, truth):
    annotation.outline(lasso(frame, truth, 0, 4), positive=True)
    steps = annotation.propagating()
    for _ in range(3):
        next(steps)
    steps.close()
    assert not shown(annotation).any()
    annotation.show_found()
    filled = shown(annotation).any(axis=(1, 2)).sum()
    assert 1 <= filled <= 3
    assert run(annotation).any(axis=(1, 2)).sum() > filled


def test_what_cannot_be_drawn_changes_nothing(annotation, frame, truth):
    annotation.outline(lasso(frame, truth, 0, 5), positive=True)
    with pytest.raises(PromptError):
        annotation.outline(Painted(Axis.AXIAL, 6, np.ones((2, 2), bool)), positive=True)
    assert annotation.undo()
    assert not annotation.undo()


HERE = MaskPrompt(1, Axis.AXIAL, 3, np.eye(4, dtype=bool))


def test_outlines_of_one_slice_add_up_unless_clicks_correct_it():
    drawn = Painted(Axis.AXIAL, 3, np.eye(4, dtype=bool)[::-1])
    (both,) = meaning.of_outline(drawn, positive=True, here=[HERE], shown=HERE.mask)
    np.testing.assert_array_equal(both.mask, HERE.mask | drawn.mask)
    click = PointPrompt(1, Axis.AXIAL, 3, ((0.0, 0.0),), (True,))
    (alone,) = meaning.of_outline(drawn, positive=True, here=[HERE, click], shown=HERE.mask)
    np.testing.assert_array_equal(alone.mask, drawn.mask)


def test_a_negative_box_takes_away_what_is_inside_it(frame):
    box = slice_box(Box((3, 0, 0), (4, 2, 2)), frame)
    shown = np.zeros((12, 14), bool)
    assert meaning.of_box(box, positive=False, shown=shown) == ()
    shown[:3, :3] = True
    (left,) = meaning.of_box(box, positive=False, shown=shown)
    assert left.mask.sum() == 9 - 4
    assert not left.mask[:2, :2].any()
    (drawn,) = meaning.of_box(box, positive=True, shown=shown)
    assert drawn == BoxPrompt(1, Axis.AXIAL, 3, (0.0, 0.0, 1.0, 1.0))


def test_clicks_follow_those_that_are_there():
    first = PointPrompt(1, Axis.AXIAL, 3, ((1.0, 2.0),), (True,))
    (both,) = meaning.of_clicks(
        Axis.AXIAL, 3, [(3.0, 3.0)], positive=False, here=[first], shown=HERE.mask
    )
    assert both.points_xy == ((1.0, 2.0), (3.0, 3.0))
    assert both.positive == (True, False)


def test_a_negative_click_where_nothing_is_shown_means_nothing():
    clicks = [(3.0, 0.0)]
    assert not meaning.of_clicks(
        Axis.AXIAL, 3, clicks, positive=False, here=[HERE], shown=HERE.mask
    )
