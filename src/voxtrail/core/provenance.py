"""Where a scan came from: what a file that refers to it has to name, and what reading did to it.

Files, and the frame of reference that they share; whoever needs more of a header reads it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SliceFile:
    """Where one slice of a DICOM series lies.

    Parameters
    ----------
    path
        The file, or the zip that holds it.
    member
        Its name in the zip; None for a file.
    frame
        Which frame of a multi-frame object it is, from 0.
    """

    path: Path
    member: str | None
    frame: int


@dataclass(frozen=True)
class Provenance:
    """Where a scan came from.

    Parameters
    ----------
    slices
        For DICOM: one a slice, in the order of the last stored axis; else empty.
    notes
        What reading it left out, corrected or let pass, for the run's record.
    frame_of_reference
        For DICOM: the UID of the frame in which it has its place; empty where it is not known.
    """

    slices: tuple[SliceFile, ...] = ()
    notes: tuple[str, ...] = ()
    frame_of_reference: str = ""
