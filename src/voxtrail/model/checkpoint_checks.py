"""A look at a checkpoint's own claims of size before any memory is taken for it."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voxtrail.errors import WeightsError

#: No width, size or count is larger (the largest published: 4,736 wide, 48 blocks).
_MAX_NUMBER = 65_536
_MAX_LAYERS = 256

#: Keys whose number is one of layers, each of which takes time and memory to build.
_LAYERS = ("layers", "blocks_per_stage", "depth")

#: A configuration is some kilobytes long.
_MAX_CONFIG_BYTES = 2**20

#: A network takes no more memory than its file, but for what is computed; some megabytes.
_SLACK_BYTES = 64 * 2**20


def read_config(folder: Path) -> dict[str, Any]:
    """Read a folder's ``config.json``, refusing numbers that no such network has.

    Raises
    ------
    WeightsError
        If it is no JSON of plausible numbers.
    """
    path = folder / "config.json"
    try:
        if path.stat().st_size > _MAX_CONFIG_BYTES:
            raise ValueError(f"{path.stat().st_size} bytes")
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError(f"a {type(config).__name__}")
        for key, number in _numbers(config):
            limit = _MAX_LAYERS if key.endswith(_LAYERS) else _MAX_NUMBER
            if not -limit <= number <= limit:
                raise ValueError(f"{key} of {number:.6g}")
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise WeightsError(
            "the folder's config.json is not a model's",
            received=str(error)[:200],
            accepted="the configuration of one of transformers' video models",
            remedy="download it again, or pass another checkpoint",
        ) from error
    return config


def check_network(network_class: Any, config: Any, folder: Path) -> None:
    """Refuse a configuration whose network would take far more memory than its file holds.

    Parameters
    ----------
    network_class
        One of transformers' networks.
    config
        Its configuration.
    folder
        The folder that holds ``model.safetensors``.

    Raises
    ------
    WeightsError
        If no network can be built of it; or naming both sizes.
    """
    import torch

    try:
        with torch.device("meta"), warnings.catch_warnings():  # which takes none
            warnings.simplefilter("ignore")
            network = network_class(config)
    except Exception as error:
        # whatever its parts raise at sizes that do not fit together
        raise WeightsError(
            "the checkpoint's configuration is of no network",
            received=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            accepted=f"the configuration of a {network_class.__name__}",
            remedy="download it again, or pass another checkpoint",
        ) from error
    needed = sum(value.numel() * value.element_size() for value in network.parameters())
    held = (folder / "model.safetensors").stat().st_size
    # Weights may be stored in half precision.
    if needed > 2 * held + _SLACK_BYTES:
        raise WeightsError(
            "the checkpoint's configuration promises another network than its file holds",
            received=f"{needed} bytes of weights, in a file of {held}",
            accepted="config.json and model.safetensors of one checkpoint",
            remedy="download both again",
        )


def check_archive(path: Path) -> None:
    """Refuse a ``.pt`` file that would grow while it is read.

    Raises
    ------
    ValueError, zipfile.BadZipFile
        If it is no zip archive of stored parts, as ``torch.save`` has written since 1.6.
    """
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
    if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
        raise ValueError("its parts are compressed")
    promised, held = sum(part.file_size for part in parts), path.stat().st_size
    if promised > held:
        raise ValueError(f"it promises {promised} bytes and has {held}")


def _numbers(value: Any, key: str = "") -> Iterator[tuple[str, float]]:
    """Give every number in a JSON value, with the key that it stands under."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _numbers(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _numbers(part, key)
    elif isinstance(value, int | float):
        yield key, value
