"""The moving picture: every slice once, in order, with outlines in the labels' colours."""

import io

import numpy as np
import pytest
from PIL import Image

from voxtrail.core.palette import PALETTE, rgb
from voxtrail.core.volume import LabelMap
from voxtrail.errors import GridError
from voxtrail.picture import scroll


def frames(gif: bytes) -> list[np.ndarray]:
    with Image.open(io.BytesIO(gif)) as image:
        found = []
        for number in range(image.n_frames):
            image.seek(number)
            found.append(np.array(image.convert("RGB")))
        return found


def places(frame: np.ndarray, colour: str) -> np.ndarray:
    """(row, column) of the pixels of a colour in the slice, above the names."""
    return np.argwhere((frame[:-40] == rgb(colour)).all(axis=-1))


def test_outlines_are_on_the_labelled_slices_in_their_colours(volume, labels, prompts):
    shown = frames(scroll(volume, labels, prompts))
    # z 5..12 of 20 and 15 mm around, 4 mm a slice: from slice 1 to slice 16.
    assert len(shown) == 16
    first = [number for number, frame in enumerate(shown, 1) if len(places(frame, PALETTE[0]))]
    second = [number for number, frame in enumerate(shown, 1) if len(places(frame, PALETTE[1]))]
    assert (first, second) == (list(range(5, 13)), [8])
    # x 40..49 and y 10..19 of 1 x 2 mm, shown with 15 mm around: x 25..59 (35 mm), y 2..27 (52 mm),
    # so 480 pixels are 52 mm; the front is up and the patient's right, high x, is on the left.
    rows, columns = places(shown[6], PALETTE[0]).T
    scale = 480 / 52
    left = (480 - 35 * scale) / 2
    np.testing.assert_allclose(columns.min(), left + (60 - 50) * scale, atol=2)
    np.testing.assert_allclose(columns.max(), left + (60 - 40) * scale, atol=2)
    np.testing.assert_allclose(rows.min(), 14 + (28 - 20) * 2 * scale, atol=2)
    np.testing.assert_allclose(rows.max(), 14 + (28 - 10) * 2 * scale, atol=2)


def test_prompted_slices_have_a_white_frame(volume, labels, prompts):
    shown = frames(scroll(volume, labels, prompts))
    left = round((480 - 35 * 480 / 52) / 2)
    framed = [n for n, frame in enumerate(shown, 1) if (frame[100:200, left + 1] == 255).all()]
    assert framed == [5, 12]


def test_an_empty_segmentation_and_many_strange_names_are_shown(volume, labels):
    empty = LabelMap(np.zeros_like(labels.voxels), labels.stored)
    assert len(frames(scroll(volume, empty))) == 20
    voxels = np.zeros(labels.voxels.shape, np.uint16)
    voxels[5:45, 5, 5] = np.arange(1000, 1040)
    many = LabelMap(voxels, labels.stored, {1000: "骨 größer $x_1$ " * 9})
    assert len(frames(scroll(volume, many))) > 1


def test_another_grid_is_refused(volume, labels):
    moved = labels.stored.affine + np.diag([0, 0, 1.0, 0])
    with pytest.raises(GridError):
        scroll(volume, LabelMap.from_stored(labels.to_stored(), moved))
