"""The mask that clicks and boxes give on a slice, and slices that are encoded ahead."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, PointPrompt, Prompt
from voxtrail.errors import PromptError
from voxtrail.serve.annotate import wire
from voxtrail.serve.annotate.open_scan import MAX_LABEL, OpenScan
from voxtrail.serve.annotate.routes.asking import AxisName, place_of
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.session.state import Place

#: Clicks on one slice: each is decoded by itself.
MAX_CLICKS = 200
Coordinate = Annotated[float, Field(allow_inf_nan=False, ge=-1e6, le=1e6)]


class Asked(BaseModel):
    """Clicks and a box on one slice; x along the lower axis, voxel centres are whole numbers."""

    model_config = ConfigDict(extra="forbid")
    label: Annotated[int, Field(ge=1, le=MAX_LABEL)]
    axis: AxisName
    slice: int
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    points: Annotated[list[tuple[Coordinate, Coordinate]], Field(max_length=MAX_CLICKS)] = []
    positive: Annotated[list[bool], Field(max_length=MAX_CLICKS)] = []
    from_mask: bool = False


class Looked(BaseModel):
    """What a person looks at."""

    model_config = ConfigDict(extra="forbid")
    axis: AxisName
    slice: int
    label: Annotated[int, Field(ge=1, le=MAX_LABEL)] | None = None


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.post("/api/preview")
    def preview(asked: Asked) -> Response:
        scan = workspace.scan
        place = place_of(scan, asked.label, asked.axis, asked.slice)
        scan.check_label(asked.label, drawn_on=True)
        prompts = prompts_of(asked, place, scan)
        workspace.wait_for_model()
        found = scan.preview(prompts)
        meta = {
            "predicted_iou": round(found.predicted_iou, 3),
            "from_memory": found.from_memory,
        }
        return Response(
            wire.pack(found.mask),
            headers={"X-Meta": json.dumps(meta)},
            media_type="application/octet-stream",
        )

    @router.post("/api/look", status_code=204)
    def look(looked: Looked) -> None:
        scan = workspace.scan
        label = looked.label or next(iter(scan.labels()), None)
        if label is None or workspace.model.state != "ready":
            return
        place = place_of(scan, label, looked.axis, looked.slice)

        def encoded(axis: Axis, slices: list[int]) -> None:
            told: dict[str, Any] = {"axis": axis.label, "slices": slices, "label": label}
            workspace.tabs.tell("encoded", told)

        scan.look_at(label, place.axis, place.slice_index, encoded)

    return router


def prompts_of(asked: Asked, place: Place, scan: OpenScan) -> list[Prompt]:
    """Return what was asked in the session's own terms.

    Raises
    ------
    PromptError
        If nothing was marked, or clicks and their signs do not go together.
    """
    label, axis, index = place
    prompts: list[Prompt] = []
    if asked.box is not None:
        first, second = (wire.point(xy, axis, scan.shape) for xy in (asked.box[:2], asked.box[2:]))
        (left, right), (top, bottom) = (sorted(pair) for pair in zip(first, second, strict=True))
        prompts.append(BoxPrompt(label, axis, index, (left, top, right, bottom)))
    elif asked.from_mask and (drawn := scan.outline(place)) is not None:
        prompts.append(drawn)
    if len(asked.points) != len(asked.positive):
        raise PromptError(
            "each click is on the structure or off it",
            received=f"{len(asked.points)} points and {len(asked.positive)} signs",
            accepted="as many of one as of the other",
            remedy="send positive: [true, false, ...] with the points",
        )
    if asked.points:
        points = tuple(wire.point(xy, axis, scan.shape) for xy in asked.points)
        prompts.append(PointPrompt(label, axis, index, points, tuple(asked.positive)))
    if not prompts:
        raise PromptError(
            "nothing is marked",
            received="no box and no click",
            accepted="a box, or one or more clicks",
            remedy="click on the structure",
        )
    return prompts
