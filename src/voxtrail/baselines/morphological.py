"""ITK's morphological contour interpolation: outlines grow and shrink into each other."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar

import numpy as np

from voxtrail.baselines.base import Interpolator, Mask
from voxtrail.errors import OptionError


@dataclass(frozen=True)
class Morphological(Interpolator):
    """Match the parts of two outlines, align them, and interpolate by dilation or by distances.

    Works in pixels: ITK's method does not ask how large they are. Needs the package
    itk-morphologicalcontourinterpolation.

    Parameters
    ----------
    distance_transform
        Whether the slice halfway is found by distance maps (ITK's default) instead of by
        repeated dilation.

    Raises
    ------
    OptionError
        On `fill`, if the package is not installed.

    Notes
    -----
    Source: Zukic, Vicory, McCormick, Wisse, Gerig, Yushkevich and Aylward, "nD morphological
    contour interpolation", Insight Journal (2016), after Albu, Beugeling and Laurendeau (2008);
    module ITKMorphologicalContourInterpolation 2.1.2.
    """

    name: ClassVar[str] = "morphological"
    distance_transform: bool = True

    def fill(self, first: Mask, last: Mask, steps: int, pixel_mm: tuple[float, float]) -> Mask:
        """Return the slices between; see `Interpolator.fill`."""
        itk = _itk()
        stack = np.zeros((steps + 1, *first.shape), dtype=np.uint8)
        stack[0], stack[-1] = first, last
        contours = itk.MorphologicalContourInterpolator.New(itk.image_from_array(stack))
        contours.SetAxis(2)  # ITK counts array axes from the last: 2 is the slices
        contours.SetUseDistanceTransform(self.distance_transform)
        contours.Update()
        between: Mask = itk.array_from_image(contours.GetOutput())[1:-1] != 0
        return between


def _itk() -> Any:
    try:
        itk: Any = import_module("itk")
    except ImportError:
        itk = None
    if not hasattr(itk, "MorphologicalContourInterpolator"):
        raise OptionError(
            "the package of the morphological interpolation is not installed",
            received="morphological",
            accepted="an environment with itk-morphologicalcontourinterpolation",
            remedy="pip install itk-morphologicalcontourinterpolation, or take signed-distance",
        )
    # Under ITK's default threads, TBB, this module corrupts memory and takes Python down with it.
    platform = itk.MultiThreaderBaseEnums.Threader_Platform
    itk.MultiThreaderBase.SetGlobalDefaultThreader(platform)
    return itk
