"""Outlines that are left out, and what they tell."""

from dataclasses import replace

import numpy as np
import pytest

from tests.session.test_encode_once import counted
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, PointPrompt
from voxtrail.evaluate import simulate
from voxtrail.metrics import dice
from voxtrail.session import Cache, Config, Session, segment
from voxtrail.session.expected_dice import ExpectedDice

SLICES = "uniform:5"


def without(prompts, index):
    kept = tuple(one for one in prompts.prompts if one.slice_index != index)
    return replace(prompts, prompts=kept)


@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("preset", ["is+sps+shape", "baseline"])
def test_an_outline_is_foretold_as_a_run_without_it_foretells_it(
    direction, preset, scan, truth, tiny
):
    config = Config(preset=preset, direction=direction, crop="none", extent="all")
    prompts = simulate(truth, SLICES, labels=[1])
    (label,) = segment(scan, prompts, config, model=tiny).record.labels
    drawn = [one.slice_index for one in prompts.prompts]
    assert [one.slice_index for one in label.left_out] == drawn[1:-1]
    for one, below, above in zip(label.left_out, drawn, drawn[2:], strict=False):
        assert (one.below, one.above) == (below, above)
        alone = segment(scan, without(prompts, one.slice_index), config, model=tiny)
        found, true = (
            Axis.AXIAL.to_stack(mask)[one.slice_index]
            for mask in (alone.mask(1), truth.voxels == 1)
        )
        assert one.dice == pytest.approx(dice(found, true))


def test_leaving_out_changes_nothing_else_and_encodes_nothing(scan, truth, tiny):
    found = []
    for quality in (True, False):
        model = counted(tiny.model)
        config = Config(quality=quality, direction="both")
        found.append((segment(scan, simulate(truth, SLICES), config, model=model), model.model))
    (with_it, model), (bare, bare_model) = found
    assert model.twice == 0
    assert model.encodings == bare_model.encodings
    np.testing.assert_array_equal(with_it.labels.voxels, bare.labels.voxels)
    assert [one.expected_dice for one in bare.record.labels] == [None] * 3
    assert not any(one.left_out for one in bare.record.labels)
    assert bare.record.to_json()["config"]["quality"] is False


def test_only_what_depends_on_an_outline_is_tracked_again(scan, truth, tiny):
    config = Config(crop="none", prompt_memory="closest:n=1", memory="recent:k=1", quality=False)
    prompts = simulate(truth, SLICES, labels=[1])
    session = Session(scan, config, model=tiny)
    session.load(prompts)
    session.run()
    before = session.cache.predictions.segmented
    session = Session(scan, replace(config, quality=True), model=tiny, cache=session.cache)
    session.load(prompts)
    session.run()
    # Slices 1 to 7, outlined 1, 2, 4, 5, 7. Without 2: 2 and 3; without 4: 3 (of which 2 and not 4
    # is the nearer by then) and 4; without 5: 5 and 6. What attended to 1 or 2 alone is found.
    assert session.cache.predictions.segmented - before <= 6


def test_what_needs_no_outline_is_foretold_in_full(scan, truth, bright):
    voxels = np.where(truth.voxels == 1, 1000, -1000).astype(np.int16)
    block = replace(scan, voxels=voxels)
    result = segment(block, simulate(truth, SLICES, labels=[1]), Config(), model=bright)
    (label,) = result.record.labels
    assert [one.dice for one in label.left_out] == [1.0] * 3
    assert label.expected_dice.dice > 0.99
    assert label.expected_dice.outlines == 3


@pytest.mark.parametrize("slices", ["middle", "first-last"])
def test_one_or_two_outlines_tell_nothing(slices, scan, truth, tiny):
    record = segment(scan, simulate(truth, slices), Config(), model=tiny).record
    assert [one.expected_dice for one in record.labels] == [None] * 3
    assert record.to_json()["labels"][0]["expected_dice"] is None


def test_what_is_no_drawn_mask_of_the_structure_is_not_left_out(scan, truth, tiny):
    prompts = simulate(truth, "uniform:7", labels=[1]).prompts
    empty = replace(prompts[2], mask=np.zeros_like(prompts[2].mask))
    rows, columns = np.nonzero(prompts[4].mask)
    click = PointPrompt(1, Axis.AXIAL, 5, ((float(columns[0]), float(rows[0])),), (True,))
    session = Session(scan, Config(), model=tiny)
    for one in (*prompts[:2], empty, prompts[3], prompts[4], click, *prompts[5:]):
        session.add(one)
    (label,) = session.run().record.labels
    # Outlined 1 to 7: first and last, the empty 3 and the corrected 5 are not left out.
    assert [one.slice_index for one in label.left_out] == [2, 4, 6]


def test_every_axis_leaves_out_its_own(scan, truth, tiny):
    axes = ("axial", "coronal")
    prompts = simulate(truth, "first-middle-last", [Axis.named(name) for name in axes], [1])
    (label,) = segment(scan, prompts, Config(axes=axes), model=tiny).record.labels
    assert [one.axis for one in label.left_out] == ["axial", "coronal"]
    assert label.expected_dice.outlines == 2


def test_a_cancelled_test_leaves_the_result_as_it_was(scan, truth, tiny):
    session = Session(scan, Config(), model=tiny, cache=Cache())
    session.load(simulate(truth, SLICES, labels=[1]))
    first = session.run()
    drawn = session.prompts.prompts[2]
    assert isinstance(drawn, MaskPrompt)
    session.replace(replace(drawn, mask=np.roll(drawn.mask, 1, axis=0)))
    tested = []

    def cancelled():
        return bool(tested)

    def progress(done, total, what):
        if what == "leaving outlines out":
            tested.append(done)

    for _ in session.propagate(progress=progress, cancelled=cancelled):
        pass
    assert len(tested) == 1
    assert session.result().record.labels[0].left_out == first.record.labels[0].left_out


def test_no_expectation_without_a_left_out_outline():
    assert ExpectedDice.of([], confidence=0.9) is None
