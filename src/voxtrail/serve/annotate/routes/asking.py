"""What several routes ask of a request."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Header, Path

from voxtrail.core.axis import Axis
from voxtrail.serve.annotate.open_scan import MAX_LABEL, OpenScan
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import Refused
from voxtrail.session.state import Place

AxisName = Literal["sagittal", "coronal", "axial"]
Label = Annotated[int, Path(ge=1, le=MAX_LABEL)]
#: The name that the tab which asks gave itself.
XTab = Annotated[str | None, Header()]


def place_of(scan: OpenScan, label: int, axis: AxisName, index: int) -> Place:
    """Return a place of a scan.

    Raises
    ------
    Refused
        404 if the scan has no such slice.
    """
    named = Axis.named(axis)
    if not 0 <= index < scan.shape[named.value]:
        raise Refused(
            404,
            "the scan has no such slice",
            received=f"{axis} {index}",
            accepted=f"0 to {scan.shape[named.value] - 1}",
            remedy="choose a slice of the scan",
        )
    return Place(label, named, index)


def scan_to_change(workspace: Workspace, tab: str | None) -> OpenScan:
    """Return the open scan, for a tab that may change it.

    Raises
    ------
    Refused
        409 if another tab edits, or no scan is open.
    """
    workspace.tabs.check_editor(tab)
    return workspace.scan
