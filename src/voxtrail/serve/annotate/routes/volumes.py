"""Voxels: the scan, and the labels as they are shown."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from voxtrail.serve.annotate import wire
from voxtrail.serve.annotate.routes.asking import AxisName, place_of
from voxtrail.serve.annotate.workspace import Workspace

_BYTES = "application/octet-stream"


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    def shape() -> dict[str, str]:
        return {"X-Shape": ",".join(str(n) for n in workspace.scan.shape)}

    @router.get("/api/scan")
    def scan() -> Response:
        voxels = workspace.scan.volume.voxels
        length = {"Content-Length": str(voxels.size * 2)}
        return StreamingResponse(
            wire.hounsfield(voxels), headers={**shape(), **length}, media_type=_BYTES
        )

    @router.get("/api/labels")
    def labels(request: Request) -> Response:
        gzip = "gzip" in request.headers.get("accept-encoding", "")
        headers = {**shape(), "Vary": "Accept-Encoding"}
        if gzip:
            headers["Content-Encoding"] = "gzip"
        return StreamingResponse(
            wire.labels(workspace.scan.shown.voxels(), gzip=gzip),
            headers=headers,
            media_type=_BYTES,
        )

    @router.get("/api/labels/{axis}/{index}")
    def labels_slice(axis: AxisName, index: int) -> Response:
        opened = workspace.scan
        place = place_of(opened, 1, axis, index)
        cut = wire.slice_of(opened.shown.voxels(), place.axis, place.slice_index)
        return Response(cut, media_type=_BYTES)

    return router
