"""``voxtrail models``: what can be named, and where its weights are."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from voxtrail.errors import OptionError


def run(
    name: Annotated[str | None, typer.Argument(help="One model; all of them by default.")] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch the model's weights now.")
    ] = False,
) -> None:
    """List the models that have a name, where their weights are, and their licences."""
    from voxtrail.model import hub
    from voxtrail.model.catalogue import CATALOGUE

    if name is not None and name not in CATALOGUE:
        raise OptionError(
            "unknown model",
            received=name,
            accepted=", ".join(CATALOGUE),
            remedy="name one of them",
        )
    if download and name is None:
        raise OptionError(
            "no model to download was named",
            received="--download",
            accepted="voxtrail models NAME --download",
            remedy=f"name one of {', '.join(CATALOGUE)}",
        )
    for entry in CATALOGUE.values():
        if name not in (None, entry.name):
            continue
        if entry.repository is None:
            where = f"bundled: {entry.folder}"
        else:
            if download:
                hub.fetch(entry.repository, entry.filename, quiet=False)
            place = hub.cached(entry.repository, entry.filename)
            where = str(place) if place else f"not here; from {entry.repository}"
        sys.stdout.write(f"{entry.name}\t{entry.about}\t{entry.licence}\t{where}\n")
