"""What is shown as a segmentation that can be written, with the record of how it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from voxtrail.core.volume import LabelMap
from voxtrail.errors import PromptError
from voxtrail.serve.annotate.open_scan import OpenScan
from voxtrail.session import Segmentation
from voxtrail.session.record import RunRecord, versions


def segmentation(scan: OpenScan, labels: Sequence[int] | None = None) -> Segmentation:
    """Return what is shown, of some labels or of all.

    Where all of it was propagated, it is what `voxtrail.segment` gives for what is drawn. Of labels
    that were not, or that were drawn on since, the record says so.

    Raises
    ------
    PromptError
        If nothing is shown, or a label that is asked for is not.
    """
    session = scan.session
    shown = scan.shown.labels()
    present = shown.labels()
    wanted = present if labels is None else tuple(labels)
    missing = sorted({*wanted} - {*scan.labels()})
    if missing or not present:
        raise PromptError(
            "there is nothing to export",
            received=f"label {missing[0]}" if missing else "no label with a voxel",
            accepted="labels that are drawn, propagated or imported",
            remedy="outline a structure first",
        )
    if session.results:
        found = session.result()
        record, logits, quality = found.record, found.logits, found.quality
        if scan.shown.only_propagated():
            shown = found.labels
    else:
        record, logits, quality = _record_of_drawing(scan), {}, {}
    names = session.prompts.names
    kept = _only(shown, wanted, {label: names[label] for label in wanted if label in names})
    return Segmentation(
        kept,
        {label: one for label, one in logits.items() if label in wanted},
        replace(
            record,
            labels=[one for one in record.labels if one.label in wanted],
            warnings=[*record.warnings, *_warnings(scan, wanted)],
        ),
        {label: one for label, one in quality.items() if label in wanted},
        scan.volume,
        session.prompts,
    )


def _only(shown: LabelMap, wanted: Sequence[int], names: dict[int, str]) -> LabelMap:
    if {*shown.labels()} <= {*wanted}:
        return replace(shown, names=names)
    voxels = np.where(np.isin(shown.voxels, list(wanted)), shown.voxels, 0)
    return replace(shown, voxels=voxels.astype(shown.voxels.dtype), names=names)


def _warnings(scan: OpenScan, labels: Sequence[int]) -> list[str]:
    """Say what of the labels is not what a propagation of what is drawn would give."""
    session = scan.session
    said = []
    for label in labels:
        name = session.prompts.name(label)
        if label not in session.results:
            imported = label in session.state.imported
            said.append(
                f"{name}: not propagated; it is "
                + ("an imported label map with " if imported else "")
                + "what was drawn"
            )
        elif session.is_stale(label):
            said.append(f"{name}: drawn on since it was propagated")
    return said


def _record_of_drawing(scan: OpenScan) -> RunRecord:
    """Return the record of labels that no model has touched."""
    nothing: dict[str, Any] = {}
    return RunRecord(
        config=scan.session.config,
        model={"name": None},
        device="none",
        versions=versions(),
        grid=scan.volume.stored.to_json(),
        labels=[],
        slices=nothing,
        predictions=nothing,
        seconds=nothing,
        warnings=list(scan.volume.provenance.notes),
    )
