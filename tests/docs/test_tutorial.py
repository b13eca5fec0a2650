"""The tutorial runs, and shows what it says it shows where nobody runs it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.docs.tutorial import TUTORIAL, WIDGET, run


def outputs(notebook) -> list:
    return [one for cell in notebook.cells for one in cell.get("outputs", ())]


def printed(notebook) -> str:
    return "".join(one["text"] for one in outputs(notebook) if one.output_type == "stream")


def shown(notebook) -> list:
    return [one["data"] for one in outputs(notebook) if one.output_type == "execute_result"]


def test_it_is_kept_with_its_outputs_as_pictures_that_any_page_shows() -> None:
    notebook = nbformat.read(TUTORIAL, as_version=4)
    nbformat.validate(notebook)
    assert all(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert "expected Dice" in printed(notebook)
    assert "mm from the nearest outline" in printed(notebook)
    assert [sorted(one) for one in shown(notebook)] == [["image/jpeg", "text/plain"]] * 2
    assert "widgets" not in notebook.metadata
    assert TUTORIAL.stat().st_size < 500_000


@pytest.mark.full
@pytest.mark.filterwarnings("default")  # of the kernel's client; voxtrail's are in the kernel
def test_it_runs_and_gives_a_viewer_and_the_same_words(tmp_path: Path) -> None:
    kept = nbformat.read(TUTORIAL, as_version=4)
    made = run(tmp_path)
    assert all(WIDGET in one and "image/jpeg" in one for one in shown(made))
    assert printed(made).splitlines()[:3] == printed(kept).splitlines()[:3]
    # Sums may differ in their last bits from processor to processor, and so a voxel or two.
    assert len(printed(made).splitlines()) == len(printed(kept).splitlines())
    assert not [one for one in outputs(made) if one.get("name") == "stderr"]
    assert not list(tmp_path.iterdir())
