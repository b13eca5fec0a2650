"""The ten bone types of the paper and the TotalSegmentator classes that count as each.

Left and right, and the bones of a series, are one type (Table III).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from voxtrail.errors import InputError

#: A structure counts where it is on more than six axial slices (paper, appendix B-A).
LEAST_SLICES = 7

#: How a type's classes came together.
Merging = Literal["identity", "bilateral union", "serial union", "serial and bilateral union"]


@dataclass(frozen=True)
class BoneType:
    """One of the paper's bone classes.

    Parameters
    ----------
    name
        As in the paper's tables, in lower case.
    merging
        How its classes came together.
    classes
        TotalSegmentator's names, as files are called.
    """

    name: str
    merging: Merging
    classes: tuple[str, ...]


def _sides(stem: str) -> tuple[str, ...]:
    return f"{stem}_left", f"{stem}_right"


_LEVELS = (
    *(f"C{number}" for number in range(1, 8)),
    *(f"T{number}" for number in range(1, 13)),
    *(f"L{number}" for number in range(1, 6)),
    "S1",
)

#: In the order of the paper's Table IV.
BONE_TYPES = (
    BoneType("vertebrae", "serial union", tuple(f"vertebrae_{level}" for level in _LEVELS)),
    BoneType(
        "rib",
        "serial and bilateral union",
        tuple(f"{side}_{number}" for side in _sides("rib") for number in range(1, 13)),
    ),
    BoneType("humerus", "bilateral union", _sides("humerus")),
    BoneType("clavicle", "bilateral union", _sides("clavicula")),
    BoneType("hip", "bilateral union", _sides("hip")),
    BoneType("scapula", "bilateral union", _sides("scapula")),
    BoneType("femur", "bilateral union", _sides("femur")),
    BoneType("sacrum", "identity", ("sacrum",)),
    BoneType("sternum", "identity", ("sternum",)),
    BoneType("skull", "identity", ("skull",)),
)

#: The type of every class that is a bone.
TYPE_OF_CLASS = {name: bone.name for bone in BONE_TYPES for name in bone.classes}

_STEMS = {name.split("_")[0] for name in TYPE_OF_CLASS}


def is_bone(name: str) -> bool:
    """Tell whether a class is one of the paper's bones.

    Raises
    ------
    InputError
        If the name looks like one of them and is none, such as ``rib_left_13``.

    Examples
    --------
    >>> is_bone("vertebrae_T12"), is_bone("liver")
    (True, False)
    """
    if name in TYPE_OF_CLASS:
        return True
    if name.split("_")[0] in _STEMS:
        bone_type(name)  # refuses it
    return False


def bone_type(name: str) -> str:
    """Return the bone type of a class.

    Raises
    ------
    InputError
        If no bone class has that name; lists those that are close, or one of each type.

    Examples
    --------
    >>> bone_type("clavicula_left")
    'clavicle'
    """
    if name in TYPE_OF_CLASS:
        return TYPE_OF_CLASS[name]
    stem = name.split("_")[0]
    close = [known for known in TYPE_OF_CLASS if known.split("_")[0] == stem]
    raise InputError(
        "unknown bone class",
        received=name,
        accepted=", ".join(close or [bone.classes[0] for bone in BONE_TYPES])
        + ("" if close else " and their kin"),
        remedy="name structures as TotalSegmentator does",
    )
