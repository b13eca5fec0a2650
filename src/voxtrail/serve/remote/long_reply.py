"""Answers that take long, sent so that no client gives up waiting.

nnInteractive's clients wait 60 s for the next byte of an answer; a propagation takes longer. What
is done soon is answered as it is. Else the answer begins before its content is known, with as much
as is known of it: a byte now and then, each of which lets the client wait anew. When those are used
up, the client is given what has been found so far, and the next request goes on from there.

Source: ``read_timeout`` of ``nnInteractiveRemoteInferenceSession`` (nninteractive-client 2.6.0).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from voxtrail.serve.model_worker import Job, ModelWorker
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.leases import Lease

logger = logging.getLogger("voxtrail.serve")

#: The status of an answer that nobody waits for any more; nginx calls it so.
CLIENT_GONE = 499
#: How often it is looked whether the client is still there, in seconds.
LOOK_S = 1.0


@dataclass(frozen=True)
class Patience:
    """How long clients wait.

    Parameters
    ----------
    silent_s
        Seconds without a byte that every client endures, with room to spare.
    """

    silent_s: float = 20.0


@dataclass(frozen=True)
class Slow:
    """An answer that begins before its content is known.

    Parameters
    ----------
    media_type, headers
        Of the answer.
    known
        The pieces that are known beforehand, in order.
    rest
        Given how many bytes were sent of it, what remains; called when the work is done.
    """

    media_type: str
    headers: Mapping[str, str]
    known: Iterator[bytes]
    rest: Callable[[int], bytes]


class Dialect(Protocol):
    """How a dialect tells of what is shown."""

    def prompt_reply(self, annotation: Annotation) -> Response:
        """Return the answer to work that is done."""

    def slow_reply(self, annotation: Annotation) -> Slow:
        """Return the answer to work that goes on."""


async def propagated(
    request: Request,
    lease: Lease,
    worker: ModelWorker,
    dialect: Dialect,
    patience: Patience,
    *,
    again: bool = False,
) -> Response:
    """Carry what is drawn through the scan, and answer.

    Parameters
    ----------
    request
        What is answered; it holds the lease's ``serial``, which is let go when the work has ended.
    lease
        Whose annotation.
    worker
        Where the model runs.
    dialect
        How the answer looks.
    patience
        How long clients wait.
    again
        Even if nothing has been drawn since the last time.
    """
    assert lease.annotation is not None
    annotation = lease.annotation
    job = worker.start(lease.token, annotation.propagating(again=again))
    lease.job = job
    ended = asyncio.wrap_future(job.ended)
    ended.add_done_callback(_noticed)
    streaming = False
    try:
        if not await _waited(request, ended, patience.silent_s):
            job.stop()
            return Response(status_code=CLIENT_GONE)
        if ended.done():
            ended.result()
            return await run_in_threadpool(dialect.prompt_reply, annotation)
        slow = dialect.slow_reply(annotation)
        pieces = _pieces(lease, job, ended, worker, annotation, slow, patience)
        streaming = True
        return StreamingResponse(pieces, media_type=slow.media_type, headers=dict(slow.headers))
    finally:
        if not streaming:
            job.stop()
            _let_go(lease, ended)


async def _waited(request: Request, ended: asyncio.Future[bool], seconds: float) -> bool:
    """Wait for the end, at most so long; tell whether the client is still there."""
    until = asyncio.get_running_loop().time() + seconds
    while not ended.done():
        left = until - asyncio.get_running_loop().time()
        if left <= 0:
            break
        await asyncio.wait({ended}, timeout=min(LOOK_S, left))
        if not ended.done() and await request.is_disconnected():
            return False
    return True


async def _pieces(
    lease: Lease,
    job: Job,
    ended: asyncio.Future[bool],
    worker: ModelWorker,
    annotation: Annotation,
    slow: Slow,
    patience: Patience,
) -> AsyncIterator[bytes]:
    """Send what is known, bit by bit, until the work has ended or nothing more is known."""
    sent = 0
    try:
        for piece in slow.known:
            yield piece
            sent += len(piece)
            await asyncio.wait({ended}, timeout=patience.silent_s)
            if ended.done():
                break
        if not ended.done():
            job.stop()
            await asyncio.wait({ended})
        # The status is sent: of what failed, too, the client gets what had been found.
        failed = ended.exception()
        if failed is not None:
            logger.error("a propagation failed", exc_info=failed)
        if failed is not None or not ended.result():
            await asyncio.wrap_future(worker.call(lease.token, annotation.show_found))
        yield await run_in_threadpool(slow.rest, sent)
    finally:
        job.stop()
        _let_go(lease, ended)


def _let_go(lease: Lease, ended: asyncio.Future[bool]) -> None:
    """Let the lease's next request work on it, as soon as this one's work has ended."""

    def release(_: object) -> None:
        lease.job = None
        lease.serial.release()

    if ended.done():
        release(ended)
    else:
        ended.add_done_callback(release)


def _noticed(ended: asyncio.Future[bool]) -> None:
    """Take note of how work ended that nobody waits for any more."""
    if not ended.cancelled():
        ended.exception()
