"""The list of structures that a study runs on: a CSV that cannot change unnoticed.

One row a structure. The last column chains a checksum over the rows, file sizes included: each is
a SHA-256, shortened, of the one before and of the row's own values, and the first starts from the
number of rows. So an edited row, a lost row and an added row all show, and the last checksum is
the manifest's.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voxtrail.core.box import Box
from voxtrail.datasets.bones import bone_type
from voxtrail.datasets.totalsegmentator import Structure, ct_path, mask_path
from voxtrail.errors import InputError
from voxtrail.io import replacing

COLUMNS = (
    "case",
    "structure",
    "bone_type",
    "axial_slices",
    "box",
    "shape",
    "spacing_mm",
    "ct_bytes",
    "mask_bytes",
)
CHECKSUM = "checksum"
FORMAT = "voxtrail-manifest/1"
#: Hexadecimal digits of a row's checksum.
DIGITS = 16


@dataclass(frozen=True)
class Manifest:
    """Structures in the order in which they are run.

    Parameters
    ----------
    structures
        At least one; each case and structure once.
    """

    structures: tuple[Structure, ...]

    @property
    def checksum(self) -> str:
        """The last row's checksum, which depends on all rows."""
        return _chain([_values(item) for item in self.structures])[-1]

    def first_of_each_type(self, count: int) -> Manifest:
        """Return the first ``count`` structures of every bone type, in the same order."""
        seen: dict[str, int] = {}
        kept = []
        for item in self.structures:
            seen[item.bone_type] = seen.get(item.bone_type, 0) + 1
            if seen[item.bone_type] <= count:
                kept.append(item)
        return Manifest(tuple(kept))

    def verify(self, root: Path) -> None:
        """Refuse data that are not those the manifest was drawn from.

        Raises
        ------
        InputError
            If a file is missing or has another size; names the first and counts all.
        """
        wrong = []
        for item in self.structures:
            for path, expected in (
                (ct_path(root, item.case), item.ct_bytes),
                (mask_path(root, item.case, item.structure), item.mask_bytes),
            ):
                found = os.stat(path).st_size if os.path.isfile(path) else None
                if found != expected:
                    wrong.append((path, found, expected))
        if wrong:
            path, found, expected = wrong[0]
            raise InputError(
                f"the data are not those of the manifest ({len(wrong)} files differ)",
                received=f"{path}, {'missing' if found is None else f'{found} bytes'}",
                accepted=f"{expected} bytes",
                remedy="pass the dataset that the manifest was drawn from as --root, or draw anew",
            )


def write_manifest(manifest: Manifest, path: Path, force: bool = False) -> None:
    """Write a manifest, whole or not at all."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*COLUMNS, CHECKSUM])
    rows = [_values(item) for item in manifest.structures]
    for values, checksum in zip(rows, _chain(rows), strict=True):
        writer.writerow([*values, checksum])
    with replacing(path, force) as place:
        place.write_text(text.getvalue(), encoding="utf-8")


def read_manifest(path: Path) -> Manifest:
    """Read a manifest.

    Raises
    ------
    InputError
        If it cannot be read, is no manifest, or does not match its checksums.
    """
    try:
        # Spreadsheets put a byte-order mark before what they save.
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise _no_manifest(path, reason) from error
    if not rows or tuple(rows[0]) != (*COLUMNS, CHECKSUM):
        raise _no_manifest(path, ",".join(rows[0])[:80] if rows else "an empty file")
    body = [row for row in rows[1:] if row]
    if not body:
        raise _no_manifest(path, "a header alone")
    for number, row in enumerate(body, start=1):
        if len(row) != len(COLUMNS) + 1:
            raise _no_manifest(path, f"row {number} with {len(row)} values")
    expected = _chain([row[:-1] for row in body])
    for number, (row, checksum) in enumerate(zip(body, expected, strict=True), start=1):
        if row[-1] != checksum:
            raise InputError(
                f"{path.name} was changed after it was written, at row {number} or by a row "
                "that was added or lost",
                received=f"{row[0]}/{row[1]}, checksum {row[-1]}",
                accepted=f"checksum {checksum}",
                remedy="take the file as it was written, or draw it anew with 'dataset sample'",
            )
    found = []
    for number, row in enumerate(body, start=1):
        try:
            found.append(_structure(row))
        except (ValueError, TypeError) as error:
            raise _no_manifest(path, f"row {number}: {error}") from error
    twice = len(found) - len({(item.case, item.structure) for item in found})
    if twice:
        raise _no_manifest(path, f"{twice} structures listed twice")
    return Manifest(tuple(found))


def _chain(rows: Sequence[Sequence[str]]) -> list[str]:
    checksum = f"{FORMAT};rows={len(rows)}"
    checksums = []
    for row in rows:
        text = "\x1f".join([checksum, *row])
        checksum = hashlib.sha256(text.encode()).hexdigest()[:DIGITS]
        checksums.append(checksum)
    return checksums


def _values(item: Structure) -> list[str]:
    box = " ".join(f"{a}:{b}" for a, b in zip(item.box.start, item.box.stop, strict=True))
    return [
        item.case,
        item.structure,
        item.bone_type,
        str(item.axial_slices),
        box,
        " ".join(map(str, item.shape)),
        " ".join(f"{value:.6g}" for value in item.spacing_mm),
        str(item.ct_bytes),
        str(item.mask_bytes),
    ]


def _structure(row: Sequence[str]) -> Structure:
    case, name, kind, slices, box, shape, spacing, ct_bytes, mask_bytes, _ = row
    if bone_type(name) != kind:
        raise ValueError(f"{name} is no {kind}")
    if not case or case != Path(case).name:
        raise ValueError(f"the case {case!r} is no folder's name")
    (x0, x1), (y0, y1), (z0, z1) = (map(int, part.split(":")) for part in box.split())
    x, y, z = map(int, shape.split())
    if not all(0 <= a < b <= n for a, b, n in ((x0, x1, x), (y0, y1, y), (z0, z1, z))):
        raise ValueError(f"the box {box} does not lie in a scan of {shape} voxels")
    dx, dy, dz = map(float, spacing.split())
    if not all(math.isfinite(value) and value > 0 for value in (dx, dy, dz)):
        raise ValueError("a voxel size that is none")
    return Structure(
        case=case,
        structure=name,
        bone_type=kind,
        axial_slices=int(slices),
        box=Box((x0, y0, z0), (x1, y1, z1)),
        shape=(x, y, z),
        spacing_mm=(dx, dy, dz),
        ct_bytes=int(ct_bytes),
        mask_bytes=int(mask_bytes),
    )


def _no_manifest(path: Path, received: str) -> InputError:
    return InputError(
        f"{path} is no manifest",
        received=received,
        accepted=f"a CSV as 'voxtrail dataset sample' writes it: {','.join(COLUMNS)},{CHECKSUM}",
        remedy="draw one with 'voxtrail dataset sample ROOT -o MANIFEST.csv'",
    )
