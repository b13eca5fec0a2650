"""``.seg.nrrd``: a label map that 3D Slicer opens as a segmentation with names and colours.

An NRRD file with pairs in its header. Slicer's own files are read too, in layers where segments
overlap; one layer is written.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from voxtrail.core.provenance import Provenance
from voxtrail.core.volume import LabelMap
from voxtrail.io.format import Format, LabelRequest, StoredImage
from voxtrail.io.itk import nrrd_header, units
from voxtrail.io.itk.image import read_layers, write_nrrd
from voxtrail.io.itk.segment_keys import keys_of, names_in, segments_in


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
    """Read a segmentation, which Slicer saves as far as its segments reach, in layers.

    Segments that share voxels lie in different layers, where their numbers may be the same: they
    are numbered in their order in the file then.
    """
    image = read_layers(path, request.max_bytes)
    affine, header, notes = units.in_mm(image.affine, nrrd_header.unit_of(path))
    provenance = Provenance(notes=notes)
    if len(image.layers) == 1:
        return StoredImage(image.layers[0], affine, names_in(image.keys), provenance, header)
    segments = segments_in(image.keys)
    values = [segment.value for segment in segments]
    distinct = len(set(values)) == len(values)
    label_of = {
        (segment.layer, segment.value): segment.value if distinct else number
        for number, segment in enumerate(segments, 1)
    }
    names = {label_of[one.layer, one.value]: one.name for one in segments if one.name}
    layers = []
    for number, layer in enumerate(image.layers):
        labels = np.zeros(layer.shape, np.uint16)
        for value in np.unique(layer):
            # What no segment describes has the next number that is free.
            place = (number, int(value))
            if value and place not in label_of:
                label_of[place] = max(label_of.values(), default=0) + 1
            labels[layer == value] = label_of[place] if value else 0
        layers.append(labels)
    return StoredImage(layers[0], affine, names, provenance, header, tuple(layers[1:]))


FORMAT = Format(
    name="3D Slicer segmentation",
    suffixes=(".seg.nrrd",),
    written=(".seg.nrrd",),
    read_labels=read,
    write_labels=write,
    read_as="labels",
)
