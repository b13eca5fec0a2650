"""What made a result: written beside it as JSON."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import voxtrail
from voxtrail.core.box import Box
from voxtrail.core.volume import Volume
from voxtrail.model.base import LoadedModel, SliceModel
from voxtrail.session.cache import Cache
from voxtrail.session.config import Config
from voxtrail.session.expected_dice import ExpectedDice
from voxtrail.session.leave_one_out import LeftOut

FORMAT = "voxtrail-run/1"
NOTICE = "Research use only. Not a medical device."
#: Packages whose version can change a result.
PACKAGES = ("torch", "transformers", "numpy", "scipy", "scikit-image", "nibabel")


@dataclass(frozen=True)
class PassRecord:
    """One pass of one label along one axis; slice numbers are RAS+ indices of the scan."""

    axis: str
    extent: str
    first_slice: int
    last_slice: int
    prompted: list[int]
    tracked: int
    stopped_at: int | None


@dataclass(frozen=True)
class LabelRecord:
    """How one label came about.

    Parameters
    ----------
    label, name
        Which.
    crop
        Where it was looked for, RAS+ voxels, after growing.
    growths
        How often the crop grew because a mask touched its border.
    margin_mm
        What the crop left around what was drawn when it was made.
    windows
        For each axis, where its slices were cut, see `voxtrail.core.crop_path.CropPath`; and, of
        a crop that may follow, why it does or does not.
    passes
        What was propagated.
    voxels
        Size of the label in the result.
    expected_dice
        What Dice is to be expected of slices between the outlines; None where it cannot be told:
        with one or two outlined slices, or where none was left out (`Config.quality`).
    left_out
        The outlines that were left out to tell, and the Dice with which the others foretold each.
    """

    label: int
    name: str
    crop: Box
    growths: int
    margin_mm: float
    windows: list[dict[str, Any]]
    passes: list[PassRecord]
    voxels: int
    expected_dice: ExpectedDice | None = None
    left_out: tuple[LeftOut, ...] = ()

    def with_left_out(self, left_out: Sequence[LeftOut], confidence: float) -> LabelRecord:
        """Return the record with what outlines that were left out tell; see `ExpectedDice.of`."""
        expected = ExpectedDice.of(left_out, confidence)
        return replace(self, expected_dice=expected, left_out=tuple(left_out))


@dataclass(frozen=True)
class Spent:
    """What a model and a cache that outlive a run had spent before it.

    Parameters
    ----------
    seconds
        By component.
    slices
        Encoded and reused, see `FeatureCache`.
    predictions
        Segmented and reused, see `PredictionCache`.
    """

    seconds: dict[str, float]
    slices: dict[str, int]
    predictions: dict[str, int]

    @classmethod
    def so_far(cls, model: SliceModel, cache: Cache) -> Spent:
        """Return what has been spent up to now."""
        return cls(
            dict(model.stopwatch.seconds),
            {"encoded": cache.features.encoded, "reused": cache.features.reused},
            {"segmented": cache.predictions.segmented, "reused": cache.predictions.reused},
        )

    def since(self, before: Spent) -> Spent:
        """Return what was spent between two moments."""
        return Spent(
            {k: round(v - before.seconds.get(k, 0.0), 3) for k, v in self.seconds.items()},
            {k: v - before.slices[k] for k, v in self.slices.items()},
            {k: v - before.predictions[k] for k, v in self.predictions.items()},
        )


@dataclass(frozen=True)
class RunRecord:
    """Everything that a result depends on, and what it cost.

    Parameters
    ----------
    config
        The resolved configuration.
    model
        Name, source, SHA-256 and input size of the weights; what ran them, and its shortcuts.
    device
        What it ran on.
    versions
        Of voxtrail, Python and the packages that can change a result.
    grid
        Shape and affine of the scan as stored.
    labels
        One a label.
    slices
        How many were encoded, and how many found in the cache of features instead.
    predictions
        How many slices were segmented, counted for each label and pass, and how many were found
        in the cache of predictions instead.
    seconds
        By component, and in all.
    warnings
        What a person should know.
    """

    config: Config
    model: dict[str, Any]
    device: str
    versions: dict[str, str]
    grid: dict[str, Any]
    labels: list[LabelRecord]
    slices: dict[str, int]
    predictions: dict[str, int]
    seconds: dict[str, float]
    warnings: list[str]

    @classmethod
    def of(
        cls,
        *,
        config: Config,
        loaded: LoadedModel,
        volume: Volume,
        labels: Sequence[LabelRecord],
        spent: Spent,
        seconds_total: float,
        warnings: Sequence[str],
    ) -> RunRecord:
        """Gather a record."""
        return cls(
            config=config,
            model={
                "name": loaded.name,
                "source": loaded.source,
                "sha256": loaded.sha256,
                "input_size": loaded.model.input_size,
                "runtime": loaded.model.runtime,
                "parity": loaded.parity,
                **asdict(loaded.model.shortcuts),
            },
            device=loaded.model.device,
            versions=versions(),
            grid=volume.stored.to_json(),
            labels=list(labels),
            slices=spent.slices,
            predictions=spent.predictions,
            seconds={**spent.seconds, "total": round(seconds_total, 3)},
            warnings=list(warnings),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values; ``seed`` is null because nothing is drawn at random."""
        record = {key: value for key, value in asdict(self).items() if key != "config"}
        return {
            "format": FORMAT,
            "notice": NOTICE,
            "config": self.config.to_json(),
            "seed": None,
            **record,
        }


def versions() -> dict[str, str]:
    """Return the versions of voxtrail, Python and `PACKAGES`."""
    found = {"voxtrail": voxtrail.__version__, "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found
