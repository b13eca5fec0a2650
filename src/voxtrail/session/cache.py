"""What is kept between runs: encoded slices, predictions, and crops."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.session.crop_memory import CropMemory

#: Bytes of masks, and of memories, that a single run keeps in memory.
PREDICTION_BYTES = 2**27


@dataclass(frozen=True, eq=False)
class Cache:
    """What runs of one session, of several calls of `segment`, or of several cases share.

    With the defaults everything is kept while the object lives: what falls out of memory is laid
    down in a temporary folder.

    Parameters
    ----------
    features
        Encoded slices.
    predictions
        Segmented slices and their memories.
    crops
        Where labels were segmented; None remembers none.
    """

    features: FeatureCache = field(default_factory=lambda: FeatureCache(keep=True))
    predictions: PredictionCache = field(default_factory=lambda: PredictionCache(keep=True))
    crops: CropMemory | None = field(default_factory=CropMemory)

    @classmethod
    def in_folder(cls, folder: str | os.PathLike[str]) -> Cache:
        """Return a cache in a folder, for later runs too.

        Raises
        ------
        OutputError
            If the folder cannot be made or written to.
        """
        return cls(FeatureCache(folder=folder), PredictionCache(folder=folder), CropMemory(folder))

    @classmethod
    def of_one_run(cls, *, quality: bool) -> Cache:
        """Return a cache that holds what a single run asks for twice, and no more.

        Where outlines are left out (`Config.quality`), all of it is asked for again.
        """
        if quality:
            predictions = PredictionCache(PREDICTION_BYTES, keep=True)
            return cls(FeatureCache(keep=True), predictions, None)
        return cls(FeatureCache(), PredictionCache(ram_bytes=0), None)

    @property
    def notes(self) -> list[str]:
        """What a person should know, one line each."""
        return [*self.features.notes, *self.predictions.notes]
