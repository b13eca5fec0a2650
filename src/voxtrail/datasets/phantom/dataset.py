"""A folder of phantom scans in the layout of TotalSegmentator v2.

::

    DIRECTORY/meta.csv                                      ; between fields, byte-order mark
    DIRECTORY/s0000/ct.nii.gz                               int16, HU
    DIRECTORY/s0000/segmentations/vertebrae_L5.nii.gz ...   uint8, 0 or 1, one a class present

Called by the command `phantom`, by tests and by the study's own checks.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom.subject import CYCLE, REGIONS, PhantomSubject, make_subject
from voxtrail.errors import OptionError, OutputError
from voxtrail.io import check_writable, replacing, write

META_COLUMNS = (
    "image_id",
    "age",
    "gender",
    "institute",
    "study_type",
    "split",
    "manufacturer",
    "scanner_model",
    "kvp",
    "pathology",
    "pathology_location",
)


def write_dataset(
    directory: str | os.PathLike[str],
    subjects: int,
    seed: int,
    *,
    regions: Sequence[str] = CYCLE,
    force: bool = False,
    on_subject: Callable[[Path], None] | None = None,
) -> list[Path]:
    """Write phantom subjects; equal arguments give equal bytes.

    Every file appears whole or not at all, `meta.csv` last: where it is, all subjects are.
    The bytes inside the gzip streams also depend on the zlib that Python was built with.

    Parameters
    ----------
    directory
        Created if its parent exists.
    subjects
        How many, at least one; ten or more hold every bone type at least four times.
    seed
        Non-negative.
    regions
        Keys of `REGIONS`, scanned in turn.
    force
        Whether files of an earlier run may be replaced.
    on_subject
        Told the folder of each subject once it is written.

    Returns
    -------
    list of Path
        The subjects' folders, `s0000` first.

    Raises
    ------
    OptionError
        If `subjects` or `seed` is out of range, or a region unknown.
    OutputError
        If the place cannot be written to, or holds files and `force` is not set.
    """
    if not 1 <= subjects <= 9999:
        raise OptionError(
            "the number of subjects is out of range",
            received=subjects,
            accepted="1..9999",
            remedy="ask for at least one subject",
        )
    root = Path(directory)
    names = [f"s{index:04d}" for index in range(subjects)]
    _claim(root, names, force)
    folders: list[Path] = []
    rows: list[tuple[str, ...]] = [META_COLUMNS]
    for index, name in enumerate(names):
        subject = make_subject(seed, index, regions[index % len(regions)])
        _write_subject(subject, root / name)
        rows.append(_meta_row(name, subject))
        folders.append(root / name)
        if on_subject is not None:
            on_subject(root / name)
    with replacing(root / "meta.csv", force=True) as temporary:
        # TotalSegmentator's own file starts with a byte-order mark.
        text = "".join(";".join(row) + "\n" for row in rows)
        temporary.write_bytes(text.encode("utf-8-sig"))
    return folders


def _claim(root: Path, names: list[str], force: bool) -> None:
    """Make the folder, or refuse it before any work is done."""
    if not os.path.isdir(root):  # unlike Path.is_dir, no error for a name that no file can have
        check_writable(root, force)
        root.mkdir()
    check_writable(root / "meta.csv", force)
    taken = [name for name in names if (root / name).exists()]
    if taken and not force:
        raise OutputError(
            f"{root} already holds subjects",
            received=", ".join(taken[:3]),
            accepted="a new or empty folder",
            remedy="choose another folder, or replace them with --force (force=True)",
        )


def _write_subject(subject: PhantomSubject, folder: Path) -> None:
    masks = folder / "segmentations"
    masks.mkdir(parents=True, exist_ok=True)
    write(Volume.from_stored(subject.hu, subject.affine), folder / "ct.nii.gz", force=True)
    kept = set()
    for name, mask in subject.masks.items():
        place = masks / f"{name}.nii.gz"
        voxels = mask.astype(np.uint8)
        write(LabelMap.from_stored(voxels, subject.affine, {1: name}), place, force=True)
        kept.add(place)
    # Classes of a replaced subject must not pass for this one's.
    for stale in set(masks.glob("*.nii.gz")) - kept:
        stale.unlink()


def _meta_row(name: str, subject: PhantomSubject) -> tuple[str, ...]:
    known = {
        "image_id": name,
        "institute": "phantom",
        "study_type": REGIONS[subject.region].study_type,
        "split": "test",
        "manufacturer": "voxtrail",
    }
    return tuple(known.get(column, "") for column in META_COLUMNS)
