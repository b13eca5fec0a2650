import numpy as np
import pytest

import voxtrail.io as vio
from tests.scans import oblique_affine
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.errors import OptionError
from voxtrail.io.structures import chosen, listed, split

VOXELS = np.zeros((4, 5, 6), np.uint8)
VOXELS[1, 1:3, 2], VOXELS[2, 3, 4], VOXELS[3, 3, 3] = 1, 2, 7
NAMES = {1: "liver", 2: "Lung, left"}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (None, ()),
        ("liver", ("liver",)),
        ("liver , spleen", ("liver", "spleen")),
        ('"Lung, left",liver', ("Lung, left", "liver")),
        ("PTV  1\n", ("PTV 1",)),
        ("", ("",)),  # which no structure is called, rather than all
    ],
)
def test_names_are_split_at_commas_outside_quotes(text, names):
    assert split(text) == names


def test_names_are_listed_as_they_are_split():
    assert split(listed(NAMES.values())) == tuple(NAMES.values())
    assert len(listed(map(str, range(100_000)))) < 2100


def test_names_match_exactly(tmp_path):
    assert chosen(NAMES, (), tmp_path) == {1, 2}
    for wrong in ("Liver", "liv", "1", ""):
        with pytest.raises(OptionError, match='accepted: liver, "Lung, left"'):
            chosen(NAMES, (wrong,), tmp_path)


@pytest.mark.parametrize("suffix", [".seg.nrrd", ".nrrd", ".nii.gz", ".json"])
def test_every_format_of_prompts_gives_those_that_are_chosen(suffix, tmp_path):
    scan = Volume.from_stored(VOXELS.astype(np.int16), oblique_affine())
    labels = LabelMap.from_stored(VOXELS, oblique_affine(), NAMES)
    path = tmp_path / f"drawn{suffix}"
    if suffix == ".json":
        stack = Axis.AXIAL.to_stack(labels.voxels)
        drawn = (MaskPrompt(label, Axis.AXIAL, 2, stack[2] == 1) for label in (1, 2, 7))
        vio.write_prompts(Prompts(tuple(drawn), scan.stored, NAMES), path)
    else:
        vio.write(labels, path)
    called = {1: "1", 2: "2", 7: "7"} if suffix in (".nii.gz", ".nrrd") else {**NAMES, 7: "7"}
    read = vio.read_prompts(path, like=scan, structures=[called[2], called[7]])
    assert read.labels() == (2, 7)
    assert [read.name(label) for label in (2, 7)] == [called[2], called[7]]
    with pytest.raises(OptionError, match="no structure of this name; received: spleen"):
        vio.read_prompts(path, like=scan, structures=["spleen"])
