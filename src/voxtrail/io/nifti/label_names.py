"""Names of labels in the extension of a NIfTI header, as the Connectome Workbench has them.

TotalSegmentator (``--ml``), 3D Slicer's exports and others write such a table: XML whose elements
``Label`` have a number (``Key``) and a name.

Source: the CARET/Connectome Workbench `LabelTable`; NIfTI-1's documentation of extensions.
"""

from __future__ import annotations

import re
import struct
from typing import IO
from xml.etree import ElementTree

from voxtrail.io.refusals import MAX_LABEL

#: Extensions are looked at this far; a table of all classes takes some kilobytes.
_MAX_BYTES = 2**20

#: What precedes an extension: its size, which includes these eight bytes, and what it holds.
_START = "{}ii"

#: A declaration of entities could make a parser take memory out of all proportion.
_DECLARATION = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def names_in(file: IO[bytes], header_bytes: int, offset: int, endian: str) -> dict[int, str]:
    """Return the names that a file's extensions give, by label; empty where none does.

    Parameters
    ----------
    file
        Open for reading, anywhere.
    header_bytes
        Length of the header.
    offset
        Where the voxels start.
    endian
        ``"<"`` or ``">"``, as the header is stored.
    """
    file.seek(header_bytes)
    content = file.read(max(min(offset - header_bytes, _MAX_BYTES), 0))
    if len(content) < 4 or not content[0]:
        return {}
    place, start = 4, struct.Struct(_START.format(endian))
    while place + start.size <= len(content):
        size, _ = start.unpack_from(content, place)
        if size < start.size:
            break
        if found := _names(content[place + start.size : place + size]):
            return found
        place += size
    return {}


def _names(extension: bytes) -> dict[int, str]:
    text = extension.rstrip(b"\0").strip()
    if b"LabelTable" not in text or _DECLARATION.search(text):
        return {}
    try:
        tree = ElementTree.fromstring(text)
    except (ElementTree.ParseError, ValueError, LookupError):  # no XML, or an unknown encoding
        return {}
    names = {}
    for one in tree.iter("Label"):
        key, name = one.get("Key", ""), " ".join((one.text or "").split())
        if key.isascii() and key.isdigit() and name and 1 <= int(key) <= MAX_LABEL:
            names[int(key)] = name
    return names
