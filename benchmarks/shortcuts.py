"""What each shortcut does to masks: Dice beside the exact ones, with the bundled checkpoint.

    python benchmarks/shortcuts.py [--write PAGE]

On the demo's phantom, and, where VOXTRAIL_CT names a folder with totalseg_mini, on the pelvis of a
real CT. Three outlined slices a structure; drawn slices count too, as in `voxtrail evaluate`
without --prompts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.phantom import demo_subject
from voxtrail.evaluate import simulate
from voxtrail.evaluate.truth import read_truth
from voxtrail.io import read
from voxtrail.metrics.overlap import dice
from voxtrail.session import Config, segment

WAYS: dict[str, dict[str, object]] = {
    "exact": {},
    "`--precision bfloat16`": {"precision": "bfloat16"},
    "`--precision int8`": {"precision": "int8"},
    "`--coarse-memories`": {"coarse_memories": True},
    "`--resolution auto`": {"resolution": "auto"},
    "`--crop all`": {"crop": "all"},
}
CT = "totalseg_mini/s0000"
STRUCTURES = ("hip_left", "hip_right", "sacrum")


def scenes() -> Iterator[tuple[str, Volume, LabelMap]]:
    subject = demo_subject()
    drawn = np.zeros(subject.hu.shape, np.uint8)
    for label, name in enumerate(STRUCTURES, 1):
        drawn[subject.masks[name]] = label
    names = dict(enumerate(STRUCTURES, 1))
    truth = LabelMap.from_stored(drawn, subject.affine, names)
    yield "phantom", Volume.from_stored(subject.hu, subject.affine), truth
    folder = Path(os.environ.get("VOXTRAIL_CT", "none")) / CT
    if folder.is_dir():
        masks = [folder / "segmentations" / f"{name}.nii.gz" for name in STRUCTURES]
        yield "CT s0000", read(folder / "ct.nii.gz"), read_truth(masks)


def _mean_dice(ours: LabelMap, theirs: LabelMap) -> float:
    return statistics.mean(
        dice(ours.voxels == label, theirs.voxels == label)
        for label in range(1, len(STRUCTURES) + 1)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    lines = [
        "# What shortcuts do to masks",
        "",
        f"Written by `python benchmarks/shortcuts.py --write {options.write}`, "
        f"{time.strftime('%Y-%m-%d')}: the bundled checkpoint (micro, not SAM 2) on the demo's "
        "phantom and on the pelvis of TotalSegmentator's s0000 (labels CC BY 4.0); "
        f"{', '.join(STRUCTURES)}, first, middle and last slice outlined, the drawn slices counted "
        "too. Mean Dice of the three. Research use only. Not a medical device.",
        "",
        "| scan | way | Dice with the exact masks | Dice with the truth |",
        "|---|---|---|---|",
    ]
    for name, scan, truth in scenes():
        exact: LabelMap | None = None
        for way, fields in WAYS.items():
            result = segment(
                scan, simulate(truth), Config(model="micro", device="cpu", **fields)
            ).labels
            exact = exact or result
            lines.append(
                f"| {name} | {way} | {_mean_dice(result, exact):.3f} | "
                f"{_mean_dice(result, truth):.3f} |"
            )
            sys.stderr.write(lines[-1] + "\n")
    text = "\n".join(lines) + "\n"
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
