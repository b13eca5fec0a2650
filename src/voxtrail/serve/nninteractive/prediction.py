"""How a client is told of its mask: the box that has changed, in a header, and its voxels."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from voxtrail.core.box import Box
from voxtrail.serve.nninteractive.pack import beginning, pack
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.long_reply import Slow

META = "X-Meta"
MEDIA_TYPE = "application/octet-stream"


@dataclass(frozen=True)
class Predictions:
    """Answers of one client, by the type of its mask.

    Parameters
    ----------
    dtype
        bool or an integer type.
    """

    dtype: np.dtype[Any]

    def nothing(self, *, ran: bool) -> Response:
        """Return the answer that nothing has changed; ``ran`` is whether anything was done."""
        return Response(
            b"",
            media_type=MEDIA_TYPE,
            headers={META: _compact({"ran_prediction": ran, "bbox": None})},
        )

    def change_reply(self, annotation: Annotation) -> Response:
        """Return the answer with what has changed since the last one."""
        return self._reply(annotation.changed())

    def prompt_reply(self, annotation: Annotation) -> Response:
        """Return the answer with the object: napari merges no more of it than it was told of."""
        return self._reply(annotation.whole())

    def _reply(self, told: tuple[Box, NDArray[np.bool_]] | None) -> Response:
        if told is None:
            return self.nothing(ran=True)
        box, voxels = told
        return Response(
            pack(voxels.astype(self.dtype)),
            media_type=MEDIA_TYPE,
            headers={META: self._meta(box, voxels.shape)},
        )

    def slow_reply(self, annotation: Annotation) -> Slow:
        """Return the answer with the whole mask, which begins before it is known."""
        shape = annotation.frame.shape
        known = beginning(shape, self.dtype)

        def rest(sent: int) -> bytes:
            annotation.changed()  # it is told of all
            whole = annotation.frame.to_array(annotation.shown).astype(self.dtype)
            return pack(whole)[sent:]

        return Slow(
            MEDIA_TYPE,
            {META: self._meta(Box.whole(shape), shape)},
            (known[at : at + 1] for at in range(len(known))),
            rest,
        )

    def _meta(self, box: Box, shape: Sequence[int]) -> str:
        return _compact(
            {
                "ran_prediction": True,
                "bbox": [list(ends) for ends in zip(box.start, box.stop, strict=True)],
                "dtype": self.dtype.name,
                "shape": list(shape),
            }
        )


def _compact(values: dict[str, Any]) -> str:
    return json.dumps(values, separators=(",", ":"))
