"""What a folder in TotalSegmentator's layout is made of."""

from __future__ import annotations

import gzip
import struct

import pytest

from voxtrail.datasets.bones import BONE_TYPES, TYPE_OF_CLASS, bone_type
from voxtrail.datasets.composition import scan
from voxtrail.errors import GridError, ImageError, InputError


def test_there_are_the_papers_ten_types_of_63_classes() -> None:
    # 25 vertebrae, 24 ribs, five pairs, three single bones
    assert len(BONE_TYPES) == 10
    assert len(TYPE_OF_CLASS) == 25 + 24 + 5 * 2 + 3


def test_empty_and_missing_masks_are_absent(dataset) -> None:
    found = scan(dataset)
    assert found.cases == 2
    assert found.files["sacrum"] == 1
    assert found.present["sacrum"] == 0
    assert found.present["hip_left"] == 2
    assert "liver" not in found.files


def test_structures_on_six_slices_or_fewer_are_not_usable(dataset) -> None:
    found = scan(dataset)
    assert found.present["vertebrae_S1"] == 2
    assert found.usable["vertebrae_S1"] == 0
    vertebrae = found.table_iv()[0]
    assert (vertebrae["type"], vertebrae["present"], vertebrae["ablation"]) == ("vertebrae", 4, 2)


def test_several_jobs_count_the_same(dataset) -> None:
    assert scan(dataset, jobs=2) == scan(dataset)


def test_a_mask_on_another_grid_is_refused(dataset, replace_mask) -> None:
    import numpy as np

    replace_mask("hip_left", (slice(2, 8),) * 3, np.diag([-2.0, -2.0, 2.0, 1.0]))
    with pytest.raises(GridError, match="s0000/hip_left lies on another grid than the scan"):
        scan(dataset)


def test_a_scan_whose_gzip_stream_breaks_off_or_is_damaged_is_refused(dataset) -> None:
    place = dataset / "s0000/ct.nii.gz"
    whole = place.read_bytes()
    for harmed in (whole[:12] + b"\xff" * 40 + whole[52:], whole[:30], b"", b"dear diary"):
        place.write_bytes(harmed)
        with pytest.raises(ImageError, match=r"ct\.nii\.gz (cannot be read|is not a NIfTI file)"):
            scan(dataset)


def test_what_nibabel_mends_in_a_header_is_not_logged(dataset, caplog) -> None:
    place = dataset / "s0000/ct.nii.gz"
    header = bytearray(gzip.decompress(place.read_bytes()))
    header[108:112] = struct.pack("<f", float("nan"))  # where the voxels start
    place.write_bytes(gzip.compress(bytes(header)))
    assert scan(dataset).cases == 2
    assert not caplog.records


def test_a_class_that_is_no_bone_but_is_called_like_one_is_refused(dataset, replace_mask) -> None:
    replace_mask("rib_left_13")
    with pytest.raises(InputError, match=r"unknown bone class.*rib_left_13.*rib_left_12"):
        scan(dataset)


def test_unknown_classes_list_one_of_each_type() -> None:
    with pytest.raises(InputError, match=r"accepted: vertebrae_C1, rib_left_1, .* and their kin"):
        bone_type("tibia_left")


def test_a_missing_ct_is_named(dataset) -> None:
    (dataset / "s0001/ct.nii.gz").unlink()
    assert scan(dataset).cases == 1  # no subject without a CT
    (dataset / "s0000/ct.nii.gz").write_bytes(b"no image")
    with pytest.raises(ImageError, match=r"ct\.nii\.gz is not a NIfTI file"):
        scan(dataset)


def test_a_folder_without_subjects_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="holds no subject"):
        scan(tmp_path)
    with pytest.raises(InputError, match="no such dataset"):
        scan(tmp_path / "nowhere")
