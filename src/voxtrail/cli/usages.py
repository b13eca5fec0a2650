"""How the parts of a family are written, for help texts."""

from __future__ import annotations

from typing import Any

from voxtrail.core.family import Family
from voxtrail.errors import OptionError


def usages(family: Family[Any]) -> str:
    """Return how every part is written, with its defaults.

    A help text is made before any command runs, so a part of another package that cannot be loaded
    is no error here: the command that needs the family reports it.
    """
    try:
        return "; ".join(family.usages())
    except OptionError as error:
        return f"not listed, because {error.what}"
