"""Crops of earlier runs, so that a corrected run finds its slices as they were encoded.

A crop is remembered with the outlines that it was made for. A later run on the same scan with the
same settings takes it up if it shares one of those outlines: then it is a corrected run, and not
another structure that happens to have the same label.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np

from voxtrail.core.digest import voxels_digest
from voxtrail.core.prompts import MaskPrompt, Prompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.session.config import Config
from voxtrail.session.crops import Crop

#: Crops kept of one scan; those noted longest ago go first.
MAX_CROPS = 1_000


@dataclass(frozen=True)
class _Noted:
    """A crop and the outlines that it was made for."""

    crop: Crop
    outlines: frozenset[str]


class CropMemory:
    """Crops by scan and settings, in memory or in a folder.

    Parameters
    ----------
    folder
        Where they are kept as files, one a scan and settings; None keeps them in memory only.

    Notes
    -----
    A file that is damaged or cannot be written counts as not there: a run without remembered crops
    is right too, and only takes longer.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self._folder = None if folder is None else Path(folder)
        self._noted: dict[str, list[_Noted]] = {}

    def recall(
        self, volume: Volume, prompts: Prompts, config: Config
    ) -> dict[tuple[int, ...], Crop]:
        """Return the crops of earlier runs that share an outline, by their labels."""
        found: dict[tuple[int, ...], Crop] = {}
        for noted in self._of(_scan_key(volume, config)):
            labels = noted.crop.labels
            if noted.outlines & outline_keys(prompts, labels):
                found[labels] = noted.crop
        return found

    def note(self, volume: Volume, prompts: Prompts, config: Config, crops: Sequence[Crop]) -> None:
        """Remember the crops of a run."""
        key = _scan_key(volume, config)
        new = [_Noted(crop, outline_keys(prompts, crop.labels)) for crop in crops]
        replaced = {(one.crop.labels, outline) for one in new for outline in one.outlines}
        kept = [
            one
            for one in self._of(key)
            if not any((one.crop.labels, outline) in replaced for outline in one.outlines)
        ]
        self._noted[key] = [*kept, *new][-MAX_CROPS:]
        self._write(key)

    def _of(self, key: str) -> list[_Noted]:
        if key not in self._noted:
            self._noted[key] = self._read(key)
        return self._noted[key]

    def _place(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{key}.crops.json"

    def _read(self, key: str) -> list[_Noted]:
        place = self._place(key)
        try:
            entries = json.loads(place.read_text()) if place else []
            return [_Noted(Crop.from_json(one), frozenset(one["outlines"])) for one in entries]
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            return []

    def _write(self, key: str) -> None:
        place = self._place(key)
        if place is None:
            return
        text = json.dumps(
            [{**one.crop.to_json(), "outlines": sorted(one.outlines)} for one in self._noted[key]]
        )
        partial = place.with_name(f".partial-{os.getpid()}-{place.name}")
        try:
            partial.write_text(text)
            partial.replace(place)
        except OSError:
            partial.unlink(missing_ok=True)


def outline_keys(prompts: Prompts, labels: Sequence[int]) -> frozenset[str]:
    """Return what the prompts of some labels are known by: their slices and what was drawn."""
    return frozenset(_outline_key(prompt) for label in labels for prompt in prompts.of(label))


#: Keys that were told before: what is drawn is asked for again and again.
_KEYS: WeakKeyDictionary[Prompt, str] = WeakKeyDictionary()


def _outline_key(prompt: Prompt) -> str:
    if prompt not in _KEYS:
        _KEYS[prompt] = _digest_of(prompt)
    return _KEYS[prompt]


def _digest_of(prompt: Prompt) -> str:
    place = f"{type(prompt).__name__} {prompt.axis.label} {prompt.slice_index}"
    digest = hashlib.blake2b(place.encode(), digest_size=16)
    if isinstance(prompt, MaskPrompt):
        digest.update(np.packbits(prompt.mask).tobytes())
    else:
        digest.update(repr(prompt).encode())
    return digest.hexdigest()


def _scan_key(volume: Volume, config: Config) -> str:
    """Return what crops depend on besides what was drawn."""
    settings = [config.crop, config.margin_mm, config.roi, sorted(config.axes)]
    described = json.dumps([volume.stored.to_json(), voxels_digest(volume), settings])
    return hashlib.blake2b(described.encode(), digest_size=16).hexdigest()
