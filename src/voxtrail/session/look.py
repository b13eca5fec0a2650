"""How a label is shown, and whether it may be drawn on: kept with a session, not undone."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any

from voxtrail.core.palette import PALETTE
from voxtrail.errors import OptionError

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Look:
    """How one label is shown.

    Parameters
    ----------
    colour
        As ``#rrggbb``.
    visible
        Whether it is shown.
    locked
        Whether what is drawn of it stays as it is.

    Raises
    ------
    OptionError
        If the colour is none.
    """

    colour: str
    visible: bool = True
    locked: bool = False

    def __post_init__(self) -> None:
        if not _COLOUR.fullmatch(self.colour):
            raise OptionError(
                "this is no colour",
                received=self.colour[:50],
                accepted="#rrggbb, six hexadecimal digits",
                remedy="write for example #ff4d4d",
            )

    @classmethod
    def of_label(cls, label: int) -> Look:
        """Return the look of a label that was given none: a colour of the palette."""
        return cls(PALETTE[(label - 1) % len(PALETTE)])

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values."""
        return asdict(self)
