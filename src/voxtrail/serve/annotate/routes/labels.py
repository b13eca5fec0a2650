"""The list of labels: added, named, coloured, hidden, locked, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, StringConstraints

from voxtrail.serve.annotate.routes.asking import Label, XTab, scan_to_change
from voxtrail.serve.annotate.routes.outlines import told
from voxtrail.serve.annotate.workspace import Workspace

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Parts = dict[str, Any]


class NewLabel(BaseModel):
    """A label to be added."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    colour: str | None = None


class LabelChange(BaseModel):
    """What is to change of a label."""

    model_config = ConfigDict(extra="forbid")
    name: Name | None = None
    colour: str | None = None
    visible: bool | None = None
    locked: bool | None = None


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.post("/api/label")
    def add(new: NewLabel, x_tab: XTab = None) -> Parts:
        scan = scan_to_change(workspace, x_tab)
        with scan.changing() as session:
            label = scan.new_label()
            look = scan.look(label)
            if new.colour is not None:
                session.show(label, replace(look, colour=new.colour))
            session.rename(label, new.name or f"label {label}")
        return {"id": label, **told(workspace, scan, x_tab)}

    @router.patch("/api/label/{label}")
    def change(label: Label, wanted: LabelChange, x_tab: XTab = None) -> Parts:
        scan = scan_to_change(workspace, x_tab)
        with scan.changing() as session:
            scan.check_label(label)
            look = wanted.model_dump(exclude_none=True, exclude={"name"})
            if look:
                session.show(label, replace(scan.look(label), **look))
            if wanted.name is not None and wanted.name != session.prompts.name(label):
                session.rename(label, wanted.name)
        return told(workspace, scan, x_tab)

    @router.delete("/api/label/{label}")
    def delete(label: Label, x_tab: XTab = None) -> Parts:
        scan = scan_to_change(workspace, x_tab)
        scan.check_label(label, drawn_on=True)
        scan.delete(label)
        return {"changed": None, **told(workspace, scan, x_tab)}

    return router
