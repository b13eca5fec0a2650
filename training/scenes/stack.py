"""Cuts scenes into stacks of slices as a run of voxtrail does: `make_batch`.

Slices are placed through the target, outlines are drawn on some of them, and the windows come from
the package's own `plan_crop` (or the paper's one box with 20 mm around it). Only slices that a task
visits are made: a stack of 32 slices of which three are outlined and five tracked costs eight.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.random import Generator
from numpy.typing import NDArray
from torch import Tensor

from training.scenes.arrange import Scene, SceneKind, make_scene
from training.scenes.scanner import View, draw_scanner, grey
from training.scenes.shapes import FloatArray
from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.crop_path import CropPath
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt
from voxtrail.preprocess import MARGIN_MM, around_prompts, plan_crop
from voxtrail.study.noise.dilated import Dilated
from voxtrail.study.noise.eroded import Eroded
from voxtrail.study.noise.jagged import Jagged
from voxtrail.study.noise.shifted import Shifted

ANY_KIND = SceneKind()

PROBE = 40
"""Points a side at which a target is looked for before anything is made."""

AROUND_MM = 70.0
"""How far the scene's scan reaches beyond its target."""

LEAST_SLICE_MM, MOST_SLICE_MM = 0.8, 8.0
"""Distance of slices."""

LEAST_VOXELS = 6
"""Voxels of the target that must be seen on an outlined slice."""

TRIES = 12
"""Scenes that are drawn before one is taken whose target hides on an outlined slice."""

MOST_TRIES = 500
"""Scenes that are drawn at most: with nine outlines, all twelve may hide their target."""


@dataclass(frozen=True)
class StackSettings:
    """How stacks are made.

    Parameters
    ----------
    stacks
        How many.
    slices
        Of the whole stack, D: what distances and memories are counted in.
    outlined
        Numbers of the slices that carry an outline, ascending; not empty.
    visited
        Numbers of all slices that are made, ascending; those outlined among them.
    size
        Side in pixels to which windows are resized.
    largest
        Most voxels along a window's side; a larger window gets coarser voxels.
    covered
        Least and most share of the target that the stack covers from end to end.
    overrun
        Probability that the stack runs past the target's end.
    careless
        Probability that a stack's outlines are drawn carelessly.
    fixed_crop
        Probability of the paper's crop in place of one that follows and fits.
    kind
        What the scenes are to be like.
    """

    stacks: int
    slices: int
    outlined: tuple[int, ...]
    visited: tuple[int, ...]
    size: int = 128
    largest: int = 112
    covered: tuple[float, float] = (0.25, 1.0)
    overrun: float = 0.0
    careless: float = 0.0
    fixed_crop: float = 0.25
    kind: SceneKind = ANY_KIND


@dataclass(frozen=True)
class StackBatch:
    """A batch of stacks: B stacks, K visited and P outlined slices, S pixels a side.

    Parameters
    ----------
    image
        (B, K, S, S) uint8, 0..255.
    mask
        (B, K, S, S) bool, the target.
    outline
        (B, P, S, S) bool, what was drawn: the mask, or a careless version of it.
    start
        (B, K, 2) int64, first row and column of each window in the scan, voxels.
    shape
        (B, 2) int64, rows and columns of the windows.
    """

    image: Tensor
    mask: Tensor
    outline: Tensor
    start: Tensor
    shape: Tensor

    @property
    def _parts(self) -> tuple[Tensor, ...]:
        return self.image, self.mask, self.outline, self.start, self.shape

    def to(self, device: torch.device) -> StackBatch:
        """Return the batch on another device."""
        return StackBatch(*(part.to(device, non_blocking=True) for part in self._parts))

    def pin_memory(self) -> StackBatch:
        """Return the batch in memory that a GPU reads by itself; `DataLoader` asks for it."""
        return StackBatch(*(part.pin_memory() for part in self._parts))

    def part(self, start: int, stop: int) -> StackBatch:
        """Return some of the stacks."""
        return StackBatch(*(part[start:stop] for part in self._parts))


def make_batch(settings: StackSettings, seed: int) -> StackBatch:
    """Draw a batch; equal arguments give equal batches."""
    seeds = np.random.SeedSequence(seed).spawn(settings.stacks)
    made = [_make_stack(settings, one) for one in seeds]
    return StackBatch(*(torch.stack(parts) for parts in zip(*made, strict=True)))


def _make_stack(settings: StackSettings, seeds: np.random.SeedSequence) -> tuple[Tensor, ...]:
    best: tuple[Tensor, ...] | None = None
    most = -1
    for tried, one in enumerate(seeds.spawn(MOST_TRIES)):
        if best is not None and tried >= TRIES:
            break
        rng = np.random.default_rng(one)
        scene = make_scene(int(rng.integers(2**62)), settings.kind)
        plan = _plan(settings, scene, rng)
        if plan is None:
            continue
        stack, seen = _cut(settings, scene, plan, rng)
        if seen > most:
            best, most = stack, seen
        if seen >= LEAST_VOXELS:
            break
    if best is None:  # a kind of scene whose targets never span a stack
        raise ValueError(f"no scene of {MOST_TRIES} shows its target on the slices of {settings}")
    return best


@dataclass(frozen=True, eq=False)
class _Plan:
    """Where a stack is cut."""

    heights: FloatArray  # (D,) mm
    path: CropPath
    voxel_mm: float
    corner: FloatArray  # (2,) y and x of the scan's first voxel, mm
    slice_mm: float


def _plan(settings: StackSettings, scene: Scene, rng: Generator) -> _Plan | None:
    """Return where a scene is cut, or None where its target hides."""
    target = scene.target.shape
    line = np.linspace(-1, 1, PROBE, dtype=np.float32)
    z, y, x = np.meshgrid(line, line, line, indexing="ij")
    cloud = np.stack([x, y, z]).reshape(3, -1) * np.float32(target.reach)
    held = (target.distance(cloud + target.centre[:, None]) < target.reach / PROBE).reshape(x.shape)
    seen = np.flatnonzero(held.any((1, 2)))
    if len(seen) < 3:
        return None
    low, high = (target.centre[2] + target.reach * line[i] for i in (seen[0], seen[-1]))
    heights = _heights(settings, float(low), float(high), rng)
    slice_mm = abs(float(heights[1] - heights[0]))
    voxel_mm = float(np.exp(rng.uniform(np.log(0.6), np.log(3.0))))
    sections = {i: _section(scene, float(heights[i])) for i in _sectioned(settings, rng)}
    if any(sections[i] is None for i in settings.outlined):
        return None
    known = {i: box for i, box in sections.items() if box is not None}
    fixed = rng.random() < settings.fixed_crop
    for _ in range(3):
        plan = _windows(settings, scene, heights, known, voxel_mm, slice_mm, fixed)
        side = max(plan.path.size)
        if side <= settings.largest:
            break
        voxel_mm *= 1.05 * side / settings.largest
    return plan


def _heights(settings: StackSettings, low: float, high: float, rng: Generator) -> FloatArray:
    """Return the heights of a stack's slices: some or all of the target, at times past its end."""
    length = high - low
    share = rng.uniform(*settings.covered)
    step = np.clip(share * length / max(settings.slices - 1, 1), LEAST_SLICE_MM, MOST_SLICE_MM)
    span = float(step * (settings.slices - 1))
    room = length - span
    if settings.overrun and rng.random() < settings.overrun:
        start = high - span * rng.uniform(0.3, 0.9)
    elif room > 0:
        # As often from the very end as from anywhere: people outline first and last slices.
        start = low + room * (rng.random() if rng.random() < 0.6 else rng.integers(0, 2))
        start += 0.02 * length * rng.uniform(-1, 1)
    else:  # thicker than the target: finer slices than any scanner's
        step = 0.96 * length / (settings.slices - 1)
        start = low + 0.02 * length
    heights = start + step * np.arange(settings.slices)
    flipped = not settings.overrun and rng.random() < 0.5
    return (heights[::-1] if flipped else heights).astype(np.float32).copy()


def _sectioned(settings: StackSettings, rng: Generator) -> tuple[int, ...]:
    """Return the slices whose sections steer the crop: those outlined.

    Where one slice is outlined, the last visited one, too: as if windows had followed the masks.
    """
    if len(settings.outlined) > 1:
        return settings.outlined
    return tuple(sorted({*settings.outlined, settings.visited[0], settings.visited[-1]}))


def _section(scene: Scene, height: float) -> tuple[float, float, float, float] | None:
    """Return the box (y, x, y, x in mm) around the target at a height, or None."""
    target = scene.target.shape
    line = np.linspace(-1, 1, 64, dtype=np.float32) * np.float32(target.reach)
    y, x = np.meshgrid(line + target.centre[1], line + target.centre[0], indexing="ij")
    points = np.stack([x, y, np.full_like(x, height)]).reshape(3, -1)
    held = target.inside(points).reshape(x.shape)
    if not held.any():
        return None
    half = float(line[1] - line[0]) / 2
    rows, columns = (np.flatnonzero(held.any(axis)) for axis in (1, 0))
    return (
        float(y[rows[0], 0]) - half,
        float(x[0, columns[0]]) - half,
        float(y[rows[-1], 0]) + half,
        float(x[0, columns[-1]]) + half,
    )


def _windows(
    settings: StackSettings,
    scene: Scene,
    heights: FloatArray,
    sections: dict[int, tuple[float, float, float, float]],
    voxel_mm: float,
    slice_mm: float,
    fixed: bool,
) -> _Plan:
    """Return the windows that the package plans around outlines with these sections."""
    target = scene.target.shape
    side = int(np.ceil(2 * (target.reach + AROUND_MM) / voxel_mm))
    corner = target.centre[[1, 0]] - np.float32(side * voxel_mm / 2)
    grid = Grid((side, side, settings.slices), np.diag([voxel_mm, voxel_mm, slice_mm, 1.0]))
    prompts = []
    for index, section in sections.items():
        edges = (np.array(section).reshape(2, 2) - corner) / voxel_mm
        top, left = np.floor(edges[0]).clip(0, side - 1)
        bottom, right = np.floor(edges[1]).clip(0, side - 1)
        # Rows and columns of a slice run against the body axes.
        box = (side - 1 - right, side - 1 - bottom, side - 1 - left, side - 1 - top)
        prompts.append(BoxPrompt(1, Axis.AXIAL, index, tuple(float(v) for v in box)))  # type: ignore[arg-type]
    whole = Box.whole(grid.shape)
    if fixed:
        around = around_prompts(prompts, grid.shape, grid.spacing_mm, MARGIN_MM).within(whole)
        path = CropPath.of_box(around.with_range(Axis.AXIAL, 0, settings.slices), Axis.AXIAL)
    else:
        path = plan_crop(prompts, Axis.AXIAL, grid, whole).path
    return _Plan(heights, path, voxel_mm, corner, slice_mm)


def _cut(
    settings: StackSettings, scene: Scene, plan: _Plan, rng: Generator
) -> tuple[tuple[Tensor, ...], int]:
    """Return one stack's parts of a `StackBatch`, and how little of it an outlined slice shows."""
    scanner = draw_scanner(rng, scene, plan.slice_mm)
    view = View(scene, scanner, plan.voxel_mm, plan.slice_mm)
    slices, masks, starts = [], [], []
    for index in settings.visited:
        start = plan.path.starts[index]
        corner = plan.corner + plan.voxel_mm * (np.array(start) + 0.5)
        hu, mask = view.slice(
            (float(corner[0]), float(corner[1])), plan.path.size, float(plan.heights[index])
        )
        slices.append(hu)
        masks.append(mask)
        starts.append(start)
    drawn = [masks[settings.visited.index(i)] for i in settings.outlined]
    seen = min(int(mask.sum()) for mask in drawn)
    if rng.random() < settings.careless:
        drawn = [_careless(mask, plan.voxel_mm, rng) for mask in drawn]
    return (
        (_fitted(grey(scanner, slices, rng), settings.size) * 255).round().to(torch.uint8),
        _fitted(masks, settings.size) >= 0.5,
        _fitted(drawn, settings.size) >= 0.5,
        torch.tensor(starts),
        torch.tensor(plan.path.size),
    ), seen


def _careless(mask: NDArray[np.bool_], voxel_mm: float, rng: Generator) -> NDArray[np.bool_]:
    """Return an outline as a hurried hand draws it; each slice by itself."""
    depth = 2 * float(np.sqrt(mask.sum() / np.pi)) * voxel_mm / 8  # an eighth of its width
    mm = float(rng.uniform(0.3, 1.0)) * min(max(depth, 0.5), 2.5)
    kinds = (Dilated(mm), Eroded(mm), Jagged(mm), Shifted(mm))
    return kinds[rng.integers(len(kinds))].spoil(mask, (voxel_mm, voxel_mm), rng)


def _fitted(slices: list[FloatArray] | list[NDArray[np.bool_]], size: int) -> Tensor:
    """Return slices (K, S, S) float32, resized as the package resizes them for the model."""
    stacked = torch.from_numpy(np.stack(slices).astype(np.float32))[:, None]
    fitted = F.interpolate(
        stacked, (size, size), mode="bilinear", align_corners=False, antialias=True
    )
    return fitted[:, 0].clamp(0, 1)


def whole_stack(settings: StackSettings) -> StackSettings:
    """Return the settings that make every slice of the stacks."""
    return replace(settings, visited=tuple(range(settings.slices)))
