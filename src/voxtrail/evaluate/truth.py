"""The truth as people keep it: one label map, or one binary mask a structure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.alignment import joint_grid, on_grid
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError, OptionError
from voxtrail.evaluate.matching import Side, match
from voxtrail.io import fills_grid, read_labels


def read_truth(
    paths: Sequence[Path],
    like: Volume | LabelMap | None = None,
    structures: Sequence[str] = (),
) -> LabelMap:
    """Read one label map, or several binary masks as labels 1, 2, ... in the order given.

    Masks may share voxels. Any value but 0 is inside of a binary mask.

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
        If a file cannot be read as labels, or one of several is no binary mask.
    GridError
        If the masks' voxels do not lie on each other.
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
        return _named(maps[0], paths[0])
    grid = maps[0].stored
    for one in maps[1:]:
        grid = joint_grid(one.stored, grid)
    names, titles = {}, {}
    for label, (path, one) in enumerate(zip(paths, maps, strict=True), start=1):
        titles[label] = _title(path)
        if own := [one.names[number] for number in one.labels() if number in one.names]:
            names[label] = own[0]
    for path, one in zip(paths, maps, strict=True):
        if len(one.labels()) > 1:
            raise ImageError(
                f"{path.name} is one of several masks but holds more than one label",
                received=f"labels {', '.join(map(str, one.labels()))}",
                accepted="one label map alone, or binary masks",
                remedy="pass the label map by itself",
            )
    placed = [on_grid(one, grid, path.name) for path, one in zip(paths, maps, strict=True)]
    masks = ((label, _inside(one)) for label, one in enumerate(placed, start=1))
    notes = dict.fromkeys(note for one in placed for note in one.notes)
    joined = LabelMap.of_masks(masks, grid, names)
    return replace(joined, titles=titles, notes=tuple(notes))


def read_pair(
    prediction: Path,
    truth: Sequence[Path],
    like: Volume | LabelMap | None = None,
    structures: Sequence[str] = (),
) -> tuple[LabelMap, LabelMap]:
    """Read what is to be scored and what it is scored by.

    Both come back on the grid of ``like``, else each on its own; DICOM's labels on that of the
    other, where that has all of its scan's. Where some structures of the truth are wanted, the
    prediction's labels of other names or numbers are left out.

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
    on = like if like is not None or fills_grid(prediction) else expected
    found = read_labels(prediction, like=on)
    return (_only_those(found, expected) if structures else found), expected


def _only_those(found: LabelMap, expected: LabelMap) -> LabelMap:
    """Leave out labels of a prediction that are none of the truth's, by name or by number."""
    matching = match(Side.of("prediction", found), Side.of("truth", expected))
    known = expected.listed()
    other = {label: 0 for label, number in matching.numbers.items() if number not in known}
    names = {label: name for label, name in found.names.items() if label not in other}
    return found.renumbered(other, names)


def _inside(mask: LabelMap) -> NDArray[np.bool_]:
    inside: NDArray[np.bool_] = mask.voxels > 0
    return inside


def _named(only: LabelMap, path: Path) -> LabelMap:
    """Return a label map; one of a single label without a name is called after its file."""
    labels = only.labels()
    if len(labels) == 1 and labels[0] not in only.names:
        return replace(only, titles={labels[0]: _title(path)})
    return only


def _title(path: Path) -> str:
    return path.name.split(".")[0]
