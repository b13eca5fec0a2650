"""Label maps in: as slices that were drawn, or as predictions to correct."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.concurrency import run_in_threadpool

from voxtrail.errors import InputError, OutputError
from voxtrail.io import read_labels, read_prompts
from voxtrail.serve.annotate import state
from voxtrail.serve.annotate.open_scan import OpenScan
from voxtrail.serve.annotate.routes.asking import XTab, scan_to_change
from voxtrail.serve.annotate.routes.outlines import told
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import Refused

Parts = dict[str, Any]
As = Literal["outlines", "predictions"]


class Named(BaseModel):
    """A file of the server's folder."""

    model_config = ConfigDict(extra="forbid")
    path: str


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.post("/api/import")
    async def take(
        request: Request,
        kind: Annotated[As, Query(alias="as")],
        name: Annotated[str | None, Query(max_length=255)] = None,
        x_tab: XTab = None,
    ) -> Parts:
        scan = scan_to_change(workspace, x_tab)
        if name is None:
            place = workspace.folder.place(_named(await request.body()).path)
            await run_in_threadpool(read_into, scan, place, kind)
        else:
            with tempfile.TemporaryDirectory(prefix="voxtrail-") as room:
                place = Path(room) / _plain(name)
                try:
                    with place.open("wb") as file:
                        async for piece in request.stream():
                            await run_in_threadpool(file.write, piece)
                except OSError as error:
                    raise OutputError(
                        "the upload could not be kept while it is read",
                        received=error.strerror or str(error),
                        accepted="room for it on the server's disk",
                        remedy="make room, or name a file of the server's folder",
                    ) from error
                await run_in_threadpool(_without_folder, room, read_into, scan, place, kind)
        return {"changed": None, **told(workspace, scan, x_tab), **state.found(scan)}

    return router


def read_into(scan: OpenScan, place: Path, kind: As) -> None:
    """Read a file and take it for what it is said to be.

    Raises
    ------
    InputError
        If it cannot be read, lies on another grid, or has a label above 255.
    """
    if kind == "outlines":
        scan.import_outlines(read_prompts(place, like=scan.volume))
    else:
        scan.import_predictions(read_labels(place, like=scan.volume))


def _without_folder(room: str, function: Callable[..., None], *arguments: Any) -> None:
    """Call a function; what it refuses is told without the temporary folder's name."""
    try:
        function(*arguments)
    except InputError as error:
        error.what = error.what.replace(f"{room}/", "")
        error.received = error.received.replace(f"{room}/", "")
        raise


def _plain(name: str) -> str:
    """Return the last part of a file's name, or refuse it."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    if plain in ("", ".", "..") or "\0" in plain:
        raise Refused(
            400,
            "this is no name of a file",
            received=name[:100],
            accepted="the name of the uploaded file, with its suffix",
            remedy="send ?name=labels.nii.gz",
        )
    return plain


def _named(body: bytes) -> Named:
    try:
        return Named.model_validate_json(body)
    except ValidationError as error:
        raise Refused(
            400,
            "nothing to import is named",
            received=body[:100].decode("utf-8", "replace"),
            accepted='{"path": "a file below the folder"}, or a file with ?name=',
            remedy="choose a file",
        ) from error
