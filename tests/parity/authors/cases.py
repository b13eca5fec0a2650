"""What the authors' predictors and voxtrail are both asked, on random weights."""

from __future__ import annotations

from tests.parity.reference import Case, disc
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt

#: Slices of the stack.
SLICES = 7
BOX = BoxPrompt(1, Axis.AXIAL, 0, (18.0, 20.0, 38.0, 41.0))
CLICKS = PointPrompt(1, Axis.AXIAL, 4, ((36.0, 38.0), (5.0, 7.0)), (True, False))


def cases(shape_hw: tuple[int, int]) -> dict[str, Case]:
    """Return cases of one object on slices of a shape."""

    def outlines(*indices: int) -> tuple[MaskPrompt, ...]:
        return tuple(MaskPrompt(1, Axis.AXIAL, at, disc(at, shape_hw)) for at in indices)

    return {
        "first and last": Case({1: outlines(0, 6)}),
        "reverse": Case({1: outlines(0, 6)}, start=6, reverse=True),
        "box": Case({1: (BOX,)}),
        "clicks, reverse": Case({1: (CLICKS,)}, start=4, reverse=True),
        "six outlines": Case({1: outlines(0, 1, 2, 4, 5, 6)}),
    }
