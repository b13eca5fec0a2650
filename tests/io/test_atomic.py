"""Outputs appear whole or not at all."""

import pytest

from voxtrail.errors import OutputError
from voxtrail.io import check_writable, replacing


def test_an_exception_inside_leaves_nothing(tmp_path):
    def fail():
        with replacing(tmp_path / "out.json") as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_exception_inside_leaves_the_old_file(tmp_path):
    (tmp_path / "out.json").write_text("old")

    def fail():
        with replacing(tmp_path / "out.json", force=True) as temporary:
            temporary.write_text("half")
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        fail()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_the_file_is_not_there_until_the_block_ends(tmp_path):
    with replacing(tmp_path / "out.nii.gz") as temporary:
        temporary.write_text("whole")
        assert not (tmp_path / "out.nii.gz").exists()
        assert temporary.parent == tmp_path
        assert temporary.name.endswith(".nii.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["out.nii.gz"]


def test_a_file_that_came_meanwhile_is_kept(tmp_path):
    def write():
        with replacing(tmp_path / "out.json") as temporary:
            temporary.write_text("ours")
            (tmp_path / "out.json").write_text("theirs")

    with pytest.raises(OutputError, match="exists"):
        write()
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_a_refusing_system_is_an_output_error(tmp_path):
    def write():
        with replacing(tmp_path / "out.json"):
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device"):
        write()


def test_a_folder_is_no_output(tmp_path):
    with pytest.raises(OutputError, match="is a folder"):
        check_writable(tmp_path, force=True)
