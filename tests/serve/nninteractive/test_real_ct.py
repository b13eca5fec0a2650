"""Real CT through the real client, voxel for voxel as ``vt.segment`` finds it in the file.

Axis order is where such bridges break, so the scans are anisotropic, oblique and stored in several
orders; clients read them with SimpleITK, as they do.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

import voxtrail as vt
from tests.serve.nninteractive.conftest import only
from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.session import Config

BONE = "hip_left"


def turned(image: SimpleITK.Image, degrees: float) -> SimpleITK.Image:
    """Return an image whose axes lie obliquely in the patient; its voxels stay."""
    a, b = np.radians([degrees, -degrees / 2])
    about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    about_z = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    own = np.array(image.GetDirection()).reshape(3, 3)
    image = SimpleITK.Image(image)
    image.SetDirection((about_x @ about_z @ own).ravel().tolist())
    return image


@pytest.fixture(scope="module")
def pelvis(ct_data: Path) -> tuple[SimpleITK.Image, SimpleITK.Image]:
    """Return scan and label, stored to the left, back and up; of every second slice, and turned."""
    folder = ct_data / "totalseg_mini" / "s0000"
    found = []
    for file in (folder / "ct.nii.gz", folder / "segmentations" / f"{BONE}.nii.gz"):
        image = SimpleITK.DICOMOrient(SimpleITK.ReadImage(str(file)), "LPS")
        found.append(turned(image[:, :, ::2], 15))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("order", "axis"),
    [("LPS", Axis.AXIAL), ("LPS", Axis.CORONAL), ("LSP", Axis.AXIAL), ("RAS", Axis.AXIAL)],
)
def test_an_outline_gives_what_segment_gives(served, connect, pelvis, tiny, tmp_path, axis, order):
    """Stored as clients take for granted; sagittal slices first; and mirrored.

    Nobody tells the server how the last two lie in the patient, so there ``vt.segment`` is asked
    about the same voxels in the directions that the server takes them for.
    """
    scan, label = (SimpleITK.DICOMOrient(image, order) for image in pelvis)
    if order == "LPS":
        assert scan.GetSpacing()[2] == 2 * scan.GetSpacing()[0]
    else:
        identity = turned(scan, 0)
        identity.SetDirection(np.eye(3).ravel().tolist())
        label.SetDirection(np.eye(3).ravel().tolist())
        scan = identity
    file = tmp_path / "ct.nii.gz"
    SimpleITK.WriteImage(scan, str(file))
    array, truth = (SimpleITK.GetArrayFromImage(one) for one in (scan, label))

    ct = vt.read(file)
    stored_axis = ct.stored.orientation().axes[axis.value]
    along = 2 - stored_axis  # of the array (z, y, x)
    filled = np.flatnonzero(truth.any(axis=tuple({0, 1, 2} - {along})))
    index = int(filled[len(filled) // 2])

    client = connect(served)
    client.set_image(array[None], {"spacing": scan.GetSpacing()[::-1]})
    client.set_target_buffer(np.zeros(array.shape, np.uint8))
    part, bounds = only((truth > 0).astype(np.uint8), along, index)
    client.add_lasso_interaction(part, True, interaction_bbox=bounds)

    frame = SliceFrame.of(ct.stored, axis)
    drawn = np.take(truth, index, axis=along).T > 0  # (stored low axis, stored high axis)
    mask = np.ascontiguousarray(frame.mask_to_slice(drawn))
    prompt = MaskPrompt(1, axis, frame.slice_number(index), mask)
    config = Config(extent="object", axes=(axis.label,), quality=False)
    expected = vt.segment(ct, Prompts((prompt,), ct.stored), config, model=tiny)
    found = expected.labels.stored.orientation().to_stored(expected.labels.mask(1)).T
    assert found.any()
    np.testing.assert_array_equal(client.target_buffer > 0, found)
    client.close()


def test_a_dicom_series(served, connect, ct_data, tiny):
    """512 x 512 x 20 voxels of 0.98 x 0.98 x 2 mm: a box on one slice, and two outlines."""
    folder = ct_data / "dicom_ct" / "example_ct_dicom"
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    if not names:
        pytest.skip("SimpleITK finds no series")
    scan = SimpleITK.ReadImage(names)
    array = SimpleITK.GetArrayFromImage(scan)
    client = connect(served)
    client.set_image(array[None], {"spacing": scan.GetSpacing()[::-1]})
    client.set_target_buffer(np.zeros(array.shape, np.uint8))
    square = np.ones((1, 60, 80), np.uint8)
    for z in (3, 9):
        client.add_lasso_interaction(
            square, True, interaction_bbox=[[z, z + 1], [200, 260], [150, 230]]
        )
    ct = vt.read(folder)
    prompts = []
    for z in (3, 9):
        outlined = np.zeros(array.shape, bool)
        outlined[z, 200:260, 150:230] = True
        canonical = ct.stored.orientation().to_canonical(_as_stored(outlined, scan, ct.stored))
        stack = Axis.AXIAL.to_stack(canonical)
        (number,) = np.flatnonzero(stack.any(axis=(1, 2)))
        prompts.append(MaskPrompt(1, Axis.AXIAL, int(number), stack[number].copy()))
    config = Config(extent="object", quality=False)
    expected = vt.segment(ct, Prompts(tuple(prompts), ct.stored), config, model=tiny)
    found = ct.stored.orientation().to_stored(expected.labels.mask(1))
    np.testing.assert_array_equal(_as_stored(client.target_buffer > 0, scan, ct.stored), found)


def _as_stored(array: np.ndarray, scan: SimpleITK.Image, stored: Grid) -> np.ndarray:
    """Return an array (z, y, x) of SimpleITK's in the order in which voxtrail read the series."""
    image = SimpleITK.GetImageFromArray(array.astype(np.uint8))
    image.CopyInformation(scan)
    letters = ("LR", "PA", "IS")
    orientation = stored.orientation()
    code = [""] * 3
    for body, (along, flip) in enumerate(zip(orientation.axes, orientation.flips, strict=True)):
        # SimpleITK names the direction in which an axis grows.
        code[along] = letters[body][0 if flip else 1]
    moved = SimpleITK.DICOMOrient(image, "".join(code))
    return SimpleITK.GetArrayFromImage(moved).T > 0
