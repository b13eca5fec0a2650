"""The requests of ITK-SNAP: its own, and those of itksnap-dls 0.1.6's second version.

A session's number is a lease: it cannot be guessed, and ends after an hour without anything done
(ITK-SNAP shows no sign of life in between). Every interaction propagates, since each answer is the
whole volume.

Source: ``itksnap_dls/server.py`` of itksnap-dls 0.1.6; ``DeepLearningSegmentationModel.cxx``.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from voxtrail import __version__
from voxtrail.errors import ImageError, OptionError
from voxtrail.serve.itksnap.images import SentImage, described, packed
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.interactions import outline, painted, voxel_of
from voxtrail.serve.remote.leases import SILENT_S, Lease
from voxtrail.serve.remote.long_reply import Slow, propagated
from voxtrail.serve.remote.service import SMALL_BYTES, Service, opened

#: Beginnings of the paths whose requests bring images.
WITH_ARRAYS = (
    "/upload_raw/",
    "/v2/upload_raw/",
    "/process_scribble_interaction/",
    "/process_lasso_interaction/",
)
#: Seconds without anything done after which a session ends.
IDLE_S = 3600.0
#: What ITK-SNAP calls the model.
MODEL_ID = "voxtrail"
#: The model that ITK-SNAP's first version asks for without a name, and later ones may know.
KNOWN_IDS = (MODEL_ID, "nnInteractive")


@dataclass(frozen=True)
class Volumes:
    """Answers with the whole mask."""

    def prompt_reply(self, annotation: Annotation) -> Response:
        """Return the answer."""
        return Response(_answer(annotation), media_type="application/json")

    def slow_reply(self, annotation: Annotation) -> Slow:
        """Return the answer behind spaces, which JSON allows before it."""
        return Slow("application/json", {}, repeat(b" "), lambda _: _answer(annotation))


def _answer(annotation: Annotation) -> bytes:
    mask = annotation.frame.to_array(annotation.shown)
    return json.dumps({"status": "success", "result": packed(mask)}).encode()


def routes(service: Service) -> APIRouter:
    """Return the routes of a server."""
    router = APIRouter()
    leases, replies = service.leases, Volumes()

    def lease_of(request: Request, session: str) -> Lease:
        service.admit(request)
        return leases.find(session, acting=True)

    async def drawn(request: Request, lease: Lease, draw: Callable[[Annotation], None]) -> Response:
        await lease.serial.acquire()
        handed_on = False
        try:
            annotation = opened(lease)
            await run_in_threadpool(draw, annotation)
            handed_on = True
            return await propagated(request, lease, service.worker, replies, service.patience)
        finally:
            if not handed_on:
                lease.serial.release()

    @asynccontextmanager
    async def image(request: Request) -> AsyncIterator[tuple[SentImage, bytes]]:
        """Read what a form brings: what is said of an image, and its voxels, packed."""
        parts = request.form(max_files=1, max_fields=4, max_part_size=SMALL_BYTES)
        async with AsyncExitStack() as open_files:
            try:
                form = await open_files.enter_async_context(parts)
            except (HTTPException, MultiPartException, AssertionError, ValueError) as error:
                raise _no_form() from error
            file, said = form.get("file"), form.get("metadata")
            if not isinstance(file, UploadFile) or not isinstance(said, str):
                raise _no_form()
            with leases.budget.lent(file.size or 0):
                yield described(said), await file.read()

    async def masked(
        request: Request,
        session: str,
        draw: Callable[[Annotation, NDArray[np.bool_]], None],
    ) -> Response:
        lease = lease_of(request, session)
        async with image(request) as (said, sent):
            frame = opened(lease).frame
            if said.frame.shape != frame.shape:
                raise ImageError(
                    "the mask is not of the scan's shape",
                    received=f"{said.frame.shape} (z, y, x)",
                    accepted=f"{frame.shape}",
                    remedy="draw on the scan that was sent",
                )
            with leases.budget.lent(said.nbytes):
                mask = await run_in_threadpool(said.voxels, sent) > 0
                return await drawn(request, lease, lambda annotation: draw(annotation, mask))

    @router.get("/status")
    async def status(request: Request) -> dict[str, str]:
        service.admit(request)
        return {"status": "ok", "version": f"voxtrail {__version__}"}

    @router.get("/v2/models")
    async def models(request: Request) -> dict[str, Any]:
        service.admit(request)
        kinds = ["point", "scribble", "lasso"]
        return {
            "models": [{"id": MODEL_ID, "channels": [1], "dimensions": 3, "interactions": kinds}]
        }

    @router.get("/start_session")
    @router.get("/v2/start_session/{model}")
    async def start_session(request: Request, model: str = MODEL_ID) -> dict[str, str]:
        service.admit(request)
        if model not in KNOWN_IDS:
            raise OptionError(
                "unknown model",
                received=model[:100],
                accepted=", ".join(KNOWN_IDS),
                remedy="choose the model that this server lists",
            )
        lease = leases.claim(idle_s=IDLE_S, liveness_s=SILENT_S)
        return {"session_id": lease.token}

    @router.post("/upload_raw/{session}")
    @router.post("/v2/upload_raw/{session}")
    async def upload_raw(request: Request, session: str) -> dict[str, str]:
        lease = lease_of(request, session)
        async with lease.serial, image(request) as (said, sent):
            await service.make_room(lease, said.nbytes, said.frame.shape)
            voxels = await run_in_threadpool(said.voxels, sent)
            lease.annotation = await run_in_threadpool(service.annotation, voxels, said.frame)
        return {"message": "the scan is here"}

    @router.get("/v2/process_point_interaction/{session}")
    async def point_interaction(
        request: Request,
        session: str,
        point: Annotated[list[int], Query()],
        foreground: bool = False,
    ) -> Response:
        def click(annotation: Annotation) -> None:
            voxel = voxel_of(point[::-1], annotation.frame)
            annotation.click(voxel, positive=foreground)

        return await drawn(request, lease_of(request, session), click)

    @router.get("/process_point_interaction/{session}")
    async def first_point_interaction(
        request: Request, session: str, x: int, y: int, z: int, foreground: bool = False
    ) -> Response:
        return await point_interaction(request, session, [x, y, z], foreground)

    @router.post("/process_scribble_interaction/{session}")
    async def scribble_interaction(
        request: Request, session: str, foreground: bool = False
    ) -> Response:
        def scribble(annotation: Annotation, mask: NDArray[np.bool_]) -> None:
            strokes = painted(mask, (0, 0, 0), annotation.frame, annotation.axis)
            annotation.scribble(strokes, positive=foreground)

        return await masked(request, session, scribble)

    @router.post("/process_lasso_interaction/{session}")
    async def lasso_interaction(
        request: Request, session: str, foreground: bool = False
    ) -> Response:
        def lasso(annotation: Annotation, mask: NDArray[np.bool_]) -> None:
            strokes = painted(mask, (0, 0, 0), annotation.frame, annotation.axis)
            annotation.outline(outline(strokes), positive=foreground)

        return await masked(request, session, lasso)

    @router.get("/reset_interactions/{session}")
    @router.get("/v2/reset_interactions/{session}")
    async def reset_interactions(request: Request, session: str) -> dict[str, str]:
        lease = lease_of(request, session)
        async with lease.serial:
            if lease.annotation is not None:
                await run_in_threadpool(lease.annotation.reset)
        return {"status": "success"}

    @router.get("/end_session/{session}")
    @router.get("/v2/end_session/{session}")
    async def end_session(request: Request, session: str) -> dict[str, str]:
        service.admit(request)
        leases.release(session)
        return {"message": "Session ended"}

    return router


def _no_form() -> ImageError:
    return ImageError(
        "the request brings no image",
        received="a form without a file and metadata, or none",
        accepted="multipart/form-data with file and metadata",
        remedy="send it with ITK-SNAP 4.4 or newer",
    )
