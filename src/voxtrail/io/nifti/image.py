"""NIfTI-1 and NIfTI-2, single files, plain or gzipped; the parsing is nibabel's.

Where the voxels lie is read by the rule of `voxtrail.io.nifti.geometry`. What lies on the grid of a
scan that was read from NIfTI is written with the words of that scan's header; anything else carries
its affine as sform and, where rotations and voxel sizes can say the same, as qform. Equal input
gives equal bytes.
"""

from __future__ import annotations

import gzip
import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, Any, cast

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import Grid
from voxtrail.core.provenance import Provenance
from voxtrail.errors import ImageError, OutputError
from voxtrail.io.format import Format, StoredImage
from voxtrail.io.nifti.geometry import read_geometry, write_geometry
from voxtrail.io.nifti.label_names import names_in
from voxtrail.io.refusals import (
    DEFLATE_RATIO,
    brief,
    reading,
    refuse_data_type,
    refuse_size,
    three_axes,
)

#: What a gzip stream starts with.
_GZIP = b"\x1f\x8b"

#: Bytes enough to tell the two versions of the header apart (NIfTI-2's is the longer, 540).
_HEADER_BYTES = 540

#: What may stand between header and voxels (extensions); more is a broken header.
_MAX_OFFSET = 64 * 2**20

#: What may follow the voxels in a gzip stream, which has to be read to its end for the checksum.
_MAX_TRAILER = 16 * 2**20

#: How much is unpacked at a time.
_PIECE = 2**18

#: sform and qform code "scanner": millimetres in the scanner's frame.
_SCANNER = 1

#: The qform says the same as the sform where no entry differs by more than this share of a voxel.
_QFORM_VOXELS = 1e-4

#: nibabel logs what it mends in a header; standard error is the command line's.
_SILENT = logging.Logger(__name__)
_SILENT.addHandler(logging.NullHandler())


def read(path: Path, max_bytes: int) -> StoredImage:
    """Read one image.

    Parameters
    ----------
    path
        A `.nii` or `.nii.gz` file.
    max_bytes
        The most memory that its voxels may take.

    Returns
    -------
    StoredImage
        Voxels in the stored data type where the header asks for no scaling, else float32 with
        slope and intercept applied.

    Raises
    ------
    ImageError
        If it is truncated, damaged, no NIfTI file, not one 3-D image of real numbers, or larger
        than ``max_bytes``.
    """
    with reading(path, "NIfTI"), _opened(path) as file:
        zipped = isinstance(file, gzip.GzipFile)
        header = _header(file, path)
        shape = three_axes(header.get_data_shape(), path)
        dtype: np.dtype[Any] = header.get_data_dtype()
        refuse_data_type(dtype, path)
        offset = int(header.get_data_offset())
        if offset > _MAX_OFFSET:
            raise ImageError(
                f"{path} has a broken header",
                received=f"voxels that start at byte {offset}",
                accepted=f"at most {_MAX_OFFSET}",
                remedy="copy or export it again",
            )
        on_disk = path.stat().st_size
        room = on_disk * DEFLATE_RATIO if zipped else on_disk - offset
        refuse_size(shape, dtype.itemsize, path, max_bytes=max_bytes, file_holds=max(room, 0))
        endian = header.endianness
        names = names_in(file, int(header.sizeof_hdr), offset, endian)
        voxels = _voxels(file, header).reshape(shape, order="F")
        if zipped:
            _check_to_end(file, path)
        affine, geometry, notes = read_geometry(header, shape)
        return StoredImage(voxels, affine, names, Provenance(notes=notes), geometry)


def read_grid(path: Path) -> Grid:
    """Return where the voxels of a file are, from its header alone; `ImageError` as `read`."""
    with reading(path, "NIfTI"), _opened(path) as file:
        header = _header(file, path)
        shape = three_axes(header.get_data_shape(), path)
        affine, geometry, _ = read_geometry(header, shape)
        return Grid(shape, affine, geometry)


def write(image: StoredImage, path: Path) -> None:
    """Write one image as NIfTI-1.

    Raises
    ------
    OutputError
        If NIfTI-1 cannot hold it (a side longer than 32767 voxels).
    """
    planes = np.moveaxis(image.voxels, -1, 0)
    write_planes(image.grid, image.voxels.shape, image.voxels.dtype, planes, path)


def write_planes(
    grid: Grid,
    shape: Sequence[int],
    dtype: np.dtype[Any],
    planes: Iterable[NDArray[Any]],
    path: Path,
) -> None:
    """Write an image of which one plane after the other is made, so that all need not fit.

    Parameters
    ----------
    grid
        Where its voxels are, as stored.
    shape
        Its axes: those of the grid and, where there are several volumes, their number.
    dtype
        The data type that is written.
    planes
        (i, j) each, in the order of the file: k the faster, then the volumes.
    path
        The file.

    Raises
    ------
    OutputError
        As `write`.
    """
    from nibabel.openers import ImageOpener

    header = _header_of(grid, shape, dtype, path)
    # nibabel writes gzip without a time or a name, so equal images give equal files.
    with ImageOpener(path, "wb") as file:
        header.write_to(file)
        for plane in planes:
            file.write(plane.astype(dtype, copy=False).tobytes(order="F"))


def _header_of(grid: Grid, shape: Sequence[int], dtype: np.dtype[Any], path: Path) -> Any:
    import nibabel as nib
    from nibabel.spatialimages import HeaderDataError

    header = nib.Nifti1Header()
    try:
        header.set_data_shape(shape)
    except HeaderDataError as error:
        raise OutputError(
            f"{path}: NIfTI cannot hold a volume of this shape",
            received=brief(error),
            accepted="at most 32767 voxels along each axis",
            remedy="write .nrrd instead",
        ) from error
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm")
    header.set_slope_inter(1, 0)
    if grid.header is not None and grid.header.fields:
        write_geometry(header, grid.header)
        return header
    # A scan of another format lies, for the programs that read both, where ITK sees it.
    affine = grid.itk_affine
    header.set_sform(affine, _SCANNER)
    header.set_qform(affine, _SCANNER)
    off = np.abs(header.get_qform()[:3, :3] - affine[:3, :3]).max()
    if off > _QFORM_VOXELS * np.linalg.norm(affine[:3, :3], axis=0).min():
        # A shear: rotation and voxel sizes cannot say it. An unset qform leaves the sform alone.
        header.set_qform(None)
    return header


def _opened(path: Path) -> IO[bytes]:
    """Open a file, unpacked if it is gzip, whatever its name says: people rename files."""
    file = path.open("rb")
    start = file.read(len(_GZIP))
    file.seek(0)
    if start != _GZIP:
        return file
    file.close()
    return cast("IO[bytes]", _Unpacked(path))


class _Unpacked(gzip.GzipFile):
    """A gzip file that is unpacked where its bytes are wanted.

    The `readinto` that its class inherits unpacks all of them elsewhere and copies them.
    """

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as there are bytes; return how many."""
        wanted = memoryview(buffer).cast("B")
        filled = 0
        while piece := self.read(min(_PIECE, len(wanted) - filled)):
            wanted[filled : filled + len(piece)] = piece
            filled += len(piece)
        return filled


def _header(file: IO[bytes], path: Path) -> Any:
    import nibabel as nib

    block = file.read(_HEADER_BYTES)
    for kind in (nib.Nifti1Header, nib.Nifti2Header):
        if kind.may_contain_header(block):
            # From the block alone: extensions, which may promise any length, are not read.
            header = kind(block[: kind.sizeof_hdr], check=False)
            header.check_fix(logger=_SILENT)
            return header
    raise ImageError(
        f"{path} is not a NIfTI file",
        received=f"a file that starts with {block[:8]!r}",
        accepted="a NIfTI-1 or NIfTI-2 header",
        remedy="pass the image itself, under its own suffix",
    )


def _voxels(file: IO[bytes], header: Any) -> NDArray[Any]:
    from nibabel.arrayproxy import ArrayProxy

    # No memory map: the file may be replaced while its voxels are in use.
    proxy = ArrayProxy(file, header, mmap=False)
    if proxy.slope == 1 and proxy.inter == 0:
        raw: NDArray[Any] = proxy.get_unscaled()
        return raw.astype(raw.dtype.newbyteorder("="), copy=False)
    # Scale factors that overflow give infinite voxels, which the caller refuses by name.
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(proxy, dtype=np.float32)


def _check_to_end(file: IO[bytes], path: Path) -> None:
    """Read what follows the voxels, so that gzip compares its checksum with what was read."""
    rest = 0
    while piece := file.read(_PIECE):
        rest += len(piece)
        if rest > _MAX_TRAILER:
            raise ImageError(
                f"{path} holds more than its header says",
                received=f"over {_MAX_TRAILER} bytes after the voxels",
                accepted="one image a file",
                remedy="copy or export it again",
            )


FORMAT = Format.of_images("NIfTI", (".nii", ".nii.gz"), (".nii", ".nii.gz"), read, write)
