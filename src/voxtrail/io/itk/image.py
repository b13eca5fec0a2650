"""NRRD and MetaImage, read and written by SimpleITK.

ITK keeps a direction matrix, voxel sizes and an origin in LPS millimetres; voxtrail keeps one
affine in RAS. Left and right, front and back change sign, which is exact. What is written lies
where ITK sees the scan, also where that is another place than voxtrail's.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.provenance import Provenance
from voxtrail.errors import ImageError, OutputError
from voxtrail.io.format import Format, StoredImage
from voxtrail.io.itk import checksums, metaimage_header, nrrd_header, segment_keys, units
from voxtrail.io.refusals import (
    DEFLATE_RATIO,
    brief,
    reading,
    refuse_data_type,
    refuse_size,
    three_axes,
)

#: LPS to RAS millimetres and back.
_LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class ItkImage:
    """One image as ITK reads it.

    Parameters
    ----------
    layers
        (i, j, k) in storage order each: the voxels, or each of several numbers a voxel.
    affine
        4x4: stored voxel index to RAS mm.
    keys
        The key/value pairs of its header.
    """

    layers: tuple[NDArray[Any], ...]
    affine: NDArray[np.float64]
    keys: Mapping[str, str]


def read(
    path: Path, max_bytes: int, *, kind: str, reader: str, data_bytes: int, layered: bool = False
) -> ItkImage:
    """Read one image.

    Parameters
    ----------
    path
        The file.
    max_bytes
        The most memory that its voxels may take.
    kind
        What people call the format.
    reader
        ITK's name of its reader; no other is tried.
    data_bytes
        How many bytes the files have that hold the voxels.
    layered
        Whether a voxel may have several numbers.

    Raises
    ------
    ImageError
        If it is truncated, damaged, of another kind, not one 3-D image of real numbers, or larger
        than ``max_bytes``.
    """
    import SimpleITK

    with reading(path, kind), _quiet_itk():
        source = SimpleITK.ImageFileReader()
        source.SetImageIO(reader)
        source.SetFileName(str(path))
        source.ReadImageInformation()
        shape = three_axes(source.GetSize(), path)
        count = source.GetNumberOfComponents()
        if count != 1 and not layered:
            raise ImageError(
                f"{path} has colour, complex or vector voxels",
                received=f"{count} numbers per voxel",
                accepted="one number per voxel",
                remedy="convert it to one plain number per voxel",
            )
        dtype = _dtype(source.GetPixelID())
        refuse_data_type(dtype, path)
        room = data_bytes * DEFLATE_RATIO
        size = (*shape, count)
        refuse_size(size, dtype.itemsize, path, max_bytes=max_bytes, file_holds=room)
        # Axes after the third have one voxel: an extracted size of 0 cuts them.
        source.SetExtractSize([*shape, *[0] * (source.GetDimension() - 3)])
        image = source.Execute()
        # ITK's arrays are (k, j, i), or (k, j, i, component).
        array = np.asarray(_Buffer(image))
        parts = [array] if count == 1 else [array[..., n] for n in range(count)]
        keys = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
        return ItkImage(tuple(part.transpose(2, 1, 0) for part in parts), _affine(image), keys)


def read_layers(path: Path, max_bytes: int, *, layered: bool = True) -> ItkImage:
    """Read one NRRD file; as `read`, with the affine as the header spells it."""
    with reading(path, "NRRD"):
        size = sum(one.stat().st_size for one in nrrd_header.data_files(path))
    image = read(
        path, max_bytes, kind="NRRD", reader="NrrdImageIO", data_bytes=size, layered=layered
    )
    _check(image, nrrd_header.streams(path), path, "NRRD")
    return replace(image, affine=nrrd_header.read_affine(path, image.affine))


def read_nrrd(path: Path, max_bytes: int) -> StoredImage:
    """Read one NRRD file of one number a voxel."""
    image = read_layers(path, max_bytes, layered=False)
    affine, header, notes = units.in_mm(image.affine, nrrd_header.unit_of(path))
    names = segment_keys.names_in(image.keys)
    return StoredImage(image.layers[0], affine, names, Provenance(notes=notes), header)


def read_metaimage(path: Path, max_bytes: int) -> StoredImage:
    """Read one MetaImage; as `read`, after a look at its header."""
    with reading(path, "MetaImage"):
        size = sum(one.stat().st_size for one in metaimage_header.data_files(path))
    image = read(path, max_bytes, kind="MetaImage", reader="MetaImageIO", data_bytes=size)
    _check(image, metaimage_header.streams(path), path, "MetaImage")
    affine, header, notes = units.in_mm(image.affine, metaimage_header.unit_of(path))
    if said := metaimage_header.intensity_note(path):
        notes = (*notes, said)
    return StoredImage(image.layers[0], affine, {}, Provenance(notes=notes), header)


def write_nrrd(image: StoredImage, path: Path, keys: Mapping[str, str] | None = None) -> None:
    """Write one NRRD file; as `write`, with the affine to the last bit and its unit."""
    write(image, path, keys)
    nrrd_header.write_affine(path, image.grid.itk_affine, image.header.unit if image.header else "")


def write_metaimage(image: StoredImage, path: Path) -> None:
    """Write one MetaImage; as `write`, with the unit of lengths."""
    write(image, path)
    if image.header and image.header.unit:
        metaimage_header.write_unit(path, image.header.unit)


def write(image: StoredImage, path: Path, keys: Mapping[str, str] | None = None) -> None:
    """Write one image, compressed.

    Parameters
    ----------
    image
        The image.
    path
        The file; ITK takes the format from its suffix.
    keys
        Key/value pairs for the header.

    Raises
    ------
    OutputError
        If the system refuses to write (a full disk).
    """
    import SimpleITK

    # ITK's arrays are (k, j, i).
    itk_image = SimpleITK.GetImageFromArray(image.voxels.transpose(2, 1, 0))
    lps = _LPS_RAS @ image.grid.itk_affine
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    itk_image.SetSpacing(spacing.tolist())
    itk_image.SetDirection((lps[:3, :3] / spacing).ravel().tolist())
    itk_image.SetOrigin(lps[:3, 3].tolist())
    for key, value in (keys or {}).items():
        itk_image.SetMetaData(key, value)
    try:
        SimpleITK.WriteImage(itk_image, str(path), useCompression=True)
    except RuntimeError as error:
        raise OutputError(
            f"{path.name} could not be written",
            received=brief(error),
            accepted="a disk with room that takes the file",
            remedy="make room or choose another place",
        ) from error


class _Buffer:
    """The voxels of one of ITK's images, which lives as long as an array that looks at them."""

    def __init__(self, image: Any) -> None:
        import SimpleITK

        self._image = image
        view = SimpleITK.GetArrayViewFromImage(image).__array_interface__
        # Nobody else looks at it, so that it may be written to as any other array.
        self.__array_interface__ = {**view, "data": (view["data"][0], False)}


def _check(image: ItkImage, streams: tuple[tuple[Path, int], ...], path: Path, kind: str) -> None:
    """Refuse an image whose compressed voxels are damaged, which ITK does not see."""
    most = sum(layer.nbytes for layer in image.layers)
    with reading(path, kind):
        for file, start in streams:
            checksums.check(file, start, most)


def _affine(image: Any) -> NDArray[np.float64]:
    lps = np.eye(4)
    lps[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    lps[:3, 3] = image.GetOrigin()
    # Adding 0 turns -0.0 into 0.0.
    affine: NDArray[np.float64] = _LPS_RAS @ lps + 0.0
    return affine


def _dtype(pixel_id: int) -> np.dtype[Any]:
    import SimpleITK

    # An image of one voxel tells which NumPy type SimpleITK gives to a pixel type.
    return SimpleITK.GetArrayViewFromImage(SimpleITK.Image([1, 1], pixel_id)).dtype  # type: ignore[no-any-return]


@contextmanager
def _quiet_itk() -> Iterator[None]:
    """Keep ITK's C++ readers from writing to standard error; what went wrong is raised besides.

    Standard error is the command line's: a refusal is one line. The redirection holds for the
    whole process, hence only around one read.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


NRRD = Format.of_images("NRRD", (".nrrd", ".nhdr"), (".nrrd",), read_nrrd, write_nrrd)
METAIMAGE = Format.of_images(
    "MetaImage", (".mha", ".mhd"), (".mha",), read_metaimage, write_metaimage
)
