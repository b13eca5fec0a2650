"""Outlines as shape: interpolation and tracking as two witnesses, each trusted as it deserves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.errors import OptionError
from voxtrail.fuse.priors.base import FloatArray, Mask, Prior, gaps
from voxtrail.fuse.priors.interpolation import deviations, interpolation_worth
from voxtrail.shape import Gap

#: Logits beyond it are no surer (phantoms: 4 and 8 fuse alike). What smoothing by half a slice
#: leaves of it beside two slices that say the opposite, 4.6, is more than the next limit.
LOGIT_LIMIT = 8.0
#: What outlines say moves a logit by no more than this: a tracker that is sure is not overruled.
PRIOR_LIMIT = 4.0
#: A tracker is lost where its masks next to the outlines overlap these by less than this part of
#: what interpolated masks do (phantoms: lost ones by 0 to 0.06, bad ones by 0.13 and more).
LOST_BELOW = 0.2
#: Outlines take over from a lost tracker only where a deviation is worth more log-odds (phantoms: 0
#: to 0.03 where interpolation missed every outline that was left out, 0.06 and more elsewhere).
TAKES_OVER = 0.05
#: What interpolated masks are taken to overlap the outlines by at least, as a Dice.
LEAST_OVERLAP = 0.1


@dataclass(frozen=True)
class Shape(Prior):
    """Add what interpolated outlines say to what was tracked, in log-odds.

    Between two outlines, ``q g + clip(r d / s)``: g is the logit that was tracked, smoothed along
    the stack; d how many standard deviations a voxel lies inside of the interpolated surface; r
    what a deviation has been worth in this case, found by leaving each inner outline out
    (`interpolation_worth`); s what a logit is worth. q is 1, and falls to 0 where the tracked
    masks do not join the outlines at the ends of the gap, although interpolation is of some worth:
    then the tracker was lost. A voxel between outlines of several axes takes the mean of ``q g``
    and the sum of ``r d / s``.

    Parameters
    ----------
    align
        Outlines that share less than this part of the smaller one are brought onto one another;
        see `voxtrail.shape.Gap.between`.
    smooth
        Standard deviation, in slices, of the Gaussian that smooths logits along the stack where
        outlines overlap; outlined slices take part as they were drawn. 0 smooths nothing.
    worth
        Log-odds that a logit of the model is taken to be worth, 0.01 to 100. A greater one listens
        to the outlines less. It is the checkpoint's: 2 was chosen for ``micro`` on phantoms, where
        the slope of `voxtrail.fuse.priors.worth.worth` along true surfaces is 1.1 to 1.3.

    Raises
    ------
    OptionError
        If an option is out of range.

    Notes
    -----
    Ours. What was tried, and numbers: ``docs/decisions/0012-outlines-as-shape.md``.
    """

    name: ClassVar[str] = "shape"
    align: float = 0.1
    smooth: float = 0.5
    worth: float = 2.0

    def __post_init__(self) -> None:
        for option, value, least, most in (
            ("align", self.align, 0.0, 1.0),
            ("smooth", self.smooth, 0.0, 10.0),
            ("worth", self.worth, 0.01, 100.0),
        ):
            if not least <= value <= most:
                raise OptionError(
                    f"{option} of the shape prior is out of range",
                    received=value,
                    accepted=f"{least:g} to {most:g}",
                    remedy="write for example shape:align=0.1,smooth=0.5,worth=2",
                )

    def fuse(
        self,
        logits: FloatArray,
        outlines: Mapping[Axis, Mapping[int, Mask]],
        spacing_mm: tuple[float, float, float],
    ) -> FloatArray:
        """Return the fused logits; see `Prior.fuse`."""
        tracked, said = np.zeros_like(logits), np.zeros_like(logits)
        axes = np.zeros(logits.shape, dtype=np.uint8)
        for axis, drawn in outlines.items():
            along_mm, row_mm, column_mm = (
                spacing_mm[along] for along in (axis.value, axis.row_axis, axis.column_axis)
            )
            pixel_mm = row_mm, column_mm
            stack_mm = (along_mm, *pixel_mm)
            deviation_worth = interpolation_worth(drawn, stack_mm, self.align)
            for low, high in gaps(drawn, logits.shape[axis.value]):
                gap = Gap.between(drawn[low], drawn[high], high - low, pixel_mm, self.align)
                between = slice(low + 1, high)
                told = deviations(gap, gap.weights(), (high - low) * along_mm)
                own = gap.place(
                    np.clip(axis.to_stack(logits)[between], -LOGIT_LIMIT, LOGIT_LIMIT),
                    fill=-LOGIT_LIMIT,
                )
                trust = _trust(own > 0, told > 0, gap) if deviation_worth > TAKES_OVER else 1.0
                if self.smooth and not gap.aligned:
                    own = _smoothed(own, gap, self.smooth)
                # Stacks are views: what is added to them is added to the volumes.
                axis.to_stack(tracked)[between] += gap.cut(np.float32(trust) * own)
                axis.to_stack(said)[between] += gap.cut(
                    told * np.float32(deviation_worth / self.worth)
                )
                axis.to_stack(axes)[between] += 1
        np.clip(said, -PRIOR_LIMIT, PRIOR_LIMIT, out=said)
        tracked /= np.maximum(axes, 1)
        tracked += said
        return np.where(axes > 0, tracked, logits)


def _trust(tracked: NDArray[np.bool_], interpolated: NDArray[np.bool_], gap: Gap) -> float:
    """Return from 0 to 1 whether the tracked masks join the outlines; all in the gap's frame."""
    first, last = gap.first_mm > 0, gap.last_mm > 0
    joins = _dice(tracked[0], first) + _dice(tracked[-1], last)
    could = _dice(interpolated[0], first) + _dice(interpolated[-1], last)
    return min(joins / (max(could, 2 * LEAST_OVERLAP) * LOST_BELOW), 1.0)


def _dice(mask: Mask, outline: Mask) -> float:
    return float(2 * (mask & outline).sum() / (mask.sum() + outline.sum()))


def _smoothed(tracked: FloatArray, gap: Gap, slices: float) -> FloatArray:
    """Smooth logits along the stack, between two outlines that go on as they are."""
    from scipy.ndimage import gaussian_filter1d

    first, last = (
        np.where(distance > 0, LOGIT_LIMIT, -LOGIT_LIMIT).astype(np.float32)[None]
        for distance in (gap.first_mm, gap.last_mm)
    )
    whole = np.concatenate([first, tracked, last])
    smoothed: FloatArray = gaussian_filter1d(whole, slices, axis=0, mode="nearest")[1:-1]
    return smoothed
