"""``voxtrail dataset`` on a phantom."""

from __future__ import annotations

import json

import pytest

from voxtrail.datasets.phantom import write_dataset


@pytest.fixture(scope="module")
def phantom(tmp_path_factory):
    folder = tmp_path_factory.mktemp("phantom") / "data"
    write_dataset(folder, 1, 3)
    return folder


def test_scan_prints_the_papers_tables(voxtrail, phantom) -> None:
    said = voxtrail("dataset", "scan", phantom, "--quiet")
    assert (said.code, said.err) == (0, "")
    for number in ("II", "III", "IV"):
        assert f"Table {number}:" in said.out
    rows = json.loads(voxtrail("dataset", "scan", phantom, "--json", "--quiet").out)
    table = rows["Table IV: structures a type"]
    assert len(table) == 11
    assert table[-1]["type"] == "total"


def test_sample_writes_once(voxtrail, phantom, tmp_path) -> None:
    place = tmp_path / "manifest.csv"
    arguments = ["dataset", "sample", phantom, "-o", place, "--per-type", 1, "--quiet"]
    said = voxtrail(*arguments)
    assert said.code == 2
    assert "--allow-short" in said.err
    assert not place.exists()
    assert voxtrail(*arguments, "--allow-short").code == 0
    first = place.read_bytes()
    again = voxtrail(*arguments, "--allow-short")
    assert again.code == 2
    assert "exists" in again.err
    assert voxtrail(*arguments, "--allow-short", "--force").code == 0
    assert place.read_bytes() == first


def test_a_folder_that_is_no_dataset_is_refused(voxtrail, tmp_path) -> None:
    said = voxtrail("dataset", "scan", tmp_path)
    assert said.code == 2
    assert said.err.startswith("error: the dataset holds no subject; received: ")
