"""What a large CT takes beyond the model: seconds and memory, by format, labels and outputs.

    python benchmarks/large_scan.py [--shape 512 512 1000] [--span 80] [--write docs/large-scans.md]

A synthetic CT, 16 bits a voxel, on which bars are outlined on three of `span` slices each, in a
label map on its grid. What ``voxtrail segment`` and ``voxtrail evaluate`` do is done step by step
with the bundled checkpoint and default options, each run in a process of its own. Seconds are those
of the processor, so that they do not depend on what else a machine does. On one core it takes a
quarter of an hour, and disk and memory for several times the scan. `benchmarks/memory.py` writes
one of its sentences.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

Shape = tuple[int, int, int]

SHAPE, SPAN = (512, 512, 1000), 80
SPACING_MM = (0.8, 0.8, 1.0)
#: Radius of the bars that are outlined, in voxels, and how many lie beside each other.
RADIUS, ACROSS, MOST = 30, 4, 8
#: Slices of noise, which are repeated.
NOISES = 16
#: Files of the work folder, the label maps by their number of labels.
SCAN, PROMPTS, TRUTH, FOUND = "ct", "prompts-{}.nii.gz", "truth-{}.nii.gz", "found-{}.nii.gz"


@dataclass(frozen=True)
class Job:
    """One command on the scan.

    Parameters
    ----------
    labels
        How many structures are outlined.
    suffix
        Of the scan's file; ``evaluate`` reads none.
    further
        A further output, and the suffix of its file; empty where there is none.
    auto
        Whether with ``--resolution auto``.
    """

    labels: int = 1
    suffix: str = ".nii"
    further: tuple[str, str] | None = None
    auto: bool = False

    @property
    def told(self) -> str:
        """What the table says of it."""
        if self.auto:
            return "`--resolution auto`"
        return "`--{} FILE{}`".format(*self.further) if self.further else ""


SEGMENTED = (
    Job(),
    Job(8),
    Job(suffix=".nii.gz"),
    Job(8, suffix=".nii.gz"),
    Job(suffix=".nrrd"),
    Job(suffix=".mha"),
    Job(8, auto=True),
    Job(8, further=("overlay", ".png")),
    Job(8, further=("overlay", ".gif")),
    Job(8, further=("uncertainty", ".nii.gz")),
    Job(8, further=("probabilities", ".nii.gz")),
)
EVALUATED = (Job(), Job(8))
READ = (Job(), Job(8), Job(suffix=".nii.gz"))
#: Where voxels begin in a `.nii`, and how much of a `.nii.gz` is unpacked at a time.
HEADER_BYTES, PIECE_BYTES = 352, 2**20
#: Why all of a scan is read.
REASONS = (
    "The checksum in the record takes all bytes of the file, whatever is kept of them, and "
    "outlines have to be read before anybody knows where a crop will be, which grows where a "
    "mask touches it. A memory map of the file would spare most of the scan's memory, but of "
    "an uncompressed `.nii` alone, and few scans are kept so. A run whose file is written to "
    "meanwhile would see other voxels than those that its record names, also in a server that "
    "holds a scan for hours, and a file that is cut short under a map ends the process "
    "without a word. To keep parts of what is unpacked would need a scan of which only parts "
    "are there everywhere behind the reader, and to read once more for each crop that grows. "
    "At one and a half to two times the scan's size in all, that is not worth it."
)


def affine():
    """Return where the scan lies: voxel to RAS mm."""
    import numpy as np

    return np.diag([*SPACING_MM, 1.0])


def write_scan(shape: Shape, place: Path) -> None:
    """Write noise around bright bars along the last axis."""
    import numpy as np

    import voxtrail
    from voxtrail.core.volume import Volume

    rng = np.random.default_rng(0)
    hu = np.empty(shape, np.int16, order="F")
    bright = 800 * sum(section(shape, label) for label in range(MOST)).astype(np.int16)
    noises = [rng.integers(-100, 100, shape[:2], dtype=np.int16) + bright for _ in range(NOISES)]
    for index in range(shape[2]):
        hu[..., index] = noises[index % NOISES]
    voxtrail.write(Volume.from_stored(hu, affine()), place)


def write_labels(shape: Shape, labels: int, span: int, folder: Path) -> None:
    """Write the bars as a label map, and their first, middle and last slices as another."""
    import numpy as np

    import voxtrail
    from voxtrail.core.volume import LabelMap

    for name, slices in ((TRUTH, range(span)), (PROMPTS, (0, span // 2, span - 1))):
        voxels = np.zeros(shape, np.uint8, order="F")
        for label in range(labels):
            first = (shape[2] - span) * (label + 1) // (labels + 1)
            for index in slices:
                voxels[section(shape, label), first + index] = label + 1
        written = LabelMap.from_stored(voxels, affine())
        voxtrail.write(written, folder / name.format(labels))


def section(shape: Shape, label: int):
    """Return where one of the bars is on each slice: (i, j) bool."""
    import numpy as np

    down, across = divmod(label, ACROSS)
    i, j = np.ogrid[: shape[0], : shape[1]]
    centre = shape[0] * (across + 0.5) / ACROSS, shape[1] * (down + 0.5) / 2
    return np.hypot(i - centre[0], j - centre[1]) < RADIUS


def peak_mib() -> float:
    """Return the greatest resident memory of this process up to now.

    Of its own program: what `getrusage` says begins with that of the process that started it.
    """
    status = Path("/proc/self/status").read_text()
    line = next(one for one in status.splitlines() if one.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024  # kB


class Notes(dict[str, float]):
    """Peaks of resident memory in MiB, and seconds of the processor up to them."""

    def note(self, step: str) -> None:
        """Note both, now that a step is done."""
        self[step] = peak_mib()
        self[f"{step}_s"] = time.process_time()


def segment_scan(folder: Path, job: Job, input_size: int) -> Notes:
    """Do what ``voxtrail segment`` does."""
    import numpy as np

    from voxtrail.cli.case import Case
    from voxtrail.session import Config, segment
    from voxtrail.session.loading import load_for, load_unseen
    from voxtrail.session.outputs import Outputs

    notes = Notes()
    config = Config(model="micro", device="cpu", resolution="auto" if job.auto else None)
    loaded = load_unseen(replace(config, resolution=input_size))
    watch = loaded.model.stopwatch
    watch.now = time.process_time
    loaded.model.encode(np.zeros((1, input_size, input_size), np.float32))
    watch.seconds.clear()
    notes.note("before")

    def first(done: int, total: int, what: str) -> None:
        if "first_slice" not in notes:
            notes.note("first_slice")
            # What the model took of it, which is of the model and not of the scan.
            notes["first_slice_model_s"] = sum(watch.seconds.values())

    further = {job.further[0]: folder / f"further{job.further[1]}"} if job.further else {}
    outputs = Outputs(folder / FOUND.format(job.labels), **further, force=True)
    prompts = folder / PROMPTS.format(job.labels)
    inputs = Case(folder / f"{SCAN}{job.suffix}", prompts, outputs, config).read()
    notes.note("read")
    model = load_for(inputs.scan, inputs.drawn, inputs.config, held=loaded)
    result = segment(inputs.scan, inputs.drawn, inputs.config, model=model, progress=first)
    notes.note("segmented")
    outputs.write(inputs.scan, inputs.drawn, result, inputs.fingerprints)
    notes.note("done")
    notes["model_s"] = sum(watch.seconds.values())
    return notes


def evaluate_scan(folder: Path, job: Job) -> Notes:
    """Do what ``voxtrail evaluate`` does, of what was found of as many labels."""
    # What is imported is not of the scan.
    import nibabel  # noqa: F401
    import scipy.spatial  # noqa: F401

    from voxtrail.cli import evaluate
    from voxtrail.evaluate import truth  # noqa: F401

    notes = Notes()
    notes.note("before")
    found, expected, drawn = (folder / name.format(job.labels) for name in (FOUND, TRUTH, PROMPTS))
    with contextlib.redirect_stdout(io.StringIO()):
        evaluate.run(found, [expected], drawn, as_json=True)
    notes.note("done")
    return notes


def read_alone(folder: Path, job: Job) -> Notes:
    """Read a scan, and once more only what the crops of `segment_scan` need of it."""
    import nibabel  # noqa: F401  (what is imported is not of the scan)
    import numpy as np

    from voxtrail.io import read

    place = folder / f"{SCAN}{job.suffix}"
    record = (folder / FOUND.format(job.labels)).with_suffix("").with_suffix(".json")
    boxes = [one["crop"] for one in json.loads(record.read_text())["labels"]]
    notes = Notes()
    notes.note("before")
    shape = read(place).voxels.shape
    notes.note("all")
    if job.suffix == ".nii":
        mapped = np.memmap(place, np.int16, "r", HEADER_BYTES, shape, "F")
        for box in boxes:
            mapped[tuple(map(slice, box["start"], box["stop"]))].copy()
    else:
        with gzip.open(place) as file:
            while file.read(PIECE_BYTES):
                pass
    notes.note("crops")
    sizes = [np.prod(np.subtract(box["stop"], box["start"])) for box in boxes]
    notes["crops_mib"] = float(sum(sizes)) * 2 / 2**20
    return notes


def done_apart(task: str, folder: Path, job: Job, input_size: int = 0) -> dict[str, float]:
    """Return the notes of a task, done in a process of its own with one thread."""
    asked = [task, str(folder), json.dumps(asdict(job)), str(input_size)]
    done = subprocess.run(
        [sys.executable, __file__, "--one", *asked],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    sys.stderr.write(f"{task} {job}\n{done.stdout}\n")
    return json.loads(done.stdout)


def one(task: str, folder: str, job: str, input_size: str) -> Notes:
    """Do a task in this process; see `done_apart`."""
    asked = Path(folder), Job(**json.loads(job))
    if task == "segment":
        return segment_scan(*asked, int(input_size))
    return evaluate_scan(*asked) if task == "evaluate" else read_alone(*asked)


def segmented(folder: Path, job: Job, shape: Shape, span: int) -> dict[str, float]:
    """Return the notes of `segment_scan`, for which files are made that are not there."""
    import numpy as np

    from voxtrail import read_prompts
    from voxtrail.core.volume import Volume
    from voxtrail.session import Config
    from voxtrail.session.loading import load_unseen, propose_resolution

    place = folder / f"{SCAN}{job.suffix}"
    if not place.exists():
        write_scan(shape, place)
    prompts = folder / PROMPTS.format(job.labels)
    if not prompts.exists():
        write_labels(shape, job.labels, span, folder)
    config = Config(model="micro", device="cpu", resolution="auto" if job.auto else None)
    if job.auto:
        empty = Volume.from_stored(np.broadcast_to(np.int16(0), shape), affine())
        size = propose_resolution(empty, read_prompts(prompts, empty), config)
    else:
        size = load_unseen(config).model.input_size
    return done_apart("segment", folder, job, size) | {"input_size": size}


def sentence(shape: Shape = SHAPE, span: int = SPAN) -> str:
    """Return in a sentence what memory one label takes."""
    with tempfile.TemporaryDirectory() as folder:
        notes = segmented(Path(folder), Job(), shape, span)
    scan, peak = mib(shape), notes["done"] - notes["before"]
    return (
        f"A CT of {' x '.join(map(str, shape))} voxels, 16 bits each, takes {scan:.0f} MiB. To "
        f"read it and outlines on it, and segment one label over {span} slices, takes "
        f"{peak / scan:.1f} times that ({peak:.0f} MiB, besides {notes['before']:.0f} MiB of "
        "Python, PyTorch and the bundled checkpoint): grey levels are made slice by slice, of the "
        "crop alone. By format, labels and outputs: `docs/large-scans.md`."
    )


def mib(shape: Shape) -> float:
    """Return what a scan of 16 bits a voxel takes."""
    return shape[0] * shape[1] * shape[2] * 2 / 2**20


def segment_rows(found: Iterable[tuple[Job, dict[str, float]]], scan: float) -> Iterator[str]:
    """Yield the rows of the table of ``voxtrail segment``."""
    yield (
        "| structures | scan | further | s to read | s before the first slice | s of the model | "
        "s in all, beyond the model's | peak MiB | times the scan |"
    )
    yield "|---" * 9 + "|"
    for job, notes in found:
        start, peak = notes["before_s"], notes["done"] - notes["before"]
        further = job.told + (f" ({notes['input_size']:.0f} pixels)" if job.auto else "")
        first = notes["first_slice_s"] - notes["first_slice_model_s"] - start
        beyond = notes["done_s"] - notes["model_s"] - start
        yield (
            f"| {job.labels} | `{job.suffix}` | {further} | {notes['read_s'] - start:.1f} | "
            f"{first:.1f} | {notes['model_s']:.1f} | {beyond:.1f} | {peak:.0f} | "
            f"{peak / scan:.2f} |"
        )


def evaluate_rows(found: Iterable[tuple[Job, dict[str, float]]], scan: float) -> Iterator[str]:
    """Yield the rows of the table of ``voxtrail evaluate``."""
    yield "| structures | s | peak MiB | times the scan |"
    yield "|---" * 4 + "|"
    for job, notes in found:
        peak = notes["done"] - notes["before"]
        yield (
            f"| {job.labels} | {notes['done_s'] - notes['before_s']:.1f} | {peak:.0f} | "
            f"{peak / scan:.2f} |"
        )


def read_rows(found: Iterable[tuple[Job, dict[str, float]]], scan: float) -> Iterator[str]:
    """Yield the rows of the table of reading alone."""
    yield "| structures | scan | s, all of it | s, its crops | MiB, all of it | MiB, its crops |"
    yield "|---" * 6 + "|"
    for job, notes in found:
        yield (
            f"| {job.labels} | `{job.suffix}` | {notes['all_s'] - notes['before_s']:.1f} | "
            f"{notes['crops_s'] - notes['all_s']:.1f} | {scan:.0f} | {notes['crops_mib']:.0f} |"
        )


def page(folder: Path, shape: Shape, span: int, how: str) -> Iterator[str]:
    """Measure everything; yield the lines of the page."""
    from voxtrail.study.machine import machine

    scan = mib(shape)
    segment = [(job, segmented(folder, job, shape, span)) for job in SEGMENTED]
    evaluate = [(job, done_apart("evaluate", folder, job)) for job in EVALUATED]
    read = [(job, done_apart("read", folder, job)) for job in SEGMENTED if job in READ]
    yield "# Large scans"
    yield ""
    yield (
        f"Written by `{how}`: a synthetic CT of {' x '.join(map(str, shape))} voxels, 16 bits each "
        f"({scan:.0f} MiB), structures of {span} slices outlined on three, in a label map "
        "(`.nii.gz`) on its grid; segmented with default options by the bundled checkpoint (micro, "
        f"not SAM 2). {machine()['processor']}, one thread, shared with other work, "
        f"{time.strftime('%Y-%m-%d')}. Seconds are the processor's, beyond the start of Python and "
        "PyTorch; memory is the greatest resident memory beyond theirs and the model's "
        f"({segment[0][1]['before']:.0f} MiB). Research use only. Not a medical device."
    )
    yield ""
    yield "## `voxtrail segment`"
    yield ""
    yield (
        "The scan, the outlines and a checksum of both files are read; labels and the record "
        "are written. The outlines' label map and the labels take half of the scan's size each, "
        "one after the other. A run also holds encoded slices, up to 1 GiB of them "
        "(`docs/memory.md`): about half of what more pixels take is theirs."
    )
    yield ""
    yield from segment_rows(segment, scan)
    yield ""
    yield "## `voxtrail evaluate`"
    yield ""
    yield (
        "What was found against the whole bars, with `--prompts`: three label maps of the scan's "
        "shape are read, 8 bits a voxel each."
    )
    yield ""
    yield from evaluate_rows(evaluate, scan)
    yield ""
    yield "## To read only what crops need"
    yield ""
    yield (
        "is not done. Read by itself, in seconds of the processor; the crops of a `.nii` through a "
        "memory map, of a `.nii.gz` by unpacking all and keeping nothing:"
    )
    yield ""
    yield from read_rows(read, scan)
    yield ""
    yield REASONS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE)
    parser.add_argument("--span", type=int, default=SPAN, help="slices of each structure")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(one(*options.one)))
        return
    shape = tuple(options.shape)
    how = "python benchmarks/large_scan.py"
    if shape != SHAPE or options.span != SPAN:
        how += f" --shape {' '.join(map(str, shape))} --span {options.span}"
    if options.write:
        how += f" --write {options.write}"
    with tempfile.TemporaryDirectory() as folder:
        text = "\n".join(page(Path(folder), shape, options.span, how)) + "\n"
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
