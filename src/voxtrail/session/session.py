"""A scan that a person works on: outlines come and go, and each time only what changed is computed.

The command line, the study, servers and notebooks segment through a `Session`; `segment` is one
that is asked once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import Prompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.errors import OutputError, PromptError
from voxtrail.model.base import LoadedModel
from voxtrail.preprocess import parse_preprocess
from voxtrail.session.cache import Cache
from voxtrail.session.checks import check_placed, check_request, warnings_about
from voxtrail.session.compose import compete, impose_drawn
from voxtrail.session.config import Config
from voxtrail.session.crop_memory import outline_keys
from voxtrail.session.crops import MAX_GROWTHS, Crop, bounds_of, plan
from voxtrail.session.drawing import Drawing
from voxtrail.session.grey import GreyScan
from voxtrail.session.kept_results import KeptResults
from voxtrail.session.leave_one_out import LeaveOneOut
from voxtrail.session.loading import load_for
from voxtrail.session.preview import SlicePreview
from voxtrail.session.previews import Previews, without
from voxtrail.session.record import RunRecord, Spent
from voxtrail.session.run import LabelResult, Progress, Run, SliceDone
from voxtrail.session.segmentation import Segmentation
from voxtrail.session.state import Place
from voxtrail.session.suggest import Suggestion, suggest
from voxtrail.session.suggestions import RULE, SUGGESTION_RULES, SuggestionRule


class Session(Drawing):
    """One scan, what is drawn on it, and what was computed of it.

    Parameters
    ----------
    volume
        The scan; not copied.
    config
        How it is segmented; ``is+sps+shape`` with SAM 2.1 small by default.
    model
        A model that is already loaded; otherwise ``config.model`` is loaded when it is needed.
    cache
        What is kept between propagations; by default everything, while the session lives.
    file
        Where the session is saved at each change, and beside it what was found. If the file is
        there, the session goes on where it ended, with the configuration that it was drawn with.

    Raises
    ------
    OptionError
        If the region of the configuration cannot be cut out of the scan.
    SessionError
        If the file is no session, or one of another scan.
    """

    def __init__(
        self,
        volume: Volume,
        config: Config | None = None,
        *,
        model: LoadedModel | None = None,
        cache: Cache | None = None,
        file: str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(volume, config or Config(), file)
        self.cache = cache or Cache()
        self._loaded = model
        self._scan = GreyScan(volume, parse_preprocess(self.config.window))
        self._results: dict[int, LabelResult] = {}
        self._record: RunRecord | None = None
        self._bounds = bounds_of(volume, self.config)
        self._previews = Previews(volume, self._scan, self._bounds, self.cache)
        self._kept: KeptResults | None = None
        if self._file:
            place = self._file.path
            self._kept = KeptResults(place.with_name(f"{place.stem}.results"), self._file.scan)
            if place.exists():
                self._results, self._record = self._kept.read()

    @property
    def model(self) -> LoadedModel:
        """The model, loaded when it is first asked for."""
        if self._loaded is None:
            self._loaded = load_for(self.volume, self.prompts, self.config)
        return self._loaded

    @model.setter
    def model(self, loaded: LoadedModel) -> None:
        self._loaded = loaded

    @property
    def results(self) -> Mapping[int, LabelResult]:
        """What the last propagation of each label that is drawn has found."""
        drawn = self.prompts.labels()
        return {label: self._results[label] for label in drawn if label in self._results}

    @property
    def warnings(self) -> list[str]:
        """What a person should know of the last propagation."""
        return self._record.warnings if self._record else []

    def is_stale(self, label: int) -> bool:
        """Tell whether a label that was propagated has been drawn on since."""
        return self._results[label].outlines != outline_keys(self.prompts, [label])

    def propagate_along(self, axes: Iterable[Axis]) -> None:
        """Let propagations run along other axes from now on.

        Raises
        ------
        OptionError
            If there is none.
        """
        self.config = replace(self.config, axes=tuple(axis.label for axis in axes))

    def clear(self, label: int | None = None) -> None:
        """Take back all that is drawn, of one label or of all; nothing found of it holds on."""
        super().clear(label)
        self._forget(label)

    def delete(self, label: int) -> None:
        """Take back a label, its name and all that is drawn of it; nothing found of it holds on."""
        super().delete(label)
        self._forget(label)

    def _forget(self, label: int | None) -> None:
        if self._kept:
            self._kept.drop(label)
        self._results = without(self._results, label, [*self._results])
        self._previews.forget(label)

    def preview(self, prompts: Prompt | Sequence[Prompt]) -> SlicePreview:
        """Return the mask that boxes and clicks give on one slice; nothing is drawn by it.

        Parameters
        ----------
        prompts
            Of one label on one slice: a box or a mask, and clicks in the order in which they came.
            Where the slice was tracked in the last propagation, they correct its mask.

        Raises
        ------
        PromptError
            If one has no place in the scan, or they are of several slices or labels.
        """
        given = tuple(prompts) if isinstance(prompts, Sequence) else (prompts,)
        places = {Place.of(prompt) for prompt in given}
        if len(places) != 1:
            raise PromptError(
                "a preview is of one slice",
                received=f"prompts in {len(places)} places",
                accepted="one or more prompts of one label on one slice",
                remedy="preview each slice by itself",
            )
        check_placed(self.volume, Prompts(given, self.volume.stored))
        (place,) = places
        return self._previews.preview(
            self.model.model, place, given, self.prompts, self.config, self._crops
        )

    def prepare(self, label: int, axis: Axis, slice_index: int) -> bool:
        """Encode a slice (RAS+ number) as a preview of a label would see it.

        Tells whether something was encoded: not where it was before, or where nobody knows yet
        which window of the slice that would be.
        """
        place = Place(label, axis, slice_index)
        model = self.model.model
        return self._previews.prepare(model, place, self.prompts, self.config, self._crops)

    def propagate(
        self,
        labels: Iterable[int] | None = None,
        *,
        near: tuple[Axis, int] | None = None,
        progress: Progress | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Iterator[SliceDone]:
        """Carry what is drawn through the scan; yields each slice as it is done.

        Ends early, with what it has found so far kept for the next time, when it is told to or
        when nobody asks for a further slice; `result` then is what it was before.

        Parameters
        ----------
        labels
            Which labels; by default all that are drawn.
        near
            Axis and slice (RAS+ number) that a person looks at: labels that are drawn around it
            come first.
        progress
            Called as the work goes on.
        cancelled
            Asked between slices whether to end.

        Raises
        ------
        PromptError
            If what is drawn cannot be carried on; see `voxtrail.session.checks.check_request`.
        """
        steps = self._propagate(labels, near, progress, cancelled, stream=True)
        yield from (done for done in steps if done is not None)

    def steps(
        self,
        labels: Iterable[int] | None = None,
        *,
        near: tuple[Axis, int] | None = None,
        progress: Progress | None = None,
    ) -> Iterator[SliceDone | None]:
        """Propagate in small steps, between which other work may be done; see `propagate`.

        Yields None after a step that was no new slice: one of outlines that are left out.
        """
        return self._propagate(labels, near, progress, None, stream=True)

    def run(
        self, labels: Iterable[int] | None = None, *, progress: Progress | None = None
    ) -> Segmentation:
        """Carry what is drawn through the scan and return what was found; see `propagate`."""
        for _ in self._propagate(labels, None, progress, None, stream=False):
            pass
        return self.result()

    def result(self) -> Segmentation:
        """Return what the propagations of all labels have found, with what is drawn now upon it.

        Raises
        ------
        PromptError
            If nothing has been propagated.
        """
        drawn = self.prompts
        results = self._found()
        assert self._record is not None  # there are results
        logits = {label: one.fused for label, one in results.items()}
        impose_drawn(logits, drawn, self.volume)
        labels = compete(logits, drawn, self.volume)
        if self.config.overlap == "apart":
            voxels = {label: int((found.logits > 0).sum()) for label, found in logits.items()}
        else:
            voxels = {
                label: int((labels.voxels[found.box.slices] == label).sum())
                for label, found in logits.items()
            }
        records = [replace(one.record, voxels=voxels[label]) for label, one in results.items()]
        quality = {label: one.quality for label, one in results.items()}
        record = replace(self._record, labels=records)
        return Segmentation(labels, logits, record, quality, self.volume, drawn)

    def suggest(self, n: int = 3, rule: str | SuggestionRule = RULE) -> list[Suggestion]:
        """Return the slices to outline next, the most helpful first, from the last propagation.

        Parameters
        ----------
        n
            How many; fewer come back where nothing more is to be gained.
        rule
            Which; see `voxtrail.session.suggestions`.

        Raises
        ------
        PromptError
            If nothing has been propagated.
        """
        return suggest(self._found(), self.prompts, SUGGESTION_RULES.part(rule), n)

    def _found(self) -> Mapping[int, LabelResult]:
        results = self.results
        if not results:
            raise PromptError(
                "nothing has been propagated yet",
                received=f"{len(self.prompts.prompts)} outlines",
                accepted="a session that was propagated",
                remedy="call propagate first",
            )
        return results

    def _propagate(
        self,
        labels: Iterable[int] | None,
        near: tuple[Axis, int] | None,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        *,
        stream: bool,
    ) -> Iterator[SliceDone | None]:
        started = time.perf_counter()
        prompts = self._drawn(labels)
        check_request(self.volume, prompts, self.config)
        loaded, cache = self.model, self.cache
        before = Spent.so_far(loaded.model, cache)
        crops = self._planned(prompts, near)
        run = Run(
            volume=self.volume,
            scan=self._scan,
            prompts=prompts,
            config=self.config,
            bounds=self._bounds,
            model=loaded.model,
            cache=cache,
            crops=crops,
            progress=progress,
            stream=stream,
        )
        for done in run:
            self._previews.note(done)
            if cancelled and cancelled():
                return
            yield done
        left_out = LeaveOneOut(
            run.found if self.config.quality else {},
            volume=self.volume,
            prompts=prompts,
            config=self.config,
            model=loaded.model,
            predictions=cache.predictions,
        )
        for _ in left_out:
            if progress:
                progress(left_out.done, left_out.total, "leaving outlines out")
            if cancelled and cancelled():
                return
            yield None
        found: dict[int, LabelResult] = {}
        for label, one in run.results.items():
            told = left_out.results.get(label, [])
            record = one.record.with_left_out(told, one.quality.between)
            found[label] = replace(one, record=record)
        for crop in run.crops:
            others = {of: one for of, one in self._crops.items() if not {*of} & {*crop.labels}}
            self._crops = {**others, crop.labels: crop}
        if cache.crops:
            cache.crops.note(self.volume, prompts, self.config, run.crops)
        self._record = RunRecord.of(
            config=self.config,
            loaded=loaded,
            volume=self.volume,
            labels=[],
            spent=Spent.so_far(loaded.model, cache).since(before),
            seconds_total=time.perf_counter() - started,
            warnings=[
                *self.volume.provenance.notes,
                *loaded.notes,
                *warnings_about(prompts, self.config),
                *_still_touching(run, prompts),
                *cache.notes,
            ],
        )
        self._results = {**self._results, **found}
        self._keep(found, self._record)

    def _keep(self, found: Mapping[int, LabelResult], record: RunRecord) -> None:
        """Write crops and results to disk; where that fails, they hold as long as the session."""
        notes = []
        try:
            self._save()
        except OutputError as error:
            notes.append(f"where labels lie could not be kept in the session: {error}")
        if self._kept:
            self._kept.write(found, record)
            notes += self._kept.notes
        self._record = replace(record, warnings=[*record.warnings, *notes])

    def _planned(self, prompts: Prompts, near: tuple[Axis, int] | None) -> list[Crop]:
        """Return the crops to work in, those around what a person looks at first."""
        held = dict(self._crops)
        if self.cache.crops:
            recalled = self.cache.crops.recall(self.volume, prompts, self.config)
            held = {**recalled, **held}
        crops = plan(self.volume, prompts, self.config, self._bounds, held)
        if near is None:
            return crops
        axis, looked_at = near

        def distance(crop: Crop) -> int:
            drawn = [p.slice_index for label in crop.labels for p in prompts.of(label, axis)]
            if not drawn:
                return self.volume.grid.shape[axis.value]
            return max(min(drawn) - looked_at, looked_at - max(drawn), 0)

        return sorted(crops, key=distance)

    def _drawn(self, labels: Iterable[int] | None) -> Prompts:
        """Return what is drawn of some labels."""
        drawn = self.prompts
        if labels is None:
            return drawn
        wanted = set(labels)
        missing = sorted(wanted - set(drawn.labels()))
        if missing:
            raise PromptError(
                "nothing is drawn of a label",
                received=f"label {missing[0]}",
                accepted=", ".join(str(label) for label in drawn.labels()) or "none is drawn",
                remedy="outline it on a slice first",
            )
        kept = tuple(prompt for prompt in drawn.prompts if prompt.label in wanted)
        return replace(drawn, prompts=kept)


def _still_touching(run: Run, prompts: Prompts) -> list[str]:
    return [
        f"{prompts.name(label)}: its mask still reaches the border of its crop, grown "
        f"{MAX_GROWTHS} times; widen it with --margin or --crop none"
        for label, one in sorted(run.results.items())
        if one.touching
    ]


def segment(
    volume: Volume,
    prompts: Prompts,
    config: Config | None = None,
    *,
    model: LoadedModel | None = None,
    cache: Cache | None = None,
    progress: Progress | None = None,
) -> Segmentation:
    """Carry outlined slices through a scan, in one call.

    Parameters
    ----------
    volume
        The scan.
    prompts
        What was drawn on it, on the same grid.
    config
        How; ``is+sps+shape`` with SAM 2.1 small by default.
    model
        A model that is already loaded; otherwise ``config.model`` is loaded.
    cache
        What is shared with other calls, so that one with a corrected outline encodes nothing
        anew and tracks only what depends on it; by default nothing is.
    progress
        Called as the work goes on.

    Raises
    ------
    GridError, PromptError, OptionError
        If the request cannot be carried out; see `voxtrail.session.checks.check_request`.
    WeightsError, OptionError
        If the model cannot be loaded.
    """
    config = config or Config()
    cache = cache or Cache.of_one_run(quality=config.quality)
    session = Session(volume, config, model=model, cache=cache)
    session.load(prompts)
    return session.run(progress=progress)
