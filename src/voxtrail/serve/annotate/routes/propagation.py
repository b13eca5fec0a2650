"""Carrying what is drawn through the scan, and stopping it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from voxtrail.core.axis import Axis
from voxtrail.serve.annotate import state
from voxtrail.serve.annotate.open_scan import MAX_LABEL, OpenScan
from voxtrail.serve.annotate.routes.asking import AxisName, XTab, scan_to_change
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import parts_of


class Near(BaseModel):
    """The slice that a person looks at: labels drawn around it come first."""

    model_config = ConfigDict(extra="forbid")
    axis: AxisName
    slice: int


class Wanted(BaseModel):
    """What is to be propagated; by default all labels that are drawn and not locked."""

    model_config = ConfigDict(extra="forbid")
    labels: list[Annotated[int, Field(ge=1, le=MAX_LABEL)]] | None = None
    near: Near | None = None


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.post("/api/propagate", status_code=202)
    def propagate(wanted: Wanted, x_tab: XTab = None) -> dict[str, Any]:
        scan = scan_to_change(workspace, x_tab)
        near = (Axis.named(wanted.near.axis), wanted.near.slice) if wanted.near else None
        workspace.wait_for_model()
        scan.propagate(wanted.labels, near, teller(workspace, scan))
        return {"running": scan.running and scan.running.progress}

    @router.post("/api/stop", status_code=204)
    def stop(x_tab: XTab = None) -> None:
        scan_to_change(workspace, x_tab).stop()

    return router


def teller(workspace: Workspace, scan: OpenScan) -> Any:
    """Return what passes on to the tabs how a propagation goes."""
    tabs = workspace.tabs

    def tell(kind: str, value: Any) -> None:
        if workspace.opened is not scan:
            return  # another one was opened meanwhile
        if kind == "slice":
            tabs.pass_on(value)
        elif kind == "error":
            tabs.tell("error", {"error": parts_of(value)})
            tabs.tell("end", {"complete": False, **state.found(scan)})
        elif kind == "end":
            tabs.tell("end", {**value, **state.found(scan), "revision": scan.revision})
        else:
            tabs.tell(kind, value)

    return tell
