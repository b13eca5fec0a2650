"""What every dialect needs to answer: the model, who may use it, and what requests bring."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from voxtrail.errors import ImageError, PromptError
from voxtrail.model.base import LoadedModel
from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.serve.failures import Refused
from voxtrail.serve.key import Key
from voxtrail.serve.model_worker import ModelWorker
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.freed_memory import free
from voxtrail.serve.remote.leases import Lease, Leases
from voxtrail.serve.remote.long_reply import Patience
from voxtrail.session import Cache, Config

#: Bytes of encoded slices, and of predictions and of memories, that a session keeps in memory;
#: what falls out of it waits in a temporary folder.
FEATURE_BYTES, PREDICTION_BYTES = 2**28, 2**26
CACHE_BYTES = FEATURE_BYTES + 2 * PREDICTION_BYTES
#: Bytes that a session takes for each voxel of its scan beside it, at most: what is shown and was
#: told, and what a propagation of the whole scan has found (logits, and how sure they are).
BYTES_A_VOXEL = 10
#: Bytes of a request that brings no array.
SMALL_BYTES = 2**16


@dataclass(frozen=True)
class Service:
    """A server's parts.

    Parameters
    ----------
    model, config
        What segments, and how.
    leases, worker, patience
        Who may use it, where it runs, how long clients wait.
    key
        What clients have to show; None for a server that only this machine reaches.
    """

    model: LoadedModel
    config: Config
    leases: Leases
    worker: ModelWorker
    patience: Patience
    key: Key | None

    def admit(self, request: Request) -> None:
        """Refuse who does not show the key.

        Raises
        ------
        Refused
            401.
        """
        if self.key is None:
            return
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if not (self.key.matches(shown) and scheme.lower() == "bearer"):
            raise Refused(
                401,
                "the key is missing or wrong",
                received="no key" if not shown else "another key",
                accepted="Authorization: Bearer KEY",
                remedy="enter the key that the server was started with",
                headers={"WWW-Authenticate": "Bearer"},
            )

    @asynccontextmanager
    async def upload(self, request: Request) -> AsyncIterator[bytearray]:
        """Read what a request brings; its memory counts as taken for as long as it is used."""
        # Not a list of parts, which would be there twice while they are joined.
        budget, taken, sent = self.leases.budget, 0, bytearray()
        try:
            async for part in request.stream():
                budget.take(len(part))
                taken += len(part)
                sent += part
            yield sent
        finally:
            budget.give(taken)

    async def make_room(self, lease: Lease, nbytes: int, shape: Sequence[int]) -> None:
        """Let a lease hold what a scan needs, in place of its last one.

        Parameters
        ----------
        lease
            Whose; its annotation ends.
        nbytes, shape
            Of the scan's voxels.

        Raises
        ------
        Refused
            413 or 503 if there is no room; 410 if the lease has ended meanwhile.
        """
        voxels = 1
        for side in shape:
            voxels *= side
        if lease.annotation is not None:
            last, lease.annotation = [lease.annotation], None
            await run_in_threadpool(free, last)
        going_on(lease)
        self.leases.hold(lease, 0)
        self.leases.hold(lease, nbytes + voxels * BYTES_A_VOXEL + CACHE_BYTES)

    def annotation(self, array: NDArray[Any], frame: ArrayFrame) -> Annotation:
        """Return a scan (z, y, x) as something to draw on.

        Raises
        ------
        ImageError
            If a voxel is no number.
        """
        if array.dtype.kind == "f":
            with np.errstate(over="ignore"):  # beyond float32 is infinite, and refused as such
                array = array.astype(np.float32, copy=False)
        elif array.dtype == np.bool_:
            array = array.astype(np.uint8)
        # Whatever is among the voxels shows in these: NaN spreads.
        low, high = float(array.min()), float(array.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ImageError(
                "the scan has voxels that are no numbers",
                received=f"values from {low} to {high}",
                accepted="finite Hounsfield units",
                remedy="replace NaN and infinity, for example by -1024",
            )
        cache = Cache(
            FeatureCache(FEATURE_BYTES, keep=True),
            PredictionCache(PREDICTION_BYTES, keep=True),
            None,
        )
        return Annotation(frame.volume(array), frame, self.config, self.model, cache)


def going_on(lease: Lease) -> None:
    """Refuse to go on with a lease that has ended while a request waited.

    Raises
    ------
    Refused
        410.
    """
    if lease.ended:
        raise Refused(
            410,
            "the session is over",
            received="a request that waited for another one",
            accepted="a session that goes on",
            remedy="connect again",
        )


def opened(lease: Lease) -> Annotation:
    """Return a lease's annotation.

    Raises
    ------
    Refused
        400 if it has none yet; 410 if it has ended meanwhile.
    """
    going_on(lease)
    if lease.annotation is None:
        raise Refused(
            400,
            "there is no scan yet",
            received="an interaction",
            accepted="a scan, then interactions",
            remedy="send the scan first",
        )
    return lease.annotation


def json_object(text: str | bytes) -> dict[str, Any]:
    """Return what JSON says, which has to be an object.

    Raises
    ------
    PromptError
        If it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _no_request("JSON", text[:80])
    return found


def flag(values: dict[str, Any], name: str, default: bool | None = None) -> bool:
    """Return a yes or no of a request; see `json_object`."""
    found = values.get(name, default)
    if not isinstance(found, bool):
        raise _no_request(name, found)
    return found


def numbers(values: object, name: str) -> list[float]:
    """Return three numbers of a request; see `json_object`."""
    if not isinstance(values, list) or len(values) != 3 or not all(map(_is_number, values)):
        raise _no_request(name, values)
    return values


def intervals(values: object, name: str) -> list[list[float]]:
    """Return three pairs of numbers of a request; see `json_object`."""
    if (
        not isinstance(values, list)
        or len(values) != 3
        or not all(
            isinstance(pair, list) and len(pair) == 2 and all(map(_is_number, pair))
            for pair in values
        )
    ):
        raise _no_request(name, values)
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _no_request(name: str, received: object) -> PromptError:
    return PromptError(
        f"the request's {name} is missing or of another kind",
        received=repr(received)[:100],
        accepted="what nninteractive-client 2.x or ITK-SNAP send",
        remedy="use a client of that version",
    )
