"""How the map of a memory becomes the tokens that memory attention reads, and where these lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from voxtrail.model.maps import as_tokens, halved, sine_map


@dataclass(frozen=True, eq=False)
class MemoryLayout:
    """The tokens of one spatial memory. Nobody but the model that wrote a memory knows of it.

    Parameters
    ----------
    to_tokens
        From maps (n, M, h, w) of the memory encoder to tokens (n, k, M).
    position
        (1, k, M): the encoding of the tokens' positions, which is added to keys.
    places
        (k, 2): x and y of each token for rotary encoding, in positions of the image embedding. A
        token at 0, 0 is not rotated, and so are those that stand for no place.
    weight
        As how many tokens each one counts.
    """

    to_tokens: Callable[[Tensor], Tensor]
    position: Tensor
    places: Tensor
    weight: float = 1.0


def grid_layout(network: Any, side: int, *, coarse: bool) -> MemoryLayout:
    """Return the layout of SAM 2: a token for each position.

    Parameters
    ----------
    network
        One of transformers' networks with SAM 2's memory encoder.
    side
        Positions a side; even where memories are coarse.
    coarse
        Whether memories are averaged over 2 x 2 positions.
    """
    map_of_positions = sine_map(
        network.memory_encoder.position_encoding,
        int(network.config.memory_encoder_output_channels),
        side,
        network.no_memory_embedding.device,
    )
    if not coarse:
        return MemoryLayout(as_tokens, as_tokens(map_of_positions), grid(side))
    return MemoryLayout(
        lambda maps: as_tokens(halved(maps)),
        as_tokens(halved(map_of_positions)),
        grid(side, step=2),
        weight=4.0,
    )


def grid(side: int, step: int = 1) -> Tensor:
    """Return (positions, 2): x and y of the middle of each ``step`` x ``step`` positions."""
    along = torch.arange(0, side, step, dtype=torch.float32) + (step - 1) / 2
    rows, columns = torch.meshgrid(along, along, indexing="ij")
    return torch.stack([columns.flatten(), rows.flatten()], dim=-1)
