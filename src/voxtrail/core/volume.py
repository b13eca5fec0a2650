"""A scan and a label map: voxels in RAS+ with the grid that they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.grid import Grid
from voxtrail.core.provenance import Provenance
from voxtrail.errors import ImageError


@dataclass(frozen=True, eq=False)
class Volume:
    """A scan.

    Parameters
    ----------
    voxels
        (i, j, k) in RAS+ order, Hounsfield units, a real data type, finite.
    stored
        The grid as the file stores it; `grid` is the same one in RAS+ order.
    provenance
        Where it was read from.

    Raises
    ------
    ImageError
        If the voxels do not fill the grid.
    """

    voxels: NDArray[Any]
    stored: Grid
    provenance: Provenance = field(default_factory=Provenance)
    grid: Grid = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid", _canonical_grid(self.voxels, self.stored))

    @classmethod
    def from_stored(
        cls, voxels: NDArray[Any], affine: NDArray[np.float64], provenance: Provenance | None = None
    ) -> Volume:
        """Wrap an array in storage order (i, j, k) with its affine (voxel to RAS mm)."""
        stored = Grid(_three(voxels.shape), affine)
        return cls(stored.orientation().to_canonical(voxels), stored, provenance or Provenance())

    def to_stored(self) -> NDArray[Any]:
        """Return the voxels in the file's own axis order (a view)."""
        return self.stored.orientation().to_stored(self.voxels)


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Whole-number labels on a grid; 0 is background.

    Parameters
    ----------
    voxels
        (i, j, k) in RAS+ order, an unsigned integer type.
    stored
        The grid as the file stores it.
    names
        What each label is called, by its number; a label without a name is called by its number.
    provenance
        Where the scan that was labelled was read from.

    Raises
    ------
    ImageError
        If the voxels do not fill the grid.
    """

    voxels: NDArray[Any]
    stored: Grid
    names: dict[int, str] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    grid: Grid = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "grid", _canonical_grid(self.voxels, self.stored))

    @classmethod
    def from_stored(
        cls,
        voxels: NDArray[Any],
        affine: NDArray[np.float64],
        names: dict[int, str] | None = None,
        provenance: Provenance | None = None,
    ) -> LabelMap:
        """Wrap an array in storage order (i, j, k) with its affine (voxel to RAS mm)."""
        stored = Grid(_three(voxels.shape), affine)
        canonical = stored.orientation().to_canonical(voxels)
        return cls(canonical, stored, names or {}, provenance or Provenance())

    def to_stored(self) -> NDArray[Any]:
        """Return the labels in the file's own axis order (a view)."""
        return self.stored.orientation().to_stored(self.voxels)

    def labels(self) -> tuple[int, ...]:
        """Return the labels that occur, in rising order, without the background."""
        return tuple(int(label) for label in np.unique(self.voxels) if label != 0)

    def listed(self) -> tuple[int, ...]:
        """Return the labels that occur or have a name, in rising order."""
        return tuple(sorted({*self.labels(), *self.names}))

    def name(self, label: int) -> str:
        """Return what ``label`` is called."""
        return self.names.get(label, str(label))


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ImageError(
            "the image is not a volume",
            received=f"{len(shape)} axes, shape {shape}",
            accepted="three axes",
            remedy="pass one 3-D image",
        )
    return shape[0], shape[1], shape[2]


def _canonical_grid(voxels: NDArray[Any], stored: Grid) -> Grid:
    canonical = stored.canonical()
    if voxels.shape != canonical.shape:
        raise ImageError(
            "the voxels do not fill their grid",
            received=f"voxels {voxels.shape}",
            accepted=f"{canonical.shape} in RAS+ order",
            remedy="pass voxels and affine of one image",
        )
    return canonical
