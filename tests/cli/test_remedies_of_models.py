"""What a refusal advises about models, studies and benches works: see `test_remedies`."""

import re
import shutil

import pytest

from tests.cli.remedies import follows
from tests.cli.test_remedies import remedy_of
from tests.datasets.conftest import add_subject
from voxtrail.model.exported import Description


@pytest.fixture
def segment(case):
    """The arguments of a run that a model only lacks."""
    return ("segment", case / "ct.nii.gz", case / "prompts.nii.gz", "-o", case / "s.nii.gz",
            "--crop", "none", "--extent", "prompts", "--no-quality")  # fmt: skip


def advised(said, option):
    """Return what a remedy says after an option."""
    return re.search(rf"{option} ([^\s,;]+)", remedy_of(said))[1]


@follows(
    "on a machine with a connection run 'hf download {}{} --local-dir DIR', copy it here and pass "
    "{}; or use the bundled --model micro"
)
def test_weights_that_are_not_here(segment, voxtrail, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path / "empty"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "empty"))
    bundled = re.search(r"bundled --model (\w+)", remedy_of(voxtrail(*segment, "--model", "small")))
    assert voxtrail(*segment, "--model", bundled[1]).code == 0


@follows("pass for example --resolution 512", "pass for example --resolution {}")
def test_a_resolution_that_is_none(segment, nano, voxtrail):
    for wrong in ("fine", "100"):
        said = voxtrail(*segment, "--model", nano, "--force", "--resolution", wrong)
        value = advised(said, "--resolution")
        assert voxtrail(*segment, "--model", nano, "--force", "--resolution", value).code == 0


@follows("leave --device out, or name one of these", "name one of them with --precision")
def test_a_device_and_a_precision_that_there_are_not(segment, nano, voxtrail):
    run = (*segment, "--model", nano)
    assert "leave --device out" in remedy_of(voxtrail(*run, "--device", "abacus"))
    said = voxtrail(*run, "--precision", "float8")
    assert "--precision" in remedy_of(said)
    accepted = re.search(r"accepted: (\w+)", said.err)[1]
    assert voxtrail(*run, "--precision", accepted).code == 0


@follows("voxtrail export DIR --model {}, then --model DIR")
def test_a_runtime_that_runs_exported_models(
    segment, nano, exported_nano, case, voxtrail, monkeypatch
):
    def write(_model, folder, _say):  # takes half a minute, and was done before
        shutil.copytree(exported_nano, folder, dirs_exist_ok=True)
        return Description.read(folder)

    monkeypatch.setattr("voxtrail.export.export", write)
    run = (*segment, "--runtime", "onnx")
    remedy = remedy_of(voxtrail(*run, "--model", nano))
    command = re.match(r"voxtrail (export) DIR (--model) (\S+), then", remedy)
    assert voxtrail(command[1], case / "graphs", command[2], command[3], "--quiet").code == 0
    assert voxtrail(*run, "--model", case / "graphs").code == 0


@follows(
    "leave both out, or export the model with another --resolution",
    "leave them out, or take --runtime openvino for bfloat16",
)
def test_what_an_exported_model_takes(segment, exported_nano, voxtrail):
    run = (*segment, "--model", exported_nano, "--force")
    assert "leave both out" in remedy_of(voxtrail(*run, "--resolution", "128"))
    assert voxtrail(*run).code == 0
    shortcut = ("--precision", "bfloat16")
    said = voxtrail(*run, "--runtime", "onnx", *shortcut)
    runtime = advised(said, "--runtime")
    said = voxtrail(*run, "--runtime", runtime, *shortcut)
    if said.code:  # a processor without bfloat16, which is another refusal
        assert "leave --precision out" in remedy_of(said)
    assert voxtrail(*run, "--runtime", runtime).code == 0


@follows("name another with --cache")
def test_a_cache_that_cannot_be_made(segment, nano, case, voxtrail):
    run = (*segment, "--model", nano)
    said = voxtrail(*run, "--cache", case / "ct.nii.gz" / "cache")
    assert "--cache" in remedy_of(said)
    assert voxtrail(*run, "--cache", case / "cache").code == 0


@follows("{}: its mask still reaches the border of its crop, grown {} times; widen it with "
         "--margin or --crop none")  # fmt: skip
def test_a_mask_that_fills_its_crop(segment, nano, voxtrail, monkeypatch):
    monkeypatch.setattr("voxtrail.session.session.MAX_GROWTHS", 0)
    run = (*segment[:5], "--model", nano, "--extent", "prompts", "--no-quality", "--force")
    said = voxtrail(*run, "--crop", "label", "--margin", "0")
    assert "widen it with --margin or --crop none" in said.err
    said = voxtrail(*run, "--crop", "none")
    assert (said.code, "widen it" in said.err) == (0, False)


@follows("pass for example --axes axial,coronal,sagittal")
def test_axes_of_a_suggestion(case, nano, voxtrail):
    run = ("suggest", case / "ct.nii.gz", case / "prompts.nii.gz", "--model", nano, "--quiet")
    assert "--axes" in remedy_of(voxtrail(*run, "--axes", "axial,axial"))
    assert voxtrail(*run, "--axes", "axial").code == 0


@follows(
    "pass for example --per-type 50 --seed 0",
    "lower --per-type, or take what there is with --allow-short",
    "pass the dataset that the manifest was drawn from as --root, or draw anew",
    "choose another with -o, or replace it with --force",
)
def test_a_sample_and_its_study(tmp_path, nano, voxtrail):
    root, manifest = tmp_path / "data", tmp_path / "manifest.csv"
    add_subject(root, "s0000")
    sample = ("dataset", "sample", root, "-o", manifest, "--quiet", "--per-type")
    said = voxtrail(*sample, "0")
    assert "--seed" in remedy_of(said)
    said = voxtrail(*sample, advised(said, "--per-type"), "--seed", advised(said, "--seed"))
    assert "--allow-short" in remedy_of(said)
    assert voxtrail(*sample, "1", "--allow-short").code == 0
    study = ("study", "run", "slice-change", "--manifest", manifest, "-o", tmp_path / "out",
             "--model", nano, "--device", "cpu", "--quiet", "--root")  # fmt: skip
    assert "--root" in remedy_of(voxtrail(*study, tmp_path))
    assert voxtrail(*study, root).code == 0
    report = ("study", "report", tmp_path / "out")
    assert voxtrail(*report).code == 0
    assert "--force" in remedy_of(voxtrail(*report))
    assert voxtrail(*report, "--force").code == 0


@follows("choose another folder, or replace them with --force (force=True)")
def test_phantoms_that_are_there(tmp_path, voxtrail):
    run = ("phantom", tmp_path / "data", "--subjects", "1", "--seed", "3")
    assert voxtrail(*run).code == 0
    assert "--force" in remedy_of(voxtrail(*run))
    assert voxtrail(*run, "--force").code == 0


@pytest.fixture
def benched(voxtrail, monkeypatch):
    """Run a bench as far as it begins: minutes otherwise. Its plan is what came of it."""
    plans = []

    def run_bench(plan, _say, _keep):
        plans.append(plan)
        return {"failed": {}}

    monkeypatch.setattr("voxtrail.bench.run_bench", run_bench)
    monkeypatch.setattr(
        "voxtrail.bench.peers.write_random_weights", lambda _, place: place.write_bytes(b"w")
    )

    def bench(*arguments):
        plans.clear()
        said = voxtrail("bench", *arguments, "--json", "--quiet")
        assert bool(plans) == (said.code == 0)
        return said

    return bench


@follows(
    "pass for example --resolution 1024",
    "name some of them with --variants",
    "name a size with --model",
    "name one with --model, or --peers transformers",
    "pip install --no-deps sam2==1.1.0 hydra-core iopath, or --peers transformers",
)
def test_benches(benched, nano, tmp_path, monkeypatch):
    peer = ("--peers", "transformers")
    run = ("--model", nano, *peer)
    value = advised(benched(*run, "--resolution", "1000"), "--resolution")
    assert benched(*run, "--resolution", value).code == 0
    said = benched(*run, "--variants", "fast")
    assert "--variants" in remedy_of(said)
    variant = re.search(r"accepted: (\w+)", said.err)[1]
    assert benched(*run, "--variants", variant).code == 0
    said = benched(*peer, "--model", "nano", "--random-weights")
    assert "--model" in remedy_of(said)
    size = re.search(r"accepted: (\w+)", said.err)[1]
    pytest.importorskip("sam2")
    assert benched(*peer, "--model", size, "--random-weights").code == 0
    said = benched("--model", nano)
    assert benched("--model", nano, "--peers", advised(said, "--peers")).code == 0
    (tmp_path / "w.pt").write_bytes(b"w")
    assert benched("--model", tmp_path / "w.pt").code == 0
    monkeypatch.setattr("voxtrail.cli.bench.find_spec", lambda _: None)
    said = benched("--model", tmp_path / "w.pt")
    assert benched("--model", nano, "--peers", advised(said, "--peers")).code == 0
