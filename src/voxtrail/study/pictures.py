"""Slices of some results, kept beside a study's records for the sheets of its report.

::

    DIR/pictures/s0000/hip_left.npz
"""

from __future__ import annotations

import io
import os
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from voxtrail.errors import InputError
from voxtrail.io import replacing
from voxtrail.study.folder import make_folder
from voxtrail.study.tasks.base import Picture

PICTURES = "pictures"

_KINDS = {"grey": "uint8", "truth": "bool", "found": "bool", "slices": "int64", "prompted": "bool"}


class Pictures:
    """The pictures of one study's folder.

    Parameters
    ----------
    folder
        Of the study.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / PICTURES

    def add(self, case: str, structure: str, name: str, picture: Picture) -> None:
        """Keep one result's slices under ``name``, beside those of other results.

        Raises
        ------
        InputError
            If the file that is there is damaged.
        OutputError
            If the file cannot be written; what was there stays.
        """
        place = self._place(case, structure)
        kept = self._read(place) | {name: picture}
        make_folder(place.parent)
        packed = io.BytesIO()
        np.savez_compressed(
            packed,
            **{
                f"{name}/{field.name}": getattr(picture, field.name)
                for name, picture in kept.items()
                for field in fields(Picture)
            },
        )
        with replacing(place, force=True) as temporary:
            temporary.write_bytes(packed.getvalue())

    def find(self, case: str, structure: str, name: str) -> Picture | None:
        """Return what `add` kept, or None.

        Raises
        ------
        InputError
            If the file is damaged.
        """
        return self._read(self._place(case, structure)).get(name)

    def _place(self, case: str, structure: str) -> Path:
        return self._folder / case / f"{structure}.npz"

    def _read(self, place: Path) -> dict[str, Picture]:
        if not os.path.isfile(place):
            return {}
        found: dict[str, dict[str, Any]] = {}
        try:
            # Opened here: numpy leaves a file open that it cannot read.
            with place.open("rb") as file, np.load(file) as stored:
                for key in stored.files:
                    name, _, part = key.rpartition("/")
                    found.setdefault(name, {})[part] = stored[key]
            return {name: _picture(parts) for name, parts in found.items()}
        # numpy raises anything at a damaged archive, from BadZipFile to tokenize.TokenError.
        except Exception as error:
            raise InputError(
                f"{place} holds no pictures",
                received=" ".join(str(error).split()) or type(error).__name__,
                accepted="a file that 'voxtrail study run' wrote",
                remedy="remove that file; the report then goes without its pictures",
            ) from error


def _picture(parts: dict[str, Any]) -> Picture:
    """Return a picture, or raise ValueError where its parts do not belong together."""
    # A member that is no array is handed over as bytes.
    kinds = {part: str(getattr(array, "dtype", "bytes")) for part, array in parts.items()}
    if kinds != _KINDS or parts["grey"].ndim != 3 or not parts["grey"].size:
        raise ValueError(f"arrays of {kinds}")
    shape = parts["grey"].shape
    wanted = {"grey": shape, "truth": shape, "found": shape}
    if any(array.shape != wanted.get(part, shape[:1]) for part, array in parts.items()):
        raise ValueError(f"arrays of different shapes beside {shape}")
    return Picture(**parts)
