"""All bones of one patient, in the order in which they are rendered.

The order matters: a bone keeps its cartilage gap from those before it, so a ball comes
before its socket and the spine is built from below.
"""

from __future__ import annotations

from voxtrail.datasets.phantom.bone import Bone
from voxtrail.datasets.phantom.head import mandible, skull
from voxtrail.datasets.phantom.pelvis import femur, hip, knee, sacrum
from voxtrail.datasets.phantom.physique import Physique
from voxtrail.datasets.phantom.ribcage import rib, sternum
from voxtrail.datasets.phantom.shoulder import clavicle, humerus, scapula
from voxtrail.datasets.phantom.spine import levels, vertebra

_SIDES = (1, -1)
RIBS = range(1, 13)


def skeleton(physique: Physique) -> list[Bone]:
    """Every bone of the atlas, fitted to `physique`; the scan decides which are seen."""
    spine = levels(physique)
    bones = [sacrum()]
    bones += [vertebra(level) for level in spine.values()]
    for side in _SIDES:
        bones += [femur(physique, side), *knee(physique, side), hip(side)]
        bones += [humerus(physique, side), scapula(side)]
    bones.append(sternum())
    for side in _SIDES:
        bones.append(clavicle(side))
        bones += [rib(number, side, spine[f"T{number}"]) for number in RIBS]
    return [*bones, mandible(physique), skull(physique)]
