"""Peak memory of a large CT that is opened and segmented in a session, in multiples of the scan.

    python benchmarks/large_scan.py [--shape 512 512 1000] [--span 60]

A synthetic CT, 16 bits a voxel, of which one label is outlined on three of `span` slices and
segmented by the bundled checkpoint with default options. It takes minutes, and disk and memory
for several times the scan. `benchmarks/memory.py` writes what this finds into docs/memory.md.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SHAPE, SPAN = (512, 512, 1000), 60
SPACING_MM = (0.8, 0.8, 1.0)
#: Radius of the bar that is outlined, in voxels.
RADIUS = 30


def write_scan(shape: tuple[int, int, int], place: Path) -> None:
    """Write noise around a bright bar along the last axis."""
    import nibabel as nib
    import numpy as np

    rng = np.random.default_rng(0)
    hu = np.empty(shape, np.int16)
    bar = bar_section(shape)
    for index in range(shape[2]):
        hu[..., index] = rng.integers(-100, 100, shape[:2], dtype=np.int16)
        hu[bar, index] += 800
    image = nib.Nifti1Image(hu, np.diag([*SPACING_MM, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, place)


def bar_section(shape: tuple[int, int, int]):
    import numpy as np

    i, j = np.ogrid[: shape[0], : shape[1]]
    return np.hypot(i - (shape[0] - 1) / 2, j - (shape[1] - 1) / 2) < RADIUS


def peak_mib() -> float:
    """Return the greatest resident memory of this process up to now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def segment_scan(place: Path, span: int) -> dict[str, float]:
    """Open the scan and segment one label; return the peaks, in MiB, one after another."""
    import numpy as np

    import voxtrail
    from voxtrail.core.axis import Axis
    from voxtrail.core.prompts import MaskPrompt
    from voxtrail.model.weights import load_model
    from voxtrail.session import Config, Session

    model = load_model("micro", device="cpu")
    side = model.model.input_size
    model.model.encode(np.zeros((1, side, side), np.float32))
    peaks = {"model": peak_mib()}
    volume = voxtrail.read(place)
    peaks["opened"] = peak_mib()
    session = Session(volume, Config(model="micro"), model=model)
    # The section is the same whichever way rows and columns run.
    mask = np.ascontiguousarray(bar_section(volume.grid.shape).T)
    first = (volume.grid.shape[2] - span) // 2
    for index in (first, first + span // 2, first + span - 1):
        session.add(MaskPrompt(1, Axis.AXIAL, index, mask))
    result = session.run()
    peaks["segmented"] = peak_mib()
    peaks["scan"] = volume.voxels.size * 2 / 2**20
    peaks["voxels"] = int((result.labels.voxels == 1).sum())
    return peaks


def measured(shape: tuple[int, int, int] = SHAPE, span: int = SPAN) -> dict[str, float]:
    """Return what `segment_scan` finds in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "ct.nii"
        write_scan(shape, place)
        command = [sys.executable, __file__, "--span", str(span), "--one", str(place)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def sentence(peaks: dict[str, float], shape: tuple[int, int, int] = SHAPE, span: int = SPAN) -> str:
    """Return in a sentence what was measured."""
    scan = peaks["scan"]
    opened, segmented = (peaks[name] - peaks["model"] for name in ("opened", "segmented"))
    return (
        f"A CT of {' x '.join(map(str, shape))} voxels, 16 bits each, takes {scan:.0f} MiB. To "
        f"open it takes {opened / scan:.1f} times that at the most, and to open it and segment one "
        f"label over {span} slices of it in a session {segmented / scan:.1f} times "
        f"({segmented:.0f} MiB, besides {peaks['model']:.0f} MiB of Python, PyTorch and the "
        "bundled checkpoint): grey levels are made slice by slice, of the crop alone."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", type=int, nargs=3, default=SHAPE)
    parser.add_argument("--span", type=int, default=SPAN, help="slices of the label")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        sys.stdout.write(json.dumps(segment_scan(options.one, options.span)))
        return
    shape = tuple(options.shape)
    peaks = measured(shape, options.span)
    sys.stdout.write(json.dumps(peaks) + "\n" + sentence(peaks, shape, options.span) + "\n")


if __name__ == "__main__":
    main()
