"""Balanced draws of structures: as many of each bone type, by a seed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np

from voxtrail.datasets.bones import BONE_TYPES, LEAST_SLICES, bone_type
from voxtrail.datasets.manifest import Manifest
from voxtrail.datasets.totalsegmentator import Structure, cases, measure, structures
from voxtrail.errors import InputError


def sample(
    root: Path,
    per_type: int,
    seed: int,
    *,
    allow_short: bool = False,
    on_structure: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Draw ``per_type`` structures of every bone type.

    Each type's structures are shuffled, by the seed and the type's name, and taken in that order
    where they are on `LEAST_SLICES` axial slices or more, so that only as many masks are
    read as are needed. The manifest lists them by case.

    Parameters
    ----------
    root
        A folder in TotalSegmentator's layout.
    per_type
        How many of each, 1 or more.
    seed
        0 or more.
    allow_short
        Whether a type may give fewer, down to none.
    on_structure
        Told how many are drawn, and how many are wanted.

    Raises
    ------
    InputError
        If a type has too few and ``allow_short`` is not set; counts them. Also if the folder is
        no dataset or a mask that is drawn does not fit its CT.
    """
    if per_type < 1 or seed < 0:
        raise InputError(
            "a sample that cannot be drawn",
            received=f"{per_type} of each type, seed {seed}",
            accepted="1 or more of each, a seed of 0 or more",
            remedy="pass for example --per-type 50 --seed 0",
        )
    candidates: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for case in cases(root):
        for name in structures(root, case):
            candidates[bone_type(name)].append((case, name))
    drawn: list[Structure] = []
    short = []
    for number, bone in enumerate(BONE_TYPES):
        of_type: list[Structure] = []
        order = np.random.default_rng([seed, number]).permutation(len(candidates[bone.name]))
        for index in order:
            if len(of_type) == per_type:
                break
            found = measure(root, *candidates[bone.name][index])
            if found is not None and found.axial_slices >= LEAST_SLICES:
                of_type.append(found)
                if on_structure is not None:
                    on_structure(len(drawn) + len(of_type), per_type * len(BONE_TYPES))
        if len(of_type) < per_type:
            short.append(f"{len(of_type)} {bone.name}")
        drawn += of_type
    if (short and not allow_short) or not drawn:
        raise InputError(
            f"too few structures on {LEAST_SLICES} or more axial slices",
            received=", ".join(short),
            accepted=f"{per_type} of each type",
            remedy="lower --per-type, or take what there is with --allow-short",
        )
    return Manifest(tuple(sorted(drawn, key=lambda item: (item.case, item.structure))))
