"""Networks of transformers: built from a configuration, filled with weights, checked, frozen.

Every tensor must be used and none may be missing; what does not fit is refused by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from voxtrail.errors import WeightsError

#: At most so many tensors are named in a message.
NAMED_TENSORS = 4


def read_config(config_class: Any, held: dict[str, Any], network_name: str) -> Any:
    """Return the configuration that a folder's ``config.json`` holds.

    Parameters
    ----------
    config_class
        One of transformers' configurations.
    held
        What the file holds.
    network_name
        The network that it should be of, for the message.

    Raises
    ------
    WeightsError
        If it is of no such network.
    """
    try:
        with hushed_transformers():
            return config_class.from_dict(held)
    except Exception as error:
        # whatever the configuration classes raise on contents that are not theirs
        raise WeightsError(
            f"the folder's config.json is not a {network_name}'s",
            received=str(error),
            accepted=f"the configuration of a {network_name}",
            remedy="download it again, or pass another checkpoint",
        ) from error


def build_network(
    network_class: Any,
    config: Any,
    source: str,
    folder: Path | None = None,
    state: dict[str, torch.Tensor] | None = None,
) -> Any:
    """Build a frozen network and check that every tensor was used and none is missing.

    Parameters
    ----------
    network_class
        One of transformers' networks. What it says that it ignores may be left over.
    config
        Its configuration.
    source
        Where the weights are from, for messages.
    folder, state
        The folder that holds them, or the tensors themselves.

    Raises
    ------
    WeightsError
        If the weights cannot be read or do not fit.
    """
    with hushed_transformers():
        try:
            network, report = network_class.from_pretrained(
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
            raise _unreadable(source, (str(error).splitlines() or ["nothing"])[0]) from error
        except Exception as error:
            # safetensors' own exception derives from Exception only
            if type(error).__name__ != "SafetensorError":
                raise
            raise _unreadable(source, str(error)) from error
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
            remedy=f"pass a whole checkpoint of a {network_class.__name__}",
        )
    return network.eval().requires_grad_(False)


def _unreadable(source: str, reason: str) -> WeightsError:
    return WeightsError(
        f"the weights of {source} cannot be read",
        received=reason,
        accepted="a whole safetensors file",
        remedy="download it again",
    )


@contextmanager
def hushed_transformers() -> Iterator[None]:
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
