import io

import numpy as np
import pytest
from matplotlib import image
from matplotlib._pylab_helpers import Gcf
from matplotlib.colors import to_rgb

from voxtrail.core.palette import PALETTE
from voxtrail.core.volume import LabelMap
from voxtrail.picture import contact_sheet
from voxtrail.picture.contact_sheet import DPI
from voxtrail.picture.layout import WIDTH_IN, Layout
from voxtrail.picture.scene import Scene


def pixels(png):
    assert png.startswith(b"\x89PNG\r\n")
    return image.imread(io.BytesIO(png), format="png")[..., :3]  # (row, column, RGB), 0..1


def shown(picture, rectangle):
    """Return the pixels of a rectangle in shares of the sheet from its lower left."""
    high, wide = picture.shape[:2]
    left, bottom, width, height = rectangle
    rows = slice(round((1 - bottom - height) * high), round((1 - bottom) * high))
    return picture[rows, round(left * wide) : round((left + width) * wide)]


def share_of(picture, colour):
    """Return the share of pixels that have a colour, within what blending leaves of it."""
    return np.mean(np.abs(picture - to_rgb(colour)).max(axis=-1) < 0.1)


@pytest.fixture(scope="module")
def sheet(volume, labels, prompts):
    return pixels(contact_sheet(volume, labels, prompts))


@pytest.fixture(scope="module")
def panels(volume, labels, prompts):
    scene = Scene.around(volume, labels, prompts)
    layout = Layout.of(scene.size_mm, 8, 2)
    return [*layout.axial, layout.coronal, layout.sagittal]


def test_every_panel_shows_the_outline_in_its_colour(sheet, panels):
    assert sheet.shape[1] == round(WIDTH_IN * DPI)
    assert all(share_of(shown(sheet, panel), PALETTE[0]) > 0.002 for panel in panels)
    # The second label lies on the fourth of the axial slices 5..12 alone.
    with_second = [share_of(shown(sheet, panel), PALETTE[1]) > 0.0005 for panel in panels[:8]]
    assert with_second == [False] * 3 + [True] + [False] * 4


def test_prompted_slices_and_no_others_have_a_white_frame(sheet, panels):
    tops = [shown(sheet, panel)[:2].mean() > 0.8 for panel in panels]
    assert tops == [True] + [False] * 6 + [True] + [False] * 2


def test_the_patients_right_is_on_the_left(volume, labels, panels):
    lit = volume.voxels.copy()
    lit[...] = -1000
    lit[45:] = 1000  # RAS+: the right
    picture = pixels(contact_sheet(type(volume)(lit, volume.stored), labels))
    for panel in (panels[0], panels[8]):
        part = shown(picture, panel)
        middle = part.shape[1] // 2
        assert part[:, :middle].mean() > 0.5 > part[:, middle:].mean()


def test_an_empty_segmentation_shows_the_scan(volume, labels):
    empty = LabelMap(np.zeros_like(labels.voxels), labels.stored)
    picture = pixels(contact_sheet(volume, empty))
    assert all(share_of(picture, colour) == 0 for colour in PALETTE)
    assert share_of(picture, (500 / 1800,) * 3) > 0.3  # 0 HU in the bone window


def test_names_are_shown_as_they_are_and_no_figure_stays_behind(volume, labels):
    before = Gcf.get_all_fig_managers()
    voxels = np.zeros_like(labels.voxels)
    voxels[0, 0, 0], voxels[1, 0, 0], voxels[3, 0, 0], voxels[5, 0, 0] = 1, 2, 3, 4
    names = {1: "$x_1$ $", 2: "_hidden", 3: "骨盆", 4: "a" * 60}
    assert contact_sheet(volume, LabelMap(voxels, labels.stored, names))
    assert Gcf.get_all_fig_managers() == before
