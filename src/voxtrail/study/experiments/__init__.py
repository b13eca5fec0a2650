"""The study's experiments, one a file, found by name."""

from __future__ import annotations

from voxtrail.core.family import Family
from voxtrail.errors import OptionError
from voxtrail.study.experiment import Experiment

#: Every experiment of this package.
EXPERIMENTS = Family(
    "voxtrail.study.experiments",
    Experiment,  # type: ignore[type-abstract]
    "experiment",
)
ALL = "all"


def experiments(names: list[str]) -> list[Experiment]:
    """Return the experiments of those names, each once; ``all`` stands for every one.

    Raises
    ------
    OptionError
        If there is none of a name, or no name; lists the valid ones.
    """
    if not names:
        raise OptionError(
            "no experiment was named",
            received="nothing",
            accepted=", ".join([*EXPERIMENTS.members(), ALL]),
            remedy="name one or more; 'voxtrail study list' describes them",
        )
    wanted = list(EXPERIMENTS.members()) if ALL in names else list(dict.fromkeys(names))
    return [EXPERIMENTS.parse(name) for name in wanted]
