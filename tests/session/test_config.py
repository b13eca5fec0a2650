"""The configuration: what it takes, what it says, and that its JSON builds it again."""

import json
from dataclasses import dataclass
from typing import ClassVar

import pytest

from voxtrail.errors import OptionError
from voxtrail.fuse import FUSIONS
from voxtrail.fuse.mean_logit import MeanLogit
from voxtrail.memory import PROMPT_MEMORIES, RECENT_MEMORIES, MemoryPolicy, PromptMemory
from voxtrail.memory.prompted.near import NearPrompts
from voxtrail.memory.recent.recent import Recent
from voxtrail.session import PRESETS, Config

REFUSED = {
    "preset": ({"preset": "best"}, "is+sps+shape, is+sps, baseline, sps, is"),
    "direction": ({"direction": "backward"}, "forward, both"),
    "extent": ({"extent": "some"}, "prompts, object, all"),
    "crop": ({"crop": "tight"}, "label, all, none"),
    "overlap": ({"overlap": "both"}, "compete, apart"),
    "axis": ({"axes": ("oblique",)}, "axial, coronal, sagittal"),
    "axis twice": ({"axes": ("axial", "Axial")}, "axial, coronal, sagittal"),
    "no axis": ({"axes": ()}, "axial, coronal, sagittal"),
    "window": ({"window": "marrow"}, "bone, soft, lung, brain, LEVEL,WIDTH, none, clahe"),
    "window without width": ({"window": "400,0"}, "a width above 0"),
    "margin": ({"margin_mm": -1.0}, "0 mm or more"),
    "endless margin": ({"margin_mm": float("nan")}, "0 mm or more"),
    "fuse": ({"fuse": "median"}, "mean-logit:limit=20.0, mean-probability"),
    "fuse option": ({"fuse": "mean-logit:cap=3"}, "mean-logit:limit=20.0"),
    "memory": ({"memory": "long"}, "gate:k=6,by=iou, intelligent, recent:k=6, sam3:above=0.01"),
    "memory option": ({"memory": "recent:n=3"}, "recent:k=6"),
    "search": ({"search": "tree"}, "pathways:n=3,spread=0.05, single"),
    "prompt memory": ({"prompt_memory": "far"}, "all, closest:n=2, near:tau=0.3,nearest=True,n=0"),
    "prompt memory option": ({"prompt_memory": "near:tau=2"}, "above 0 and at most 1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_unknown_values_list_the_valid_ones(case):
    fields, accepted = REFUSED[case]
    with pytest.raises(OptionError) as caught:
        Config(**fields)
    assert accepted in caught.value.accepted


MEMORIES = [*RECENT_MEMORIES.members(), "recent:k=3", "gate:k=3,by=object"]


@pytest.mark.parametrize("memory", MEMORIES)
@pytest.mark.parametrize("prompt_memory", PROMPT_MEMORIES.members())
def test_every_memory_builds_again_from_json(memory, prompt_memory):
    again_from_json(Config(memory=memory, prompt_memory=prompt_memory))


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("window", ["bone", "40,400", "none", "clahe", "lung+clahe"])
@pytest.mark.parametrize("fuse", FUSIONS.members())
def test_every_preset_builds_again_from_json(preset, window, fuse):
    again_from_json(Config(preset=preset, window=window, fuse=fuse))


def again_from_json(config):
    for one in (config, config.resolved()):
        assert Config(**json.loads(json.dumps(one.to_json()))) == one
        assert one.resolved() == one.resolved().resolved()


def test_what_a_preset_implies_is_written_out():
    resolved = Config(preset="is+sps").resolved()
    assert (resolved.prompt_memory, resolved.memory) == (
        "near:tau=0.3,nearest=True,n=0",
        "intelligent",
    )
    mixed = Config(preset="is+sps", memory="recent:k=3").resolved()
    assert (mixed.prompt_memory, mixed.memory) == ("near:tau=0.3,nearest=True,n=0", "recent:k=3")
    assert Config(preset="baseline").resolved().memory == "recent:k=6"


def test_axes_are_plain_names_however_they_are_spelled():
    assert Config(axes=[" Axial", "CORONAL"]).axes == ("axial", "coronal")


@dataclass(frozen=True)
class OnlyTheFirst(PromptMemory):
    """A policy of a notebook, which no family holds."""

    name: ClassVar[str] = "only-the-first"
    shift: int = 0

    def select(self, query, prompted):
        return frozenset([min(prompted)])


def test_parts_may_be_given_themselves():
    given = Config(memory=Recent(k=3), prompt_memory=NearPrompts(tau=0.2), fuse=MeanLogit(limit=5))
    assert given.policy == MemoryPolicy(NearPrompts(tau=0.2), Recent(k=3))
    named = Config(memory="recent:k=3", prompt_memory="near:tau=0.2", fuse="mean-logit:limit=5")
    assert given.resolved() == named.resolved()
    assert given.resolved().to_json() == named.resolved().to_json()
    assert given.to_json()["memory"] == "recent:k=3"
    again_from_json(given.resolved())


def test_a_part_of_no_family_stays_itself_and_is_named_in_the_record():
    config = Config(prompt_memory=OnlyTheFirst(shift=2)).resolved()
    assert config.policy.prompts == OnlyTheFirst(shift=2)
    assert config.to_json()["prompt_memory"] == "only-the-first:shift=2"
    with pytest.raises(OptionError, match="unknown prompt memory"):
        Config(**config.to_json())


@pytest.mark.parametrize(
    "fields", [{"memory": NearPrompts()}, {"prompt_memory": 3}, {"fuse": Recent()}]
)
def test_what_is_no_such_part_is_refused(fields):
    with pytest.raises(OptionError, match="this is no") as caught:
        Config(**fields)
    assert "voxtrail" in caught.value.accepted
