"""Each slice of a crop is encoded once a run, however many labels, axes and passes ask for it."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.session.conftest import BrightModel
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import simulate
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model
from voxtrail.propagate.feature_cache import RAM_BYTES, FeatureCache
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.propagate.propagation import PASSES_TOGETHER
from voxtrail.session import Cache, Config, Segmentation, Session, segment

ALL_AXES = tuple(axis.label for axis in Axis)
#: Bright blocks are found whole, so no crop grows unless a test wants it to.
CONFIG = Config(quality=False, window="250,1500", margin_mm=4)
SHAPE = (40, 36, 24)
#: (i, j, k) ranges of eight blocks that do not touch; their lengths along each axis differ.
BLOCKS = tuple(
    np.s_[3 + 18 * i : 11 + 20 * i, 3 + 16 * j : 10 + 18 * j, 2 + 11 * k : 8 + 12 * k]
    for i in range(2)
    for j in range(2)
    for k in range(2)
)


class Counted:
    """A model whose encodings are counted, by what the slices hold."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.encodings: Counter[tuple[tuple[int, ...], bytes]] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, slices: NDArray[np.float32]) -> list[Any]:
        self.encodings.update((one.shape, one.tobytes()) for one in slices)
        made: list[Any] = self._model.encode(slices)
        return made

    @property
    def twice(self) -> int:
        """How many slices were encoded more than once."""
        return sum(count > 1 for count in self.encodings.values())


class PackedBrightModel(BrightModel):
    """Features may be laid down in files."""

    def pack(self, features: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {"grey": features}

    def unpack(self, arrays: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        return arrays["grey"]


def counted(model: Any) -> LoadedModel:
    return LoadedModel(Counted(model), "counted", "a test", "0" * 64)


@pytest.fixture
def model() -> LoadedModel:
    return counted(PackedBrightModel())


@pytest.fixture(scope="module")
def scan() -> Volume:
    # No two slices are alike: equal ones would be encoded once in any case.
    hu = np.random.default_rng(0).uniform(-500, 0, SHAPE).astype(np.float32)
    for block in BLOCKS:
        hu[block] += 1000
    return Volume.from_stored(hu, np.eye(4))


@pytest.fixture(scope="module")
def truth() -> LabelMap:
    labels = np.zeros(SHAPE, np.uint8)
    for label, block in enumerate(BLOCKS, 1):
        labels[block] = label
    return LabelMap.from_stored(labels, np.eye(4))


def prompts_of(truth: LabelMap, labels: int = len(BLOCKS), **options: Any) -> Prompts:
    drawn = simulate(truth, **options)
    return replace(drawn, prompts=tuple(one for one in drawn.prompts if one.label <= labels))


def slices_of(label: int, axes: tuple[str, ...] = ("axial",)) -> int:
    """Return on how many slices of these axes a label lies."""
    spans = [one.stop - one.start for one in BLOCKS[label - 1]]
    return sum(spans[Axis.named(axis).value] for axis in axes)


def bounded(slices: float, model: LoadedModel, shape: tuple[int, int]) -> Cache:
    """Return a run's cache that holds the features of so many slices of a shape in memory."""
    features = np.zeros(shape, np.float32)
    return Cache(
        FeatureCache(ram_bytes=int(slices * features.nbytes)), PredictionCache(ram_bytes=0), None
    )


@pytest.mark.parametrize("labels", [1, 4, 8])
@pytest.mark.parametrize("axes", [("axial",), ALL_AXES])
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_labels_with_crops_of_their_own(model, scan, truth, labels, axes, direction):
    config = replace(CONFIG, axes=axes, direction=direction)
    prompts = prompts_of(truth, labels, axes=tuple(map(Axis.named, axes)))
    result = segment(scan, prompts, config, model=model)
    expected = sum(slices_of(label, axes) for label in range(1, labels + 1))
    assert model.model.twice == 0
    assert model.model.encodings.total() == expected == result.record.slices["encoded"]
    wanted = np.where(truth.voxels <= labels, truth.voxels, 0)
    np.testing.assert_array_equal(result.labels.voxels, wanted)


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_labels_of_different_ranges_in_one_crop(model, scan, truth, direction):
    config = replace(CONFIG, crop="all", direction=direction)
    result = segment(scan, prompts_of(truth), config, model=model)
    first = min(block[2].start for block in BLOCKS)
    last = max(block[2].stop for block in BLOCKS)
    drawn_nowhere = set(range(first, last)).difference(
        *(range(block[2].start, block[2].stop) for block in BLOCKS)
    )
    assert model.model.twice == 0
    assert model.model.encodings.total() == last - first - len(drawn_nowhere)
    np.testing.assert_array_equal(result.labels.voxels > 0, truth.voxels > 0)


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_a_crop_that_grows_encodes_its_own_slices_once_more(model, scan, truth, direction):
    # Drawn too small: the mask that is found reaches the crop's border.
    drawn = prompts_of(truth, 2)
    inner = tuple(
        replace(one, mask=one.mask & np.roll(one.mask, 3, 0) & np.roll(one.mask, 3, 1))
        if one.label == 1
        else one
        for one in drawn.prompts
    )
    config = replace(CONFIG, margin_mm=1, direction=direction)
    result = segment(scan, replace(drawn, prompts=inner), config, model=model)
    grown, other = result.record.labels
    assert (grown.growths > 0, other.growths) == (True, 0)
    assert model.model.twice == 0
    expected = slices_of(1) * (1 + grown.growths) + slices_of(2)
    assert model.model.encodings.total() == expected


@pytest.mark.parametrize("direction", ["forward", "both"])
def test_crops_that_follow_oblique_structures(model, direction):
    hu = np.random.default_rng(0).uniform(-500, 0, (60, 40, 14)).astype(np.float32)
    labels = np.zeros(hu.shape, np.uint8)
    for index in range(1, 13):
        labels[4 * index : 4 * index + 4, 6:10, index] = 1
        labels[52 - 4 * index : 56 - 4 * index, 26:30, index] = 2
    hu[labels > 0] += 1000
    scan, truth = Volume.from_stored(hu, np.eye(4)), LabelMap.from_stored(labels, np.eye(4))
    config = replace(CONFIG, direction=direction)
    result = segment(scan, simulate(truth, "uniform:4"), config, model=model)
    for label in result.record.labels:
        (window,) = label.windows
        assert len({tuple(start) for start in window["starts"]}) > 1
    assert model.model.twice == 0
    assert model.model.encodings.total() == 2 * 12
    np.testing.assert_array_equal(result.labels.voxels, labels)


@pytest.mark.parametrize("held", [0, 1, 3, 10])
@pytest.mark.parametrize("labels", [2, 8])
@pytest.mark.parametrize("crop", ["label", "all"])
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_memory_for_few_slices(scan, truth, held, labels, crop, direction):
    config = replace(CONFIG, crop=crop, direction=direction, axes=ALL_AXES)
    prompts = prompts_of(truth, labels, axes=tuple(Axis))
    found = []
    for slices in (held, 1_000):
        model = counted(PackedBrightModel())
        cache = bounded(slices, model, (16, 16))
        result = segment(scan, prompts, config, model=model, cache=cache)
        assert model.model.twice == 0
        found.append((model.model.encodings, result))
    (encodings, few), (all_encodings, many) = found
    assert encodings == all_encodings
    np.testing.assert_array_equal(few.labels.voxels, many.labels.voxels)
    for label in many.logits:
        np.testing.assert_array_equal(few.logits[label].logits, many.logits[label].logits)


@pytest.mark.parametrize("crop", ["label", "all"])
def test_a_sam2_finds_the_same_from_what_was_laid_down(scan, truth, tiny, crop):
    axes = ("axial", "coronal")
    config = Config(quality=False, margin_mm=4, crop=crop, direction="both", axes=axes)
    prompts = prompts_of(truth, 4, axes=(Axis.AXIAL, Axis.CORONAL))
    compare_bounded(scan, prompts, config, tiny.model, 2**16)


@pytest.mark.full
def test_eight_labels_of_a_sam2_at_1024(scan, truth, nano):
    model = load_model(str(nano), resolution=1024, device="cpu").model
    # Four slices of each label, two of them drawn.
    thin = np.where(np.isin(np.arange(SHAPE[2]), [3, 4, 5, 6, 14, 15, 16, 17]), truth.voxels, 0)
    prompts = simulate(replace(truth, voxels=thin), "first-last")
    config = Config(quality=False, margin_mm=4, direction="both")
    compare_bounded(scan, prompts, config, model, 2**25)


def compare_bounded(
    scan: Volume, prompts: Prompts, config: Config, model: Any, ram_bytes: int
) -> None:
    """Segment with little memory for features and with much; what is found is the same."""
    found: list[Segmentation] = []
    for few_bytes in (ram_bytes, RAM_BYTES):
        once = counted(model)
        cache = Cache(FeatureCache(few_bytes), PredictionCache(ram_bytes=0), None)
        found.append(segment(scan, prompts, config, model=once, cache=cache))
        assert once.model.twice == 0
        assert len(cache.features) < once.model.encodings.total() or few_bytes == RAM_BYTES
    few, many = found
    assert few.record.slices == many.record.slices
    np.testing.assert_array_equal(few.labels.voxels, many.labels.voxels)
    for label in many.logits:
        np.testing.assert_array_equal(few.logits[label].logits, many.logits[label].logits)


class LargeFeatures:
    """One slice's features, as large as SAM 2's at 1024 pixels; only the slice itself is filled."""

    def __init__(self, grey: NDArray[np.float32], alive: set[int]) -> None:
        self.grey = grey
        self.nbytes = 16 * 2**20
        alive.add(id(self))
        weakref.finalize(self, alive.discard, id(self))


class LargeBrightModel(PackedBrightModel):
    """Encodes slices as SAM 2 does at 1024 pixels; counts the features in memory."""

    input_size = 1024

    def __init__(self) -> None:
        super().__init__()
        self.alive: set[int] = set()
        self.most_alive = 0

    def encode(self, slices: NDArray[np.float32]) -> list[Any]:
        self.encoded += len(slices)
        return self._noted([LargeFeatures(one, self.alive) for one in slices])

    def unpack(self, arrays: Mapping[str, NDArray[np.float32]]) -> Any:
        return self._noted([LargeFeatures(arrays["grey"], self.alive)])[0]

    def pack(self, features: Any) -> dict[str, NDArray[np.float32]]:
        return {"grey": features.grey}

    def prompt(self, features: Any, *arguments: Any, **named: Any) -> Any:
        return super().prompt(features.grey, *arguments, **named)

    def track(self, trackings: Any) -> Any:
        return super().track([replace(one, features=one.features.grey) for one in trackings])

    def _noted(self, made: list[Any]) -> list[Any]:
        self.most_alive = max(self.most_alive, len(self.alive))
        return made


@pytest.mark.parametrize("direction", ["forward", "both"])
@pytest.mark.parametrize("crop", ["label", "all"])
def test_eight_labels_at_1024_stay_within_memory(scan, truth, direction, crop):
    config = replace(CONFIG, direction=direction, axes=ALL_AXES, crop=crop)
    model = counted(LargeBrightModel())
    cache = Cache.of_one_run(quality=False)
    session = Session(scan, config, model=model, cache=cache)
    session.load(prompts_of(truth, axes=tuple(Axis)))
    result = session.run()
    assert model.model.twice == 0
    bound = RAM_BYTES // LargeFeatures(scan.voxels, set()).nbytes
    assert bound == 64
    assert len(cache.features) <= bound
    # Besides what is held, the slices of one round: one a pass that is under way, or a label's
    # three drawn ones.
    assert model.model.most_alive <= bound + PASSES_TOGETHER
    if (crop, direction) == ("label", "both"):
        assert model.model.encodings.total() > model.model.most_alive
    np.testing.assert_array_equal(result.labels.voxels > 0, truth.voxels > 0)
