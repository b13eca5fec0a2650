"""What was found is there again when a session is opened again, and only where it is of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.volume import Volume
from voxtrail.errors import OptionError, PromptError
from voxtrail.evaluate import simulate
from voxtrail.session import Config, Session
from voxtrail.session.look import Look

CONFIG = Config(preset="is+sps", margin_mm=4)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "case.json"


@pytest.fixture
def propagated(scan, truth, tiny, file) -> Session:
    session = Session(scan, CONFIG, model=tiny, file=file)
    session.load(simulate(truth))
    session.run()
    return session


def test_a_session_that_is_opened_again_shows_what_was_found(propagated, scan, tiny, file):
    again = Session(scan, CONFIG, model=tiny, file=file)
    one, two = propagated.result(), again.result()
    np.testing.assert_array_equal(one.labels.voxels, two.labels.voxels)
    assert two.record.to_json() == one.record.to_json()
    for label, logits in one.logits.items():
        np.testing.assert_array_equal(logits.logits, two.logits[label].logits)
        np.testing.assert_array_equal(one.uncertainty(label), two.uncertainty(label))
    assert again.suggest() == propagated.suggest()
    assert not any(again.is_stale(label) for label in again.results)
    again.remove(1, Axis.AXIAL, again.prompts.of(1)[1].slice_index)
    assert [label for label in again.results if again.is_stale(label)] == [1]
    again.undo()
    assert not again.is_stale(1)


def test_results_that_are_damaged_or_of_another_scan_count_as_not_there(
    propagated, scan, tiny, file
):
    folder = file.with_suffix(".results")
    places = sorted(folder.iterdir())
    assert [place.name for place in places] == ["label-1.npz", "label-2.npz", "label-3.npz"]
    places[0].write_bytes(places[0].read_bytes()[:1000])
    places[1].write_bytes(b"")
    assert [*Session(scan, CONFIG, model=tiny, file=file).results] == [3]
    other = replace(scan, voxels=scan.voxels + 1)
    file.unlink()
    session = Session(Volume(other.voxels, scan.stored), CONFIG, model=tiny, file=file)
    session.load(propagated.prompts)
    assert session.results == {}
    # A new session on the same scan begins with nothing, too.
    file.unlink()
    session = Session(scan, CONFIG, model=tiny, file=file)
    session.load(propagated.prompts)
    assert session.results == {}


def test_nothing_found_of_a_deleted_label_comes_back(propagated, scan, tiny, file):
    propagated.delete(2)
    assert 2 not in propagated.prompts.names
    assert propagated.undo()
    assert propagated.prompts.names[2] == "sacrum"
    for session in (propagated, Session(scan, CONFIG, model=tiny, file=file)):
        assert sorted(session.results) == [1, 3]


def test_steps_are_small_and_end_in_the_same(propagated, scan, truth, tiny):
    session = Session(scan, CONFIG, model=tiny)
    session.load(simulate(truth))
    steps = list(session.steps())
    assert {type(one).__name__ for one in steps} == {"SliceDone", "NoneType"}
    np.testing.assert_array_equal(session.result().labels.voxels, propagated.result().labels.voxels)


def test_a_prepared_slice_is_found_by_a_preview_and_by_the_propagation(scan, truth, tiny):
    session = Session(scan, CONFIG, model=tiny)
    assert not session.prepare(1, Axis.AXIAL, 4)  # nobody knows where to look
    session.load(simulate(truth))
    index = session.prompts.of(1)[1].slice_index + 1
    assert session.prepare(1, Axis.AXIAL, index)
    assert not session.prepare(1, Axis.AXIAL, index)
    session.run([1])
    encoded = session.cache.features.encoded
    session.prepare(1, Axis.AXIAL, index)
    assert session.cache.features.encoded == encoded


def test_looks_are_kept_and_are_no_part_of_undo(scan, tiny, file):
    session = Session(scan, CONFIG, model=tiny, file=file)
    session.rename(1, "femur")
    session.show(1, Look("#010203", visible=False, locked=True))
    session.undo()
    assert Session(scan, CONFIG, file=file).looks == {1: Look("#010203", False, True)}
    for wrong in ("red", "#12345", "#1234567", "#12345g", ""):
        with pytest.raises(OptionError, match="no colour"):
            Look(wrong)


def test_suggestions_need_a_propagation(scan, tiny):
    with pytest.raises(PromptError, match="nothing has been propagated"):
        Session(scan, CONFIG, model=tiny).suggest()
