"""``voxtrail suggest``."""

import json

import pytest

from tests.cli.files import listing, save, stored_labels


@pytest.fixture
def arguments(case, nano):
    drawn = stored_labels()
    drawn[:, [1, 3, 4, 5, 7]] = 0  # outlined on axial slices 0, 2, 6, 8, as they are stored
    save(case / "prompts.nii.gz", drawn)
    return [
        "suggest", case / "ct.nii.gz", case / "prompts.nii.gz",
        "--model", nano, "--device", "cpu", "--crop", "none", "--axes", "axial",
    ]  # fmt: skip


def test_slices_are_named_as_they_are_stored_and_nothing_is_written(case, arguments, voxtrail):
    before = listing(case)
    said = voxtrail(*arguments, "--json", "--quiet", "-n", "2", "--rule", "largest-gap")
    assert (said.code, said.err) == (0, "")
    found = json.loads(said.out)
    assert set(found) == {"suggestions", "expected"}
    assert len(found["suggestions"]) == 2
    for one in found["suggestions"]:
        assert set(one) == {"label", "name", "axis", "slice", "reason", "score"}
        # The widest gap of each label: slices 3, 4 and 5 lie between 2 and 6.
        assert (one["axis"], one["slice"]) == ("axial", 4)
    assert set(found["expected"]) == {"1", "2", "3"}
    assert listing(case) == before


def test_a_person_reads_why(arguments, voxtrail):
    said = voxtrail(*arguments)
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0].startswith("1. ")
    assert "axial slice " in lines[0]
    assert "mm from the nearest outline" in lines[0]
    assert "expected Dice" in lines[-1]
    assert "slices" in said.err


def test_expectations_are_those_of_segment(case, arguments, voxtrail):
    said = voxtrail(*arguments, "--json")
    whole = voxtrail("segment", *arguments[1:], "-o", case / "seg.nii.gz", "--json")
    labels = json.loads(whole.out)["labels"]
    assert json.loads(said.out)["expected"] == {
        str(label["label"]): label["expected_dice"] for label in labels
    }


def test_what_is_outlined_all_over_needs_no_more(case, arguments, voxtrail):
    save(case / "prompts.nii.gz", stored_labels())
    said = voxtrail(*arguments)
    assert said.out.startswith("every slice between the outlines is outlined\n")


def test_refusals(case, arguments, refused):
    refused(*arguments, "--rule", "best", words=("suggestion rule", "expected-gain", "largest-gap"))
    refused(*arguments, "--rule", "expected-gain:least=2", words=("least",))
    refused(*arguments, "-n", "0", usage=True)
    refused(*arguments[:1], case / "none.nii.gz", *arguments[2:], words=("none.nii.gz",))
    refused(*arguments[:2], case / "ct.nii.gz", *arguments[3:])
    refused(*arguments, "--structures", "liver", words=("liver",))
