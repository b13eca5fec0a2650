"""The report: numbers worked by hand, and every file of it from a real run."""

from __future__ import annotations

import csv
import re

import numpy as np
import pytest

from voxtrail.errors import InputError, OutputError
from voxtrail.executors.serial import Serial
from voxtrail.study.experiments import experiments
from voxtrail.study.record import Identity, Records, row_of
from voxtrail.study.report.bones import bones
from voxtrail.study.report.build import build
from voxtrail.study.report.figures import figures, to_svg
from voxtrail.study.report.findings import verdict_of
from voxtrail.study.report.results import Results
from voxtrail.study.report.statistics import Estimate, compare, estimate, holm
from voxtrail.study.report.tables import tables
from voxtrail.study.runner import run
from voxtrail.study.tasks.base import Measurements


class TestStatistics:
    def test_means_leave_out_what_is_missing_and_count_it(self) -> None:
        found = estimate(np.array([1.0, 3.0, np.nan]))
        assert (found.n, found.missing, found.mean, found.sd) == (2, 1, 2.0, pytest.approx(2**0.5))

    def test_one_case_has_no_spread(self) -> None:
        assert estimate(np.array([0.5])) == Estimate(1, 0, 0.5, None, None, None)
        assert estimate(np.array([])) == Estimate(0, 0, None, None, None, None)

    def test_the_interval_covers_the_mean_as_often_as_it_says(self) -> None:
        rng = np.random.default_rng(1)
        hits = 0
        for _ in range(100):
            found = estimate(rng.normal(3.0, 1.0, 40))
            hits += found.low <= 3.0 <= found.high
        assert 88 <= hits <= 99

    def test_wilcoxon_of_six_rising_pairs(self) -> None:
        # all six ranks on one side: p = 2 / 2^6
        values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
        assert compare(values * 2, values).p == pytest.approx(2 / 64)

    def test_equal_variants_do_not_differ(self) -> None:
        values = np.array([1.0, 2.0, 3.0])
        found = compare(values, values)
        assert (found.p, found.difference.mean) == (1.0, 0.0)

    def test_pairs_with_a_missing_value_are_left_out(self) -> None:
        found = compare(np.array([2.0, np.nan, 4.0]), np.array([1.0, 1.0, 1.0]))
        assert found.difference.n == 2

    def test_the_worst_of_all_is_told(self) -> None:
        found = compare(np.array([2.0, np.nan, 0.5]), np.array([1.0, 1.0, 1.0]))
        assert found.least == -0.5
        assert compare(np.array([np.nan]), np.array([1.0])).least is None

    def test_holm_never_falls_and_never_exceeds_one(self) -> None:
        assert holm([0.5, 0.01, 0.9]) == [1.0, pytest.approx(0.03), 1.0]


def test_verdicts() -> None:
    above, below = (Estimate(9, 0, m, 0.1, m - 0.05, m + 0.05) for m in (0.1, -0.1))
    assert verdict_of(above, 0.01) == "holds"
    assert verdict_of(above, 0.2) == "leans that way"
    assert verdict_of(below, 0.01) == "the other way"
    assert verdict_of(below, None) == "leans the other way"
    assert verdict_of(Estimate(9, 0, 0.1, 0.1, -0.05, 0.2), 0.01) == "undecided"
    assert verdict_of(None, None) == "not run"


def test_each_bone_type_has_its_own_mean(tmp_path) -> None:
    (experiment,) = experiments(["follow"])
    name = experiment.variants[0].name
    records = Records(tmp_path)
    for case, structure, bone, dice in (
        ("s0", "rib_left_1", "rib", 0.2),
        ("s1", "rib_left_2", "rib", 0.4),
        ("s1", "sacrum", "sacrum", 0.9),
    ):
        of = Identity("follow", name, case, structure, bone, "done", None, "{}", "now")
        records.add(case, structure, [row_of(of, Measurements(scores={"unprompted_dice": dice}))])
    study = {"study": {"model": "tiny", "weights_sha256": "0" * 64, "input_size": 256}}
    table = bones(experiment, Results(records.frame(), study))
    assert table.heads == ("variant", "rib (2)", "sacrum (1)")
    means = {row["bone_type"]: row["mean"] for row in table.tidy if row["variant"] == name}
    assert means == {"sacrum": 0.9, "rib": pytest.approx(0.3)}
    assert table.rows[1][1:] == ("-", "-")  # not run


def test_nothing_is_said_off_the_outlines_where_every_slice_was_outlined(tmp_path) -> None:
    (experiment,) = experiments(["follow"])
    name = experiment.variants[0].name
    records = Records(tmp_path)
    for structure, dice, truth_ml in (("rib_left_1", 0.4, 2.0), ("rib_left_2", 1.0, 0.0)):
        of = Identity("follow", name, "s0", structure, "rib", "done", None, "{}", "now")
        scores = {"dice": 0.9, "unprompted_dice": dice, "unprompted_truth_volume_ml": truth_ml}
        records.add("s0", structure, [row_of(of, Measurements(scores=scores))])
    results = Results(records.frame(), {})
    np.testing.assert_equal(results.values("follow", name, "unprompted_dice"), [0.4, np.nan])
    np.testing.assert_equal(results.values("follow", name, "dice"), [0.9, 0.9])


def test_a_timed_experiment_says_what_each_row_took(tmp_path) -> None:
    records = Records(tmp_path)
    of = Identity("memories", "SAM 2", "s0", "sacrum", "sacrum", "done", None, "{}", "now")
    took = Measurements(
        scores={"unprompted_dice": 0.5}, memory_attention_s=0.3, memory_encoder_s=0.1,
        mask_decoder_s=0.2, tracked_slices=20,
    )  # fmt: skip
    records.add("s0", "sacrum", [row_of(of, took)])
    study = {"study": {"model": "tiny", "weights_sha256": "0" * 64, "input_size": 256}}
    made = {table.name: table for table in tables(Results(records.frame(), study))}
    assert list(made) == ["memories", "memories-bones", "memories-seconds"]
    seconds = {
        (row["variant"], row["measure"]): row["mean"] for row in made["memories-seconds"].tidy
    }
    assert seconds["SAM 2", "tracking_ms_a_slice"] == pytest.approx(30)


def test_a_curve_is_drawn_in_all_and_by_bone(tmp_path) -> None:
    records = Records(tmp_path)
    for count, name in ((1, "1: baseline"), (2, "2: baseline"), (3, "3: baseline")):
        for bone in ("rib", "sacrum", "skull", "hip", "femur"):
            of = Identity("curve", name, f"s{count}", bone, bone, "done", None, "{}", "now")
            scores = {"unprompted_dice": count / 10}
            records.add(f"s{count}", bone, [row_of(of, Measurements(scores=scores))])
    study = {"study": {"model": "tiny", "weights_sha256": "0" * 64, "input_size": 256}}
    drawn = figures(Results(records.frame(), study))
    whole, bones_ = drawn["ours-curve"], drawn["ours-curve-bones"]
    assert [line.get_label() for line in whole.axes[0].lines] == ["baseline"]
    assert whole.axes[0].lines[0].get_ydata().tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert len(whole.axes[0].collections) == 1  # the interval
    assert len(bones_.axes) == 5
    assert "sacrum, 1" in {axes.get_title() for axes in bones_.axes}
    assert to_svg(bones_)


def test_a_report_is_whole(request_for) -> None:
    request = request_for("final", "per-bone", "timing", "slice-change", "embeddings", per_type=1)
    run(request, Serial())
    page = build(request.folder, request.folder / "report")
    text = page.read_text()
    places = {str(path.relative_to(page.parent)) for path in page.parent.rglob("*.*")}
    for name in ("final", "per-bone", "timing", "slice-change", "embeddings", "findings"):
        assert {f"tables/{name}.csv", f"tables/{name}.tex"} <= places
        assert f"<section id={name}>" in text
    for name in ("figure-3b-ii", "figure-3c-bones", "figure-4a", "figure-4b", "figure-5"):
        assert {f"figures/{name}.svg", f"figures/{name}.png"} <= places
    assert {"report.md", "sheets/best.png", "sheets/worst.png"} <= places
    assert "Research use only. Not a medical device." in text
    assert not re.search(r"(src|href)=[\"']?(https?:|/)", text)  # nothing from elsewhere
    assert "0.841 ± 0.107" in text  # the paper's
    # What was not run is named once, not a row for each of its claims.
    (not_run,) = re.findall(r"Not run, in whole or in part: ([^.<]*)", text)
    assert "suggestion" in not_run.split(", ")
    assert ">not run<" not in text.partition("<section id=findings>")[2].partition("</section>")[0]
    with (page.parent / "tables/final.csv").open() as file:
        rows = {(row["variant"], row["measure"]): row for row in csv.DictReader(file)}
    frame = Records(request.folder).frame()
    chosen = frame[(frame.experiment == "final") & (frame.variant == "IS")]
    assert float(rows["IS", "iou"]["mean"]) == pytest.approx(chosen.iou.mean())
    assert rows["IS", "iou"]["n"] == "2"
    with pytest.raises(OutputError, match="there is a report already"):
        build(request.folder, request.folder / "report")
    before = page.read_bytes()
    build(request.folder, request.folder / "report", force=True)
    assert page.read_bytes() == before


def test_micro_is_never_passed_off_as_sam_2(request_for) -> None:
    from dataclasses import replace

    request = request_for("embeddings", "slice-change")
    request = replace(request, settings=replace(request.settings, model="micro"))
    run(request, Serial())
    report = build(request.folder, request.folder / "report").parent
    text = (report / "report.md").read_text()
    assert text.count("It is NOT SAM 2") == 1 + text.count("\n### ")
    for place in (report / "tables").glob("*.tex"):
        assert "It is NOT SAM 2" in place.read_text()


def test_a_folder_without_a_study_is_refused(tmp_path) -> None:
    with pytest.raises(InputError, match="the folder holds no study"):
        build(tmp_path, tmp_path / "report")
