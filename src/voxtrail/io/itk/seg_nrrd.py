"""``.seg.nrrd``: a label map that 3D Slicer opens as a segmentation with names and colours.

An NRRD file with pairs in its header; it is read as any NRRD, its names included. Slicer's own
files are read too unless segments overlap, which takes several layers.
"""

from __future__ import annotations

from pathlib import Path

from voxtrail.core.volume import LabelMap
from voxtrail.io.format import Format, LabelRequest, StoredImage
from voxtrail.io.itk.image import read_nrrd, write_nrrd
from voxtrail.io.itk.segment_keys import keys_of


def write(labels: LabelMap, path: Path) -> None:
    """Write a label map, every listed label a segment.

    Raises
    ------
    OutputError
        If the system refuses to write (a full disk).
    """
    image = StoredImage(labels.to_stored(), labels.stored.affine, header=labels.stored.header)
    write_nrrd(image, path, keys_of(labels))


def read(path: Path, request: LabelRequest) -> StoredImage:
    """Read a segmentation, which Slicer saves as far as its segments reach; as any NRRD."""
    return read_nrrd(path, request.max_bytes)


FORMAT = Format(
    name="3D Slicer segmentation",
    suffixes=(".seg.nrrd",),
    written=(".seg.nrrd",),
    read_labels=read,
    write_labels=write,
    read_as="labels",
)
