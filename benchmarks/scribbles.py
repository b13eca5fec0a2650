"""What a scribble gives as clicks and as a mask, and what a click corrects, on real CT.

    VOXTRAIL_CT=... python benchmarks/scribbles.py [--model micro]

Of each bone of ``totalseg_mini/s0000`` the middle slice and those at the quarters are scribbled on
along their middle line. Prints Dice against the labels (which are a model's, see their provenance).
Minutes on one core.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from scipy import ndimage
from skimage.morphology import skeletonize

import voxtrail as vt
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, PointPrompt
from voxtrail.serve.remote.along_scribble import clicks_along
from voxtrail.session import Session

COUNTS = (1, 3, 5, 8)
SMALLEST = 40  # pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="micro")
    options = parser.parse_args()
    case = Path(os.environ["VOXTRAIL_CT"]) / "totalseg_mini" / "s0000"
    scan = vt.read(case / "ct.nii.gz")
    scribbled = {f"{count} clicks": [] for count in COUNTS} | {"as a mask": []}
    corrected = {"before": [], "memories and the click": [], "what is shown and the click": []}
    model = None
    for file in sorted((case / "segmentations").glob("*.nii.gz")):
        truth = Axis.AXIAL.to_stack(vt.read_labels(file).mask(1))
        filled = np.flatnonzero(truth.sum((1, 2)) >= SMALLEST)
        if filled.size < 3:
            continue
        session = Session(scan, vt.Config(model=options.model, extent="object"), model=model)
        model = session.model
        for index in (int(filled[int(share * (filled.size - 1))]) for share in (0.25, 0.5, 0.75)):
            scribble = line(truth[index])
            for count in COUNTS:
                points = clicks_along(scribble, count)
                click = PointPrompt(1, Axis.AXIAL, index, points, (True,) * len(points))
                scribbled[f"{count} clicks"].append(dice(session.preview(click).mask, truth[index]))
            scribbled["as a mask"].append(dice(scribble, truth[index]))
        for name, values in one_correction(session, truth, filled).items():
            corrected[name].append(values)
    for name, values in (scribbled | corrected).items():
        sys.stdout.write(f"{name:<30} {np.mean(values):.3f} (median {np.median(values):.3f})\n")


def one_correction(session: Session, truth: np.ndarray, filled: np.ndarray) -> dict[str, float]:
    """Outline the middle slice, propagate, and click where the slice at a quarter is most wrong."""
    middle, other = int(filled[filled.size // 2]), int(filled[filled.size // 4])
    session.replace(MaskPrompt(1, Axis.AXIAL, middle, truth[middle]))
    found = Axis.AXIAL.to_stack(session.run().labels.mask(1))[other]
    wrong = found ^ truth[other]
    depth = ndimage.distance_transform_edt(wrong)
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    click = PointPrompt(
        1, Axis.AXIAL, other, ((float(column), float(row)),), (bool(truth[other][row, column]),)
    )
    shown = MaskPrompt(1, Axis.AXIAL, other, found)
    return {
        "before": dice(found, truth[other]),
        "memories and the click": dice(session.preview(click).mask, truth[other]),
        "what is shown and the click": dice(session.preview([shown, click]).mask, truth[other]),
    }


def line(mask: np.ndarray) -> np.ndarray:
    """Return a stroke, two pixels wide, along the middle of the largest part of a mask."""
    parts, count = ndimage.label(mask)
    largest = parts == 1 + int(np.argmax([(parts == n + 1).sum() for n in range(count)]))
    stroke = ndimage.binary_dilation(skeletonize(ndimage.binary_erosion(largest)))
    return stroke & largest if stroke.any() else largest


def dice(found: np.ndarray, truth: np.ndarray) -> float:
    total = int(found.sum() + truth.sum())
    return 2 * int((found & truth).sum()) / total if total else 1.0


if __name__ == "__main__":
    main()
