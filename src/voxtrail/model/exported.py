"""A model exported by ``voxtrail export``, run without PyTorch; `SliceModel` in numpy.

The graphs are SAM 2's parts; what surrounds them (resizing, batches, constants) is here. A
`GraphRunner` runs one graph: ONNX Runtime's or OpenVINO's, each in a module of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.errors import WeightsError
from voxtrail.model.agreement import Agreement
from voxtrail.model.base import SlicePrediction, Tracking
from voxtrail.model.conventions import (
    ENCODE_PIXELS,
    MASK_LOGIT,
    PACKED_NAMES,
    BestOfThree,
    in_batches,
)
from voxtrail.model.prompt_reader import PromptReader
from voxtrail.model.resize import bilinear, bilinear_antialiased
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.spec import ModelSpec

FORMAT = "voxtrail-export/3"
#: What says that a folder holds an export, and what it is.
DESCRIPTION = "voxtrail-export.json"
CONSTANTS = "constants.safetensors"
#: The graphs: image encoder, memory attention, the mask decoder for a drawn mask, for points and
#: for memories alone, and memory encoder.
GRAPHS = ("encode", "attend", "decode_mask", "decode_points", "decode_tracked", "memorise")

#: Lengths are at least this where a cosine divides by them, as in PyTorch.
COSINE_EPSILON = 1e-8

#: A runtime's own message is cut to so many characters.
MESSAGE_LENGTH = 160

Array = NDArray[Any]
Opened = TypeVar("Opened")


class GraphRunner(Protocol):
    """Runs one graph."""

    def run(self, inputs: Mapping[str, Array]) -> list[Array]:
        """Return the graph's outputs in their order."""


class GraphRuntime(Protocol):
    """A runtime: opens graphs."""

    @property
    def runtime(self) -> str:
        """Its name."""

    @property
    def arithmetic(self) -> str:
        """Name, version and number type, which features depend on."""

    def open(self, graph: Path) -> GraphRunner:
        """Open a graph's file."""


@dataclass(frozen=True)
class Description:
    """What an export holds.

    Parameters
    ----------
    name, sha256
        The model that was exported and the checksum of its weights.
    input_size
        Side of the square input in pixels.
    channels
        C, channels of features and pointers.
    best_of_three
        Numbers of points, lowest and highest, for which the best of three masks is taken.
    best_of_three_tracked
        Whether that holds for slices that attend to memories too.
    spec
        The model's sizes and the room in its memory.
    """

    name: str
    sha256: str
    input_size: int
    channels: int
    best_of_three: tuple[int, int]
    best_of_three_tracked: bool
    spec: ModelSpec

    @classmethod
    def read(cls, folder: Path) -> Description:
        """Read the description in an export's folder; `WeightsError` if it is none."""
        try:
            held = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
            if held.pop("format") != FORMAT:
                raise ValueError("another format")
            held["best_of_three"] = tuple(held["best_of_three"])
            held["spec"] = ModelSpec.from_json(held["spec"])
            return cls(**held)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise WeightsError(
                f"the folder's {DESCRIPTION} cannot be read",
                received=str(error),
                accepted=f"what 'voxtrail export' of this version writes ({FORMAT})",
                remedy="export the model again",
            ) from error


def _opened(file: Path, open_file: Callable[[Path], Opened]) -> Opened:
    """Open a file of an export; `WeightsError` if it is damaged or missing."""
    try:
        return open_file(file)
    except Exception as error:
        # Each runtime raises errors of its own, safetensors too; what says most stands last.
        raise WeightsError(
            f"the exported model's {file.name} cannot be opened",
            received=" ".join(str(error).split())[-MESSAGE_LENGTH:],
            accepted="the files that 'voxtrail export' wrote, whole",
            remedy="export the model again",
        ) from error


@dataclass(frozen=True, eq=False)
class ExportedFeatures:
    """One encoded slice: (C, h, w), (C/8, 4h, 4w), (C/4, 2h, 2w); float32."""

    image_embedding: Array
    stride4: Array
    stride8: Array


class ExportedModel(PromptReader):
    """A frozen SAM 2 in exported graphs; implements `voxtrail.model.base.SliceModel`.

    Parameters
    ----------
    folder
        Written by ``voxtrail export``.
    graph_runtime
        What runs the graphs.
    shortcuts
        What the runtime was told to leave out.
    """

    device = "cpu"

    def __init__(self, folder: Path, graph_runtime: GraphRuntime, shortcuts: Shortcuts) -> None:
        from safetensors.numpy import load_file

        self.about = Description.read(folder)
        self.shortcuts = shortcuts
        self.stopwatch = Stopwatch()
        self._size = self.about.input_size
        self._arithmetic = graph_runtime.arithmetic
        self._runtime = graph_runtime.runtime
        self.best_of_three = BestOfThree(
            *self.about.best_of_three, self.about.best_of_three_tracked
        )
        constants = _opened(folder / CONSTANTS, load_file)
        self._temporal = constants["temporal_embeddings"]  # (7, M)
        self._memory_position = constants["memory_position"]  # (h*w, M)
        self._no_memory = constants["no_memory"]  # (C,)
        self._no_object_pointer = constants["no_object_pointer"]  # (C,)
        self._graphs = {
            name: _opened(folder / f"{name}.onnx", graph_runtime.open) for name in GRAPHS
        }

    @property
    def input_size(self) -> int:
        """Side of the square, in pixels, to which slices are resized."""
        return self._size

    @property
    def memory_spec(self) -> MemorySpec:
        """What its memory has room for."""
        return self.about.spec.memory

    @property
    def runtime(self) -> str:
        """What runs it."""
        return self._runtime

    @property
    def fingerprint(self) -> str:
        """What features depend on besides the slice."""
        return f"{self.about.sha256}|{self._size}|{self._arithmetic}"

    def encode(self, slices: NDArray[np.float32]) -> list[ExportedFeatures]:
        """Encode slices: (n, rows, columns) float32, 0 to 1. Returns one item a slice."""
        chunk = max(1, ENCODE_PIXELS // self._size**2)
        encoded: list[ExportedFeatures] = []
        for start in range(0, len(slices), chunk):
            grey = bilinear_antialiased(
                slices[start : start + chunk].astype(np.float32), (self._size, self._size)
            )
            with self.stopwatch.measure("image encoder"):
                maps = self._graphs["encode"].run({"grey": grey[:, None]})
            encoded.extend(
                ExportedFeatures(*(one[i].copy() for one in maps)) for i in range(len(grey))
            )
        return encoded

    def pack(self, features: ExportedFeatures) -> dict[str, NDArray[np.generic]]:
        """Return one slice's features as arrays."""
        return {name: getattr(features, name) for name in PACKED_NAMES}

    def unpack(self, arrays: Mapping[str, NDArray[np.generic]]) -> ExportedFeatures:
        """Return the features that `pack` made arrays of."""
        return ExportedFeatures(*(arrays[name] for name in PACKED_NAMES))

    def to_array(self, tensor: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return logits, a pointer or a spatial memory (already bits) as it is."""
        return tensor

    def from_array(self, array: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return what `to_array` was given."""
        return array

    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        """Segment slices from memories alone; those with as many memories go in one batch."""
        return in_batches(trackings, self._track_alike)

    def hypotheses(self, trackings: Sequence[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        """Segment slices, keeping all masks; see `voxtrail.model.base.SliceModel`."""
        return in_batches(trackings, self._hypotheses_alike)

    def memorise(
        self, features: Sequence[ExportedFeatures], predictions: Sequence[SlicePrediction]
    ) -> list[Array]:
        """Make the spatial memories of segmented slices: (h*w, M) as the bits of bfloat16."""
        with self.stopwatch.measure("memory encoder"):
            (memories,) = self._graphs["memorise"].run(
                {
                    "image_embedding": np.stack([item.image_embedding for item in features]),
                    "logits": np.stack([prediction.logits for prediction in predictions]),
                    "drawn": np.array([prediction.prompted for prediction in predictions]),
                    "absent": np.array(
                        [float(prediction.object_score) <= 0 for prediction in predictions]
                    ),
                }
            )
        return [_to_bfloat16(one) for one in memories]

    def likeness(self, memory: Array, others: Sequence[Array]) -> list[float]:
        """Return how alike a spatial memory is to others; see `voxtrail.model.base.SliceModel`."""
        newest = _from_bfloat16(memory)
        return [_mean_cosine(newest, _from_bfloat16(other)) for other in others]

    def weighted(self, memory: Array, weight: float) -> Array:
        """Return a spatial memory times a weight."""
        return _to_bfloat16(_from_bfloat16(memory) * np.float32(weight))

    def masks(
        self, predictions: Sequence[SlicePrediction], shape_hw: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Return mask logits (n, rows, columns) float32 at the size of the slices."""
        return bilinear(np.stack([prediction.logits for prediction in predictions]), shape_hw)

    def _outline(self, drawn: NDArray[np.bool_]) -> tuple[Array, Array]:
        spec = self.about.spec
        size, side = spec.drawn_side(self._size), spec.mask_side(self._size)
        mask = drawn.astype(np.float32)[None]
        if drawn.shape != (size, size):
            mask = (bilinear_antialiased(mask, (size, size)) >= 0.5).astype(np.float32)
        logits = bilinear_antialiased(mask * (2 * MASK_LOGIT) - MASK_LOGIT, (side, side))
        return mask[None], logits[0]

    def _outlined(self, features: ExportedFeatures, mask: Array, logits: Array) -> SlicePrediction:
        with self.stopwatch.measure("mask decoder"):
            (pointers,) = self._graphs["decode_mask"].run({**_batch([features]), "mask": mask})
        present = bool(mask.any())
        return SlicePrediction(
            logits=logits,
            pointer=pointers[0] if present else self._no_object_pointer,
            predicted_iou=1.0,
            object_score=MASK_LOGIT if present else -MASK_LOGIT,
            prompted=True,
            area=float((logits > 0).mean()),
        )

    def _pointed(
        self,
        features: ExportedFeatures,
        points: NDArray[np.float32],
        labels: NDArray[np.int64],
        corrected: Array | None,
        tracking: Tracking | None,
        multimask: bool,
    ) -> SlicePrediction:
        side = self.about.spec.mask_side(self._size)
        maps = _batch([features])
        if tracking is None:
            maps["image_embedding"] = maps["image_embedding"] + self._no_memory[:, None, None]
        else:
            maps["image_embedding"] = self._conditioned([tracking])
        with self.stopwatch.measure("mask decoder"):
            found = self._graphs["decode_points"].run(
                {
                    **maps,
                    "points": points[None, None],
                    "labels": labels[None, None],
                    "previous": np.zeros((1, 1, side, side), dtype=np.float32)
                    if corrected is None
                    else corrected[None, None],
                    "corrects": np.array(corrected is not None),
                    "multimask": np.array(multimask),
                }
            )
        return _predictions(found, prompted=True)[0]

    def _track_alike(self, trackings: list[Tracking]) -> list[SlicePrediction]:
        return _chosen(*self._decode_tracked(trackings))

    def _hypotheses_alike(self, trackings: list[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        masks, pointers, ious, scores = self._decode_tracked(trackings)
        count = masks.shape[1]
        return [
            tuple(
                _predictions(
                    [masks[i], pointers[i], ious[i], np.repeat(scores[i], count)], prompted=False
                )
            )
            for i in range(len(masks))
        ]

    def _decode_tracked(self, trackings: list[Tracking]) -> list[Array]:
        maps = _batch([tracking.features for tracking in trackings])
        maps["image_embedding"] = self._conditioned(trackings)
        with self.stopwatch.measure("mask decoder"):
            return self._graphs["decode_tracked"].run(maps)

    def _conditioned(self, trackings: Sequence[Tracking]) -> Array:
        """Return what memory attention makes of the slices' embeddings: (n, C, h, w)."""
        # Labels that look at the same slice share what does not depend on the label.
        seen = list({id(item.features): item.features for item in trackings}.values())
        places = {id(one): place for place, one in enumerate(seen)}
        memories = [[_from_bfloat16(one) for one, _ in item.memories] for item in trackings]
        which = np.array([[index for _, index in item.memories] for item in trackings])
        pointers = [[pointer for pointer, _ in item.pointers] for item in trackings]
        distances = [[distance for _, distance in item.pointers] for item in trackings]
        with self.stopwatch.measure("memory attention"):
            (conditioned,) = self._graphs["attend"].run(
                {
                    "image_embedding": np.stack([one.image_embedding for one in seen]),
                    "item": np.array([places[id(one.features)] for one in trackings]),
                    "memory": np.array(memories, dtype=np.float32),
                    "position": self._memory_position + self._temporal[which][:, :, None],
                    "pointers": np.array(pointers, dtype=np.float32),
                    "distances": np.array(distances, dtype=np.float32),
                }
            )
        return conditioned


def _batch(features: Sequence[ExportedFeatures]) -> dict[str, Array]:
    return {name: np.stack([getattr(one, name) for one in features]) for name in PACKED_NAMES}


def _predictions(found: list[Array], *, prompted: bool) -> list[SlicePrediction]:
    logits, pointers, ious, scores = found
    return [
        SlicePrediction(
            logits=logits[i].copy(),
            pointer=pointers[i].copy(),
            predicted_iou=float(ious[i]),
            object_score=float(scores[i]),
            prompted=prompted,
            area=float((logits[i] > 0).mean()),
        )
        for i in range(len(logits))
    ]


def _chosen(masks: Array, pointers: Array, ious: Array, scores: Array) -> list[SlicePrediction]:
    """Return the best of the decoder's masks of each tracked slice."""
    best = ious.argmax(axis=-1)
    rows = np.arange(len(best))
    chosen = _predictions(
        [masks[rows, best], pointers[rows, best], ious[rows, best], scores], prompted=False
    )
    return [
        replace(one, agreement=Agreement(masks[i] > 0, best[i], np.asarray))
        for i, one in enumerate(chosen)
    ]


def _mean_cosine(one: Array, other: Array) -> float:
    """Return the mean over places of the cosine of two memories (h*w, M)."""
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    return float(np.mean((one * other).sum(axis=-1) / np.maximum(lengths, COSINE_EPSILON)))


def _to_bfloat16(values: Array) -> NDArray[np.uint16]:
    """Round float32 to bfloat16 (to the nearest, ties to even), as its 16 bits."""
    bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> 16
    return rounded.astype(np.uint16)


def _from_bfloat16(bits: NDArray[np.uint16]) -> NDArray[np.float32]:
    return (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
