"""The application: routes over one workspace, behind the rules that keep strangers out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

from voxtrail.serve.annotate.entrance import Entrance
from voxtrail.serve.annotate.routes import (
    events,
    exports,
    files,
    imports,
    labels,
    meshes,
    outlines,
    page,
    previews,
    propagation,
    states,
    volumes,
)
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.body_limit import BodyLimit
from voxtrail.serve.failures import answer_failures
from voxtrail.serve.key import Key
from voxtrail.serve.safe_headers import SafeHeaders
from voxtrail.serve.same_origin import SameOrigin

#: Most bytes of an uploaded label map, of a mask, and of anything else that is sent.
UPLOAD_BYTES, MASK_BYTES, JSON_BYTES = 2**30, 2**24, 2**18


def make_app(workspace: Workspace, key: Key, host: str, port: int) -> ASGIApp:
    """Return the application.

    Parameters
    ----------
    workspace
        What it works on; closed when it ends.
    key
        What the printed address carries.
    host, port
        Where it will listen.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await run_in_threadpool(workspace.close)

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, lifespan=lifespan)
    answer_failures(app)
    for concern in (
        states, volumes, outlines, labels, previews, propagation, files, imports,
        exports, meshes, events, page,
    ):  # fmt: skip
        app.include_router(concern.routes(workspace))
    return SafeHeaders(SameOrigin(Entrance(BodyLimit(app, _allowed), key, port), host, port))


def _allowed(method: str, path: str) -> int:
    if path == "/api/import":
        return UPLOAD_BYTES
    return MASK_BYTES if method == "PUT" else JSON_BYTES
