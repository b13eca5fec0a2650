"""Surfaces of labels, for the view in three dimensions."""

from __future__ import annotations

from fastapi import APIRouter, Response

from voxtrail.io.mesh.surface import surface_of
from voxtrail.serve.annotate.routes.asking import Label
from voxtrail.serve.annotate.workspace import Workspace


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/api/mesh/{label}")
    def mesh(label: Label) -> Response:
        shown = workspace.scan.shown.labels()
        if not (shown.voxels == label).any():
            return Response(status_code=204)
        ply = surface_of(shown, label).export(file_type="ply")
        return Response(ply, media_type="application/octet-stream")

    return router
