"""How far an exported model lies from the one it was exported from, call by call.

Each call of both is given the very same inputs, so that no error of one call hides or feeds that of
the next. Random grey levels stand for slices: what is compared is arithmetic, not masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, PointPrompt, Prompt
from voxtrail.model.base import SliceModel, SlicePrediction, Tracking

#: Side of the slices in pixels, and how many.
SIDE, SLICES = 96, 3


@dataclass(frozen=True)
class Parity:
    """Greatest relative errors.

    Parameters
    ----------
    error
        Of features, mask logits, pointers and scores: the greatest difference over the greatest
        magnitude.
    memory_error
        Of spatial memories, which both round to bfloat16: one bit more or less is 2**-8 of a value.
    """

    error: float
    memory_error: float

    @property
    def proved(self) -> bool:
        """Whether the two are the same but for the order in which sums are added up."""
        return self.error <= 1e-4 and self.memory_error <= 2**-7


def parity(exact: SliceModel, exported: SliceModel) -> Parity:
    """Compare an exported model with the one in PyTorch."""
    slices = np.random.default_rng(0).random((SLICES, SIDE, SIDE), dtype=np.float32)
    features = exact.encode(slices)
    found = exported.encode(slices)
    errors = [
        _error(array, exact.pack(theirs)[name])
        for ours, theirs in zip(found, features, strict=True)
        for name, array in exported.pack(ours).items()
    ]
    same = [exported.unpack(exact.pack(one)) for one in features]
    disc = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE / 2)) < SIDE / 4
    drawn: tuple[Prompt, ...] = (
        MaskPrompt(1, Axis.AXIAL, 0, disc),
        PointPrompt(1, Axis.AXIAL, 1, ((SIDE / 2, SIDE / 3),), (True,)),
    )
    theirs, ours = (
        [model.prompt(of[i], [prompt], (SIDE, SIDE)) for i, prompt in enumerate(drawn)]
        for model, of in ((exact, features), (exported, same))
    )
    for pair in zip(ours, theirs, strict=True):
        errors.extend(_errors(*pair, exact))
    memories = exact.memorise(features[:2], theirs)
    bits = [exact.to_array(one) for one in memories]
    handed = [_handed(one, exact, exported) for one in theirs]
    made = [exported.to_array(one) for one in exported.memorise(same[:2], handed)]
    (tracked,) = exact.track([_tracking(features[2], memories, theirs)])
    (again,) = exported.track([_tracking(same[2], [*map(exported.from_array, bits)], handed)])
    errors.extend(_errors(again, tracked, exact))
    memory_error = max(_error(_values(a), _values(b)) for a, b in zip(made, bits, strict=True))
    return Parity(max(errors), memory_error)


def _tracking(features: Any, memories: list[Any], predictions: list[SlicePrediction]) -> Tracking:
    return Tracking(
        features,
        tuple((memory, index) for index, memory in enumerate(memories)),
        tuple((one.pointer, 0.1 * (i + 1)) for i, one in enumerate(predictions)),
    )


def _handed(prediction: SlicePrediction, exact: SliceModel, other: SliceModel) -> SlicePrediction:
    """Return a prediction of one model in the form of the other."""
    return SlicePrediction(
        other.from_array(exact.to_array(prediction.logits)),
        other.from_array(exact.to_array(prediction.pointer)),
        float(prediction.predicted_iou),
        float(prediction.object_score),
        prediction.prompted,
        float(prediction.area),
    )


def _errors(ours: SlicePrediction, theirs: SlicePrediction, exact: SliceModel) -> list[float]:
    return [
        _error(ours.logits, exact.to_array(theirs.logits)),
        _error(ours.pointer, exact.to_array(theirs.pointer)),
        abs(float(ours.predicted_iou) - float(theirs.predicted_iou)),
        abs(float(ours.object_score) - float(theirs.object_score))
        / max(1.0, abs(float(theirs.object_score))),
    ]


def _error(ours: Any, theirs: Any) -> float:
    """Return the greatest difference over the greatest magnitude."""
    one, other = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    return float(np.abs(one - other).max() / max(np.abs(other).max(), 1e-12))


def _values(bits: NDArray[Any]) -> NDArray[np.float32]:
    """Return what bits of bfloat16 stand for."""
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
