"""SNOMED CT codes for the names of structures, for formats that want more than a name.

A name is looked up in pydicom's dictionary of DICOM's context groups, without regard to spelling
and side: ``kidney_left`` and "Left kidney" are both a kidney, left. TotalSegmentator's names are
known where they differ from DICOM's words. A name that is not found is coded as tissue, which
claims nothing about it, and its own text stands beside the code.

Source: DICOM PS3.16, context groups 7192 and 8134 (pydicom's copy); TotalSegmentator,
`resources/totalsegmentator_snomed_mapping.csv`, for the codes that are typed here.
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
        Which structure; `TISSUE` where the name is not known.
    side
        Left or right, or None.
    category
        What sort of thing it is.
    region
        The organ that it lies in, where the kind does not say so; `side` is then the organ's.
    """

    kind: Code
    side: Code | None = None
    category: Code = Code("91723000", "Anatomical Structure")
    region: Code | None = None


TISSUE = Code("85756007", "Tissue")

#: What a name that is not known stands for.
_UNKNOWN = Anatomy(TISSUE, category=TISSUE)

_BONE = Code("272673000", "Bone")

_SIDES = {"left": Code("7771000", "Left"), "right": Code("24028007", "Right")}

#: Context groups whose codes say what a segment is: anatomical structures, and parts of the body.
_CONTEXT_GROUPS = (7192, 8134)

#: Names, without their side, of which DICOM has a word of its own: pydicom's keyword.
_KEYWORDS = {
    "atrial appendage left": "LeftAuricularAppendage",
    "brachiocephalic trunk": "InnominateArtery",
    "brachiocephalic vein": "InnominateVein",
    "clavicula": "Clavicle",
    "costal cartilages": "CostalCartilage",
    "heart atrium left": "LeftAtrium",
    "heart atrium right": "RightAtrium",
    "heart ventricle left": "LeftVentricle",
    "heart ventricle right": "RightVentricle",
    "iliac artery": "CommonIliacArtery",
    "iliac vena": "CommonIliacVein",
    "lung lower lobe": "LowerLobeOfLung",
    "lung middle lobe right": "MiddleLobeOfRightLung",
    "lung upper lobe": "UpperLobeOfLung",
    "oesophagus": "Esophagus",
    "small bowel": "SmallIntestine",
    "thyroid gland": "Thyroid",
    "urinary bladder": "Bladder",
}

#: Those of which pydicom's dictionary has no code. "Hip" is the bone to TotalSegmentator and the
#: region in its own table; no code of the hip bone itself was at hand, so it is coded as bone.
_TYPED = {
    "autochthon": Code("244849004", "Deep muscle of back"),
    "gluteus maximus": Code("181674001", "Gluteus maximus muscle"),
    "gluteus medius": Code("78333006", "Gluteus medius muscle"),
    "gluteus minimus": Code("75297007", "Gluteus minimus muscle"),
    "heart myocardium": Code("74281007", "Myocardium"),
    "hip": _BONE,
    "iliopsoas": Code("68455001", "Iliopsoas muscle"),
    "portal vein and splenic vein": Code("110765007", "Portal vein and splenic vein"),
    "radius": Code("62413002", "Radius"),  # in the dictionary, the word is a length
    "vertebrae s1": Code("65985001", "S1 vertebra"),
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

_RIB = re.compile(r"rib (\d+)")
_VERTEBRA = re.compile(r"vertebrae? ([ctls]\d+)")


def anatomy_of(name: str) -> Anatomy:
    """Return the codes of a label's name.

    Examples
    --------
    >>> anatomy_of("vertebrae_L1").kind.meaning
    'L1 vertebra'
    >>> anatomy_of("rib_left_2").side.meaning, anatomy_of("Left kidney").kind.meaning
    ('Left', 'Kidney')
    >>> anatomy_of("drawn by hand").kind.meaning
    'Tissue'
    """
    words = re.sub(r"[\W_]+", " ", name).strip().lower().split()
    sides = [word for word in words if word in _SIDES]
    side = _SIDES[sides[0]] if len(sides) == 1 else None
    plain = " ".join(word for word in words if word not in _SIDES)
    if plain in ("kidney cyst", "renal cyst"):
        return Anatomy(
            Code("367643001", "Cyst"),
            side,
            Code("49755003", "Morphologically Altered Structure"),
            Code("64033007", "Kidney"),
        )
    # A name whose side belongs to it (the left ventricle) has no side besides.
    whole = " ".join(words)
    if len(sides) == 1 and whole in _KEYWORDS and (found := _in_dictionary(_KEYWORDS[whole])):
        return Anatomy(found)
    kind = _kind(plain)
    return Anatomy(kind, side) if kind else _UNKNOWN


def _kind(plain: str) -> Code | None:
    """Return the code of a name in lower case without a side."""
    if rib := _RIB.fullmatch(plain):
        number = int(rib[1])
        return _RIBS[number - 1] if 1 <= number <= len(_RIBS) else _BONE
    if plain in _TYPED:
        return _TYPED[plain]
    if vertebra := _VERTEBRA.fullmatch(plain):
        return _in_dictionary(f"{vertebra[1].upper()}Vertebra") or _BONE
    keyword = _KEYWORDS.get(plain) or "".join(word.capitalize() for word in plain.split())
    return _in_dictionary(keyword)


def _in_dictionary(keyword: str) -> Code | None:
    """Return pydicom's code of a structure of the body, if it has one of that keyword."""
    from pydicom.sr.codedict import codes

    if not keyword.isidentifier():
        return None
    for group in _CONTEXT_GROUPS:
        try:
            found = getattr(getattr(codes, f"cid{group}"), keyword)
        except AttributeError:
            continue
        return Code(found.value, found.meaning, found.scheme_designator)
    return None
