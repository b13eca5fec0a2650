"""A session: what is drawn comes and goes, and only what it reaches is computed again."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from tests.logits import assert_same_logits
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.errors import PromptError, SessionError
from voxtrail.evaluate import simulate
from voxtrail.preprocess import Window
from voxtrail.session import Cache, Config, Session, segment
from voxtrail.session.state import Place

CONFIG = Config(preset="is+sps", margin_mm=4)


def wider(prompt: MaskPrompt) -> MaskPrompt:
    """Return an outline that reaches one row further down."""
    mask = prompt.mask | np.roll(prompt.mask, 1, axis=0)
    return replace(prompt, mask=mask)


@pytest.fixture
def session(scan, tiny) -> Session:
    return Session(scan, CONFIG, model=tiny)


@pytest.fixture(scope="module")
def drawn(truth) -> Prompts:
    return simulate(truth)


def test_a_session_that_is_asked_once_is_segment(session, scan, drawn, tiny):
    session.load(drawn)
    found = session.run()
    expected = segment(scan, drawn, CONFIG, model=tiny)
    np.testing.assert_array_equal(found.labels.voxels, expected.labels.voxels)
    assert [one.crop for one in found.record.labels] == [one.crop for one in expected.record.labels]
    assert found.record.slices == expected.record.slices


def test_a_wider_outline_encodes_nothing_and_keeps_the_crop(session, drawn):
    session.load(drawn)
    first = session.run()
    outline = drawn.of(1)[-1]
    session.replace(wider(outline))
    second = session.run()
    assert second.record.slices["encoded"] == 0
    assert second.record.predictions["segmented"] < first.record.predictions["segmented"]
    stack = outline.axis.to_stack(second.mask(1))
    np.testing.assert_array_equal(stack[outline.slice_index], wider(outline).mask)


def spot(scan, slice_index: int, rows: slice, columns: slice) -> MaskPrompt:
    mask = np.zeros(Axis.AXIAL.to_stack(scan.voxels).shape[1:], bool)
    mask[rows, columns] = True
    return MaskPrompt(1, Axis.AXIAL, slice_index, mask)


def test_a_crop_grows_for_what_is_drawn_outside_it_and_never_shrinks(bright):
    hu = np.broadcast_to(np.arange(9, dtype=np.int16), (60, 60, 9)).copy()
    scan = Volume.from_stored(hu, np.diag([1.0, 1.0, 2.0, 1.0]))
    session = Session(scan, Config(preset="is+sps", window="100,200", margin_mm=4), model=bright)
    for index in (1, 4):
        session.add(spot(scan, index, slice(20, 24), slice(30, 34)))

    def window() -> tuple[tuple[int, int], tuple[int, int]]:
        crop = session.run().record.labels[0].crop
        return (60 - crop.stop[1], 60 - crop.start[1]), (60 - crop.stop[0], 60 - crop.start[0])

    assert window() == ((16, 28), (26, 38))
    # Two voxels of the margin of four are left: the crop stays, and nothing is encoded.
    session.add(spot(scan, 2, slice(18, 26), slice(30, 36)))
    encoded = session.cache.features.encoded
    assert window() == ((16, 28), (26, 38))
    assert session.cache.features.encoded == encoded
    # Less than that: the sides that lack room move by whole margins.
    session.add(spot(scan, 3, slice(20, 24), slice(30, 43)))
    assert window() == ((16, 28), (26, 46))
    session.undo()
    assert window() == ((16, 28), (26, 46))


def test_clearing_a_label_begins_its_crop_anew(session, drawn):
    session.load(drawn)
    first = session.run().record.labels[0].crop
    session.replace(wider(wider(wider(wider(drawn.of(1)[0])))))
    session.run()
    session.clear(1)
    for prompt in drawn.of(1):
        session.add(prompt)
    assert session.run().record.labels[0].crop == first


def test_undo_and_redo_go_through_all_that_was_drawn(session, drawn):
    one, two, three = drawn.of(1)
    assert not session.undo()
    for prompt in (one, two, three):
        session.add(prompt)
    session.rename(1, "femur")
    session.remove(1, Axis.AXIAL, two.slice_index)
    assert session.prompts.prompts == (one, three)
    assert session.undo()
    assert session.prompts.prompts == (one, two, three)
    assert session.undo()
    assert session.prompts.names == {}
    assert session.redo()
    assert session.redo()
    assert not session.redo()
    assert session.prompts.prompts == (one, three)
    session.undo()
    session.clear()
    assert not session.redo()
    assert session.prompts.prompts == ()
    session.undo()
    assert session.prompts.prompts == (one, two, three)


def test_what_is_undone_is_found_again_without_work(session, drawn):
    session.load(drawn)
    first = session.run()
    session.replace(wider(drawn.of(1)[1]))
    session.run()
    session.undo()
    again = session.run()
    assert (again.record.slices["encoded"], again.record.predictions["segmented"]) == (0, 0)
    np.testing.assert_array_equal(again.labels.voxels, first.labels.voxels)


def test_slices_come_as_they_are_done(scan, drawn, tiny):
    session = Session(scan, Config(preset="is+sps", crop="none"), model=tiny)
    session.load(drawn)
    done = list(session.propagate())
    tracked = {(one.label, one.slice_index) for one in done if one.recalled is not None}
    assert {(one.label, one.slice_index) for one in done if one.recalled is None} == {
        (one.label, one.slice_index) for one in drawn.prompts
    }
    assert tracked
    result = session.result()
    for one in done:
        whole = np.zeros(session.volume.grid.shape, np.float32)
        one.path.add(one.logits[None], whole, one.path.hull().whole(whole.shape))
        found = one.axis.to_stack(result.mask(one.label))[one.slice_index]
        np.testing.assert_array_equal(one.axis.to_stack(whole)[one.slice_index] > 0, found)


def test_labels_around_what_is_looked_at_come_first(scan, truth, tiny):
    prompts = simulate(truth, "middle")
    slices = {label: prompts.of(label)[0].slice_index for label in prompts.labels()}
    session = Session(scan, CONFIG, model=tiny)
    session.load(prompts)
    for label, looked_at in slices.items():
        nearest = min(abs(looked_at - other) for other in slices.values())
        first = next(iter(session.propagate(near=(Axis.AXIAL, looked_at))))
        assert abs(slices[first.label] - looked_at) == nearest
        assert label in slices


def test_a_propagation_that_is_left_keeps_the_session_and_its_work(session, drawn):
    session.load(drawn)
    left = list(islice(session.propagate(), 7))
    assert len(left) == 7
    with pytest.raises(PromptError, match="nothing has been propagated"):
        session.result()
    encoded = session.cache.features.encoded
    assert encoded > 0
    result = session.run()
    fresh = Session(session.volume, CONFIG, model=session.model)
    fresh.load(drawn)
    expected = fresh.run()
    np.testing.assert_array_equal(result.labels.voxels, expected.labels.voxels)
    assert session.cache.features.encoded == expected.record.slices["encoded"]


def test_a_propagation_may_be_cancelled(session, drawn):
    session.load(drawn)
    done = []
    list(session.propagate(cancelled=lambda: len(done) >= 3 or done.append(1)))
    assert len(done) == 3
    with pytest.raises(PromptError, match="nothing has been propagated"):
        session.result()


def test_some_labels_are_propagated_and_the_others_stay(session, drawn):
    session.load(drawn)
    first = session.run()
    session.replace(wider(drawn.of(2)[1]))
    session.run([2])
    again = session.result()
    np.testing.assert_array_equal(again.logits[1].logits, first.logits[1].logits)
    with pytest.raises(PromptError, match=r"nothing is drawn of a label.*accepted: 1, 2, 3"):
        session.run([9])


def test_a_second_drawing_in_one_place_is_refused_and_a_click_is_not(session, drawn):
    outline = drawn.of(1)[0]
    session.add(outline)
    with pytest.raises(PromptError, match=r"drawn there already.*replace it"):
        session.add(BoxPrompt(1, Axis.AXIAL, outline.slice_index, (1, 1, 4, 4)))
    click = PointPrompt(1, Axis.AXIAL, outline.slice_index, ((3, 3),), (True,))
    session.add(click)
    assert session.prompts.masks(1) == ()
    session.replace(wider(outline))
    assert [one.mask.sum() for one in session.prompts.prompts] == [wider(outline).mask.sum()]


@pytest.mark.parametrize("bad", [-1, 9])
def test_what_has_no_place_is_refused_and_nothing_changes(session, drawn, bad):
    session.add(drawn.of(1)[0])
    with pytest.raises(PromptError, match="no place in the scan"):
        session.add(BoxPrompt(1, Axis.AXIAL, bad, (1, 1, 4, 4)))
    with pytest.raises(PromptError, match="nothing is drawn there"):
        session.remove(1, Axis.AXIAL, 8)
    assert len(session.prompts.prompts) == 1
    assert session.undo()
    assert not session.undo()


class TestPreview:
    """The mask of one slice at once, and what clicks make of it."""

    def test_a_box_gives_a_mask_that_can_be_accepted(self, session):
        box = BoxPrompt(1, Axis.CORONAL, 5, (2, 2, 8, 7))
        preview = session.preview(box)
        shape = session.volume.grid.shape
        assert preview.mask.shape == (shape[2], shape[0])
        assert not preview.from_memory
        assert session.prompts.prompts == ()
        session.accept(preview)
        (outline,) = session.prompts.prompts
        np.testing.assert_array_equal(outline.mask, preview.mask)
        assert session.state.accepted == {Place(1, Axis.CORONAL, 5)}
        session.undo()
        assert session.state.accepted == frozenset()

    def test_clicks_refine_what_was_there_before_them(self, session, tiny):
        one = PointPrompt(1, Axis.AXIAL, 4, ((5, 5),), (True,))
        two = PointPrompt(1, Axis.AXIAL, 4, ((5, 5), (8, 8)), (True, False))
        first, second = session.preview(one), session.preview(two)
        again = session.preview(two)
        np.testing.assert_array_equal(second.mask, again.mask)
        assert second.predicted_iou != first.predicted_iou
        # Each click is decoded with what was there before it, not both from nothing.
        whole = Session(
            session.volume, Config(preset="is+sps", crop="none", window="bone"), model=tiny
        )
        grey = Window().apply(Axis.AXIAL.to_stack(session.volume.voxels))[4:5]
        (features,) = tiny.model.encode(grey)
        at_once = tiny.model.prompt(features, [two], grey.shape[1:])
        assert float(at_once.predicted_iou) != whole.preview(two).predicted_iou

    def test_a_click_on_a_tracked_slice_corrects_its_mask(self, session, drawn):
        session.load(drawn)
        done = [one for one in session.propagate() if one.recalled is not None]
        slice_ = done[0]
        click = PointPrompt(slice_.label, slice_.axis, slice_.slice_index, ((5, 5),), (True,))
        encoded = session.cache.features.encoded
        preview = session.preview(click)
        assert preview.from_memory
        assert session.cache.features.encoded == encoded
        fresh = Session(session.volume, CONFIG, model=session.model).preview(click)
        assert not fresh.from_memory
        assert fresh.predicted_iou != preview.predicted_iou

    def test_a_label_that_was_cleared_begins_from_nothing(self, session, drawn):
        session.load(drawn)
        session.run()
        at = next(i for i in range(9) if i not in {p.slice_index for p in drawn.of(1)} and i > 1)
        click = PointPrompt(1, Axis.AXIAL, at, ((5, 5),), (True,))
        assert session.preview(click).from_memory
        other = PointPrompt(2, Axis.AXIAL, at, ((5, 5),), (True,))
        remembered = session.preview(other).from_memory
        session.clear(1)
        assert not session.preview(click).from_memory
        assert session.preview(other).from_memory == remembered
        assert 1 not in session.result().logits
        session.clear()
        with pytest.raises(PromptError, match="nothing has been propagated"):
            session.result()

    def test_prompts_of_two_slices_are_refused(self, session):
        boxes = [BoxPrompt(1, Axis.AXIAL, index, (1, 1, 4, 4)) for index in (2, 3)]
        with pytest.raises(PromptError, match=r"of one slice.*2 places"):
            session.preview(boxes)


class TestSaved:
    """What was confirmed outlasts the process."""

    def test_a_session_goes_on_where_it_ended(self, scan, drawn, tiny, tmp_path):
        place = tmp_path / "session.json"
        first = Session(scan, CONFIG, model=tiny, file=place)
        first.load(drawn)
        first.add(PointPrompt(1, Axis.SAGITTAL, 3, ((2, 2),), (True,)))
        first.accept(first.preview(BoxPrompt(7, Axis.AXIAL, 3, (2, 2, 8, 8))))
        first.rename(7, "box")
        first.undo()
        first.run([1, 2, 3])
        second = Session(scan, Config(preset="is+sps"), model=tiny, file=place)
        assert second.config == first.config
        assert second.state.accepted == first.state.accepted == {Place(7, Axis.AXIAL, 3)}
        assert second.prompts.names == drawn.names
        for one, other in zip(first.prompts.prompts, second.prompts.prompts, strict=True):
            assert type(one) is type(other)
            assert Place.of(one) == Place.of(other)
            if isinstance(one, MaskPrompt):
                np.testing.assert_array_equal(one.mask, other.mask)
        assert second.redo()
        assert second.prompts.names[7] == "box"
        assert second._crops == first._crops
        for _ in range(4):
            assert second.undo()
        assert second.prompts.prompts == ()

    def test_the_session_of_another_scan_is_refused(self, scan, tiny, tmp_path):
        Session(scan, CONFIG, model=tiny, file=tmp_path / "s.json").rename(1, "a")
        other = Volume(scan.voxels + 1, scan.stored)
        with pytest.raises(SessionError, match="drawn on another scan"):
            Session(other, CONFIG, model=tiny, file=tmp_path / "s.json")

    @pytest.mark.parametrize("harm", ["", "{}", "[1]", "half", "format", "at", "prompt"])
    def test_a_file_that_is_no_session_is_refused(self, harm, scan, drawn, tiny, tmp_path):
        place = tmp_path / "s.json"
        Session(scan, CONFIG, model=tiny, file=place).load(drawn)
        whole = json.loads(place.read_text())
        changed = {
            "half": place.read_text()[: len(place.read_text()) // 2],
            "format": json.dumps({**whole, "format": "else"}),
            "at": json.dumps({**whole, "at": 99}),
            "prompt": json.dumps({**whole, "prompts": whole["prompts"][:1]}),
        }
        place.write_text(changed.get(harm, harm))
        with pytest.raises(SessionError, match="cannot be read"):
            Session(scan, CONFIG, model=tiny, file=place)

    def test_a_change_that_cannot_be_saved_is_not_made(self, scan, drawn, tiny, tmp_path):
        place = tmp_path / "folder" / "s.json"
        place.parent.mkdir()
        session = Session(scan, CONFIG, model=tiny, file=place)
        session.add(drawn.of(1)[0])
        before = place.read_bytes()
        place.rename(tmp_path / "aside")
        place.parent.rmdir()
        with pytest.raises(Exception, match="folder"):
            session.add(drawn.of(1)[1])
        assert len(session.prompts.prompts) == 1
        place.parent.mkdir()
        (tmp_path / "aside").rename(place)
        assert place.read_bytes() == before
        session.add(drawn.of(1)[1])
        assert len(Session(scan, CONFIG, model=tiny, file=place).prompts.prompts) == 2


def test_a_later_call_with_a_corrected_outline_finds_the_crop(scan, drawn, tiny, tmp_path):
    for cache in (Cache(), None):
        first_cache = cache or Cache.in_folder(tmp_path)
        segment(scan, drawn, CONFIG, model=tiny, cache=first_cache)
        corrected = tuple(wider(p) if p is drawn.of(1)[2] else p for p in drawn.prompts)
        again = segment(
            scan,
            Prompts(corrected, drawn.stored, drawn.names),
            CONFIG,
            model=tiny,
            cache=cache or Cache.in_folder(tmp_path),
        )
        assert again.record.slices["encoded"] == 0


def test_another_structure_of_the_same_label_has_its_own_crop(scan, drawn, tiny):
    cache = Cache()
    segment(scan, drawn, CONFIG, model=tiny, cache=cache)
    other = Prompts(tuple(replace(one, label=1) for one in drawn.of(3)), drawn.stored)
    shared = segment(scan, other, CONFIG, model=tiny, cache=cache)
    alone = segment(scan, other, CONFIG, model=tiny)
    assert shared.record.labels[0].crop == alone.record.labels[0].crop


@pytest.mark.parametrize("seed", range(5))
def test_whatever_was_drawn_and_undone_the_result_is_that_of_what_is_drawn(seed, scan, truth, tiny):
    """Random work on a session finds what a new session with the same crops finds."""
    rng = np.random.default_rng(seed)
    every = simulate(truth, "uniform:5").prompts
    config = replace(CONFIG, preset=("is+sps", "is+sps+shape")[seed % 2], crop=None)
    session = Session(scan, config, model=tiny)
    session.load(simulate(truth))
    for _ in range(8):
        drawn = session.prompts.prompts
        chosen = every[rng.integers(len(every))]
        act = rng.integers(5)
        if act == 0:
            session.replace(chosen)
        elif act == 1:
            session.replace(wider(chosen))
        elif act == 2 and len(session.prompts.of(drawn[0].label)) > 1:
            session.remove(drawn[0].label, drawn[0].axis, drawn[0].slice_index)
        elif act == 3:
            session.undo()
        else:
            list(islice(session.propagate(), int(rng.integers(1, 30))))
    found = session.run()
    fresh = Session(scan, config, model=tiny)
    fresh._crops = dict(session._crops)
    fresh.load(session.prompts)
    expected = fresh.run()
    for label, logits in expected.logits.items():
        assert found.logits[label].box == logits.box
        assert_same_logits(found.logits[label].logits, logits.logits)
