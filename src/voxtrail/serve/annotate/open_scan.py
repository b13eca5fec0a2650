"""The scan that is open on the page: its session, what is shown of it, and the run under way."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import PromptError, VoxtrailError
from voxtrail.io import read_labels, write
from voxtrail.model.base import LoadedModel
from voxtrail.serve.annotate import wire
from voxtrail.serve.annotate.events import framed
from voxtrail.serve.annotate.places import SessionLock, imported_place
from voxtrail.serve.annotate.shown import Shown, of_map
from voxtrail.serve.failures import Refused
from voxtrail.serve.model_worker import Job, ModelWorker
from voxtrail.session import Config, Session, SliceDone, SlicePreview, Suggestion, check_request
from voxtrail.session.look import Look
from voxtrail.session.preview import whole_slice
from voxtrail.session.state import Place

#: Labels are a byte on the page and in most formats.
MAX_LABEL = 255
#: Slices to either side of what a person looks at that are encoded ahead.
AHEAD = 6
#: Slices that are suggested to be outlined next.
SUGGESTED = 5


class OpenScan:
    """A scan that a person works on.

    Changes are made under `changing`, one at a time, and are on disk when it ends. Whatever needs
    the model goes through the worker.

    Parameters
    ----------
    volume
        The scan.
    name
        What its file is called.
    config
        How it is segmented.
    file
        Where the session is saved.
    model
        What segments; None while it is being loaded.
    worker
        Where it does so.
    """

    def __init__(
        self,
        volume: Volume,
        name: str,
        config: Config,
        file: Path,
        model: LoadedModel | None,
        worker: ModelWorker,
    ) -> None:
        self._lock = SessionLock(file)
        self.is_new = not file.exists()
        try:
            self.session = Session(volume, config, model=model, file=file)
            self.shown = Shown(self.session)
            for number in range(1, self.session.imports + 1):
                place = imported_place(file, number)
                if place.exists():
                    self.shown.maps[number] = of_map(read_labels(place, like=volume))
            _check_labels(self.session)
        except BaseException:
            self._lock.release()
            raise
        self.name = name
        self.file = file
        self.volume = volume
        self.hu = float(volume.voxels.min()), float(volume.voxels.max())
        self.revision = 0
        self.suggestions: list[Suggestion] = []
        self.running: Running | None = None
        self._worker = worker
        self._changing = threading.RLock()
        if self.session.results:
            self.suggestions = self.session.suggest(SUGGESTED)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of the scan, RAS+."""
        return self.volume.grid.shape

    def labels(self) -> tuple[int, ...]:
        """Return the labels that there are, drawn or not."""
        return tuple(sorted({*self.session.state.names, *self.session.prompts.labels()}))

    def look(self, label: int) -> Look:
        """Return how a label is shown."""
        return self.session.looks.get(label) or Look.of_label(label)

    @contextmanager
    def changing(self) -> Iterator[Session]:
        """Give the session to one change at a time."""
        with self._changing:
            yield self.session
            self.revision += 1

    def check_label(self, label: int, *, drawn_on: bool = False) -> None:
        """Refuse a label that is not there or, if it is to be drawn on, locked."""
        if label not in self.labels():
            raise Refused(
                404,
                "there is no such label",
                received=label,
                accepted=", ".join(str(one) for one in self.labels()) or "none: add one first",
                remedy="choose a label of the list",
            )
        if drawn_on and self.look(label).locked:
            raise Refused(
                409,
                f"{self.session.prompts.name(label)} is locked",
                received="a change of a locked label",
                accepted="changes of labels that are not locked",
                remedy="unlock it first",
            )

    def new_label(self) -> int:
        """Return a number that no label has.

        Raises
        ------
        PromptError
            If there is none up to 255.
        """
        free = next((n for n in range(1, MAX_LABEL + 1) if n not in self.labels()), None)
        if free is None:
            raise _too_many(MAX_LABEL + 1)
        return free

    def preview(self, prompts: Sequence[Prompt]) -> SlicePreview:
        """Return the mask that prompts give, before any long work; blocks until it is there."""
        return self._worker.call(self, lambda: self.session.preview(prompts)).result()

    def look_at(
        self, label: int, axis: Axis, index: int, encoded: Callable[[Axis, list[int]], None]
    ) -> None:
        """Let slices near one that a person looks at be encoded when there is nothing else to do.

        ``encoded`` is told which.
        """
        last = self.shape[axis.value] - 1
        near = [index + step * way for step in range(AHEAD + 1) for way in (1, -1)]
        wanted = [at for at in dict.fromkeys(near) if 0 <= at <= last]

        def prepare() -> Iterator[None]:
            for at in wanted:
                if self.session.prepare(label, axis, at):
                    encoded(axis, [at])
                    yield

        self._worker.idle(self, prepare())

    def propagate(
        self, labels: Sequence[int] | None, near: tuple[Axis, int] | None, tell: Tell
    ) -> None:
        """Begin to carry what is drawn through the scan; one that is under way gives way to it.

        Raises
        ------
        PromptError
            If what is drawn cannot be carried on.
        """
        drawn = self.session.prompts
        if labels is None:
            labels = [label for label in drawn.labels() if not self.look(label).locked]
        for label in labels:
            self.check_label(label)
        with self.changing() as session:
            axes = {one.axis for one in drawn.prompts if one.label in labels}
            if axes:
                # From the last to the first: axial, coronal, sagittal.
                session.propagate_along(axis for axis in reversed(Axis) if axis in axes)
            wanted = tuple(one for one in drawn.prompts if one.label in labels)
            check_request(self.volume, replace(drawn, prompts=wanted), session.config)
        self.stop()
        self.running = Running(self, labels, near, tell, self._worker)

    def stop(self) -> None:
        """Let a run that is under way end; what it has found is kept for the next one."""
        if self.running:
            self.running.job.stop()

    def import_predictions(self, labels: LabelMap) -> None:
        """Take a label map for predictions: shown until a label of it is propagated.

        Raises
        ------
        PromptError
            If a label is above 255.
        OutputError
            If it cannot be kept beside the session.
        """
        present = labels.labels()
        if present and max(present) > MAX_LABEL:
            raise _too_many(max(present))
        with self.changing() as session:
            number = session.imports + 1
            write(labels, imported_place(self.file, number), force=True)
            self.shown.maps[number] = of_map(labels)
            session.take_imported({label: labels.name(label) for label in present}, number)

    def import_outlines(self, prompts: Prompts) -> None:
        """Take all of some prompts for drawn, as one change.

        Raises
        ------
        PromptError
            If a label is above 255.
        """
        present = prompts.labels()
        if present and max(present) > MAX_LABEL:
            raise _too_many(max(present))
        with self.changing() as session:
            session.load(prompts)

    def delete(self, label: int) -> None:
        """Take back a label and all that is drawn of it; a run that is under way ends."""
        self.stop()

        def change() -> None:
            with self.changing() as session:
                session.delete(label)

        # In the model's thread: what was tracked of the label is no longer asked for there.
        self._worker.call(self, change).result()

    def outline(self, place: Place) -> MaskPrompt | None:
        """Return the mask that is drawn in a place, if one is."""
        return next(
            (one for one in self.session.state.at(place) if isinstance(one, MaskPrompt)), None
        )

    def close(self) -> None:
        """End what is under way and let others have the session."""
        if self.running:
            self.running.job.stop()
            self.running.job.ended.exception()
        self._lock.release()


#: Called with the kind of a message and its values, or with a framed slice.
Tell = Callable[[str, Any], None]


class Running:
    """A propagation under way.

    Parameters
    ----------
    scan
        Of what.
    labels, near
        See `Session.propagate`.
    tell
        Told ``slice`` with a framed message, ``progress``, and ``end`` or ``error``.
    worker
        Where it runs.
    """

    def __init__(
        self,
        scan: OpenScan,
        labels: Sequence[int],
        near: tuple[Axis, int] | None,
        tell: Tell,
        worker: ModelWorker,
    ) -> None:
        self._scan = scan
        self._tell = tell
        self._started = time.monotonic()
        self._phase = ""
        self._told = 0.0
        #: Slices that were found so far, for tabs that come later.
        self.slices: dict[Place, bytes] = {}
        self.progress: dict[str, Any] = {"done": 0, "total": 0, "seconds_left": None, "what": ""}
        self.job: Job = worker.start(scan, self._steps(labels, near))
        self.job.ended.add_done_callback(lambda _: self._end())

    def _steps(self, labels: Sequence[int], near: tuple[Axis, int] | None) -> Iterator[None]:
        session = self._scan.session
        for done in session.steps(labels, near=near, progress=self._progress):
            if done is not None:
                self._show(done)
            yield
        # Here, before anybody is told of the end: it needs a while for many labels.
        self._scan.suggestions = session.suggest(SUGGESTED)
        self._scan.shown.labels()

    def _show(self, done: SliceDone) -> None:
        scan = self._scan
        mask = whole_slice(done.path, done.logits, scan.shape)
        place = Place(done.label, done.axis, done.slice_index)
        if scan.session.state.at(place) and done.recalled is not None:
            return  # drawn on since the run began: what was drawn stands
        prediction = scan.session.cache.predictions.find(scan.session.model.model, done.key)
        header = {
            "label": done.label,
            "axis": done.axis.label,
            "slice": done.slice_index,
            "confidence": None if prediction is None else round(float(prediction.predicted_iou), 3),
        }
        self.slices[place] = framed(header, wire.pack(mask))
        self._tell("slice", self.slices[place])

    def _progress(self, done: int, total: int, what: str) -> None:
        now = time.monotonic()
        if what != self._phase:
            self._phase, self._started, self._told = what, now, 0.0
        passed = now - self._started
        left = round(passed / done * (total - done), 1) if done else None
        self.progress = {"done": done, "total": total, "seconds_left": left, "what": what}
        if now - self._told > 0.1 or done == total:
            self._told = now
            self._tell("progress", self.progress)

    def _end(self) -> None:
        """Say how it ended."""
        if self._scan.running is self:
            self._scan.running = None
        error = self.job.ended.exception()
        if error is None:
            self._scan.revision += 1
            self._tell("end", {"complete": self.job.ended.result()})
        else:
            self._tell("error", error)


def _check_labels(session: Session) -> None:
    beyond = [label for label in session.prompts.labels() if label > MAX_LABEL]
    if beyond:
        raise _too_many(beyond[0])


def _too_many(label: int) -> VoxtrailError:
    return PromptError(
        "the page has room for 255 labels",
        received=f"label {label}",
        accepted=f"labels 1 to {MAX_LABEL}",
        remedy="give it a number up to 255",
    )
