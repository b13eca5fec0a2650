"""Bad input: exit 2, one line that says what, received, accepted and remedy, nothing written."""

import gzip
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.cli.files import outlined, save, stored, stored_labels
from voxtrail.core.grid import Grid
from voxtrail.model.official import SIGNATURE

SHAPE = stored()[0].shape


def rewrite_header(path: Path, **fields):
    """Change header fields that nibabel itself would not write."""
    content = gzip.decompress(path.read_bytes())
    header = nib.Nifti1Header(content[:348], check=False)
    for field, value in fields.items():
        header[field] = value
    path.write_bytes(gzip.compress(header.binaryblock + content[348:]))


def with_value(value):
    voxels = stored()[0].astype(np.float32)
    voxels[3, 2, 5] = value
    return voxels


def truncate(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


IMAGES = {
    "missing": (lambda path: path.unlink(), "does not exist"),
    "truncated": (truncate, "truncated"),
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "not an image": (lambda path: path.write_bytes(gzip.compress(b"dear diary" * 99)), "NIfTI"),
    "not even gzip": (lambda path: path.write_text("dear diary"), "NIfTI"),
    "four axes": (lambda path: save(path, np.zeros((*SHAPE, 2), np.int16)), "it has 4 axes"),
    "NaN": (lambda path: save(path, with_value(np.nan)), "NaN or infinite voxels"),
    "infinite": (lambda path: save(path, with_value(-np.inf)), "NaN or infinite voxels"),
    "one slice": (lambda path: save(path, np.zeros((14, 12, 1), np.int16)), "one-slice volume"),
    "singular affine": (lambda path: rewrite_header(path, srow_z=0), "singular"),
    "NaN affine": (lambda path: rewrite_header(path, srow_y=np.nan), "not a finite 4x4"),
}


@pytest.mark.parametrize("fault", IMAGES)
def test_a_scan_that_is_none(fault, case, segment_args, refused):
    spoil, words = IMAGES[fault]
    spoil(case / "ct.nii.gz")
    refused(*segment_args, words=(words, "ct.nii.gz"))


def test_a_scan_of_no_known_format(case, segment_args, refused):
    (case / "ct.docx").write_text("dear diary")
    segment_args[1] = case / "ct.docx"
    refused(*segment_args, words=(".nii.gz, .nrrd",))


def test_prompts_on_another_grid_say_both_grids(case, segment_args, refused):
    moved = stored()[1].copy()
    moved[:3, 3] += 3
    save(case / "prompts.nii.gz", outlined(), moved)
    error = refused(*segment_args, words=("another grid",))
    assert Grid(SHAPE, moved).describe() in error
    assert Grid(SHAPE, stored()[1]).describe() in error


LABEL_MAPS = {
    "no prompted slice": (lambda: np.zeros(SHAPE, np.uint8), "no prompted slice"),
    "fractional": (lambda: outlined() * np.float32(0.5), "fractional"),
    "negative": (lambda: -outlined().astype(np.int16), "negative"),
    "NaN": (lambda: np.where(outlined() > 0, np.nan, 0).astype(np.float32), "NaN"),
    "too large": (lambda: outlined().astype(np.int32) * 70000, "too large"),
    "open in every plane": (lambda: stored_labels(), "cannot be told"),
}


@pytest.mark.parametrize("fault", LABEL_MAPS)
def test_prompts_that_are_none(fault, case, segment_args, refused):
    build, words = LABEL_MAPS[fault]
    save(case / "prompts.nii.gz", build())
    refused(*segment_args, words=(words,))


JSON = {
    "not JSON": ("{", "not JSON"),
    "another format": ('{"format": "something/2"}', "voxtrail-prompts/1"),
    "no prompt": ('{"format": "voxtrail-prompts/1", "prompts": []}', "no prompted slice"),
    "beyond the scan": (
        '{"format": "voxtrail-prompts/1", "prompts": [{"label": 1, "axis": "axial", "slice": 9, '
        '"box_xyxy": [1, 1, 3, 3]}]}',
        "outside the scan",
    ),
    "nothing marked": (
        '{"format": "voxtrail-prompts/1", "labels": {"1": "rib"}, "prompts": [{"label": 1, '
        '"axis": "axial", "slice": 3, "points_xy": [[2, 2]], "positive": [false]}]}',
        "nothing of rib is marked",
    ),
}


@pytest.mark.parametrize("fault", JSON)
def test_json_prompts_that_are_none(fault, case, segment_args, refused):
    text, words = JSON[fault]
    segment_args[2] = case / "prompts.json"
    segment_args[2].write_text(text)
    refused(*segment_args, words=(words,))


def test_json_prompts_on_another_axis_than_is_asked_for(case, segment_args, refused):
    segment_args[2] = case / "prompts.json"
    segment_args[2].write_text(
        '{"format": "voxtrail-prompts/1", "prompts": [{"label": 1, "axis": "coronal", "slice": 9, '
        '"box_xyxy": [1, 1, 3, 3]}]}'
    )
    words = ("no prompt on an axis to propagate along",)
    refused(*segment_args, "--axes", "axial", words=words)


def test_missing_prompts(case, segment_args, refused):
    for name in ("no.nii.gz", "no.json"):
        segment_args[2] = case / name
        refused(*segment_args, words=(name,))


def test_prompts_outside_the_region(segment_args, refused):
    refused(*segment_args, "--roi", "0:7,:,:", words=("outside the region", "0:7,:,:"))


OPTIONS = {
    "--preset": ("best", "is+sps+shape, is+sps, baseline, sps, is"),
    "--prompt-memory": ("far", "all, closest:n=2, near:tau=0.3,nearest=True,n=0"),
    "--memory": ("long", "recent:k=6, sam3:above=0.01"),
    "--axes": ("axial,oblique", "axial, coronal, sagittal"),
    "--direction": ("backward", "forward, both"),
    "--extent": ("some", "prompts, object, all"),
    "--window": ("marrow", "bone, soft, lung, brain, LEVEL,WIDTH, none, clahe"),
    "--crop": ("tight", "label, all, none"),
    "--overlap": ("both", "compete, apart"),
    "--fuse": ("median", "mean-logit:limit=20.0, mean-probability"),
    "--device": ("abacus", "auto, cpu"),
    "--runtime": ("abacus", "auto, torch, onnx, openvino"),
    "--precision": ("float8", "float32, bfloat16, int8"),
    "--model": ("enormous", "micro, tiny, small, base-plus, large"),
    "--roi": ("everything", "x0:x1,y0:y1,z0:z1"),
    "--margin": ("-3", "0 mm or more"),
    "--resolution": ("100", "a multiple of 32 from 64 to 2048"),
    "--series": ("1", "a series of a DICOM folder"),
    "--structures": ("1,liver", "1, 2, 3"),
    "--probabilities": ("maps.png", ".nii.gz"),
    "--uncertainty": ("maps.png", ".nii.gz"),
    "--overlay": ("sheet.jpg", ".png"),
    "-o": ("seg.docx", ".nii.gz"),
}


@pytest.mark.parametrize("option", OPTIONS)
def test_an_unknown_value_lists_the_valid_ones(option, segment_args, refused, monkeypatch, case):
    monkeypatch.chdir(case)
    value, accepted = OPTIONS[option]
    refused(*segment_args, option, value, words=(accepted, value.rpartition(",")[2]))


MEMORY_OPTIONS = {
    "--memory": ("recent:n=3", "recent:k=6"),
    "--prompt-memory": ("near:k=3", "near:tau=0.3,nearest=True,n=0"),
    "--fuse": ("mean-logit:cap=3", "mean-logit:limit=20.0"),
    "--window": ("clahe:cap=3", "clahe:clip_limit=0.01,tiles=8"),
}


@pytest.mark.parametrize("option", MEMORY_OPTIONS)
def test_an_unknown_option_of_a_part_lists_its_own(option, segment_args, refused):
    value, accepted = MEMORY_OPTIONS[option]
    refused(*segment_args, option, value, words=(accepted,))


@pytest.mark.parametrize("resolution", ["0", "-64", "32", "4096"])
def test_a_resolution_out_of_bounds(resolution, segment_args, refused):
    refused(*segment_args, "--resolution", resolution, words=("from 64 to 2048",))


@pytest.mark.parametrize(
    "arguments",
    [
        ["segment", "--colour", "blue"],
        ["segment", "ct.nii.gz"],
        ["segment", "ct.nii.gz", "prompts.nii.gz", "-o", "x.nii.gz", "--margin", "wide"],
        ["evaluate"],
        ["simulate", "truth.nii.gz"],
        ["nonsense"],
        ["phantom", "there", "--subjects", "0"],
    ],
)
def test_what_the_command_line_does_not_know(arguments, refused):
    refused(*arguments, words=("--help",), usage=True)


def test_an_output_folder_that_is_not_there(case, segment_args, refused):
    for option in ("-o", "--probabilities"):
        place = case / "nowhere" / "out.nii.gz"
        refused(*segment_args, option, place, words=("folder is not there", "nowhere"))


def test_an_output_folder_that_is_not_writable(case, segment_args, refused, monkeypatch):
    closed = case / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0:  # root may write anywhere
        monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    refused(*segment_args, "-o", closed / "seg.nii.gz", words=("not writable",))


@pytest.mark.parametrize("name", ["seg.nii.gz", "seg.json"])
def test_an_output_that_exists(name, case, segment_args, refused):
    (case / name).write_text("precious")
    refused(*segment_args, words=("exists", name, "--force"))


@pytest.mark.parametrize("place", ["no/such/cache", "ct.nii.gz"])
def test_a_cache_folder_that_cannot_be_had(place, case, segment_args, refused):
    refused(*segment_args, "--quiet", "--cache", case / place, words=("cache folder",))


@pytest.mark.parametrize("option", ["--overlay", "--probabilities", "--uncertainty"])
def test_a_further_output_that_exists(option, case, segment_args, refused):
    place = case / ("taken.png" if option == "--overlay" else "taken.nii.gz")
    place.write_text("precious")
    refused(*segment_args, option, place, words=("exists", "--force"))


def test_a_label_kept_apart_that_exists(case, segment_args, refused):
    (case / "seg.label-2.nii.gz").write_text("precious")
    refused(*segment_args, "--overlap", "apart", words=("exists", "seg.label-2.nii.gz"))


def test_an_input_is_never_replaced_even_by_force(case, segment_args, refused):
    refused(*segment_args, "-o", case / "ct.nii.gz", "--force", words=("place of an input",))
    refused(*segment_args, "--probabilities", case / "prompts.nii.gz", "--force", words=("input",))
    shutil.copy(case / "prompts.nii.gz", case / "drawn.nii.gz")
    # The record of drawn.nii.gz would take the place of the prompts.
    segment_args[2] = case / "drawn.json"
    segment_args[2].write_text("{}")
    refused(*segment_args, "-o", case / "drawn.nii", "--force", words=("place of an input",))


def test_two_outputs_in_one_place(case, segment_args, refused):
    place = case / "seg.nii.gz"
    refused(*segment_args, "--probabilities", place, words=("place of another output",))
    refused(*segment_args, "--probabilities", place, "--force", words=("another output",))
    two = ("--probabilities", case / "p.nii.gz", "--uncertainty", case / "p.nii.gz")
    refused(*segment_args, *two, words=("another output",))


def model_args(segment_args, model):
    return [*segment_args[:5], "--model", model, "--crop", "none"]


def test_a_checkpoint_that_is_not_there(case, segment_args, refused):
    for name in (case / "no.pt", "no.pt"):
        refused(*model_args(segment_args, name), words=("no such checkpoint",))


def test_a_folder_that_is_no_checkpoint(case, segment_args, refused):
    refused(*model_args(segment_args, case), words=("no config.json",))


def test_an_official_checkpoint_of_no_published_width(case, segment_args, refused):
    torch.save({"model": {SIGNATURE: torch.zeros(100, 3, 7, 7)}}, case / "odd.pt")
    words = ("100 wide with 0 blocks", "tiny (96 wide, 12 blocks)", "large (144 wide, 48 blocks)")
    refused(*model_args(segment_args, case / "odd.pt"), words=words)


@pytest.fixture
def spoiled(case, nano):
    """Return a copy of the tiny checkpoint whose tensors were changed."""

    def build(change):
        folder = case / "checkpoint"
        shutil.copytree(nano, folder)
        tensors = load_file(folder / "model.safetensors")
        change(tensors)
        save_file(tensors, folder / "model.safetensors", {"format": "pt"})
        return folder

    return build


def test_a_folder_whose_tensors_have_other_shapes(spoiled, segment_args, refused):
    def widen(tensors):
        tensors["no_memory_embedding"] = torch.zeros(1, 1, 65)

    folder = spoiled(widen)
    refused(*model_args(segment_args, folder), words=("1 of another shape: no_memory_embedding",))


def test_a_checkpoint_with_missing_keys_names_them(spoiled, segment_args, refused):
    def drop(tensors):
        del tensors["no_memory_embedding"]
        tensors["something_else"] = torch.zeros(2)

    words = ("1 missing: no_memory_embedding", "1 unused: something_else")
    refused(*model_args(segment_args, spoiled(drop)), words=words)


def test_an_official_checkpoint_with_missing_keys_names_them(case, segment_args, refused):
    blocks = {f"image_encoder.trunk.blocks.{n}.norm1.weight": torch.zeros(96) for n in range(12)}
    torch.save({"model": {SIGNATURE: torch.zeros(96, 3, 7, 7), **blocks}}, case / "part.pt")
    error = refused(*model_args(segment_args, case / "part.pt"), words=(" missing: ", ", ..."))
    assert len(error) < 2000


def test_damaged_weights(case, nano, segment_args, refused):
    folder = case / "checkpoint"
    shutil.copytree(nano, folder)
    truncate(folder / "model.safetensors")
    refused(*model_args(segment_args, folder), words=("whole safetensors file",))
    (folder / "config.json").write_text('{"model_type": "bert"')
    refused(*model_args(segment_args, folder), words=("config.json is not a model's",))
    (case / "noise.pt").write_bytes(b"PK\x03\x04" + bytes(range(256)))
    refused(*model_args(segment_args, case / "noise.pt"), words=("cannot be read as weights",))
    (case / "nothing.pt").write_bytes(b"")
    refused(*model_args(segment_args, case / "nothing.pt"), words=("cannot be read as weights",))


class Sentinel:
    """Makes a folder when it is unpickled."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self):
        return os.mkdir, (str(self.place),)


@pytest.mark.parametrize("how", ["pickle", "torch"])
def test_code_posing_as_a_checkpoint_is_never_run(how, case, segment_args, refused):
    trap = {"model": {SIGNATURE: Sentinel(case / "sprung")}}
    if how == "pickle":
        (case / "trap.pt").write_bytes(pickle.dumps(trap))
    else:
        torch.save(trap, case / "trap.pt")
    # The listing is compared too, and the trap would show in it.
    error = refused(*model_args(segment_args, case / "trap.pt"), words=("is never run",))
    assert "weights_only" not in error
    assert not (case / "sprung").exists()


def config_of(folder, **changes):
    """Change numbers in a checkpoint's configuration, wherever in it they stand."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config.update(changes)
    path.write_text(json.dumps(config))


CONFIGS = {
    "wide": ({"mask_downsampler_embed_dim": 10**9}, "mask_downsampler_embed_dim of 1e+09"),
    "deep": ({"memory_attention_num_layers": 10**8}, "memory_attention_num_layers of 1e+08"),
    "not a number": ({"image_size": float("nan")}, "image_size of nan"),
    "sizes that do not fit": ({"memory_fuser_embed_dim": -3}, "is of no network"),
    "more than the file": (
        {"memory_attention_feed_forward_hidden_size": 65536, "memory_attention_num_layers": 256},
        "promises another network than its file holds",
    ),
}


@pytest.mark.parametrize("fault", CONFIGS)
def test_a_configuration_that_promises_a_giant_takes_no_memory(
    fault, case, nano, segment_args, refused
):
    changes, words = CONFIGS[fault]
    folder = case / "checkpoint"
    shutil.copytree(nano, folder)
    config_of(folder, **changes)
    refused(*model_args(segment_args, folder), words=(words,))


def test_a_compressed_or_old_checkpoint_is_not_unpacked(case, segment_args, refused):
    held = {"model": {SIGNATURE: torch.zeros(96, 3, 7, 7), "more": torch.zeros(10**6)}}
    torch.save(held, case / "plain.pt")
    with (
        zipfile.ZipFile(case / "plain.pt") as plain,
        zipfile.ZipFile(case / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for part in plain.infolist():
            bomb.writestr(part.filename, plain.read(part))
    refused(*model_args(segment_args, case / "bomb.pt"), words=("its parts are compressed",))
    torch.save(held, case / "old.pt", _use_new_zipfile_serialization=False)
    refused(*model_args(segment_args, case / "old.pt"), words=("not a zip file",))


def test_off_line_and_not_cached(case, segment_args, refused, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(case / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    words = ("facebook/sam2.1-hiera-small", "hf download", "--model FOLDER", "--model micro")
    refused(*model_args(segment_args, "small"), words=words)
    refused("models", "small", "--download", words=words)
    refused("models", "medsam2", "--download", words=("wanglab/MedSAM2", "--model FILE"))
    refused(*model_args(segment_args, "some/where"), words=("some/where",))


def test_a_bad_resolution_is_refused_before_any_download(case, segment_args, refused, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(case / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    arguments = model_args(segment_args, "small")
    refused(*arguments, "--resolution", "100", words=("a multiple of 32",))


def test_a_process_off_line_says_one_line_and_exits_with_2(case):
    """A real process: what libraries print on their own would show."""
    home = case / "home"
    home.mkdir()
    run = subprocess.run(
        [
            sys.executable, "-c", "from voxtrail.cli.main import main; main()",
            "segment", "ct.nii.gz", "prompts.nii.gz", "-o", "seg.nii.gz",
        ],
        cwd=case,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("error: the weights of facebook/sam2.1-hiera-small")
    assert "--model micro" in run.stderr
    assert run.stderr.count("\n") == 1
    assert not (case / "seg.nii.gz").exists()


def shifted():
    """The scan's affine, half a voxel off."""
    affine = stored()[1].copy()
    affine[:3, 3] += affine[:3, 0] / 2
    return affine


EVALUATE = {
    "another grid": (lambda case: save(case / "seg.nii.gz", outlined(), shifted()), "another grid"),
    "not labels": (lambda case: save(case / "seg.nii.gz", stored()[0]), "negative"),
    "missing": (lambda case: None, "does not exist"),
}


@pytest.mark.parametrize("fault", EVALUATE)
def test_predictions_that_cannot_be_scored(fault, case, refused):
    build, words = EVALUATE[fault]
    build(case)
    refused("evaluate", case / "seg.nii.gz", case / "truth.nii.gz", words=(words,))


def test_truths_that_cannot_be_read_together(case, refused):
    truth = case / "truth.nii.gz"
    refused("evaluate", truth, truth, truth, words=("more than one label",))
    save(case / "a.nii.gz", (outlined() == 1).astype(np.uint8))
    refused("evaluate", truth, truth, "--prompts", case / "ct.nii.gz", words=("negative",))
    save(case / "none.nii.gz", np.zeros(SHAPE, np.uint8))
    none = case / "none.nii.gz"
    refused("evaluate", none, none, words=("nothing to score",))


SIMULATE = {
    "slices": (["--slices", "every"], "first-last, first-middle-last, middle, uniform:k=5"),
    "one slice": (["--slices", "uniform:1"], "uniform:K with K of 2 or more"),
    "axes": (["--axes", "axial,diagonal"], "axial, coronal, sagittal"),
    "axis twice": (["--axes", "axial,axial"], "each once"),
    "several axes in a label map": (["--axes", "axial,coronal"], ".json"),
    "suffix": (["-o", "prompts.png"], ".nii.gz"),
    "folder": (["-o", "nowhere/p.json"], "not there"),
}


@pytest.mark.parametrize("fault", SIMULATE)
def test_prompts_that_cannot_be_simulated(fault, case, refused, monkeypatch):
    monkeypatch.chdir(case)
    options, words = SIMULATE[fault]
    refused("simulate", "truth.nii.gz", "-o", "p.nii.gz", *options, words=(words,))


def test_prompts_that_exist_are_kept(case, refused):
    refused("simulate", case / "truth.nii.gz", "-o", case / "prompts.nii.gz", words=("--force",))


def test_an_unknown_model_lists_the_known_ones(refused):
    refused("models", "enormous", words=("micro, tiny, small, base-plus, large",))
    refused("models", "--download", words=("models NAME --download",))


def test_a_phantom_folder_that_cannot_be_made(case, refused):
    (case / "file").write_text("")
    refused("phantom", case / "file" / "data", "--subjects", "1", words=("phantom",))


def test_a_demo_that_exists(case, refused):
    (case / "scores.json").write_text("{}")
    refused("demo", "-o", case, words=("exists", "--force"))
    refused("demo", "-o", case / "scores.json", words=("folder cannot be made",))
