"""The whole files that are damaged, and the commands that are then given them."""

from __future__ import annotations

import csv
import io
import os
import shutil
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from unittest.mock import patch

import nibabel as nib
import numpy as np

import voxtrail as vt
from tests.cli.files import outlined, save, stored, stored_labels
from tests.datasets.conftest import add_subject
from tests.fuzz import shapes
from tests.fuzz.shapes import Form
from tests.io import series
from tests.nano import build
from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
from voxtrail.core.volume import LabelMap, Volume

#: What asks for the rival that needs 1.5 GB.
_ITK = "voxtrail.baselines.morphological.import_module"
#: What a real scan is cut to: small, with the bones that are labelled in it.
_PART = np.s_[40:72, 30:56, 20:34]


@dataclass(frozen=True)
class Seed:
    """One kind of input.

    Parameters
    ----------
    name
        What it is called in reports.
    files
        Those that are damaged, one at a time; the first is what the command is given unless
        ``place`` says otherwise.
    command
        Arguments, of which ``{input}`` is the input, ``{out}`` a folder for outputs and ``{base}``
        the folder of whole files.
    place
        Whether the command is given the files' ``folder`` instead of the file.
    root
        The folder whose layout the copies keep; the first file's own by default.
    form
        Draws the first file's content anew, instead of harm done to the bytes of one.
    may_fail
        Whether the command may have been begun and go wrong in part: exit 1, with outputs.
    """

    name: str
    files: tuple[Path, ...]
    command: tuple[str, ...]
    place: Literal["file", "folder"] = "file"
    root: Path | None = None
    form: Form | None = None
    may_fail: bool = False

    def copy(self, folder: Path) -> list[Path]:
        """Copy the files to a folder, in their layout; return the copies."""
        root = self.root or self.files[0].parent
        copies = [folder / path.relative_to(root) for path in self.files]
        for path, copy in zip(self.files, copies, strict=True):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        return copies


def make(base: Path) -> list[Seed]:
    """Write whole files to a folder; return what is to be damaged."""
    build(base / "nano")
    save(base / "ct.nii.gz", stored()[0])
    save(base / "truth.nii.gz", stored_labels())
    save(base / "prompts.nii.gz", outlined())
    scan = vt.read(base / "ct.nii.gz")
    drawn = vt.read_prompts(base / "prompts.nii.gz", like=scan)
    labels = LabelMap(drawn_labels(drawn, scan), scan.stored, {1: "hip_left", 2: "rib", 3: "x"})
    seeds = [*_scans(base, scan), *_prompts(base, labels, drawn, scan), *_tables(base)]
    seeds += [*_dicom(base), *_checkpoints(base), *_study(base), *_forms(base)]
    seeds += _as_in_the_field(base, scan)
    if real := os.environ.get("VOXTRAIL_CT"):
        seeds += _real(base, Path(real))
    return seeds


def drawn_labels(drawn: Prompts, scan: Volume) -> np.ndarray:
    voxels = np.zeros(scan.voxels.shape, np.uint8)
    for prompt in drawn.prompts:
        assert isinstance(prompt, MaskPrompt)
        prompt.axis.to_stack(voxels)[prompt.slice_index][prompt.mask] = prompt.label
    return voxels


_MODEL = ("--model", "{base}/nano", "--device", "cpu", "--crop", "none", "--quiet")


def _segment(image: str, prompts: str) -> tuple[str, ...]:
    return ("segment", image, prompts, "-o", "{out}/seg.nii.gz", *_MODEL)


def _scans(base: Path, scan: Volume) -> list[Seed]:
    command = _segment("{input}", "{base}/prompts.nii.gz")
    seeds = []
    for name in ("ct.nii", "ct.nrrd", "ct.mha"):
        vt.write(scan, base / name)
    nib.Nifti2Image(scan.to_stored(), scan.stored.affine).to_filename(base / "ct2.nii")
    for name in ("ct.nii.gz", "ct.nii", "ct2.nii", "ct.nrrd", "ct.mha"):
        seeds.append(Seed(f"scan {name}", (base / name,), command))
    for suffix, detached in ((".nrrd", ".nhdr"), (".mha", ".mhd")):
        folder = base / detached[1:]
        folder.mkdir()
        import SimpleITK

        SimpleITK.WriteImage(SimpleITK.ReadImage(base / f"ct{suffix}"), folder / f"ct{detached}")
        files = tuple(sorted(folder.iterdir(), key=lambda path: path.suffix != detached))
        seeds.append(Seed(f"scan {detached}", files, command))
    return seeds


def _prompts(base: Path, labels: LabelMap, drawn: Prompts, scan: Volume) -> list[Seed]:
    vt.write(labels, base / "drawn.seg.nrrd")
    vt.write(labels, base / "drawn.nii")
    axial = drawn.prompts[0].axis
    more = (
        *drawn.prompts[:2],
        BoxPrompt(2, axial, 3, (1.0, 2.0, 6.0, 7.0)),
        PointPrompt(3, axial, 5, ((3.0, 4.0), (1.0, 1.0)), (True, False)),
    )
    vt.write_prompts(Prompts(more, scan.stored, labels.names), base / "drawn.json")
    seeds = [
        Seed(f"prompts {name}", (base / name,), _segment("{base}/ct.nii.gz", "{input}"))
        for name in ("drawn.json", "drawn.seg.nrrd", "drawn.nii", "prompts.nii.gz")
    ]
    score = ("evaluate", "{input}", "{base}/truth.nii.gz", "--json")
    simulate = ("simulate", "{input}", "-o", "{out}/p.json")
    seeds.append(Seed("labels evaluated", (base / "truth.nii.gz",), score))
    seeds.append(Seed("labels simulated", (base / "drawn.seg.nrrd",), simulate))
    return seeds


#: A table of names as it stands in the header of a NIfTI label map.
_NAMES = (
    b"<CaretExtension><VolumeInformation><LabelTable><Label Key='1'>hip_left</Label>"
    b"<Label Key='2'>rib</Label></LabelTable></VolumeInformation></CaretExtension>"
)


def _as_in_the_field(base: Path, scan: Volume) -> list[Seed]:
    """Files with properties that programs give them: two places, units, names, layers, lists."""
    import SimpleITK

    folder = base / "field"
    folder.mkdir()
    stored_voxels, affine = stored()
    image = nib.Nifti1Image(outlined(), None, dtype=np.uint8)
    image.set_sform(affine, 2)
    image.set_qform(affine + np.diag([0, 0, 0, 1e-9]), 1, update_affine=False)
    image.header["qoffset_x"] += 20
    image.header.set_xyzt_units("micron")
    image.to_filename(folder / "places.nii")
    named = nib.Nifti1Image(outlined(), affine, dtype=np.uint8)
    named.header.extensions.append(nib.nifti1.Nifti1Extension(0, _NAMES))
    named.to_filename(folder / "named.nii")
    axis = scan.stored.orientation().axes[0]
    sagittal = np.zeros_like(stored_labels())
    filled = np.flatnonzero(np.moveaxis(stored_labels(), axis, 0).any(axis=(1, 2)))[1:-1:4]
    moved, whole = (np.moveaxis(one, axis, 0) for one in (sagittal, stored_labels()))
    moved[filled] = whole[filled]
    save(folder / "sagittal.nii", sagittal)
    whole_scan = SimpleITK.ReadImage(base / "ct.nrrd")
    pair = SimpleITK.Compose(
        [SimpleITK.Cast(whole_scan > n, SimpleITK.sitkUInt8) for n in (0, 200)]
    )
    for number in range(2):
        pair.SetMetaData(f"Segment{number}_Name", f"part {number}")
        pair.SetMetaData(f"Segment{number}_LabelValue", "1")
        pair.SetMetaData(f"Segment{number}_Layer", str(number))
    SimpleITK.WriteImage(pair, folder / "layers.seg.nrrd")
    (base / "list").mkdir()
    SimpleITK.WriteImage(whole_scan, base / "list" / "ct.mhd")
    header, raw = base / "list" / "ct.mhd", base / "list" / "ct.raw"
    slices = [header.with_name(f"s{n}.raw") for n in range(stored_voxels.shape[2])]
    size = len(raw.read_bytes()) // len(slices)
    for number, path in enumerate(slices):
        path.write_bytes(raw.read_bytes()[number * size :][:size])
    names = "\n".join(path.name for path in slices)
    header.write_text(header.read_text().replace("ct.raw", f"LIST\n{names}"))
    raw.unlink()
    segment = _segment("{base}/ct.nii.gz", "{input}")
    score = ("evaluate", "{input}", "{base}/truth.nii.gz", "--json")
    return [
        Seed("labels in two places", (folder / "places.nii",), ("evaluate", "{input}", "{input}")),
        Seed("prompts with names", (folder / "named.nii",), segment),
        Seed("sagittal prompts", (folder / "sagittal.nii",), segment),
        Seed("labels in layers", (folder / "layers.seg.nrrd",), score),
        Seed("scan in a list", (header, *slices), _segment("{input}", "{base}/prompts.nii.gz")),
    ]


def _tables(base: Path) -> list[Seed]:
    with (base / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("image", "prompts", "output", "memory", "margin", "overlay"))
        image = base / "ct.nii.gz"
        lines.writerow((image, base / "prompts.nii.gz", "a", "recent:k=2", "12", ""))
        lines.writerow((image, base / "drawn.json", "b.seg.nrrd", "", "", "b.png"))
    command = ("segment", "--cases", "{input}", "-o", "{out}/batch", *_MODEL)
    return [Seed("table of cases", (base / "cases.csv",), command, may_fail=True)]


def _dicom(base: Path) -> list[Seed]:
    from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

    images = series.classic()
    plain = series.save(images, base / "classic")
    many = series.save([series.enhanced()], base / "enhanced")
    scan = vt.read(plain)
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[3:8, 2:7, [1, 4]] = 1
    prompts = LabelMap.from_stored(voxels, scan.stored.affine)
    vt.write(prompts, base / "on-dicom.nii.gz")
    command = _segment("{input}", "{base}/on-dicom.nii.gz")
    for one in images:
        one.compress(RLELossless, generate_instance_uid=False)
    packed = series.save(images, base / "rle")
    deflated = series.classic()
    for one in deflated:
        one.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    series.save(deflated, base / "deflated")
    archive = series.zipped(plain)
    refers = list(command)
    refers[refers.index("{out}/seg.nii.gz")] = "{out}/seg.dcm"
    found = [
        Seed(f"DICOM {folder.name}", tuple(sorted(folder.iterdir())), command, "folder")
        for folder in (plain, many, packed, base / "deflated")
    ]
    found.append(Seed("DICOM to SEG", found[0].files, tuple(refers), "folder"))
    found.append(Seed("DICOM zip", (archive,), command))
    labels = LabelMap(prompts.voxels, scan.stored, {1: "hip_left"}, scan.provenance)
    for name in ("labels.dcm", "labels.rtstruct.dcm"):
        vt.write(labels, base / name)
        drawn = _segment("{base}/classic", "{input}")
        score = ("evaluate", "{base}/on-dicom.nii.gz", "{input}", "--json")
        alone = ("simulate", "{input}", "-o", "{out}/p.json", "--like", "{base}/classic")
        kind = name.partition(".")[2]
        found.append(Seed(f"prompts {kind}", (base / name,), drawn))
        found.append(Seed(f"truth {kind}", (base / name,), score))
        found.append(Seed(f"simulated {kind}", (base / name,), alone))
    return found


def _checkpoints(base: Path) -> list[Seed]:
    command = [*_segment("{base}/ct.nii.gz", "{base}/prompts.nii.gz")]
    command[command.index("{base}/nano")] = "{input}"
    files = (base / "nano/config.json", base / "nano/model.safetensors")
    return [Seed("checkpoint", files, tuple(command), "folder")]


def _study(base: Path) -> list[Seed]:
    """A dataset, a manifest of it and a finished study: each damaged, with what reads it."""
    from voxtrail.cli import main

    data, manifest, study = base / "data", base / "manifest.csv", base / "study"
    add_subject(data, "s0000")
    drawn = ("--per-type", "1", "--allow-short", "--quiet")
    options = ("--model", "{base}/nano", "--device", "cpu", "--margin", "1", "--quiet")

    def run(root: str, listed: str, out: str, *more: str) -> tuple[str, ...]:
        where = ("--manifest", listed, "--root", root, "-o", out)
        return ("study", "run", "final", *where, *options, *more)

    places = {"base": base}
    for command in (
        ("dataset", "sample", str(data), "-o", str(manifest), *drawn),
        run(str(data), str(manifest), str(study)),
    ):
        # Installed or not: its rows are not run.
        with redirect_stdout(io.StringIO()), patch(_ITK, side_effect=ImportError):
            assert main._run([part.format(**places) for part in command]) == 0
    held = tuple(sorted(path for path in data.rglob("*") if path.is_file()))
    records = tuple(sorted(path for path in study.rglob("*") if path.is_file()))
    sample = ("dataset", "sample", "{input}", "-o", "{out}/m.csv", *drawn)
    report = ("study", "report", "{input}", "-o", "{out}/report")
    there, listed = "{base}/data", "{base}/manifest.csv"
    planned = run(there, "{input}", "{out}/study", "--dry-run")
    resumed = run(there, listed, "{input}", "--dry-run")
    damaged = run("{input}", listed, "{out}/study")
    return [
        Seed("manifest", (manifest,), planned),
        Seed("manifest drawn", (manifest,), planned, form=shapes.manifest_csv),
        Seed("dataset scanned", held, ("dataset", "scan", "{input}", "--quiet"), "folder", data),
        Seed("dataset sampled", held, sample, "folder", data),
        Seed("dataset studied", held, damaged, "folder", data, may_fail=True),
        Seed("records reported", records, report, "folder", study),
        Seed("records resumed", records, resumed, "folder", study),
        Seed("study drawn", (study / "study.json", *records), resumed, "folder", study,
             shapes.study_json),
    ]  # fmt: skip


def _forms(base: Path) -> list[Seed]:
    """Files of the right form, drawn anew."""
    on_scan = _segment("{base}/ct.nii.gz", "{input}")
    scan = _segment("{input}", "{base}/prompts.nii.gz")
    cases = ("segment", "--cases", "{input}", "-o", "{out}/batch", *_MODEL)
    return [
        Seed("prompts drawn", (base / "drawn.json",), on_scan, form=shapes.prompts_json),
        Seed("NIfTI drawn", (base / "ct.nii.gz",), scan, form=shapes.nifti),
        Seed("NRRD drawn", (base / "ct.nrrd",), scan, form=shapes.nrrd),
        Seed("cases drawn", (base / "cases.csv",), cases, form=shapes.cases_csv, may_fail=True),
    ]


def _real(base: Path, data: Path) -> list[Seed]:
    """Parts of a real scan, and real slices of a scanner."""
    source = data / "totalseg_mini/s0000"
    folder = base / "real"
    folder.mkdir()
    for path in (source / "ct.nii.gz", source / "segmentations/hip_left.nii.gz"):
        image = nib.load(path)
        part = image.slicer[_PART]
        part.to_filename(folder / path.name)
    whole = vt.read_labels(folder / "hip_left.nii.gz")
    voxels = whole.voxels.copy()
    present = np.flatnonzero(voxels.any(axis=(0, 1)))
    voxels[..., [n for n in range(voxels.shape[2]) if n not in (present[0], present[-1])]] = 0
    vt.write(LabelMap(voxels, whole.stored), folder / "drawn.nii.gz")
    vt.write(vt.read(folder / "ct.nii.gz"), folder / "ct.nrrd")
    seeds = [
        Seed(f"real {name}", (folder / name,), _segment("{input}", "{base}/real/drawn.nii.gz"))
        for name in ("ct.nii.gz", "ct.nrrd")
    ]
    slices = base / "scanner"
    slices.mkdir()
    for path in sorted((data / "dicom_ct/example_ct_dicom").iterdir())[:3]:
        shutil.copyfile(path, slices / path.name)
    scan = vt.read(slices)
    drawn = np.zeros(scan.stored.shape, np.uint8)
    drawn[200:260, 200:240, :1] = 1
    vt.write(LabelMap.from_stored(drawn, scan.stored.affine), base / "on-scanner.nii.gz")
    command = _segment("{input}", "{base}/on-scanner.nii.gz")
    return [*seeds, Seed("real DICOM", tuple(sorted(slices.iterdir())), command, "folder")]
