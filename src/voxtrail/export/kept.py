"""Exports that are made by themselves, once, and kept for every later run.

An exported model runs faster than PyTorch on a processor without bfloat16, and is the same to 1e-4
of what it computes, which is proved on this machine before it is used. To export takes a minute or
so: no reading of a few slices is worth that, and a run of many is.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import voxtrail
from voxtrail.core.say import say
from voxtrail.errors import VoxtrailError, WorkError
from voxtrail.export.parity import Parity, parity
from voxtrail.io.atomic import replacing
from voxtrail.io.fingerprint import fingerprint
from voxtrail.model.base import LoadedModel
from voxtrail.model.exported import DESCRIPTION
from voxtrail.model.loading import EXPORTED_RUNTIMES, load
from voxtrail.model.shortcuts import Shortcuts

#: Side of the input, in pixels, from which on a slice takes so long that an export is worth it.
#: Below, PyTorch has segmented dozens of slices in the time that it takes to read the graphs.
LEAST_INPUT = 512
#: Slices that a run encodes from which on it is worth an export of its own; one that is there
#: already is worth it for any. At 1024 pixels an export takes as long as some 40 slices save.
LEAST_SLICES = 40
PROOF = "parity.json"


def exports_folder() -> Path:
    """Return where exports are kept: in the user's cache, or where ``VOXTRAIL_CACHE`` says."""
    if named := os.environ.get("VOXTRAIL_CACHE"):
        return Path(named) / "exports"
    usual = {"darwin": Path.home() / "Library" / "Caches", "win32": Path.home() / "AppData/Local"}
    base = Path(os.environ.get("XDG_CACHE_HOME") or usual.get(sys.platform, Path.home() / ".cache"))
    return base / "voxtrail" / "exports"


def fastest(loaded: LoadedModel, slices: int, *, quiet: bool = True) -> LoadedModel:
    """Return a model in what runs it fastest on this machine: itself, or exported.

    Parameters
    ----------
    loaded
        A model in PyTorch.
    slices
        How many slices are about to be encoded.
    quiet
        Whether nothing is said while an export is made.

    Returns
    -------
    LoadedModel
        The model itself where an export is not to be had, gains nothing (another device, bfloat16,
        a small input, few slices and none kept) or is not the same; then its notes say why.
    """
    model = loaded.model
    installed = [one for one in EXPORTED_RUNTIMES if find_spec(EXPORTED_RUNTIMES[one])]
    exact = model.runtime == "torch" and model.shortcuts == Shortcuts() and model.device == "cpu"
    if not (installed and exact) or model.input_size < LEAST_INPUT:
        return loaded
    folder = exports_folder() / (f"{loaded.sha256[:16]}-{model.input_size}-{voxtrail.__version__}")
    try:
        if _damaged(folder):
            say(f"what was exported is damaged and removed: {folder}", quiet=quiet)
            shutil.rmtree(folder)
        if not (folder / DESCRIPTION).is_file():
            if slices < LEAST_SLICES or not find_spec("onnxscript"):
                return loaded
            _export(loaded, folder, quiet=quiet)
        return _proved(loaded, folder, quiet=quiet)
    except (VoxtrailError, OSError, RuntimeError) as error:
        # a full disk, an operator that cannot be written: PyTorch does the work as well
        note = f"run by PyTorch, since its export cannot be used: {' '.join(str(error).split())}"
    say(note, quiet=quiet)
    return replace(loaded, notes=(*loaded.notes, note))


def _export(loaded: LoadedModel, folder: Path, *, quiet: bool) -> None:
    from voxtrail.export.write import export

    folder.parent.mkdir(parents=True, exist_ok=True)
    say(f"exporting {loaded.name}, once, for a faster runtime: kept in {folder}", quiet=quiet)
    try:
        export(loaded, folder, lambda name: say(f"exporting {name}", quiet=quiet))
    except VoxtrailError:
        if not (folder / DESCRIPTION).is_file():  # otherwise another process was quicker
            raise
    for older in folder.parent.glob(f"{folder.name.rpartition('-')[0]}-*"):
        if older != folder:  # of another version, which nobody asks for any more
            shutil.rmtree(older, ignore_errors=True)


def _proved(loaded: LoadedModel, folder: Path, *, quiet: bool) -> LoadedModel:
    """Return the export, compared with PyTorch's where it has not been by this runtime."""
    exported = load(str(folder))
    arithmetic = exported.model.fingerprint.rpartition("|")[2]
    found = _proof(folder, arithmetic)
    if found is None:
        say("comparing the exported model with PyTorch's", quiet=quiet)
        found = parity(loaded.model, exported.model)
        held = {"runtime": arithmetic, "files": _digest(folder), **asdict(found)}
        with replacing(folder / PROOF, True) as place:
            place.write_text(json.dumps(held) + "\n", encoding="utf-8")
    if not found.proved:
        raise WorkError(f"{arithmetic} differs from PyTorch by {found.error:.1e} of its values")
    return replace(exported, name=loaded.name, source=loaded.source, parity=found.error)


def _proof(folder: Path, arithmetic: str) -> Parity | None:
    """Return what was found before of this runtime, if anything was."""
    try:
        held = json.loads((folder / PROOF).read_text(encoding="utf-8"))
        if held["runtime"] != arithmetic:
            return None
        return Parity(held["error"], held["memory_error"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _damaged(folder: Path) -> bool:
    """Tell whether an export's files are other ones than those that were compared."""
    try:
        held = json.loads((folder / PROOF).read_text(encoding="utf-8"))
        return bool(held["files"] != _digest(folder))
    except (OSError, ValueError, KeyError, TypeError):
        return False  # nothing was compared yet


def _digest(folder: Path) -> str:
    """Return the checksum of an export's files."""
    files = sorted(file for file in folder.iterdir() if file.name != PROOF)
    told = [f"{file.name} {fingerprint(file)}" for file in files if file.name[0] != "."]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()
