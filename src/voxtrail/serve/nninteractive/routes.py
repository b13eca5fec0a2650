"""The requests of nnInteractive 2.x.

Source: ``nnInteractive/inference/server/app.py`` of nninteractive 2.6.0 and the client's
``remote_session.py``. An interaction that asks for no prediction is answered with its slice at
once, which the reference answers with nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import prod
from typing import Any

import numpy as np
from fastapi import APIRouter, Request, Response
from numpy.typing import NDArray
from starlette.concurrency import run_in_threadpool

from voxtrail.errors import ImageError
from voxtrail.serve.nninteractive import pack
from voxtrail.serve.nninteractive.capabilities import capabilities
from voxtrail.serve.nninteractive.prediction import META, Predictions
from voxtrail.serve.remote.annotation import Annotation
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import box_of, outline, painted, slice_box, voxel_of
from voxtrail.serve.remote.leases import Lease
from voxtrail.serve.remote.long_reply import propagated
from voxtrail.serve.remote.service import (
    Service,
    flag,
    intervals,
    json_object,
    numbers,
    opened,
)

LEASE = "X-Lease-Token"
#: Paths whose requests bring arrays.
WITH_ARRAYS = (
    "/set_image",
    "/add_scribble_interaction",
    "/add_lasso_interaction",
    "/add_initial_seg_interaction",
)

Draw = Callable[[Annotation], None]


def routes(service: Service) -> APIRouter:
    """Return the routes of a server."""
    router = APIRouter()
    leases = service.leases

    def lease_of(request: Request, *, acting: bool = True) -> Lease:
        service.admit(request)
        return leases.find(request.headers.get(LEASE), acting=acting)

    @asynccontextmanager
    async def working(request: Request) -> AsyncIterator[Lease]:
        """Hold a lease alone, for a request that is answered when the context ends."""
        lease = lease_of(request)
        async with lease.serial:
            yield lease

    async def drawn(request: Request, lease: Lease, draw: Draw, *, run: bool) -> Response:
        """Draw, and answer with the slice or, if it is asked for, with the volume."""
        await lease.serial.acquire()
        handed_on = False
        try:
            annotation = opened(lease)
            await run_in_threadpool(draw, annotation)
            replies = Predictions(lease.target_dtype)
            if run:
                handed_on = True
                return await propagated(request, lease, service.worker, replies, service.patience)
            shown = service.worker.call(lease.token, annotation.show_drawn)
            await asyncio.wrap_future(shown)
            return await run_in_threadpool(replies.change_reply, annotation)
        finally:
            if not handed_on:
                lease.serial.release()

    async def masked(
        request: Request, draw: Callable[[Annotation, NDArray[np.bool_], list[int], bool], None]
    ) -> Response:
        """Read a mask, of the whole array or of a box, and draw by it."""
        lease = lease_of(request)
        meta = json_object(request.headers.get(META, "{}"))
        positive = flag(meta, "include_interaction")
        bounds = meta.get("interaction_bbox")
        box = None if bounds is None else intervals(bounds, "interaction_bbox")
        async with service.upload(request) as sent:
            shape = opened(lease).frame.shape
            _, nbytes = pack.promised(sent, axes=3)
            with leases.budget.lent(nbytes):
                array = await run_in_threadpool(
                    pack.unpack, sent, axes=3, max_bytes=_mask_bytes(shape)
                )
                start = _start_of(array, box, shape)

                def by_mask(annotation: Annotation) -> None:
                    draw(annotation, array != 0, start, positive)

                return await drawn(request, lease, by_mask, run=flag(meta, "run_prediction", True))

    @router.get("/healthz")
    async def healthz() -> dict[str, bool]:
        return {"ok": True}

    @router.get("/capabilities")
    async def tell_capabilities(request: Request) -> dict[str, Any]:
        service.admit(request)
        return capabilities(service.model.name)

    @router.post("/claim")
    async def claim(request: Request) -> dict[str, Any]:
        service.admit(request)
        lease = leases.claim()
        return {
            "lease_token": lease.token,
            "idle_timeout_seconds": lease.idle_s,
            "liveness_timeout_seconds": lease.liveness_s,
            "max_sessions": leases.max_sessions,
        }

    @router.post("/release")
    async def release(request: Request) -> dict[str, bool]:
        service.admit(request)
        leases.release(request.headers.get(LEASE))
        return {"released": True}

    @router.post("/heartbeat")
    async def heartbeat(request: Request) -> dict[str, float]:
        lease = lease_of(request, acting=False)
        return {"remaining_seconds": lease.remaining_s(leases.clock())}

    @router.get("/lease_status")
    async def lease_status(request: Request) -> dict[str, float]:
        lease = lease_of(request, acting=False)
        return {
            "remaining_seconds": lease.remaining_s(leases.clock()),
            "idle_timeout_seconds": lease.idle_s,
        }

    @router.post("/set_image")
    async def set_image(request: Request) -> dict[str, Any]:
        meta = json_object(request.headers.get(META, "{}"))
        async with working(request) as lease, service.upload(request) as sent:
            shape, nbytes = pack.promised(sent, axes=4)
            await service.make_room(lease, nbytes, shape)
            array = await run_in_threadpool(pack.unpack, sent, axes=4, max_bytes=nbytes)
            if array.shape[0] != 1:
                raise ImageError(
                    "the scan has several channels",
                    received=str(array.shape[0]),
                    accepted="1",
                    remedy="send one channel",
                )
            frame = ArrayFrame.of(array.shape[1:], _spacing(meta))
            lease.annotation = await run_in_threadpool(service.annotation, array[0], frame)
            return {"original_image_shape": list(array.shape)}

    @router.post("/set_target_buffer")
    async def set_target_buffer(request: Request) -> dict[str, Any]:
        async with working(request) as lease:
            annotation = opened(lease)
            lease.target_dtype = _mask_type(
                json_object(await request.body()), annotation.frame.shape
            )
            annotation.forget_told()
            return {}

    @router.post("/set_do_autozoom")
    async def set_do_autozoom(request: Request) -> dict[str, Any]:
        # There is nothing to zoom: a crop grows by itself.
        async with working(request):
            flag(json_object(await request.body()), "do_autozoom")
            return {}

    @router.post("/reset_interactions")
    async def reset_interactions(request: Request) -> dict[str, Any]:
        async with working(request) as lease:
            if lease.annotation is not None:
                await run_in_threadpool(lease.annotation.reset)
            return {}

    @router.post("/undo")
    async def undo(request: Request) -> Response:
        async with working(request) as lease:
            annotation = opened(lease)
            replies = Predictions(lease.target_dtype)
            if not await run_in_threadpool(annotation.undo):
                return replies.nothing(ran=False)
            return await run_in_threadpool(replies.change_reply, annotation)

    @router.post("/predict")
    async def predict(request: Request) -> Response:
        lease = lease_of(request)
        again = flag(json_object(await request.body()), "force_full_refine", False)
        await lease.serial.acquire()
        handed_on = False
        try:
            annotation = opened(lease)
            replies = Predictions(lease.target_dtype)
            if not (annotation.stale or again):
                return replies.nothing(ran=False)
            handed_on = True
            return await propagated(
                request, lease, service.worker, replies, service.patience, again=again
            )
        finally:
            if not handed_on:
                lease.serial.release()

    @router.post("/add_point_interaction")
    async def add_point(request: Request) -> Response:
        lease = lease_of(request)
        values = json_object(await request.body())
        point = numbers(values.get("coordinates"), "coordinates")
        positive = flag(values, "include_interaction")

        def click(annotation: Annotation) -> None:
            annotation.click(voxel_of(point, annotation.frame), positive=positive)

        return await drawn(request, lease, click, run=flag(values, "run_prediction", True))

    @router.post("/add_bbox_interaction")
    async def add_bbox(request: Request) -> Response:
        lease = lease_of(request)
        values = json_object(await request.body())
        bounds = intervals(values.get("bbox_coords"), "bbox_coords")
        positive = flag(values, "include_interaction")

        def box(annotation: Annotation) -> None:
            whole = box_of(bounds, annotation.frame)
            flat = slice_box(whole, annotation.frame, annotation.axis)
            if flat is None:
                annotation.region(annotation.frame.box_in_scan(whole), positive=positive)
            else:
                annotation.slice_box(flat, positive=positive)

        return await drawn(request, lease, box, run=flag(values, "run_prediction", True))

    @router.post("/add_scribble_interaction")
    async def add_scribble(request: Request) -> Response:
        def scribble(
            annotation: Annotation, mask: NDArray[np.bool_], start: list[int], positive: bool
        ) -> None:
            strokes = painted(mask, start, annotation.frame, annotation.axis)
            annotation.scribble(strokes, positive=positive)

        return await masked(request, scribble)

    @router.post("/add_lasso_interaction")
    async def add_lasso(request: Request) -> Response:
        def lasso(
            annotation: Annotation, mask: NDArray[np.bool_], start: list[int], positive: bool
        ) -> None:
            strokes = painted(mask, start, annotation.frame, annotation.axis)
            annotation.outline(outline(strokes), positive=positive)

        return await masked(request, lasso)

    @router.post("/add_initial_seg_interaction")
    async def add_initial_seg(request: Request) -> Response:
        async with working(request) as lease, service.upload(request) as sent:
            annotation = opened(lease)
            frame = annotation.frame
            _, nbytes = pack.promised(sent, axes=3)
            with leases.budget.lent(nbytes):
                array = await run_in_threadpool(
                    pack.unpack, sent, axes=3, max_bytes=_mask_bytes(frame.shape)
                )
                _start_of(array, None, frame.shape)
                mask = frame.to_scan(array != 0)
                await run_in_threadpool(annotation.start_from, mask)
            return Predictions(lease.target_dtype).nothing(ran=False)

    return router


def _mask_bytes(shape: tuple[int, int, int]) -> int:
    """Return the most bytes that a mask of a scan takes: clients send whatever type they have."""
    return prod(shape) * 8


def _spacing(meta: dict[str, Any]) -> list[float]:
    """Return the scan's spacing along z, y and x; of clients that say none, 1 mm.

    napari's is a scale, which is negative along axes that it shows reversed: its size counts.
    """
    properties = meta.get("image_properties") or {}
    said = properties.get("spacing") if isinstance(properties, dict) else None
    return [1.0, 1.0, 1.0] if said is None else [abs(n) for n in numbers(said, "spacing")]


def _start_of(
    array: NDArray[Any], box: list[list[float]] | None, shape: tuple[int, int, int]
) -> list[int]:
    """Return where in the scan's array a mask begins, which has to fit."""
    start = [0, 0, 0]
    expected = shape
    if box is not None and all(abs(n) < 2**31 and n == round(n) for pair in box for n in pair):
        start = [int(low) for low, _ in box]
        z, y, x = (int(high - low) for low, high in box)
        expected = (z, y, x)
    if array.shape != expected:
        raise ImageError(
            "the mask is not of the scan's shape",
            received=f"{array.shape}",
            accepted=f"{expected}",
            remedy="send a mask of the whole scan, or of the box that interaction_bbox says",
        )
    return start


def _mask_type(values: dict[str, Any], shape: tuple[int, int, int]) -> np.dtype[Any]:
    """Return the type of a client's mask, which has to be one of its scan."""
    said = values.get("dtype")
    known = [name for name in pack.DATA_TYPES if not name.startswith("float")]
    if said not in known or values.get("shape") != list(shape):
        raise ImageError(
            "the target buffer is none of this scan",
            received=f"{values.get('shape')!s:.60} of {said!s:.40}",
            accepted=f"{list(shape)} of {', '.join(known)}",
            remedy="send the scan first, then a buffer of its shape",
        )
    mask_type: np.dtype[Any] = np.dtype(said)
    return mask_type
