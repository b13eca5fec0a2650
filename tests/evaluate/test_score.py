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
    affine[2, 3] += 5
    moved = LabelMap.from_stored(truth.to_stored(), affine)
    with pytest.raises(GridError) as raised:
        evaluate(moved, truth)
    assert moved.grid.describe() in str(raised.value)
    assert truth.grid.describe() in str(raised.value)
    with pytest.raises(GridError, match="the prompts and the truth"):
        evaluate(truth, truth, simulate(moved))


def test_nothing_to_score_is_refused(truth, like):
    empty = like(truth, np.zeros_like(truth.voxels))
    with pytest.raises(ImageError, match="nothing to score"):
        evaluate(empty, empty)
