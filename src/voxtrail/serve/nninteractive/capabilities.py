"""What a client is told that it may ask for."""

from __future__ import annotations

from typing import Any

from voxtrail.model.catalogue import CATALOGUE

#: The release of nnInteractive whose protocol this is.
PROTOCOL_VERSION = "2.6.0"
#: Voxels that clients paint scribbles with, along z, y and x.
SCRIBBLE_THICKNESS = [2, 2, 2]


def capabilities(model: str) -> dict[str, Any]:
    """Return the capabilities of a model of some name.

    There are no channels, whose numbers clients want to know: these are nnInteractive's own.
    """
    licence = CATALOGUE[model].licence if model in CATALOGUE else "see the model's own"
    return {
        "supported_interactions": {
            "scribble": True,
            "lasso": True,
            "points": True,
            "bbox2d": True,
            "bbox3d": True,
        },
        "channel_mapping": {
            "prev_seg": 0,
            "bbox2d": [1, 2],
            "bbox3d": [1, 2],
            "lasso": [1, 2],
            "points": [3, 4],
            "scribble": [5, 6],
        },
        "num_interaction_channels": 7,
        "supports_initial_label": True,
        "supports_zero_shot_label_refinement": False,
        "preferred_scribble_thickness": SCRIBBLE_THICKNESS,
        "interaction_decay": None,
        "patch_size": None,
        "do_autozoom": False,
        "inference_session_version": PROTOCOL_VERSION,
        "license": f"{licence} (voxtrail with {model}; research use only)",
        "supports_undo": True,
    }
