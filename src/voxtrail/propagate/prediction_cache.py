"""Segmented slices by what they were made from, so that a second run repeats only what changed.

The mask of a slice depends on its features and on what it attends to: memories, their temporal
embeddings, pointers and their distances. A memory depends on the features and the mask of its own
slice, and so on back to what was drawn. So a key made of the keys of all these stands for a mask
exactly, whatever policy, pass or label asks for it; after a corrected outline those slices are
found again whose memories do not lead to it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import numpy as np

from voxtrail.core.prompts import MaskPrompt, Prompt
from voxtrail.model.base import SliceModel, SlicePrediction, SpatialMemory
from voxtrail.model.conventions import points_of
from voxtrail.propagate.content_folder import Arrays
from voxtrail.propagate.content_store import ContentStore

#: Masks with their memories kept in memory: 0.8 MiB each of SAM 2's at 1024 pixels.
RAM_PREDICTIONS = 512
#: Bytes of masks, and of memories, that a folder may hold.
FOLDER_BYTES = 4 * 2**30

Made = TypeVar("Made")


class PredictionCache:
    """Steps and spatial memories of segmented slices, by what they were made from.

    Parameters
    ----------
    ram_predictions
        How many of each are kept in memory; the least recently used go first.
    folder
        Where they are kept as files besides; see `ContentFolder`. None keeps none.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """

    def __init__(
        self, ram_predictions: int = RAM_PREDICTIONS, folder: str | os.PathLike[str] | None = None
    ) -> None:
        self._steps: ContentStore[SlicePrediction] = ContentStore(
            "steps", ram_predictions, folder, FOLDER_BYTES
        )
        self._memories: ContentStore[SpatialMemory] = ContentStore(
            "memories", ram_predictions, folder, FOLDER_BYTES
        )
        #: Slices segmented, from prompts or memories, and slices found here instead.
        self.segmented = 0
        self.reused = 0

    def __len__(self) -> int:
        """Return how many steps are held in memory."""
        return len(self._steps)

    @property
    def notes(self) -> list[str]:
        """What a person should know, one line each."""
        return [*self._steps.notes, *self._memories.notes]

    def steps(
        self,
        model: SliceModel,
        keys: Sequence[str],
        make: Callable[[list[int]], Sequence[SlicePrediction]],
    ) -> list[SlicePrediction]:
        """Return the steps of some keys.

        Parameters
        ----------
        model
            Whose steps they are.
        keys
            See `prompt_key` and `track_key`.
        make
            Called with the places in ``keys`` of those that are not kept, all at once, if there
            are any; returns their steps.
        """
        found, missing = _kept_or_made(
            self._steps,
            keys,
            make,
            pack=lambda step: _step_arrays(model, step),
            unpack=lambda arrays: _step_of(model, arrays),
        )
        self.segmented += missing
        self.reused += len(keys) - missing
        return found

    def memories(
        self,
        model: SliceModel,
        keys: Sequence[str],
        make: Callable[[list[int]], Sequence[SpatialMemory]],
    ) -> list[SpatialMemory]:
        """Return the spatial memories that the steps of some keys leave; as `steps`."""
        return _kept_or_made(
            self._memories,
            keys,
            make,
            pack=lambda memory: {"memory": model.to_array(memory)},
            unpack=lambda arrays: model.from_array(arrays["memory"]),
        )[0]


def prompt_key(
    model: SliceModel, features_key: str, prompt: Prompt, shape_hw: tuple[int, int]
) -> str:
    """Return what a prompted slice is known by.

    Parameters
    ----------
    model
        What segments it.
    features_key
        What its features are known by; see `voxtrail.propagate.feature_cache.slice_keys`.
    prompt
        In the frame of the slice; which label it draws does not matter.
    shape_hw
        Rows and columns of the slice.
    """
    if isinstance(prompt, MaskPrompt):
        drawn = np.packbits(prompt.mask).tobytes()
    else:
        drawn = repr(points_of(prompt)).encode()
    return _key(model, type(prompt).__name__, features_key, shape_hw, drawn)


def track_key(
    model: SliceModel,
    features_key: str,
    memories: Sequence[tuple[str, int]],
    pointers: Sequence[tuple[str, float]],
) -> str:
    """Return what a tracked slice is known by.

    Parameters
    ----------
    model
        What segments it.
    features_key
        What its features are known by.
    memories
        Keys of the slices whose memories it attends to, with their temporal embeddings.
    pointers
        Keys of the slices whose pointers it attends to, with their distances.
    """
    return _key(model, "track", features_key, tuple(memories), tuple(pointers))


def _key(model: SliceModel, *parts: object) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in (model.fingerprint, model.shortcuts, *parts):
        data = part if isinstance(part, bytes) else repr(part).encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def _kept_or_made(
    store: ContentStore[Made],
    keys: Sequence[str],
    make: Callable[[list[int]], Sequence[Made]],
    *,
    pack: Callable[[Made], Arrays],
    unpack: Callable[[Arrays], Made],
) -> tuple[list[Made], int]:
    """Return the things of some keys, and how many of them had to be made."""
    things = [store.find(key, unpack) for key in keys]
    missing = [place for place, thing in enumerate(things) if thing is None]
    if missing:
        for place, made in zip(missing, make(missing), strict=True):
            things[place] = made
            store.write(keys[place], made, pack)
    for key, thing in zip(keys, things, strict=True):
        store.hold(key, cast(Made, thing))
    return cast("list[Made]", things), len(missing)


def _step_arrays(model: SliceModel, step: SlicePrediction) -> Arrays:
    return {
        "logits": model.to_array(step.logits),
        "pointer": model.to_array(step.pointer),
        "numbers": np.array([float(step.predicted_iou), float(step.object_score), step.prompted]),
        "area": np.array([float(step.area)]),
    }


def _step_of(model: SliceModel, arrays: Arrays) -> SlicePrediction:
    iou, score, prompted = arrays["numbers"].tolist()
    return SlicePrediction(
        model.from_array(arrays["logits"]),
        model.from_array(arrays["pointer"]),
        iou,
        score,
        bool(prompted),
        float(arrays["area"][0]),
    )
