"""Labels out: into the folder of the server, or as a download; with their record."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any
from zipfile import ZIP_DEFLATED, ZipFile

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.background import BackgroundTask

from voxtrail.errors import OutputError
from voxtrail.io import check_output, write_prompts
from voxtrail.serve.annotate.open_scan import MAX_LABEL, OpenScan
from voxtrail.serve.annotate.places import stem_of
from voxtrail.serve.annotate.result import segmentation
from voxtrail.serve.annotate.routes.asking import XTab, scan_to_change
from voxtrail.serve.annotate.state import export_formats
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import Refused
from voxtrail.session.outputs import Outputs

#: The suffix of outlines, which are written as prompts for ``voxtrail segment``.
OUTLINES = ".json"


class Wanted(BaseModel):
    """What is to be written, and where."""

    model_config = ConfigDict(extra="forbid")
    name: Annotated[str, Field(min_length=1, max_length=1000)]
    overwrite: bool = False
    labels: Annotated[list[int], Field(max_length=MAX_LABEL)] | None = None


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.post("/api/export")
    def export(wanted: Wanted, x_tab: XTab = None) -> dict[str, Any]:
        scan = scan_to_change(workspace, x_tab)
        place = workspace.folder.place(wanted.name)
        if place == scan.file or place.name.startswith("."):
            raise OutputError(
                "this place is taken",
                received=wanted.name,
                accepted="a name that is neither hidden nor the session's own",
                remedy="choose another name",
            )
        record = write_result(scan, place, wanted.labels, force=wanted.overwrite)
        return {"path": workspace.folder.name(place), "record": record}

    @router.get("/api/download/{suffix}")
    def download(suffix: str, labels: str | None = None) -> Response:
        scan = workspace.scan
        known = [one["suffix"] for one in export_formats(scan)]
        if suffix not in known:
            raise Refused(
                404,
                "labels are not written in this format",
                received=suffix[:50],
                accepted=", ".join(known),
                remedy="choose one of them",
            )
        chosen = [int(one) for one in labels.split(",") if one.isdigit()] if labels else None
        room = Path(tempfile.mkdtemp(prefix="voxtrail-"))
        try:
            place = room / f"{stem_of(scan.name)}-labels{suffix}"
            write_result(scan, place, chosen, force=False)
            sent = _one_file(room, place)
        except BaseException:
            shutil.rmtree(room, ignore_errors=True)
            raise
        return FileResponse(
            sent,
            filename=sent.name,
            media_type="application/octet-stream",
            background=BackgroundTask(shutil.rmtree, room, ignore_errors=True),
        )

    return router


def write_result(
    scan: OpenScan, place: Path, labels: list[int] | None, *, force: bool
) -> dict[str, Any] | None:
    """Write what is shown, with its record beside it; of outlines there is none.

    Raises
    ------
    InputError
        If there is nothing to write, or the place cannot be written to.
    """
    prompts = scan.session.prompts
    if place.name.lower().endswith(OUTLINES):
        write_prompts(prompts, place, force)
        return None
    outputs = Outputs(place, force=force)
    outputs.check()
    check_output(place, force, of=scan.volume)
    return outputs.write(scan.volume, prompts, segmentation(scan, labels))


def _one_file(room: Path, place: Path) -> Path:
    """Return the file that was written; of several, an archive of them."""
    files = [one for one in room.iterdir() if one.suffix != OUTLINES or one == place]
    if files == [place]:
        return place
    archive = room / f"{place.name}.zip"
    with ZipFile(archive, "w", ZIP_DEFLATED) as packed:
        for one in sorted(files):
            packed.write(one, one.name)
    return archive
