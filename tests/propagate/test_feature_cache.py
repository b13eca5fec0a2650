"""Features are found again by content, bounded in memory and on disk, and never wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from voxtrail.errors import OutputError
from voxtrail.propagate.feature_cache import FeatureCache, slice_key
from voxtrail.propagate.features import FeatureSource

#: Bytes of a feature.
SIZE = 4 * 5 * 4


class DoublingModel:
    """A feature is the slice, doubled: 80 bytes. Four slices are encoded together."""

    input_size = 512
    device = "cpu"

    def __init__(self, fingerprint: str = "a") -> None:
        self.fingerprint = fingerprint
        self.encoded: list[float] = []

    def encode(self, slices: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self.encoded += [round(float(one.mean()), 3) for one in slices]
        return [2 * one for one in slices]

    def pack(self, features: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        return {"doubled": features}

    def unpack(self, arrays: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        return arrays["doubled"]


def stack(slices: int) -> NDArray[np.float32]:
    grey = np.linspace(0.1, 0.9, slices, dtype=np.float32)
    return np.broadcast_to(grey[:, None, None], (slices, 4, 5)).copy()


def read_all(model: DoublingModel, grey: NDArray[np.float32], cache: FeatureCache) -> None:
    source = FeatureSource(model, grey, cache)
    for index, one in enumerate(grey):
        (features,) = source.fetch([index], range(index + 1, len(grey)))
        assert np.array_equal(features, 2 * one)


def keys_of(grey: NDArray[np.float32]) -> list[str]:
    return [slice_key(DoublingModel(), one) for one in grey]


@pytest.mark.parametrize("slices", [40, 200])
def test_memory_is_bounded(slices: int) -> None:
    model, cache = DoublingModel(), FeatureCache(ram_bytes=32 * SIZE)
    read_all(model, stack(slices), cache)
    assert len(cache) == 32
    assert len(model.encoded) == cache.encoded == slices


def test_a_second_stack_with_the_same_slices_encodes_only_its_own() -> None:
    model, cache = DoublingModel(), FeatureCache()
    grey = stack(40)
    read_all(model, grey[:30], cache)
    read_all(model, grey[10:], cache)
    assert len(model.encoded) == 40
    assert (cache.encoded, cache.reused) == (40, 20)


def test_another_model_or_shape_finds_nothing() -> None:
    cache = FeatureCache()
    grey = stack(16)
    for model in (DoublingModel("a"), DoublingModel("b")):
        read_all(model, grey, cache)
        assert len(model.encoded) == 16
    flat = grey.reshape(16, 5, 4)
    assert not set(keys_of(flat)) & set(keys_of(grey))


def test_what_memory_dropped_is_encoded_again_without_a_folder() -> None:
    model, cache = DoublingModel(), FeatureCache(ram_bytes=16 * SIZE)
    read_all(model, stack(32), cache)
    read_all(model, stack(32), cache)
    assert len(model.encoded) == 64


def test_what_is_expected_outlasts_memory_and_is_forgotten_once_it_was_asked_for() -> None:
    model, cache = DoublingModel(), FeatureCache(ram_bytes=4 * SIZE)
    source = FeatureSource(model, stack(32), cache)
    source.expect([0, 1, 0, 1])
    for index in range(32):
        source.fetch([index])
    for index in (0, 1):
        source.release(index)
        assert np.array_equal(source.fetch([index])[0], 2 * stack(32)[index])
        source.release(index)
    assert len(model.encoded) == 32
    assert len(cache) == 4


def test_a_cache_that_keeps_finds_all_again() -> None:
    model, cache = DoublingModel(), FeatureCache(ram_bytes=4 * SIZE, keep=True)
    for _ in range(2):
        read_all(model, stack(32), cache)
        assert len(cache) == 4
    assert len(model.encoded) == 32


def test_slices_to_come_go_along_as_far_as_the_model_takes_them_together() -> None:
    model = DoublingModel()
    source = FeatureSource(model, stack(10))
    source.fetch([2], upcoming=[3, 4, 5, 6, 7])
    assert len(model.encoded) == 4
    source.fetch([5], upcoming=[6, 7])
    assert len(model.encoded) == 4
    source.fetch([8, 9, 0, 1, 7, 8], upcoming=[6])
    assert len(model.encoded) == 9


def test_a_folder_serves_the_next_run(tmp_path: Path) -> None:
    read_all(DoublingModel(), stack(40), FeatureCache(16 * SIZE, tmp_path / "cache"))
    model, cache = DoublingModel(), FeatureCache(16 * SIZE, tmp_path / "cache")
    read_all(model, stack(40), cache)
    assert model.encoded == []
    assert (cache.encoded, cache.reused) == (0, 40)


def test_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    grey = stack(3)
    read_all(DoublingModel(), grey, FeatureCache(16 * SIZE, tmp_path))
    damaged, alien, gone = (tmp_path / f"{key}.features.safetensors" for key in keys_of(grey))
    damaged.write_bytes(damaged.read_bytes()[:-7])
    alien.write_bytes(b"something else")
    gone.unlink()
    model = DoublingModel()
    read_all(model, grey, FeatureCache(16 * SIZE, tmp_path))
    assert len(model.encoded) == 3
    model = DoublingModel()
    read_all(model, grey, FeatureCache(16 * SIZE, tmp_path))
    assert model.encoded == []


def test_a_folder_keeps_within_its_bounds_and_the_last_used(tmp_path: Path) -> None:
    grey = stack(10)
    one = FeatureCache(16 * SIZE, tmp_path)
    read_all(DoublingModel(), grey[:1], one)
    size = next(tmp_path.iterdir()).stat().st_size
    read_all(DoublingModel(), grey[1:], FeatureCache(16 * SIZE, tmp_path, folder_bytes=4 * size))
    kept = {path.name.partition(".")[0] for path in tmp_path.iterdir()}
    assert kept == set(keys_of(grey)[-4:])


def test_a_disk_that_takes_no_more_ends_the_writing_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    cache = FeatureCache(16 * SIZE, tmp_path)
    read_all(DoublingModel(), stack(40), cache)
    assert cache.notes == ["the cache takes no more features: No space left on device"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["no/such/place", "file"])
def test_a_folder_that_cannot_be_had_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cache folder"):
        FeatureCache(folder=tmp_path / name)
