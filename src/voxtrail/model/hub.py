"""Weights from the Hugging Face hub: its cache first, then a download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from voxtrail.errors import WeightsError

#: What transformers needs of a repository.
FOLDER_FILES = ("config.json", "model.safetensors")


def cached(repository: str, filename: str | None) -> Path | None:
    """Return where a repository's weights lie in the cache, or None.

    Parameters
    ----------
    repository
        Its id, such as ``facebook/sam2.1-hiera-small``.
    filename
        The one file that holds the weights; None for a folder of safetensors.

    Returns
    -------
    Path or None
        The file, or the folder that holds `FOLDER_FILES`.
    """
    from huggingface_hub import try_to_load_from_cache

    try:
        found = [
            try_to_load_from_cache(repository, name)
            for name in ([filename] if filename else FOLDER_FILES)
        ]
    except ValueError:  # no repository can have this id; a download says so
        return None
    if not all(isinstance(path, str) for path in found):
        return None
    last = Path(str(found[-1]))
    return last if filename else last.parent


def fetch(repository: str, filename: str | None, *, quiet: bool) -> Path:
    """Return where a repository's weights lie, downloading them where they are not cached.

    Raises
    ------
    WeightsError
        If they are not cached and cannot be downloaded; says how to bring them by hand.
    """
    if path := cached(repository, filename):
        return path
    from huggingface_hub import hf_hub_download
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    if quiet:
        disable_progress_bars()
    try:
        paths = [
            Path(hf_hub_download(repository, name))
            for name in ([filename] if filename else FOLDER_FILES)
        ]
    except Exception as error:
        # the hub's client raises its own errors, its transport's, and the system's
        raise _unreachable(repository, filename, error) from error
    finally:
        if quiet:
            enable_progress_bars()
    return paths[-1] if filename else paths[-1].parent


def _unreachable(repository: str, filename: str | None, error: Any) -> WeightsError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    option = "--model FILE" if filename else "--model FOLDER"
    return WeightsError(
        f"the weights of {repository} are not on this machine and cannot be downloaded",
        received=reason,
        accepted="weights in the Hugging Face cache, or a connection to the hub",
        remedy=(
            f"on a machine with a connection run 'hf download {repository}"
            f"{' ' + filename if filename else ''} --local-dir DIR', copy it here and pass "
            f"{option}; or use the bundled --model micro"
        ),
    )
