"""How much of a DICOM header is let into memory: counted while it is parsed, not after.

An item of a sequence takes eight bytes in a file, and over a thousand once pydicom has parsed it; a
value takes two, and some hundred.
"""

from __future__ import annotations

import io
from typing import IO, Any, cast

from voxtrail.errors import ImageError

#: Elements, items and values of a header, or of all headers with sequences in a study: 15 to 30 a
#: frame of a multi-frame object. So many empty items took 2.3 s (pydicom 3.0), and 8 s where others
#: left a quarter of a processor; the whole process peaked at 0.35 GiB.
MAX_ELEMENTS = 125_000

#: What an element or an item begins with, its tag and length, is asked for in so many bytes.
_START = 8

#: Value representations of numbers that take two bytes or more each (DICOM PS3.5 6.2).
_BINARY_NUMBERS = ("AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV")


class ElementBudget:
    """A count of elements, items and values that ends in a refusal.

    Parameters
    ----------
    name
        Whose they are, for the message.

    Attributes
    ----------
    count
        How many there were so far.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.count = 0

    def add(self, elements: int = 1) -> None:
        """Count some more.

        Raises
        ------
        ImageError
            If they are more than `MAX_ELEMENTS`.
        """
        self.count += elements
        if self.count > MAX_ELEMENTS:
            raise ImageError(
                f"{self._name}: the DICOM header has too many elements",
                received=f"over {MAX_ELEMENTS} elements, items and values",
                accepted="the headers of one series",
                remedy="export the series again, in objects of fewer frames",
            )


class BoundedFile:
    """A file in which a DICOM parser's steps are counted.

    It is never asked for more bytes than are left of it either: some parsers allocate what a
    damaged length says before they read it.

    Parameters
    ----------
    file
        Open for reading.
    size
        How many bytes it has.
    budget
        What counts.
    """

    def __init__(self, file: IO[bytes], size: int, budget: ElementBudget) -> None:
        self._file = file
        self._size = size
        self._budget = budget
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, all of them where no size is given."""
        if size == _START:
            self._budget.add()
        left = max(self._size - self._file.tell(), 0)
        return self._file.read(left if size < 0 else min(size, left))


def unfold(
    elements: Any,
    budget: ElementBudget,
    wanted: frozenset[int],
    undecoded: frozenset[int] = frozenset(),
) -> None:
    """Parse all that is wanted of a data set, which pydicom leaves as bytes until it is looked at.

    The rest is thrown away before it is parsed: most of what a frame or a contour has are
    references.

    Parameters
    ----------
    elements
        pydicom's data set; changed in place.
    budget
        What counts.
    wanted
        Tags of the elements that are kept, in sequences too.
    undecoded
        Those of them that are left as bytes.

    Raises
    ------
    ImageError
        If there are too many elements.
    """
    from pydicom.dataelem import DataElement, RawDataElement
    from pydicom.filereader import read_sequence
    from pydicom.hooks import raw_element_vr

    for tag in list(elements.keys()):
        if tag not in wanted:
            del elements[tag]
            continue
        found = elements.get_item(tag)
        if isinstance(found, RawDataElement) and tag not in undecoded:
            kind: dict[str, Any] = {}
            raw_element_vr(found, kind, ds=elements)
            value = found.value or b""
            if kind["VR"] == "SQ":
                file = BoundedFile(io.BytesIO(value), len(value), budget)
                sequence = read_sequence(
                    cast("Any", file),
                    found.is_implicit_VR,
                    found.is_little_endian,
                    len(value),
                    elements.original_character_set,
                )
                elements[tag] = DataElement(tag, "SQ", sequence)
            else:
                budget.add(_further_values(kind["VR"], value))
            found = elements[tag]
        if found.VR == "SQ":
            for item in found.value:
                unfold(item, budget, wanted, undecoded)


def _further_values(kind: str, value: bytes) -> int:
    """Return of how many values, besides one, an element makes objects, at most."""
    return len(value) // 2 if kind in _BINARY_NUMBERS else value.count(b"\\")
