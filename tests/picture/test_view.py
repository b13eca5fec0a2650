"""What a notebook is given: a viewer in a kernel, a sheet everywhere."""

from __future__ import annotations

import base64
import gzip
import io
import sys
from pathlib import Path
from types import SimpleNamespace

import ipyniivue
import nibabel as nib
import numpy as np
import pytest
from PIL import Image

import voxtrail as vt
from tests.scans import oblique_affine, three_blocks
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import GridError
from voxtrail.evaluate import simulate
from voxtrail.picture import viewer

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture(scope="module")
def blocks() -> tuple[Volume, LabelMap]:
    hu, labelled = three_blocks()
    names = {1: "first", 2: "second", 3: "third"}
    affine = oblique_affine()
    return Volume.from_stored(hu, affine), LabelMap.from_stored(labelled, affine, names)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    shell = SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))


def test_a_sheet_where_there_is_no_kernel(blocks) -> None:
    view = vt.show(*blocks)
    bundle = view._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/jpeg"}
    assert bundle["text/plain"] == "<View of 3 labels; .sheet holds a PNG>"
    with Image.open(io.BytesIO(base64.b64decode(bundle["image/jpeg"]))) as small:
        assert (small.format, small.width) == ("JPEG", 1000)
    with Image.open(io.BytesIO(view.sheet)) as whole:
        assert whole.format == "PNG"
        assert whole.width > 1000


def test_a_viewer_in_a_kernel_and_the_sheet_for_later_readers(blocks, kernel) -> None:
    bundle = vt.show(*blocks)._repr_mimebundle_()
    assert {WIDGET, "image/jpeg"} <= set(bundle)


def test_no_viewer_where_none_is_installed(kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    assert viewer.can_be_shown()
    monkeypatch.setattr(viewer, "find_spec", lambda _: None)
    assert not viewer.can_be_shown()


def volume_of(shown, index: int) -> nib.Nifti1Image:
    return nib.Nifti1Image.from_bytes(gzip.decompress(shown.volumes[index].data))


def test_the_viewer_is_given_scan_and_labels_where_they_lie(blocks) -> None:
    volume, labels = blocks
    shown = viewer.viewer(volume, labels)
    scan, numbers = volume_of(shown, 0), volume_of(shown, 1)
    np.testing.assert_array_equal(np.asarray(numbers.dataobj), labels.voxels)
    np.testing.assert_array_equal(np.asarray(scan.dataobj), np.rint(volume.voxels))
    for image in (scan, numbers):
        np.testing.assert_allclose(image.affine, volume.grid.affine, atol=1e-4)
    table = shown.volumes[1].colormap_label
    assert table.labels == ["", "first", "second", "third"]
    assert table.lut[:8] == [0, 0, 0, 0, 0xFF, 0x4D, 0x4D, 255]


def test_of_a_large_scan_the_part_around_the_labels(blocks, monkeypatch) -> None:
    volume, labels = blocks
    only = LabelMap(np.where(labels.voxels == 2, 2, 0).astype(np.uint8), labels.stored, {})
    monkeypatch.setattr(viewer, "LARGEST", 1)
    monkeypatch.setattr("voxtrail.picture.scene.MARGIN_MM", 0.0)
    shown = viewer.viewer(volume, only)
    numbers = volume_of(shown, 1)
    assert numbers.shape < labels.voxels.shape
    inside = np.argwhere(labels.voxels == 2).min(0)
    placed = numbers.affine @ [*np.argwhere(np.asarray(numbers.dataobj) == 2).min(0), 1]
    np.testing.assert_allclose(placed, volume.grid.affine @ [*inside, 1], atol=1e-3)


def test_the_viewers_script_comes_with_its_package() -> None:
    """Nothing is fetched: the script is sent by the kernel, and imports none from elsewhere."""
    script = str(ipyniivue.NiiVue._esm)
    assert len(script) > 10**6
    for word in ('from "http', "from 'http", 'import("http', "import('http", "importScripts("):
        assert word not in script


def test_labels_of_another_grid_are_refused_at_once(blocks) -> None:
    volume, _ = blocks
    other = LabelMap.from_stored(np.ones((4, 5, 6), np.uint8), np.eye(4))
    with pytest.raises(GridError, match="different grids"):
        vt.show(volume, other)


def test_a_result_shows_itself(blocks, nano: Path) -> None:
    volume, labels = blocks
    config = vt.Config(model=str(nano), device="cpu", quality=False)
    result = vt.segment(volume, simulate(labels, "first-last"), config)
    assert result.volume is volume
    assert "image/jpeg" in result.show()._repr_mimebundle_()
