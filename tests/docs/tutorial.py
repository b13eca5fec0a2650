"""Runs docs/tutorial.ipynb: ``python -m tests.docs.tutorial`` writes what it shows into it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"
WIDGET = "application/vnd.jupyter.widget-view+json"


def run(folder: Path) -> Any:
    """Return the notebook as a kernel in a folder runs it; a cell that raises ends it."""
    notebook = nbformat.read(TUTORIAL, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=600, resources=resources, record_timing=False, store_widget_state=False
    )
    return client.execute()


def write() -> None:
    """Run the notebook and keep its outputs, with the sheets in the place of viewers.

    A viewer is nothing without its kernel, and would hide the sheet where the page is read.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        notebook = run(Path(folder))
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            output.get("data", {}).pop(WIDGET, None)
    notebook.metadata.pop("widgets", None)
    nbformat.write(notebook, TUTORIAL)


if __name__ == "__main__":
    write()
