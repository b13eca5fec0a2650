"""The labels as the page shows them: predictions, with what is drawn upon them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap
from voxtrail.preprocess import around_prompts
from voxtrail.session import LabelLogits, Session
from voxtrail.session.compose import UNVISITED_LOGIT, compete, impose_drawn

#: Logits inside a label map that was taken for predictions: about as sure as a tracked mask is.
IMPORTED_LOGIT = 5.0


def of_map(labels: LabelMap) -> dict[int, LabelLogits]:
    """Return the labels of a map as if they had been predicted."""
    found = {}
    for label in labels.labels():
        mask = labels.mask(label)
        box = Box.around(mask)
        assert box is not None  # it occurs
        inside = np.where(mask[box.slices], IMPORTED_LOGIT, UNVISITED_LOGIT)
        found[label] = LabelLogits(box, inside.astype(np.float32))
    return found


class Shown:
    """Puts together what is shown, once for each change of it.

    Parameters
    ----------
    session
        What is drawn, and what was found.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        #: Label maps that were taken for predictions, by number; those of a label are shown until
        #: it is propagated.
        self.maps: dict[int, dict[int, LabelLogits]] = {}
        self._held: tuple[tuple[Any, ...], LabelMap] | None = None

    def labels(self) -> LabelMap:
        """Return what is shown, on the scan's grid; uint8."""
        session = self._session
        results, drawn = session.results, session.prompts
        predicted: dict[int, LabelLogits] = {
            label: self.maps[number][label]
            for label, number in session.state.imported.items()
            if label in self.maps.get(number, {})
        }
        predicted |= {label: one.fused for label, one in results.items()}
        key = (session.state, *predicted.items())
        if self._held and self._held[0] == key:
            return self._held[1]
        logits = {**_nothing_found(drawn, session.volume.grid.shape), **predicted}
        if logits:
            impose_drawn(logits, drawn, session.volume)
            shown = compete(logits, drawn, session.volume)
        else:
            empty = np.zeros(session.volume.grid.shape, np.uint8, order="F")
            shown = LabelMap(empty, session.volume.stored, {}, session.volume.provenance)
        self._held = key, shown
        return shown

    def voxels(self) -> NDArray[np.uint8]:
        """Return what is shown: (i, j, k), RAS+."""
        found: NDArray[np.uint8] = self.labels().voxels
        return found

    def only_propagated(self) -> bool:
        """Tell whether all that is shown was propagated: then it is what `segment` gives."""
        results: Mapping[int, Any] = self._session.results
        labels = (*self._session.prompts.labels(), *self._session.state.imported)
        return all(label in results for label in labels)


def _nothing_found(drawn: Prompts, shape: Sequence[int]) -> dict[int, LabelLogits]:
    """Return empty predictions for the labels of which a voxel is drawn."""
    found = {}
    for label in drawn.labels():
        masks = [one for one in drawn.masks(label) if one.mask.any()]
        if masks:
            box = around_prompts(masks, shape, (1.0, 1.0, 1.0), 0.0)
            found[label] = LabelLogits(box, np.full(box.shape, UNVISITED_LOGIT, dtype=np.float32))
    return found
