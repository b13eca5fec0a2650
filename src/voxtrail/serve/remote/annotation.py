"""A client's scan, and the object on it that the client segments: what is drawn, what is shown.

Not the session itself: that carries what is drawn through the scan. Here is what only clients know:
a mask that they start from, the region that they allow, the way back, and which part of the mask
they have not been told of yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.box import Box, Triple
from voxtrail.core.prompts import MaskPrompt, PointPrompt, Prompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.errors import PromptError
from voxtrail.model.base import LoadedModel
from voxtrail.preprocess import around_prompts
from voxtrail.serve.remote import meaning
from voxtrail.serve.remote.along_scribble import clicks_along
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import (
    Painted,
    SliceBox,
    middle_slice,
    pixel_of,
)
from voxtrail.serve.remote.moments import Moment, Moments
from voxtrail.serve.remote.packed_mask import PackedMask
from voxtrail.session import Cache, Config, Session
from voxtrail.session.run import SliceDone
from voxtrail.session.state import Place


class _Found(NamedTuple):
    """What a pass found on a slice: bits of a window (rows, columns)."""

    where: Place
    window: tuple[slice, slice]
    bits: NDArray[np.uint8]


class Annotation:
    """What one client works on; used by one thread at a time.

    Parameters
    ----------
    volume, frame
        The scan, and how the client's arrays lie in it.
    config
        How objects are segmented. Where the client starts from a mask, passes end at the outermost
        prompts instead.
    model
        What segments.
    cache
        What was computed; it outlives objects.

    Attributes
    ----------
    shown
        (i, j, k) bool, RAS+: the object as it is shown.
    """

    def __init__(
        self, volume: Volume, frame: ArrayFrame, config: Config, model: LoadedModel, cache: Cache
    ) -> None:
        self.frame = frame
        self.shown: NDArray[np.bool_] = np.zeros(volume.grid.shape, np.bool_)
        self._volume = volume
        # Outlines come one by one: a second one must not take away what the first found beyond it.
        extent = config.extent or "object"
        self._config = replace(config, extent=extent, quality=False, roi=None)
        self._model = model
        self._cache = cache
        self._told = PackedMask()
        self._moments = Moments()
        self._ground: PackedMask | None = None
        self._region: Box | None = None
        self._session = self._new_session(self._config)
        #: Slices of the last interaction, and what a propagation under way has found.
        self._fresh: tuple[Place, ...] = ()
        self._found: list[_Found] = []
        #: Whether something was drawn since the last propagation.
        self.stale = False
        #: The direction of the slices that were drawn on last.
        self.axis = frame.axis_of(0)

    def reset(self) -> None:
        """Begin another object; the client empties its mask itself."""
        self._begin(None)
        self._moments = Moments()
        self.shown[:] = False
        self._told = PackedMask()

    def start_from(self, mask: NDArray[np.bool_]) -> None:
        """Begin from a mask (i, j, k), RAS+, which the client has already.

        It is the state of the object and no outline: what is drawn later changes its own slices
        and those between them, and the rest stays.
        """
        before = self._moment()
        self._begin(PackedMask.of(mask))
        self._moments = Moments()
        self._moments.add(before)
        self.shown[:] = mask
        self._told = PackedMask.of(self.shown)

    def outline(self, drawn: Painted, *, positive: bool) -> None:
        """Draw an outline."""
        where = meaning.place(drawn.axis, drawn.slice_index)
        here, shown = self._session.state.at(where), self._slice(where)
        self._draw(meaning.of_outline(drawn, positive=positive, here=here, shown=shown))
        self.axis = drawn.axis

    def slice_box(self, box: SliceBox, *, positive: bool) -> None:
        """Draw a box on a slice."""
        shown = self._slice(meaning.place(box.axis, box.slice_index))
        self._draw(meaning.of_box(box, positive=positive, shown=shown))
        self.axis = box.axis

    def click(self, voxel: Triple, *, positive: bool) -> None:
        """Click on a voxel: on a slice that runs through it and was drawn on, or of the last axis.

        A click comes without the plane that it was made in.
        """
        drawn = {Place.of(one) for one in self._session.state.prompts}
        axes = [one for one in Axis if meaning.place(one, voxel[one.value]) in drawn]
        axis = self.axis if self.axis in axes or not axes else axes[0]
        point = pixel_of(voxel, axis, self.frame)
        self._draw(self._clicks(axis, voxel[axis.value], [point], positive))

    def scribble(self, drawn: Sequence[Painted], *, positive: bool) -> None:
        """Scribble: clicks along it."""
        self._draw(
            [
                prompt
                for one in drawn
                for prompt in self._clicks(
                    one.axis, one.slice_index, clicks_along(one.mask), positive
                )
            ]
        )
        self.axis = drawn[0].axis

    def region(self, box: Box, *, positive: bool) -> None:
        """Allow the object in a box (RAS+) alone; if nothing is drawn, box it on its middle slice.

        Raises
        ------
        PromptError
            If it is said to be outside the box.
        """
        if not positive:
            raise PromptError(
                "a box over several slices cannot be taken away",
                received=f"voxels {box.start} to {box.stop}",
                accepted="a box on one slice, or a positive box",
                remedy="draw a negative box or lasso on the slices that are wrong",
            )
        middle = middle_slice(box, self.frame)
        shown = self._slice(meaning.place(middle.axis, middle.slice_index))
        drawn = self._session.state.prompts
        means = () if drawn else meaning.of_box(middle, positive=True, shown=shown)
        self._draw(means, region=box)

    def undo(self) -> bool:
        """Go back by one interaction; tell whether there was one."""
        if not self._moments:
            return False
        self._return_to(self._moments.take())
        return True

    def show_drawn(self) -> None:
        """Show the slices of the last interaction as they are now; the model's work."""
        for where in self._fresh:
            here = self._session.state.at(where)
            if len(here) == 1 and isinstance(here[0], MaskPrompt):
                mask = here[0].mask
            else:
                mask = self._session.preview(here).mask
            self._slice(where)[:] = mask

    def propagating(self, *, again: bool = False) -> Iterator[None]:
        """Carry what is drawn through the scan and show it; the model's work, a step a slice.

        Left before its end it changes nothing; then `show_found` shows what it had found.

        Parameters
        ----------
        again
            Even if nothing has been drawn since the last time.
        """
        self._found = []
        if not (self.stale or again):
            return
        if not any(_marks(prompt) for prompt in self._session.state.prompts):
            self.show_drawn()
            return
        for done in self._session.propagate():
            self._found.append(_found_on(done, self.shown.shape))
            yield
        result = self._session.result()
        mask = result.labels.mask(meaning.LABEL)
        if self._ground is None:
            self.shown[:] = mask
        else:
            self._ground.put_into(self.shown)
            box = result.record.labels[0].crop
            self.shown[box.slices] = mask[box.slices]
            for prompt in self._session.prompts.masks(meaning.LABEL):
                self._slice(Place.of(prompt))[:] = prompt.mask
        self.stale = False
        self._found = []

    def show_found(self) -> None:
        """Show what a propagation that was left had found; the next one goes on from there."""
        drawn = {Place.of(one) for one in self._session.state.prompts}
        self.show_drawn()
        for one in self._found:
            if one.where not in drawn:
                window = self._slice(one.where)[one.window]
                flat = np.unpackbits(one.bits, count=window.size)
                window[:] = flat.reshape(window.shape).astype(np.bool_)

    def changed(self) -> tuple[Box, NDArray[np.bool_]] | None:
        """Return what the client has not been told of yet, and count it as told.

        Returns
        -------
        tuple, or None where nothing has changed
            A box of the client's array (z, y, x), and its voxels, bool.
        """
        return self._tell(self._told.differs_from(self.shown))

    def whole(self) -> tuple[Box, NDArray[np.bool_]] | None:
        """Return all that is shown, or that the client was told is, and count it as told.

        Clients take the boxes that they are answered for where the object is.
        """
        boxes = [one for one in (self._told.box, Box.around(self.shown)) if one]
        return self._tell(boxes[0].joined(boxes[-1]) if boxes else None)

    def forget_told(self) -> None:
        """Take it that the client's mask is empty."""
        self._told = PackedMask()

    def _tell(self, box: Box | None) -> tuple[Box, NDArray[np.bool_]] | None:
        if box is None:
            return None
        self._told = PackedMask.of(self.shown)
        there = self.frame.box_in_array(box)
        return there, self.frame.to_array(self.shown)[there.slices]

    def _clicks(
        self, axis: Axis, index: int, points: Sequence[tuple[float, float]], positive: bool
    ) -> tuple[Prompt, ...]:
        where = meaning.place(axis, index)
        here, shown = self._session.state.at(where), self._slice(where)
        return meaning.of_clicks(axis, index, points, positive=positive, here=here, shown=shown)

    def _draw(self, means: Sequence[Prompt], *, region: Box | None = None) -> None:
        """Draw prompts in place of what is on their slices; all or none."""
        before = self._moment()
        try:
            self._region = region or self._region
            self._fit([*self._session.state.prompts, *means])
            for prompt in means:
                self._session.replace(prompt)
        except BaseException:
            self._return_to(before)
            raise
        self._moments.add(before)
        self._fresh = tuple(dict.fromkeys(Place.of(prompt) for prompt in means))
        self.stale = self.stale or bool(means) or region is not None

    def _fit(self, prompts: Sequence[Prompt]) -> None:
        """Let the session be one of these prompts' axes and of the region, which holds them."""
        drawn = {prompt.axis for prompt in prompts}
        axes = tuple(axis.label for axis in reversed(Axis) if axis in drawn) or self._config.axes
        config = replace(self._config_now(), axes=axes)
        if self._region is not None:
            grid = self._volume.grid
            if any(_marks(prompt) for prompt in prompts):
                around = around_prompts(prompts, grid.shape, grid.spacing_mm, 0.0)
                self._region = self._region.joined(around).within(Box.whole(grid.shape))
            stored = self.frame.stored.stored_box(self._region)
            pairs = zip(stored.start, stored.stop, strict=True)
            config = replace(config, roi=",".join(f"{start}:{stop}" for start, stop in pairs))
        if config.resolved() != self._session.config:
            drawn_so_far = self._session.state.prompts
            self._session = self._new_session(config)
            self._session.load(Prompts(drawn_so_far, self.frame.stored))

    def _begin(self, ground: PackedMask | None) -> None:
        self.axis = self.frame.axis_of(0)
        self._ground = ground
        self._region = None
        self._session = self._new_session(self._config_now())
        self._fresh = ()
        self._found = []
        self.stale = False

    def _config_now(self) -> Config:
        return self._config if self._ground is None else replace(self._config, extent="prompts")

    def _new_session(self, config: Config) -> Session:
        return Session(self._volume, config, model=self._model, cache=self._cache)

    def _moment(self) -> Moment:
        return Moment(
            self._session,
            self._session.state,
            self._ground,
            self._region,
            PackedMask.of(self.shown),
            self.stale,
        )

    def _return_to(self, moment: Moment) -> None:
        self._session = moment.session
        while self._session.state is not moment.state and self._session.undo():
            pass
        self._ground, self._region = moment.ground, moment.region
        self.stale, self._fresh = moment.stale, ()
        moment.shown.put_into(self.shown)

    def _slice(self, where: Place) -> NDArray[np.bool_]:
        """Return what is shown on a slice: (rows, columns), a view."""
        view: NDArray[np.bool_] = where.axis.to_stack(self.shown)[where.slice_index]
        return view


def _found_on(done: SliceDone, shape: Sequence[int]) -> _Found:
    where = meaning.place(done.axis, done.slice_index)
    window = done.path.pixels(done.slice_index, shape)
    return _Found(where, window, np.packbits(done.logits > 0))


def _marks(prompt: Prompt) -> bool:
    """Tell whether a prompt says where the structure is."""
    if isinstance(prompt, MaskPrompt):
        return bool(prompt.mask.any())
    return not isinstance(prompt, PointPrompt) or any(prompt.positive)
