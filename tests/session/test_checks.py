"""What is refused before any model is loaded, and what is warned of."""

from dataclasses import replace

import numpy as np
import pytest

from tests.scans import oblique_affine
from voxtrail.core.axis import Axis
from voxtrail.core.grid import Grid
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.errors import GridError, PromptError
from voxtrail.evaluate import simulate
from voxtrail.session import Config, check_request, segment
from voxtrail.session.checks import warnings_about

OUTLINE = np.zeros((12, 14), bool)
OUTLINE[3:6, 4:9] = True


def drawn(scan, *prompts, names=None):
    return Prompts(prompts, scan.stored, names or {})


def test_prompts_on_another_grid_are_refused_before_the_model_is_looked_for(scan, truth):
    moved = oblique_affine()
    moved[0, 3] += 5
    prompts = Prompts(simulate(truth).prompts, Grid((14, 12, 9), moved))
    with pytest.raises(GridError) as caught:
        segment(scan, prompts, Config(model="nonsense"))
    assert prompts.stored.describe() in str(caught.value)
    assert scan.stored.describe() in str(caught.value)


REFUSED = {
    "no prompt": ((), "no slice is prompted"),
    "slice beyond the end": ((MaskPrompt(1, Axis.AXIAL, 9, OUTLINE),), "no place.*slices 0 to 8"),
    "slice below 0": ((BoxPrompt(1, Axis.AXIAL, -1, (1, 1, 4, 4)),), "no place.*axial slice -1"),
    "mask of another slice": ((MaskPrompt(1, Axis.AXIAL, 3, OUTLINE.T),), r"no place.*\(14, 12\)"),
    "two in one place": (
        (MaskPrompt(1, Axis.AXIAL, 3, OUTLINE), BoxPrompt(1, Axis.AXIAL, 3, (1, 1, 4, 4))),
        "no place.*each with one mask or box",
    ),
    "nothing marked": (
        (
            MaskPrompt(1, Axis.AXIAL, 3, OUTLINE),
            MaskPrompt(2, Axis.AXIAL, 3, np.zeros((12, 14), bool)),
            PointPrompt(2, Axis.AXIAL, 5, ((1, 1),), (False,)),
        ),
        "nothing of rib is marked",
    ),
    "another axis": ((BoxPrompt(2, Axis.CORONAL, 3, (1, 1, 4, 4)),), "rib has no prompt on an ax"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("crop", ["label", "none"])
def test_prompts_that_cannot_be_used_are_refused(case, crop, scan):
    prompts, words = REFUSED[case]
    with pytest.raises(PromptError, match=words) as caught:
        check_request(scan, drawn(scan, *prompts, names={2: "rib"}), Config(crop=crop))
    assert "\n" not in str(caught.value)


def test_voxels_that_two_labels_were_drawn_on_are_warned_of_where_labels_compete(scan):
    outlines = (MaskPrompt(1, Axis.AXIAL, 3, OUTLINE), MaskPrompt(2, Axis.AXIAL, 3, OUTLINE))
    prompts = drawn(scan, *outlines, names={2: "rib"})
    check_request(scan, prompts, Config())
    (said,) = warnings_about(prompts, Config())
    assert said.startswith("rib: 15 voxels, one at (5, 6, 3) as stored, were also drawn")
    assert "--overlap apart" in said
    assert warnings_about(prompts, Config(overlap="apart")) == []


def test_the_voxel_where_slices_of_two_labels_cross_is_one(scan):
    upright = np.zeros((9, 14), bool)
    upright[8 - 3, 4] = True  # row of slice 3, column 4: on the first outline's third row
    prompts = drawn(
        scan,
        MaskPrompt(1, Axis.AXIAL, 3, OUTLINE),
        MaskPrompt(2, Axis.CORONAL, 11 - 5, upright),
    )
    said = warnings_about(prompts, Config(axes=("axial", "coronal")))
    assert any("1 voxels, one at (9, 6, 3)" in one for one in said)


def test_neighbouring_labels_are_no_overlap(scan, truth):
    said = warnings_about(simulate(truth, axes=tuple(Axis)), Config())
    assert not any("also drawn" in one for one in said)


def test_outlines_that_contradict_each_other_where_they_cross_are_warned_of(scan):
    upright = np.zeros((9, 14), bool)
    upright[5, 5:8] = True
    prompts = drawn(
        scan,
        MaskPrompt(1, Axis.AXIAL, 3, OUTLINE),
        MaskPrompt(1, Axis.CORONAL, 11 - 5, upright),
    )
    config = Config(axes=("axial", "coronal"))
    check_request(scan, prompts, config)
    assert warnings_about(prompts, config) == [
        "1: 2 voxels where slices cross were drawn on one and left out on another; they count as "
        "drawn"
    ]


def test_outlines_that_agree_are_not_warned_of(scan, truth):
    prompts = simulate(truth, axes=tuple(Axis))
    assert warnings_about(prompts, Config(axes=("axial", "coronal", "sagittal"))) == []


def test_what_is_named_and_outlined_nowhere_is_warned_of(scan, truth):
    prompts = simulate(truth)
    named = replace(prompts, names={**prompts.names, 9: "ghost"})
    assert warnings_about(named, Config()) == [
        "named in the prompts and outlined on no slice, so not segmented: ghost"
    ]
