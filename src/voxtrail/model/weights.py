"""From a model's name or path to frozen weights.

Where they lie says `voxtrail.model.checkpoint_place`. Checkpoints are read as weights only, never
as pickled code. What they are of, and what builds the model, `voxtrail.model.families` says.
"""

from __future__ import annotations

import hashlib
import pickle
import warnings
from pathlib import Path

import torch

from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import checkpoint_checks
from voxtrail.model.base import LoadedModel
from voxtrail.model.catalogue import CATALOGUE
from voxtrail.model.checkpoint_place import locate
from voxtrail.model.families import FAMILIES, Checkpoint, family_of
from voxtrail.model.families.base import LoadRequest
from voxtrail.model.shortcuts import Shortcuts


def load_model(
    name: str,
    *,
    resolution: int | None = None,
    device: str = "auto",
    shortcuts: Shortcuts | None = None,
    quiet: bool = True,
) -> LoadedModel:
    """Load a frozen model into PyTorch.

    Parameters
    ----------
    name
        A name of the catalogue, a folder with ``config.json`` and safetensors, an official
        ``.pt`` file, or the id of a repository on the Hugging Face hub.
    resolution
        Side of the square input in pixels; None takes the checkpoint's own. Which sizes there
        are the family says; SAM 2 takes multiples of 32.
    device
        ``auto`` (CUDA where there is one, else the CPU), ``cpu``, ``cuda`` or ``mps``.
    shortcuts
        Where to compute less than the reference; by default nowhere.
    quiet
        Whether a download shows no progress bar.

    Raises
    ------
    WeightsError
        If the checkpoint cannot be found or read, or is of no family that is known.
    OptionError
        If the resolution or the device cannot be had.
    """
    where = torch.device(resolved_device(device))
    if resolution is not None and name in CATALOGUE:  # before a download
        FAMILIES.parse(CATALOGUE[name].family).spec.check_input(resolution)
    path, entry_size = locate(name, quiet=quiet)
    checkpoint = _read_folder(path) if path.is_dir() else _read_file(path)
    request = LoadRequest(
        entry_size if resolution is None else resolution, where, shortcuts or Shortcuts()
    )
    model = family_of(checkpoint).load(checkpoint, request)
    return LoadedModel(model, name, str(path), checkpoint.sha256)


def resolved_device(device: str) -> str:
    """Return where ``auto`` leads, or the named device; `OptionError` if it is not to be had."""
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if device == "auto":
        # MPS has given wrong masks silently (facebookresearch/sam2#687): only when asked for.
        return "cuda" if available["cuda"] else "cpu"
    if not available.get(device, False):
        raise OptionError(
            f"the device {device} is not to be had on this machine",
            received=device,
            accepted=", ".join(["auto", *(kind for kind, there in available.items() if there)]),
            remedy="leave --device out, or name one of these",
        )
    return device


def _read_folder(folder: Path) -> Checkpoint:
    for needed in ("config.json", "model.safetensors"):
        if not (folder / needed).is_file():
            raise WeightsError(
                f"the folder has no {needed}",
                received=str(folder),
                accepted="a folder with config.json and model.safetensors, as transformers writes",
                remedy="pass such a folder, or the official .pt file itself",
            )
    config = checkpoint_checks.read_config(folder)
    return Checkpoint(folder, _sha256(folder / "model.safetensors"), config, {})


def _read_file(path: Path) -> Checkpoint:
    try:
        with warnings.catch_warnings():
            # of pickle protocols that PyTorch does not write itself
            warnings.simplefilter("ignore")
            checkpoint_checks.check_archive(path)
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        # PyTorch raises anything from KeyError to IndexError on garbage. What it says of pickled
        # code is advice to run it, which is not passed on.
        code = isinstance(error, pickle.UnpicklingError) and "weights_only" in str(error)
        reason = (str(error).splitlines() or [""])[0]
        raise WeightsError(
            f"{path.name} cannot be read as weights; what else it may hold is never run",
            received="contents other than tensors" if code else f"{type(error).__name__} {reason}",
            accepted="an official SAM 2 checkpoint (.pt) or one fine-tuned in its layout",
            remedy="download it again, or pass another file",
        ) from error
    held = loaded.get("model", loaded) if isinstance(loaded, dict) else None
    items = held.items() if isinstance(held, dict) else ()
    state = {
        key: value
        for key, value in items
        if isinstance(key, str) and isinstance(value, torch.Tensor)
    }
    if not state:
        raise WeightsError(
            f"{path.name} holds no weights",
            received=f"{type(loaded).__name__} without tensors",
            accepted="an official SAM 2 checkpoint (.pt) or one fine-tuned in its layout",
            remedy="pass another file",
        )
    return Checkpoint(path, _sha256(path), {}, state)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
