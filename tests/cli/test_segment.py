"""``voxtrail segment`` on real files."""

import json

import nibabel as nib
import numpy as np
import pytest

import voxtrail as vt
from tests.cli.files import outlined, save, stored, stored_labels
from tests.io import series
from tests.scans import ORDERS, oblique_affine, reorder, three_blocks
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.session import Config


def test_labels_and_record_appear_on_the_scans_own_grid(case, segment_args, voxtrail):
    said = voxtrail(*segment_args)
    assert said.code == 0
    names = {"ct.nii.gz", "truth.nii.gz", "prompts.nii.gz", "seg.nii.gz", "seg.json"}
    assert {path.name for path in case.iterdir()} == names
    ct, seg = nib.load(case / "ct.nii.gz"), nib.load(case / "seg.nii.gz")
    assert seg.affine.tobytes() == ct.affine.tobytes()
    assert np.array_equal(ct.affine, stored()[1])
    assert seg.header.get_sform().tobytes() == ct.header.get_sform().tobytes()
    assert seg.header.get_zooms() == ct.header.get_zooms()
    assert seg.shape == ct.shape
    assert seg.get_data_dtype() == np.uint8
    found = np.asarray(seg.dataobj)
    drawn = outlined()
    prompted = drawn.any(axis=(0, 2))
    assert prompted.sum() == 2
    np.testing.assert_array_equal(found[:, prompted], drawn[:, prompted])
    record = json.loads((case / "seg.json").read_text())
    assert record["outputs"] == {"labels": ["seg.nii.gz"]}
    assert record["patient_data"] == []
    assert [label["voxels"] for label in record["labels"]] == [
        int((found == label).sum()) for label in (1, 2, 3)
    ]
    for line in ("1 1: ", "2 2: ", "3 3: ", "seg.nii.gz in ", "not a medical device"):
        assert line in said.out
    assert "slices" in said.err
    assert "14 x 9 x 12 voxels" in said.err


@pytest.mark.parametrize("order", ORDERS[3::11], ids=str)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd"])
def test_an_oblique_affine_survives_to_the_last_bit(order, suffix, tmp_path, nano, voxtrail):
    hu, affine = reorder(three_blocks()[0], oblique_affine(), order)
    # Only what float32 holds can be in a NIfTI file.
    affine = affine.astype(np.float32).astype(np.float64)
    labels = three_blocks()[1].copy()
    labels[..., [0, 1, 2, 3, 5, 6, 7, 8]] = 0
    ct, seg, prompts = tmp_path / f"ct{suffix}", tmp_path / f"s{suffix}", tmp_path / "p.nii.gz"
    vt.write(Volume.from_stored(hu, affine), ct)
    save(prompts, reorder(labels, oblique_affine(), order)[0], affine)
    said = voxtrail(
        "segment", ct, prompts, "-o", seg, "--model", nano, "--crop", "none", "--extent", "prompts",
        "--quiet",
    )  # fmt: skip
    assert said.code == 0, said.err
    assert said.err == ""
    before, after = vt.read(ct), vt.read(seg)
    assert after.stored.shape == before.stored.shape
    assert after.stored.affine.tobytes() == before.stored.affine.tobytes()
    assert after.stored.spacing_mm == before.stored.spacing_mm


def test_what_was_done_to_a_dicom_series_is_said_and_recorded(tmp_path, nano, voxtrail):
    images = series.classic()
    slices = [images[n] for n in (0, 1, 2, 3, 4, 5, 4)]
    images[2].ImagePositionPatient = [round(mm, 6) for mm in series.place_lps(0, 0, 2.01)]
    scan = vt.read(series.save(slices, tmp_path / "ct"))
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[3:8, 2:7, [1, 4]] = 1
    vt.write(LabelMap.from_stored(voxels, scan.stored.affine), tmp_path / "p.nii.gz")
    said = voxtrail(
        "segment", tmp_path / "ct", tmp_path / "p.nii.gz", "-o", tmp_path / "seg.nii.gz",
        "--model", nano, "--crop", "none",
    )  # fmt: skip
    assert said.code == 0, said.err
    expected = [
        "left out: 1 exact copies of slices",
        "placed evenly: 1 of 6 slices, which headers put up to 0.025 mm off the even spacing of "
        "2.5 mm",
    ]
    assert json.loads((tmp_path / "seg.json").read_text())["warnings"] == expected
    for line in expected:
        assert said.err.splitlines().count(f"warning: {line}") == 1


def test_structures_that_are_chosen_are_recorded(case, segment_args, voxtrail):
    said = voxtrail(*segment_args, "--structures", "3,1")
    assert said.code == 0, said.err
    record = json.loads((case / "seg.json").read_text())
    assert record["inputs"]["structures"] == ["3", "1"]
    assert [label["label"] for label in record["labels"]] == [1, 3]
    assert vt.read_labels(case / "seg.nii.gz").labels() == (1, 3)


def test_a_scan_placed_by_its_qform_alone_keeps_its_place(tmp_path, nano, voxtrail):
    image = nib.Nifti1Image(three_blocks()[0], None)
    image.set_qform(oblique_affine(), 1)
    image.set_sform(None, 0)
    image.to_filename(tmp_path / "ct.nii.gz")
    place = nib.load(tmp_path / "ct.nii.gz").affine
    labels = three_blocks()[1].copy()
    labels[..., :4] = labels[..., 5:] = 0
    save(tmp_path / "drawn.nii.gz", labels, place)
    said = voxtrail(
        "segment", tmp_path / "ct.nii.gz", tmp_path / "drawn.nii.gz", "-o", tmp_path / "s.nii.gz",
        "--model", nano, "--crop", "none", "--extent", "prompts",
    )  # fmt: skip
    assert said.code == 0, said.err
    after = nib.load(tmp_path / "s.nii.gz")
    assert np.array_equal(after.affine, place)
    assert (int(after.header["sform_code"]), int(after.header["qform_code"])) == (0, 1)


def test_what_dice_is_to_be_expected_is_printed_and_recorded(case, segment_args, voxtrail):
    drawn = stored_labels()
    drawn[:, 4] = 0  # an axial slice, as they are stored
    save(case / "prompts.nii.gz", drawn)
    said = voxtrail(*segment_args, "--axes", "axial", "--uncertainty", case / "u.nii.gz")
    assert said.code == 0, said.err
    record = json.loads((case / "seg.json").read_text())
    for label in record["labels"]:
        told = label["expected_dice"]
        assert told.keys() == {"dice", "spread", "outlines"}
        assert told["outlines"] == len(label["left_out"]) > 0
        assert (
            f"expected Dice between outlines {told['dice']:.2f} +- {told['spread']:.2f} "
            f"({told['outlines']} outline"
        ) in said.out
    assert record["outputs"]["uncertainty"] == "u.nii.gz"
    unsure = nib.load(case / "u.nii.gz")
    np.testing.assert_array_equal(unsure.affine, nib.load(case / "ct.nii.gz").affine)
    values = np.asarray(unsure.dataobj)
    assert (values.shape, values.dtype) == ((*stored()[0].shape, 3), np.float32)
    assert 0 <= values.min() < values.max() <= 1
    for number in (1, 2, 3):
        of_label = (drawn == number).any(axis=(0, 2))
        assert not values[:, of_label, :, number - 1].any()


@pytest.mark.parametrize("more", [("--no-quality",), ()])
def test_an_expectation_that_cannot_be_told_is_no_number(more, case, segment_args, voxtrail):
    said = voxtrail(*segment_args, *more)  # two outlined slices
    assert "expected Dice unknown" in said.out
    record = json.loads((case / "seg.json").read_text())
    assert [label["expected_dice"] for label in record["labels"]] == [None] * 3
    assert record["config"]["quality"] is not bool(more)


def test_quiet_says_nothing_and_json_says_json_only(case, segment_args, voxtrail):
    said = voxtrail(*segment_args, "--quiet", "--json")
    assert (said.code, said.err) == (0, "")
    assert json.loads(said.out) == json.loads((case / "seg.json").read_text())


def without_times(record):
    return {key: value for key, value in record.items() if key != "seconds"}


def test_equal_runs_give_equal_bytes(case, segment_args, voxtrail):
    more = ["--probabilities", case / "p.nii.gz", "--overlay", case / "o.png", "--force", "--quiet"]
    results = []
    for _ in range(2):
        assert voxtrail(*segment_args, *more).code == 0
        files = [(case / name).read_bytes() for name in ("seg.nii.gz", "p.nii.gz", "o.png")]
        results.append((files, without_times(json.loads((case / "seg.json").read_text()))))
    assert results[0] == results[1]
    shares = np.asarray(nib.load(case / "p.nii.gz").dataobj)
    assert shares.shape == (*stored()[0].shape, 3)
    assert shares.dtype == np.float32
    found = np.asarray(nib.load(case / "seg.nii.gz").dataobj)
    assert (shares[found == 2, 1] > 0.5).all()
    assert results[0][0][2].startswith(b"\x89PNG")
    assert results[0][1]["outputs"] == {
        "labels": ["seg.nii.gz"],
        "probabilities": "p.nii.gz",
        "overlay": "o.png",
    }


def test_the_recorded_configuration_runs_again_to_the_same_labels(case, segment_args, voxtrail):
    options = ["--memory", "gate:k=2", "--window", "40,400+clahe", "--direction", "both"]
    assert voxtrail(*segment_args, *options).code == 0
    record = json.loads((case / "seg.json").read_text())
    config = Config(**record["config"])
    assert (config.memory, config.window) == ("gate:k=2,by=iou", "soft+clahe")
    scan = vt.read(case / "ct.nii.gz")
    result = vt.segment(scan, vt.read_prompts(case / "prompts.nii.gz", like=scan), config)
    np.testing.assert_array_equal(result.labels.voxels, vt.read_labels(case / "seg.nii.gz").voxels)


def test_labels_kept_apart_get_a_file_each(case, segment_args, voxtrail):
    assert voxtrail(*segment_args, "--overlap", "apart", "-o", case / "Seg.NII.gz").code == 0
    record = json.loads((case / "Seg.json").read_text())
    joined, *apart = record["outputs"]["labels"]
    assert joined == "Seg.NII.gz"
    assert apart == [f"Seg.label-{label}.NII.gz" for label in (1, 2, 3)]
    masks = [np.asarray(nib.load(case / name).dataobj) for name in apart]
    assert [int(mask.sum()) for mask in masks] == [label["voxels"] for label in record["labels"]]
    shared = np.asarray(nib.load(case / "Seg.NII.gz").dataobj)
    assert all((mask[shared == label] == 1).all() for label, mask in enumerate(masks, start=1))


def test_an_existing_output_is_replaced_by_force(case, segment_args, voxtrail):
    (case / "seg.nii.gz").write_text("old")
    assert voxtrail(*segment_args, "--force").code == 0
    assert vt.read_labels(case / "seg.nii.gz").labels()


def test_warnings_are_said_and_recorded(case, segment_args, voxtrail):
    said = voxtrail(*segment_args, "--axes", "axial,coronal", "--extent", "prompts")
    assert "warning: 1: nothing was drawn on coronal slices" in said.err
    record = json.loads((case / "seg.json").read_text())
    assert len(record["warnings"]) == 3
    assert record["config"]["axes"] == ["axial", "coronal"]


def test_json_prompts_on_every_axis_in_stored_voxels(case, segment_args, voxtrail):
    simulated = case / "drawn.json"
    said = voxtrail(
        "simulate", case / "truth.nii.gz", "-o", simulated, "--axes", "axial,coronal,sagittal",
        "--slices", "middle",
    )  # fmt: skip
    assert said.code == 0
    segment_args[2] = simulated
    axes = "axial,coronal,sagittal"
    assert voxtrail(*segment_args, "--axes", axes, "--extent", "all").code == 0
    found = np.asarray(nib.load(case / "seg.nii.gz").dataobj)
    truth = np.asarray(nib.load(case / "truth.nii.gz").dataobj)
    along = {"sagittal": 0, "axial": 1, "coronal": 2}  # the stored axis of each, by conftest.ORDER
    for prompt in json.loads(simulated.read_text())["prompts"]:
        here = [np.take(a, prompt["slice"], along[prompt["axis"]]) for a in (found, truth)]
        np.testing.assert_array_equal(*(a == prompt["label"] for a in here))


def test_what_fails_midway_leaves_nothing(case, segment_args, voxtrail, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("voxtrail.picture.contact_sheet", fail)
    before = sorted(path.name for path in case.iterdir())
    said = voxtrail(*segment_args, "--overlay", case / "o.png", "--quiet")
    assert said.code == 1
    assert said.err == "error: the work failed: MemoryError\n"
    assert sorted(path.name for path in case.iterdir()) == before


def test_an_interrupted_run_leaves_nothing(case, segment_args, voxtrail, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("voxtrail.session.segment", interrupt)
    before = sorted(path.name for path in case.iterdir())
    said = voxtrail(*segment_args, "--quiet")
    assert said.code == 130
    assert said.err == "interrupted; no file is half written\n"
    assert sorted(path.name for path in case.iterdir()) == before


def test_a_gif_scrolls_through_the_slices(case, segment_args, voxtrail):
    assert voxtrail(*segment_args, "--overlay", case / "scroll.gif", "--quiet").code == 0
    assert (case / "scroll.gif").read_bytes().startswith(b"GIF8")


def test_a_second_run_finds_what_the_first_one_cached(segment_args, case, voxtrail):
    more = ["--cache", case / "cache", "--quiet", "--json", "--force"]
    first = json.loads(voxtrail(*segment_args, *more).out)
    labels = (case / "seg.nii.gz").read_bytes()
    second = json.loads(voxtrail(*segment_args, *more).out)
    assert first["slices"]["encoded"] > 0
    assert first["predictions"]["segmented"] > 0
    assert second["slices"] == {"encoded": 0, "reused": 0}  # nothing had to be looked at
    assert second["predictions"]["segmented"] == 0
    assert second["predictions"]["reused"] > 0
    assert (case / "seg.nii.gz").read_bytes() == labels


def test_outlines_of_another_plane_are_carried_along_it_and_said(case, nano, voxtrail):
    """The record tells label, plane and slices, as stored; so do the axes that it names."""
    labels = stored_labels()
    drawn = np.zeros_like(labels)
    filled = np.flatnonzero((labels == 1).any(axis=(1, 2)))  # stored axis 0 runs to the left
    slices = [filled[1], filled[-2]]
    drawn[slices] = labels[slices] == 1
    save(case / "prompts.nii.gz", drawn)
    said = voxtrail(
        "segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
        "--model", nano, "--crop", "none", "--extent", "prompts",
    )  # fmt: skip
    assert said.code == 0, said.err
    record = json.loads((case / "s.json").read_text())
    assert record["config"]["axes"] == ["sagittal"]
    words = f"1: taken as outlined on sagittal slices {slices[0]}, {slices[1]} (as stored)"
    assert words in record["warnings"]
    assert words in said.err
    found = np.asarray(nib.load(case / "s.nii.gz").dataobj)
    np.testing.assert_array_equal(found[slices], drawn[slices])


def test_labels_a_hair_off_the_scans_grid_are_put_on_it_and_said(case, nano, voxtrail):
    affine = stored()[1].copy()
    affine[:3, 3] += affine[:3, 1] * 0.02
    save(case / "prompts.nii.gz", outlined(), affine)
    said = voxtrail(
        "segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
        "--model", nano, "--crop", "none",
    )  # fmt: skip
    assert said.code == 0, said.err
    warnings = json.loads((case / "s.json").read_text())["warnings"]
    assert any("voxels) off the scan's grid" in one for one in warnings)
    scan, out = (nib.load(case / name) for name in ("ct.nii.gz", "s.nii.gz"))
    assert np.array_equal(scan.affine, out.affine)


def test_other_peoples_memories_and_their_search_are_recorded(case, segment_args, voxtrail):
    chosen = ("--search", "pathways:n=2", "--memory", "dam4sam", "--prompt-memory", "near:tau=0.3")
    assert voxtrail(*segment_args, *chosen).code == 0
    config = json.loads((case / "seg.json").read_text())["config"]
    assert config["search"] == "pathways:n=2,spread=0.05"
    assert config["memory"].startswith("dam4sam:iou=0.8,change=0.2,")
