"""The card's tables: distances counted by hand, targets judged, a stopped report goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training import report
from training.card import TEMPLATE, check_card, markers, write_card
from training.export import BUNDLED
from training.report import Case, Kept, Structure, by_distance, organs, pelvis_tables
from training.targets import TARGETS, targets_table
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import VoxtrailError
from voxtrail.evaluate import simulate
from voxtrail.model.base import LoadedModel


@pytest.fixture
def case() -> Case:
    """A bar of seven slices; the first four are two voxels wide, the others four."""
    voxels = np.zeros((6, 6, 7), dtype=np.uint8)
    voxels[1:5, 2:3, :] = 1
    voxels[1:3, 2:3, :4] = 1
    voxels[3:5, 2:3, :4] = 0
    volume = Volume.from_stored(np.zeros((6, 6, 7), dtype=np.int16), np.eye(4))
    return Case("bar", volume, LabelMap(voxels, volume.stored, {1: "hip"}))


def test_a_copy_is_scored_slice_by_slice_by_distance(case: Case) -> None:
    prompts = simulate(case.truth, "first-middle-last")  # slices 0, 3 and 6
    copied = by_distance(None, case, prompts, 1)
    # Slices 1, 2, 4 and 5 lie one from an outline; 4 has twice the width of 3, which is nearest.
    assert copied == {1: pytest.approx((1 + 1 + 2 / 3 + 1) / 4)}
    assert by_distance(case.truth, case, prompts, 1) == {1: 1.0}


def test_targets_are_judged_by_the_numbers_that_there_are() -> None:
    names = {name for target in TARGETS for name in (target.measure, target.less) if name}
    numbers = dict.fromkeys(names, 0.8)
    numbers["pelvis/uniform:9/is+sps"] = 0.95
    text = targets_table(numbers)
    assert "| pelvis, nine outlines above three | 0.08 | 0.150 | yes |" in text
    assert "| pelvis, five outlines | 0.87 | 0.800 | **no** |" in text
    assert "not measured" in targets_table({})
    assert {name.split("/")[0] for name in names} == set(report.SECTIONS)


def test_a_stopped_report_scores_no_case_twice(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    class Sized:
        input_size = 64

    model = LoadedModel(Sized(), "micro", "a folder", "0123456789abcdef0")  # type: ignore[arg-type]

    def scored(case: Case, slices: str, model: LoadedModel) -> report.Scored:
        asked.append(slices)
        one = {"hip": Structure(0.5, {1: 0.75})}
        return dict.fromkeys((report.COPIED, *report.METHODS), one)

    monkeypatch.setattr(report, "score", scored)
    text, numbers = pelvis_tables(case, model, Kept(tmp_path / "kept.json"))
    again, same = pelvis_tables(case, model, Kept(tmp_path / "kept.json"))
    assert len(asked) == 3
    assert (text, numbers) == (again, same)
    assert numbers["pelvis/uniform:9/is+sps"] == 0.5
    assert numbers["pelvis/uniform:9/distance 1/copied"] == 0.75


def test_soft_structures_are_soft_and_repeatable() -> None:
    (one,), (two,) = organs(1), organs(1)
    assert np.array_equal(one.volume.voxels, two.volume.voxels)
    mask = one.truth.mask(1)
    hu = one.volume.voxels
    shell = np.zeros_like(mask)
    shell[2:-2, 2:-2, 2:-2] = mask[2:-2, 2:-2, 2:-2]
    assert abs(float(hu[shell].mean()) - 80) < 60  # muscle of 35 to 75 HU and 40 more
    assert one.window == "soft"


def test_a_section_of_the_card_is_replaced_and_no_other(tmp_path: Path) -> None:
    start, end = markers("soft")
    card = tmp_path / "README.md"
    card.write_text(f"a\n{start}\nold\n{end}\nb\n")
    write_card(card, "soft", "new")
    assert card.read_text() == f"a\n{start}\nnew\n{end}\nb\n"
    with pytest.raises(VoxtrailError, match="lacks a section"):
        write_card(card, "targets", "new")


@pytest.mark.parametrize("card", [TEMPLATE, BUNDLED / "README.md"])
def test_cards_have_all_sections_of_the_report(card: Path) -> None:
    check_card(card, (*report.SECTIONS, "targets"))
