"""Pathways worked out by hand, and the single way as the pathway that stands alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.propagate.test_prediction_cache import scene
from tests.propagate.test_propagator import NotingModel, prompt, stack_of
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.errors import OptionError
from voxtrail.memory import parse_policy
from voxtrail.model.base import SlicePrediction, Tracking
from voxtrail.model.weights import load_model
from voxtrail.propagate.features import FeatureSource
from voxtrail.propagate.propagator import Propagator
from voxtrail.propagate.search import SEARCHES
from voxtrail.propagate.search.pathways import Pathways, _weights
from voxtrail.propagate.search.single import Single
from voxtrail.propagate.stack import Stack, StackLogits

#: Predicted IoU of the masks a and b of a slice, by the choices before it.
IOUS = {
    "": (0.6, 0.5),
    "a": (0.2, 0.1),  # after a the model is lost, which the first choice could not tell
    "b": (0.3, 0.9),
    "ba": (0.8, 0.1),
    "bb": (0.7, 0.6),
}


class DoubtingModel(NotingModel):
    """Two masks a slice; a pointer says which were chosen on the way, and so does a mask."""

    def prompt(self, features, prompts, shape_hw, *, previous=None, tracking=None):
        return replace(super().prompt(features, prompts, shape_hw), pointer="")

    def hypotheses(self, trackings: Sequence[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        found = []
        for one in trackings:
            way = max((pointer for pointer, _ in one.pointers), key=len)
            found.append(
                tuple(
                    SlicePrediction(
                        np.full((6, 5), shade, np.float32), way + choice, iou, 5.0, False, 0.5
                    )
                    for choice, iou, shade in zip(
                        "ab", IOUS.get(way, (0.5, 0.5)), (1, 2), strict=True
                    )
                )
            )
        return found

    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        return [
            max(masks, key=lambda one: one.predicted_iou) for masks in self.hypotheses(trackings)
        ]


def chosen(search: Pathways | Single, slices: int = 4) -> str:
    model = DoubtingModel()
    stack = Stack.of(
        FeatureSource(model, stack_of(np.linspace(0.6, 0.7, slices))), {0: [prompt(0)]}
    )
    policy = parse_policy("all", "recent:k=1")
    (way,) = Propagator(model, policy, search=search).propagate([stack])[0].passes
    assert way.tracked == slices - 1
    assert way.visited.tolist() == [False, *[True] * (slices - 1)]
    return "".join({1.0: "a", 2.0: "b"}[mask] for mask in way.logits[1:, 0, 0])


def test_the_single_way_follows_what_looks_best_at_once() -> None:
    assert chosen(Single()) == "aaa"


def test_the_likeliest_way_is_found_though_it_does_not_begin_best() -> None:
    # of two pathways: a .6 and b .5; then bb .45 and ba .15 (aa .12, ab .06); then bba .315,
    # bbb .27 and baa .12
    assert chosen(Pathways(n=2, spread=0)) == "bba"
    assert chosen(Pathways(n=3, spread=0)) == "bba"


def test_a_pathway_alone_is_the_single_way() -> None:
    assert chosen(Pathways(n=1, spread=0)) == "aaa"


def test_slices_come_when_their_pass_has_ended_and_all_are_counted() -> None:
    model = DoubtingModel()
    stack = Stack.of(FeatureSource(model, stack_of([0.6, 0.61, 0.62])), {0: [prompt(0)]})
    policy = parse_policy("all", "recent:k=1")
    under_way = Propagator(model, policy, search=Pathways(n=2)).start([stack], stream=True)
    came = [[one.slice_index for one in found] for found in under_way]
    assert came == [[0], [], [], [1, 2]]
    assert under_way.done == under_way.total == 3


def test_weights_go_by_rank_and_spare_what_was_drawn() -> None:
    assert _weights([None, 3.0, -2.0, 9.0], 0.05) == pytest.approx([1, 1.0, 0.95, 1.05])
    assert _weights([None, 3.0], 0.05) == [1, 1]
    assert _weights([1.0, 2.0], 0.0) == [1, 1]


def follow(model, search, drawn: Sequence[int], **changes) -> StackLogits:
    grey, inside = scene(9)
    grey = grey.copy()
    grey[changes.pop("dark_from", 9) :] = 0.3
    prompts = {i: [MaskPrompt(1, Axis.AXIAL, i, inside[i])] for i in drawn}
    stack = Stack.of(FeatureSource(model, grey), prompts, **changes)
    policy = parse_policy("near:tau=0.5", "samurai:iou=0")
    return Propagator(model, policy, search=search).propagate([stack], "both")[0]


def masks(found: StackLogits) -> list[NDArray]:
    return [one.logits[one.visited] for one in found.passes]


def test_a_pathway_alone_gives_the_masks_of_a_real_network(nano: Path) -> None:
    model = load_model(str(nano), device="cpu").model
    for ours, theirs in zip(
        masks(follow(model, Pathways(n=1, spread=0), [0, 4])),
        masks(follow(model, Single(), [0, 4])),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-4 * np.abs(theirs).max())
    several = masks(follow(model, Pathways(), [0, 4]))
    assert [len(one) for one in several] == [
        len(one) for one in masks(follow(model, Single(), [0, 4]))
    ]


def test_a_pass_ends_where_the_likeliest_pathway_has_lost_the_object() -> None:
    class Fading(DoubtingModel):
        def hypotheses(self, trackings):
            return [
                tuple(replace(one, logits=tracking.features - 0.5) for one in of_slice)
                for tracking, of_slice in zip(trackings, super().hypotheses(trackings), strict=True)
            ]

    model = Fading()
    means = [0.7, 0.7, 0.3, 0.3, 0.3, 0.3]
    stack = Stack.of(FeatureSource(model, stack_of(means)), {0: [prompt(0)]}, stop_when_gone=True)
    policy = parse_policy("all", "recent:k=1")
    (way,) = Propagator(model, policy, search=Pathways()).propagate([stack])[0].passes
    assert way.stopped_at == 3
    assert (way.logits[1] > 0).all()
    assert (way.logits[2:] < 0).all()


def test_searches_are_found_by_name() -> None:
    assert sorted(SEARCHES.members()) == ["pathways", "single"]
    assert SEARCHES.parse("pathways:n=2") == Pathways(n=2)
    for spec in ("pathways:n=0", "pathways:spread=1"):
        with pytest.raises(OptionError, match="accepted"):
            SEARCHES.parse(spec)
