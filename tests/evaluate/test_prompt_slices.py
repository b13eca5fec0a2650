"""The contract of every choice of prompted slices, and the choices by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voxtrail.errors import OptionError
from voxtrail.evaluate import PROMPT_SLICES, parse_prompt_slices
from voxtrail.evaluate.prompt_slices import FirstLast, FirstMiddleLast, Middle, Uniform

OCCUPIED = st.lists(st.integers(0, 60), min_size=1, unique=True).map(
    lambda places: np.array(sorted(places))
)


@pytest.mark.parametrize("name", sorted(PROMPT_SLICES.members()))
@settings(deadline=None)  # wall-clock time says nothing on a shared machine
@given(occupied=OCCUPIED)
def test_contract(name, occupied):
    chosen = PROMPT_SLICES.parse(name).choose(occupied)
    assert set(chosen) <= set(occupied.tolist())
    assert list(chosen) == sorted(set(chosen))
    assert all(type(index) is int for index in chosen)
    assert len(chosen) >= 1


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Middle(), (30,)),
        (FirstLast(), (20, 41)),
        (FirstMiddleLast(), (20, 30, 41)),
        (Uniform(2), (20, 41)),
        (Uniform(3), (20, 30, 41)),
        (Uniform(4), (20, 27, 34, 41)),
        (Uniform(5), (20, 25, 30, 35, 41)),
    ],
)
def test_by_hand(strategy, expected):
    assert strategy.choose(np.arange(20, 42)) == expected


@pytest.mark.parametrize(
    ("occupied", "expected"),
    [([5], (5,)), ([5, 6], (5, 6)), ([5, 6, 7], (5, 6, 7))],
)
def test_a_structure_of_few_slices_is_outlined_on_each_once(occupied, expected):
    assert FirstMiddleLast().choose(np.array(occupied)) == expected
    assert Uniform(7).choose(np.array(occupied)) == expected


def test_a_gap_gives_way_to_the_nearest_slice():
    assert Middle().choose(np.array([0, 1, 2, 8, 9])) == (2,)
    assert Middle().choose(np.array([0, 3, 5, 8])) == (3,)  # 4 is as near to 3 as to 5
    assert FirstMiddleLast().choose(np.array([0, 1, 7, 10])) == (0, 7, 10)


def test_text():
    assert parse_prompt_slices(" uniform:7 ") == Uniform(7)
    assert parse_prompt_slices("uniform:k=7") == Uniform(7)
    assert parse_prompt_slices("uniform") == Uniform(5)
    assert parse_prompt_slices("first-last") == FirstLast()


@pytest.mark.parametrize("text", ["", "last", "uniform:x", "uniform:-3", "middle:3"])
def test_unknown_text_lists_the_valid_ones(text):
    with pytest.raises(OptionError, match=r"accepted: .*(middle|uniform)"):
        parse_prompt_slices(text)


@pytest.mark.parametrize("k", [0, 1])
def test_too_few_to_space_are_refused(k):
    with pytest.raises(OptionError, match="K of 2 or more"):
        parse_prompt_slices(f"uniform:{k}")
