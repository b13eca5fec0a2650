"""Texts as DICOM takes them."""

from __future__ import annotations

#: Characters that a Long String (LO) may have.
_LONG = 64


def long_string(text: str) -> str:
    r"""Return a text that fits an element of type LO: one line, no backslash, 64 characters.

    Examples
    --------
    >>> long_string(" hip\\left ")
    'hip left'
    """
    printable = "".join(c if c.isprintable() and c != "\\" else " " for c in text)
    return " ".join(printable.split())[:_LONG].strip() or "unnamed"
