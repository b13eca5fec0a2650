"""What every task has in common, and what it hands back."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.study.target import Target
from voxtrail.study.task_context import TaskContext


@dataclass(frozen=True, eq=False)
class Picture:
    """A few axial slices of a result, for a sheet.

    Parameters
    ----------
    grey
        (n, rows, columns) uint8.
    truth, found
        (n, rows, columns) bool.
    slices
        (n,) the slices' numbers in the crop, rising.
    prompted
        (n,) bool: which of them were outlined.
    """

    grey: NDArray[np.uint8]
    truth: NDArray[np.bool_]
    found: NDArray[np.bool_]
    slices: NDArray[np.int64]
    prompted: NDArray[np.bool_]


@dataclass(frozen=True)
class Measurements:
    """What a task measured on a structure; None where a column does not apply.

    Parameters
    ----------
    model, weights_sha256, input_size, device
        What ran.
    config
        The resolved configuration as JSON.
    scores
        By column: each measure over all slices of the crop, and with ``unprompted_`` before it
        over those that were not outlined.
    crop_slices
        Axial slices of the crop.
    prompts
        Outlined slices, on all axes.
    tracked_slices
        Slices that went through the model, on all axes and passes.
    encoded_slices
        Slices that it had to encode; the others had been encoded for another task of the structure.
    past_first, past_last
        Axial slices beyond the structure's own first and last one on which something was found.
    image_encoder_s
        Seconds that encoding the slices took, whichever of the structure's tasks needed them first.
    memory_attention_s, memory_encoder_s, mask_decoder_s
        Seconds of the other components.
    total_s
        What the task would have taken by itself: encoding included.
    spent_s
        What it took: encoding only where it was the first to need it.
    peak_mib
        Peak memory while it ran: of the device on CUDA, else of the process.
    value, unit
        Of tasks that measure a single number.
    picture
        For a sheet; not part of the records.
    """

    model: str | None = None
    weights_sha256: str | None = None
    input_size: int | None = None
    device: str | None = None
    config: str | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    crop_slices: int | None = None
    prompts: int | None = None
    tracked_slices: int | None = None
    encoded_slices: int | None = None
    past_first: int | None = None
    past_last: int | None = None
    image_encoder_s: float | None = None
    memory_attention_s: float | None = None
    memory_encoder_s: float | None = None
    mask_decoder_s: float | None = None
    total_s: float | None = None
    spent_s: float | None = None
    peak_mib: float | None = None
    value: float | None = None
    unit: str | None = None
    picture: Picture | None = None


@dataclass(frozen=True)
class Task(ABC):
    """Something that is done with a structure. Equal tasks of one structure give equal results."""

    kind: ClassVar[str]
    #: Whether it needs no structure: run once a study.
    without_target: ClassVar[bool] = False

    @property
    def key(self) -> str:
        """The task as text: its kind and its fields."""
        return json.dumps({"task": self.kind, **asdict(self)}, sort_keys=True)

    def normalized(self, model: str, input_size: int) -> Task:
        """Return the task without what the study sets anyway, so that equal tasks compare equal.

        Parameters
        ----------
        model, input_size
            The study's.
        """
        return self

    def encoding_order(self) -> tuple[Any, ...]:
        """Return what tasks are sorted by, so that those that share encodings come together."""
        return ()

    @abstractmethod
    def run(self, target: Target | None, context: TaskContext) -> Measurements:
        """Run the task.

        Parameters
        ----------
        target
            The structure; None for tasks `without_target`.
        context
            Models, features and settings of this process.

        Raises
        ------
        UnavailableError
            If weights or a package that it needs are missing.
        """
