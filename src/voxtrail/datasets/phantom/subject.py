"""One phantom patient in one scan: `make_subject`, and the small `demo_subject`.

The public door of the package together with `dataset`. Used by `demo`, tests and the study.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from voxtrail.datasets.phantom.canvas import Canvas
from voxtrail.datasets.phantom.frame import Frame
from voxtrail.datasets.phantom.physique import Physique, draw_physique
from voxtrail.datasets.phantom.scan import random_fields, scanned
from voxtrail.datasets.phantom.shapes import Array, Vec
from voxtrail.datasets.phantom.skeleton import skeleton
from voxtrail.datasets.phantom.tissue import paint_tissue
from voxtrail.errors import OptionError


@dataclass(frozen=True)
class Region:
    """What a scan protocol sees.

    Attributes
    ----------
    low, high : Vec
        Corners of the field of view, atlas mm.
    pixel_mm, slice_mm : tuple of float
        Range of the in-plane spacing; choices of the slice spacing.
    study_type : str
        As in the column of that name in TotalSegmentator's `meta.csv`.
    """

    low: Vec
    high: Vec
    pixel_mm: tuple[float, float]
    slice_mm: tuple[float, ...]
    study_type: str


REGIONS: dict[str, Region] = {
    "pelvis": Region(
        (-185, -135, -105), (185, 125, 165), (2.0, 2.5), (2.5, 3.0, 3.0, 4.0), "ct pelvis"
    ),
    "thorax": Region((-215, -160, 240), (215, 120, 565), (2.2, 2.6), (3.0, 3.0, 4.0), "ct thorax"),
    "head": Region((-92, -115, 610), (92, 135, 842), (1.5, 1.8), (2.0, 2.5, 3.0), "ct head"),
    "thigh": Region((-195, -115, -445), (195, 105, 72), (2.4, 2.9), (5.0,), "ct lower limbs"),
    "neck": Region((-190, -130, 445), (190, 135, 745), (2.2, 2.6), (2.5, 3.0), "ct neck"),
    "shoulder": Region((20, -135, 375), (225, 75, 555), (1.3, 1.6), (2.0, 2.5), "ct shoulder"),
    "demo": Region((-165, -128, 36), (165, 118, 152), (2.6, 2.6), (3.0,), "ct pelvis"),
}
# With ten subjects or more, every bone type is seen at least four times; with three, once.
CYCLE = (
    "pelvis", "thorax", "head", "thigh", "neck", "pelvis",
    "thorax", "neck", "head", "pelvis", "shoulder", "shoulder",
)  # fmt: skip

# Streams of random numbers, apart so that a change in one part leaves the others alone.
_SCAN, _PHYSIQUE, _TISSUE, _TEXTURE, _NOISE = range(5)


@dataclass(frozen=True)
class PhantomSubject:
    """A synthetic CT with its labels.

    Attributes
    ----------
    hu : (i, j, k) int16
        Hounsfield units; axes towards the patient's right, front and head (RAS+).
    affine : (4, 4) float64
        Voxel index -> RAS mm.
    masks : dict of str to (i, j, k) bool
        TotalSegmentator v2 class name -> its voxels; disjoint, present classes only.
    region : str
        The key of `REGIONS` that was scanned.
    """

    hu: NDArray[np.int16]
    affine: Array
    masks: dict[str, NDArray[np.bool_]]
    region: str


def make_subject(seed: int, index: int = 0, region: str | None = None) -> PhantomSubject:
    """Make one patient and scan a region.

    Parameters
    ----------
    seed, index : int
        Together they decide everything; non-negative.
    region : str or None
        A key of `REGIONS`; None takes the next of a fixed cycle, by `index`.

    Raises
    ------
    OptionError
        If `region` is unknown, or `seed` or `index` negative.
    """
    name = CYCLE[index % len(CYCLE)] if region is None else region
    if name not in REGIONS:
        known = ", ".join(REGIONS)
        raise OptionError(
            "this phantom region is unknown",
            received=name,
            accepted=known,
            remedy="name one of them, or none",
        )
    if seed < 0 or index < 0:
        raise OptionError(
            "seed and index of a phantom subject cannot be negative",
            received=f"{seed}, {index}",
            accepted="whole numbers from 0",
            remedy="choose another seed",
        )
    scan_rng, physique_rng, tissue_rng, texture_rng, noise_rng = (
        np.random.default_rng([seed, index, stream])
        for stream in (_SCAN, _PHYSIQUE, _TISSUE, _TEXTURE, _NOISE)
    )
    physique = draw_physique(physique_rng)
    frame = _aim(REGIONS[name], physique, scan_rng)
    canvas = Canvas(frame, random_fields(frame, texture_rng))
    paint_tissue(canvas, tissue_rng)
    for bone in skeleton(physique):
        canvas.add_bone(bone)
    hu = scanned(canvas, noise_rng, noise_hu=scan_rng.uniform(9, 26))
    return PhantomSubject(hu, frame.affine, canvas.masks, name)


def demo_subject(seed: int = 0) -> PhantomSubject:
    """Make the small default: hips, sacrum and lower spine on some forty slices."""
    return make_subject(seed, region="demo")


def _aim(region: Region, physique: Physique, rng: np.random.Generator) -> Frame:
    """Place the grid over the region of this patient, as a technologist would: roughly."""
    pixel = round(rng.uniform(*region.pixel_mm), 2)
    spacing = (pixel, pixel, float(rng.choice(region.slice_mm)))
    side = -1 if region.low[0] > 0 and rng.random() < 0.5 else 1  # one-sided regions
    low, high = np.array(region.low), np.array(region.high)
    if side < 0:
        low[0], high[0] = -high[0], -low[0]
    # The centre follows the patient's tilt, so that tall regions stay in view.
    centre = physique.size * (0.5 * (low + high)) @ physique.tilt + rng.uniform(-8, 8, 3)
    extent = physique.size * (high - low) * rng.uniform(0.96, 1.04, 3)
    shape = np.maximum(np.rint(extent / np.array(spacing)).astype(int), 8)
    origin = np.round(centre - 0.5 * (shape - 1) * np.array(spacing), 3)
    return Frame(
        (int(shape[0]), int(shape[1]), int(shape[2])),
        spacing,
        (float(origin[0]), float(origin[1]), float(origin[2])),
        physique,
    )
