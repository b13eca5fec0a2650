"""Parts named by text: what is built, and how wrong names are refused."""

import pytest

from voxtrail.core.family import Family
from voxtrail.errors import OptionError
from voxtrail.evaluate.prompt_slices import PROMPT_SLICES
from voxtrail.fuse import FUSIONS
from voxtrail.fuse.priors import PRIORS
from voxtrail.memory import PROMPT_MEMORIES, RECENT_MEMORIES
from voxtrail.preprocess import TRANSFORMS

FAMILIES: list[Family] = [
    FUSIONS,
    PRIORS,
    PROMPT_MEMORIES,
    RECENT_MEMORIES,
    PROMPT_SLICES,
    TRANSFORMS,
]
MEMBERS = [(family, name) for family in FAMILIES for name in family.members()]


@pytest.mark.parametrize(("family", "name"), MEMBERS, ids=[name for _, name in MEMBERS])
def test_every_part_is_built_from_its_name_and_from_its_own_text(family, name):
    part = family.parse(name)
    assert family.parse(family.spec(part)) == part
    assert family.parse(family.usage(name)) == part
    assert hash(part) == hash(family.parse(name))


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unknown_name_lists_every_part(family):
    for text in ("nonsense", "", ":", "nonsense:k=3"):
        with pytest.raises(OptionError) as caught:
            family.parse(text)
        assert all(name in caught.value.accepted for name in family.members())


@pytest.mark.parametrize(
    "text",
    ["recent:z=3", "recent:k", "recent:k=1,k=2", "recent:3", "intelligent:k=2", "recent:=3"],
)
def test_an_unknown_or_repeated_option_lists_the_options(text):
    with pytest.raises(OptionError, match="option of the memory") as caught:
        RECENT_MEMORIES.parse(text)
    assert caught.value.accepted == RECENT_MEMORIES.usage(text.partition(":")[0])


@pytest.mark.parametrize("text", ["recent:k=x", "recent:k=1.5", "gate:by=size", "gate:by="])
def test_a_value_of_another_type_is_refused(text):
    with pytest.raises(OptionError, match="cannot take"):
        RECENT_MEMORIES.parse(text)


@pytest.mark.parametrize("text", ["recent:k=-1", "stride:r=0", "gate:k=0"])
def test_a_value_out_of_range_is_refused(text):
    with pytest.raises(OptionError, match=text.partition(":")[0]):
        RECENT_MEMORIES.parse(text)


@pytest.mark.parametrize(
    "text", ["near:tau=0", "near:tau=1.1", "near:tau=nan", "near:n=-1", "closest:n=0"]
)
def test_a_selection_out_of_range_is_refused(text):
    with pytest.raises(OptionError, match=text.partition(":")[0]):
        PROMPT_MEMORIES.parse(text)


def test_options_are_read_as_their_types():
    gate = RECENT_MEMORIES.parse(" gate:by=object,k=2 ")
    assert (gate.k, gate.by) == (2, "object")
    near = PROMPT_MEMORIES.parse("near:nearest=False,tau=0.5")
    assert (near.tau, near.nearest) == (0.5, False)
