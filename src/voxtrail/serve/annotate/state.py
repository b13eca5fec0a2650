"""What the page knows of the server: its state as JSON, whole or in parts that changed."""

from __future__ import annotations

from dataclasses import asdict
from importlib.util import find_spec
from typing import Any

import voxtrail
from voxtrail.core.axis import Axis
from voxtrail.core.prompts import BoxPrompt, MaskPrompt
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.errors import OutputError
from voxtrail.io.registry import formats
from voxtrail.preprocess.window import NAMED_WINDOWS
from voxtrail.serve.annotate import changes
from voxtrail.serve.annotate.open_scan import OpenScan
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.session.record import NOTICE
from voxtrail.session.state import Place

Parts = dict[str, Any]


def whole(workspace: Workspace) -> Parts:
    """Return all of it."""
    scan = workspace.opened
    state: Parts = {
        "notice": NOTICE,
        "version": voxtrail.__version__,
        "scan": None,
        "model": workspace.model.to_json(),
        "config": workspace.config.to_json(),
        "labels": [],
        "outlines": [],
        "can_undo": False,
        "can_redo": False,
        "undo_what": None,
        "redo_what": None,
        "results": {},
        "warnings": [],
        "suggestions": [],
        "running": None,
        "session_file": None,
        "revision": 0,
        "formats": export_formats(scan),
    }
    if scan is None:
        return state
    return {
        **state,
        "config": scan.session.config.to_json(),
        "scan": _scan(scan),
        "session_file": str(scan.file),
        **drawn(scan),
        **found(scan),
    }


def drawn(scan: OpenScan) -> Parts:
    """Return what a change of what is drawn changes."""
    session = scan.session
    prompts = session.prompts
    counts: dict[int, set[Place]] = {}
    outlines: dict[Place, Parts] = {}
    for one in prompts.prompts:
        place = Place.of(one)
        counts.setdefault(one.label, set()).add(place)
        kind = _kind(one)
        if place in outlines and kind == "points":
            continue  # they correct what is there
        outlines[place] = {
            "label": one.label,
            "axis": one.axis.label,
            "slice": one.slice_index,
            "kind": kind,
        }
    labels = [
        {
            "id": label,
            "name": prompts.name(label),
            **scan.look(label).to_json(),
            "outlines": len(counts.get(label, ())),
        }
        for label in scan.labels()
    ]
    stored, now = scan.volume.stored, session.state
    earlier, later = session.earlier, session.later
    return {
        "labels": labels,
        "outlines": list(outlines.values()),
        "can_undo": earlier is not None,
        "can_redo": later is not None,
        "undo_what": earlier and changes.words(earlier, now, stored),
        "redo_what": later and changes.words(now, later, stored),
        "stale": [label for label in session.results if session.is_stale(label)],
        "suggestions": _suggestions(scan),
        "revision": scan.revision,
    }


def found(scan: OpenScan) -> Parts:
    """Return what a propagation changes."""
    running = scan.running
    session = scan.session
    results: Parts = {}
    for label, one in session.results.items():
        expected = one.record.expected_dice
        told: Parts = {"expected": asdict(expected) if expected else None}
        if expected is None:
            told["why_not"] = (
                "too few outlines: with three or more on an axis, one can be left out to tell"
            )
        told["stale"] = session.is_stale(label)
        told["slices"] = {
            axis.label: {
                "first": min(confidence),
                "confidence": [
                    round(confidence[index], 3) if index in confidence else None
                    for index in range(min(confidence), max(confidence) + 1)
                ],
            }
            for axis, confidence in one.quality.confidence.items()
            if confidence
        }
        results[str(label)] = told
    return {
        "results": results,
        "warnings": session.warnings,
        "suggestions": _suggestions(scan),
        "running": running and running.progress,
    }


def _suggestions(scan: OpenScan) -> list[Parts]:
    """Return the slices to outline next that were not drawn on since."""
    state = scan.session.state
    return [
        {
            "label": one.label,
            "axis": one.axis.label,
            "slice": one.slice_index,
            "reason": one.reason,
            "score": round(one.score, 3),
        }
        for one in scan.suggestions
        if not state.at(Place(one.label, one.axis, one.slice_index))
    ]


def _scan(scan: OpenScan) -> Parts:
    volume = scan.volume
    stored = {}
    for axis in Axis:
        frame = SliceFrame.of(volume.stored, axis)
        stored[axis.label] = {"flipped": frame.flip_slice, "count": frame.slices}
    return {
        "name": scan.name,
        "shape": list(scan.shape),
        "spacing_mm": list(volume.grid.spacing_mm),
        "affine": volume.grid.affine.tolist(),
        "hu": list(scan.hu),
        "presets": [
            {"name": name, "level": window.level_hu, "width": window.width_hu}
            for name, window in NAMED_WINDOWS.items()
        ],
        "stored": stored,
        "bytes": int(volume.voxels.size) * 2,
    }


def export_formats(scan: OpenScan | None) -> list[Parts]:
    """Return in which formats labels can be written, and why not in others."""
    told = []
    for one in formats():
        if one.write_labels is None:
            continue
        why = None
        if one.extra and find_spec(one.extra.module) is None:
            why = f"needs pip install 'voxtrail[{one.extra.name}]'"
        elif scan is not None and one.check_source:
            try:
                one.check_source(scan.volume.provenance)
            except OutputError as error:
                why = f"{error.what}: {error.accepted}"
        told += [
            {"suffix": suffix, "name": one.name, "available": why is None}
            | ({"why_not": why} if why else {})
            for suffix in one.written
        ]
    told.append({"suffix": ".json", "name": "Outlines for voxtrail segment", "available": True})
    return told


def _kind(prompt: object) -> str:
    if isinstance(prompt, MaskPrompt):
        return "mask"
    return "box" if isinstance(prompt, BoxPrompt) else "points"
