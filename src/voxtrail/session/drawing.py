"""What a person draws on a scan: added, replaced, taken back, undone; saved at each change."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import PointPrompt, Prompt, Prompts
from voxtrail.core.prompts_on_grid import put_on
from voxtrail.core.volume import Volume
from voxtrail.errors import PromptError
from voxtrail.session.checks import check_placed
from voxtrail.session.config import Config
from voxtrail.session.crops import Crop
from voxtrail.session.look import Look
from voxtrail.session.preview import SlicePreview
from voxtrail.session.saved import SessionFile
from voxtrail.session.state import History, Place, State


class Drawing:
    """What is drawn on one scan, with its history, and the crops that were made for it.

    Changes come from one thread at a time; meanwhile a propagation may go on in another one.

    Parameters
    ----------
    volume
        The scan; not copied.
    config
        How it is segmented.
    file
        Where all of it is saved at each change. If the file is there, the drawing goes on where it
        ended, with the configuration that it was drawn with.

    Raises
    ------
    SessionError
        If the file is no session, or one of another scan.
    """

    def __init__(
        self, volume: Volume, config: Config, file: str | os.PathLike[str] | None = None
    ) -> None:
        self.volume = volume
        self.config = config.resolved()
        self._history = History()
        self._crops: dict[tuple[int, ...], Crop] = {}
        self._looks: dict[int, Look] = {}
        self._notes: tuple[str, ...] = ()
        self._saving = threading.RLock()
        self._file = None if file is None else SessionFile(file, volume)
        if self._file and self._file.path.exists():
            saved = self._file.read()
            self.config, self._history = saved.config.resolved(), saved.history
            self._crops = {crop.labels: crop for crop in saved.crops}
            self._looks = dict(saved.looks)

    @property
    def state(self) -> State:
        """What has been drawn, and what of it is an accepted prediction."""
        return self._history.now

    @property
    def prompts(self) -> Prompts:
        """What has been drawn, with notes of how it was loaded."""
        return replace(self.state.on(self.volume.stored), notes=self._notes)

    @property
    def earlier(self) -> State | None:
        """The state that `undo` goes back to; None where there is none."""
        return self._history.back().now if self._history.at else None

    @property
    def later(self) -> State | None:
        """The state that `redo` goes on to; None where there is none."""
        ahead = self._history.forth()
        return None if ahead.at == self._history.at else ahead.now

    @property
    def looks(self) -> Mapping[int, Look]:
        """How labels are shown that were given a look."""
        return self._looks

    def show(self, label: int, look: Look) -> None:
        """Give a label a look; no part of undo."""
        before, self._looks = self._looks, {**self._looks, label: look}
        try:
            self._save()
        except BaseException:
            self._looks = before
            raise

    def add(self, prompt: Prompt) -> None:
        """Draw something where nothing like it is drawn yet.

        Raises
        ------
        PromptError
            If it has no place in the scan, or there is a mask or box (or clicks) in its place.
        """
        alike = isinstance(prompt, PointPrompt)
        here = self.state.at(Place.of(prompt))
        if any(isinstance(one, PointPrompt) == alike for one in here):
            raise PromptError(
                "something of the kind is drawn there already",
                received=f"{prompt.axis.label} slice {prompt.slice_index} (RAS+) of label "
                f"{prompt.label}",
                accepted="a slice without one",
                remedy="replace it, or remove what is there",
            )
        self.replace(prompt)

    def replace(self, prompt: Prompt) -> None:
        """Draw something in place of what is there.

        A mask or box takes the place of a mask or box and of the clicks that corrected it; clicks
        take the place of clicks.

        Raises
        ------
        PromptError
            If it has no place in the scan.
        """
        self._draw(prompt, accepted=False)

    def accept(self, preview: SlicePreview) -> None:
        """Take a previewed mask as an outline."""
        self._draw(preview.as_prompt(), accepted=True)

    def remove(self, label: int, axis: Axis, slice_index: int) -> None:
        """Take back what is drawn of a label on a slice (RAS+ number).

        Raises
        ------
        PromptError
            If nothing is drawn there.
        """
        place = Place(label, axis, slice_index)
        if not self.state.at(place):
            raise PromptError(
                "nothing is drawn there",
                received=f"{axis.label} slice {slice_index} (RAS+) of label {label}",
                accepted=", ".join(
                    f"{one.axis.label} {one.slice_index}" for one in self.prompts.of(label)
                )
                or "nothing of this label is drawn at all",
                remedy="name a slice that was drawn on",
            )
        self._change(self.state.without(place))

    def clear(self, label: int | None = None) -> None:
        """Take back all that is drawn, of one label or of all of them; crops begin anew."""
        state = self.state
        for one in self.prompts.labels() if label is None else (label,):
            state = state.without_label(one)
            self._crops = {of: crop for of, crop in self._crops.items() if one not in of}
        self._change(state)

    def delete(self, label: int) -> None:
        """Take back a label: its name and all that is drawn of it, as one change."""
        self._crops = {of: crop for of, crop in self._crops.items() if label not in of}
        self._change(self.state.deleted(label))

    def rename(self, label: int, name: str) -> None:
        """Call a label by a name."""
        self._change(self.state.named(label, name))

    def load(self, prompts: Prompts) -> None:
        """Draw all of some prompts, as one change.

        Raises
        ------
        GridError
            If the voxels of their grid do not lie on the scan's.
        PromptError
            If one has no place in the scan.
        """
        prompts = put_on(prompts, self.volume.stored)
        check_placed(self.volume, prompts)
        self._notes = prompts.notes
        state = self.state
        for prompt in prompts.prompts:
            state = state.with_prompt(prompt)
        for label, name in prompts.names.items():
            state = state.named(label, name)
        self._change(state)

    @property
    def imports(self) -> int:
        """The highest number of a label map that predictions were read from; 0 for none."""
        states = self._history.states
        return max((n for state in states for n in state.imported.values()), default=0)

    def take_imported(self, names: Mapping[int, str], number: int) -> None:
        """Note that a label map holds the predictions of labels of some names, as one change."""
        self._change(self.state.with_imported(names, number))

    def undo(self) -> bool:
        """Go back by one change; tell whether there was one."""
        return self._go(self._history.back())

    def redo(self) -> bool:
        """Do again what was undone last; tell whether there was something."""
        return self._go(self._history.forth())

    def _draw(self, prompt: Prompt, *, accepted: bool) -> None:
        check_placed(self.volume, Prompts((prompt,), self.volume.stored, dict(self.state.names)))
        self._change(self.state.with_prompt(prompt, accepted=accepted))

    def _change(self, state: State) -> None:
        self._go(self._history.then(state))

    def _go(self, history: History) -> bool:
        """Take up a history once it is saved; tell whether anything changed."""
        with self._saving:
            if history.now is self._history.now:
                return False
            before, self._history = self._history, history
            try:
                self._save()
            except BaseException:
                self._history = before
                raise
            return True

    def _save(self) -> None:
        with self._saving:
            if self._file:
                crops = list(self._crops.values())
                self._file.write(self.config, self._history, crops, self._looks)
