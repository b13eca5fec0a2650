"""No patient's name on the page, in the session or in what is logged, but in a file's own name."""

from __future__ import annotations

import logging

import numpy as np

from tests.io import series
from tests.serve.page import serving


def test_a_dicom_series_is_opened_without_its_patient(tmp_path, tiny, caplog):
    caplog.set_level(logging.DEBUG)
    series.save(series.classic(), tmp_path / "series")
    with serving(tmp_path, tiny) as page:
        listed = page.get("/api/files")["entries"]
        assert [(one["name"], one["kind"]) for one in listed] == [("series", "dicom")]
        told = page.send("POST", "/api/open", {"path": "series"})
        assert told["scan"]["name"] == "series"
        page.send("POST", "/api/label", {})
        rows, columns = told["scan"]["shape"][1], told["scan"]["shape"][0]
        page.draw(1, "axial", 1, np.ones((rows, columns), bool))
        page.refused(400, "POST", "/api/export", {"name": "nowhere/x.nii.gz"})
        text = page.ask("GET", "/api/state").body + (tmp_path / "series.voxtrail.json").read_bytes()
    for secret in series.SECRET:
        assert str(secret).encode() not in text
        assert str(secret) not in caplog.text
    assert page.cookie.partition("=")[2] not in caplog.text
