"""Every experiment, whatever its name: contracts, and the paper's rows."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from voxtrail import Config
from voxtrail.errors import OptionError
from voxtrail.study.experiments import every_experiment, experiments
from voxtrail.study.methods import OURS, OURS_NAME
from voxtrail.study.plots import Lines
from voxtrail.study.report.figures import FIGURES
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Those of the paper, and ours that the documents name.
NAMED = [
    *("model-scale", "preprocessing", "prompts", "stride", "gating", "slicing", "propagation"),
    *("threshold", "final", "per-bone", "timing", "embeddings", "slice-change", "rivals"),
    *("noisy-prompts", "prompt-budget", "resolution", "follow", "shape", "prompt-cap", "seeding"),
    *("suggestion", "memories", "curve"),
]

#: Whatever is there: a new experiment keeps these contracts without being named here.
NAMES = list(every_experiment())
NAMESAKE = replace(every_experiment()["final"])


def test_the_papers_experiments_and_ours_are_found_by_name() -> None:
    assert set(NAMED) <= set(NAMES)
    assert sorted(NAMES) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_distinct_and_compared_with_rows_that_are_there(name) -> None:
    (experiment,) = experiments([name])
    variants = experiment.variants
    names = [variant.name for variant in variants]
    assert len(set(names)) == len(names)
    assert experiment.baseline is None or experiment.baseline in names
    assert {variant.against for variant in variants} - {None} <= set(names)
    for variant in variants:
        assert json.loads(variant.task.key)["task"] == variant.task.kind


@pytest.mark.parametrize("name", NAMES)
def test_claims_and_plots_are_of_rows_that_are_there(name) -> None:
    (experiment,) = experiments([name])
    names = {variant.name for variant in experiment.variants}
    for claim in experiment.claims:
        assert {claim.better, claim.worse} <= names
    for plot in experiment.plots:
        for series in plot.series:
            assert set(series.variants) <= names
            places = series.at if isinstance(plot, Lines) else plot.ticks
            assert len(places) == len(series.variants)


def test_no_two_figures_share_a_file() -> None:
    described = [plot.name for item in every_experiment().values() for plot in item.plots]
    assert len({*described, *FIGURES}) == len(described) + len(FIGURES)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("preprocessing", 5),
        ("prompts", 5),
        ("stride", 3),
        ("gating", 7),
        ("slicing", 8),
        ("propagation", 5),
        ("threshold", 10),
        ("final", 5),
    ],
)
def test_the_papers_rows(name, rows) -> None:
    (experiment,) = experiments([name])
    tracked = [item for item in experiment.variants if isinstance(item.task, TrackOutlines)]
    assert len(tracked) == rows
    assert len(experiment.variants) > rows  # the rivals stand in every table


def test_the_paper_states_table_i() -> None:
    (final,) = experiments(["final"])
    dice = {item.name: item.paper.dice for item in final.variants if item.paper}
    assert dice == {"NP": 0.594, "baseline": 0.804, "SPS": 0.823, "IS": 0.822, "IS + SPS": 0.841}


def test_all_stands_for_every_one_and_names_count_once() -> None:
    assert len(experiments(["all"])) == len(NAMES)
    assert len(experiments(["final", "final"])) == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("voxtrail.study.experiments.final:BASELINE", "received: TrackOutlines"),
        ("voxtrail.study.experiments.nowhere:EXPERIMENT", "received: ModuleNotFoundError"),
        ("tests.study.test_experiments:NAMESAKE", "another experiment called final"),
    ],
)
def test_what_another_package_brings_is_an_experiment_of_its_own_name(
    value, words, monkeypatch
) -> None:
    brought = [EntryPoint("its own", value, "voxtrail.study.experiments")]
    monkeypatch.setattr("voxtrail.study.experiments.entry_points", lambda group: brought)
    with pytest.raises(OptionError, match=f"cannot be used.*{words}"):
        every_experiment()


def test_an_unknown_experiment_is_refused() -> None:
    with pytest.raises(OptionError, match=r"unknown experiment.*slicing"):
        experiments(["slices"])
    with pytest.raises(OptionError, match="no experiment was named"):
        experiments([])


def test_tasks_of_all_experiments_can_be_put_in_one_order() -> None:
    tasks = {row.task for item in every_experiment().values() for row in item.variants}
    tracked = sorted(
        (task for task in tasks if isinstance(task, TrackOutlines)),
        key=lambda task: task.encoding_order(),
    )
    # Those that share encodings come together, the paper's crop first.
    places = [task.encoding_order()[:4] for task in tracked]
    starts = [
        place for place, before in zip(places, [None, *places], strict=False) if place != before
    ]
    assert len(starts) == len(set(places))
    assert places[0][3] == ""


def test_ours_is_what_segment_does_when_nothing_is_asked_for() -> None:
    task, default = OURS, Config()
    said = Config(
        prompt_memory=task.prompt_memory,
        memory=task.memory,
        prior=task.prior,
        axes=task.axes,
        direction=task.direction,
        extent=task.extent,
        window=task.window,
        crop=task.crop,
        margin_mm=task.margin_mm,
    )
    assert said.resolved() == default.resolved()
    assert default.preset == OURS_NAME


def test_what_is_the_studys_own_is_left_unsaid() -> None:
    assert TrackOutlines(model="micro", resolution=256).normalized("micro", 256) == TrackOutlines()
    assert TrackOutlines(model="tiny", resolution=512).normalized("micro", 256) == TrackOutlines(
        model="tiny", resolution=512
    )
