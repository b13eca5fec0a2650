"""Selections worked out by hand, on a stack of 20 slices with prompts on 0, 9 and 19."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

from voxtrail.core.memory_spec import SAM2_MEMORY, MemorySpec
from voxtrail.errors import OptionError
from voxtrail.memory import (
    PROMPT_MEMORIES,
    RECENT_MEMORIES,
    Attended,
    Entry,
    MemoryPolicy,
    PromptMemory,
    Query,
    RecentMemory,
    parse_policy,
)
from voxtrail.memory.prompted.all import AllPrompts

SLICES = 20
PROMPTED = (0, 9, 19)


def entries(tracked: range, **scores: dict[int, float]) -> dict[int, Entry]:
    known = {index: Entry(index, prompted=True) for index in PROMPTED}
    for index in tracked:
        if index not in known:
            known[index] = Entry(
                index,
                prompted=False,
                predicted_iou=scores.get("iou", {}).get(index, 0.5),
                object_score=scores.get("object", {}).get(index, 5.0),
            )
    return known


def recall(spec: tuple[str, str], query: Query, known: dict[int, Entry]):
    found = parse_policy(*spec).recall(query, known)
    return {(item.slice_index, item.embedding) for item in found.memories}, set(found.pointers)


PROMPTS_ALL = {(0, 6), (9, 6), (19, 6)}


@pytest.mark.parametrize(
    ("spec", "query", "memories", "pointers"),
    [
        pytest.param(
            ("all", "recent:k=6"),
            Query(12, 1, SLICES),
            # 11 and 10 were tracked; slot 3 is the prompt 9 and stays empty; then 8, 7, 6
            PROMPTS_ALL | {(11, 0), (10, 1), (8, 3), (7, 4), (6, 5)},
            # prompts passed so far, and the tracked slices within 15
            {(0, 12), (9, 3)} | {(12 - d, d) for d in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)},
            id="baseline",
        ),
        pytest.param(
            ("near:tau=0.3", "recent:k=6"),
            Query(12, 1, SLICES),
            # |12 - p| <= 6: only 9
            {(9, 6), (11, 0), (10, 1), (8, 3), (7, 4), (6, 5)},
            # the prompt 0 is 12 back, within 15: its pointer counts as a tracked slice's
            {(9, 3), (0, 12)} | {(12 - d, d) for d in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)},
            id="sps",
        ),
        pytest.param(
            ("near:tau=0.1", "recent:k=6"),
            Query(4, 1, SLICES),
            # nothing within 2 slices: the nearest prompt is 0 (4 away; 9 is 5 away)
            {(0, 6), (3, 0), (2, 1), (1, 2)},
            {(0, 4), (3, 1), (2, 2), (1, 3)},
            id="sps keeps the nearest",
        ),
        pytest.param(
            ("near:tau=0.1,nearest=false", "recent:k=6"),
            Query(4, 1, SLICES),
            # no prompt; 0 lies among the last six and is attended to as a recent slice
            {(3, 0), (2, 1), (1, 2), (0, 3)},
            {(3, 1), (2, 2), (1, 3), (0, 4)},
            id="unselected prompt is recent",
        ),
        pytest.param(
            ("all", "intelligent"),
            Query(12, 1, SLICES),
            PROMPTS_ALL | {(11, 0), (10, 5)},
            {(0, 12), (9, 3)} | {(12 - d, d) for d in (1, 2, 4, 5, 6, 7, 8, 9, 10, 11)},
            id="is",
        ),
        pytest.param(
            ("near:tau=0.3", "intelligent"),
            Query(11, 1, SLICES),
            # two back is the selected prompt 9, so that slot is empty
            {(9, 6), (10, 0)},
            {(9, 2), (0, 11)} | {(11 - d, d) for d in (1, 3, 4, 5, 6, 7, 8, 9, 10)},
            id="is+sps",
        ),
        pytest.param(
            ("all", "recent:k=0"),
            Query(3, 1, SLICES),
            PROMPTS_ALL,
            {(0, 3), (2, 1), (1, 2)},
            id="sliced 0",
        ),
        pytest.param(
            ("all", "stride:r=4"),
            Query(15, 1, SLICES),
            # 14, then multiples of 4 from 12 down: 12, 8, 4, (0 is a prompt), -4
            PROMPTS_ALL | {(14, 0), (12, 1), (8, 2), (4, 3)},
            {(0, 15), (9, 6)} | {(15 - d, d) for d in range(1, 15) if d not in (6, 15)},
            id="stride",
        ),
        pytest.param(
            ("all", "recent:k=2"),
            Query(7, -1, SLICES),
            # backwards: 8 was tracked just before, 9 is a prompt
            PROMPTS_ALL | {(8, 0)},
            # only prompts already passed on the way down, and tracked slices above
            {(9, 2), (19, 12)} | {(7 + d, d) for d in (1, 3, 4, 5, 6, 7, 8, 9, 10, 11)},
            id="backward",
        ),
        pytest.param(
            ("all", "stride:r=4"),
            Query(5, -1, SLICES),
            # 6, then multiples of 4 from 8 up: 8, 12, 16, (20 and 24 lie outside)
            PROMPTS_ALL | {(6, 0), (8, 1), (12, 2), (16, 3)},
            {(9, 4), (19, 14)} | {(5 + d, d) for d in range(1, 14) if d != 4},
            id="stride backward",
        ),
    ],
)
def test_recall(spec, query, memories, pointers) -> None:
    tracked = range(query.slice_index) if query.direction > 0 else range(query.slice_index + 1, 19)
    assert recall(spec, query, entries(tracked)) == (memories, pointers)


def test_gate_takes_the_surest_and_orders_them_by_distance() -> None:
    known = entries(range(8), iou={1: 0.9, 2: 0.3, 3: 0.8, 4: 0.8, 5: 0.1, 6: 0.2, 7: 0.4})
    memories, _ = recall(("all", "gate:k=3"), Query(8, 1, SLICES), known)
    assert memories == PROMPTS_ALL | {(4, 0), (3, 1), (1, 2)}


def test_gate_can_go_by_object_score_and_prefers_the_nearer_of_equals() -> None:
    known = entries(range(6), object={1: 9.0, 2: 1.0, 3: 9.0, 4: 9.0, 5: 2.0})
    memories, _ = recall(("all", "gate:k=2,by=object"), Query(6, 1, SLICES), known)
    assert memories == PROMPTS_ALL | {(4, 0), (3, 1)}


def test_tau_1_keeps_every_prompt() -> None:
    known = entries(range(12))
    for index in (1, 9, 12, 18):
        query = Query(index, 1, SLICES)
        assert recall(("near:tau=1.0", "recent:k=6"), query, known) == recall(
            ("all", "recent:k=6"), query, known
        )


def test_tau_includes_its_own_distance() -> None:
    # |15 - 9| / 20 = 0.3 exactly
    memories, _ = recall(("near:tau=0.3", "recent:k=0"), Query(15, 1, SLICES), entries(range(15)))
    assert memories == {(9, 6), (19, 6)}


def test_closest_takes_one_on_each_side_then_the_nearest() -> None:
    # before 12: 0 and 9; after: 19
    query, known = Query(12, 1, SLICES), entries(range(12))
    assert recall(("closest:n=2", "recent:k=0"), query, known)[0] == {(9, 6), (19, 6)}
    assert recall(("closest:n=3", "recent:k=0"), query, known)[0] == PROMPTS_ALL


def test_short_stacks_shorten_the_pointer_window() -> None:
    # a stack of five slices looks at most four back, as the reference does
    known = {0: Entry(0, prompted=True)} | {i: Entry(i, prompted=False) for i in (1, 2, 3)}
    _, pointers = recall(("all", "recent:k=6"), Query(4, 1, 5), known)
    assert pointers == {(0, 4), (3, 1), (2, 2), (1, 3)}


@pytest.mark.parametrize(("n", "kept"), [(1, {9}), (2, {9, 19}), (3, {9, 19, 0}), (0, {9, 19, 0})])
def test_of_near_prompts_the_nearest_n_are_kept(n: int, kept: set[int]) -> None:
    # from 13: 9 lies 4 away, 19 lies 6 away, 0 lies 13 away; all within tau of 0.7 x 20 = 14
    policy = parse_policy(f"near:tau=0.7,n={n}", "recent:k=0")
    assert policy.prompts.select(Query(13, 1, SLICES), PROMPTED) == kept


def test_a_cap_keeps_no_prompt_that_is_not_near() -> None:
    # from 3: 0 lies 3 away, 9 lies 6 away; tau reaches 0.2 x 20 = 4
    policy = parse_policy("near:tau=0.2,n=2", "recent:k=0")
    assert policy.prompts.select(Query(3, 1, SLICES), PROMPTED) == {0}
    # from 14, 9 and 19 lie 5 away and none within 4: the one already passed, one way or the other
    assert policy.prompts.select(Query(14, 1, SLICES), PROMPTED) == {9}
    assert policy.prompts.select(Query(14, -1, SLICES), PROMPTED) == {19}


def test_the_closest_one_is_the_nearest_of_both_sides() -> None:
    policy = parse_policy("closest:n=1", "recent:k=0")
    assert policy.prompts.select(Query(3, 1, SLICES), PROMPTED) == {0}
    assert policy.prompts.select(Query(5, 1, SLICES), PROMPTED) == {9}
    assert policy.prompts.select(Query(9, 1, SLICES), PROMPTED) == {9}
    # as far from 9 as from 19: the one already passed
    assert policy.prompts.select(Query(14, 1, SLICES), PROMPTED) == {9}
    assert policy.prompts.select(Query(14, -1, SLICES), PROMPTED) == {19}


#: A model with three embeddings for tracked slices, prompted ones taking a fourth; pointers from
#: at most four slices back, and two prompted slices.
SMALL = MemorySpec(recent_embeddings=3, prompt_embedding=3, max_pointers=5, max_prompts=2)


@pytest.mark.parametrize(
    ("memory", "recent"),
    [
        ("recent:k=3", {(11, 0), (10, 1)}),  # 9 is an outlined slice
        ("intelligent", {(11, 0), (10, 2)}),
        ("stride:r=2", {(11, 0), (10, 1), (8, 2)}),
    ],
)
def test_the_model_says_what_its_memory_has_room_for(memory: str, recent: set) -> None:
    query = Query(12, 1, SLICES, SMALL)
    memories, pointers = recall(("all", memory), query, entries(range(12)))
    # of three outlined slices the nearest before and after
    assert memories == {(9, 3), (19, 3)} | recent
    assert pointers == {(9, 3), (11, 1), (10, 2), (8, 4)}


@pytest.mark.parametrize("memory", ["recent:k=4", "gate:k=4", "surgsam2:k=4"])
def test_more_slices_than_the_model_has_embeddings_are_refused(memory: str) -> None:
    policy = parse_policy("all", memory)
    policy.check(SAM2_MEMORY)
    with pytest.raises(OptionError, match="embeddings") as caught:
        policy.check(SMALL)
    assert caught.value.accepted.endswith("to 3")


@dataclass(frozen=True)
class Ranked(RecentMemory):
    """Slices whose mask is large, their pointers told apart by rank: a rule of its own for both."""

    name: ClassVar[str] = "ranked"

    def select(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[Attended, ...]:
        chosen = enumerate(self._largest(query, tracked))
        return tuple(Attended(index, rank) for rank, index in chosen)

    def retain(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        return frozenset(self._largest(query, tracked))

    def pointers(self, query: Query, tracked: Mapping[int, Entry]) -> tuple[tuple[int, int], ...]:
        chosen = enumerate(self._largest(query, tracked), start=1)
        return tuple((index, rank) for rank, index in chosen)

    def retain_pointers(self, query: Query, tracked: Mapping[int, Entry]) -> frozenset[int]:
        return self.retain(query, tracked)

    def _largest(self, query: Query, tracked: Mapping[int, Entry]) -> list[int]:
        passed = [
            one for i, one in tracked.items() if query.steps_back_to(i) > 0 and not one.prompted
        ]
        passed.sort(key=lambda one: -float(one.area))
        return [one.slice_index for one in passed[:3]]


def test_a_policy_chooses_pointers_too() -> None:
    areas = {1: 0.1, 2: 0.4, 3: 0.2, 4: 0.3}
    known = {0: Entry(0, prompted=True)}
    known |= {i: Entry(i, prompted=False, area=area) for i, area in areas.items()}
    found = MemoryPolicy(AllPrompts(), Ranked()).recall(Query(5, 1, SLICES), known)
    assert found.pointers == ((0, 5), (2, 1), (4, 2), (3, 3))


#: Every member as it is by itself, and with other options.
RECENT = (*map(RECENT_MEMORIES.parse, (*RECENT_MEMORIES.members(), "recent:k=0", "recent:k=3",
          "stride:r=1", "stride:r=4", "gate:k=1", "gate:k=2,by=object", "sam3:above=0.4",
          "samurai:iou=0.8", "dam4sam:iou=0.3,change=1,agreement=1",
          "dam4sam:iou=0,n=1,apart=0,r=1", "surgsam2:k=3,drop=1")), Ranked())  # fmt: skip
PROMPT = tuple(map(PROMPT_MEMORIES.parse, (*PROMPT_MEMORIES.members(), "near:tau=0.1",
          "near:tau=0.1,nearest=false", "near:tau=0.9,n=2", "closest:n=1")))  # fmt: skip


@pytest.mark.parametrize("memory", RECENT, ids=str)
@pytest.mark.parametrize("prompt_memory", PROMPT, ids=str)
@pytest.mark.parametrize("direction", [1, -1])
def test_what_is_not_retained_is_never_asked_for(
    prompt_memory: PromptMemory, memory: RecentMemory, direction: int
) -> None:
    policy = MemoryPolicy(prompt_memory, memory)
    policy.check(SAM2_MEMORY)
    slices = 60
    order = range(slices) if direction > 0 else range(slices - 1, -1, -1)
    prompted = {0, 29, 59}
    everything = {i: Entry(i, prompted=True) for i in prompted}
    kept = dict(everything)
    pointers = set(prompted)
    most = 0
    for index in order:
        query = Query(index, direction, slices)
        if index in prompted:
            continue
        asked = policy.recall(query, everything)
        held = policy.recall(query, kept)
        assert asked == held
        assert {p for p, _ in asked.pointers} <= pointers
        # confidences that rise and fall, so that gating has something to choose
        entry = Entry(
            index,
            False,
            (index * 7 % 11) / 11,
            (index * 5 % 13) - 6,
            max(0, index * 3 % 17 - 3) / 17,
            (index * 4 % 7) / 7,
            {other: (index * other % 19) / 19 for other in everything},
        )
        everything[index] = kept[index] = entry
        promoted = policy.promotes(query, everything)
        assert policy.promotes(query, kept) == promoted
        everything[index] = kept[index] = replace(entry, promoted=promoted)
        pointers.add(index)
        upcoming = Query(index + direction, direction, slices)
        retained = policy.retain(upcoming, kept)
        pointers &= policy.retain_pointers(upcoming, everything)
        # what is dropped stays known by its pointer only
        kept = {i: e for i, e in everything.items() if i in retained or i in pointers}
        most = max(most, len(retained - prompted))
    # the widest: promoted slices, spread ones and those that may be
    assert most <= 13


@pytest.mark.parametrize(
    "spec",
    [
        "recent:k=-1",
        "gate:k=0",
        "gate:by=area",
        "stride:r=0",
        "sliced",
        "sam3:above=1",
        "samurai:iou=-1",
        "dam4sam:r=0",
        "dam4sam:change=2",
        "surgsam2:k=1",
        "surgsam2:k=3,drop=3",
    ],
)
def test_recent_memories_refuse_what_they_cannot_do(spec: str) -> None:
    with pytest.raises(OptionError, match="accepted"):
        parse_policy("all", spec)


@pytest.mark.parametrize(
    "spec", ["near:tau=0", "near:tau=1.5", "near:n=-1", "closest:n=0", "nearest", "near:t=1"]
)
def test_prompt_memories_refuse_what_they_cannot_do(spec: str) -> None:
    with pytest.raises(OptionError, match="accepted"):
        parse_policy(spec, "intelligent")
