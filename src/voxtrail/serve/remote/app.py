"""The server of `voxtrail serve`: both dialects on one port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from voxtrail.serve import itksnap, nninteractive
from voxtrail.serve.body_limit import BodyLimit
from voxtrail.serve.failures import Refused, answer_failures
from voxtrail.serve.remote.freed_memory import free, give_back
from voxtrail.serve.remote.service import SMALL_BYTES, Service
from voxtrail.serve.safe_headers import SafeHeaders
from voxtrail.serve.same_origin import SameOrigin

#: How often leases are looked at, in seconds.
SWEEP_S = 5.0
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"]


def make_app(service: Service, host: str, port: int) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    service
        Its parts; its worker and leases end with the application.
    host, port
        Where it listens.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(service))
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            service.leases.close()
            service.worker.close()

    app = FastAPI(openapi_url=None, lifespan=lifespan)
    answer_failures(app, "docs/clients.md")
    app.include_router(nninteractive.routes(service))
    app.include_router(itksnap.routes(service))

    @app.api_route("/{path:path}", methods=METHODS)
    async def elsewhere(path: str, request: Request) -> Response:
        raise Refused(
            404,
            "there is nothing here",
            received=f"{request.method} /{path[:100]}",
            accepted="nnInteractive 2.x (3D Slicer, napari): /claim, /set_image, ...; ITK-SNAP's "
            "deep-learning extension: /status, /v2/start_session, ...",
            remedy="update the client, or point one of these at this address",
        )

    with_arrays = (*nninteractive.WITH_ARRAYS, *itksnap.WITH_ARRAYS)

    def limit(method: str, path: str) -> int:
        return service.leases.budget.total if path.startswith(with_arrays) else SMALL_BYTES

    guarded = BodyLimit(app, limit)
    return SafeHeaders(
        SameOrigin(guarded, host, port, tunnelled=True, bearer=service.key is not None)
    )


async def _sweep(service: Service) -> None:
    leases = service.leases
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(leases.left.wait(), SWEEP_S)
        leases.sweep()
        leases.left.clear()
        if left_behind := leases.left_behind():
            await run_in_threadpool(free, left_behind)
        elif len(leases):
            await run_in_threadpool(give_back)
