"""The files that a run writes: checked before any work is done, made before any is written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from voxtrail.errors import OutputError

if TYPE_CHECKING:
    from voxtrail.core.prompts import Prompts
    from voxtrail.core.volume import Volume
    from voxtrail.session import Config, Segmentation

#: What else a run may write, as options, columns of a table of cases and the record call it.
FURTHER_FILES = ("probabilities", "uncertainty", "overlay")


@dataclass(frozen=True)
class Outputs:
    """Where a run's files go.

    Parameters
    ----------
    labels
        The label map; the run's record lies beside it.
    probabilities, uncertainty, overlay
        Further files, where asked for.
    force
        Whether existing files may be replaced.
    inputs
        What the run reads: never replaced.
    """

    labels: Path
    probabilities: Path | None = None
    uncertainty: Path | None = None
    overlay: Path | None = None
    force: bool = False
    inputs: tuple[Path, ...] = ()

    @property
    def record(self) -> Path:
        """The run's record beside the label map."""
        stem, _ = _split(self.labels)
        return self.labels.with_name(f"{stem}.json")

    def apart(self, labels: Iterable[int]) -> dict[int, Path]:
        """Return where each label goes when they are kept apart."""
        stem, suffix = _split(self.labels)
        return {label: self.labels.with_name(f"{stem}.label-{label}{suffix}") for label in labels}

    def places(self) -> tuple[Path, ...]:
        """Return every file that is sure to be written."""
        further = (self.probabilities, self.uncertainty, self.overlay)
        return (self.labels, self.record, *(place for place in further if place))

    def check(self) -> None:
        """Refuse, before anything is read, places where a file cannot be put."""
        from voxtrail.io import check_output, check_writable
        from voxtrail.io.nifti.shares import check_shares_output

        check_output(self.labels, self.force)
        for kind, place in self._shares().items():
            check_shares_output(place, kind, self.force)
        if self.overlay:
            _check_picture(self.overlay)
        taken = {path.resolve(): "an input" for path in self.inputs}
        for place in self.places():
            check_writable(place, self.force or place.resolve() in taken)
            if use := taken.get(place.resolve()):
                raise OutputError(
                    f"an output has the place of {use}",
                    received=place,
                    accepted="a file of its own for every output, the inputs untouched",
                    remedy="choose another name",
                )
            taken[place.resolve()] = "another output"

    def check_for(self, scan: Volume, drawn: Prompts, config: Config) -> None:
        """Refuse, before any work, what only scan and prompts tell."""
        from voxtrail.io import check_output

        check_output(self.labels, self.force, of=scan)
        if config.overlap == "apart":
            for place in self.apart(drawn.labels()).values():
                check_output(place, self.force, of=scan)

    def write(
        self,
        scan: Volume,
        drawn: Prompts,
        result: Segmentation,
        inputs: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Write everything, each file whole or not at all; return the record as JSON values.

        ``inputs`` tells in the record what was read, files by checksums: names may be a patient's.
        """
        from voxtrail.core.volume import LabelMap
        from voxtrail.io import replacing, write
        from voxtrail.io.nifti.shares import write_shares
        from voxtrail.io.registry import copies_patient

        picture = b""
        if self.overlay:
            from voxtrail.picture import contact_sheet, scroll

            draw = scroll if self.overlay.suffix.lower() == ".gif" else contact_sheet
            # Before any file is written: drawing may fail.
            picture = draw(scan, result.labels, drawn)
        written = [*write(result.labels, self.labels, self.force)]
        if result.record.config.overlap == "apart":
            for label, place in self.apart(result.logits).items():
                mask = result.mask(label).astype("uint8")
                names = {1: result.labels.name(label)}
                apart = LabelMap(mask, scan.stored, names, scan.provenance)
                written += write(apart, place, self.force)
        of_label = {
            "probabilities": result.probabilities_in_box,
            "uncertainty": result.uncertainty_in_box,
        }
        for kind, place in self._shares().items():
            maps = {label: of_label[kind](label) for label in result.logits}
            write_shares(maps, scan.stored, place, kind, self.force)
        if self.overlay:
            with replacing(self.overlay, self.force) as place:
                place.write_bytes(picture)
        record = {
            **result.record.to_json(),
            "inputs": dict(inputs or {}),
            "outputs": self._names(written),
            # The files that carry the patient's name and identifiers, as their format requires.
            "patient_data": [place.name for place in written if copies_patient(place)],
        }
        with replacing(self.record, self.force) as place:
            place.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
        return record

    def _shares(self) -> dict[str, Path]:
        """Return the files of numbers from 0 to 1 that were asked for, by their kind."""
        asked = {"probabilities": self.probabilities, "uncertainty": self.uncertainty}
        return {kind: place for kind, place in asked.items() if place}

    def _names(self, written: Sequence[Path]) -> dict[str, Any]:
        names: dict[str, Any] = {"labels": [place.name for place in written]}
        names |= {kind: place.name for kind, place in self._shares().items()}
        if self.overlay:
            names["overlay"] = self.overlay.name
        return names


def _check_picture(path: Path) -> None:
    if path.suffix.lower() not in (".png", ".gif"):
        raise OutputError(
            "the overlay is a sheet (PNG) or scrolls through the slices (GIF)",
            received=path.name,
            accepted=".png, .gif",
            remedy="end its name in one of them",
        )


def _split(path: Path) -> tuple[str, str]:
    """Return a label map's name without its format's suffix, and that suffix as it is spelled."""
    from voxtrail.io.registry import suffix_of, writer_of

    suffix = suffix_of(path, writer_of(path).written) or ""
    stem = path.name[: len(path.name) - len(suffix)]
    return stem or path.name, path.name[len(stem) :]
