"""A scan and its labels in a notebook: a viewer where there is one, a sheet elsewhere."""

from __future__ import annotations

import base64
import io
from functools import cached_property
from typing import Any

from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.picture.contact_sheet import contact_sheet
from voxtrail.picture.viewer import can_be_shown, viewer

#: Width in pixels and JPEG quality of the sheet between a notebook's lines, so that a notebook that
#: is kept stays small; files have all of it.
WIDTH_PIXELS, QUALITY = 1000, 85


def show(volume: Volume, labels: LabelMap, prompts: Prompts | None = None) -> View:
    """Show a scan with its labels.

    In Jupyter with ``voxtrail[notebook]`` it is a viewer (NiiVue) with three planes and the labels
    in space; otherwise, and wherever the notebook is read later, a sheet of slices with outlines.

    Parameters
    ----------
    volume
        The scan.
    labels
        On the scan's grid.
    prompts
        What was drawn: its slices are marked on the sheet.

    Returns
    -------
    View
        A notebook displays it when it is a cell's last value; elsewhere, see `View.sheet`.

    Raises
    ------
    GridError
        If the labels or the prompts lie on another grid than the scan.
    """
    view = View(volume, labels, prompts)
    _ = view.sheet  # a wrong grid is told here, not when the view is displayed
    return view


class View:
    """What `show` returns.

    Parameters
    ----------
    volume, labels, prompts
        See `show`.
    """

    def __init__(self, volume: Volume, labels: LabelMap, prompts: Prompts | None = None) -> None:
        self._volume = volume
        self._labels = labels
        self._prompts = prompts

    @cached_property
    def sheet(self) -> bytes:
        """The sheet: a PNG file; see `voxtrail.picture.contact_sheet`."""
        return contact_sheet(self._volume, self._labels, self._prompts)

    def __repr__(self) -> str:
        count = len(self._labels.labels())
        return f"<View of {count} labels; .sheet holds a PNG>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        shown = {"text/plain": repr(self), "image/jpeg": _smaller(self.sheet)}
        if can_be_shown():
            bundle = viewer(self._volume, self._labels)._repr_mimebundle_()
            # Some releases return metadata beside it.
            widget = bundle[0] if isinstance(bundle, tuple) else bundle
            shown = {**(widget or {}), **shown}
        return shown


def _smaller(png: bytes) -> str:
    """Return a picture at the width of a notebook: JPEG in base64."""
    from PIL import Image

    whole = Image.open(io.BytesIO(png)).convert("RGB")
    height = round(whole.height * WIDTH_PIXELS / whole.width)
    place = io.BytesIO()
    smaller = whole.resize((WIDTH_PIXELS, height), Image.Resampling.LANCZOS)
    smaller.save(place, "JPEG", quality=QUALITY, subsampling=0)  # thin lines keep their colours
    return base64.b64encode(place.getvalue()).decode()
