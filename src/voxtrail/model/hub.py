"""Weights from the Hugging Face hub: its cache first, then a download."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

from voxtrail.core.say import say
from voxtrail.errors import WeightsError
from voxtrail.model.reach import why_unreachable

#: What transformers needs of a repository.
FOLDER_FILES = ("config.json", "model.safetensors")
#: How often a download is tried whose connection breaks, and the seconds before the second try;
#: before each further one it is twice as long.
TRIES, WAIT_S = 5, 0.5
#: Answers of a server that is busy or restarting.
BUSY = frozenset({408, 425, 429, 500, 502, 503, 504})

T = TypeVar("T")


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
        found = [try_to_load_from_cache(repository, name) for name in _files(filename)]
    except ValueError:  # no repository can have this id; a download says so
        return None
    if not all(isinstance(path, str) for path in found):
        return None
    last = Path(str(found[-1]))
    return last if filename else last.parent


def check_available(repository: str, filename: str | None) -> None:
    """Refuse weights that are not cached where there is no connection to fetch them by.

    Raises
    ------
    WeightsError
        After two seconds at most; says how to bring them by hand.
    """
    from huggingface_hub import constants, hf_hub_url

    try:
        hf_hub_url(repository, _files(filename)[0])
    except ValueError as error:  # which no connection mends
        raise _not_here(repository, filename, _reason(error)) from error
    if cached(repository, filename) or constants.HF_HUB_OFFLINE:
        return  # off line on purpose: the hub's client says so at once
    if reason := why_unreachable(constants.ENDPOINT):
        raise _not_here(repository, filename, reason)


def fetch(repository: str, filename: str | None, *, quiet: bool) -> Path:
    """Return where a repository's weights lie, downloading them where they are not cached.

    A connection that breaks is tried again, and each try is said on standard error unless quiet.

    Raises
    ------
    WeightsError
        If they are not cached and cannot be downloaded; says how to bring them by hand, or how to
        ask for access.
    """
    if path := cached(repository, filename):
        return path
    from huggingface_hub.errors import GatedRepoError

    check_available(repository, filename)
    try:
        with _words_of_the_client(quiet=quiet):
            paths = [
                _patiently(partial(_download, repository, name), quiet=quiet)
                for name in _files(filename)
            ]
    except GatedRepoError as error:
        raise _gated(repository, _reason(error)) from error
    except Exception as error:
        # the hub's client raises its own errors, its transport's, and the system's
        raise _not_here(repository, filename, _reason(error)) from error
    return paths[-1] if filename else paths[-1].parent


def _files(filename: str | None) -> tuple[str, ...]:
    return (filename,) if filename else FOLDER_FILES


def _download(repository: str, name: str) -> Path:
    from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

    # Asked once and without its own patience, which at a server that never answers is six minutes.
    get_hf_file_metadata(hf_hub_url(repository, name))
    return Path(hf_hub_download(repository, name))


def _patiently(work: Callable[[], T], *, quiet: bool) -> T:
    """Do some work, again where the connection breaks: `TRIES` times in all."""
    for number in range(1, TRIES):
        try:
            return work()
        except Exception as error:
            if not _may_pass(error):
                raise
            wait_s = WAIT_S * 2 ** (number - 1)
            again = f"try {number + 1} of {TRIES} in {wait_s:g} s"
            say(f"download broken off ({_reason(error)}); {again}", quiet=quiet)
            time.sleep(wait_s)
    return work()


def _may_pass(error: Exception) -> bool:
    """Tell whether an error is of the connection or a busy server: then the next try may do."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError):
        return error.response.status_code in BUSY
    # The client's transport is one library in some releases and its successor in others.
    of_transport = any(kind.__name__ == "TransportError" for kind in type(error).__mro__)
    return of_transport and "CERTIFICATE" not in str(error)


@contextmanager
def _words_of_the_client(*, quiet: bool) -> Iterator[None]:
    """Let the hub's client say what it says in our lines, and nothing where we are quiet."""
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    logger = logging.getLogger("huggingface_hub")
    theirs = logger.handlers
    logger.handlers = [_Lines(quiet=quiet)]
    if quiet:
        disable_progress_bars()
    try:
        yield
    finally:
        logger.handlers = theirs
        if quiet:
            enable_progress_bars()


class _Lines(logging.Handler):
    def __init__(self, *, quiet: bool) -> None:
        super().__init__()
        self._quiet = quiet

    def emit(self, record: logging.LogRecord) -> None:
        say(f"download: {record.getMessage().splitlines()[0]}", quiet=self._quiet)


def _reason(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _not_here(repository: str, filename: str | None, reason: str) -> WeightsError:
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


def _gated(repository: str, reason: str) -> WeightsError:
    return WeightsError(
        f"the weights of {repository} are given on request only",
        received=reason,
        accepted="a Hugging Face account that was granted access, and its token on this machine",
        remedy=f"ask on https://huggingface.co/{repository}, then run 'hf auth login'; or pass a "
        "folder that was downloaded elsewhere with --model FOLDER",
    )
