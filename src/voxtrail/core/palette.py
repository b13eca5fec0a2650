"""One colour a label, the same in every picture and file of a segmentation."""

from __future__ import annotations

from collections.abc import Iterable

#: Bright and far from grey, as #rrggbb.
PALETTE = (
    "#ff4d4d", "#3ddc5f", "#4fa3ff", "#ffd92f", "#ff8c2e", "#c77dff",
    "#2ee6e6", "#ff5ccd", "#b8f03c", "#ffb3c6", "#12b89a", "#d6bcff",
)  # fmt: skip


def colours(labels: Iterable[int]) -> dict[int, str]:
    """Return a colour for each label: the n-th of them takes the n-th, over again after the last.

    Examples
    --------
    >>> colours([7, 2])
    {2: '#ff4d4d', 7: '#3ddc5f'}
    """
    return {label: PALETTE[rank % len(PALETTE)] for rank, label in enumerate(sorted(labels))}


def rgb(colour: str) -> tuple[int, int, int]:
    """Return red, green and blue, 0 to 255, of a colour written as #rrggbb."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue
