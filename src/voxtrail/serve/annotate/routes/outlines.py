"""What is drawn on one slice, and undo and redo of all changes."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from voxtrail.core.prompts import MaskPrompt
from voxtrail.serve.annotate import changes, state, wire
from voxtrail.serve.annotate.open_scan import OpenScan
from voxtrail.serve.annotate.routes.asking import AxisName, Label, XTab, place_of, scan_to_change
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import Refused
from voxtrail.session import SlicePreview

#: Of more changed slices than this a tab fetches the whole volume instead.
MANY = 40

Parts = dict[str, Any]


def told(workspace: Workspace, scan: OpenScan, tab: str | None) -> Parts:
    """Return the parts of the state that a change changed, and tell the other tabs."""
    parts = state.drawn(scan)
    workspace.tabs.tell("state", parts, besides=tab)
    return parts


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/api/outline/{label}/{axis}/{index}")
    def outline(label: Label, axis: AxisName, index: int) -> Response:
        scan = workspace.scan
        drawn = scan.outline(place_of(scan, label, axis, index))
        if drawn is None:
            return Response(status_code=204)
        return Response(wire.pack(drawn.mask), media_type="application/octet-stream")

    @router.put("/api/outline/{label}/{axis}/{index}")
    async def draw(
        request: Request,
        label: Label,
        axis: AxisName,
        index: int,
        x_tab: XTab = None,
        accepted: bool = False,
    ) -> Parts:
        scan = scan_to_change(workspace, x_tab)
        place = place_of(scan, label, axis, index)
        body = await request.body()

        def change() -> Parts:
            mask = wire.unpack(body, place.axis, scan.shape)
            with scan.changing() as session:
                scan.check_label(label, drawn_on=True)
                if accepted:
                    session.accept(SlicePreview(place, mask, 1.0, from_memory=False))
                else:
                    session.replace(MaskPrompt(label, place.axis, index, mask))
            return told(workspace, scan, x_tab)

        return await run_in_threadpool(change)

    @router.delete("/api/outline/{label}/{axis}/{index}")
    def take_back(label: Label, axis: AxisName, index: int, x_tab: XTab = None) -> Parts:
        scan = scan_to_change(workspace, x_tab)
        place = place_of(scan, label, axis, index)
        with scan.changing() as session:
            scan.check_label(label, drawn_on=True)
            session.remove(label, place.axis, index)
        return told(workspace, scan, x_tab)

    @router.post("/api/undo")
    def undo(x_tab: XTab = None) -> Parts:
        return step(x_tab, back=True)

    @router.post("/api/redo")
    def redo(x_tab: XTab = None) -> Parts:
        return step(x_tab, back=False)

    def step(tab: str | None, *, back: bool) -> Parts:
        scan = scan_to_change(workspace, tab)
        with scan.changing() as session:
            before, found = session.state, session.results.keys()
            if not (session.undo() if back else session.redo()):
                raise Refused(
                    409,
                    f"there is nothing to {'undo' if back else 'redo'}",
                    received="the first state" if back else "the last state",
                    accepted="a change before it" if back else "a change that was undone",
                    remedy="draw something",
                )
            moved = changes.places(before, session.state)
            # With a label, or with what was imported, predictions come and go.
            whole = before.imported != session.state.imported or found != session.results.keys()
        parts = told(workspace, scan, tab)
        return {"changed": None if whole or len(moved) > MANY else listed(moved), **parts}

    return router


def listed(moved: list[Any]) -> list[Parts]:
    """Return places as JSON values."""
    return [{"label": one.label, "axis": one.axis.label, "slice": one.slice_index} for one in moved]
