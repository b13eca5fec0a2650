"""What distinguishes one family of models from another, for everyone but the network itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.errors import OptionError

#: Mean and standard deviation of the three colour channels of ImageNet, 0 to 1.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class ModelSpec:
    """The sizes that a model takes and makes, and the room in its memory.

    Parameters
    ----------
    family
        Name of the family; see `voxtrail.model.families`.
    stride
        Input pixels from one position of the image embedding to the next. The mask decoder's two
        finer maps have twice and four times as many positions a side; masks have four times.
    input_multiple
        The side of the input, in pixels, is a multiple of it.
    smallest_input, largest_input
        What the side may be.
    image_mean, image_std
        Of the three colour channels, 0 to 1, by which images are normalised.
    memory
        What the memory has room for.
    """

    family: str
    stride: int
    input_multiple: int
    smallest_input: int
    largest_input: int
    image_mean: tuple[float, float, float]
    image_std: tuple[float, float, float]
    memory: MemorySpec

    def positions(self, input_size: int) -> int:
        """Return how many positions a side the image embedding has."""
        return input_size // self.stride

    def mask_side(self, input_size: int) -> int:
        """Return the side of mask logits in pixels."""
        return 4 * self.positions(input_size)

    def drawn_side(self, input_size: int) -> int:
        """Return the side at which a drawn mask is read and memories take masks, in pixels.

        It is the input's where the stride is 16, and a little more where it is less.
        """
        return 16 * self.positions(input_size)

    def check_input(self, size: int) -> None:
        """Refuse an input size that the model cannot take.

        Raises
        ------
        OptionError
            Naming the sizes that it takes.
        """
        if size % self.input_multiple or not self.smallest_input <= size <= self.largest_input:
            raise OptionError(
                "the resolution cannot be used",
                received=size,
                accepted=f"a multiple of {self.input_multiple} from {self.smallest_input} to "
                f"{self.largest_input}",
                remedy=f"pass for example --resolution {self.nearest(size)}",
            )

    def nearest(self, size: int) -> int:
        """Return the size that it takes and that is nearest to ``size``."""
        multiple = round(size / self.input_multiple) * self.input_multiple
        return min(max(multiple, self.smallest_input), self.largest_input)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> ModelSpec:
        """Return what `to_json` made plain values of; `TypeError` or `KeyError` if it did not."""
        parts = {
            "image_mean": tuple(held["image_mean"]),
            "image_std": tuple(held["image_std"]),
            "memory": MemorySpec(**held["memory"]),
        }
        return cls(**{**held, **parts})
