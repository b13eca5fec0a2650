"""The state as a whole."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from voxtrail.serve.annotate import state
from voxtrail.serve.annotate.workspace import Workspace


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/api/state")
    def whole() -> dict[str, Any]:
        return state.whole(workspace)

    return router
