"""The prose of docs/study says what its tables hold."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from voxtrail.study.experiments import every_experiment

STUDY = Path(__file__).parents[2] / "docs/study"
script = runpy.run_path(str(STUDY / "fill.py"))
filled, recorded = script["filled"], script["recorded"]


def test_every_number_in_the_prose_is_the_one_of_its_table() -> None:
    text = (STUDY / "README.md").read_text("utf-8")
    assert text.count("<!--= ") == len(script["_SHOWN"].findall(text)) > 20
    assert filled(text) == text


def test_a_number_is_put_right_and_a_reference_to_nothing_is_found_out() -> None:
    reference = "<!--= ct/final; baseline; dice; paper_mean -->"
    assert filled(f"a 0.1{reference} b +9{reference}") == f"a 0.804{reference} b +0.804{reference}"
    claim = "<!--= ct/findings; IS + SPS beats the baseline (by 4 %); verdict -->"
    assert filled(f"it not run{claim}") == f"it holds{claim}"
    with pytest.raises(KeyError, match="no such"):
        filled("1<!--= ct/final; no such; dice; mean -->")


@pytest.mark.parametrize(
    "experiment",
    [item for item in every_experiment().values() if item.recorded],
    ids=lambda e: e.name,
)
def test_an_experiment_says_what_the_run_took_and_gave(experiment) -> None:
    assert experiment.recorded == recorded(experiment)


@pytest.mark.parametrize("name", ["phantom", "ct"])
def test_a_report_names_the_bundled_checkpoint_that_made_it(name: str) -> None:
    page = (STUDY / name / "report.md").read_text("utf-8")
    assert "NOT SAM 2" in page
    assert "Not a medical device" in page
