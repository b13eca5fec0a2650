"""What the header of a multi-frame object says of each frame, read one frame at a time.

A segmentation of a body CT has tens of thousands of frames, each with some forty elements of which
five are wanted. Parsed whole, they would take gigabytes; here each frame is parsed by itself and
only its values are kept, so that memory follows what is needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any, cast

from voxtrail.errors import ImageError
from voxtrail.io.dicom.element_budget import ElementBudget, unfold

#: Per-frame functional groups.
PER_FRAME = 0x52009230

#: More frames than this are no object that one can hold.
MAX_FRAMES = 200_000

#: In an enhanced object an element stands in the item of this sequence of a functional group.
GROUP_OF = {
    "ImagePositionPatient": "PlanePositionSequence",
    "ImageOrientationPatient": "PlaneOrientationSequence",
    "PixelSpacing": "PixelMeasuresSequence",
    "SpacingBetweenSlices": "PixelMeasuresSequence",
    "SliceThickness": "PixelMeasuresSequence",
    "RescaleSlope": "PixelValueTransformationSequence",
    "RescaleIntercept": "PixelValueTransformationSequence",
    "ReferencedSegmentNumber": "SegmentIdentificationSequence",
}

#: The values of one frame, or of all: by the element's name, those that there are.
Values = dict[str, Any]

_UNDEFINED = 0xFFFFFFFF


def values_of(group: Any) -> Values:
    """Return the wanted values of one functional group, a pydicom data set."""
    found: Values = {}
    for element, sequence in GROUP_OF.items():
        items = group.get(sequence)
        value = items[0].get(element) if items else None
        if value is not None and value != "":
            found[element] = tuple(value) if hasattr(value, "__iter__") else value
    return found


def read_frame_values(
    file: IO[bytes], elements: Any, budget: ElementBudget
) -> tuple[list[Values], int]:
    """Read the per-frame functional groups that a file stands at.

    Parameters
    ----------
    file
        At the start of the element (5200,9230).
    elements
        pydicom's data set of what comes before it.
    budget
        What counts the parser's steps.

    Returns
    -------
    tuple
        The values of each frame, and where the element ends.

    Raises
    ------
    ImageError
        If there are too many frames, or too many elements in one.
    """
    from pydicom.tag import Tag

    wanted = frozenset(Tag(name) for pair in GROUP_OF.items() for name in pair)
    frames: list[Values] = []
    for item in items_of(file, elements, budget):
        unfold(item, budget, wanted)
        frames.append(values_of(item))
        if len(frames) > MAX_FRAMES:
            raise ImageError(
                "the DICOM object has too many frames",
                received=f"over {MAX_FRAMES}",
                accepted=f"at most {MAX_FRAMES}",
                remedy="export fewer structures",
            )
    return frames, file.tell()


def items_of(file: IO[bytes], elements: Any, budget: ElementBudget) -> Iterator[Any]:
    """Give the items of the sequence that a file stands at, one after the other.

    Parameters
    ----------
    file
        At the start of the sequence's element; at its end once all items were given.
    elements
        pydicom's data set of what comes before it.
    budget
        What counts the parser's steps; those of an item are given back when the next is read.
    """
    from pydicom.filereader import read_sequence_item

    implicit, little = elements.original_encoding
    length = _sequence_length(file, implicit, "little" if little else "big")
    end = None if length == _UNDEFINED else file.tell() + length
    while end is None or file.tell() < end:
        before = budget.count
        item = read_sequence_item(
            cast("Any", file), implicit, little, elements.original_character_set
        )
        if item is None:  # the delimiter of a sequence of undefined length
            return
        yield item
        budget.count = before


def _sequence_length(file: IO[bytes], implicit: bool, order: Any) -> int:
    """Return the length of the sequence whose element a file stands at, and go to its first item.

    Source: DICOM PS3.5 7.1.2 (explicit VR), 7.1.3 (implicit VR).
    """
    start = file.read(4)
    if not implicit:
        start += file.read(4)
    length = file.read(4)
    if len(length) < 4 or (not implicit and start[4:6] != b"SQ"):
        raise ValueError("per-frame functional groups that are no sequence")
    return int.from_bytes(length, order)
