"""All measures at once: by hand, and against SimpleITK and MONAI on random masks."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from voxtrail.errors import GridError
from voxtrail.metrics import score

SPACINGS_MM = [(0.7, 1.3, 2.9), (1.0, 1.0, 1.0), (3.1, 0.45, 0.45)]


def blobs(seed, shape=(21, 17, 13), share=0.2):
    """Return two unlike masks with several parts, some at the border."""
    rng = np.random.default_rng(seed)
    noise = [ndimage.gaussian_filter(rng.normal(size=shape), 1.5) for _ in range(2)]
    pair = noise[0], noise[0] + 0.5 * noise[1]
    return [field > np.quantile(field, 1 - share) for field in pair]


def test_two_voxels_2_mm_apart():
    prediction = np.zeros((4, 4, 4), dtype=bool)
    truth = prediction.copy()
    prediction[1, 1, 1], truth[2, 1, 1] = True, True
    assert score(prediction, truth, (2.0, 3.0, 5.0)).to_json() == {
        "dice": 0.0,
        "iou": 0.0,
        "hausdorff_mm": 2.0,
        "hausdorff_vox": 1.0,
        "hausdorff95_mm": 2.0,
        "assd_mm": 2.0,
        "surface_dice_1vox": 1.0,
        "surface_dice_2mm": 1.0,
        "volume_ml": 0.03,
        "truth_volume_ml": 0.03,
    }


def test_a_slab_one_slice_too_thick():
    truth = np.zeros((6, 6, 12), dtype=bool)
    truth[:, :, 2:4] = True
    prediction = truth.copy()
    prediction[:, :, 4] = True
    scores = score(prediction, truth, (1.0, 1.0, 4.0))
    assert scores.dice == pytest.approx(2 * 72 / (108 + 72))
    assert (scores.hausdorff_mm, scores.hausdorff_vox) == (4.0, 1.0)
    # Prediction: 36 voxels at each end and 20 around the middle slice are surface; its last
    # slice lies 4 mm (a voxel) from the truth. All of the truth is surface: the 16 inside its
    # second slice, the prediction's middle one, are 1 or 2 mm from the rim of that slice.
    rim_mm = np.array([[min(i, j, 5 - i, 5 - j) for i in range(6)] for j in range(6)])
    assert scores.assd_mm == pytest.approx((36 * 4 + rim_mm.sum()) / (92 + 72))
    assert scores.surface_dice_1vox == 1
    assert scores.surface_dice_2mm == pytest.approx(1 - 36 / (92 + 72))


def test_empty_masks():
    empty, full = np.zeros((3, 4, 5), dtype=bool), np.ones((3, 4, 5), dtype=bool)
    both = score(empty, empty, (1, 2, 3))
    assert (both.dice, both.iou, both.hausdorff_mm, both.assd_mm) == (1, 1, 0, 0)
    assert (both.hausdorff_vox, both.hausdorff95_mm, both.surface_dice_2mm) == (0, 0, 1)
    for pair in ((empty, full), (full, empty)):
        one = score(*pair, (1, 2, 3))
        assert (one.dice, one.iou, one.surface_dice_1vox, one.surface_dice_2mm) == (0, 0, 0, 0)
        assert {one.hausdorff_mm, one.hausdorff_vox, one.hausdorff95_mm, one.assd_mm} == {None}
        assert json.loads(json.dumps(one.to_json()))["hausdorff_mm"] is None


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(GridError, match=r"\(1, 2, 3\) and \(1, 2, 4\)"):
        score(np.ones((1, 2, 3), dtype=bool), np.ones((1, 2, 4), dtype=bool), (1, 1, 1))


def test_a_mask_stored_the_other_way_round_scores_the_same():
    prediction, truth = blobs(1)
    mirrored = score(
        prediction.transpose(2, 0, 1)[::-1], truth.transpose(2, 0, 1)[::-1], (2.9, 0.7, 1.3)
    )
    straight = score(prediction, truth, (0.7, 1.3, 2.9))
    assert mirrored.to_json() == pytest.approx(straight.to_json())


@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
@pytest.mark.parametrize("seed", range(3))
def test_agreement_with_simpleitk(seed, spacing_mm):
    prediction, truth = blobs(seed)
    expected = by_simpleitk(prediction, truth, spacing_mm)
    scores = score(prediction, truth, spacing_mm)
    in_voxels = by_simpleitk(prediction, truth, (1.0, 1.0, 1.0))
    assert scores.to_json() == pytest.approx(
        {
            "dice": expected.dice,
            "iou": expected.iou,
            "hausdorff_mm": expected.distances.max(),
            "hausdorff_vox": in_voxels.distances.max(),
            "hausdorff95_mm": expected.percentile95,
            "assd_mm": expected.distances.mean(),
            "surface_dice_1vox": (in_voxels.distances <= 1).mean(),
            "surface_dice_2mm": (expected.distances <= 2).mean(),
            "volume_ml": expected.volumes_ml[0],
            "truth_volume_ml": expected.volumes_ml[1],
        },
        rel=1e-6,
    )


def by_simpleitk(prediction, truth, spacing_mm):
    """Measure with SimpleITK's overlap, contour and distance-map filters."""
    import SimpleITK

    images, contours, maps = [], [], []
    for mask in (prediction, truth):
        # A margin of background: SimpleITK takes no contour at the image's own border.
        padded = np.pad(mask, 1).astype(np.uint8)
        image = SimpleITK.GetImageFromArray(padded.transpose(2, 1, 0))  # array (k, j, i)
        image.SetSpacing(spacing_mm)
        contour = SimpleITK.LabelContour(image, fullyConnected=False)
        distance = SimpleITK.SignedMaurerDistanceMap(
            contour, squaredDistance=False, useImageSpacing=True
        )
        images.append(image)
        contours.append(SimpleITK.GetArrayFromImage(contour) > 0)
        maps.append(np.maximum(SimpleITK.GetArrayFromImage(distance), 0))  # negative inside
    overlap = SimpleITK.LabelOverlapMeasuresImageFilter()
    overlap.Execute(*images)
    ways = maps[1][contours[0]], maps[0][contours[1]]
    shape = SimpleITK.LabelShapeStatisticsImageFilter()
    volumes_ml = []
    for image in images:
        shape.Execute(image)
        volumes_ml.append(shape.GetPhysicalSize(1) / 1000)
    return SimpleNamespace(
        dice=overlap.GetDiceCoefficient(),
        iou=overlap.GetJaccardCoefficient(),
        distances=np.concatenate(ways),
        percentile95=max(np.percentile(way, 95) for way in ways),
        volumes_ml=volumes_ml,
    )


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")  # MONAI's own call
@pytest.mark.parametrize("spacing_mm", SPACINGS_MM)
@pytest.mark.parametrize("seed", range(3))
def test_agreement_with_monai(seed, spacing_mm):
    monai = pytest.importorskip("monai.metrics", reason="MONAI is not installed")
    import torch

    prediction, truth = blobs(seed)
    scores = score(prediction, truth, spacing_mm)
    pair = [torch.from_numpy(mask)[None, None] for mask in (prediction, truth)]
    options = {"include_background": True, "spacing": list(spacing_mm)}
    expected = {
        "dice": monai.compute_dice(*pair),
        "iou": monai.compute_iou(*pair),
        "hausdorff_mm": monai.compute_hausdorff_distance(*pair, **options),
        "hausdorff95_mm": monai.compute_hausdorff_distance(*pair, percentile=95, **options),
        "hausdorff_vox": monai.compute_hausdorff_distance(*pair, include_background=True),
        "assd_mm": monai.compute_average_surface_distance(*pair, symmetric=True, **options),
        "surface_dice_1vox": monai.compute_surface_dice(*pair, [1.0], include_background=True),
        "surface_dice_2mm": monai.compute_surface_dice(*pair, [2.0], **options),
    }
    for name, value in expected.items():
        # MONAI interpolates its percentile in float32.
        tolerance = 1e-5 if name == "hausdorff95_mm" else 1e-6
        assert getattr(scores, name) == pytest.approx(float(value), rel=tolerance), name
