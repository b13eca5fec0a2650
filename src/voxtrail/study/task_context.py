"""What tasks work with: loaded models, the structure at hand, its features and their cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from voxtrail.core.peak_memory import peak_memory
from voxtrail.core.stopwatch import synchronizer
from voxtrail.core.volume import Volume
from voxtrail.datasets.totalsegmentator import Structure, read_ct
from voxtrail.errors import OptionError, UnavailableError, WeightsError
from voxtrail.model.base import LoadedModel
from voxtrail.model.catalogue import CATALOGUE
from voxtrail.model.loading import load
from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.session import Cache
from voxtrail.study.settings import Settings
from voxtrail.study.target import Target, load_target

#: Bound of the features kept in memory.
RAM_BYTES = 8 * 2**30


class TaskContext:
    """One process's models, the structure at hand, and its features.

    Parameters
    ----------
    settings
        Of the study.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._models: dict[tuple[str, int | None], LoadedModel] = {}
        self._missing: dict[tuple[str, int | None], str] = {}
        self._scan: tuple[str, Volume] | None = None
        self._features: tuple[tuple[str, int], FeatureCache] | None = None
        self._predictions = PredictionCache(keep=True)
        # Of this structure: seconds and slices of encoding by weights, input size, preprocessing.
        self._encoding: dict[tuple[str, int, str], tuple[float, int]] = {}

    def model(self, name: str | None, resolution: int | None) -> LoadedModel:
        """Return a model, loaded when first asked for.

        Parameters
        ----------
        name
            None for the study's.
        resolution
            None for the study's.

        Raises
        ------
        UnavailableError
            If its weights are not on this machine and cannot be fetched, or it cannot be run at
            that size.
        """
        wanted = name or self.settings.model
        key = wanted, resolution or self.settings.resolution
        if key in self._missing:
            raise UnavailableError(self._missing[key])
        if key not in self._models:
            try:
                loaded = load(wanted, resolution=key[1], device=self.settings.device)
            except (WeightsError, OptionError) as error:
                self._missing[key] = str(error)
                raise UnavailableError(str(error)) from error
            loaded.model.stopwatch.synchronize = synchronizer(loaded.model.device)
            self._models[key] = loaded
        return self._models[key]

    @staticmethod
    def name_of(loaded: LoadedModel) -> str:
        """Return what records call a model: never a path of this machine."""
        return loaded.name if loaded.name in CATALOGUE else Path(loaded.name).name

    def open(self, item: Structure) -> Target:
        """Read a structure and forget the one before; the scan stays for its next structure."""
        self._encoding.clear()
        if self._scan is None or self._scan[0] != item.case:
            self._scan = item.case, read_ct(self.settings.root, item.case)
        self._features, self._predictions = None, PredictionCache(keep=True)
        return load_target(self.settings.root, item, self.settings.margin_mm, self._scan[1])

    def cache(self, loaded: LoadedModel, *, predictions: bool = False) -> Cache:
        """Return the structure's features of a model at its input size.

        There is room for one preprocessing of all three axes of any structure. No more is needed:
        tasks come sorted by model, input size, preprocessing and crop.

        Parameters
        ----------
        loaded
            The model.
        predictions
            Whether slices that an earlier task of the structure segmented are reused, too. The
            task's seconds then say nothing.
        """
        key = loaded.sha256, loaded.model.input_size
        if self._features is None or self._features[0] != key:
            self._features = key, FeatureCache(RAM_BYTES, self.settings.cache, keep=True)
        kept = self._predictions if predictions else PredictionCache(ram_bytes=0)
        return Cache(self._features[1], kept, None)

    def attribute_encoding(
        self, loaded: LoadedModel, window: str, spent_s: float, slices: Mapping[str, int]
    ) -> float | None:
        """Return the seconds of encoding that a task would need by itself.

        A slice of the structure that was encoded for another task counts as much as one that is
        encoded takes on average.

        Parameters
        ----------
        loaded, window
            Model and preprocessing of the task.
        spent_s
            Seconds that this task spent on encoding.
        slices
            How many it encoded, and how many it found encoded (``reused``).

        Returns
        -------
        float or None
            None where all encodings were found in a folder of an earlier run.
        """
        key = loaded.sha256, loaded.model.input_size, window
        before_s, before = self._encoding.get(key, (0.0, 0))
        encoded = before + slices["encoded"]
        if not encoded:
            return None
        self._encoding[key] = before_s + spent_s, encoded
        each_s = (before_s + spent_s) / encoded
        return spent_s + each_s * slices["reused"]

    def peak_memory(self) -> AbstractContextManager[Callable[[], float | None]]:
        """Measure peak memory where the model runs; see `voxtrail.core.peak_memory`."""
        import torch

        cuda = self.settings.device in ("auto", "cuda") and torch.cuda.is_available()
        return peak_memory("cuda" if cuda else "cpu")
