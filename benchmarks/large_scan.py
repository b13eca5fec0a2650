"""What a large CT takes beyond the model: seconds and memory, for one structure and for eight.

    python benchmarks/large_scan.py [--shape 512 512 1000] [--span 80] [--write docs/large-scans.md]

A synthetic CT, 16 bits a voxel, on which bars are outlined on three of `span` slices each; it is
read, segmented by the bundled checkpoint with default options and written. Seconds are those of the
processor, one thread, so that they do not depend on what else a machine does. It takes minutes, and
disk and memory for several times the scan. `benchmarks/memory.py` writes one of its sentences.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPE, SPAN = (512, 512, 1000), 80
SPACING_MM = (0.8, 0.8, 1.0)
LABELS = (1, 8)
#: Radius of the bars that are outlined, in voxels, and how many lie beside each other.
RADIUS, ACROSS = 30, 4
#: Slices of noise, which are repeated.
NOISES = 16


def write_scan(shape: tuple[int, int, int], place: Path) -> None:
    """Write noise around bright bars along the last axis."""
    import nibabel as nib
    import numpy as np

    rng = np.random.default_rng(0)
    hu = np.empty(shape, np.int16, order="F")
    bright = 800 * sum(section(shape, label) for label in range(max(LABELS))).astype(np.int16)
    noises = [rng.integers(-100, 100, shape[:2], dtype=np.int16) + bright for _ in range(NOISES)]
    for index in range(shape[2]):
        hu[..., index] = noises[index % NOISES]
    image = nib.Nifti1Image(hu, np.diag([*SPACING_MM, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, place)


def section(shape: tuple[int, int, int], label: int):
    """Return where one of the bars is on each slice: (i, j) bool."""
    import numpy as np

    down, across = divmod(label, ACROSS)
    i, j = np.ogrid[: shape[0], : shape[1]]
    centre = shape[0] * (across + 0.5) / ACROSS, shape[1] * (down + 0.5) / 2
    return np.hypot(i - centre[0], j - centre[1]) < RADIUS


def peak_mib() -> float:
    """Return the greatest resident memory of this process up to now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def segment_scan(place: Path, labels: int, span: int) -> dict[str, float]:
    """Read, segment and write; return peaks in MiB, and seconds of the processor up to them."""
    import numpy as np

    import voxtrail
    from voxtrail.core.axis import Axis
    from voxtrail.core.prompts import MaskPrompt
    from voxtrail.model.weights import load_model
    from voxtrail.session import Cache, Config, Session

    found: dict[str, float] = {"labels": labels}

    def note(what: str) -> None:
        found[what] = peak_mib()
        found[f"{what}_s"] = time.process_time()

    model = load_model("micro", device="cpu")
    model.model.stopwatch.now = time.process_time
    side = model.model.input_size
    model.model.encode(np.zeros((1, side, side), np.float32))
    note("model")
    before = sum(model.model.stopwatch.seconds.values())
    volume = voxtrail.read(place)
    note("opened")
    cache = Cache.of_one_run(quality=True)
    session = Session(volume, Config(model="micro"), model=model, cache=cache)
    shape = volume.grid.shape
    for label in range(labels):
        mask = np.ascontiguousarray(section(shape, label).T)
        first = (shape[2] - span) * (label + 1) // (labels + 1)
        for index in (first, first + span // 2, first + span - 1):
            session.add(MaskPrompt(label + 1, Axis.AXIAL, index, mask))
    for number, _ in enumerate(session.propagate()):
        if number == 0:
            note("first_slice")
            # What the model took of it, which is of the model and not of the scan.
            found["first_slice_model_s"] = sum(model.model.stopwatch.seconds.values()) - before
    result = session.result()
    note("segmented")
    voxtrail.write(result.labels, place.with_name("labels.nii.gz"), force=True)
    note("written")
    found["model_work_s"] = sum(model.model.stopwatch.seconds.values()) - before
    found["scan"] = volume.voxels.size * 2 / 2**20
    found["voxels"] = int((result.labels.voxels > 0).sum())
    return found


def measured(
    shape: tuple[int, int, int] = SHAPE, labels: tuple[int, ...] = (1,), span: int = SPAN
) -> list[dict[str, float]]:
    """Return what `segment_scan` finds of each number of labels, in a process of its own."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ct.nii"
        write_scan(shape, place)
        for count in labels:
            command = [sys.executable, __file__, "--span", str(span), "--one", str(place)]
            command += ["--labels", str(count)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            found.append(json.loads(done.stdout))
    return found


def sentence(found: dict[str, float], shape: tuple[int, int, int] = SHAPE, span: int = SPAN) -> str:
    """Return in a sentence what memory was measured."""
    scan = found["scan"]
    opened, segmented = (found[name] - found["model"] for name in ("opened", "segmented"))
    return (
        f"A CT of {' x '.join(map(str, shape))} voxels, 16 bits each, takes {scan:.0f} MiB. To "
        f"open it takes {opened / scan:.1f} times that at the most, and to open it and segment one "
        f"label over {span} slices of it in a session {segmented / scan:.1f} times "
        f"({segmented:.0f} MiB, besides {found['model']:.0f} MiB of Python, PyTorch and the "
        "bundled checkpoint): grey levels are made slice by slice, of the crop alone."
    )


def page(found: list[dict[str, float]], shape: tuple[int, int, int], span: int, how: str) -> str:
    """Return the page."""
    import platform

    rows = []
    for one in found:
        scan, model = one["scan"], one["model_s"]
        beyond = one["written_s"] - model - one["model_work_s"]
        first = one["first_slice_s"] - model - one["first_slice_model_s"]
        rows.append(
            f"| {one['labels']} | {one['opened_s'] - model:.1f} | {first:.1f} | "
            f"{one['model_work_s']:.1f} | {beyond:.1f} | {one['written'] - one['model']:.0f} | "
            f"{(one['written'] - one['model']) / scan:.2f} |"
        )
    return "\n".join(
        [
            "# Large scans",
            "",
            f"Written by `{how}`: a synthetic CT of {' x '.join(map(str, shape))} voxels, 16 bits "
            f"each ({found[0]['scan']:.0f} MiB, `.nii`), structures of {span} slices outlined on "
            "three; read, segmented with default options by the bundled checkpoint (micro, not "
            f"SAM 2), written as `.nii.gz`. {platform.processor() or platform.machine()}, "
            f"{time.strftime('%Y-%m-%d')}. Seconds of the processor (one thread) beyond the start "
            "of Python and PyTorch, memory beyond theirs and the model's "
            f"({found[0]['model']:.0f} MiB). Research use only. Not a medical device.",
            "",
            "| structures | s to read | s before the first slice, beyond the model's | s of the "
            "model | s in all, beyond the model's | peak MiB | times the scan |",
            "|---" * 7 + "|",
            *rows,
            "",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE)
    parser.add_argument("--span", type=int, default=SPAN, help="slices of each structure")
    parser.add_argument("--labels", type=int, nargs="+", default=LABELS)
    parser.add_argument("--write", type=Path)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        found = segment_scan(options.one, options.labels[0], options.span)
        sys.stdout.write(json.dumps(found))
        return
    shape = tuple(options.shape)
    how = "python benchmarks/large_scan.py"
    if shape != SHAPE or options.span != SPAN:
        how += f" --shape {' '.join(map(str, shape))} --span {options.span}"
    found = measured(shape, tuple(options.labels), options.span)
    text = page(found, shape, options.span, how)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text + json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
