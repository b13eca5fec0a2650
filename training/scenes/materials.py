"""What objects are made of, in Hounsfield units.

A material says what an object looks like by depth: a bright rim over a textured inside, as bone
is, or one value throughout. Numbers are rough ranges of CT: cortical bone 500 to 1,900 HU, marrow
50 to 500, soft tissue 0 to 90, fat -120 to -60, enhanced vessels 120 to 450, lung -900 to -700,
metal above 2,500.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from numpy.random import Generator

Surroundings = Literal["muscle", "fat", "lung", "mixed"]


@dataclass(frozen=True)
class Material:
    """What an object is made of.

    Parameters
    ----------
    inside_hu, rim_hu
        Inside, and at the surface.
    rim_mm
        How thick the rim is; 0 for none.
    grain_hu
        Strength of the texture inside.
    """

    inside_hu: float
    rim_hu: float
    rim_mm: float
    grain_hu: float

    def near(self, rng: Generator, share: float) -> Material:
        """Return one that differs by up to a share of its values: a neighbour of the same kind."""
        factors = 1 + share * rng.uniform(-1, 1, 3)
        return replace(
            self,
            inside_hu=self.inside_hu * factors[0],
            rim_hu=self.rim_hu * factors[1],
            rim_mm=self.rim_mm * factors[2],
        )


def bone(rng: Generator) -> Material:
    """Return bone: from dense to hardly denser than what surrounds it."""
    inside = rng.uniform(60, 500)
    return Material(
        inside_hu=inside,
        rim_hu=max(inside + 50, rng.uniform(350, 1700)),
        rim_mm=rng.uniform(0.5, 4.5),
        grain_hu=rng.uniform(10, 120),
    )


def faint_bone(rng: Generator) -> Material:
    """Return bone whose marrow looks like what surrounds it: only a thin rim shows."""
    return Material(
        inside_hu=rng.uniform(-60, 59),
        rim_hu=rng.uniform(200, 900),
        rim_mm=rng.uniform(0.6, 3.0),
        grain_hu=rng.uniform(10, 70),
    )


def dim_bone(rng: Generator) -> Material:
    """Return bone hardly denser than what surrounds it, its rim thinner than a voxel.

    In a window of bone its edge can be told in places at most; the rest is what outlines say.
    """
    return Material(
        inside_hu=rng.uniform(60, 170),
        rim_hu=rng.uniform(251, 600),  # seen through a window of bone, as the denser ones
        rim_mm=rng.uniform(0.1, 0.5),
        grain_hu=rng.uniform(5, 40),
    )


def soft(rng: Generator, contrast_hu: float, around_hu: float) -> Material:
    """Return soft tissue that differs from what surrounds it by ``contrast_hu``."""
    value = around_hu + contrast_hu
    rim = value + rng.uniform(-20, 20) if rng.random() < 0.2 else value
    return Material(value, rim, rng.uniform(0.5, 2), rng.uniform(0, 8))


def enhanced(rng: Generator) -> Material:
    """Return what is filled with contrast medium."""
    value = rng.uniform(120, 450)
    return Material(value, value, 0.0, rng.uniform(0, 25))


BONES = {"plain": bone, "faint": faint_bone, "dim": dim_bone}
"""How bone is seen -> what makes it."""

METAL = Material(3000.0, 3000.0, 0.0, 0.0)

BACKGROUNDS_HU: dict[Surroundings, tuple[tuple[float, float], tuple[float, float], float]] = {
    "muscle": ((35, 75), (-110, -60), 0.25),
    "fat": ((30, 70), (-115, -70), 0.75),
    "mixed": ((30, 80), (-115, -60), 0.5),
    "lung": ((-880, -720), (-60, 60), 0.2),
}
"""By surroundings: ranges of the one tissue, of the other, and the other's share of the space."""
