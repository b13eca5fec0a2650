"""The study's experiments, found by name: each file of this package defines one, ``EXPERIMENT``.

Another package adds one through an entry point whose group is ``voxtrail.study.experiments`` and
whose value is the experiment. ::

    voxtrail study run NAME --manifest MANIFEST.csv --root ROOT -o DIR
"""

from __future__ import annotations

import importlib
import pkgutil
from importlib.metadata import EntryPoint, entry_points

from voxtrail.errors import OptionError
from voxtrail.study.experiment import Experiment

ALL = "all"


def every_experiment() -> dict[str, Experiment]:
    """Return the experiments by name, sorted by name.

    Raises
    ------
    OptionError
        If what an entry point names is no experiment, or has the name of one that is there.
    """
    modules = (
        importlib.import_module(f"{__name__}.{module.name}")
        for module in pkgutil.iter_modules(__path__)
    )
    found: dict[str, Experiment] = {module.EXPERIMENT.name: module.EXPERIMENT for module in modules}
    for entry in entry_points(group=__name__):
        item = _load(entry)
        if found.setdefault(item.name, item) is not item:
            raise _unusable(entry, f"another experiment called {item.name}")
    return dict(sorted(found.items()))


def _load(entry: EntryPoint) -> Experiment:
    try:
        item = entry.load()
    except Exception as error:
        # Whatever a stranger's module raises when it is imported.
        raise _unusable(entry, f"{type(error).__name__}: {error}") from error
    if not isinstance(item, Experiment):
        raise _unusable(entry, repr(item))
    return item


def _unusable(entry: EntryPoint, received: str) -> OptionError:
    return OptionError(
        f"the experiment {entry.value} of an installed package cannot be used",
        received=received,
        accepted="an Experiment with a name of its own",
        remedy="mend or uninstall that package",
    )


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
