"""What makes one phantom patient unlike the next: size, build, pose, bone quality.

All anatomy is written once, in the *atlas*: millimetres, RAS, zero midway between the
centres of the femoral heads of a person of ordinary size. A `Physique` bends, turns and
scales the atlas into one patient. Called by `subject`; read by every bone and by `tissue`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from voxtrail.datasets.phantom.shapes import Array, Points, rotation


@dataclass(frozen=True)
class Physique:
    """One patient.

    Attributes
    ----------
    size : float
        Patient mm per atlas mm.
    fat_mm : float
        Subcutaneous fat of the trunk, atlas mm.
    density : float
        Bone quality; scales trabecular HU, and cortical by its root. 1 is a healthy adult.
    contrast_hu : float
        HU of blood; about 45 without contrast medium.
    scoliosis_mm, kyphosis : float
        Sideways swing of the spine; its front-to-back curve relative to the atlas.
    leg_turn, arm_turn : tuple of float
        Abduction of right and left thigh and upper arm, radians.
    nod : tuple of float
        Pitch, roll and yaw of the head, radians.
    tilt : (3, 3) float64
        How the patient lies in the scanner.
    waves : (6, 3) float64
        Rows of amplitude (mm), wave number (1/mm) and phase of the bends that make left
        and right differ; two rows per bent coordinate.
    """

    size: float
    fat_mm: float
    density: float
    contrast_hu: float
    scoliosis_mm: float
    kyphosis: float
    leg_turn: tuple[float, float]
    arm_turn: tuple[float, float]
    nod: tuple[float, float, float]
    tilt: Array
    waves: Array

    def bend(self, p: Points) -> Points:
        """Move atlas points by the patient's smooth asymmetry (a few mm)."""
        w = [
            a * np.sin(k * c + f)
            for (a, k, f), c in zip(self.waves, (p.y, p.z, p.x, p.z, p.x, p.y), strict=True)
        ]
        return Points(p.x + w[0] + w[1], p.y + w[2] + w[3], p.z + w[4] + w[5])

    def side(self, pair: tuple[float, float], side: int) -> float:
        """Pick the value of the right (+1) or left (-1) of a pair."""
        return pair[0] if side > 0 else pair[1]


def draw_physique(rng: np.random.Generator) -> Physique:
    """Draw a patient."""
    contrast = rng.uniform(130, 240) if rng.random() < 0.5 else rng.uniform(35, 50)
    turn = rng.uniform(-0.06, 0.06, 3)
    amplitude = rng.uniform(0.5, 3.0, 6)
    wave_number = 2 * np.pi / rng.uniform(180, 320, 6)
    return Physique(
        size=rng.uniform(0.92, 1.08),
        fat_mm=rng.uniform(8, 26),
        density=rng.uniform(0.6, 1.1),
        contrast_hu=contrast,
        scoliosis_mm=rng.uniform(-6, 6),
        kyphosis=rng.uniform(0.8, 1.2),
        leg_turn=(rng.uniform(-0.06, 0.12), rng.uniform(-0.06, 0.12)),
        arm_turn=(rng.uniform(0.0, 0.25), rng.uniform(0.0, 0.25)),
        nod=(rng.uniform(-0.15, 0.15), rng.uniform(-0.06, 0.06), rng.uniform(-0.12, 0.12)),
        tilt=rotation(turn[0], turn[1], turn[2]),
        waves=np.stack([amplitude, wave_number, rng.uniform(0, 2 * np.pi, 6)], axis=1),
    )
