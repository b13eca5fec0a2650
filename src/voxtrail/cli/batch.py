"""Many scans in one go: the model is loaded once, and what fails does not stop the rest.

A case whose files are there already, made of the same inputs by the same configuration and
weights, is kept. So a batch that was interrupted goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import voxtrail
from voxtrail.cli.case import Case, Engine, carry_out, write
from voxtrail.cli.progress import say
from voxtrail.errors import InputError, OptionError, OutputError
from voxtrail.session.outputs import FURTHER_FILES, Outputs

if TYPE_CHECKING:
    from voxtrail.cli.cases import Row
    from voxtrail.executors import Executor
    from voxtrail.model.base import LoadedModel
    from voxtrail.session import Config


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    Parameters
    ----------
    name
        Its output, without suffix.
    result
        Whether it was done now, kept from an earlier run, or failed.
    record
        The run's record, unless it failed.
    error
        Why it failed.
    """

    name: str
    result: Literal["done", "kept", "failed"]
    record: dict[str, Any] | None = None
    error: str = ""


@dataclass(frozen=True)
class Batch:
    """Cases of one folder.

    Parameters
    ----------
    rows
        What was asked for.
    folder
        Where everything goes; made if need be.
    config
        The command line's configuration.
    series
        The command line's choice of a DICOM series.
    structures
        The command line's choice of structures.
    force
        Whether everything is done again.
    axes_said
        Whether the command line says the axes.
    """

    rows: Sequence[Row]
    folder: Path
    config: Config
    series: str | None = None
    structures: str | None = None
    force: bool = False
    axes_said: bool = True

    def run(
        self, executor: Executor, engine: Engine, cache: Path | None, *, quiet: bool
    ) -> list[Outcome]:
        """Go through all cases; what one of them raises is in its outcome.

        Parameters
        ----------
        executor
            Where.
        engine
            What cases share where they are done in this process.
        cache
            The folder of its cache, which workers elsewhere open themselves.
        quiet
            Whether nothing is said on the way.
        """
        from voxtrail.cli.batch_work import BatchWork

        work = BatchWork(self, cache, engine if executor.here else None, quiet)
        outcomes: dict[int, Outcome] = {}
        for number, outcome in executor.run(range(len(self.rows)), work):
            outcomes[number] = outcome
            if not executor.here:
                self.announce(number, outcome.result, quiet=quiet)
                for warning in outcome.record["warnings"] if outcome.record else ():
                    say(f"warning: {outcome.name}: {warning}", quiet=quiet)
            if outcome.error:
                say(f"error: {outcome.name}: {outcome.error}", quiet=quiet)
        return [outcomes[number] for number in range(len(self.rows))]

    def announce(self, number: int, what: str = "", *, quiet: bool) -> None:
        """Say which case it is, and what became of it where that is known."""
        named = f"[{number + 1}/{len(self.rows)}] {self.rows[number].output}"
        say(f"{named}: {what}" if what else named, quiet=quiet)

    def check(self) -> None:
        """Refuse a batch, before anything is done, whose outputs would replace each other.

        Raises
        ------
        OutputError
            If two outputs, or an output and an input, have one place, or the folder has none.
        """
        taken_by_file = os.path.exists(self.folder) and not os.path.isdir(self.folder)
        if taken_by_file or not os.path.isdir(self.folder.parent):
            raise OutputError(
                "the batch's folder cannot be made",
                received=self.folder,
                accepted="a folder, or a free name in one",
                remedy="choose another with -o",
            )
        inputs = {
            place.resolve() for row in self.rows for place in (row.image, row.prompts) if place
        }
        taken = Counter(place.resolve() for row in self.rows for place in self._places(row))
        for place, times in taken.items():
            if times > 1 or place in inputs:
                raise OutputError(
                    "two cases write to one place" if times > 1 else "an output replaces an input",
                    received=place.name,
                    accepted="a file of its own for every output, the inputs untouched",
                    remedy="name the outputs in the column output",
                )

    def _places(self, row: Row) -> tuple[Path, ...]:
        outputs = self._outputs(row)
        try:
            return outputs.places()
        except InputError:  # of no known suffix, which is that case's own failure
            return (outputs.labels,)

    def _outputs(self, row: Row) -> Outputs:
        outputs = Outputs(
            self.folder / row.output,
            self.folder / row.probabilities if row.probabilities else None,
            self.folder / row.uncertainty if row.uncertainty else None,
            self.folder / row.overlay if row.overlay else None,
            self.force,
            tuple(place for place in (row.image, row.prompts) if place),
        )
        # Where there is a mark lies half of what an interrupted batch meant to write.
        return replace(outputs, force=self.force or os.path.exists(_marker(outputs)))

    def outcome(self, row: Row, engine: Engine, *, quiet: bool) -> Outcome:
        """Do one case."""
        name, outputs = row.output, self._outputs(row)
        try:
            name = outputs.record.stem
            case = self._case(row, outputs)
            if not case.outputs.force and (record := _record_of(case, engine.loaded)):
                return Outcome(name, "kept", record)
            inputs = case.read()
            result = carry_out(case, inputs, engine, quiet=quiet)
            with _unfinished(case.outputs):
                record = write(case, inputs, result, quiet=quiet)
        except InputError as error:
            return Outcome(name, "failed", error=str(error))
        except Exception as error:
            # A night's work goes on, whatever a library raises at one scan: out of memory, defects.
            said = " ".join(str(error).split())
            return Outcome(name, "failed", error=f"the work failed: {type(error).__name__}: {said}")
        return Outcome(name, "done", record)

    def _case(self, row: Row, outputs: Outputs) -> Case:
        if row.image is None or row.prompts is None:
            raise InputError(
                f"no {'scan' if row.image is None else 'prompts'} of this name",
                received=row.image or row.prompts,
                accepted="a file of each of the two patterns",
                remedy="add the one that is missing, or leave this one out",
            )
        from voxtrail.io.structures import split

        series = row.options.get("series") or self.series
        structures = split(row.options.get("structures") or self.structures)
        config = _configured(self.config, row)
        said = self.axes_said or "axes" in row.options
        return Case(row.image, row.prompts, outputs, config, series, structures, said)


def print_summary(outcomes: Sequence[Outcome], folder: Path, *, as_json: bool) -> None:
    """Print what became of each case, and how many of each kind there are."""
    if as_json:
        said = [
            {"case": one.name, "result": one.result, "record": one.record, "error": one.error}
            for one in outcomes
        ]
        sys.stdout.write(json.dumps(said, indent=2) + "\n")
        return
    width = max(len("case"), *(len(one.name) for one in outcomes))
    sys.stdout.write(f"{'case':<{width}}  result  labels    voxels  expected Dice  seconds\n")
    for one in outcomes:
        if one.record is None:
            sys.stdout.write(f"{one.name:<{width}}  {one.result:<6}  {one.error}\n")
            continue
        labels, voxels, expected, seconds = _figures(one.record)
        sys.stdout.write(
            f"{one.name:<{width}}  {one.result:<6}  {labels:>6}  {voxels:>8}  {expected:>13}  "
            f"{seconds:>7.1f}\n"
        )
    kinds = Counter(one.result for one in outcomes)
    counted = ", ".join(f"{kinds[kind]} {kind}" for kind in ("done", "kept", "failed"))
    sys.stdout.write(f"{counted}; {folder}. Research use only: not a medical device.\n")


def _figures(record: dict[str, Any]) -> tuple[int, int, str, float]:
    """Return what a record says of labels, voxels, expected Dice (the least) and seconds."""
    labels = record["labels"]
    told = [float(one["expected_dice"]["dice"]) for one in labels if one["expected_dice"]]
    least = f"{'' if len(labels) == 1 else 'from '}{min(told):.2f}" if told else "unknown"
    voxels = sum(int(one["voxels"]) for one in labels)
    return len(labels), voxels, least, float(record["seconds"]["total"])


def _configured(config: Config, row: Row) -> Config:
    """Return the command line's configuration with what the row says otherwise."""
    fields: dict[str, Any] = {
        name.replace("-", "_"): value
        for name, value in row.options.items()
        if name not in ("series", "structures")
    }
    if axes := fields.get("axes"):
        fields["axes"] = tuple(part.strip() for part in axes.split(","))
    if margin := fields.pop("margin", None):
        try:
            fields["margin_mm"] = float(margin)
        except ValueError:
            raise OptionError(
                "the margin is not a number",
                received=margin[:40],
                accepted="millimetres",
                remedy="correct the column margin",
            ) from None
    return replace(config, **fields)


def _record_of(case: Case, loaded: LoadedModel) -> dict[str, Any] | None:
    """Return the record of an earlier run that gave just what this one would; None if none did."""
    try:
        record = json.loads(case.outputs.record.read_text(encoding="utf-8"))
        config = case.config.resolved().to_json()
        if not case.axes_said:  # they follow from the prompts, whose checksum is compared
            config["axes"] = record["config"]["axes"]
        same = (
            record["config"] == config
            and record["model"]["sha256"] == loaded.sha256
            and (
                case.config.resolution == "auto"  # it follows from what else is compared
                or record["model"]["input_size"] == loaded.model.input_size
            )
            and record["versions"]["voxtrail"] == voxtrail.__version__
            and record["inputs"] == case.fingerprints()
        )
        of = record["outputs"]
        names = [*of["labels"], *(of[use] for use in FURTHER_FILES if use in of)]
        wanted = {place.name for place in case.outputs.places()[2:]}
        there = all((case.outputs.labels.parent / name).is_file() for name in names)
        _figures(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None  # no record, or a file of another kind
    if same and there and wanted <= set(names):
        return record  # type: ignore[no-any-return]
    return None


def _marker(outputs: Outputs) -> Path:
    return outputs.labels.with_name(f".{outputs.labels.name}.unfinished")


@contextmanager
def _unfinished(outputs: Outputs) -> Iterator[None]:
    """Leave a mark while a case's files are written, by which a later run knows half a case."""
    marker = _marker(outputs)
    marker.touch()
    try:
        yield
    except BaseException:
        if not outputs.labels.exists():  # the first that is written
            marker.unlink()
        raise
    marker.unlink()
