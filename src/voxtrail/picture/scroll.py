"""A moving picture that goes through a segmentation slice by slice, outlines and all: a GIF."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.palette import PALETTE, rgb
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.picture.contact_sheet import DISCLAIMER
from voxtrail.picture.scene import BLACK_HU, WHITE_HU, Scene

#: The longer side of a slice.
SIDE_PIXELS = 480
#: At most so many slices are shown, evenly spread.
FRAMES = 240
#: How long a slice is shown.
SLICE_MS = 90
#: Frames have a palette of their own, so that no grey or colour is dithered: first the greys, of
#: which the last is white, then the colours of the labels.
GREYS = 240
WHITE = GREYS - 1
#: Lines of text above and below the slice.
LINE_PIXELS = 14
#: Names that stand in one line below it.
NAMES_A_LINE = 3
#: A line of names holds so many characters of each.
NAME_LENGTH = 22


def scroll(volume: Volume, labels: LabelMap, prompts: Prompts | None = None) -> bytes:
    """Draw the axial slices around the labels from the feet up, one after the other.

    The part around the labels is shown in a bone window, in its true proportions, with the outline
    of each label in its colour, those of `contact_sheet`. Prompted slices have a white frame.
    Slices carry the numbers of the stored file: array axis i, j or k, and index from 0. The
    patient's right is on the left.

    Parameters
    ----------
    volume
        The scan.
    labels
        On the scan's grid; where no voxel has a label, the whole scan is shown.
    prompts
        What was drawn, on the scan's grid.

    Returns
    -------
    bytes
        A GIF file that starts over at its end.

    Raises
    ------
    GridError
        If the labels or the prompts lie on another grid than the scan.
    """
    scene = Scene.around(volume, labels, prompts)
    present = labels.labels()
    names = [labels.name(label) for label in present]
    slices = scene.hu.shape[Axis.AXIAL.value]
    shown = sorted({round(float(n)) for n in np.linspace(0, slices - 1, min(slices, FRAMES))})
    prompted = scene.prompted(Axis.AXIAL)
    frames = [_frame(scene, index, present, names, framed=index in prompted) for index in shown]
    gif = io.BytesIO()
    frames[0].save(
        gif,
        format="GIF",
        save_all=True,
        append_images=frames[1:],
        duration=SLICE_MS,
        loop=0,
        optimize=False,
    )
    return gif.getvalue()


def _frame(
    scene: Scene, index: int, present: tuple[int, ...], names: list[str], *, framed: bool
) -> Any:
    """Draw one slice with its number, sides, names and, if it was prompted, its frame."""
    from PIL import Image, ImageDraw

    pixels = _pixels(scene, index, present)
    height, width = pixels.shape
    if framed:
        pixels[:2] = pixels[-2:] = pixels[:, :2] = pixels[:, -2:] = WHITE
    lines = -(-len(names) // NAMES_A_LINE)
    canvas = np.zeros((height + (lines + 2) * LINE_PIXELS, max(width, SIDE_PIXELS)), np.uint8)
    left = (canvas.shape[1] - width) // 2
    canvas[LINE_PIXELS : LINE_PIXELS + height, left : left + width] = pixels
    image = Image.fromarray(canvas, "P")
    image.putpalette(_palette())
    draw = ImageDraw.Draw(image)
    number = f"axial  {scene.stored_name(Axis.AXIAL, index)}" + ("   prompted" if framed else "")
    draw.text((4, 1), number, fill=WHITE)
    middle = LINE_PIXELS + height // 2
    draw.text((left + 4, middle), "R", fill=WHITE)
    draw.text((left + width - 10, middle), "L", fill=WHITE)
    for rank, name in enumerate(names):
        line, column = divmod(rank, NAMES_A_LINE)
        place = 4 + column * canvas.shape[1] // NAMES_A_LINE, middle + (height + 1) // 2
        # Pillow's own font has Latin letters only.
        text = name.encode("latin-1", "replace").decode("latin-1")[:NAME_LENGTH]
        draw.text((place[0], place[1] + line * LINE_PIXELS), text, fill=_ink(rank))
    draw.text((4, canvas.shape[0] - LINE_PIXELS), DISCLAIMER, fill=WHITE)
    return image


def _pixels(scene: Scene, index: int, present: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return a slice in its true proportions as numbers of the palette."""
    from PIL import Image
    from scipy.ndimage import maximum_filter, minimum_filter

    hu, labels = Axis.AXIAL.to_stack(scene.hu)[index], Axis.AXIAL.to_stack(scene.labels)[index]
    row_mm, column_mm = scene.pixel_mm(Axis.AXIAL)
    rows, columns = hu.shape
    scale = SIDE_PIXELS / max(rows * row_mm, columns * column_mm)
    high, wide = max(round(rows * row_mm * scale), 1), max(round(columns * column_mm * scale), 1)
    grey = np.clip((hu - BLACK_HU) / (WHITE_HU - BLACK_HU), 0, 1) * WHITE
    image = Image.fromarray(np.rint(grey).astype(np.uint8))
    pixels = np.array(image.resize((wide, high), Image.Resampling.BILINEAR))
    nearest = labels[
        np.ix_(
            ((np.arange(high) + 0.5) * rows / high).astype(int),
            ((np.arange(wide) + 0.5) * columns / wide).astype(int),
        )
    ]
    ranks = np.searchsorted(present, nearest)  # background counts for nothing below
    edge = (maximum_filter(nearest, 3) != nearest) | (minimum_filter(nearest, 3) != nearest)
    edge &= nearest != 0
    pixels[edge] = GREYS + ranks[edge] % len(PALETTE)
    return pixels


def _ink(rank: int) -> int:
    return GREYS + rank % len(PALETTE)


def _palette() -> list[int]:
    greys = [round(level * 255 / WHITE) for level in range(GREYS) for _ in range(3)]
    return greys + [part for colour in PALETTE for part in rgb(colour)]
