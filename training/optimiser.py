"""How weights change: Muon for matrices inside the network, AdamW for all the rest.

Muon (K. Jordan, 2024; PyTorch's) makes a matrix's step orthogonal, so that every direction of it
learns alike. Memories are read after half of the steps that AdamW needs (decision 24).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

LEAST_SIDE = 32
"""A matrix with a shorter side is a handful of vectors (tokens, last layers): AdamW's."""

MUON_RATE = 3.0
"""Muon's learning rate over AdamW's, both with updates of the same size for the same rate."""


class Optimiser:
    """Both, as one.

    Parameters
    ----------
    model
        Whose weights change.
    weight_decay
        Of matrices and convolutions; vectors have none.
    """

    def __init__(self, model: nn.Module, weight_decay: float) -> None:
        inner = [p for p in model.parameters() if p.ndim == 2 and min(p.shape) >= LEAST_SIDE]
        ours = {id(p) for p in inner}
        rest = [p for p in model.parameters() if id(p) not in ours]
        groups = [
            {"params": [p for p in rest if p.ndim > 1], "weight_decay": weight_decay},
            {"params": [p for p in rest if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self._muon = torch.optim.Muon(
            inner, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"
        )
        self._adam = torch.optim.AdamW(groups)

    def step(self, rate: float) -> None:
        """Change the weights by their gradients; ``rate`` is AdamW's learning rate."""
        for optimiser, times in ((self._muon, MUON_RATE), (self._adam, 1.0)):
            for group in optimiser.param_groups:
                group["lr"] = rate * times
            optimiser.step()

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for `load_state_dict`."""
        return {"muon": self._muon.state_dict(), "adam": self._adam.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take on a state."""
        self._muon.load_state_dict(state["muon"])
        self._adam.load_state_dict(state["adam"])
