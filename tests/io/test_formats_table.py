"""The README's table of formats is the code's."""

from pathlib import Path

import pytest

from voxtrail.io.formats_table import table
from voxtrail.io.registry import formats

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_table():
    text = README.read_text(encoding="utf-8")
    if "<!-- formats -->" not in text:
        pytest.skip("README.md has no block of formats yet")
    _, _, rest = text.partition("<!-- formats -->\n")
    block, _, _ = rest.partition("<!-- /formats -->")
    assert block.strip() == table().strip(), "run: python -m voxtrail.io.formats_table"


def test_every_format_has_a_row_and_every_suffix_a_place():
    rows = [line for line in table().splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(formats())
    for known in formats():
        (row,) = [row for row in rows if row.split("|")[1].strip(" \\*") == known.name]
        assert all(f"`{suffix}`" in row for suffix in known.written)
        assert len(row.split("|")) == 7


def test_what_is_read_and_written_is_said():
    rows = {line.split("|")[1].strip(): line for line in table().splitlines() if "|" in line}
    assert "| labels | labels |" in rows["3D Slicer segmentation"]
    segmentation = rows["DICOM Segmentation\\*"]
    assert (
        "| labels (any name) | labels | `pip install 'voxtrail[dicom]'` to write |" in segmentation
    )
    assert "`.mhd` (read only)" in rows["MetaImage"]
    assert "| scan |  |  |" in rows["DICOM CT series"]
