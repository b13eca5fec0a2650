"""Scans and masks as ITK-SNAP sends them: gzipped float32 voxels, and JSON that says their shape.

Source: ``EncodeImage`` of ITK-SNAP 4.4's ``DeepLearningSegmentationModel.cxx``, and
``read_sitk_image`` of itksnap-dls 0.1.6.
"""

from __future__ import annotations

import base64
import gzip
import zlib
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.errors import ImageError
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.service import json_object, numbers

#: Most voxels along an axis; products of more do not fit anything.
_MAX_SIDE = 2**20
#: zlib's number for a gzip header.
_GZIP = 31


@dataclass(frozen=True, eq=False)
class SentImage:
    """What ITK-SNAP says of an image.

    Parameters
    ----------
    frame
        How its voxels lie in the patient.
    """

    frame: ArrayFrame

    @property
    def nbytes(self) -> int:
        """How many bytes its voxels take."""
        return prod(self.frame.shape) * 4

    def voxels(self, sent: bytes) -> NDArray[np.float32]:
        """Unpack the voxels, (z, y, x) float32.

        Raises
        ------
        ImageError
            If they are not as many as the shape says.
        """
        unpacker = zlib.decompressobj(_GZIP)
        try:
            raw = unpacker.decompress(sent, self.nbytes + 1)
        except zlib.error as error:
            raise self._damaged("no gzip, or a damaged one") from error
        if len(raw) != self.nbytes or not unpacker.eof:
            more = "more" if len(raw) > self.nbytes else str(len(raw))
            raise self._damaged(f"{more} bytes of voxels")
        return np.frombuffer(raw, "<f4").reshape(self.frame.shape)

    def _damaged(self, received: str) -> ImageError:
        return ImageError(
            "the voxels are truncated, damaged or of another shape",
            received=received,
            accepted=f"{self.nbytes} bytes, gzipped: float32 of {self.frame.shape} (z, y, x)",
            remedy="send it again, with ITK-SNAP 4.4 or newer",
        )


def described(metadata: str) -> SentImage:
    """Return what the JSON beside an image says.

    Raises
    ------
    ImageError, PromptError
        If it says no scan of one channel.
    """
    said = json_object(metadata)
    sides = numbers(said.get("dimensions"), "dimensions")
    if not all(isinstance(n, int) and 1 <= n <= _MAX_SIDE for n in sides):
        raise ImageError(
            "the scan's dimensions are none",
            received=str(sides)[:100],
            accepted="three whole numbers above 0",
            remedy="send a three-dimensional scan",
        )
    if said.get("components_per_pixel", 1) != 1:
        raise ImageError(
            "the scan has several channels",
            received=str(said.get("components_per_pixel"))[:40],
            accepted="1",
            remedy="select one channel",
        )
    if said.get("component_type", "float32") != "float32":
        raise ImageError(
            "the voxels are of another type",
            received=str(said.get("component_type"))[:40],
            accepted="float32",
            remedy="send it with ITK-SNAP 4.4 or newer",
        )
    spacing = numbers(said.get("spacing", [1.0, 1.0, 1.0]), "spacing")
    origin = numbers(said.get("origin", [0.0, 0.0, 0.0]), "origin")
    frame = ArrayFrame.of(
        [int(n) for n in reversed(sides)], spacing[::-1], origin, _direction(said.get("direction"))
    )
    return SentImage(frame)


def packed(mask_zyx: NDArray[np.bool_]) -> str:
    """Return a mask as it is answered: base64 of gzip of int8, x fastest."""
    raw = np.ascontiguousarray(mask_zyx, np.int8).tobytes()
    return base64.b64encode(gzip.compress(raw, 1)).decode("ascii")


def _direction(said: Any) -> NDArray[np.float64] | None:
    """Return the directions of x, y and z in columns; sent row by row."""
    if said is None:
        return None
    try:
        matrix = np.array(said, np.float64).reshape(3, 3)
    except (TypeError, ValueError, OverflowError) as error:
        raise ImageError(
            "the scan's direction is none",
            received=str(said)[:100],
            accepted="nine numbers",
            remedy="repair the scan's header",
        ) from error
    return matrix
