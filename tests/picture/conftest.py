import numpy as np
import pytest

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume

#: Left-posterior-superior storage, anisotropic.
AFFINE = np.diag([-1.0, -2.0, 4.0, 1.0])
SHAPE = (60, 40, 20)


@pytest.fixture(scope="module")
def labels():
    """RAS+: label 2 on x 40..49, y 10..19, z 5..12; label 5 within a slice of it."""
    voxels = np.zeros(SHAPE, dtype=np.uint8)
    voxels[40:50, 10:20, 5:13] = 2
    voxels[44:46, 14:16, 8] = 5
    return LabelMap(voxels, LabelMap.from_stored(voxels, AFFINE).stored, {2: "hip_right"})


@pytest.fixture(scope="module")
def volume(labels):
    hu = np.where(labels.voxels == 2, 700, 0).astype(np.int16)
    return Volume(hu, labels.stored)


@pytest.fixture(scope="module")
def prompts(labels):
    stack = Axis.AXIAL.to_stack(labels.voxels == 2)
    drawn = tuple(MaskPrompt(2, Axis.AXIAL, index, stack[index]) for index in (5, 12))
    return Prompts(drawn, labels.stored, {2: "hip_right"})
