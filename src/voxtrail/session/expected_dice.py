"""How good a label's mask is likely to be, told by its own outlines that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from voxtrail.session.leave_one_out import LeftOut

#: Share of the error on left-out slices that is left on slices between outlines, which lie nearer
#: to them: at half the distance and less (phantoms: 0.4 to 0.6 tell alike; 0.5 is the least
#: biased).
NEARER = 0.5
#: Two of three structures lie within this share of the expected error with many outlines left out,
#: and within so much more with one (phantoms: 0.37, 0.28 and 0.29 with seven, three and one;
#: one is not trusted that far).
SPREAD, SPREAD_OF_ONE = 0.3, 0.2


@dataclass(frozen=True)
class ExpectedDice:
    """What Dice is to be expected of the slices between outlines that were not outlined.

    Parameters
    ----------
    dice
        Expected Dice, 0 to 1.
    spread
        About half to two of three structures lie no further from it; of a single outline that was
        left out, fewer (``docs/quality.md``).
    outlines
        Number of outlines that were left out to tell.
    """

    dice: float
    spread: float
    outlines: int

    @classmethod
    def of(cls, left_out: Sequence[LeftOut], confidence: float) -> ExpectedDice | None:
        """Return what is to be expected; None where no outline was left out.

        The worse of two tellings counts: of the error on the outlines that were left out, the
        share that remains nearer to outlines; and what the witnesses themselves expect to be wrong.

        Parameters
        ----------
        left_out
            Outlines that were left out; may be empty.
        confidence
            Mean confidence of the slices between outlines, see
            `voxtrail.session.uncertainty.confidence`.

        Notes
        -----
        Ours. How it was calibrated, and how far off it is: ``docs/quality.md``.

        Examples
        --------
        >>> told = [LeftOut("axial", 5, 0, 10, 0.8), LeftOut("axial", 10, 5, 15, 0.7)]
        >>> ExpectedDice.of(told, confidence=0.9)
        ExpectedDice(dice=0.875, spread=0.05, outlines=2)
        >>> ExpectedDice.of(told, confidence=0.75)
        ExpectedDice(dice=0.75, spread=0.1, outlines=2)
        """
        if not left_out:
            return None
        outlines = len(left_out)
        error = max(NEARER * float(np.mean([1 - one.dice for one in left_out])), 1 - confidence)
        spread = (SPREAD + SPREAD_OF_ONE / outlines) * error
        return cls(round(1 - error, 3), round(spread, 3), outlines)
