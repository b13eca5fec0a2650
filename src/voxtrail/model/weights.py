"""From a model's name or path to frozen weights.

Names are looked up in the catalogue; anything else is a folder, an official ``.pt`` file or a
repository on the Hugging Face hub. Checkpoints are read as weights only, never as pickled code;
every tensor must be used and none may be missing.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import checkpoint_checks, hub, official
from voxtrail.model.base import LoadedModel
from voxtrail.model.catalogue import CATALOGUE
from voxtrail.model.sam2 import Sam2SliceModel
from voxtrail.model.shortcuts import Shortcuts

#: The input side must be a multiple of the stride of the encoder's last stage.
STRIDE = 32
SMALLEST_INPUT, LARGEST_INPUT = 64, 2048
#: At most so many tensors are named in a message.
NAMED_TENSORS = 4


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
        Side of the square input in pixels, a multiple of 32; None takes the checkpoint's own.
    device
        ``auto`` (CUDA where there is one, else the CPU), ``cpu``, ``cuda`` or ``mps``.
    shortcuts
        Where to compute less than the reference; by default nowhere.
    quiet
        Whether a download shows no progress bar.

    Raises
    ------
    WeightsError
        If the checkpoint cannot be found or read, or does not fit SAM 2's architecture.
    OptionError
        If the resolution or the device cannot be had.
    """
    where = torch.device(resolved_device(device))
    if resolution is not None:
        _check_size(resolution)  # before a download
    path, entry_size = locate(name, quiet=quiet)
    network = (
        _from_folder(path, resolution or entry_size)
        if path.is_dir()
        else _from_official(path, resolution or entry_size)
    )
    sha256 = _sha256(_weights_file(path))
    model = Sam2SliceModel(network.to(where), sha256, shortcuts)
    return LoadedModel(model, name, str(path), sha256)


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


def locate(name: str, *, quiet: bool = True) -> tuple[Path, int | None]:
    """Return the folder or file of the weights, fetched if need be, and its entry's input size.

    Raises
    ------
    WeightsError, OptionError
        If there is no such checkpoint; nothing of it is read yet.
    """
    if entry := CATALOGUE.get(name):
        if entry.repository is None:
            return entry.folder or Path(), entry.input_size
        return hub.fetch(entry.repository, entry.filename, quiet=quiet), entry.input_size
    path = Path(name)
    if os.path.exists(path):  # unlike Path.exists, no error for a name that no file can have
        return path, None
    if path.suffix in (".pt", ".pth") or path.is_absolute():
        raise WeightsError(
            "there is no such checkpoint",
            received=name,
            accepted="an existing file or folder",
            remedy="check the path",
        )
    if name.count("/") == 1:
        return hub.fetch(name, None, quiet=quiet), None
    raise OptionError(
        "unknown model",
        received=name,
        accepted=f"{', '.join(CATALOGUE)}, a Hugging Face id, a folder or a .pt file",
        remedy="name one of these; 'voxtrail models' describes them",
    )


def _weights_file(path: Path) -> Path:
    return path / "model.safetensors" if path.is_dir() else path


def _from_folder(folder: Path, size: int | None) -> Any:
    from transformers import Sam2VideoConfig

    for needed in ("config.json", "model.safetensors"):
        if not (folder / needed).is_file():
            raise WeightsError(
                f"the folder has no {needed}",
                received=str(folder),
                accepted="a folder with config.json and model.safetensors, as transformers writes",
                remedy="pass such a folder, or the official .pt file itself",
            )
    checkpoint_checks.check_config(folder)
    try:
        with _hushed_transformers():
            config = Sam2VideoConfig.from_pretrained(folder, local_files_only=True)
    except Exception as error:
        # whatever the configuration classes raise on contents that are not theirs
        raise WeightsError(
            "the folder's config.json is not SAM 2's",
            received=str(error),
            accepted="the configuration of a Sam2VideoModel",
            remedy="pass a SAM 2 checkpoint",
        ) from error
    sized = config_at(config, size)
    checkpoint_checks.check_network(sized, _weights_file(folder))
    return _build(sized, str(folder), folder=folder)


def _from_official(path: Path, size: int | None) -> Any:
    state = _read_official(path)
    config = official.config_of(state, path.name)
    return _build(config_at(config, size), path.name, state=official.convert(state))


def _read_official(path: Path) -> dict[str, torch.Tensor]:
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
    if not official.is_official(state):
        raise WeightsError(
            f"{path.name} does not hold SAM 2's weights",
            received=f"no tensor called {official.SIGNATURE}",
            accepted="SAM 2's official layout",
            remedy="pass an official SAM 2 checkpoint or one fine-tuned from it",
        )
    return state


def config_at(config: Any, size: int | None) -> Any:
    """Return a copy of a ``Sam2VideoConfig`` for another input size.

    Weights are the same at every size: position embeddings are interpolated, rotary tables and
    feature sizes follow.

    Raises
    ------
    OptionError
        If the size is not a multiple of 32 within bounds.
    """
    import copy

    if size is None:
        size = int(config.image_size)
    _check_size(size)
    config = copy.deepcopy(config)
    config.image_size = size
    config.vision_config.backbone_feature_sizes = [[size // s, size // s] for s in (4, 8, 16)]
    config.vision_config.backbone_config.image_size = [size, size]
    config.prompt_encoder_config.image_size = size
    config.memory_attention_rope_feat_sizes = [size // 16, size // 16]
    return config


def _check_size(size: int) -> None:
    if size % STRIDE or not SMALLEST_INPUT <= size <= LARGEST_INPUT:
        raise OptionError(
            "the resolution cannot be used",
            received=size,
            accepted=f"a multiple of {STRIDE} from {SMALLEST_INPUT} to {LARGEST_INPUT}",
            remedy="pass for example --resolution 512",
        )


def _build(
    config: Any,
    source: str,
    folder: Path | None = None,
    state: dict[str, torch.Tensor] | None = None,
) -> Any:
    """Build the network and check that every tensor was used and none is missing."""
    from transformers import Sam2VideoModel

    with _hushed_transformers():
        try:
            network, report = Sam2VideoModel.from_pretrained(
                folder,
                config=config,
                state_dict=state,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,  # reported below, by name
                output_loading_info=True,
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(
                f"the weights of {source} cannot be read",
                received=(str(error).splitlines() or ["nothing"])[0],
                accepted="a whole safetensors file",
                remedy="download it again",
            ) from error
        except Exception as error:
            # safetensors' own exception derives from Exception only
            if type(error).__name__ != "SafetensorError":
                raise
            raise WeightsError(
                f"the weights of {source} cannot be read",
                received=str(error),
                accepted="a whole safetensors file",
                remedy="download it again",
            ) from error
    wrong = {
        "missing": sorted(report["missing_keys"]),
        "unused": sorted(report["unexpected_keys"]),
        "of another shape": sorted(str(item[0]) for item in report["mismatched_keys"]),
    }
    if any(wrong.values()):
        raise WeightsError(
            f"the checkpoint {source} does not fit",
            received="; ".join(
                f"{len(names)} {kind}: {', '.join(names[:NAMED_TENSORS])}"
                + (", ..." if len(names) > NAMED_TENSORS else "")
                for kind, names in wrong.items()
                if names
            ),
            accepted="exactly the tensors of its configuration",
            remedy="pass a whole SAM 2 checkpoint",
        )
    return network


@contextmanager
def _hushed_transformers() -> Iterator[None]:
    """Keep transformers' bars and reports off the terminal: what they say is checked here."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
