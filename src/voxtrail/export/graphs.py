"""The modules that become graphs: SAM 2's four calls over plain tensors.

Each takes and returns what `voxtrail.model.exported` feeds and reads, by the names of the
parameters of ``forward`` and of `OUTPUTS`. Sizes are fixed but for the numbers of slices (n, u),
memories (m), pointers (p) and points (k).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from voxtrail.model.sam2 import Sam2SliceModel, takes_best_of_three

OUTPUTS = {
    "encode": ("top", "stride4", "stride8"),
    "prompt_mask": ("pointer",),
    "prompt_points": ("logits", "pointer", "iou", "score"),
    "track": ("logits", "pointer", "iou", "score"),
    "memorise": ("memory",),
}


class PromptMask(nn.Module):
    """The pointer of a drawn mask, which itself is taken as it is."""

    def __init__(self, model: Sam2SliceModel) -> None:
        super().__init__()
        self._downsample = model.network.mask_downsample
        self._embed = model.network.prompt_encoder.mask_embed
        self._decoder = model.decoder
        self._sparse = nn.Buffer(model.no_prompt[0])

    def forward(self, top: Tensor, stride4: Tensor, stride8: Tensor, mask: Tensor) -> Tensor:
        """Take (1, 1, size, size) float32 of 0 and 1; return (1, C)."""
        dense = self._embed(self._downsample(mask))
        _, pointer, _, _ = self._decoder(top, stride4, stride8, self._sparse, dense, False)
        decoded: Tensor = pointer
        return decoded


class PromptPoints(nn.Module):
    """The mask of points or of a box's corners."""

    def __init__(self, model: Sam2SliceModel) -> None:
        super().__init__()
        self._encoder = model.network.prompt_encoder
        self._no_memory = nn.Buffer(model.network.no_memory_embedding.view(1, -1, 1, 1))
        self._dense = nn.Buffer(model.no_prompt[1])
        self._decoder = model.decoder

    def forward(
        self,
        top: Tensor,
        stride4: Tensor,
        stride8: Tensor,
        points: Tensor,
        labels: Tensor,
        several: Tensor,
    ) -> tuple[Tensor, ...]:
        """Take pixels (1, 1, k, 2), labels (1, 1, k), and whether the best of three counts."""
        sparse, _ = self._encoder(
            input_points=points, input_labels=labels, input_boxes=None, input_masks=None
        )
        maps = (top + self._no_memory, stride4, stride8)
        best = self._decoder(*maps, sparse, self._dense, True)
        only = self._decoder(*maps, sparse, self._dense, False)
        return tuple(torch.where(several, a, b) for a, b in zip(best, only, strict=True))


class Track(nn.Module):
    """Memory attention and mask decoder."""

    def __init__(self, model: Sam2SliceModel) -> None:
        super().__init__()
        self._pointer_tokens = model.memory_tokens.of_pointers
        self._attention = model.memory_attention
        self._decoder = model.decoder
        self._sparse, self._dense = (nn.Buffer(one) for one in model.no_prompt)
        self._several = takes_best_of_three(model.network.config, 0, prompted=False)

    def forward(
        self,
        top: Tensor,
        stride4: Tensor,
        stride8: Tensor,
        item: Tensor,
        memory: Tensor,
        position: Tensor,
        pointers: Tensor,
        distances: Tensor,
    ) -> tuple[Tensor, ...]:
        """Segment; see `voxtrail.model.memory_attention.MemoryAttention` for the shapes."""
        tokens, places = self._pointer_tokens(pointers, distances)
        fused = self._attention(top, item, memory, position, tokens, places)
        count = item.shape[0]
        decoded: tuple[Tensor, ...] = self._decoder(
            fused,
            stride4[item],
            stride8[item],
            self._sparse.expand(count, -1, -1, -1),
            self._dense.expand(count, -1, -1, -1),
            self._several,
        )
        return decoded


def graphs(model: Sam2SliceModel) -> dict[str, nn.Module]:
    """Return the modules by the names of their graphs."""
    return {
        "encode": model.encoder,
        "prompt_mask": PromptMask(model),
        "prompt_points": PromptPoints(model),
        "track": Track(model),
        "memorise": model.memory_encoder,
    }


def examples(model: Sam2SliceModel) -> dict[str, dict[str, Tensor]]:
    """Return inputs of the right shapes; sizes that vary are 2 or 3, which no constant equals."""
    size, side = model.input_size, model.input_size // 16
    channels = model.network.config.vision_config.fpn_hidden_size
    positions, width = model.memory_tokens.position.shape[1:]
    maps = {
        "top": torch.rand(2, channels, side, side),
        "stride4": torch.rand(2, channels // 8, 4 * side, 4 * side),
        "stride8": torch.rand(2, channels // 4, 2 * side, 2 * side),
    }
    one = {name: value[:1] for name, value in maps.items()}
    return {
        "encode": {"grey": torch.rand(2, 1, size, size)},
        "prompt_mask": {**one, "mask": (torch.rand(1, 1, size, size) > 0.5).float()},
        "prompt_points": {
            **one,
            "points": torch.rand(1, 1, 3, 2) * size,
            "labels": torch.tensor([[[1, 0, 1]]]),
            "several": torch.tensor(True),
        },
        "track": {
            **maps,
            "item": torch.tensor([0, 1, 1]),
            "memory": torch.randn(3, 2, positions, width),
            "position": torch.randn(3, 2, positions, width),
            "pointers": torch.randn(3, 2, channels),
            "distances": torch.rand(3, 2),
        },
        "memorise": {
            "top": maps["top"],
            "logits": F.interpolate(torch.randn(2, 1, 8, 8), (4 * side, 4 * side))[:, 0],
            "drawn": torch.tensor([True, False]),
            "absent": torch.tensor([False, True]),
        },
    }


def varying() -> dict[str, dict[str, dict[int, str]]]:
    """Return which dimensions vary, by graph and input."""
    slices = {name: {0: "n"} for name in ("top", "stride4", "stride8")}
    return {
        "encode": {"grey": {0: "n"}},
        "prompt_mask": {},
        "prompt_points": {"points": {2: "k"}, "labels": {2: "k"}},
        "track": {
            **{name: {0: "u"} for name in slices},
            "item": {0: "n"},
            "memory": {0: "n", 1: "m"},
            "position": {0: "n", 1: "m"},
            "pointers": {0: "n", 1: "p"},
            "distances": {0: "n", 1: "p"},
        },
        "memorise": {name: {0: "n"} for name in ("top", "logits", "drawn", "absent")},
    }
