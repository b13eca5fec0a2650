"""Outputs of a DICOM scan carry no patient unless their format requires it."""

import gzip
import logging

import numpy as np
import pytest

import voxtrail.io as vio
from tests.io import series
from voxtrail.core.volume import LabelMap
from voxtrail.io.registry import formats

HIDDEN = [secret.encode() for secret in (*series.SECRET, "19500203", "Secret")]


@pytest.mark.parametrize(
    "known", [one for one in formats() if one.written], ids=lambda known: known.name
)
def test_only_what_refers_to_the_series_names_the_patient(known, tmp_path, capfd, caplog):
    if known.extra:
        pytest.importorskip(known.extra.module, reason=f"voxtrail[{known.extra.name}]")
    caplog.set_level(logging.DEBUG)
    scan = vio.read(series.save(series.classic(), tmp_path / "ct"))
    voxels = np.zeros(scan.stored.shape, np.uint8)
    voxels[3:7, 3:7, 2:4] = 1
    labels = LabelMap.from_stored(voxels, scan.stored.affine, {1: "hip"}, scan.provenance)
    for suffix in known.written:
        path = tmp_path / f"out{suffix}"
        vio.write(labels, path)
        content = path.read_bytes()
        content = gzip.decompress(content) if suffix.endswith(".gz") else content
        named = any(secret in content for secret in HIDDEN)
        assert named == (known.check_source is not None) == vio.copies_patient(path)
    said = "".join(capfd.readouterr()) + caplog.text
    assert not any(secret.decode() in said for secret in HIDDEN)
    kept = repr(scan.provenance) + scan.stored.describe()
    assert not any(secret.decode() in kept for secret in HIDDEN)
