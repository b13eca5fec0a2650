"""Rendering: tissues and bones laid over one another with partial volume, and their masks.

Knows voxels and materials, no anatomy. `tissue` and `subject` draw on it, `scan` turns it
into a CT.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from voxtrail.datasets.phantom.bone import Bone
from voxtrail.datasets.phantom.frame import Box, Frame, doubled
from voxtrail.datasets.phantom.shapes import Array

_FAR_MM = 1e3
_CORTEX_HU = 1250.0
_SHAFT_CORTEX_HU = 1450.0
_FATTY_MARROW_HU = -30.0
# An island of a bone smaller than this share of it is an artefact of carving.
_ISLAND_SHARE = 0.05


@dataclass(frozen=True)
class Fields:
    """Random fields of unit variance, (i, j, k) float64, that make matter uneven.

    Attributes
    ----------
    texture : array
        As fine as trabeculae.
    relief : array
        Bumps of about a centimetre, for surfaces.
    fascia : array
        Smooth over several centimetres, for the course of muscles.
    """

    texture: Array
    relief: Array
    fascia: Array


@dataclass
class Canvas:
    """What has been rendered so far.

    Attributes
    ----------
    frame, fields : Frame, Fields
        The grid, and its random fields.
    hu : (i, j, k) float64
        Ideal scan, HU.
    to_bone_mm : (i, j, k) float64
        Distance to the nearest rendered bone; negative inside.
    masks : dict of str to (i, j, k) bool
        One mask a class; disjoint.
    """

    frame: Frame
    fields: Fields
    hu: Array = field(init=False)
    to_bone_mm: Array = field(init=False)
    masks: dict[str, NDArray[np.bool_]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.hu = np.full(self.frame.shape, -1000.0)
        self.to_bone_mm = np.full(self.frame.shape, _FAR_MM)

    def paint(self, box: Box, distance: Array, value: Array | float) -> None:
        """Lay a tissue over a box where `distance` (mm) is negative, with a soft edge."""
        share = _share(distance, sum(self.frame.spacing) / 3)
        self.hu[box] += share * (value - self.hu[box])

    def add_bone(self, bone: Bone) -> None:
        """Render one bone over what is there, at a gap from earlier bones."""
        box = self.frame.box(bone.low, bone.high)
        if box is None:
            return
        distance = self.frame.physique.size * self._sample(bone, box)
        distance += 0.45 * self.fields.relief[box]
        distance = np.maximum(distance, bone.gap_mm - self.to_bone_mm[box])
        if not np.any(distance < 0):
            return
        self._fill(bone, box, distance)
        self.to_bone_mm[box] = np.minimum(self.to_bone_mm[box], distance)
        self._label(bone, box, distance)

    def _sample(self, bone: Bone, box: Box) -> Array:
        """Atlas distance to a bone over a box: exact near the bone, interpolated far off."""
        p = self.frame.points.within(box)
        every_second = slice(None, None, 2)
        rough = bone.distance(p.within((every_second, every_second, every_second)))
        distance = doubled(rough, p.x.shape)
        near = distance < 4 + 1.5 * max(self.frame.spacing)
        distance[near] = bone.distance(p.chosen(near))
        return distance

    def _fill(self, bone: Bone, box: Box, distance: Array) -> None:
        """Mix cortex and marrow into the voxels that a bone touches."""
        width, slope = self._crossing(distance)
        seen = distance < 0.5 * width
        width, depth = width[seen], distance[seen] / slope[seen]
        shaft: Array | float = 0.0
        if bone.shaft is not None:
            shaft = bone.shaft(self.frame.points.within(box).chosen(seen))
        uneven = 1 + 0.25 * np.tanh(self.fields.relief[box][seen])
        core_depth = depth + bone.cortex_mm * uneven + shaft * bone.shaft_mm
        solid = _share(distance[seen], width)
        core = np.minimum(_share(core_depth, width), solid)
        density = self.frame.physique.density
        cortex_hu = np.sqrt(density) * (_CORTEX_HU + shaft * (_SHAFT_CORTEX_HU - _CORTEX_HU))
        # Poor bone loses trabeculae before cortex; they thin out from the shell inwards.
        dense = 0.75 + 0.55 * np.exp(np.minimum(core_depth, 0) / 6.0)
        spongy = density * (bone.marrow_hu * dense + 55 * self.fields.texture[box][seen])
        marrow = spongy + shaft * (_FATTY_MARROW_HU - spongy)
        behind = self.hu[box][seen]
        self.hu[box][seen] = behind + solid * (cortex_hu - behind) + core * (marrow - cortex_hu)

    def _crossing(self, distance: Array) -> tuple[Array, Array]:
        """Width over which a surface crosses a voxel, and slope of the distance per mm.

        The width of a box voxel seen along a tilted normal is the sum of the steps of the
        distance along the axes. Blends and ellipsoids stretch distances; the slope undoes it.
        """
        spacing = self.frame.spacing
        steps = [np.abs(np.gradient(distance, axis=axis)) for axis in range(3)]
        slope = np.sqrt(
            (steps[0] / spacing[0]) ** 2
            + (steps[1] / spacing[1]) ** 2
            + (steps[2] / spacing[2]) ** 2
        )
        width = np.clip(steps[0] + steps[1] + steps[2], 0.5, 2 * sum(spacing))
        return width, np.clip(slope, 0.6, 1.8)

    def _label(self, bone: Bone, box: Box, distance: Array) -> None:
        if bone.name is None:
            return
        inside = _without_islands(distance < 0)
        if bone.split is not None:
            other, part = bone.split
            apart = inside & (part(self.frame.points.within(box)) < 0)
            self._keep(other, box, _without_islands(apart))
            inside = _without_islands(inside & ~apart)
        self._keep(bone.name, box, inside)

    def _keep(self, name: str, box: Box, inside: NDArray[np.bool_]) -> None:
        if inside.any():
            mask = np.zeros(self.frame.shape, dtype=bool)
            mask[box] = inside
            self.masks[name] = mask


def _share(distance: Array, width: Array | float) -> Array:
    """Part of a voxel inside a surface that passes at `distance` from its centre."""
    share: Array = np.clip(0.5 - distance / width, 0, 1)
    return share


def _without_islands(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    pieces, count = ndimage.label(mask, structure=np.ones((3, 3, 3)))
    if count < 2:
        return mask
    sizes = np.bincount(pieces.ravel())
    keep = sizes >= _ISLAND_SHARE * mask.sum()
    keep[0] = False
    kept: NDArray[np.bool_] = keep[pieces]
    return kept
