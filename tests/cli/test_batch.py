"""Many scans in one go: what is done, kept and failed, and the exit code that says so."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import voxtrail as vt
from tests.cli.files import listing, outlined, save, stored
from voxtrail.cli.cases import match_patterns, read_table
from voxtrail.errors import InputError


@pytest.fixture
def scans(case) -> Path:
    """Return a folder with three scans and prompts of them, the second scan damaged."""
    for name in "abc":
        shutil.copy(case / "ct.nii.gz", case / f"ct-{name}.nii.gz")
        shutil.copy(case / "prompts.nii.gz", case / f"drawn-{name}.nii.gz")
    (case / "ct-b.nii.gz").write_bytes((case / "ct.nii.gz").read_bytes()[:200])
    return case


def table(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "cases.csv"
    columns = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def three(scans) -> Path:
    rows = [
        {"image": f"ct-{name}.nii.gz", "prompts": f"drawn-{name}.nii.gz", "output": name}
        for name in "abc"
    ]
    rows[2].update(memory="recent:k=2", overlay="c.png", probabilities="c-p.nii.gz")
    rows[2].update(uncertainty="c-u.nii.gz")
    return table(scans, *rows)


@pytest.fixture
def batch(scans, nano, voxtrail):
    def run(*arguments):
        return voxtrail(
            "segment", *arguments, "-o", scans / "out", "--model", nano, "--device", "cpu",
            "--crop", "none",
        )  # fmt: skip

    return run


def results(said) -> dict[str, str]:
    return {one["case"]: one["result"] for one in json.loads(said.out)}


def test_one_bad_case_does_not_stop_the_rest_and_the_exit_code_says_so(three, scans, batch):
    said = batch("--cases", three)
    assert said.code == 1
    out = scans / "out"
    assert {path.name for path in out.iterdir()} == {
        "a.nii.gz", "a.json", "c.nii.gz", "c.json", "c.png", "c-p.nii.gz",
        "c-u.nii.gz",
    }  # fmt: skip
    lines = said.out.splitlines()
    assert lines[0].split() == [
        "case", "result", "labels", "voxels", "expected", "Dice", "seconds",
    ]  # fmt: skip
    assert lines[1].split()[:3] == ["a", "done", "3"]
    assert lines[1].split()[4] == "unknown"  # of two outlines none can be left out
    assert lines[2].startswith("b     failed  ")
    assert "ct-b.nii.gz" in lines[2]
    assert lines[4].startswith(f"2 done, 0 kept, 1 failed; {out}.")
    assert "not a medical device" in lines[4]
    assert "error: b: " in said.err
    assert "[3/3] c.nii.gz" in said.err
    of = {name: json.loads((out / f"{name}.json").read_text()) for name in "ac"}
    assert of["a"]["config"]["memory"] == "intelligent"
    assert of["c"]["config"]["memory"] == "recent:k=2"
    assert of["a"]["inputs"] == of["c"]["inputs"]  # the same bytes under other names
    assert of["c"]["outputs"]["overlay"] == "c.png"


def test_a_batch_gives_what_single_runs_give(three, scans, batch, segment_args, voxtrail):
    batch("--cases", three, "--quiet")
    assert voxtrail(*segment_args).code == 0
    alone, of_batch = scans / "seg.nii.gz", scans / "out" / "a.nii.gz"
    assert alone.read_bytes() == of_batch.read_bytes()


def test_the_model_is_loaded_once(three, batch, monkeypatch):
    from voxtrail.model import weights

    calls = []
    load = weights.load_model
    monkeypatch.setattr(weights, "load_model", lambda *a, **k: calls.append(a) or load(*a, **k))
    batch("--cases", three)
    assert len(calls) == 1


def test_the_input_size_follows_from_each_scan(three, scans, nano, voxtrail, monkeypatch):
    from voxtrail.session import loading

    # These scans are small: 14 voxels a side, 6 of a label.
    monkeypatch.setattr(loading, "SMALLEST_PROPOSED", 128)
    monkeypatch.setattr(loading, "PIXELS_PER_VOXEL", 16)
    shutil.copy(scans / "ct.nii.gz", scans / "ct-b.nii.gz")
    cases = table(
        scans,
        *(
            {"image": f"ct-{n}.nii.gz", "prompts": f"drawn-{n}.nii.gz", "output": n, "crop": crop}
            for n, crop in (("a", "none"), ("b", "label"), ("c", "none"))
        ),
    )
    options = ("--model", nano, "--device", "cpu", "--margin", "0", "--resolution", "auto")
    run = ("segment", "--cases", cases, "-o", scans / "out", *options, "--json")
    said = voxtrail(*run)
    assert set(results(said).values()) == {"done"}, said.out
    sizes = {
        name: json.loads((scans / "out" / f"{name}.json").read_text())["model"]["input_size"]
        for name in "abc"
    }
    assert sizes["a"] == sizes["c"] > sizes["b"]
    assert set(results(voxtrail(*run)).values()) == {"kept"}


def test_what_is_finished_is_kept_and_what_was_missing_is_done(three, scans, batch):
    assert results(batch("--cases", three, "--json")) == {"a": "done", "b": "failed", "c": "done"}
    shutil.copy(scans / "ct.nii.gz", scans / "ct-b.nii.gz")
    before = listing(scans / "out")
    said = batch("--cases", three, "--json")
    assert said.code == 0
    assert results(said) == {"a": "kept", "b": "done", "c": "kept"}
    after = listing(scans / "out")
    assert {name: after[name] for name in before} == before
    assert results(batch("--cases", three, "--json", "--force"))["a"] == "done"


CHANGES = {
    "another scan": (lambda scans: save(scans / "ct-a.nii.gz", stored()[0] + 9), ()),
    "other prompts": (lambda scans: save(scans / "drawn-a.nii.gz", outlined() * (outlined() > 1)),
                      ()),
    "other options": (lambda scans: None, ("--window", "soft")),
    "a file that is gone": (lambda scans: (scans / "out" / "c.png").unlink(), ()),
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_would_come_out_otherwise_now_is_not_kept_silently(change, three, scans, batch):
    batch("--cases", three, "--quiet")
    change_it, options = CHANGES[change]
    change_it(scans)
    said = batch("--cases", three, "--json", *options)
    name = "c" if change.startswith("a file") else "a"
    (found,) = [one for one in json.loads(said.out) if one["case"] == name]
    assert found["result"] == "failed"
    assert "exists" in found["error"]
    assert "--force" in found["error"]
    forced = batch("--cases", three, "--json", "--force", *options)
    assert results(forced)[name] == "done"


def test_what_a_killed_batch_left_half_written_is_done_again(three, scans, batch, monkeypatch):
    """Killed after the labels and before the record: the mark is there, the record is not."""
    batch("--cases", three, "--quiet")
    out = scans / "out"
    (out / "a.json").unlink()
    assert results(batch("--cases", three, "--json"))["a"] == "failed"  # may be someone's own
    (out / ".a.nii.gz.unfinished").touch()
    assert results(batch("--cases", three, "--json"))["a"] == "done"
    assert not list(out.glob(".*"))


def test_a_record_of_an_earlier_run_is_not_believed_while_the_mark_is_there(three, scans, batch):
    batch("--cases", three, "--quiet")
    (scans / "out" / ".a.nii.gz.unfinished").touch()
    assert results(batch("--cases", three, "--json"))["a"] == "done"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": 1}', "\xff", "[" * 100_000])
def test_a_record_that_is_none_is_no_reason_to_keep(text, three, scans, batch):
    batch("--cases", three, "--quiet")
    (scans / "out" / "a.json").write_text(text, encoding="latin-1")
    assert results(batch("--cases", three, "--json"))["a"] == "failed"


def test_what_a_library_raises_stops_one_case_only(three, scans, batch, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of\nmemory")

    monkeypatch.setattr("voxtrail.picture.contact_sheet", fail)
    said = batch("--cases", three, "--json")
    found = {one["case"]: one["error"] for one in json.loads(said.out)}
    assert found["c"] == "the work failed: RuntimeError: out of memory"
    assert results(said)["a"] == "done"
    assert {path.name for path in (scans / "out").iterdir()} == {"a.nii.gz", "a.json"}


def test_two_patterns_are_paired_by_what_the_stars_stand_for(scans, batch):
    shutil.copy(scans / "ct.nii.gz", scans / "ct-d.nii.gz")  # without prompts
    said = batch(scans / "ct-*.nii.gz", scans / "drawn-*.nii.gz", "--json")
    assert said.code == 1
    assert results(said) == {"a": "done", "b": "failed", "c": "done", "d": "failed"}
    (d,) = [one for one in json.loads(said.out) if one["case"] == "d"]
    assert "no prompts of this name" in d["error"]


def test_stars_stand_for_folders_too(tmp_path):
    for name in ("x/1", "x/2", "y/1"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "ct.nrrd").touch()
        (tmp_path / name / "drawn[1].json").touch()
    rows = match_patterns(str(tmp_path / "*/*/ct.nrrd"), str(tmp_path / "*/*/drawn[1].json"))
    assert [row.output for row in rows] == ["x_1.nii.gz", "x_2.nii.gz", "y_1.nii.gz"]
    assert all(row.image.parent == row.prompts.parent for row in rows)


def test_a_table_as_spreadsheets_write_it(tmp_path):
    (tmp_path / "t.csv").write_text(
        '\ufeffImage,Prompts,Prompt_Memory,margin\r\n"a, b/1.2.nii.gz",p.json,"near:tau=0.3",\r\n'
        ",,,\r\n/ct/series.7,p.json,,4\r\n",
        encoding="utf-8",
    )
    first, second = read_table(tmp_path / "t.csv")
    assert (first.image, first.output) == (tmp_path / "a, b/1.2.nii.gz", "1.2.nii.gz")
    assert first.options == {"prompt-memory": "near:tau=0.3"}
    assert (second.image, second.output) == (Path("/ct/series.7"), "series.7.nii.gz")
    assert second.options == {"margin": "4"}


TABLES = {
    "no column": ("image,output\na,b\n", "no column: prompts"),
    "unknown column": ("image,prompts,colour\na,b,c\n", "unknown columns: colour"),
    "model": ("image,prompts,model\na,b,c\n", "unknown columns: model"),
    "a column twice": ("image,prompts,image\na,b,c\n", "twice: image"),
    "semicolons": ("image;prompts\na;b\n", "in the line 'image;prompts'; accepted: columns"),
    "empty": ("", "no column: image, prompts"),
    "no case": ("image,prompts\n,\n", "0 cases"),
    "cells": ("image,prompts\na,b,c\n", "3 cells"),
    "no image": ("image,prompts\n,b\n", "no image"),
    "quotes": ('image,prompts\n"a,b\n', "unexpected end of data"),
    "null": ("image,prompts,output\na,b,c\0.nii\n", "null character"),
    "path": ("image,prompts,output\na,b,../c.nii.gz\n", "leads out"),
    "absolute": ("image,prompts,output\na,b,/c.nii.gz\n", "leads out"),
    "hidden": ("image,prompts,overlay\na,b,.png\n", "leads out"),
    "not text": ("image,prompts\n\udcff,b\n", "UTF-8"),
    "long": (f"image,prompts\na,{'b' * 200_000}\n", "field larger than field limit"),
}


@pytest.mark.parametrize("fault", TABLES)
def test_a_table_that_is_none(fault, case, refused):
    text, words = TABLES[fault]
    (case / "t.csv").write_text(text, encoding="utf-8", errors="surrogateescape")
    refused("segment", "--cases", case / "t.csv", "-o", case / "out", words=(words, "t.csv"))


def test_batches_that_cannot_be(scans, three, nano, refused):
    out = ["-o", scans / "out", "--model", nano]
    refused("segment", "--cases", scans / "no.csv", *out, words=("no.csv cannot be read",))
    twice = [{"image": "ct-a.nii.gz", "prompts": "p.json", "output": f"a{s}"} for s in
             (".nii.gz", ".seg.nrrd")]  # fmt: skip
    words = ("two cases write to one place; received: a.json",)
    refused("segment", "--cases", table(scans, *twice), *out, words=words)
    into = [{"image": "ct-a.nii.gz", "prompts": "a.json", "output": "a"}]
    words = ("replaces an input", "a.json")
    refused("segment", "--cases", table(scans, *into), "-o", scans, "--force", words=words)
    nowhere = scans / "no" / "out"
    refused("segment", "--cases", three, "-o", nowhere, words=("folder cannot be made",))
    refused("segment", "--cases", three, "-o", three, words=("folder cannot be made",))
    refused("segment", "--cases", three, *out, "--model", "no.pt", words=("no such checkpoint",))
    refused("segment", "--cases", three, "x", *out, words=("stand in CASES",), usage=True)
    sheet = ["--overlay", scans / "x.png"]
    refused("segment", "--cases", three, *out, *sheet, words=("columns of",), usage=True)
    one = scans / "ct-*.nii.gz"
    refused("segment", one, scans / "prompts.nii.gz", *out, words=("cannot be paired",))
    refused("segment", one, scans / "*-*.nii.gz", *out, words=("same number of stars",))
    refused("segment", one, scans / "no-*.nii.gz", *out, words=("stands for no file",))


def test_structures_of_one_case_and_of_the_others(scans, batch):
    row = {"image": "ct-a.nii.gz", "prompts": "drawn-a.nii.gz"}

    def run(second: str, name: str = "b"):
        rows = [
            {**row, "output": "a", "structures": ""},
            {**row, "output": name, "structures": second},
        ]
        return batch("--cases", table(scans, *rows), "--structures", "2", "--json")

    assert results(run("1,3")) == {"a": "done", "b": "done"}
    held = [vt.read_labels(scans / "out" / f"{name}.nii.gz").labels() for name in "ab"]
    assert held == [(2,), (1, 3)]
    assert results(run("1,3")) == {"a": "kept", "b": "kept"}
    assert results(run("1"))["a"] == "kept"
    assert "exists" in json.loads(run("1").out)[1]["error"]
    assert "no structure of this name" in json.loads(run("liver", "c").out)[1]["error"]


def test_options_of_one_case_that_are_wrong_fail_that_case_only(scans, batch):
    rows = [
        {"image": "ct-a.nii.gz", "prompts": "drawn-a.nii.gz", "output": name, option: value}
        for name, option, value in (
            ("a", "memory", "long"),
            ("b", "margin", "wide"),
            ("c", "axes", "axial, coronal"),
            ("d.docx", "crop", "none"),
            ("e", "series", "7"),
            ("f" * 300, "crop", "none"),
        )
    ]
    said = batch("--cases", table(scans, *rows), "--json")
    found = {one["case"]: one["error"] for one in json.loads(said.out)}
    assert "recent:k=6" in found["a"]
    assert "margin is not a number" in found["b"]
    assert found["c"] == ""
    assert ".seg.nrrd" in found["d.docx"]
    assert "no series" in found["e"]
    assert "no file can have" in found["f" * 300]
    assert vt.read_labels(scans / "out" / "c.nii.gz").labels()
    assert np.array_equal(vt.read(scans / "ct-a.nii.gz").to_stored(), stored()[0])


def test_names_that_no_file_can_have(scans, refused, segment_args):
    long = "x" * 300
    for index, words in ((1, "cannot be looked up"), (2, "cannot be read"), (4, "no file can")):
        arguments = [*segment_args]
        arguments[index] = scans / f"{long}{'.json' if index == 2 else '.nii.gz'}"
        refused(*arguments, words=(words, "File name too long"))
    refused(*segment_args[:5], "--crop", "none", "--model", long, words=("unknown model",))
    refused(*segment_args[:5], "--crop", "none", "--model", f"a/{long}", words=("Repo id",))
    refused("phantom", long, "--subjects", "1", words=("no file can",))


def test_two_stars_that_cannot_be_told_apart_are_refused():
    with pytest.raises(InputError, match="stands for no file"):
        match_patterns("no**", "no**")
