"""Selections worked out by hand, on a stack of 20 slices with prompts on 0, 9 and 19."""

from __future__ import annotations

import pytest

from voxtrail.errors import OptionError
from voxtrail.memory import Entry, Query, parse_policy

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


RECENT = ("recent:k=0", "recent:k=3", "recent:k=6", "intelligent", "stride:r=1", "stride:r=2",
          "stride:r=4", "gate:k=1", "gate:k=6", "gate:k=2,by=object")  # fmt: skip
PROMPT = ("all", "near:tau=0.1", "near:tau=0.3", "near:tau=0.1,nearest=false", "closest:n=2")


@pytest.mark.parametrize("memory", RECENT)
@pytest.mark.parametrize("prompt_memory", PROMPT)
@pytest.mark.parametrize("direction", [1, -1])
def test_what_is_not_retained_is_never_asked_for(
    prompt_memory: str, memory: str, direction: int
) -> None:
    policy = parse_policy(prompt_memory, memory)
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
        assert asked.memories == held.memories
        assert {p for p, _ in asked.pointers} <= pointers
        # confidences that rise and fall, so that gating has something to choose
        entry = Entry(index, prompted=False, predicted_iou=(index * 7 % 11) / 11)
        everything[index] = entry
        kept[index] = entry
        pointers.add(index)
        upcoming = Query(index + direction, direction, slices)
        retained = policy.retain(upcoming, kept)
        pointers &= policy.retain_pointers(upcoming, everything)
        # what is dropped stays known by its pointer only
        kept = {i: e for i, e in everything.items() if i in retained or i in pointers}
        most = max(most, len(retained - prompted))
    # the widest: five strides of four, and the slice just passed
    assert most <= 7


@pytest.mark.parametrize(
    "spec", ["recent:k=7", "recent:k=-1", "gate:k=0", "gate:by=area", "stride:r=0", "sliced"]
)
def test_recent_memories_refuse_what_they_cannot_do(spec: str) -> None:
    with pytest.raises(OptionError, match="accepted"):
        parse_policy("all", spec)


@pytest.mark.parametrize(
    "spec", ["near:tau=0", "near:tau=1.5", "closest:n=1", "nearest", "near:t=1"]
)
def test_prompt_memories_refuse_what_they_cannot_do(spec: str) -> None:
    with pytest.raises(OptionError, match="accepted"):
        parse_policy(spec, "intelligent")
