"""From Hounsfield units to the grey levels that the model sees, and the box that is cut out.

`parse_preprocess` reads what a person writes after ``--window``, `describe` writes it.
"""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.errors import OptionError
from voxtrail.preprocess.base import Transform
from voxtrail.preprocess.beyond_outlines import follow_mask
from voxtrail.preprocess.clahe import Clahe
from voxtrail.preprocess.crop import MARGIN_MM, around_prompts, check_margin, parse_roi, roi_text
from voxtrail.preprocess.follow import CropPlan, fitting_margin_mm, plan_crop
from voxtrail.preprocess.minmax import MinMax
from voxtrail.preprocess.reroute import rerouted
from voxtrail.preprocess.window import NAMED_WINDOWS, Window
from voxtrail.preprocess.window_clahe import WindowClahe

__all__ = [
    "MARGIN_MM",
    "TRANSFORMS",
    "Clahe",
    "CropPlan",
    "MinMax",
    "Transform",
    "Window",
    "WindowClahe",
    "around_prompts",
    "check_margin",
    "describe",
    "fitting_margin_mm",
    "follow_mask",
    "parse_preprocess",
    "parse_roi",
    "plan_crop",
    "rerouted",
    "roi_text",
]

#: Every transform of this package, for the full spelling ``clahe:clip_limit=0.02,tiles=4``.
TRANSFORMS = Family("voxtrail.preprocess", Transform, "preprocessing")  # type: ignore[type-abstract]

_PLUS_CLAHE = "+clahe"


def parse_preprocess(text: str) -> Transform:
    """Build the preprocessing that ``text`` names.

    Parameters
    ----------
    text
        A window (``bone``, ``soft``, ``lung``, ``brain`` or ``LEVEL,WIDTH`` in HU), ``none`` (the
        scan's own range), ``clahe``, a window followed by ``+clahe``, or a transform with its
        options (``clahe:clip_limit=0.02,tiles=4``). Case does not matter.

    Raises
    ------
    OptionError
        If nothing has that name or a value does not fit; lists the valid ones.

    Examples
    --------
    >>> parse_preprocess("soft")
    Window(level_hu=40.0, width_hu=400.0)
    >>> parse_preprocess("300,1500+clahe")
    WindowClahe(level_hu=300.0, width_hu=1500.0, clip_limit=0.01, tiles=8)
    """
    spelled = text.strip().lower()
    window = _window(spelled.removesuffix(_PLUS_CLAHE))
    if window is not None and spelled.endswith(_PLUS_CLAHE):
        return WindowClahe(window.level_hu, window.width_hu)
    if window is not None:
        return window
    if spelled.partition(":")[0] in TRANSFORMS.members():
        return TRANSFORMS.parse(spelled)
    names = ", ".join(NAMED_WINDOWS)
    raise OptionError(
        "unknown window or preprocessing",
        received=text,
        accepted=f"{names}, LEVEL,WIDTH, none, clahe, any window followed by {_PLUS_CLAHE}; "
        f"with options: {', '.join(TRANSFORMS.usages())}",
        remedy="name one of them",
    )


def describe(transform: Transform) -> str:
    """Return the shortest text from which `parse_preprocess` builds ``transform`` again.

    Examples
    --------
    >>> describe(Window()), describe(WindowClahe(300, 1500)), describe(Clahe(clip_limit=0.02))
    ('bone', '300,1500+clahe', 'clahe:clip_limit=0.02,tiles=8')
    """
    if isinstance(transform, Window):
        return _window_text(transform)
    if isinstance(transform, WindowClahe):
        window = Window(transform.level_hu, transform.width_hu)
        if transform == WindowClahe(transform.level_hu, transform.width_hu):
            return _window_text(window) + _PLUS_CLAHE
    name = type(transform).name
    return name if transform == type(transform)() else TRANSFORMS.spec(transform)


def _window(text: str) -> Window | None:
    if text in NAMED_WINDOWS:
        return NAMED_WINDOWS[text]
    try:
        level_hu, width_hu = (float(part) for part in text.split(","))
    except ValueError:
        return None
    return Window(level_hu, width_hu)


def _window_text(window: Window) -> str:
    for name, named in NAMED_WINDOWS.items():
        if window == named:
            return name
    return ",".join(repr(value).removesuffix(".0") for value in (window.level_hu, window.width_hu))
