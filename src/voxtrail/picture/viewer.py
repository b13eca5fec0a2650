"""NiiVue in a notebook: a scan and its labels to scroll through.

Its script lies inside the package ``ipyniivue`` and voxels are sent by the kernel, so that it needs
no network and nothing leaves the machine. The annotation page draws with NiiVue too.
"""

from __future__ import annotations

import gzip
import sys
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.palette import colours, rgb
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.picture.scene import BLACK_HU, WHITE_HU, Scene

HEIGHT_PIXELS = 420
LABEL_OPACITY = 0.5
#: Scans of more voxels than a browser holds easily are cut to what is labelled.
LARGEST = 2**27


def can_be_shown() -> bool:
    """Tell whether this process is a notebook's kernel, and NiiVue is installed beside it."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell else None
    return getattr(running, "kernel", None) is not None and find_spec("ipyniivue") is not None


def viewer(volume: Volume, labels: LabelMap) -> Any:
    """Return an ``ipyniivue.NiiVue`` of a scan and its labels, in a bone window.

    Parameters
    ----------
    volume
        The scan. Of more than `LARGEST` voxels the part around the labels is shown.
    labels
        On the scan's grid.
    """
    from ipyniivue import NiiVue

    hu, numbers, affine = volume.voxels, labels.voxels, volume.grid.affine
    if hu.size > LARGEST:
        scene = Scene.around(volume, labels, None)
        hu, numbers, affine = scene.hu, scene.labels, affine.copy()
        affine[:3, 3] = (volume.grid.affine @ [*scene.start, 1])[:3]
    window = {"cal_min": BLACK_HU, "cal_max": WHITE_HU}
    whole = np.clip(np.rint(hu), -32768, 32767).astype(np.int16)
    shown = NiiVue(height=HEIGHT_PIXELS, is_radiological_convention=True)
    shown.load_volumes(
        [
            {"data": _nifti(whole, affine), "name": "scan.nii.gz", "colormap": "gray", **window},
            {"data": _nifti(numbers, affine), "name": "labels.nii.gz", "opacity": LABEL_OPACITY},
        ]
    )
    for one in shown.volumes:
        one.colorbar_visible = False
    shown.volumes[1].set_colormap_label(_colour_table(labels))
    return shown


def _nifti(voxels: NDArray[Any], affine: NDArray[np.float64]) -> bytes:
    """Return a ``.nii.gz`` of voxels (i, j, k) in RAS+."""
    import nibabel as nib

    image = nib.Nifti1Image(voxels, affine)
    image.header.set_xyzt_units("mm")
    return gzip.compress(image.to_bytes(), compresslevel=1)


def _colour_table(labels: LabelMap) -> dict[str, list[Any]]:
    """Return NiiVue's table: by channel, the nothing (0) first, in the colours of all pictures."""
    present = labels.labels()
    by_label = colours(present)
    rows = [(0, 0, 0), *(rgb(by_label[label]) for label in present)]
    red, green, blue = (list(values) for values in zip(*rows, strict=True))
    return {
        "R": red,
        "G": green,
        "B": blue,
        "A": [0, *(255 for _ in present)],
        "I": [0, *present],
        "labels": ["", *(labels.name(label) for label in present)],
    }
