"""Families of models that share SAM 2's way of remembering, one a file.

A family says which checkpoints are its own and what loads them. A new one is a new file here, or a
class that another package names in the entry point group ``voxtrail.model.families``.
"""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.errors import WeightsError
from voxtrail.model.families.base import Checkpoint, ModelFamily

FAMILIES: Family[ModelFamily] = Family(
    "voxtrail.model.families",
    ModelFamily,  # type: ignore[type-abstract]
    "family of models",
)


def family_of(checkpoint: Checkpoint) -> ModelFamily:
    """Return the family to which a checkpoint belongs.

    Raises
    ------
    WeightsError
        If it is none's.
    """
    known = [FAMILIES.parse(name) for name in FAMILIES.members()]
    for family in known:
        if family.recognises(checkpoint):
            return family
    raise WeightsError(
        f"{checkpoint.described} is not SAM 2's, nor of another model that is known",
        received=checkpoint.received,
        accepted="; ".join(family.accepted for family in known),
        remedy="pass such a checkpoint",
    )


__all__ = ["FAMILIES", "Checkpoint", "ModelFamily", "family_of"]
