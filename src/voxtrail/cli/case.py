"""One scan to segment: what it is read from, how it is segmented, where the result goes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxtrail.session.outputs import Outputs

if TYPE_CHECKING:
    from voxtrail.core.prompts import Prompts
    from voxtrail.core.volume import Volume
    from voxtrail.model.base import LoadedModel
    from voxtrail.session import Cache, Config, Segmentation


@dataclass(frozen=True)
class Case:
    """One scan and its prompts.

    Parameters
    ----------
    image
        A file, a DICOM folder or a zip.
    prompts
        A label map or JSON.
    outputs
        Where the result goes.
    config
        How it is segmented.
    series
        Which of several DICOM series.
    structures
        Names of the structures of the prompts that are wanted; none means all.
    axes_said
        Whether somebody said the configuration's axes; else they are those that were drawn on.
    """

    image: Path
    prompts: Path
    outputs: Outputs
    config: Config
    series: str | None = None
    structures: tuple[str, ...] = ()
    axes_said: bool = True

    def read(self) -> Inputs:
        """Read scan and prompts, and refuse what no model is needed to refuse.

        Raises
        ------
        InputError
            If either cannot be read, they do not go together, or an output has no place.
        """
        self.outputs.check()
        found = read_inputs(
            self.image, self.prompts, self.config, self.series, self.structures, self.axes_said
        )
        self.outputs.check_for(found.scan, found.drawn, found.config)
        return replace(found, fingerprints=self.fingerprints())

    def fingerprints(self) -> dict[str, Any]:
        """Return what tells whether the inputs are still the same, for the run's record."""
        from voxtrail.io.fingerprint import fingerprint

        found: dict[str, Any] = {
            "image_sha256": fingerprint(self.image, self.series),
            "prompts_sha256": fingerprint(self.prompts),
        }
        if self.structures:
            found["structures"] = list(self.structures)
        return found


@dataclass(frozen=True, eq=False)
class Inputs:
    """A scan and its prompts, read and checked, and how they are segmented."""

    scan: Volume
    drawn: Prompts
    config: Config
    fingerprints: dict[str, Any] = field(default_factory=dict)


def read_inputs(
    image: Path,
    prompts: Path,
    config: Config,
    series: str | None,
    structures: tuple[str, ...],
    axes_said: bool,
) -> Inputs:
    """Read a scan and its prompts, see `Case`; refuse what no model is needed to refuse.

    Raises
    ------
    InputError
        If either cannot be read, or they do not go together.
    """
    from voxtrail.core.axis import Axis
    from voxtrail.io import read, read_prompts
    from voxtrail.session import check_request

    scan = read(image, series=series)
    planes = Axis.several(config.axes) if axes_said else ()
    drawn = read_prompts(prompts, like=scan, structures=structures, planes=planes)
    if not axes_said:
        outlined = {prompt.axis for prompt in drawn.prompts}
        # From the last to the first: axial, coronal, sagittal.
        config = replace(config, axes=tuple(a.label for a in reversed(Axis) if a in outlined))
    check_request(scan, drawn, config)
    return Inputs(scan, drawn, config)


@dataclass(eq=False)
class Engine:
    """What cases of one command share.

    Parameters
    ----------
    loaded
        The model; with ``--resolution auto`` that of the last scan.
    cache
        What earlier cases and runs encoded and segmented; None where each case is by itself.
    """

    loaded: LoadedModel
    cache: Cache | None

    @classmethod
    def of(cls, loaded: LoadedModel, folder: Path | None) -> Engine:
        """Return a model with the cache in a folder; without one each case is by itself."""
        from voxtrail.session import Cache

        return cls(loaded, Cache.in_folder(folder) if folder else None)


def carry_out(case: Case, inputs: Inputs, engine: Engine, *, quiet: bool) -> Segmentation:
    """Segment a case, saying how far it is."""
    from voxtrail.cli.progress import progress_bar, say
    from voxtrail.session import segment
    from voxtrail.session.loading import load_for

    say(f"{case.image.name}: {inputs.scan.stored.describe()}", quiet=quiet)
    engine.loaded = load_for(
        inputs.scan, inputs.drawn, inputs.config, held=engine.loaded, quiet=quiet
    )
    with progress_bar(quiet=quiet) as progress:
        return segment(
            inputs.scan,
            inputs.drawn,
            inputs.config,
            model=engine.loaded,
            cache=engine.cache,
            progress=progress,
        )


def write(case: Case, inputs: Inputs, result: Segmentation, *, quiet: bool) -> dict[str, Any]:
    """Write a case's files and say its warnings; return its record as JSON values."""
    from voxtrail.cli.progress import say

    record = case.outputs.write(inputs.scan, inputs.drawn, result, inputs.fingerprints)
    for warning in result.record.warnings:
        say(f"warning: {warning}", quiet=quiet)
    return record
