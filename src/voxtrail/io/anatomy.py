"""SNOMED CT codes for the names of bones, for formats that want more than a name.

The names are those of TotalSegmentator's bone classes; any other name is coded as bone, without
more, and its own text stands beside the code. `hip` is the bone in TotalSegmentator, and the
region in its own table of codes; no code of the hip bone itself was at hand to be checked, so it
is coded as bone too.

Source: TotalSegmentator, `resources/totalsegmentator_snomed_mapping.csv`. All but those of the
single ribs and of S1 were compared with pydicom's dictionary of DICOM's context groups.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A coded concept: its value, what it means, and the scheme that says so."""

    value: str
    meaning: str
    scheme: str = "SCT"


@dataclass(frozen=True)
class Anatomy:
    """What a label is.

    Parameters
    ----------
    kind
        Which bone; `BONE` where the name is not known.
    side
        Left or right, or None.
    """

    kind: Code
    side: Code | None = None


BONE = Code("272673000", "Bone")

_SIDES = {"left": Code("7771000", "Left"), "right": Code("24028007", "Right")}

_BONES = {
    "clavicula": Code("51299004", "Clavicle"),
    "femur": Code("71341001", "Femur"),
    "fibula": Code("87342007", "Fibula"),
    "humerus": Code("85050009", "Humerus"),
    "patella": Code("64234005", "Patella"),
    "radius": Code("62413002", "Radius"),
    "sacrum": Code("54735007", "Sacrum"),
    "scapula": Code("79601000", "Scapula"),
    "skull": Code("89546000", "Skull"),
    "sternum": Code("56873002", "Sternum"),
    "tibia": Code("12611008", "Tibia"),
    "ulna": Code("23416004", "Ulna"),
}

#: Ribs 1 to 12.
_RIBS = (
    Code("48535007", "First rib"),
    Code("78247007", "Second rib"),
    Code("25888004", "Third rib"),
    Code("25523003", "Fourth rib"),
    Code("15339008", "Fifth rib"),
    Code("59558009", "Sixth rib"),
    Code("24915002", "Seventh rib"),
    Code("5953002", "Eighth rib"),
    Code("22565002", "Ninth rib"),
    Code("77644006", "Tenth rib"),
    Code("58830002", "Eleventh rib"),
    Code("43993008", "Twelfth rib"),
)

#: By the letter of the spine's part, from the head down.
_VERTEBRAE = {
    "C": ("14806007", "39976000", "113205007", "5329002", "36978003", "36054005", "87391001"),
    "T": (
        "64864005", "53733008", "1626008", "73071006", "56401006", "45296009",
        "62487009", "11068009", "82687006", "7610001", "12989004", "23215003",
    ),
    "L": ("66794005", "14293000", "36470004", "11994002", "49668003"),
    "S": ("65985001",),
}  # fmt: skip

_RIB = re.compile(r"rib_(left|right)_(\d+)")
_VERTEBRA = re.compile(r"vertebrae_([CTLS])(\d+)")
_PAIRED = re.compile(r"(\w+?)(?:_(left|right))?")


def anatomy_of(name: str) -> Anatomy:
    """Return the codes of a label's name.

    Examples
    --------
    >>> anatomy_of("vertebrae_L1").kind.meaning
    'L1 vertebra'
    >>> anatomy_of("rib_left_2").side.meaning, anatomy_of("drawn by hand").kind.meaning
    ('Left', 'Bone')
    """
    if rib := _RIB.fullmatch(name):
        number = int(rib[2])
        return Anatomy(_RIBS[number - 1] if 1 <= number <= len(_RIBS) else BONE, _SIDES[rib[1]])
    if vertebra := _VERTEBRA.fullmatch(name):
        part, number = _VERTEBRAE[vertebra[1]], int(vertebra[2])
        if 1 <= number <= len(part):
            return Anatomy(Code(part[number - 1], f"{vertebra[1]}{number} vertebra"))
        return Anatomy(BONE)
    if paired := _PAIRED.fullmatch(name):
        return Anatomy(_BONES.get(paired[1], BONE), _SIDES.get(paired[2] or ""))
    return Anatomy(BONE)
