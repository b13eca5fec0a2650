"""Outlines carried through a structure by the model."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from voxtrail.model.base import LoadedModel
from voxtrail.preprocess import roi_text
from voxtrail.propagate.schedule import Direction
from voxtrail.session import Config, segment
from voxtrail.session.config import CropMode, Extent
from voxtrail.study.target import Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Task
from voxtrail.study.tasks.outlines import draw, past_ends, picture, scores


@dataclass(frozen=True)
class TrackOutlines(Task):
    """Segment a structure. The defaults are the paper's baseline.

    Parameters
    ----------
    slices
        Which slices are outlined, as ``voxtrail simulate --slices``; on each of ``axes``.
    axes, direction, window, prompt_memory, memory
        As in `voxtrail.Config`.
    extent
        Passes run to the ends of the crop, as in the paper, unless said otherwise; as in
        `voxtrail.Config`.
    crop, margin_mm
        As in `voxtrail.Config`: a crop around the outlines. With None as ``crop`` it is the paper's
        "rough localisation", a box around the truth that nothing leaves (`Target`).
    prior
        As in `voxtrail.Config`.
    noise
        What spoils the outlines, such as ``dilated:mm=2``.
    model
        A model of the catalogue; None takes the study's.
    resolution
        Side of the input; None takes the study's.
    """

    kind: ClassVar[str] = "track"
    slices: str = "first-middle-last"
    axes: tuple[str, ...] = ("axial",)
    direction: Direction = "forward"
    window: str = "bone"
    prompt_memory: str = "all"
    memory: str = "recent:k=6"
    extent: Extent | None = "all"
    crop: CropMode | None = None
    margin_mm: float | None = None
    prior: str = "none"
    noise: str | None = None
    model: str | None = None
    resolution: int | None = None

    def normalized(self, model: str, input_size: int) -> TrackOutlines:
        """Leave out a model and an input size that are the study's; see `Task.normalized`."""
        return replace(
            self,
            model=None if self.model == model else self.model,
            resolution=None if self.resolution == input_size else self.resolution,
        )

    def encoding_order(self) -> tuple[Any, ...]:
        """Sort by model, input size and preprocessing, then by crop, the axial passes first."""
        windows = " ".join(self.windows())
        sees = self.model or "", self.resolution or 0, self.window, windows
        return *sees, len(self.axes), self.axes

    def windows(self) -> tuple[str, ...]:
        """Return what decides which part of each slice is encoded; empty for the target's crop."""
        if self.crop is None:
            return ()
        return self.crop, str(self.margin_mm), self.slices, str(self.noise)

    def config(self, target: Target, loaded: LoadedModel, context: TaskContext) -> Config:
        """Return how the structure is segmented."""
        return Config(
            model=loaded.name,
            preset="baseline",
            prompt_memory=self.prompt_memory,
            memory=self.memory,
            axes=self.axes,
            direction=self.direction,
            extent=self.extent,
            window=self.window,
            crop=self.crop or "none",
            margin_mm=self.margin_mm,
            roi=None if self.crop else roi_text(target.crop, target.volume.stored),
            prior=self.prior,
            resolution=loaded.model.input_size,
            device=context.settings.device,
            quality=False,
        )

    def run(self, target: Target | None, context: TaskContext) -> Measurements:
        """Draw the outlines, carry them, score the result; see `Task.run`."""
        assert target is not None
        loaded = context.model(self.model, self.resolution)
        prompts = draw(target, self.slices, self.axes, self.noise)
        config = self.config(target, loaded, context)
        with context.peak_memory() as peak:
            started = time.perf_counter()
            result = segment(
                target.volume, prompts, config, model=loaded, cache=context.cache(loaded)
            )
            spent = time.perf_counter() - started
        seconds = result.record.seconds
        encoding = seconds.get("image encoder", 0.0)
        slices = result.record.slices
        charged = context.attribute_encoding(loaded, self.window, encoding, slices)
        passes = [item for label in result.record.labels for item in label.passes]
        past_first, past_last = past_ends(result.labels, target)
        return Measurements(
            model=context.name_of(loaded),
            weights_sha256=loaded.sha256,
            input_size=loaded.model.input_size,
            device=loaded.model.device,
            config=json.dumps({**config.resolved().to_json(), "model": context.name_of(loaded)}),
            scores=scores(result.labels, target, prompts),
            crop_slices=target.crop.shape[2],
            prompts=len(prompts.prompts),
            tracked_slices=sum(item.tracked for item in passes),
            encoded_slices=slices["encoded"],
            past_first=past_first,
            past_last=past_last,
            image_encoder_s=charged,
            memory_attention_s=seconds.get("memory attention", 0.0),
            memory_encoder_s=seconds.get("memory encoder", 0.0),
            mask_decoder_s=seconds.get("mask decoder", 0.0),
            total_s=None if charged is None else spent - encoding + charged,
            spent_s=spent,
            peak_mib=peak(),
            picture=picture(result.labels, target, prompts),
        )
