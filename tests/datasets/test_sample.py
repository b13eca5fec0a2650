"""Balanced draws and the manifest that keeps them."""

from __future__ import annotations

import pytest

from voxtrail.datasets.manifest import CHECKSUM, COLUMNS, _chain, read_manifest, write_manifest
from voxtrail.datasets.sample import sample
from voxtrail.errors import InputError


@pytest.fixture
def manifest(dataset, tmp_path):
    path = tmp_path / "manifest.csv"
    write_manifest(sample(dataset, 2, 0, allow_short=True), path)
    return path


def test_too_few_are_counted(dataset) -> None:
    with pytest.raises(InputError, match=r"received: 2 vertebrae, 0 rib, .*--allow-short"):
        sample(dataset, 3, 0)


def test_draws_are_balanced_and_long_enough(dataset) -> None:
    drawn = sample(dataset, 2, 0, allow_short=True).structures
    assert [item.bone_type for item in drawn].count("hip") == 2
    assert {item.structure for item in drawn if item.bone_type == "vertebrae"} == {"vertebrae_L5"}


def test_the_seed_decides(dataset) -> None:
    def hips(seed: int) -> set[tuple[str, str]]:
        drawn = sample(dataset, 2, seed, allow_short=True).structures
        return {(item.case, item.structure) for item in drawn if item.bone_type == "hip"}

    assert hips(3) == hips(3)
    assert len({frozenset(hips(seed)) for seed in range(8)}) > 1


def test_boxes_are_in_ras(dataset) -> None:
    # hip_left: stored x 2..7 of 20, flipped: 12..17; y 3..8 of 18, flipped: 9..14
    (hip,) = (
        item
        for item in sample(dataset, 4, 0, allow_short=True).structures
        if (item.case, item.structure) == ("s0000", "hip_left")
    )
    assert (hip.box.start, hip.box.stop) == ((12, 9, 1), (18, 15, 12))
    assert hip.axial_slices == 11


def test_a_manifest_reads_back(dataset, manifest) -> None:
    read = read_manifest(manifest)
    assert read == sample(dataset, 2, 0, allow_short=True)
    assert manifest.read_text().strip().endswith(read.checksum)
    read.verify(dataset)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [lines[0], lines[1].replace("hip_", "hips_"), *lines[2:]],
        lambda lines: [*lines[:-1], lines[-1].replace("s000", "s001")],
        lambda lines: lines[:-1],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
    ],
    ids=["edited", "last edited", "lost", "added", "swapped"],
)
def test_a_changed_manifest_is_refused(manifest, damage) -> None:
    lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join(damage(lines)) + "\n")
    with pytest.raises(InputError, match="was changed after it was written"):
        read_manifest(manifest)


@pytest.mark.parametrize("text", ["", "case,structure\n", "\x00\x01", "case\n" * 3])
def test_what_is_no_manifest_is_refused(tmp_path, text) -> None:
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="is no manifest"):
        read_manifest(path)


@pytest.mark.parametrize("box", ["1:4 1:4", "1:4 1:4 1:4 1:4", "1:4 1:4 4:1", "-1:4 1:4 1:4",
                                 "1:4 1:4 1:99", "1 1 1", ""])  # fmt: skip
def test_a_box_that_is_none_is_refused_though_the_checksums_fit(manifest, box) -> None:
    rows = [line.split(",")[:-1] for line in manifest.read_text().splitlines()]
    for row in rows[1:]:
        row[COLUMNS.index("box")] = box
    sums = [CHECKSUM, *_chain(rows[1:])]
    manifest.write_text("\n".join(map(",".join, zip(map(",".join, rows), sums, strict=True))))
    with pytest.raises(InputError, match="is no manifest; received: row 1"):
        read_manifest(manifest)


def test_data_of_another_size_are_refused(dataset, manifest, replace_mask) -> None:
    drawn = read_manifest(manifest)
    for name in ("hip_left", "hip_right", "vertebrae_L5"):
        replace_mask(name)
    with pytest.raises(InputError, match=r"not those of the manifest \(\d files differ\)"):
        drawn.verify(dataset)


def test_the_first_of_each_type(dataset) -> None:
    fewer = sample(dataset, 2, 0, allow_short=True).first_of_each_type(1)
    assert sorted(item.bone_type for item in fewer.structures) == ["hip", "vertebrae"]
