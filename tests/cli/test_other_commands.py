"""``simulate``, ``evaluate``, ``models``, ``phantom``, ``demo`` and the command as a whole."""

import json

import numpy as np
import pydicom
import pytest

import voxtrail as vt
from tests.cli.files import outlined, save, stored_labels
from tests.io import series
from voxtrail.cli.demo import FILES
from voxtrail.core.axis import Axis
from voxtrail.core.volume import LabelMap
from voxtrail.model.catalogue import CATALOGUE

#: What CLI.md promises of each label, then what comes besides.
MEASURES = {
    "dice", "iou", "hausdorff_mm", "hausdorff95_mm", "assd_mm", "surface_dice_1vox",
    "surface_dice_2mm",
}  # fmt: skip
BESIDES = {"hausdorff_vox", "volume_ml", "truth_volume_ml"}
COUNTS = {"null_distances", "empty_labels"}


def evaluated(said):
    assert (said.code, said.err) == (0, "")
    return json.loads(said.out)


def test_a_perfect_segmentation_scores_perfectly(case, voxtrail):
    truth = case / "truth.nii.gz"
    table = evaluated(voxtrail("evaluate", truth, truth, "--json"))
    assert set(table) == {"labels", "mean"}
    assert set(table["labels"]) == {"1", "2", "3"}
    assert set(table["labels"]["1"]) == {"name"} | MEASURES | BESIDES
    assert set(table["mean"]) == MEASURES | BESIDES | COUNTS
    assert table["mean"]["dice"] == 1
    assert table["mean"]["hausdorff_mm"] == 0


def test_unprompted_slices_are_scored_apart(case, voxtrail):
    # Right on the prompted slices and nowhere else.
    found = evaluated(
        voxtrail(
            "evaluate", case / "prompts.nii.gz", case / "truth.nii.gz",
            "--prompts", case / "prompts.nii.gz", "--json",
        )
    )  # fmt: skip
    assert set(found) == {"labels", "mean", "unprompted"}
    assert set(found["unprompted"]) == {"labels", "mean"}
    assert set(found["unprompted"]["labels"]["2"]) == {"name"} | MEASURES | BESIDES
    # Label 2 has five slices, two of them outlined: 2 * 2 / (2 + 5).
    assert found["labels"]["2"]["dice"] == pytest.approx(4 / 7)
    assert found["unprompted"]["labels"]["2"]["dice"] == 0
    assert found["unprompted"]["labels"]["2"]["hausdorff_mm"] is None
    assert found["unprompted"]["mean"]["null_distances"] == 3


def test_an_empty_prediction_is_counted(case, voxtrail):
    save(case / "seg.nii.gz", np.where(stored_labels() == 1, 1, 0).astype(np.uint8))
    found = evaluated(voxtrail("evaluate", case / "seg.nii.gz", case / "truth.nii.gz", "--json"))
    assert found["labels"]["2"]["hausdorff_mm"] is None
    assert found["labels"]["2"]["dice"] == 0
    assert found["mean"]["dice"] == pytest.approx(1 / 3)
    assert found["mean"]["null_distances"] == 2


def test_binary_masks_are_named_after_their_files(case, voxtrail):
    for label, name in ((1, "hip_left"), (2, "sacrum"), (3, "femur")):
        save(case / f"{name}.nii.gz", (stored_labels() == label).astype(np.uint8))
    masks = [case / f"{name}.nii.gz" for name in ("hip_left", "sacrum", "femur")]
    found = evaluated(voxtrail("evaluate", case / "truth.nii.gz", *masks, "--json"))
    assert [label["name"] for label in found["labels"].values()] == ["hip_left", "sacrum", "femur"]
    said = voxtrail("evaluate", case / "truth.nii.gz", *masks)
    assert (said.code, said.err) == (0, "")
    for word in ("all slices", "Dice", "HD mm", "hip_left", "sacrum", "femur", "mean"):
        assert word in said.out
    assert "un-prompted" not in said.out


@pytest.fixture
def dicom(tmp_path):
    """A series, labels on it as NIfTI, and the same as both kinds of DICOM."""
    pytest.importorskip("highdicom", reason="highdicom is not installed (voxtrail[dicom])")
    folder = tmp_path / "dicom"
    folder.mkdir()
    scan = vt.read(series.save(series.classic(), folder / "ct"))
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[2:7, 3:8, 1:4] = 1
    voxels[8:11, 2:6, 2:5] = 4
    names = {1: "hip_left", 4: "sacrum"}
    labels = LabelMap.from_stored(voxels, scan.stored.affine, names, scan.provenance)
    for suffix in ("nii.gz", "dcm", "rtstruct.dcm"):
        vt.write(labels, folder / f"labels.{suffix}")
    return folder


@pytest.mark.parametrize("kind", ["dcm", "rtstruct.dcm"])
def test_labels_as_dicom_are_scored_and_score(kind, dicom, voxtrail):
    other, whole = dicom / f"labels.{kind}", dicom / "labels.nii.gz"
    for pair in ((other, whole), (whole, other), (other, other, "--like", dicom / "ct")):
        found = evaluated(voxtrail("evaluate", *pair, "--prompts", other, "--json"))
        assert found["mean"]["dice"] == 1
        assert found["labels"]["4"]["hausdorff_mm"] == 0
        assert [one["name"] for one in found["labels"].values()] == ["hip_left", "sacrum"]
    alone = voxtrail("evaluate", other, other)
    if kind == "dcm":
        assert (alone.code, alone.err) == (0, "")
    else:
        assert alone.code == 2
        assert "--like" in alone.err


@pytest.mark.parametrize("kind", ["dcm", "rtstruct.dcm"])
def test_prompts_are_simulated_from_dicom_on_the_scan(kind, dicom, voxtrail):
    place = dicom / "p.json"
    said = voxtrail(
        "simulate", dicom / f"labels.{kind}", "-o", place, "--slices", "middle",
        "--like", dicom / "ct",
    )  # fmt: skip
    assert (said.code, said.err) == (0, "")
    assert "4 sacrum: axial 3 (slice numbers as stored)" in said.out
    assert vt.read_prompts(place, like=vt.read(dicom / "ct")).labels() == (1, 4)


def test_the_scan_of_dicom_labels_is_chosen_among_several_series(dicom, voxtrail):
    other = series.classic()
    for number, one in enumerate(other):
        one.SeriesNumber = 9
        one.save_as(dicom / "ct" / f"other-{number}.dcm", enforce_file_format=True)
    arguments = ("labels.dcm", "labels.rtstruct.dcm", "--like", "ct")
    arguments = [dicom / one if one[0] != "-" else one for one in arguments]
    said = voxtrail("evaluate", *arguments)
    assert said.code == 2
    assert "several series" in said.err
    assert (
        evaluated(voxtrail("evaluate", *arguments, "--series", "2", "--json"))["mean"]["dice"] == 1
    )


def test_simulated_prompts_are_the_truth_on_chosen_slices(case, voxtrail):
    place = case / "p.nii.gz"
    said = voxtrail("simulate", case / "truth.nii.gz", "-o", place, "--slices", "first-last")
    assert (said.code, said.err) == (0, "")
    scan = vt.read(case / "ct.nii.gz")
    prompts = vt.read_prompts(place, like=scan)
    assert [[p.slice_index for p in prompts.of(label)] for label in (1, 2, 3)] == [
        [1, 7],
        [2, 6],
        [3, 8],
    ]
    # Stored from head to feet: of nine slices, the first is slice 8 of the body.
    assert "1 1: axial 1, 7 (slice numbers as stored)" in said.out
    assert "2 2: axial 2, 6" in said.out
    assert "3 3: axial 0, 5" in said.out


@pytest.mark.parametrize("slices", ["middle", "first-middle-last", "uniform:4"])
def test_simulated_json_holds_every_axis(slices, case, voxtrail):
    place = case / "p.json"
    axes = "axial,coronal,sagittal"
    said = voxtrail(
        "simulate", case / "truth.nii.gz", "-o", place, "--slices", slices, "--axes", axes
    )
    assert said.code == 0
    prompts = vt.read_prompts(place, like=vt.read(case / "ct.nii.gz"))
    count = {"middle": 1, "first-middle-last": 3, "uniform:4": 4}[slices]
    for label in (1, 2, 3):
        for axis in Axis:
            assert len(prompts.of(label, axis)) == count


@pytest.mark.parametrize("axes", ["coronal", "sagittal", "axial,sagittal"])
def test_a_label_map_of_other_planes_holds_what_json_does(axes, case, voxtrail):
    arguments = ("simulate", case / "truth.nii.gz", "--slices", "middle", "--axes", axes, "-o")
    scan, read = vt.read(case / "ct.nii.gz"), []
    for place in (case / "p.json", case / "p.nii.gz"):
        assert voxtrail(*arguments, place).code == 0
        drawn = vt.read_prompts(place, like=scan).prompts
        read.append({(one.label, one.axis, one.slice_index): one.mask for one in drawn})
    first, second = read
    assert first.keys() == second.keys()
    for place, mask in first.items():
        np.testing.assert_array_equal(mask, second[place])


def test_simulated_prompts_replace_others_by_force(case, voxtrail):
    said = voxtrail("simulate", case / "truth.nii.gz", "-o", case / "prompts.nii.gz", "--force")
    assert said.code == 0
    assert not np.array_equal(vt.read_labels(case / "prompts.nii.gz").to_stored(), outlined())


def test_models_prints_the_catalogue(case, voxtrail, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(case / "cache"))
    said = voxtrail("models")
    assert (said.code, said.err) == (0, "")
    lines = [line.split("\t") for line in said.out.splitlines()]
    assert [line[0] for line in lines] == list(CATALOGUE)
    by_name = {name: (about, licence, where) for name, about, licence, where in lines}
    assert by_name["micro"][2].startswith("bundled: ")
    assert "not SAM 2" in by_name["micro"][0]
    assert by_name["small"] == (
        "SAM 2.1 Hiera small",
        "Apache-2.0",
        "not here; from facebook/sam2.1-hiera-small",
    )
    assert by_name["large-2.0"][2].endswith("facebook/sam2-hiera-large")
    one = voxtrail("models", "tiny")
    assert one.out.splitlines() == ["\t".join(["tiny", *by_name["tiny"]])]


def test_phantom_writes_totalsegmentators_layout(case, voxtrail):
    data = case / "data"
    said = voxtrail("phantom", data, "--subjects", "1", "--seed", "3")
    assert said.code == 0
    assert said.out
    assert (data / "s0000" / "ct.nii.gz").is_file()
    assert list((data / "s0000" / "segmentations").glob("*.nii.gz"))
    assert (data / "meta.csv").is_file()


@pytest.mark.skipif(
    not (CATALOGUE["micro"].folder / "model.safetensors").is_file(),
    reason="the bundled checkpoint is still being trained",
)
def test_demo_goes_the_whole_way(case, voxtrail):
    said = voxtrail("demo", "-o", case / "demo", "--quiet")
    assert (said.code, said.err) == (0, "")
    assert {path.name for path in (case / "demo").iterdir()} == set(FILES)
    scores = json.loads((case / "demo" / "scores.json").read_text())
    assert scores["checkpoint"] == "micro (bundled; not SAM 2)"
    assert scores["unprompted"]["mean"]["dice"] > 0.5
    for word in ("un-prompted slices", "overlay.png", "not SAM 2's", "not a medical device"):
        assert word in said.out


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["segment", "--help"], ["--version"]])
def test_help_and_version(arguments, voxtrail):
    said = voxtrail(*arguments)
    assert (said.code, said.err) == (0, "")
    assert vt.__version__ in said.out or "Usage" in said.out


COMMANDS = ("segment", "simulate", "evaluate", "demo", "models", "phantom")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_documents_itself(command, voxtrail):
    said = voxtrail(command, "--help")
    assert said.code == 0
    assert command in voxtrail("--help").out


def with_body(dicom):
    """Return the RT structure set and the segmentation with a body around the structures."""
    scan = vt.read(dicom / "ct")
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[1:12, 1:9, 1:5] = 1
    body = LabelMap.from_stored(voxels, scan.stored.affine, {1: "BODY"}, scan.provenance)
    vt.write(body, dicom / "body.rtstruct.dcm")
    whole = pydicom.dcmread(dicom / "labels.rtstruct.dcm")
    more = pydicom.dcmread(dicom / "body.rtstruct.dcm")
    more.StructureSetROISequence[0].ROINumber = more.ROIContourSequence[0].ReferencedROINumber = 9
    more.StructureSetROISequence[0].ROIDescription = "label 9"
    whole.StructureSetROISequence.append(more.StructureSetROISequence[0])
    whole.ROIContourSequence.append(more.ROIContourSequence[0])
    whole.save_as(dicom / "all.rtstruct.dcm")
    return dicom / "all.rtstruct.dcm"


def test_structures_that_overlap_are_scored_as_they_are_and_chosen_by_name(dicom, voxtrail):
    truth, like = with_body(dicom), ("--like", dicom / "ct")
    found = evaluated(voxtrail("evaluate", dicom / "labels.nii.gz", truth, *like, "--json"))
    assert {one["name"]: one["dice"] for one in found["labels"].values()} == {
        "hip_left": 1, "sacrum": 1, "BODY": 0,
    }  # fmt: skip
    for chosen, numbers in (("sacrum", ["4"]), ("hip_left, sacrum", ["1", "4"])):
        for prediction in ("labels.nii.gz", "labels.dcm", "all.rtstruct.dcm"):
            found = evaluated(
                voxtrail("evaluate", dicom / prediction, truth, *like, "--structures", chosen,
                         "--prompts", truth, "--json")
            )  # fmt: skip
            assert list(found["labels"]) == numbers
            assert found["mean"]["dice"] == 1
    place = dicom / "p.json"
    said = voxtrail("simulate", truth, "-o", place, *like, "--structures", "BODY,hip_left")
    assert (said.code, said.err) == (0, "")
    assert vt.read_prompts(place, like=vt.read(dicom / "ct")).labels() == (1, 9)
    said = voxtrail("simulate", truth, "-o", place, *like, "--structures", "BODY", "--force")
    assert (said.code, said.err) == (0, "")
    assert vt.read_prompts(place, like=vt.read(dicom / "ct")).labels() == (9,)
    said = voxtrail("evaluate", dicom / "labels.nii.gz", truth, *like, "--structures", "body")
    assert said.code == 2
    assert "accepted: hip_left, sacrum, BODY" in said.err
    masks = (dicom / "labels.nii.gz",) * 3
    said = voxtrail("evaluate", *masks, "--structures", "sacrum")
    assert said.code == 2
    assert "from one file" in said.err
