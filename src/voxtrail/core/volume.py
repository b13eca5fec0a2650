"""A scan and a label map: voxels in RAS+ with the grid that they came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.box import Box
from voxtrail.core.grid import Grid
from voxtrail.core.label_boxes import label_boxes, labels_in
from voxtrail.core.layers import LabelLayers
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

    Labels may share voxels: those that do lie in different layers, and each label in one alone.

    Parameters
    ----------
    voxels
        (i, j, k) in RAS+ order, an unsigned integer type: the first layer.
    stored
        The grid as the file stores it.
    names
        What each label is called, by its number, as far as the file says so.
    provenance
        Where the scan that was labelled was read from.
    titles
        What labels without a name are called: the names of files that hold one label each. One
        without either is called by its number.
    further
        Further layers, as ``voxels``; none where no labels share a voxel.
    notes
        What a person should know of how the labels were read.

    Raises
    ------
    ImageError
        If the voxels do not fill the grid.
    """

    voxels: NDArray[Any]
    stored: Grid
    names: dict[int, str] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)
    titles: dict[int, str] = field(default_factory=dict)
    further: tuple[NDArray[Any], ...] = ()
    notes: tuple[str, ...] = ()
    grid: Grid = field(init=False)

    def __post_init__(self) -> None:
        grids = [_canonical_grid(layer, self.stored) for layer in self.layers]
        object.__setattr__(self, "grid", grids[0])

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

    @classmethod
    def of_masks(
        cls,
        masks: Iterable[tuple[int, NDArray[np.bool_]]],
        stored: Grid,
        names: dict[int, str] | None = None,
    ) -> LabelMap:
        """Put masks in as few layers as hold them.

        Parameters
        ----------
        masks
            Label and (i, j, k) bool in RAS+ order; they may share voxels.
        stored, names
            As in `LabelMap`.
        """
        layers = LabelLayers(stored.canonical().shape)
        for label, mask in masks:
            if box := Box.around(mask):
                layers.add(label, [(box.slices, mask[box.slices])])
        first, *further = layers.arrays
        return cls(first, stored, names or {}, further=tuple(further))

    @property
    def layers(self) -> tuple[NDArray[Any], ...]:
        """Every layer, (i, j, k) in RAS+ order."""
        return (self.voxels, *self.further)

    def with_layers(
        self, layers: Sequence[NDArray[Any]], stored: Grid, notes: Iterable[str] = ()
    ) -> LabelMap:
        """Return the same labels in other layers (RAS+ order), with further notes."""
        first, *further = layers
        return replace(
            self,
            voxels=first,
            stored=stored,
            further=tuple(further),
            notes=(*self.notes, *notes),
        )

    def renumbered(self, numbers: Mapping[int, int], names: dict[int, str]) -> LabelMap:
        """Return the labels under other numbers and names; 0 leaves a label out.

        Parameters
        ----------
        numbers
            By label; one that is not named keeps its number.
        names
            What the labels are called then.
        """
        if all(label == number for label, number in numbers.items()):
            return replace(self, names=names)
        top = max([*self.labels(), *numbers], default=0)
        table = np.arange(top + 1, dtype=np.uint16)
        for label, number in numbers.items():
            table[label] = number
        layers = [table[layer] for layer in self.layers]
        kept = [layer for layer in layers[1:] if layer.any()]
        return replace(self, voxels=layers[0], further=tuple(kept), names=names)

    def mask(self, label: int, within: Box | None = None) -> NDArray[np.bool_]:
        """Return (i, j, k) bool in RAS+ order: where a label is; empty where it is nowhere.

        Parameters
        ----------
        label
            Its number.
        within
            A part of the map, whose shape the mask then has; all of it by default.
        """
        cut = (within or Box.whole(self.voxels.shape)).slices
        inside: NDArray[np.bool_] = self.voxels[cut] == label
        for layer in self.further:
            inside |= layer[cut] == label
        return inside

    def to_stored(self) -> NDArray[Any]:
        """Return the labels of the first layer in the file's own axis order (a view)."""
        return self.stored.orientation().to_stored(self.voxels)

    def labels(self) -> tuple[int, ...]:
        """Return the labels that occur, in rising order, without the background."""
        return tuple(sorted(set[int]().union(*map(labels_in, self.layers))))

    def boxes(self) -> dict[int, Box]:
        """Return the smallest box around each label that occurs, RAS+ voxels, by rising label."""
        found: dict[int, Box] = {}
        for layer in self.layers:
            for label, box in label_boxes(layer).items():
                found[label] = found[label].joined(box) if label in found else box
        return dict(sorted(found.items()))

    def listed(self) -> tuple[int, ...]:
        """Return the labels that occur or have a name, in rising order."""
        return tuple(sorted({*self.labels(), *self.names}))

    def name(self, label: int) -> str:
        """Return what ``label`` is called."""
        return self.names.get(label) or self.titles.get(label, str(label))


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
