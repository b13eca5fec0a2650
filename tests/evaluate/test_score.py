import json

import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import PointPrompt, Prompts
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError, ImageError
from voxtrail.evaluate import evaluate, simulate
from voxtrail.metrics import score

MEASURES = {
    "dice", "iou", "hausdorff_mm", "hausdorff_vox", "hausdorff95_mm", "assd_mm",
    "surface_dice_1vox", "surface_dice_2mm", "volume_ml", "truth_volume_ml",
}  # fmt: skip


def test_a_perfect_prediction(truth):
    table = evaluate(truth, truth).to_json()
    assert set(table) == {"labels", "mean"}
    assert set(table["labels"]) == {"1", "2"}
    assert table["labels"]["1"]["name"] == "hip_left"
    assert set(table["labels"]["1"]) == MEASURES | {"name"}
    assert set(table["mean"]) == MEASURES | {"null_distances", "empty_labels"}
    assert table["mean"]["dice"] == table["mean"]["surface_dice_2mm"] == 1
    assert table["mean"]["hausdorff_mm"] == table["mean"]["null_distances"] == 0


def test_each_label_is_scored_as_a_mask_of_its_own(truth, like):
    prediction = like(truth, np.roll(truth.voxels, 1, axis=2))
    table = evaluate(prediction, truth).everywhere
    pair = prediction.voxels == 1, truth.voxels == 1
    assert table.scores[1] == score(*pair, truth.grid.spacing_mm)
    assert table.scores[1].hausdorff_mm == pytest.approx(2.5)
    assert table.mean()["dice"] == pytest.approx((2 * 10 / 22 + 2 * 2 / 6) / 2)


def test_a_missed_label_counts_and_its_distances_are_null(truth, like):
    prediction = like(truth, np.where(truth.voxels == 2, 0, truth.voxels))
    table = json.loads(json.dumps(evaluate(prediction, truth).to_json()))
    assert table["labels"]["2"]["dice"] == 0
    assert table["labels"]["2"]["hausdorff_mm"] is None
    assert table["mean"]["dice"] == 0.5
    assert (table["mean"]["hausdorff_mm"], table["mean"]["null_distances"]) == (0, 1)


def test_an_invented_label_counts_too(truth, like):
    voxels = truth.voxels.copy()
    voxels[0, 0, 0] = 7
    table = evaluate(like(truth, voxels), truth).to_json()
    assert (table["labels"]["7"]["name"], table["labels"]["7"]["dice"]) == ("7", 0)
    assert table["mean"]["dice"] == pytest.approx(2 / 3)


def test_where_every_distance_is_null_so_is_the_mean(truth, like):
    table = evaluate(like(truth, np.zeros_like(truth.voxels)), truth).to_json()
    assert (table["mean"]["assd_mm"], table["mean"]["null_distances"]) == (None, 2)


def test_prompted_slices_do_not_count_off_the_prompts(truth, like):
    # Right on the prompted slices of label 1 (4, 9, 14) alone.
    voxels = np.where(truth.voxels == 1, 0, truth.voxels)
    for index in (4, 9, 14):
        voxels[..., index] = truth.voxels[..., index]
    result = evaluate(like(truth, voxels), truth, simulate(truth, labels=[1]))
    assert result.everywhere.scores[1].dice == pytest.approx(2 * 3 / (3 + 11))
    assert result.unprompted is not None
    assert result.unprompted.scores[1].dice == 0
    # Label 2 was not prompted, so that none of its slices is left out.
    assert result.unprompted.scores[2] == result.everywhere.scores[2]


def test_the_slices_off_the_prompts_are_scored_as_if_the_others_were_empty(truth, like):
    prediction = like(truth, np.roll(truth.voxels, 1, axis=0))
    result = evaluate(prediction, truth, simulate(truth, "middle", labels=[1]))
    pair = [labels.voxels == 1 for labels in (prediction, truth)]
    for mask in pair:
        mask[:, :, 9] = False
    assert result.unprompted is not None
    assert result.unprompted.scores[1] == score(*pair, truth.grid.spacing_mm)


def test_prompts_on_other_axes_and_of_other_kinds_count(truth):
    prompt = PointPrompt(1, Axis.SAGITTAL, 10, ((0.0, 0.0),), (False,))
    result = evaluate(truth, truth, Prompts((prompt,), truth.stored))
    assert result.unprompted is not None
    lost_ml = 10 * 11 * np.prod(truth.grid.spacing_mm) / 1000
    before, after = result.everywhere.scores[1], result.unprompted.scores[1]
    assert after.truth_volume_ml == pytest.approx(before.truth_volume_ml - lost_ml)


def test_a_label_that_is_prompted_everywhere_is_counted_and_adds_nothing(truth, like):
    prediction = like(truth, np.where(truth.voxels == 1, 0, truth.voxels))
    result = evaluate(prediction, truth, simulate(truth))  # label 2 has three slices only
    assert result.unprompted is not None
    mean = result.unprompted.to_json()["mean"]
    assert (mean["dice"], mean["empty_labels"]) == (0, 1)


def test_the_maps_are_left_as_they_are(truth):
    before = truth.voxels.copy()
    evaluate(truth, truth, simulate(truth))
    np.testing.assert_array_equal(truth.voxels, before)


def test_storage_order_does_not_matter(truth):
    voxels = truth.to_stored().transpose(2, 0, 1)[:, ::-1]
    affine = truth.stored.affine[:, [2, 0, 1, 3]].copy()
    affine[:3, 3] += affine[:3, 1] * (voxels.shape[1] - 1)
    affine[:3, 1] *= -1
    turned = LabelMap.from_stored(voxels, affine)
    assert evaluate(turned, truth).to_json()["mean"]["dice"] == 1


def test_different_grids_are_refused_and_both_are_named(truth):
    affine = truth.stored.affine.copy()
    affine[:3, 3] += affine[:3, 2] * 0.4
    moved = LabelMap.from_stored(truth.to_stored(), affine)
    with pytest.raises(GridError, match=r"up to 1 mm \(0.4 voxels\) off") as raised:
        evaluate(moved, truth)
    assert moved.stored.describe() in str(raised.value)
    assert truth.stored.describe() in str(raised.value)
    with pytest.raises(GridError, match="the prompts' grid lies on another grid"):
        evaluate(truth, truth, simulate(moved))


def test_parts_flips_and_permutations_are_scored_where_they_lie(truth):
    whole = truth.to_stored()
    i, j, k = 2, 1, 1
    part = whole[i:19, j:20, k:17][::-1].transpose(2, 0, 1)
    into = np.eye(4)
    into[:3, :3] = [[0, -1, 0], [0, 0, 1], [1, 0, 0]]
    into[:3, 3] = (18, j, k)
    moved = LabelMap.from_stored(part, truth.stored.affine @ into, truth.names)
    for pair in ((moved, truth), (truth, moved)):
        result = evaluate(*pair, simulate(truth, "middle"))
        assert [s.dice for s in result.everywhere.scores.values()] == [1, 1]
        assert [s.dice for s in result.unprompted.scores.values()] == [1, 1]
    # What the truth's file does not cover counts all the same.
    larger = truth.voxels.copy()
    larger[0, 0, 0] = 1
    result = evaluate(LabelMap(larger, truth.stored), moved)
    assert 0.99 < result.everywhere.scores[1].dice < 1


def test_labels_are_matched_by_name_where_both_have_names(truth):
    swapped = truth.renumbered({1: 2, 2: 1}, {2: "Hip left", 1: "rib_left_7"})
    result = evaluate(swapped, truth, simulate(swapped))
    assert {label: one.dice for label, one in result.everywhere.scores.items()} == {1: 1, 2: 1}
    assert [one.dice for one in result.unprompted.scores.values()] == [1, 1]
    assert any("matched by name" in note and "Hip left 2 = 1" in note for note in result.notes)
    assert result.to_json()["notes"] == list(result.notes)


def test_a_name_that_one_side_has_alone_is_no_other_label(truth):
    other = truth.renumbered({1: 2, 2: 1}, {2: "hip_left", 1: "sacrum"})
    scores = evaluate(other, truth).everywhere
    assert {scores.names[label]: one.dice for label, one in scores.scores.items()} == {
        "hip_left": 1, "rib_left_7": 0, "sacrum": 0,
    }  # fmt: skip


def test_a_name_without_a_voxel_on_either_side_is_said(truth):
    """A mask that is empty, or a class of a whole body that is not in view."""
    named = truth.renumbered({}, {**truth.names, 9: "spleen"})
    result = evaluate(truth, named)
    assert set(result.everywhere.scores) == {1, 2}
    assert result.notes == ("not scored, since neither has a voxel of it: spleen",)
    assert evaluate(truth, truth).notes == ()


def test_names_that_contradict_their_numbers_are_refused(truth):
    other = truth.renumbered({}, {1: "liver", 2: "spleen"})
    with pytest.raises(ImageError, match=r"contradict their numbers.*1 liver.*1 hip_left"):
        evaluate(other, truth)
    # Without names, numbers are all that there is.
    plain = truth.renumbered({}, {})
    assert [s.dice for s in evaluate(plain, truth).everywhere.scores.values()] == [1, 1]


def test_names_that_only_some_labels_have_may_not_cross(truth):
    voxels = truth.voxels.copy()
    voxels[0, 0, 0] = 3  # a label that no name describes
    crossed = LabelMap(voxels, truth.stored, {1: "rib_left_7", 2: "hip_left"})
    with pytest.raises(ImageError, match=r"contradict their numbers.*1 rib_left_7.*1 hip_left"):
        evaluate(crossed, truth)
    same = LabelMap(voxels, truth.stored, {1: "hip_left"})
    scores = evaluate(same, truth).everywhere.scores
    assert {label: one.dice for label, one in scores.items()} == {1: 1, 2: 1, 3: 0}
    twice = truth.renumbered({}, {1: "rib", 2: "rib"})
    assert [one.dice for one in evaluate(twice, twice).everywhere.scores.values()] == [1, 1]


@pytest.mark.parametrize("number", [7, 255])
def test_one_label_on_each_side_is_one_label(truth, number):
    mask = truth.renumbered({2: 0}, {})
    other = mask.renumbered({1: number}, {})
    result = evaluate(mask, other, simulate(mask))
    assert [one.dice for one in result.everywhere.scores.values()] == [1]
    assert f"1 of the prediction was taken for {number} of the truth" in result.notes[0]
    assert [one.dice for one in result.unprompted.scores.values()] == [1]


def test_labels_that_share_voxels_are_scored_as_they_are(truth):
    hip, rib = truth.mask(1), truth.mask(2)
    wide = rib | np.roll(hip, 2, 0)
    both = LabelMap.of_masks([(1, hip), (2, wide)], truth.stored, truth.names)
    assert len(both.further) == 1
    assert both.labels() == (1, 2)
    np.testing.assert_array_equal(both.mask(2), wide)
    np.testing.assert_array_equal(both.mask(1), hip)
    scores = evaluate(both, both, simulate(both))
    assert [one.dice for one in scores.everywhere.scores.values()] == [1, 1]
    drawn = simulate(both, "middle")
    (second,) = drawn.of(2)
    np.testing.assert_array_equal(second.mask, second.axis.to_stack(wide)[second.slice_index])


def test_nothing_to_score_is_refused(truth, like):
    empty = like(truth, np.zeros_like(truth.voxels))
    with pytest.raises(ImageError, match="nothing to score"):
        evaluate(empty, empty)
