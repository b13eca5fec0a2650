"""One propagation of a session: crops, stacks, passes, growth and fusion.

Iterate over a `Run` to carry it on; slices come as they are done. When it has ended, `results`
holds each label's fused logits, and `crops` the crops as they have grown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side, margin_vox
from voxtrail.core.crop_path import CropPath
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import Volume
from voxtrail.model.base import SliceModel
from voxtrail.preprocess.beyond_outlines import follow_mask
from voxtrail.propagate.bank import Recalled
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.stack import Stack, StackLogits, drawn_mask
from voxtrail.session.cache import Cache
from voxtrail.session.compose import LabelLogits
from voxtrail.session.config import Config, Extent
from voxtrail.session.crop_memory import outline_keys
from voxtrail.session.crops import MAX_GROWTHS, Crop, ends_of, growth_step, range_along
from voxtrail.session.fusing import combined, outlines_in, readings
from voxtrail.session.grey import GreyScan
from voxtrail.session.label_stack import LabelStack
from voxtrail.session.quality import LabelQuality
from voxtrail.session.record import LabelRecord, PassRecord
from voxtrail.session.uncertainty import quality_of

FloatArray = NDArray[np.float32]
#: Called with slices done, slices in all, and what is being done.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class SliceDone:
    """A slice that was just segmented, before directions and axes are fused.

    Parameters
    ----------
    label, axis, slice_index
        Which (RAS+ number).
    path
        Where the slice's window lies: a path of this one slice.
    logits
        (rows, columns) float32 mask logits of the window; above 0 is inside.
    key, recalled
        What the prediction is known by, and what it attended to; see
        `voxtrail.propagate.stack.SliceLogits`.
    """

    label: int
    axis: Axis
    slice_index: int
    path: CropPath
    logits: FloatArray
    key: str
    recalled: Recalled | None


@dataclass(frozen=True, eq=False)
class LabelResult:
    """What was found of one label.

    Parameters
    ----------
    fused
        Logits of all directions and axes.
    touching
        Sides of the crop that a predicted mask reached.
    record
        How it came about.
    quality
        How sure it is.
    outlines
        What was drawn of it then; see `voxtrail.session.crop_memory.outline_keys`.
    """

    fused: LabelLogits
    touching: set[Side]
    record: LabelRecord
    quality: LabelQuality
    outlines: frozenset[str]


class Run:
    """Segments labels; crops that a mask touches grow and are run again.

    Parameters
    ----------
    volume, scan
        The scan, and its grey levels.
    prompts, config
        What is segmented, and how.
    bounds
        What nothing leaves.
    model, cache
        What segments, and what was encoded and segmented before.
    crops
        Where, in the order in which labels are taken up.
    progress
        Called as the work goes on.
    stream
        Whether each slice is wanted as soon as it is done.
    """

    def __init__(
        self,
        *,
        volume: Volume,
        scan: GreyScan,
        prompts: Prompts,
        config: Config,
        bounds: Box,
        model: SliceModel,
        cache: Cache,
        crops: Sequence[Crop],
        progress: Progress | None,
        stream: bool,
    ) -> None:
        self._volume = volume
        self._scan = scan
        self._prompts = prompts
        self._config = config
        self._bounds = bounds
        self._model = model
        self._cache = cache
        self._waiting = list(crops)
        self._progress = progress
        self._stream = stream
        self._propagator = Propagator(model, config.policy, cache.predictions, config.pass_search)
        self._fusion = config.fusion
        self._prior = config.shape_prior
        self.results: dict[int, LabelResult] = {}
        #: By label: its stacks, and what was found in them in its last crop.
        self.found: dict[int, list[tuple[LabelStack, StackLogits]]] = {}
        self.crops: list[Crop] = []

    def __iter__(self) -> Iterator[SliceDone]:
        while self._waiting:
            stacks = [
                stack
                for crop in self._waiting
                for axis in crop.paths
                for stack in self._stacks(crop, axis)
            ]
            yield from self._propagate(stacks)
            ran = [_as_run(crop, stacks) for crop in self._waiting]
            self._waiting = [self._grown(crop) for crop in ran if not self._settled(crop)]

    def _propagate(self, stacks: Sequence[LabelStack]) -> Iterator[SliceDone]:
        """Carry the outlines of some stacks through them, and fuse what is found."""
        again = " (larger crop)" if any(one.crop.growths for one in stacks) else ""
        follows = [self._follows(one.extent) for one in stacks]
        under_way = self._propagator.start(
            [one.stack for one in stacks],
            self._config.direction,
            stream=self._stream or any(follows),
        )
        for found in under_way:
            if self._progress:
                self._progress(under_way.done, under_way.total, f"propagating{again}")
            for one in found:
                where = stacks[one.stack]
                slice_index = where.start + one.slice_index
                path = where.grey.path.part(slice_index, slice_index + 1)
                if follows[one.stack]:
                    self._follow(where, slice_index, one.logits > 0)
                yield SliceDone(
                    where.label,
                    where.axis,
                    slice_index,
                    path,
                    one.logits,
                    one.key,
                    one.recalled,
                )
        pairs = list(zip(stacks, under_way.results(), strict=True))
        for label in dict.fromkeys(one.label for one in stacks):
            self.found[label] = [pair for pair in pairs if pair[0].label == label]
            self.results[label] = self._fuse(label, self.found[label])

    def _follows(self, extent: Extent) -> bool:
        """Tell whether windows beyond the outermost outlines move after the masks found there."""
        follows = self._config.crop == "follow" and extent != "prompts"
        return follows and self._config.pass_search.settles_at_once

    def _follow(self, where: LabelStack, slice_index: int, mask: NDArray[np.bool_]) -> None:
        """Move the windows of the slices that a pass comes to next."""
        towards = where.beyond(slice_index)
        if towards:
            margin = margin_vox(where.crop.margin_mm, self._volume.grid.spacing_mm)
            where.grey.path = follow_mask(
                where.grey.path, slice_index, mask, towards, margin, self._bounds
            )

    def _settled(self, crop: Crop) -> bool:
        """Tell whether a crop that was run need not grow any more; note it if so."""
        touched = any(self.results[label].touching for label in crop.labels)
        settled = not touched or crop.growths >= MAX_GROWTHS
        if settled:
            self.crops.append(crop)
        return settled

    def _grown(self, crop: Crop) -> Crop:
        sides = {side for label in crop.labels for side in self.results[label].touching}
        grown = crop.grown(growth_step(self._volume, crop), sides, self._bounds)
        return replace(grown, growths=crop.growths + 1)

    def _stacks(self, crop: Crop, axis: Axis) -> list[LabelStack]:
        """Return the stacks of a crop's labels along one axis; they share their features."""
        shape = self._volume.grid.shape
        ranges: dict[int, tuple[int, int, Extent]] = {}
        for label in crop.labels:
            drawn = self._prompts.of(label, axis)
            if drawn:
                ranges[label] = range_along(
                    axis, drawn, self._config.extent, self._reach(crop, label)
                )
        if not ranges:
            return []
        first = min(start for start, _, _ in ranges.values())
        last = max(stop for _, stop, _ in ranges.values())
        grey = self._scan.along(crop.paths[axis].part(first, last))
        source = FeatureSource(
            self._model,
            grey,
            self._cache.features,
            look_ahead=not any(self._follows(extent) for _, _, extent in ranges.values()),
        )
        stacks = []
        for label, (start, stop, extent) in ranges.items():
            path = grey.path.part(start, stop)
            prompts = {
                index - start: [path.place_of(prompt, shape)[1] for prompt in drawn]
                for index, drawn in self._prompts.by_slice(label, axis).items()
            }
            part = source.part(start - first, stop - first)
            stack = Stack(part, prompts, stop_when_gone=extent == "object")
            stacks.append(LabelStack(crop, label, axis, grey, start, stop, extent, stack))
        return stacks

    def _reach(self, crop: Crop, label: int) -> Box:
        """Return where passes of a label may go; outlines of several axes tell it.

        Outlines of one axis do not say where the structure ends along it; those of another do. A
        pass with one outline ends where the object is gone, which it may not notice.
        """
        drawn, reach = self._prompts.of(label), self._bounds
        axes = [axis for axis in Axis if self._prompts.of(label, axis)]
        if len(axes) < 2 or self._config.extent is not None:
            return reach
        # The margin alone, however often the crop grew: masks that leak are what makes it grow.
        margin = growth_step(self._volume, crop)
        for axis in axes:
            start, stop = ends_of(axis, drawn, self._volume)
            low = max(start - margin[axis.value], self._bounds.start[axis.value])
            high = min(stop + margin[axis.value], self._bounds.stop[axis.value])
            reach = reach.with_range(axis, low, high)
        return reach

    def _fuse(self, label: int, found: Sequence[tuple[LabelStack, StackLogits]]) -> LabelResult:
        box = found[0][0].path.hull()
        for one, _ in found[1:]:
            box = box.joined(one.path.hull())
        # What the prompts of one axis bound, passes along another axis do not leave either.
        bounding = [one.axis for one, _ in found if one.extent == "prompts"]
        for axis in bounding:
            box = box.with_range(axis, *ends_of(axis, self._prompts.of(label), self._volume))
        touching: set[Side] = set()
        for one, result in found:
            drawn = [i for i, prompts in one.stack.prompts.items() if drawn_mask(prompts)]
            for logits, said in readings(result):
                predicted = said.copy()
                predicted[drawn] = False
                inside = (logits > 0) & predicted[:, None, None]
                touching |= one.path.touching(inside, self._bounds)
        pairs = [(one.path, result) for one, result in found]
        tracked = combined(pairs, self._fusion, box)
        axes = [one.axis for one, _ in found]
        grid = self._volume.grid
        outlines = outlines_in(self._prompts, label, axes, box, grid.shape)
        with_shape = self._prior.fuse(tracked, outlines, grid.spacing_mm)
        crop = found[0][0].crop
        record = LabelRecord(
            label=label,
            name=self._prompts.name(label),
            crop=box,
            growths=crop.growths,
            margin_mm=crop.margin_mm,
            windows=[{**one.path.to_json(), "why": crop.why.get(one.axis)} for one, _ in found],
            passes=[item for one, result in found for item in _pass_records(one, result)],
            voxels=0,
        )
        bounded = {axis.value for axis in bounding}
        return LabelResult(
            LabelLogits(box, with_shape),
            {side for side in touching if side.axis not in bounded},
            record,
            quality_of(pairs, self._fusion, with_shape, box, outlines),
            outline_keys(self._prompts, [label]),
        )


def _as_run(crop: Crop, stacks: Sequence[LabelStack]) -> Crop:
    """Return a crop with its windows where they were when its slices were segmented."""
    paths = dict(crop.paths)
    for one in stacks:
        if one.crop is crop:
            paths[one.axis] = paths[one.axis].with_part(one.grey.path)
    return replace(crop, paths=paths)


def _pass_records(one: LabelStack, result: StackLogits) -> list[PassRecord]:
    """Return what the passes over a stack did, by the scan's slice numbers."""
    first = one.path.first
    return [
        PassRecord(
            axis=one.axis.label,
            extent=one.extent,
            first_slice=first,
            last_slice=one.path.stop - 1,
            prompted=sorted(index + first for index in result.drawn),
            tracked=item.tracked,
            stopped_at=None if item.stopped_at is None else item.stopped_at + first,
        )
        for item in result.passes
    ]
