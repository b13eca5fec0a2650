"""``voxtrail annotate``: a page in the browser to outline, propagate, look and correct."""

from __future__ import annotations

import os
import sys
import webbrowser
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxtrail.cli.config_options import takes_config
from voxtrail.errors import OptionError

if TYPE_CHECKING:
    from voxtrail.serve.annotate.open_scan import OpenScan
    from voxtrail.serve.annotate.workspace import Workspace
    from voxtrail.session import Config


@takes_config
def run(
    config: Config,
    image: Annotated[
        Path | None,
        typer.Argument(help="The scan; without it, the page lets you choose one, or a demo."),
    ] = None,
    prompts: Annotated[
        Path | None,
        typer.Option(help="Outlines to begin with: a label map on IMAGE's grid, or JSON."),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="Predictions to begin with: a label map on IMAGE's grid."),
    ] = None,
    session: Annotated[
        Path | None,
        typer.Option(help="Where all that is drawn is kept: beside IMAGE by default."),
    ] = None,
    series: Annotated[str | None, typer.Option(help="Which of several DICOM series.")] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; by default this machine alone reaches it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open the page in the browser.")
    ] = True,
) -> None:
    """Draw on a scan in the browser, and let the outlines be carried through it.

    Everything stays on this machine. Each change is on disk before the page says so; Ctrl-C ends.
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise OptionError(
            "voxtrail annotate needs packages that are not installed",
            received="no fastapi or uvicorn",
            accepted="voxtrail with its extra annotate",
            remedy="pip install 'voxtrail[annotate]'",
        )
    if image is None and (prompts or labels or session):
        raise typer.BadParameter("--prompts, --labels and --session go with an IMAGE")
    from voxtrail.serve.annotate.app import make_app
    from voxtrail.serve.annotate.workspace import Workspace
    from voxtrail.serve.key import Key
    from voxtrail.serve.listening import Server, address_of, bind

    with bind(host, port, key=True) as bound:
        workspace = Workspace(Path.cwd(), config)
        try:
            if image is not None:
                scan = workspace.open_path(image, session, series)
                _begin(scan, prompts, labels)
            key = Key(os.environ.get("VOXTRAIL_ANNOTATE_KEY") or None)
            address = f"{address_of(bound)}/?key={key.reveal()}"
            app = make_app(workspace, key, host, bound.getsockname()[1])
            Server(app, bound, lambda: _ready(address, workspace, browser)).run()
        finally:
            workspace.close()
    if workspace.opened:
        sys.stdout.write(f"All that was drawn is in {workspace.opened.file}\n")


def _begin(scan: OpenScan, prompts: Path | None, labels: Path | None) -> None:
    """Draw what a new session begins with; one that goes on has it already."""
    from voxtrail.io import read_labels, read_prompts

    if not scan.is_new:
        if prompts or labels:
            sys.stderr.write(f"the session goes on as it is in {scan.file}\n")
        return
    if prompts:
        scan.import_outlines(read_prompts(prompts, like=scan.volume))
    if labels:
        scan.import_predictions(read_labels(labels, like=scan.volume))


def _ready(address: str, workspace: Workspace, browser: bool) -> None:
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    if workspace.opened:
        sys.stderr.write(f"session: {workspace.opened.file}\n")
    sys.stderr.write("Ctrl-C ends. Research use only: not a medical device.\n")
    if browser:
        webbrowser.open(address)
