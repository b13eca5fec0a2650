"""In which window a single slice is previewed, and how it came about in the last propagation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import Prompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.model.base import SliceModel
from voxtrail.propagate.features import FeatureSource
from voxtrail.session.cache import Cache
from voxtrail.session.config import Config
from voxtrail.session.crops import Crop, plan
from voxtrail.session.grey import GreyScan
from voxtrail.session.preview import SlicePreview, TrackedSlice, recall_again, refine, whole_slice
from voxtrail.session.run import SliceDone
from voxtrail.session.state import Place

Key = TypeVar("Key")
Value = TypeVar("Value")
#: Crops by their labels.
Crops = Mapping[tuple[int, ...], Crop]


class Previews:
    """Segments and encodes single slices of one session.

    Parameters
    ----------
    volume, scan
        The scan, and its grey levels.
    bounds
        What nothing leaves.
    cache
        What was encoded and segmented before.
    """

    def __init__(self, volume: Volume, scan: GreyScan, bounds: Box, cache: Cache) -> None:
        self._volume = volume
        self._scan = scan
        self._bounds = bounds
        self._cache = cache
        self._tracked: dict[Place, TrackedSlice] = {}
        self._crops: dict[tuple[int, Axis], Crop] = {}

    def note(self, done: SliceDone) -> None:
        """Remember how a slice was tracked."""
        if done.recalled is not None:
            place = Place(done.label, done.axis, done.slice_index)
            self._tracked[place] = TrackedSlice.of(done.path, done.key, done.recalled)

    def forget(self, label: int | None) -> None:
        """Forget what was tracked, and windows, of one label or of all."""
        self._tracked = without(self._tracked, label, [place.label for place in self._tracked])
        self._crops = without(self._crops, label, [of for of, _ in self._crops])

    def preview(
        self,
        model: SliceModel,
        place: Place,
        given: Sequence[Prompt],
        drawn: Prompts,
        config: Config,
        crops: Crops,
    ) -> SlicePreview:
        """Return the mask that prompts in one place give.

        Parameters
        ----------
        model
            What segments.
        place, given
            The prompts, and where they are.
        drawn, config, crops
            Of the session.
        """
        shape = self._volume.grid.shape
        others = [one for one in drawn.of(place.label) if Place.of(one) != place]
        path = self._path(place, [*others, *given], config, crops)
        (features,) = self._source(model, path).fetch([0])
        tracked = self._tracked.get(place)
        again = tracked and recall_again(model, self._cache.predictions, features, tracked)
        prediction, tracking = again or (None, None)
        found = refine(
            model,
            features,
            [path.place_of(prompt, shape)[1] for prompt in given],
            path.size,
            tracked=prediction,
            tracking=tracking,
        )
        (logits,) = model.masks([found], path.size)
        return SlicePreview(
            place,
            whole_slice(path, logits, shape),
            float(found.predicted_iou),
            from_memory=tracking is not None,
        )

    def prepare(
        self, model: SliceModel, place: Place, drawn: Prompts, config: Config, crops: Crops
    ) -> bool:
        """Encode a slice as a preview would see it; tell whether there was something to encode."""
        mine = drawn.of(place.label)
        if not (mine or place in self._tracked or (place.label, place.axis) in self._crops):
            return False  # nobody knows where to look
        path = self._path(place, mine, config, crops)
        before = self._cache.features.encoded
        self._source(model, path).fetch([0])
        return self._cache.features.encoded > before

    def _source(self, model: SliceModel, path: CropPath) -> FeatureSource:
        return FeatureSource(model, self._scan.along(path), self._cache.features)

    def _path(
        self, place: Place, prompts: Sequence[Prompt], config: Config, crops: Crops
    ) -> CropPath:
        """Return the window of a slice: as it was tracked, the label's own, or one around prompts.

        That of a label that was not propagated yet is around all that is drawn of it, as it will
        be then: what is encoded now is found again.
        """
        if place in self._tracked:
            return self._tracked[place].path
        label, axis, index = place
        held = [
            *(crop for of, crop in crops.items() if label in of and axis in crop.paths),
            *(crop for of, crop in self._crops.items() if of == (label, axis)),
        ]
        known: dict[tuple[int, ...], Crop] = {}
        if held:
            known = {(label,): replace(held[0], paths={axis: held[0].paths[axis]})}
        if prompts:
            given = Prompts(tuple(prompts), self._volume.stored)
            along = replace(config, axes=(axis.label,))
            (crop,) = plan(self._volume, given, along, self._bounds, known)
            self._crops[label, axis] = crop
        else:
            (crop,) = known.values()
        return crop.paths[axis].part(index, index + 1)


def without(
    kept: Mapping[Key, Value], label: int | None, labels: Sequence[int]
) -> dict[Key, Value]:
    """Return what is kept of other labels; nothing where ``label`` is None.

    Parameters
    ----------
    kept
        Anything that is of a label each.
    label
        Whose is left out; None for all.
    labels
        Of what is kept, in its order.
    """
    pairs = zip(kept.items(), labels, strict=True)
    return {} if label is None else {key: value for (key, value), of in pairs if of != label}
