"""The truth as people keep it: one label map, or one binary mask a structure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import GridError, ImageError, OptionError
from voxtrail.io import fills_grid, read_labels


def read_truth(
    paths: Sequence[Path],
    like: Volume | LabelMap | None = None,
    structures: Sequence[str] = (),
) -> LabelMap:
    """Read one label map, or several binary masks as labels 1, 2, ... in the order given.

    A binary mask is named after its file, unless that file names what it holds.

    Parameters
    ----------
    paths
        The files.
    like
        The scan that was labelled; see `voxtrail.io.read_labels`.
    structures
        Names of the structures of one file that are wanted; all by default.

    Raises
    ------
    ImageError
        If a file cannot be read as labels, one of several is no binary mask, or two masks claim
        the same voxel.
    GridError
        If the masks lie on different grids.
    OptionError
        If there is no structure of a name that is wanted, or structures of several files are.
    """
    if structures and len(paths) > 1:
        raise OptionError(
            "structures are chosen from one file",
            received=f"{len(paths)} files and --structures (structures=)",
            accepted="one label map with names",
            remedy="pass only the masks that are wanted, without --structures",
        )
    maps = [read_labels(path, like=like, structures=structures) for path in paths]
    if len(maps) == 1:
        only = maps[0]
        names = {1: _name(only, paths[0])} if only.labels() == (1,) else only.names
        return LabelMap(only.voxels, only.stored, names)
    first = maps[0]
    names = {n: _name(*named) for n, named in enumerate(zip(maps, paths, strict=True), start=1)}
    kind = np.uint8 if len(maps) <= np.iinfo(np.uint8).max else np.uint16
    joined = np.zeros(first.grid.shape, dtype=kind)
    for label, (path, one) in enumerate(zip(paths, maps, strict=True), start=1):
        if not one.stored.same_as(first.stored):
            raise GridError(
                f"{path.name} lies on another grid than {paths[0].name}",
                received=one.stored.describe(),
                accepted=first.stored.describe(),
                remedy="pass masks of one scan, which is to be named (--like) where they are DICOM",
            )
        if len(one.labels()) > 1:
            raise ImageError(
                f"{path.name} is one of several masks but holds more than one label",
                received=f"labels {', '.join(map(str, one.labels()))}",
                accepted="one label map alone, or binary masks",
                remedy="pass the label map by itself",
            )
        inside = one.voxels > 0
        taken = int((joined[inside] > 0).sum())
        if taken:
            raise ImageError(
                f"{path.name} overlaps a mask given before it",
                received=f"{taken} shared voxels",
                accepted="masks that do not overlap",
                remedy="score such structures one at a time",
            )
        joined[inside] = label
    return LabelMap(joined, first.stored, names)


def read_pair(
    prediction: Path,
    truth: Sequence[Path],
    like: Volume | LabelMap | None = None,
    structures: Sequence[str] = (),
) -> tuple[LabelMap, LabelMap]:
    """Read what is to be scored and what it is scored by, on one grid where their files allow it.

    The grid is that of ``like``, else of the one of the two whose file fills its grid (see
    `voxtrail.io.fills_grid`), else of the truth. Where some structures of the truth are wanted,
    the prediction's labels of other numbers are left out.

    Returns
    -------
    tuple of LabelMap
        The prediction and the truth.

    Raises
    ------
    ImageError, GridError, OptionError
        As `read_truth`.
    """
    if like is None and fills_grid(prediction) and not all(map(fills_grid, truth)):
        like = read_labels(prediction)
    expected = read_truth(truth, like, structures)
    own = named_in(prediction, structures)
    found = read_labels(prediction, like=like or expected, structures=own)
    if structures:
        voxels = np.where(np.isin(found.voxels, expected.listed()), found.voxels, 0)
        found = LabelMap(voxels, found.stored, found.names)
    return found, expected


def named_in(path: Path, structures: Sequence[str]) -> Sequence[str]:
    """Return what to ask for in another file than the truth: only some formats have names."""
    return () if fills_grid(path) else structures


def _name(mask: LabelMap, path: Path) -> str:
    own = [mask.names[label] for label in mask.labels() if label in mask.names]
    return own[0] if own else path.name.split(".")[0]
