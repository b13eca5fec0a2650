"""Numbers on their way to where a model runs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def on_device(values: Any, device: torch.device) -> Tensor:
    """Bring numbers to a device without waiting for what it still has to do."""
    return torch.tensor(values).to(device, non_blocking=True)
