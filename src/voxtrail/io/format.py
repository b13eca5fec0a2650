"""What a file format is to voxtrail: one description that every format gives, and nothing else.

A module in one of the rooms beside this one (`nifti`, `itk`, `dicom`, `mesh`) defines a `Format`;
`voxtrail.io.registry` finds it there. Scans, label maps, DICOM series and surfaces are all
described so: a format has the functions for what it can do and None for what it cannot. Heavy
libraries are imported inside those functions, so that ``import voxtrail`` stays quick.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import Grid
from voxtrail.core.header_geometry import HeaderGeometry
from voxtrail.core.provenance import Provenance
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OutputError


@dataclass(frozen=True, eq=False)
class StoredImage:
    """One image as a file holds it.

    Parameters
    ----------
    voxels
        (i, j, k) in storage order, a real data type in native byte order.
    affine
        4x4 float64: stored voxel index (homogeneous) to RAS millimetres.
    names
        What labels are called, where the file says so.
    provenance
        Where it was read from, where later files have to refer to that, and what a person should
        know of how it was read.
    header
        How its header says where it lies, where programs may differ in it; else None.
    further
        Further layers of labels that share voxels, as ``voxels``.
    """

    voxels: NDArray[Any]
    affine: NDArray[np.float64]
    names: dict[int, str] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    header: HeaderGeometry | None = None
    further: tuple[NDArray[Any], ...] = ()

    @property
    def grid(self) -> Grid:
        """Where the voxels are; raises `ImageError` if the affine is none."""
        x, y, z = self.voxels.shape
        return Grid((x, y, z), self.affine, self.header)


@dataclass(frozen=True)
class Extra:
    """Packages that are not installed with voxtrail itself.

    Parameters
    ----------
    name
        What pip calls them together: ``voxtrail[name]``.
    module
        What has to be there to be imported.
    """

    name: str
    module: str


@dataclass(frozen=True)
class ScanRequest:
    """What is asked of the reader of a scan.

    Parameters
    ----------
    series
        Which series of several; None where nobody chose.
    max_bytes
        The most memory that the voxels may take.
    """

    series: str | None
    max_bytes: int


@dataclass(frozen=True)
class LabelRequest:
    """What is asked of the reader of labels.

    Parameters
    ----------
    like
        The stored grid of the scan that was labelled; None where it is not known.
    frame_of_reference
        The UID of the scan's frame of reference; empty where it is not known.
    structures
        Names of the structures that are wanted; none means all.
    max_bytes
        The most memory that the voxels may take.
    """

    like: Grid | None
    frame_of_reference: str
    structures: tuple[str, ...]
    max_bytes: int


ReadScan = Callable[[Sequence[Path], ScanRequest], StoredImage]
ReadLabels = Callable[[Path, LabelRequest], StoredImage]


@dataclass(frozen=True)
class Format:
    """A file format.

    Parameters
    ----------
    name
        What people call it.
    suffixes
        Suffixes, in lower case with the dot, by which a file to be read is told.
    written
        Suffixes by which a file to be written is told.
    recognises
        Tells by its content whether a file of any other name is of this format; None where the
        name alone tells.
    read_scan
        Reads a scan from one path, or from several where `several_files` says so.
    read_labels
        Reads labels. Where the request chooses structures, the result may hold others too.
    write_scan
        Takes the image and a path.
    write_labels
        Takes the labels (uint8 or uint16) and a path.
    several_files
        Whether a scan may be a folder or a list of files.
    needs_scan
        Whether labels are read with the help of their scan's grid: contours have none, and a
        DICOM Segmentation leaves out slices.
    one_label
        Whether a file holds one label; a map of several becomes several files.
    layers
        Whether labels that share voxels can be written.
    needs_voxels
        Whether a map without a labelled voxel cannot be written.
    extra
        What has to be installed to write it, or None.
    check_source
        Refuses labels of a scan that the format cannot refer to; None for a format that refers to
        none. One that does copies the patient's name and identifiers from the series.
    read_as
        As what it is read, in a few words for the table of formats.
    found_as
        What it lies in besides files of `suffixes`, in a few words for the table.
    """

    name: str
    suffixes: tuple[str, ...] = ()
    written: tuple[str, ...] = ()
    recognises: Callable[[Path], bool] | None = None
    read_scan: ReadScan | None = None
    read_labels: ReadLabels | None = None
    write_scan: Callable[[StoredImage, Path], None] | None = None
    write_labels: Callable[[LabelMap, Path], None] | None = None
    several_files: bool = False
    needs_scan: bool = False
    one_label: bool = False
    layers: bool = False
    needs_voxels: bool = False
    extra: Extra | None = None
    check_source: Callable[[Provenance], None] | None = None
    read_as: str = ""
    found_as: str = ""

    @classmethod
    def of_images(
        cls,
        name: str,
        suffixes: tuple[str, ...],
        written: tuple[str, ...],
        read: Callable[[Path, int], StoredImage],
        write: Callable[[StoredImage, Path], None],
    ) -> Format:
        """Describe a format whose files hold one image, be it a scan or a label map.

        Parameters
        ----------
        name, suffixes, written
            As in `Format`.
        read
            Takes a path and the most bytes that the voxels may take.
        write
            Takes an image and a path.
        """
        return cls(
            name=name,
            suffixes=suffixes,
            written=written,
            read_scan=lambda places, request: read(places[0], request.max_bytes),
            read_labels=lambda path, request: read(path, request.max_bytes),
            write_scan=write,
            write_labels=lambda labels, path: write(
                StoredImage(
                    labels.to_stored(),
                    labels.stored.affine,
                    labels.names,
                    header=labels.stored.header,
                ),
                path,
            ),
            read_as="scan, labels",
        )

    def check_installed(self) -> None:
        """Refuse a format whose packages are not there.

        Raises
        ------
        OutputError
            Naming what to install.
        """
        if self.extra and find_spec(self.extra.module) is None:
            raise OutputError(
                f"{self.name} cannot be written without the package {self.extra.module}",
                received="it is not installed",
                accepted=f"voxtrail with its extra {self.extra.name}",
                remedy=f"pip install 'voxtrail[{self.extra.name}]'",
            )
