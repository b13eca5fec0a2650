"""The files: TotalSegmentator's layout, whole, equal byte for byte."""

import nibabel as nib
import numpy as np
import pytest

from voxtrail.datasets.phantom import META_COLUMNS, make_subject, write_dataset
from voxtrail.errors import OptionError, OutputError


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    root = tmp_path_factory.mktemp("phantom") / "data"
    return root, write_dataset(root, 1, 4, regions=("demo",))


def content(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_the_layout_is_totalsegmentators(written):
    root, folders = written
    assert folders == [root / "s0000"]
    subject = make_subject(4, 0, "demo")
    names = {p.name for p in (root / "s0000" / "segmentations").iterdir()}
    assert names == {f"{name}.nii.gz" for name in subject.masks}
    ct = nib.load(root / "s0000" / "ct.nii.gz")
    assert ct.get_data_dtype() == np.int16
    np.testing.assert_array_equal(np.asanyarray(ct.dataobj), subject.hu)
    np.testing.assert_allclose(ct.affine, subject.affine, atol=1e-5)
    hip = nib.load(root / "s0000" / "segmentations" / "hip_left.nii.gz")
    assert hip.get_data_dtype() == np.uint8
    np.testing.assert_array_equal(np.asanyarray(hip.dataobj), subject.masks["hip_left"])


def test_the_table_has_its_mark_separator_and_columns(written):
    raw = (written[0] / "meta.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    head, row = raw.decode("utf-8-sig").splitlines()
    assert head == ";".join(META_COLUMNS)
    assert row.split(";")[0] == "s0000"
    assert len(row.split(";")) == len(META_COLUMNS)


def test_equal_seeds_give_equal_bytes(written, tmp_path):
    write_dataset(tmp_path / "again", 1, 4, regions=("demo",))
    assert content(tmp_path / "again") == content(written[0])


def test_existing_subjects_are_kept_unless_forced(written, tmp_path):
    root = tmp_path / "data"
    stale = root / "s0000" / "segmentations" / "skull.nii.gz"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"an earlier run's")
    with pytest.raises(OutputError, match="already holds subjects"):
        write_dataset(root, 1, 4, regions=("demo",))
    assert stale.exists()
    told = []
    write_dataset(root, 1, 4, regions=("demo",), force=True, on_subject=told.append)
    assert told == [root / "s0000"]
    assert content(root) == content(written[0])


def test_requests_that_cannot_be_met_are_refused_before_any_work(tmp_path):
    with pytest.raises(OptionError, match="out of range"):
        write_dataset(tmp_path / "data", 0, 0)
    with pytest.raises(OutputError, match="not there"):
        write_dataset(tmp_path / "no" / "parent", 1, 0)
    assert list(tmp_path.iterdir()) == []
