"""What reads a file of the right form returns what is right or refuses it in one line.

The quick part, with Hypothesis, which reduces what it finds to the least that is wrong; the same
files go through whole commands in `make fuzz`.
"""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import voxtrail as vt
from tests.datasets.conftest import add_subject
from tests.fuzz import shapes
from voxtrail.cli.cases import read_table
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.volume import Volume
from voxtrail.datasets.manifest import read_manifest, write_manifest
from voxtrail.datasets.sample import sample
from voxtrail.errors import VoxtrailError
from voxtrail.study.study_file import read_study, write_study

SHAPE = (9, 12, 14)
few = settings(max_examples=40)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return a folder with one whole file of each form."""
    base = tmp_path_factory.mktemp("forms")
    rng = np.random.default_rng(0)
    scan = Volume.from_stored(rng.integers(-900, 900, SHAPE).astype(np.int16), np.eye(4))
    for name in ("ct.nii.gz", "ct.nrrd"):
        vt.write(scan, base / name)
    mask = np.zeros(Axis.AXIAL.to_stack(scan.voxels).shape[1:], np.bool_)
    mask[2:5, 3:6] = True
    prompts = tuple(MaskPrompt(1, Axis.AXIAL, index, mask) for index in (2, 5))
    vt.write_prompts(Prompts(prompts, scan.stored, {1: "hip_left"}), base / "prompts.json")
    add_subject(base / "data", "s0000")
    write_manifest(sample(base / "data", 1, 0, allow_short=True), base / "manifest.csv")
    (base / "cases.csv").write_text("image,prompts,output\nct.nii.gz,prompts.json,a\n")
    what = {"manifest": "0" * 16, "structures": 2, "model": "nano", "weights_sha256": "0" * 64,
            "input_size": 64, "margin_mm": 20}  # fmt: skip
    run = {"started": "now", "device": "cpu", "machine": {"cores": 2}, "versions": {}}
    write_study(base, what, [run])
    return base


def read_or_refuse(read, place, content: bytes):
    """Read a file; None where it was refused, which takes one line."""
    place.write_bytes(content)
    try:
        return read(place)
    except VoxtrailError as error:
        said = str(error)
    assert said.count("\n") == 0
    return None


@few
@given(data=st.data())
def test_prompts(files, data):
    scan = vt.read(files / "ct.nii.gz")
    content = data.draw(shapes.prompts_json((files / "prompts.json").read_bytes()))
    found = read_or_refuse(
        lambda place: vt.read_prompts(place, like=scan), files / "drawn.json", content
    )
    if found is not None:
        assert 1 <= len(found.prompts) <= 100_000
        for prompt in found.prompts:
            stack = Axis.to_stack(prompt.axis, scan.voxels)
            assert 1 <= prompt.label <= 65535
            assert 0 <= prompt.slice_index < len(stack)


@few
@given(data=st.data())
def test_nifti_headers(files, data):
    content = data.draw(shapes.nifti((files / "ct.nii.gz").read_bytes()))
    found = read_or_refuse(vt.read, files / "drawn.nii.gz", content)
    if found is not None:
        assert np.isfinite(found.voxels).all()
        assert np.isfinite(found.stored.affine).all()
        assert abs(np.linalg.det(found.stored.affine[:3, :3])) > 0


@few
@given(data=st.data())
def test_nrrd_headers(files, data):
    content = data.draw(shapes.nrrd((files / "ct.nrrd").read_bytes()))
    found = read_or_refuse(vt.read, files / "drawn.nrrd", content)
    if found is not None:
        assert found.voxels.size <= np.prod(SHAPE)
        assert np.isfinite(found.stored.affine).all()


@few
@given(data=st.data())
def test_manifests(files, data):
    content = data.draw(shapes.manifest_csv((files / "manifest.csv").read_bytes()))
    found = read_or_refuse(read_manifest, files / "drawn.csv", content)
    if found is not None:
        assert all(item.case == "s0000" or "/" not in item.case for item in found.structures)
        assert found.checksum == content.decode().strip().rpartition(",")[2]


@few
@given(data=st.data())
def test_tables_of_cases(files, data):
    content = data.draw(shapes.cases_csv((files / "cases.csv").read_bytes()))
    rows = read_or_refuse(read_table, files / "drawn-cases.csv", content)
    for row in rows or ():
        for name in (row.output, row.overlay, row.probabilities, row.uncertainty):
            assert "/" not in name


@few
@given(data=st.data())
def test_accounts_of_studies(files, data):
    folder = files / "study"
    folder.mkdir(exist_ok=True)
    content = data.draw(shapes.study_json((files / "study.json").read_bytes()))
    found = read_or_refuse(lambda place: read_study(place.parent), folder / "study.json", content)
    if found is not None:
        assert found["study"]["weights_sha256"][:16]
        assert found["runs"][0]["started"]


def test_a_form_is_drawn_by_its_random_numbers_alone(files):
    whole = (files / "prompts.json").read_bytes()
    first, again, other = (
        shapes.drawn(shapes.prompts_json, whole, Random(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other
    seen = {shapes.drawn(shapes.prompts_json, whole, Random(seed)) for seed in range(20)}
    assert len(seen) > 15
