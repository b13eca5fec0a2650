"""The quick part of the fuzz run; `make fuzz` is the long one."""

from random import Random

import pytest

from tests.fuzz.mutations import mutated
from tests.fuzz.process import trials
from tests.fuzz.seeds import make
from tests.fuzz.trial import prepare

INPUTS = 250


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def seeds(base):
    return make(base)


def test_damaged_inputs_are_refused_in_one_line_or_segmented(base, seeds):
    found, codes = {}, set()
    for index, verdict in trials(base, seeds, 7, range(INPUTS)):
        codes.add(verdict.code)
        if verdict.complaint:
            found[index] = f"{verdict.seed}: {verdict.complaint}"
    assert not found, f"try again: python -m tests.fuzz --seed 7 --only N; {found}"
    # Otherwise the damage is too little or too much to test anything.
    assert {0, 2} <= codes


def test_an_input_is_made_of_seed_and_number_alone(seeds, tmp_path):
    made = []
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        prepare(seeds, 11, 7, tmp_path / name)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1]


def test_every_mutation_ends_whatever_it_is_given():
    for number in range(400):
        random = Random(number)
        data = random.randbytes(random.choice((0, 1, 3, 2000)))
        assert len(mutated(data, random, b"")) < 100_000
