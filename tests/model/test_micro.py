"""Floors that the bundled checkpoint keeps on the phantom, and that each kind of break falls below.

A floor that nothing could break would guard nothing: the suite breaks the window, the axis order,
the memory policy and the temporal embeddings on purpose and sees the score fall. This checkpoint
uses its temporal embeddings little: giving each slot another one's costs 0.041, so the floor lies
close below the intact score (0.888 on the processor that it was measured on).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
import torch

from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import demo_subject
from voxtrail.evaluate import evaluate, simulate
from voxtrail.memory import PromptMemory, Query
from voxtrail.memory.recent.recent import Recent
from voxtrail.model.base import LoadedModel
from voxtrail.model.catalogue import BUNDLED
from voxtrail.model.weights import load_model
from voxtrail.session import Config, segment

BONES = ("hip_left", "sacrum", "vertebrae_L4")
#: Mean Dice of BONES over un-prompted slices, first-middle-last outlines, is+sps.
FLOOR = 0.87


@dataclass(frozen=True)
class Case:
    ct: Volume
    truth: LabelMap
    prompts: Prompts


@pytest.fixture(scope="module")
def case() -> Case:
    subject = demo_subject()
    voxels = np.zeros(subject.hu.shape, dtype=np.uint8)
    for label, name in enumerate(BONES, start=1):
        voxels[subject.masks[name]] = label
    truth = LabelMap.from_stored(voxels, subject.affine, dict(enumerate(BONES, start=1)))
    return Case(Volume.from_stored(subject.hu, subject.affine), truth, simulate(truth))


@pytest.fixture
def micro() -> LoadedModel:
    # a fresh one for each test: some break it
    return load_model("micro", device="cpu")


def mean_dice(
    case: Case, model: LoadedModel, ct: Volume | None = None, config: Config | None = None
) -> float:
    config = config or Config(model="micro", preset="is+sps")
    result = segment(ct or case.ct, case.prompts, config, model=model)
    scores = evaluate(result.labels, case.truth, case.prompts).unprompted
    assert scores is not None
    dice = scores.mean()["dice"]
    assert dice is not None
    return dice


def test_the_phantom_is_segmented(case: Case, micro: LoadedModel) -> None:
    assert mean_dice(case, micro) >= FLOOR


def test_a_broken_window_falls_below_the_floor(case: Case, micro: LoadedModel) -> None:
    # every bone is as white as its surroundings
    assert (
        mean_dice(case, micro, config=Config(model="micro", preset="is+sps", window="-600,400"))
        < FLOOR
    )


@pytest.mark.parametrize("axis", [1, 2], ids=["front and back swapped", "head and feet swapped"])
def test_a_broken_axis_order_falls_below_the_floor(
    case: Case, micro: LoadedModel, axis: int
) -> None:
    swapped = Volume(np.flip(case.ct.voxels, axis), case.ct.stored)
    assert mean_dice(case, micro, swapped) < FLOOR


@dataclass(frozen=True)
class FarthestPrompt(PromptMemory):
    """Attends to the prompt that says least."""

    name: ClassVar[str] = "farthest"

    def select(self, query: Query, prompted: Collection[int]) -> frozenset[int]:
        return frozenset([max(prompted, key=lambda index: abs(index - query.slice_index))])


def test_a_broken_memory_policy_falls_below_the_floor(case: Case, micro: LoadedModel) -> None:
    broken = Config(
        model="micro", preset="is+sps", prompt_memory=FarthestPrompt(), memory=Recent(k=0)
    )
    assert mean_dice(case, micro, config=broken) < FLOOR


@pytest.mark.parametrize(
    "slots", [range(6, -1, -1), (6, 0, 1, 2, 3, 4, 5)], ids=["reversed", "shifted"]
)
def test_broken_temporal_embeddings_fall_below_the_floor(
    case: Case, micro: LoadedModel, slots: Sequence[int]
) -> None:
    embeddings = micro.model.network.memory_temporal_positional_encoding
    with torch.no_grad():
        embeddings.copy_(embeddings[list(slots)])
    assert mean_dice(case, micro) < FLOOR


def test_the_bundled_file_is_small() -> None:
    assert (BUNDLED / "micro" / "model.safetensors").stat().st_size <= 18e6
