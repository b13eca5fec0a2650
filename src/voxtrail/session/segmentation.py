"""From a scan and a few outlined slices to labels on the scan's own grid.

`segment` is the one door that the command line, the study and notebooks use.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Side, margin_vox
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.fuse import Fusion
from voxtrail.model.base import LoadedModel, SliceModel
from voxtrail.preprocess import parse_preprocess
from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.propagate.propagator import Propagator, Stack, StackLogits
from voxtrail.session.checks import check_request, warnings_about
from voxtrail.session.compose import UNVISITED_LOGIT, LabelLogits, compete, impose_drawn, offset
from voxtrail.session.config import Config, Extent
from voxtrail.session.loading import load_for
from voxtrail.session.record import LabelRecord, PassRecord, RunRecord, Spent
from voxtrail.session.regions import Region, bounds_of, ends_of, in_crop, plan, range_along

#: A crop that a predicted mask touches grows, and that part is run again, at most so often.
MAX_GROWTHS = 2

FloatArray = NDArray[np.float32]
#: Called with slices done, slices in all, and what is being done.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A segmented scan.

    Parameters
    ----------
    labels
        On exactly the scan's stored grid, in the smallest unsigned type that holds them. With
        ``overlap="apart"`` voxels that several labels claim carry the most confident one here;
        `mask` gives each label by itself.
    logits
        Fused logits by label.
    record
        What made it.
    """

    labels: LabelMap
    logits: dict[int, LabelLogits]
    record: RunRecord

    def mask(self, label: int) -> NDArray[np.bool_]:
        """Return one label by itself, whatever other labels claim: (i, j, k) bool in RAS+."""
        found = self.logits[label]
        mask = np.zeros(self.labels.grid.shape, dtype=np.bool_)
        mask[found.box.slices] = found.logits > 0
        return mask

    def probabilities(self, label: int) -> FloatArray:
        """Return one label's probabilities: (i, j, k) float32 in RAS+, 0 to 1."""
        found = self.logits[label]
        probabilities = np.zeros(self.labels.grid.shape, dtype=np.float32)
        probabilities[found.box.slices] = 0.5 * (1.0 + np.tanh(0.5 * found.logits))
        return probabilities


def segment(
    volume: Volume,
    prompts: Prompts,
    config: Config | None = None,
    *,
    model: LoadedModel | None = None,
    cache: FeatureCache | None = None,
    steps: PredictionCache | None = None,
    progress: Progress | None = None,
) -> Segmentation:
    """Carry outlined slices through a scan.

    Parameters
    ----------
    volume
        The scan.
    prompts
        What was drawn on it, on the same grid.
    config
        How; the paper's best configuration with SAM 2.1 small by default.
    model
        A model that is already loaded; otherwise ``config.model`` is loaded.
    cache
        Encoded slices to be shared with other runs; by default none are.
    steps
        Segmented slices to be shared with other runs, so that one with a corrected outline repeats
        only what depends on it; by default none are.
    progress
        Called as the work goes on.

    Raises
    ------
    GridError, PromptError, OptionError
        If the request cannot be carried out; see `voxtrail.session.checks.check_request`.
    WeightsError, OptionError
        If the model cannot be loaded.
    """
    started = time.perf_counter()
    config = (config or Config()).resolved()
    check_request(volume, prompts, config)
    bounds = bounds_of(volume, prompts, config)
    loaded = model or load_for(volume, prompts, config)
    cache = FeatureCache() if cache is None else cache  # an empty one is false
    steps = PredictionCache(ram_predictions=0) if steps is None else steps
    before = Spent.so_far(loaded.model, cache, steps)
    work = _Work(volume, prompts, config, bounds, loaded.model, cache, steps, progress)
    logits, label_records, warnings = work.run()
    impose_drawn(logits, prompts, volume)
    labels = compete(logits, prompts, volume)
    if config.overlap == "apart":
        voxels = {label: int((found.logits > 0).sum()) for label, found in logits.items()}
    else:
        voxels = {label: int((labels.voxels == label).sum()) for label in logits}
    record = RunRecord.of(
        config=config,
        loaded=loaded,
        volume=volume,
        labels=[replace(item, voxels=voxels[item.label]) for item in label_records],
        spent=Spent.so_far(loaded.model, cache, steps).since(before),
        seconds_total=time.perf_counter() - started,
        warnings=[
            *volume.provenance.notes,
            *warnings_about(prompts, config),
            *warnings,
            *cache.notes,
            *steps.notes,
        ],
    )
    return Segmentation(labels, logits, record)


class _Work:
    """One call of `segment`: crops, stacks, passes, growth and fusion."""

    def __init__(
        self,
        volume: Volume,
        prompts: Prompts,
        config: Config,
        bounds: Box,
        model: SliceModel,
        cache: FeatureCache,
        steps: PredictionCache,
        progress: Progress | None,
    ) -> None:
        self._volume = volume
        self._prompts = prompts
        self._config = config
        self._bounds = bounds
        self._model = model
        self._cache = cache
        self._progress = progress
        self._axes = tuple(Axis.named(name) for name in config.axes)
        policy = config.policy
        self._propagator = Propagator(model, policy, steps)
        self._fusion: Fusion = config.fusion
        transform = parse_preprocess(config.window)
        self._grey = {axis: transform.apply(axis.to_stack(volume.voxels)) for axis in self._axes}

    def run(self) -> tuple[dict[int, LabelLogits], list[LabelRecord], list[str]]:
        """Segment every label; crops that a mask touches grow and are run again.

        Returns logits and records of the labels in rising order, and warnings.
        """
        done: dict[int, _Found] = {}
        waiting = plan(self._volume, self._prompts, self._config, self._bounds)
        while waiting:
            again: list[Region] = []
            for region, found in zip(waiting, self._run_regions(waiting), strict=True):
                sides = {side for item in found.values() for side in item.touching}
                if sides and region.growths < MAX_GROWTHS:
                    again.append(self._grown(region, sides))
                    continue
                done.update(found)
            waiting = again
        ordered = self._prompts.labels()
        cut = [
            f"{self._prompts.name(label)}: its mask still reaches the border of its crop, grown "
            f"{MAX_GROWTHS} times; widen it with --margin or --crop none"
            for label in ordered
            if done[label].touching
        ]
        fused = {label: done[label].fused for label in ordered}
        return fused, [done[label].record for label in ordered], cut

    def _grown(self, region: Region, sides: set[Side]) -> Region:
        spacing = self._volume.grid.spacing_mm
        step = margin_vox(max(self._config.margin_mm, max(spacing)), spacing)
        box = region.box.grown(step, sides, self._bounds)
        return Region(region.labels, box, region.growths + 1)

    def _run_regions(self, regions: Sequence[Region]) -> list[dict[int, _Found]]:
        """Segment all labels of some regions in one go, so that they share batches."""
        lanes: list[_Lane] = []
        for region in regions:
            for axis in self._axes:
                lanes.extend(self._lanes(region, axis))
        again = " (larger crop)" if regions[0].growths else ""

        def report(done: int, total: int) -> None:
            if self._progress:
                self._progress(done, total, f"propagating{again}")

        results = self._propagator.propagate(
            [lane.stack for lane in lanes], self._config.direction, report
        )
        found: list[dict[int, _Found]] = []
        for region in regions:
            by_label: dict[int, _Found] = {}
            for label in region.labels:
                of_label = [
                    (lane, result)
                    for lane, result in zip(lanes, results, strict=True)
                    if lane.region is region and lane.label == label
                ]
                by_label[label] = self._fuse(region, label, of_label)
            found.append(by_label)
        return found

    def _lanes(self, region: Region, axis: Axis) -> list[_Lane]:
        """Return the stacks of a region's labels along one axis; they share their features."""
        shape = self._volume.grid.shape
        ranges: dict[int, tuple[int, int, Extent]] = {}
        for label in region.labels:
            drawn = self._prompts.of(label, axis)
            if drawn:
                ranges[label] = range_along(axis, drawn, self._config.extent, self._bounds)
        if not ranges:
            return []
        first = min(start for start, _, _ in ranges.values())
        last = max(stop for _, stop, _ in ranges.values())
        whole = region.box.with_range(axis, first, last)
        grey = self._grey[axis][whole.in_stack(axis, shape)]
        features = FeatureSource(self._model, grey, self._cache)
        lanes = []
        for label, (start, stop, extent) in ranges.items():
            box = region.box.with_range(axis, start, stop)
            prompts = dict(
                in_crop(prompt, box, start, shape) for prompt in self._prompts.of(label, axis)
            )
            stack = Stack(features.part(start - first, stop - first), prompts, extent == "object")
            lanes.append(_Lane(region, label, axis, box, extent, stack))
        return lanes

    def _fuse(
        self, region: Region, label: int, lanes: Sequence[tuple[_Lane, StackLogits]]
    ) -> _Found:
        box = lanes[0][0].box
        for lane, _ in lanes[1:]:
            box = box.joined(lane.box)
        # What the prompts of one axis bound, passes along another axis do not leave either.
        bounding = [lane.axis for lane, _ in lanes if lane.extent == "prompts"]
        for axis in bounding:
            box = box.with_range(axis, *ends_of(axis, self._prompts.of(label), self._volume))
        total = np.zeros(box.shape, dtype=np.float32)
        count = np.zeros(box.shape, dtype=np.uint8)
        touching: set[Side] = set()
        for lane, result in lanes:
            shared = lane.box.within(box)
            part, own = offset(shared, box), offset(shared, lane.box)
            drawn = [i for i, item in lane.stack.prompts.items() if isinstance(item, MaskPrompt)]
            for logits, said in _readings(result):
                embedded = self._fusion.embed(logits)
                embedded[~said] = 0.0
                total[part] += lane.axis.from_stack(embedded)[own]
                everywhere = np.broadcast_to(said[:, None, None], logits.shape)
                count[part] += lane.axis.from_stack(everywhere)[own]
                predicted = said.copy()
                predicted[drawn] = False
                touching |= self._touched(lane, (logits > 0) & predicted[:, None, None])
        fused = self._fusion.combine(total, np.maximum(count, 1))
        fused[count == 0] = UNVISITED_LOGIT
        record = LabelRecord(
            label=label,
            name=self._prompts.name(label),
            crop=box,
            growths=region.growths,
            passes=[item for lane, result in lanes for item in _pass_records(lane, result)],
            voxels=0,
        )
        bounded = {axis.value for axis in bounding}
        return _Found(
            LabelLogits(box, fused),
            {side for side in touching if side.axis not in bounded},
            record,
        )

    def _touched(self, lane: _Lane, inside: NDArray[np.bool_]) -> set[Side]:
        """Return the in-plane sides of a crop that a predicted mask reaches."""
        sides = lane.box.touching_sides(lane.axis.from_stack(inside), self._bounds)
        return {side for side in sides if side.axis != lane.axis.value}


@dataclass(frozen=True, eq=False)
class _Lane:
    """One label's stack along one axis, and where it lies in the scan."""

    region: Region
    label: int
    axis: Axis
    box: Box
    extent: Extent
    stack: Stack


@dataclass(frozen=True, eq=False)
class _Found:
    fused: LabelLogits
    touching: set[Side]
    record: LabelRecord


def _pass_records(lane: _Lane, result: StackLogits) -> list[PassRecord]:
    """Return what a lane's passes did, by the scan's slice numbers."""
    first = lane.box.start[lane.axis.value]
    return [
        PassRecord(
            axis=lane.axis.label,
            extent=lane.extent,
            first_slice=first,
            last_slice=lane.box.stop[lane.axis.value] - 1,
            prompted=sorted(index + first for index in result.drawn),
            tracked=item.tracked,
            stopped_at=None if item.stopped_at is None else item.stopped_at + first,
        )
        for item in result.passes
    ]


def _readings(result: StackLogits) -> list[tuple[FloatArray, NDArray[np.bool_]]]:
    """Return (logits, which slices they say something about) of each pass, drawn ones once."""
    readings = [(item.logits, item.visited) for item in result.passes]
    if not readings:
        shape = next(iter(result.drawn.values())).shape
        slices = max(result.drawn) + 1
        readings = [
            (np.zeros((slices, *shape), dtype=np.float32), np.zeros(slices, dtype=np.bool_))
        ]
    # Copies: what the propagator returned is not written to.
    logits, said = readings[0][0].copy(), readings[0][1].copy()
    for index, drawn in result.drawn.items():
        logits[index] = drawn
        said[index] = True
    return [(logits, said), *readings[1:]]
