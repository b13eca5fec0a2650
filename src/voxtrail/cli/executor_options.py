"""The executor that the command line asks for, with what only some of them take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from voxtrail.errors import OptionError

if TYPE_CHECKING:
    from voxtrail.executors import Executor

ExecutorName = Annotated[str, typer.Option(help="serial, or ray: many processes or machines.")]
Address = Annotated[
    str | None,
    typer.Option(help="With ray: a cluster, such as auto or ray://HOST:10001; none: here."),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="With ray: at most so many; one a GPU, or a CPU, by default."),
]


def executor_of(name: str, address: str | None, workers: int | None) -> Executor:
    """Return the executor of a name.

    Raises
    ------
    OptionError
        If there is none of the name, or it does not take an option that is given.
    """
    from voxtrail.executors import EXECUTORS

    where = EXECUTORS.parse(name)
    given = {"address": address, "workers": workers}
    for option, value in given.items():
        if value is None:
            continue
        if not hasattr(where, option):
            raise OptionError(
                f"--{option} is not for this executor",
                received=f"--{option} {value} with --executor {type(where).name}",
                accepted=f"--{option} with --executor ray",
                remedy="leave it out, or name that executor",
            )
        where = replace(where, **{option: value})
    return where
