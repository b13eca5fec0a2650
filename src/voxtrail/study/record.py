"""Records: one row an experiment, variant and structure, in Parquet.

::

    DIR/records/s0000/hip_left.parquet      all rows of one structure
    DIR/records/-/-.parquet                 rows that need no structure

A structure's file is replaced whole each time a task is done, so a killed run loses the task at
hand and nothing else, and no row can be there twice.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_type_hints

from voxtrail.errors import InputError, OptionError
from voxtrail.io import replacing
from voxtrail.study.folder import make_folder
from voxtrail.study.tasks.base import Measurements
from voxtrail.study.tasks.outlines import score_columns

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Status = Literal["done", "failed", "not-run"]
Row = dict[str, Any]
#: Case and structure of rows that need no structure.
NO_STRUCTURE = "-"

RECORDS = "records"
#: So many characters of what a library says of a damaged file are passed on.
_QUOTE = 200


@dataclass(frozen=True)
class Identity:
    """What a row is of.

    Parameters
    ----------
    experiment, variant, case, structure
        Unique together.
    bone_type
        The paper's.
    status
        ``done``; ``failed``, with its traceback; ``not-run``, because something is not here.
    error
        Why it is not done.
    task
        The task as text: equal texts are the same piece of work, done once.
    finished
        Date and time, UTC.
    """

    experiment: str
    variant: str
    case: str
    structure: str
    bone_type: str | None
    status: Status
    error: str | None
    task: str
    finished: str


def row_of(identity: Identity, measured: Measurements) -> Row:
    """Return a row: every column, None where one does not apply."""
    row: Row = {field.name: getattr(identity, field.name) for field in fields(Identity)}
    for field in fields(Measurements):
        if field.name == "scores":
            row |= {name: measured.scores.get(name) for name in score_columns()}
        elif field.name != "picture":
            row[field.name] = getattr(measured, field.name)
    return row


def schema() -> pa.Schema:
    """Return the columns and their types, the same for every file."""
    pa = _pyarrow()
    kinds = {str: pa.string(), int: pa.int64(), float: pa.float64()}
    columns = []
    for owner in (Identity, Measurements):
        for name, hint in get_type_hints(owner).items():
            if name == "scores":
                columns += [(column, pa.float64()) for column in score_columns()]
            elif name != "picture":
                options = {hint, *getattr(hint, "__args__", ())}
                kind = next((kinds[option] for option in options if option in kinds), pa.string())
                columns.append((name, kind))
    return pa.schema(columns)


class Records:
    """The records of one study's folder.

    Parameters
    ----------
    folder
        Of the study.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._schema = schema()

    def of(self, case: str, structure: str) -> list[Row]:
        """Return the rows of one structure; none where it has not been begun.

        Raises
        ------
        InputError
            If its file is no file of records.
        """
        place = self._place(case, structure)
        return self._read(place) if os.path.isfile(place) else []

    def add(self, case: str, structure: str, rows: Iterable[Row]) -> None:
        """Add rows to a structure's file; a row takes the place of one of the same name.

        Raises
        ------
        OutputError
            If the file cannot be written; what was there stays.
        """
        import pyarrow.parquet as pq

        found = {(row["experiment"], row["variant"]): row for row in self.of(case, structure)}
        found |= {(row["experiment"], row["variant"]): row for row in rows}
        table = _pyarrow().Table.from_pylist(list(found.values()), schema=self._schema)
        place = self._place(case, structure)
        make_folder(place.parent)
        with replacing(place, force=True) as temporary:
            # So that a damaged file is told from a whole one.
            pq.write_table(table, temporary, write_page_checksum=True)

    def frame(self) -> pd.DataFrame:
        """Return all rows, by experiment, variant, case and structure.

        Raises
        ------
        InputError
            If there are none, or a file is no file of records.
        """
        import pandas as pd

        files = sorted((self._folder / RECORDS).glob("*/*.parquet"))
        rows = [
            row for place in files if not place.name.startswith(".") for row in self._read(place)
        ]
        if not rows:
            raise InputError(
                "there are no records",
                received=self._folder,
                accepted="the folder that 'voxtrail study run' wrote to",
                remedy="run an experiment first",
            )
        frame = pd.DataFrame(rows, columns=self._schema.names)
        keys = ["experiment", "variant", "case", "structure"]
        return frame.sort_values(keys, ignore_index=True)

    def _place(self, case: str, structure: str) -> Path:
        return self._folder / RECORDS / case / f"{structure}.parquet"

    def _read(self, place: Path) -> list[Row]:
        import pyarrow.parquet as pq

        damage = (OSError, ValueError, MemoryError, _pyarrow().ArrowException)
        try:
            table = pq.read_table(place, schema=self._schema, page_checksum_verification=True)
            rows: list[Row] = table.to_pylist()
            _check(rows)
        except damage as error:
            raise InputError(
                f"{place} holds no records of this version",
                received=" ".join(str(error).split())[:_QUOTE] or type(error).__name__,
                accepted="a file that 'voxtrail study run' wrote",
                remedy="remove that file; its structure is then run again",
            ) from error
        return rows


def _check(rows: list[Row]) -> None:
    """Refuse, as ValueError, rows that do not say what they are of."""
    names = [field.name for field in fields(Identity) if field.name not in ("bone_type", "error")]
    for row in rows:
        if lost := [name for name in names if row[name] is None]:
            raise ValueError(f"a row without its {lost[0]}")
        if row["status"] not in get_args(Status):
            raise ValueError(f"a row of status {row['status']!r}")


def parquet(frame: pd.DataFrame) -> bytes:
    """Return rows as one Parquet file."""
    import pyarrow.parquet as pq

    table = _pyarrow().Table.from_pandas(frame, schema=schema(), preserve_index=False)
    data = io.BytesIO()
    pq.write_table(table, data, compression="zstd")
    return data.getvalue()


def _pyarrow() -> Any:
    try:
        import pandas  # noqa: F401  # asked for here, so that one line names both
        import pyarrow as pa
    except ImportError as error:
        raise OptionError(
            "the packages of the study are not installed",
            received=f"no {error.name}",
            accepted="an environment with pandas and pyarrow",
            remedy="pip install 'voxtrail[study]'",
        ) from error
    return pa
