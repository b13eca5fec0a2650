"""From a model's name to the place of its weights, without PyTorch.

Names are looked up in the catalogue; anything else is a folder, an official ``.pt`` file or a
repository on the Hugging Face hub.
"""

from __future__ import annotations

import os
from pathlib import Path

from voxtrail.errors import OptionError, WeightsError
from voxtrail.model import hub
from voxtrail.model.catalogue import CATALOGUE


def locate(name: str, *, quiet: bool = True) -> tuple[Path, int | None]:
    """Return the folder or file of the weights, fetched if need be, and its entry's input size.

    Raises
    ------
    WeightsError, OptionError
        If there is no such checkpoint; nothing of it is read yet.
    """
    if (entry := CATALOGUE.get(name)) and entry.repository is None:
        return entry.folder or Path(), entry.input_size
    if repository := _repository(name):
        size = entry.input_size if entry else None
        return hub.fetch(*repository, quiet=quiet), size
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
    raise OptionError(
        "unknown model",
        received=name,
        accepted=f"{', '.join(CATALOGUE)}, a Hugging Face id, a folder or a .pt file",
        remedy="name one of these; 'voxtrail models' describes them",
    )


def check_available(name: str) -> None:
    """Refuse a model of the hub that is not cached where there is no connection to fetch it by.

    Asked before PyTorch is imported: that answer needs none, and whoever gets it has waited enough.

    Raises
    ------
    WeightsError
        After two seconds at most.
    """
    if repository := _repository(name):
        hub.check_available(*repository)


def _repository(name: str) -> tuple[str, str | None] | None:
    """Return repository and file (None: a folder of safetensors) of a model of the hub, or None."""
    if entry := CATALOGUE.get(name):
        return (entry.repository, entry.filename) if entry.repository else None
    path = Path(name)
    is_path = os.path.exists(path) or path.suffix in (".pt", ".pth") or path.is_absolute()
    return (name, None) if name.count("/") == 1 and not is_path else None
