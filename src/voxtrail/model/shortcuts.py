"""What makes a model faster and changes its numbers; recorded with every run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from voxtrail.errors import OptionError

#: Number type of matrix products. Sums, norms and mask logits are float32 with each.
Precision = Literal["float32", "bfloat16", "int8"]


@dataclass(frozen=True)
class Shortcuts:
    """The ways to compute less than the reference does; none is taken unless asked for.

    Parameters
    ----------
    precision
        ``float32`` as the reference; ``bfloat16``: half the memory, and twice the speed or more
        where the processor multiplies such numbers; or ``int8``, on any processor: the linear maps
        of encoder and memory attention in 8-bit integers, all else in float32.
    coarse_memories
        Whether memories are averaged over 2 x 2 positions; attention then counts each token four
        times.
    compiled
        Whether PyTorch compiles encoder and memory attention (needs a C++ compiler; minutes once).

    Raises
    ------
    OptionError
        If there is no such precision.
    """

    precision: Precision = "float32"
    coarse_memories: bool = False
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.precision not in get_args(Precision):
            raise OptionError(
                "unknown precision",
                received=self.precision,
                accepted=", ".join(get_args(Precision)),
                remedy="name one of them with --precision",
            )
