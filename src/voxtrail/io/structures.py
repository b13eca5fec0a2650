"""The choice of structures by name (``--structures``, ``structures=``) from a file that holds many.

A label without a name is called by its number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from voxtrail.errors import OptionError

#: Names are quoted up to this many characters.
_QUOTE = 2000


def split(text: str | None) -> tuple[str, ...]:
    """Return the names in a text: commas join, and a name with a comma stands in double quotes.

    None, for no choice, gives no name.

    Examples
    --------
    >>> split('liver, "Lung, left"')
    ('liver', 'Lung, left')
    """
    if text is None:
        return ()
    names = next(csv.reader([" ".join(text.split())], skipinitialspace=True))
    return tuple(name.strip() for name in names) or ("",)


def chosen(names: Mapping[int, str], wanted: Sequence[str], path: Path) -> frozenset[int]:
    """Return the labels of the structures that are wanted; all of them where none is named.

    Parameters
    ----------
    names
        What each label of the file is called.
    wanted
        Names, which have to be exactly those of the file.
    path
        The file, for messages.

    Raises
    ------
    OptionError
        If a name is not among the file's, which the message lists.
    """
    unknown = [name for name in wanted if name not in names.values()]
    if unknown:
        raise OptionError(
            f"{path} has no structure of this name",
            received=listed(unknown),
            accepted=listed(names.values()) or "no structure at all",
            remedy="choose among them with --structures (structures=)",
        )
    return frozenset(label for label, name in names.items() if not wanted or name in wanted)


def listed(names: Iterable[str]) -> str:
    """Return names as `split` takes them, cut where they are very many."""
    said = ", ".join(f'"{name}"' if "," in name else name for name in names)
    return said if len(said) <= _QUOTE else f"{said[:_QUOTE]}..."
