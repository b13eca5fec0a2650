"""What it costs that 3D Slicer and napari do not say how a scan lies in the patient.

    VOXTRAIL_CT=... python benchmarks/directions.py [hip_left ...]

From the middle outline of each bone on ``totalseg_mini/s0000``, which is stored to the right and to
the front, with ``micro``: the mask that is made with the scan's directions (as ``voxtrail segment``
does of the file, and the server for ITK-SNAP) and the one without (as the server does for the
others). Prints a Markdown table of Dice.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
import SimpleITK

import voxtrail as vt
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.model.base import LoadedModel
from voxtrail.model.weights import load_model
from voxtrail.serve.remote.array_frame import ArrayFrame
from voxtrail.serve.remote.interactions import outline, painted


def segmented(
    scan: np.ndarray, frame: ArrayFrame, truth: np.ndarray, model: LoadedModel
) -> np.ndarray:
    """Return what is found from the middle outline of a bone; arrays (z, y, x)."""
    filled = np.flatnonzero(truth.any((1, 2)))
    drawn = np.zeros_like(truth)
    middle = int(filled[filled.size // 2])
    drawn[middle] = truth[middle]
    one = outline(painted(drawn, (0, 0, 0), frame))
    prompt = MaskPrompt(1, one.axis, one.slice_index, one.mask)
    config = vt.Config(extent="object", axes=(one.axis.label,), quality=False)
    volume = frame.volume(scan)
    found = vt.segment(volume, Prompts((prompt,), frame.stored), config, model=model)
    return frame.to_array(found.labels.mask(1))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * float((one & other).sum()) / float(one.sum() + other.sum())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bones", nargs="*", default=["hip_left"])
    bones = parser.parse_args().bones
    folder = Path(os.environ["VOXTRAIL_CT"]) / "totalseg_mini" / "s0000"
    image = SimpleITK.ReadImage(str(folder / "ct.nii.gz"))
    scan, spacing = SimpleITK.GetArrayFromImage(image), image.GetSpacing()[::-1]
    directions = np.array(image.GetDirection()).reshape(3, 3)
    model = load_model("micro", device="cpu")
    sys.stdout.write(
        "| bone | with to without | with to truth | without to truth |\n|---|---|---|---|\n"
    )
    for bone in bones:
        label = SimpleITK.ReadImage(str(folder / "segmentations" / f"{bone}.nii.gz"))
        truth = SimpleITK.GetArrayFromImage(label) > 0
        told = ArrayFrame.of(scan.shape, spacing, image.GetOrigin(), directions)
        with_them = segmented(scan, told, truth, model)
        without = segmented(scan, ArrayFrame.of(scan.shape, spacing), truth, model)
        numbers = dice(with_them, without), dice(with_them, truth), dice(without, truth)
        sys.stdout.write(f"| {bone} | {' | '.join(f'{one:.2f}' for one in numbers)} |\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
