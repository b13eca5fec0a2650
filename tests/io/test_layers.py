"""Segmentations in layers, as 3D Slicer saves segments that share voxels."""

import numpy as np
import pytest
import SimpleITK

import voxtrail.io as vio
from tests.io.conftest import oblique_affine
from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import ImageError, OutputError

SHAPE = (9, 8, 7)


def masks():
    organ = np.zeros(SHAPE, bool)
    organ[1:6, 1:6, 2:5] = True
    tumour = np.zeros(SHAPE, bool)
    tumour[3:8, 2:5, 3:4] = True
    apart = np.zeros(SHAPE, bool)
    apart[7:, 6:, 6:] = True
    return {"organ": organ, "tumour": tumour, "apart": apart}


def save(path, layers, segments):
    """Layers (i, j, k) and segments as (name, value, layer)."""
    image = SimpleITK.GetImageFromArray(np.stack(layers, -1).transpose(2, 1, 0, 3), isVector=True)
    lps = np.diag([-1, -1, 1, 1]) @ oblique_affine()
    sizes = np.linalg.norm(lps[:3, :3], axis=0)
    image.SetSpacing(sizes.tolist())
    image.SetDirection((lps[:3, :3] / sizes).ravel().tolist())
    image.SetOrigin(lps[:3, 3].tolist())
    for number, (name, value, layer) in enumerate(segments):
        image.SetMetaData(f"Segment{number}_Name", name)
        image.SetMetaData(f"Segment{number}_LabelValue", str(value))
        image.SetMetaData(f"Segment{number}_Layer", str(layer))
    SimpleITK.WriteImage(image, str(path), useCompression=True)
    return path


@pytest.mark.parametrize(
    ("values", "labels"), [((1, 1, 2), (1, 2, 3)), ((5, 7, 6), (5, 7, 6)), ((1, 2, 2), (1, 2, 3))]
)
def test_segments_in_layers_are_labels_each(values, labels, tmp_path):
    found = masks()
    first = found["organ"] * values[0] + found["apart"] * values[2]
    layers = [first.astype(np.uint8), (found["tumour"] * values[1]).astype(np.uint8)]
    segments = [("organ", values[0], 0), ("tumour", values[1], 1), ("apart", values[2], 0)]
    path = save(tmp_path / "a.seg.nrrd", layers, segments)
    read = vio.read_labels(path)
    assert read.names == dict(zip(labels, found, strict=True))
    for label, mask in zip(labels, found.values(), strict=True):
        np.testing.assert_array_equal(read.stored.orientation().to_stored(read.mask(label)), mask)
    chosen = vio.read_labels(path, structures=["tumour"])
    assert (chosen.labels(), chosen.names) == ((labels[1],), {labels[1]: "tumour"})


def test_they_are_prompts_that_share_voxels(tmp_path):
    found = masks()
    layers = [found["organ"].astype(np.uint8), found["tumour"].astype(np.uint8)]
    path = save(tmp_path / "a.seg.nrrd", layers, [("organ", 1, 0), ("tumour", 1, 1)])
    scan = Volume.from_stored(np.zeros(SHAPE, np.int16), oblique_affine())
    prompts = vio.read_prompts(path, like=scan, planes=[Axis.AXIAL])
    assert prompts.names == {1: "organ", 2: "tumour"}
    shared = [prompts.of(label, Axis.AXIAL) for label in (1, 2)]
    both = {one.slice_index: one.mask for one in shared[0]}
    assert any((both[one.slice_index] & one.mask).any() for one in shared[1])


def test_a_value_that_no_segment_describes_keeps_a_number_of_its_own(tmp_path):
    found = masks()
    layers = [found["organ"].astype(np.uint8), found["tumour"].astype(np.uint8) * 9]
    read = vio.read_labels(save(tmp_path / "a.seg.nrrd", layers, [("organ", 1, 0)]))
    assert (read.labels(), read.names) == ((1, 2), {1: "organ"})


def test_layers_are_no_scan_and_other_formats_have_one_number_a_voxel(tmp_path):
    layers = [mask.astype(np.uint8) for mask in masks().values()]
    for name in ("a.nrrd", "a.seg.nrrd"):
        path = save(tmp_path / name, layers, [])
        with pytest.raises(ImageError, match="3 numbers per voxel"):
            vio.read(path)
    with pytest.raises(ImageError, match="3 numbers per voxel"):
        vio.read_labels(tmp_path / "a.nrrd")


def test_labels_that_share_voxels_are_written_where_a_format_holds_them(tmp_path):
    scan = Volume.from_stored(np.zeros(SHAPE, np.int16), oblique_affine())
    stored = [scan.stored.orientation().to_canonical(mask) for mask in masks().values()]
    labels = LabelMap.of_masks(enumerate(stored, 1), scan.stored)
    for suffix in (".nii.gz", ".nrrd", ".mha", ".seg.nrrd"):
        with pytest.raises(OutputError, match=r"one label a voxel.*share voxels"):
            vio.write(labels, tmp_path / f"out{suffix}")
    pytest.importorskip("trimesh", reason="voxtrail[mesh]")
    assert len(vio.write(labels, tmp_path / "out.stl")) == 3
