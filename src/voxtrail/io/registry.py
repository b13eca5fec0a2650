"""The formats that voxtrail knows, by suffix."""

from __future__ import annotations

from pathlib import Path

from voxtrail.errors import ImageError, OutputError
from voxtrail.io import (
    dicom,
    dicom_labels,
    dicom_rtstruct,
    dicom_seg,
    itk,
    mesh_files,
    nifti,
    seg_nrrd,
)
from voxtrail.io.format import Format
from voxtrail.io.label_format import LabelFormat

#: Volumes in one file; DICOM, which is many, has a door of its own in `voxtrail.io.images`.
FORMATS = (nifti.FORMAT, itk.NRRD, itk.METAIMAGE)

#: What a segmentation alone is written in.
LABEL_FORMATS = (
    seg_nrrd.FORMAT,
    dicom_seg.FORMAT,
    dicom_rtstruct.FORMAT,
    mesh_files.STL,
    mesh_files.PLY,
    mesh_files.GLB,
)


def suffix_of(path: Path, suffixes: tuple[str, ...]) -> str | None:
    """Return the longest of ``suffixes`` that the file's name ends in, whatever its case."""
    name = path.name.lower()
    return max((s for s in suffixes if name.endswith(s)), key=len, default=None)


def is_known(path: Path) -> bool:
    """Tell whether a suffix announces one of `FORMATS`."""
    return any(suffix_of(path, known.suffixes) for known in FORMATS)


def reader_of(path: Path) -> Format:
    """Return the format in which ``path`` is read.

    Raises
    ------
    ImageError
        If its suffix is not known.

    Examples
    --------
    >>> reader_of(Path("CT.NII.GZ")).name
    'NIfTI'
    """
    for known in FORMATS:
        if suffix_of(path, known.suffixes):
            return known
    raise ImageError(
        f"{path} is of no known format",
        received=f"suffix {path.suffix or '(none)'}",
        accepted=", ".join(suffix for known in FORMATS for suffix in known.suffixes) + ", DICOM",
        remedy="convert it to one of them",
    )


def part_reader_of(path: Path) -> LabelFormat | None:
    """Return the format of labels that may fill only a part of their scan's grid, or have none.

    By the suffix, and DICOM by its content; None for a file that fills a grid by itself.

    Raises
    ------
    ImageError
        If it is DICOM without labels.
    """
    if suffix_of(path, seg_nrrd.FORMAT.written):
        return seg_nrrd.FORMAT
    if is_known(path) or not dicom.is_dicom(path):
        return None
    kind = dicom_labels.class_of(path)
    return dicom_seg.FORMAT if kind in dicom_labels.SEGMENTATIONS else dicom_rtstruct.FORMAT


def writer_of(path: Path) -> Format | LabelFormat:
    """Return the format in which ``path`` is written: that of the longest suffix that fits.

    Raises
    ------
    OutputError
        If its suffix is not known.

    Examples
    --------
    >>> writer_of(Path("bones.seg.nrrd")).name
    '3D Slicer segmentation'
    """
    every: tuple[Format | LabelFormat, ...] = (*FORMATS, *LABEL_FORMATS)
    fitting = [(suffix_of(path, known.written) or "", known) for known in every]
    suffix, known = max(fitting, key=lambda pair: len(pair[0]))
    if suffix:
        return known
    raise OutputError(
        f"{path}: no format has this suffix",
        received=path.suffix or "(none)",
        accepted=", ".join(suffix for known in every for suffix in known.written),
        remedy="end the output's name in one of them",
    )


def written_suffixes() -> tuple[str, ...]:
    """Return every suffix under which any volume, a scan or a label map, can be written."""
    return tuple(suffix for known in FORMATS for suffix in known.written)


def image_suffixes() -> tuple[str, ...]:
    """Return every suffix under which a scan may be read."""
    return tuple(suffix for known in FORMATS for suffix in known.suffixes) + dicom.SUFFIXES


def copies_patient(path: Path) -> bool:
    """Tell whether an output of this name carries the patient's name and identifiers.

    Only formats do that require it, which copy them from the DICOM series; a run's record should
    say so. False for a suffix that is not known.

    Examples
    --------
    >>> copies_patient(Path("bones.dcm")), copies_patient(Path("bones.seg.nrrd"))
    (True, False)
    """
    return any(known.refers and suffix_of(path, known.written) for known in LABEL_FORMATS)
