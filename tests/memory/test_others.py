"""Other people's memories: selections worked out by hand, and their rules written once more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from voxtrail.memory import Entry, Query, parse_policy

SLICES = 60


def entry(index: int, **numbers) -> Entry:
    return Entry(index, prompted=False, **{"area": 0.1, "object_score": 5.0, **numbers})


def known(*tracked: Entry, prompted: tuple[int, ...] = (0,)) -> dict[int, Entry]:
    drawn = {index: Entry(index, prompted=True, area=0.1) for index in prompted}
    return drawn | {one.slice_index: one for one in tracked}


def recall(memory: str, at: int, entries: Mapping[int, Entry], prompts: str = "all"):
    found = parse_policy(prompts, memory).recall(Query(at, 1, SLICES), entries)
    return {(item.slice_index, item.embedding) for item in found.memories}, set(found.pointers)


def test_sam3_ranks_trusted_slices_and_their_pointers_and_always_takes_the_one_just_passed():
    # 7 is not sure that the object is there, 5 and 4 have no good mask; 8 comes first all the same
    doubtful = {8: {"object_score": -1.0}, 7: {"object_score": 0.0}, 5: {"predicted_iou": 0.001}}
    tracked = (entry(i, **{"predicted_iou": 0.9, **doubtful.get(i, {})}) for i in range(1, 9))
    memories, pointers = recall("sam3", 9, known(*tracked))
    assert memories == {(0, 6), (8, 0), (6, 1), (4, 2), (3, 3), (2, 4), (1, 5)}
    # distances are ranks, and the last in rank gives none; the outlined slice is 9 back
    assert pointers == {(0, 9), (8, 1), (6, 2), (4, 3), (3, 4), (2, 5)}


def test_sam3s_score_is_the_iou_times_the_chance_beyond_an_even_one():
    # 2 sigmoid(0.02) - 1 = 0.0100; times 0.9 that is below 0.01, times 1.1 above
    tracked = (entry(1, predicted_iou=0.9, object_score=0.02),
               entry(2, predicted_iou=1.1, object_score=0.02), entry(3))  # fmt: skip
    assert recall("sam3", 4, known(*tracked))[0] == {(0, 6), (3, 0), (2, 1)}


def test_sam3_leaves_the_first_rank_empty_behind_an_outlined_slice():
    memories, pointers = recall("sam3", 5, known(entry(2), entry(3), prompted=(0, 4)))
    assert memories == {(0, 6), (4, 6), (3, 1), (2, 2)}
    assert pointers == {(0, 5), (4, 1), (3, 2)}


def test_samurai_takes_the_newest_good_ones_however_far_back():
    good = {1, 2, 11}
    tracked = (entry(i, predicted_iou=0.51 if i in good else 0.5) for i in range(1, 13))
    memories, pointers = recall("samurai", 13, known(*tracked))
    assert memories == {(0, 6), (12, 0), (11, 1), (2, 2), (1, 3)}
    # pointers as the reference has them
    assert pointers == {(0, 13)} | {(i, 13 - i) for i in range(1, 13)}


def test_samurai_wants_the_object_to_be_there():
    tracked = (entry(1), entry(2, object_score=0.0), entry(3))
    assert recall("samurai", 4, known(*tracked))[0] == {(0, 6), (3, 0), (1, 1)}


def test_surgsam2_leaves_out_the_two_that_are_most_like_the_newest():
    alike = {1: 0.9, 2: 0.1, 3: 0.7, 4: 0.8, 5: 0.2}
    tracked = known(*(entry(i) for i in range(1, 6)), entry(6, likeness=alike))
    assert recall("surgsam2", 7, tracked)[0] == {(0, 6), (6, 0), (5, 1), (3, 3), (2, 4)}
    # with a slot that is empty nothing is left out
    del tracked[2]
    assert recall("surgsam2", 7, tracked)[0] == {(0, 6), (6, 0), (5, 1), (4, 2), (3, 3), (1, 5)}


def test_surgsam2_leaves_nothing_out_where_the_newest_was_drawn():
    tracked = known(*(entry(i) for i in range(1, 6)), prompted=(0, 6))
    policy = "near:tau=0.001,nearest=false"  # 6 is no selected prompt, and so a recent slice
    found = recall("surgsam2", 7, tracked, policy)[0]
    assert found == {(6 - step, step) for step in range(6)}


def test_dam4sam_takes_promoted_slices_like_outlines_and_spread_ones_by_rank():
    promoted = {3, 9, 15, 21}
    tracked = (entry(i, promoted=i in promoted) for i in range(1, 28))
    memories, pointers = recall("dam4sam", 28, known(*tracked))
    # the three newest promoted; 27, and multiples of 5 below it (15 is promoted): six in all
    assert memories == {(0, 6), (9, 6), (15, 6), (21, 6), (27, 0), (25, 1), (20, 2)}
    shown = {i for i in range(13, 28)} - promoted
    assert pointers == {(0, 28), (9, 19), (15, 13), (21, 7)} | {(i, 28 - i) for i in shown}


def test_dam4sam_leaves_empty_slices_out_and_the_one_just_passed_is_a_recent_one():
    empty = {10, 19, 20}
    tracked = [entry(i, area=0.0 if i in empty else 0.1) for i in range(1, 21)]
    # nothing on 20 and 19: 18 is the last; 10 is empty
    assert recall("dam4sam", 21, known(*tracked))[0] == {(0, 6), (18, 0), (15, 1), (5, 2)}
    tracked[17] = replace(tracked[17], promoted=True)
    memories, pointers = recall("dam4sam", 19, known(*tracked[:18]))
    assert memories == {(0, 6), (18, 0), (15, 1), (5, 2)}
    assert (10, 9) not in pointers


PROMISING = {"predicted_iou": 0.81, "agreement": 0.7, "area": 0.12}


@pytest.mark.parametrize(
    ("change", "promoted"),
    [
        ({}, True),
        ({"predicted_iou": 0.8}, False),
        ({"agreement": 0.71}, False),
        ({"area": 0.081}, True),  # the median is 0.1: 20 % less, or more
        ({"area": 0.079}, False),
        ({"area": 0.121}, False),
        ({"area": 0.0}, False),
    ],
)
def test_dam4sam_promotes_what_it_is_sure_of_and_what_has_a_look_alike(change, promoted):
    policy = parse_policy("all", "dam4sam")
    # empty slices do not count among the last ten areas, the first one is too far back
    before = [entry(i, area=0.0 if i in (5, 6) else 0.1) for i in range(2, 13)]
    entries = known(entry(1, area=0.9), *before, entry(13, **{**PROMISING, **change}))
    assert policy.promotes(Query(13, 1, SLICES), entries) == promoted


@pytest.mark.parametrize(("last", "promoted"), [(7, True), (8, False)])
def test_dam4sam_promotes_nothing_within_five_slices_of_the_last_one(last, promoted):
    policy = parse_policy("all", "dam4sam")
    entries = known(*(entry(i, promoted=i == last) for i in range(1, 13)), entry(13, **PROMISING))
    assert policy.promotes(Query(13, 1, SLICES), entries) == promoted


def test_dam4sam_promotes_no_first_slice():
    policy = parse_policy("all", "dam4sam")
    assert not policy.promotes(Query(1, 1, SLICES), known(entry(1, **PROMISING)))


# The rules once more, as their authors' loops have them, for a video whose frame 0 is prompted.


def ranked_by_authors(scores: np.ndarray, at: int, above: float, most: int) -> list[int]:
    """Frames in rising order, the newest last, as valid_indices of SAMURAI and SAM 3."""
    valid: list[int] = []
    for frame in range(at - 1, 0, -1):
        if scores[frame] > above:
            valid.insert(0, frame)
        if len(valid) >= most - 1:
            break
    return valid if at - 1 in valid else [*valid, at - 1]


def test_a_long_sequence_is_remembered_as_sam3_and_samurai_do():
    rng = np.random.default_rng(3)
    ious, objects = rng.uniform(size=SLICES), rng.normal(size=SLICES) * 3
    ious[10:35] = 0.0  # so that the newest good ones lie far back
    eff = np.maximum(0, 2 / (1 + np.exp(-objects)) - 1) * ious
    good = np.where(objects > 0, ious, 0.0)
    entries = known()
    for at in range(1, SLICES):
        for memory, scores, above in (("sam3", eff, 0.01), ("samurai", good, 0.5)):
            valid = ranked_by_authors(scores, at, above, most=16)
            memories, pointers = recall(memory, at, entries)
            slots = [(valid[-t], t - 1) for t in range(1, 7) if t <= len(valid)]
            assert memories == {(0, 6)} | {slot for slot in slots if slot[0] > 0}
            if memory == "sam3":
                own = {(valid[-t], t) for t in range(1, min(len(valid), 16))}
                assert pointers == {(0, at)} | own
        entries[at] = entry(at, predicted_iou=ious[at], object_score=objects[at])


def dam4sam_by_authors(masks: list[dict]) -> list[tuple[set[int], list[int]]]:
    """Return at each frame what was promoted before it and the recent frames, the newest first."""
    sizes: list[float] = []
    last_added, found = -1, []
    kept = {0}
    for at in range(1, len(masks)):
        ahead = {frame for frame in kept if frame != at - 1} - {0}
        chosen = {0, *sorted(ahead, reverse=True)[:3]}
        recent, previous = [], at
        for slot in range(7 - len(chosen)):
            if slot == 0:
                previous -= 1
                step = 1
            else:
                previous = (previous - 1) // 5 * 5
                step = 5
            while previous > 0 and (masks[previous]["area"] == 0 or previous in chosen):
                previous -= step
            if previous <= 0:
                break
            recent.append(previous)
        found.append((chosen, recent))
        size = masks[at]["area"]
        sizes.append(size)
        usual = np.median([one for one in sizes if one][-10:]) if len(sizes) > 1 and size else 0
        if (
            usual
            and masks[at]["predicted_iou"] > 0.8
            and 0.8 <= size / usual <= 1.2
            and (at - last_added > 5 or last_added == -1)
            and masks[at]["agreement"] <= 0.7
        ):
            kept.add(at)
            last_added = at
    return found


def test_a_long_sequence_is_remembered_as_dam4sam_does():
    rng = np.random.default_rng(8)
    masks = [
        {
            "area": 0.0 if rng.uniform() < 0.25 else rng.uniform(0.08, 0.12),
            "predicted_iou": rng.uniform(0.7, 1.0),
            "agreement": rng.uniform(0.3, 1.0),
        }
        for _ in range(SLICES)
    ]
    policy = parse_policy("all", "dam4sam")
    entries = known()
    promoted = 0
    for at, (chosen, recent) in enumerate(dam4sam_by_authors(masks), start=1):
        expected = {(i, 6) for i in chosen} | {(i, rank) for rank, i in enumerate(recent)}
        assert recall("dam4sam", at, entries)[0] == expected, at
        entries[at] = entry(at, **masks[at])
        if policy.promotes(Query(at, 1, SLICES), entries):
            entries[at] = replace(entries[at], promoted=True)
            promoted += 1
    assert promoted >= 4
