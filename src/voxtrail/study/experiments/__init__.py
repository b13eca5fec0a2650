"""The study's experiments, found by name: each file of this package defines one, ``EXPERIMENT``.

::

    voxtrail study run NAME --manifest MANIFEST.csv --root ROOT -o DIR
"""

from __future__ import annotations

import importlib
import pkgutil

from voxtrail.errors import OptionError
from voxtrail.study.experiment import Experiment

ALL = "all"


def every_experiment() -> dict[str, Experiment]:
    """Return the experiments of this package by name, sorted by name."""
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    found: list[Experiment] = [module.EXPERIMENT for module in modules]
    return {item.name: item for item in sorted(found, key=lambda item: item.name)}


def experiments(names: list[str]) -> list[Experiment]:
    """Return the experiments of those names, each once; ``all`` stands for every one.

    Raises
    ------
    OptionError
        If there is none of a name, or no name; lists the valid ones.
    """
    found = every_experiment()
    if not names:
        raise OptionError(
            "no experiment was named",
            received="nothing",
            accepted=", ".join([*found, ALL]),
            remedy="name one or more; 'voxtrail study list' describes them",
        )
    for name in names:
        if name not in found and name != ALL:
            raise OptionError(
                "unknown experiment",
                received=name,
                accepted=", ".join([*found, ALL]),
                remedy="name one of them; 'voxtrail study list' describes them",
            )
    return list(found.values()) if ALL in names else [found[name] for name in dict.fromkeys(names)]
