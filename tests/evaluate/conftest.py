import numpy as np
import pytest

from voxtrail.core.volume import LabelMap

#: Stored left-posterior-superior, anisotropic and oblique about the body's axis.
TURN = np.deg2rad(10)
AFFINE = np.array(
    [
        [-0.8 * np.cos(TURN), 1.1 * np.sin(TURN), 0, 30],
        [-0.8 * np.sin(TURN), -1.1 * np.cos(TURN), 0, -12],
        [0, 0, 2.5, 7],
        [0, 0, 0, 1],
    ]
)


@pytest.fixture
def truth():
    """A block on slices 4..14 and a small one on slices 2..4."""
    voxels = np.zeros((20, 22, 18), dtype=np.uint8)
    voxels[3:12, 5:15, 4:15] = 1
    voxels[14:18, 2:6, 2:5] = 2
    return LabelMap.from_stored(voxels, AFFINE, {1: "hip_left", 2: "rib_left_7"})


@pytest.fixture
def like():
    """Return a label map with other voxels (RAS+) on the same grid."""

    def build(of: LabelMap, voxels):
        return LabelMap(voxels, of.stored)

    return build
