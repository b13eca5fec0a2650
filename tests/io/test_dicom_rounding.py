"""Positions that a scanner rounded before it wrote them are even; a missing slice is none of it."""

import copy

import pytest

import voxtrail.io as vio
from tests.io import series
from voxtrail.errors import ImageError


def rounded(spacing_mm, digit_mm, slices=24, thickness=None, text="{:g}"):
    """A straight series whose positions were rounded to a digit before they were written."""
    first = series.classic()[0]
    images = []
    for number in range(slices):
        one = copy.deepcopy(first)
        one.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        place = round((-100.0 + number * spacing_mm) / digit_mm + 1e-9) * digit_mm
        one.ImagePositionPatient = ["-40", "-30.5", text.format(round(place, 6))]
        one.SliceThickness = spacing_mm if thickness is None else thickness
        one.SOPInstanceUID = f"1.2.3.{number + 1}"
        images.append(one)
    return images


@pytest.mark.parametrize("thickness", [None, 0, 4.0])
@pytest.mark.parametrize("text", ["{:g}", "{:.1f}"])
@pytest.mark.parametrize(
    ("spacing_mm", "digit_mm"), [(0.625, 0.1), (1.25, 0.1), (2.5, 1), (0.6, 0.01), (0.75, 0.1)]
)
def test_positions_that_were_rounded_are_even_and_said(
    spacing_mm, digit_mm, text, thickness, tmp_path
):
    if text == "{:.1f}" and digit_mm < 0.1:
        pytest.skip("that rounds once more")
    images = rounded(spacing_mm, digit_mm, thickness=thickness, text=text)
    scan = vio.read(series.save(images, tmp_path / "ct"))
    # The header's spacing where it fits, else the mean of what was rounded.
    off_mm = 0 if thickness is None else digit_mm
    assert scan.stored.spacing_mm[2] == pytest.approx(spacing_mm, abs=off_mm / 23 + 1e-9)
    assert scan.stored.affine[:3, 3] == pytest.approx([40, 30.5, -100], abs=digit_mm / 2)
    assert any("placed evenly" in note for note in scan.provenance.notes) == (digit_mm > 0.01)


@pytest.mark.parametrize("missing", [1, 11, 22])
@pytest.mark.parametrize(("spacing_mm", "digit_mm"), [(0.625, 0.1), (2.5, 1), (3.0, 1)])
def test_a_missing_slice_is_no_rounding(spacing_mm, digit_mm, missing, tmp_path):
    images = rounded(spacing_mm, digit_mm)
    del images[missing]
    with pytest.raises(ImageError, match="unevenly spaced or missing slices"):
        vio.read(series.save(images, tmp_path / "ct"))
