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
from voxtrail.propagate.content_store import Coding, ContentStore

#: Bytes of masks, and of memories, kept in memory.
RAM_BYTES = 2**29
#: Bytes of masks, and of memories, that a folder may hold.
FOLDER_BYTES = 4 * 2**30

Made = TypeVar("Made")


class PredictionCache:
    """Slice predictions and spatial memories, by what they were made from.

    Parameters
    ----------
    ram_bytes
        How much of each is kept in memory; 0 keeps none.
    folder, keep
        See `voxtrail.propagate.content_store.ContentStore`.

    Raises
    ------
    OutputError
        If the folder cannot be made or written to.
    """

    def __init__(
        self,
        ram_bytes: int = RAM_BYTES,
        folder: str | os.PathLike[str] | None = None,
        *,
        keep: bool = False,
    ) -> None:
        self._predictions: ContentStore[SlicePrediction] = ContentStore(
            "predictions", ram_bytes=ram_bytes, folder=folder, folder_bytes=FOLDER_BYTES, keep=keep
        )
        self._memories: ContentStore[SpatialMemory] = ContentStore(
            "memories", ram_bytes=ram_bytes, folder=folder, folder_bytes=FOLDER_BYTES, keep=keep
        )
        #: Slices segmented, from prompts or memories, and slices found here instead.
        self.segmented = 0
        self.reused = 0

    def __len__(self) -> int:
        """Return how many predictions are held in memory."""
        return len(self._predictions)

    @property
    def notes(self) -> list[str]:
        """What a person should know, one line each."""
        return [*self._predictions.notes, *self._memories.notes]

    def predictions(
        self,
        model: SliceModel,
        keys: Sequence[str],
        make: Callable[[list[int]], Sequence[SlicePrediction]],
    ) -> list[SlicePrediction]:
        """Return the predictions of some keys.

        Parameters
        ----------
        model
            Whose predictions they are.
        keys
            See `prompt_key` and `track_key`.
        make
            Called with the places in ``keys`` of those that are not kept, all at once, if there
            are any; returns their predictions.
        """
        found, missing = _kept_or_made(self._predictions, keys, make, _prediction_coding(model))
        self.segmented += missing
        self.reused += len(keys) - missing
        return found

    def memories(
        self,
        model: SliceModel,
        keys: Sequence[str],
        make: Callable[[list[int]], Sequence[SpatialMemory]],
    ) -> list[SpatialMemory]:
        """Return the spatial memories that the predictions of some keys leave."""
        return _kept_or_made(self._memories, keys, make, _memory_coding(model))[0]

    def find(self, model: SliceModel, key: str) -> SlicePrediction | None:
        """Return the prediction of a key where it is kept, or None."""
        return self._predictions.find(key, _prediction_coding(model))

    def find_memory(self, model: SliceModel, key: str) -> SpatialMemory | None:
        """Return the spatial memory of a key where it is kept, or None."""
        return self._memories.find(key, _memory_coding(model))


def prompt_key(
    model: SliceModel, features_key: str, prompts: Sequence[Prompt], shape_hw: tuple[int, int]
) -> str:
    """Return what a prompted slice is known by.

    Parameters
    ----------
    model
        What segments it.
    features_key
        What its features are known by; see `voxtrail.propagate.feature_cache.slice_keys`.
    prompts
        What was drawn on it, in the frame of the slice; which label it draws does not matter.
    shape_hw
        Rows and columns of the slice.
    """
    parts: list[object] = []
    for prompt in prompts:
        drawn = (
            np.packbits(prompt.mask).tobytes()
            if isinstance(prompt, MaskPrompt)
            else repr(points_of(prompt)).encode()
        )
        parts += [type(prompt).__name__, drawn]
    return _key(model, "prompt", features_key, shape_hw, *parts)


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


def hypothesis_key(model: SliceModel, key: str, number: int) -> str:
    """Return what one of several masks of a tracked slice is known by.

    Parameters
    ----------
    model
        What segments it.
    key
        What the slice is known by where it is tracked; see `track_key`.
    number
        Which of the masks.
    """
    return _key(model, "hypothesis", key, number)


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
    coding: Coding[Made],
) -> tuple[list[Made], int]:
    """Return the things of some keys, and how many of them had to be made."""
    things = [store.find(key, coding) for key in keys]
    missing = [place for place, thing in enumerate(things) if thing is None]
    if missing:
        for place, made in zip(missing, make(missing), strict=True):
            things[place] = made
            store.put(keys[place], made, coding)
    return cast("list[Made]", things), len(missing)


def _memory_coding(model: SliceModel) -> Coding[SpatialMemory]:
    return Coding(
        lambda memory: {"memory": model.to_array(memory)},
        lambda arrays: model.from_array(arrays["memory"]),
    )


def _prediction_coding(model: SliceModel) -> Coding[SlicePrediction]:
    def pack(one: SlicePrediction) -> Arrays:
        numbers = [float(one.predicted_iou), float(one.object_score), one.prompted]
        return {
            "logits": model.to_array(one.logits),
            "pointer": model.to_array(one.pointer),
            "numbers": np.array(numbers),
            "area": np.array([float(one.area)]),
            "agreement": np.array([float(one.agreement)]),
        }

    def unpack(arrays: Arrays) -> SlicePrediction:
        iou, score, prompted = arrays["numbers"].tolist()
        return SlicePrediction(
            model.from_array(arrays["logits"]),
            model.from_array(arrays["pointer"]),
            iou,
            score,
            bool(prompted),
            float(arrays["area"][0]),
            float(arrays["agreement"][0]),
        )

    return Coding(pack, unpack)
