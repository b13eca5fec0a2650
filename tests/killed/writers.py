"""Everything that voxtrail writes, as functions that write it again and again.

Each writer is the code that a command writes with, given results that were made before: what is
left of its time is writing. Generation 0 is an old file, generation 1 a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import numpy as np

import voxtrail.io as vio
from tests.io import series
from voxtrail.bench import write_table
from voxtrail.cli import batch, demo
from voxtrail.cli.case import Engine
from voxtrail.cli.cases import Row
from voxtrail.core.axis import Axis
from voxtrail.core.box import Box
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.datasets.manifest import Manifest, write_manifest
from voxtrail.datasets.phantom import dataset, subject
from voxtrail.datasets.totalsegmentator import Structure
from voxtrail.executors.serial import Serial
from voxtrail.export import write as export_write
from voxtrail.io.registry import formats
from voxtrail.model.base import LoadedModel
from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.session import Config, Segmentation, segment
from voxtrail.session.crop_memory import CropMemory
from voxtrail.session.crops import bounds_of, plan
from voxtrail.session.outputs import Outputs
from voxtrail.session.saved import SessionFile
from voxtrail.session.state import History
from voxtrail.study import study_file
from voxtrail.study.pictures import Pictures
from voxtrail.study.record import Identity, Records, row_of
from voxtrail.study.report import build
from voxtrail.study.tasks.base import Measurements, Picture

SHAPE = (40, 36, 20)
AFFINE = np.diag([-1.0, 2.0, 3.0, 1.0])


@dataclass(frozen=True)
class Writer:
    """A name, and what writes one generation of some files into a folder."""

    name: str
    write: Callable[[Path, int], None]


def make(base: Path, loaded: LoadedModel) -> list[Writer]:
    """Make results with a small model; return what writes them."""
    return [
        *_formats(base),
        *_segmentations(base, loaded),
        *_studies(),
        Writer("the bench's page", _bench),
        Writer("phantom", _phantom),
        Writer("export", lambda folder, number: _export(loaded, folder, number)),
        Writer("cache", _cache),
    ]


def _noise(number: int, high: int, kind: type) -> np.ndarray:
    """Return voxels that gzip cannot shrink to nothing."""
    return np.random.default_rng(number).integers(0, high, SHAPE).astype(kind)


def _formats(base: Path) -> Iterator[Writer]:
    scans = [Volume.from_stored(_noise(number, 2000, np.int16), AFFINE) for number in (0, 1)]
    drawn = [LabelMap.from_stored(_noise(number, 200, np.uint8), AFFINE) for number in (0, 1)]
    source = vio.read(series.save(series.classic(), base / "series"))
    solid = []
    for number in (0, 1):
        voxels = np.zeros(source.stored.shape, np.uint8)
        voxels[2:6, 2:8, 1:5] = 1
        voxels[7:10, 2:7, number : 4 + number] = 2
        names = {1: "hip_left", 2: "sacrum"}
        solid.append(LabelMap.from_stored(voxels, source.stored.affine, names, source.provenance))
    for known in formats():
        for suffix in known.written if known.write_scan else ():
            yield Writer(f"scan{suffix}", _written(scans, f"ct{suffix}"))
            yield Writer(f"labels{suffix}", _written(drawn, f"labels{suffix}"))
    for known in formats():
        for suffix in () if known.write_scan else known.written:
            yield Writer(f"labels{suffix}", _written(solid, f"labels{suffix}"))


def _written(things: list, name: str) -> Callable[[Path, int], None]:
    return lambda folder, number: vio.write(things[number], folder / name, force=True)


def _segmentations(base: Path, loaded: LoadedModel) -> Iterator[Writer]:
    scan = Volume.from_stored(_noise(3, 2000, np.int16), AFFINE)
    mask = np.zeros(Axis.AXIAL.to_stack(scan.voxels).shape[1:], np.bool_)
    mask[8:20, 10:24] = True
    prompts = tuple(MaskPrompt(1, Axis.AXIAL, index, mask) for index in (4, 6, 8))
    drawn = Prompts(prompts, scan.stored, {1: "hip_left"})
    results = [
        segment(scan, drawn, Config(model=loaded.name, crop="none", window=window), model=loaded)
        for window in ("bone", "soft")
    ]
    pictures = [(base / f"{n}.png", base / f"{n}.gif") for n in (0, 1)]
    for result, places in zip(results, pictures, strict=True):
        for place in places:  # drawn before anything is written, and here before anyone waits
            outputs = Outputs(place.with_suffix(".nii"), overlay=place, force=True)
            outputs.write(scan, drawn, result)

    def one(folder: Path, number: int, suffix: str) -> None:
        drawing = pictures[number][suffix == ".gif"].read_bytes()
        name = "contact_sheet" if suffix == ".png" else "scroll"
        outputs = Outputs(
            folder / "seg.nii.gz",
            probabilities=folder / "p.nii.gz",
            uncertainty=folder / "u.nii.gz",
            overlay=folder / f"o{suffix}",
            force=True,
        )
        with patch(f"voxtrail.picture.{name}", lambda *_: drawing):
            outputs.write(scan, drawn, results[number])

    def many(folder: Path, number: int) -> None:
        rows = [Row(base / "ct.nii.gz", base / "p.json", f"{name}.nii.gz") for name in "ab"]
        job = batch.Batch(rows, folder, Config(), force=True)
        with patch.object(batch, "carry_out", lambda *_, **__: results[number]):
            outcomes = job.run(Serial(), Engine.of(loaded, None), None, quiet=True)
        assert [outcome.result for outcome in outcomes] == ["done", "done"], outcomes

    vio.write(scan, base / "ct.nii.gz")
    vio.write_prompts(drawn, base / "p.json")
    yield Writer("segment with a sheet", lambda folder, number: one(folder, number, ".png"))
    yield Writer("segment with a scroll", lambda folder, number: one(folder, number, ".gif"))
    yield Writer("segment, many scans", many)
    yield Writer("demo", lambda folder, number: _demo(folder, results[number]))
    for name in ("prompts.json", "prompts.nii.gz"):
        yield Writer(name, _prompts(drawn, name))
    yield Writer("session", lambda folder, number: _session(scan, drawn, folder, number))
    yield Writer("crops", lambda folder, number: _crops(scan, drawn, folder, number))


def _session(scan: Volume, drawn: Prompts, folder: Path, number: int) -> None:
    """Save a session in which two outlines were drawn, or one more."""
    history = History()
    for prompt in drawn.prompts[: 2 + number]:
        history = history.then(history.now.with_prompt(prompt))
    SessionFile(folder / "case.session.json", scan).write(Config(), history, [], {})


def _crops(scan: Volume, drawn: Prompts, folder: Path, number: int) -> None:
    config = Config(margin_mm=5.0 + number)
    crops = plan(scan, drawn, config, bounds_of(scan, config))
    # One file whatever the margin, so that the later generation replaces the earlier one.
    CropMemory(folder).note(scan, drawn, Config(), crops)


def _prompts(drawn: Prompts, name: str) -> Callable[[Path, int], None]:
    """Return what `simulate` writes with: all outlined slices, or all but the last."""
    return lambda folder, number: vio.write_prompts(
        replace(drawn, prompts=drawn.prompts[: 3 - number]), folder / name, force=True
    )


def _demo(folder: Path, result: Segmentation) -> None:
    hu = _noise(3, 2000, np.int16)
    mask = np.zeros(SHAPE, np.bool_)
    mask[8:20, 10:24, 4:12] = True
    small = subject.PhantomSubject(hu, AFFINE, {"hip_left": mask}, "demo")
    with (
        patch("voxtrail.datasets.phantom.demo_subject", lambda: small),
        patch("voxtrail.session.segment", lambda *_, **__: result),
        redirect_stdout(StringIO()),
    ):
        demo.run(folder, force=True, quiet=True)


def _studies() -> Iterator[Writer]:
    def structure(number: int) -> Structure:
        box = Box((1, 1, 1), (9, 9, 9 + number))
        return Structure("s0", "sacrum", "sacrum", 8 + number, box, SHAPE, (1.0, 2.0, 3.0), 9, 9)

    def manifest(folder: Path, number: int) -> None:
        write_manifest(Manifest((structure(number),)), folder / "manifest.csv", force=True)

    def records(folder: Path, number: int) -> None:
        shape = (3, 40, 40)
        grey = np.random.default_rng(number).integers(0, 255, shape).astype(np.uint8)
        flags = np.ones(3, np.bool_)
        picture = Picture(grey, grey > 99, grey > 120, np.arange(3, dtype=np.int64), flags)
        run = {"started": "now", "device": "cpu", "machine": {"cores": number}, "versions": {}}
        study_file.write_study(folder, {"manifest": "0" * 16}, [run])
        Pictures(folder).add("s0", "sacrum", "IS + SPS", picture)
        rows = [
            row_of(
                Identity("final", variant, "s0", "sacrum", "sacrum", "done", None, "{}", "now"),
                Measurements(total_s=float(number)),
            )
            for variant in "abc"
        ]
        Records(folder).add("s0", "sacrum", rows)

    def report(folder: Path, number: int) -> None:
        page = f"<p>{number}</p>" * 30_000
        build._write({"tables/a.csv": f"{number}\n" * 20_000, "figures/a.png": page.encode(),
                      build.HTML: page}, folder)  # fmt: skip

    yield Writer("dataset sample", manifest)
    yield Writer("study run", records)
    yield Writer("study report", report)


def _bench(folder: Path, number: int) -> None:
    machine = {"weights": "w", "processor": "p", "cores": 2, "device": "cpu", "date": "d",
               "packages": {}, "slices": 5, "repeats": number, "gigaflops": {}}  # fmt: skip
    run = {
        "key": "is+sps",
        "who": "voxtrail",
        "preset": "is+sps",
        "resolution": 1024,
        "runtime": "torch",
        "labels": 1,
        "encoded": 5,
        "tracked": 5,
        "seconds_per_slice": 1.0,
        "ceiling_seconds_per_slice": None,
        "peak_mib": None,
        "components_s": {"image encoder": 1.0},
    }
    result = {"machine": machine, "runs": [run], "ratios": {}, "agreement_dice": {},
              "failed": {}, "missing": [],
              "memory_size_s": {f"recent:k={n}": float(number) for n in range(3000)}}  # fmt: skip
    write_table(result, "voxtrail bench", folder / "benchmarks.md")


def _phantom(folder: Path, number: int) -> None:
    hu = _noise(number, 2000, np.int16)
    masks = {"sacrum": hu > 900, "hip_left": hu > 1500}
    made = subject.PhantomSubject(hu, AFFINE, masks, "pelvis")
    with patch.object(dataset, "make_subject", lambda *_: made):
        dataset.write_dataset(folder, 1, 0, force=True)


def _export(loaded: LoadedModel, folder: Path, number: int) -> None:
    """Export but for the graphs' making: a folder that is there is refused, so each has its own."""

    def write_graph(module, inputs, dimensions, outputs, path: Path) -> None:
        path.write_bytes(_noise(number, 255, np.uint8).tobytes())

    with patch.object(export_write, "_write_graph", write_graph):
        export_write.export(loaded, folder / f"exported-{number}")


def _cache(folder: Path, number: int) -> None:
    class Model:
        def encode(self, slices):
            return list(slices)

        def pack(self, one):
            return {"features": one}

    slices = np.random.default_rng(5).random((6, 64, 64)).astype(np.float32)
    keys = [f"{number}{index}" for index in range(6)]
    FeatureCache(folder=folder).encode(Model(), list(slices), keys)
