"""The file chooser: what lies below the folder that the server was started in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict

from voxtrail.io.registry import image_suffixes, suffix_of
from voxtrail.serve.annotate import state
from voxtrail.serve.annotate.places import SESSION_SUFFIX, is_kept
from voxtrail.serve.annotate.routes.asking import XTab
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import Refused

#: Entries of a folder that are listed, and files of it that are looked into for DICOM.
MAX_ENTRIES, LOOKED_INTO = 2_000, 5


class Wanted(BaseModel):
    """Which scan to open."""

    model_config = ConfigDict(extra="forbid")
    path: str | None = None
    demo: bool = False


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/api/files")
    def files(path: str = "") -> dict[str, Any]:
        folder = workspace.folder.place(path)
        if not folder.is_dir():
            raise Refused(
                404,
                "there is no such folder",
                received=path[:200],
                accepted="a folder below the one that voxtrail was started in",
                remedy="go up and choose another",
            )
        at_root = folder == workspace.folder.root
        return {
            "path": workspace.folder.name(folder),
            "parent": None if at_root else workspace.folder.name(folder.parent),
            "entries": entries(workspace, folder),
        }

    @router.post("/api/open")
    def open_scan(wanted: Wanted, x_tab: XTab = None) -> dict[str, Any]:
        workspace.tabs.check_editor(x_tab)
        if wanted.demo:
            workspace.open_demo()
        else:
            workspace.open_path(workspace.folder.place(wanted.path or ""))
        whole = state.whole(workspace)
        workspace.tabs.tell("state", whole, besides=x_tab)
        return whole

    return router


def entries(workspace: Workspace, folder: Path) -> list[dict[str, Any]]:
    """Return what a folder holds, folders first; hidden files and links that leave it are not."""
    found = []
    try:
        listed = sorted(os.scandir(folder), key=lambda one: one.name.lower())[:MAX_ENTRIES]
    except OSError as error:
        raise Refused(
            403,
            "this folder cannot be listed",
            received=f"{folder.name} ({error.strerror})",
            accepted="a folder that you may read",
            remedy="choose another",
        ) from error
    for one in listed:
        place = Path(one.path)
        inside = place.resolve().is_relative_to(workspace.folder.root)
        if one.name.startswith(".") or is_kept(one.name) or not inside:
            continue
        kind = kind_of(place)
        size = place.stat().st_size if place.is_file() else None
        found.append({"name": one.name, "kind": kind, "bytes": size})
    return sorted(found, key=lambda entry: entry["kind"] not in ("folder", "dicom"))


def kind_of(place: Path) -> str:
    """Return ``folder``, ``dicom`` (a folder with a series), ``scan``, ``session`` or ``file``."""
    if place.is_dir():
        return "dicom" if _holds_dicom(place) else "folder"
    if place.name.endswith(SESSION_SUFFIX):
        return "session"
    if suffix_of(place, image_suffixes()) or _is_dicom(place):
        return "scan"
    return "file"


def _holds_dicom(folder: Path) -> bool:
    try:
        with os.scandir(folder) as inside:
            some = [Path(one.path) for one, _ in zip(inside, range(LOOKED_INTO), strict=False)]
    except OSError:
        return False
    return any(_is_dicom(one) for one in some)


def _is_dicom(place: Path) -> bool:
    try:
        if not place.is_file():
            return False
        with place.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False
