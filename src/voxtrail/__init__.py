"""Outline a structure on a few slices of a CT; a frozen SAM 2 carries it through the volume.

Research use only: voxtrail is not a medical device.

Names are imported when they are first used, so that ``import voxtrail`` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voxtrail.core.axis import Axis
    from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompts
    from voxtrail.io import read, read_labels, read_prompts, write, write_prompts
    from voxtrail.picture import show
    from voxtrail.session import Cache, Config, Segmentation, Session, segment

__version__ = "0.1.0"

_HOMES = {
    "Axis": "voxtrail.core.axis",
    "BoxPrompt": "voxtrail.core.prompts",
    "Cache": "voxtrail.session",
    "Config": "voxtrail.session",
    "MaskPrompt": "voxtrail.core.prompts",
    "PointPrompt": "voxtrail.core.prompts",
    "Prompts": "voxtrail.core.prompts",
    "Segmentation": "voxtrail.session",
    "Session": "voxtrail.session",
    "read": "voxtrail.io",
    "read_labels": "voxtrail.io",
    "read_prompts": "voxtrail.io",
    "segment": "voxtrail.session",
    "show": "voxtrail.picture",
    "write": "voxtrail.io",
    "write_prompts": "voxtrail.io",
}

__all__ = [
    "Axis",
    "BoxPrompt",
    "Cache",
    "Config",
    "MaskPrompt",
    "PointPrompt",
    "Prompts",
    "Segmentation",
    "Session",
    "__version__",
    "read",
    "read_labels",
    "read_prompts",
    "segment",
    "show",
    "write",
    "write_prompts",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'voxtrail' has no attribute '{name}'")
    return getattr(import_module(_HOMES[name]), name)
