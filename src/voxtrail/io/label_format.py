"""A format that holds a segmentation and no scan: what it asks for, and how it is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from voxtrail.core.grid import Grid
from voxtrail.core.provenance import Provenance
from voxtrail.core.volume import LabelMap
from voxtrail.errors import OutputError
from voxtrail.io.dicom_source import read_source
from voxtrail.io.format import StoredImage


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
class Request:
    """What is asked of a file of labels.

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


@dataclass(frozen=True)
class LabelFormat:
    """A file format of segmentations.

    Parameters
    ----------
    name
        What people call it.
    written
        Suffixes, in lower case with the dot.
    write
        Takes labels and a path.
    read
        Takes a path and what is asked of it; returns labels on the scan's grid or a part of it.
        None for a format that is not read.
    read_as
        As what it is read, in a few words.
    one_label
        Whether a file holds one label; a map of several becomes several files.
    needs_voxels
        Whether a map without a labelled voxel cannot be written.
    extra
        What has to be installed for it, or None.
    refers
        Whether it names the DICOM series that was labelled, and so copies the patient's name and
        identifiers from it.
    """

    name: str
    written: tuple[str, ...]
    write: Callable[[LabelMap, Path], None]
    read: Callable[[Path, Request], StoredImage] | None = None
    read_as: str = ""
    one_label: bool = False
    needs_voxels: bool = False
    extra: Extra | None = None
    refers: bool = False

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

    def check_provenance(self, provenance: Provenance) -> None:
        """Refuse labels of a scan that the format cannot refer to.

        Raises
        ------
        OutputError
            If the format names the series and the scan was not read from one, or from one whose
            identifiers were removed.
        ImageError
            If a file of the series has gone.
        """
        if not self.refers:
            return
        if not provenance.slices:
            raise OutputError(
                f"{self.name} has to name the DICOM series that was labelled",
                received="labels of a scan that was not read from DICOM",
                accepted="a DICOM folder, zip or list of files as the scan",
                remedy="pass the scan as DICOM, or write .nii.gz or .seg.nrrd",
            )
        read_source(provenance)
