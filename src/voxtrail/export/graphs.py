"""The modules that become graphs: a model's parts over plain tensors.

Each takes and returns what `voxtrail.model.exported` feeds and reads, by the names of the
parameters of ``forward`` and of `OUTPUTS`. Sizes are fixed but for the numbers of slices (n, u),
memories (m), pointers (p) and points (k).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from voxtrail.model.decoder import best
from voxtrail.model.torch_model import TorchSliceModel

OUTPUTS = {
    "encode": ("image_embedding", "stride4", "stride8"),
    "attend": ("conditioned",),
    "decode_mask": ("pointer",),
    "decode_points": ("logits", "pointer", "iou", "score"),
    "decode_tracked": ("logits", "pointers", "ious", "score"),
    "memorise": ("memory",),
}


class Attend(nn.Module):
    """Memory attention."""

    def __init__(self, model: TorchSliceModel) -> None:
        super().__init__()
        self._pointer_tokens = model.memory_tokens.of_pointers
        self._attention = model.memory_attention

    def forward(
        self,
        image_embedding: Tensor,
        item: Tensor,
        memory: Tensor,
        position: Tensor,
        pointers: Tensor,
        distances: Tensor,
    ) -> Tensor:
        """Attend; see `voxtrail.model.memory_attention.MemoryAttention` for the shapes."""
        tokens, places = self._pointer_tokens(pointers, distances)
        conditioned: Tensor = self._attention(
            image_embedding, item, memory, position, tokens, places
        )
        return conditioned


class DecodeMask(nn.Module):
    """The pointer of a drawn mask, which itself is taken as it is."""

    def __init__(self, model: TorchSliceModel) -> None:
        super().__init__()
        self._downsample = model.network.mask_downsample
        self._embed = model.network.prompt_encoder.mask_embed
        self._decoder = model.decoder
        self._sparse = nn.Buffer(model.no_prompt[0])

    def forward(
        self, image_embedding: Tensor, stride4: Tensor, stride8: Tensor, mask: Tensor
    ) -> Tensor:
        """Take (1, 1, drawn, drawn) float32 of 0 and 1; return (1, C)."""
        dense = self._embed(self._downsample(mask))
        maps = (image_embedding, stride4, stride8)
        _, pointers, _, _ = self._decoder(*maps, self._sparse, dense, False)
        decoded: Tensor = pointers[:, 0]
        return decoded


class DecodePoints(nn.Module):
    """The mask of points and of a box's corners, which may correct a mask."""

    def __init__(self, model: TorchSliceModel) -> None:
        super().__init__()
        self._encoder = model.network.prompt_encoder
        self._dense = nn.Buffer(model.no_prompt[1])
        self._decoder = model.decoder

    def forward(
        self,
        image_embedding: Tensor,
        stride4: Tensor,
        stride8: Tensor,
        points: Tensor,
        labels: Tensor,
        previous: Tensor,
        corrects: Tensor,
        multimask: Tensor,
    ) -> tuple[Tensor, ...]:
        """Decode.

        Parameters
        ----------
        image_embedding
            (1, C, h, w), with memories or with the embedding that stands for none.
        stride4, stride8
            (1, C/8, 4h, 4w) and (1, C/4, 2h, 2w).
        points, labels
            Pixels of the input (1, 1, k, 2) and labels (1, 1, k).
        previous
            Logits (1, 1, 4h, 4w) of the mask to correct; looked at only if ``corrects``.
        corrects, multimask
            Scalars, bool: whether there is such a mask; whether the best of three counts.
        """
        sparse, embedded = self._encoder(
            input_points=points, input_labels=labels, input_boxes=None, input_masks=previous
        )
        dense = torch.where(corrects, embedded, self._dense)
        maps = (image_embedding, stride4, stride8)
        of_three = best(*self._decoder(*maps, sparse, dense, True))
        only = best(*self._decoder(*maps, sparse, dense, False))
        return tuple(torch.where(multimask, a, b) for a, b in zip(of_three, only, strict=True))


class DecodeTracked(nn.Module):
    """The masks that follow from memories alone."""

    def __init__(self, model: TorchSliceModel) -> None:
        super().__init__()
        self._decoder = model.decoder
        self._sparse, self._dense = (nn.Buffer(one) for one in model.no_prompt)
        self._multimask = model.best_of_three.applies(0, tracked=True)

    def forward(
        self, image_embedding: Tensor, stride4: Tensor, stride8: Tensor
    ) -> tuple[Tensor, ...]:
        """Take conditioned maps of n labels; see `voxtrail.model.decoder.Decoder`."""
        count = image_embedding.shape[0]
        decoded: tuple[Tensor, ...] = self._decoder(
            image_embedding,
            stride4,
            stride8,
            self._sparse.expand(count, -1, -1, -1),
            self._dense.expand(count, -1, -1, -1),
            self._multimask,
        )
        return decoded


def graphs(model: TorchSliceModel) -> dict[str, nn.Module]:
    """Return the modules by the names of their graphs."""
    return {
        "encode": model.encoder,
        "attend": Attend(model),
        "decode_mask": DecodeMask(model),
        "decode_points": DecodePoints(model),
        "decode_tracked": DecodeTracked(model),
        "memorise": model.memory_encoder,
    }


def examples(model: TorchSliceModel) -> dict[str, dict[str, Tensor]]:
    """Return inputs of the right shapes; sizes that vary are 2 or 3, which no constant equals."""
    size, side = model.input_size, model.spec.positions(model.input_size)
    drawn = model.spec.drawn_side(size)
    channels = model.network.config.vision_config.fpn_hidden_size
    positions, width = model.memory_tokens.position.shape[1:]
    maps = {
        "image_embedding": torch.rand(2, channels, side, side),
        "stride4": torch.rand(2, channels // 8, 4 * side, 4 * side),
        "stride8": torch.rand(2, channels // 4, 2 * side, 2 * side),
    }
    one = {name: value[:1] for name, value in maps.items()}
    return {
        "encode": {"grey": torch.rand(2, 1, size, size)},
        "attend": {
            "image_embedding": maps["image_embedding"],
            "item": torch.tensor([0, 1, 1]),
            "memory": torch.randn(3, 2, positions, width),
            "position": torch.randn(3, 2, positions, width),
            "pointers": torch.randn(3, 2, channels),
            "distances": torch.rand(3, 2),
        },
        "decode_mask": {**one, "mask": (torch.rand(1, 1, drawn, drawn) > 0.5).float()},
        "decode_points": {
            **one,
            "points": torch.rand(1, 1, 3, 2) * size,
            "labels": torch.tensor([[[1, 0, 1]]]),
            "previous": torch.randn(1, 1, 4 * side, 4 * side),
            "corrects": torch.tensor(True),
            "multimask": torch.tensor(True),
        },
        "decode_tracked": maps,
        "memorise": {
            "image_embedding": maps["image_embedding"],
            "logits": F.interpolate(torch.randn(2, 1, 8, 8), (4 * side, 4 * side))[:, 0],
            "drawn": torch.tensor([True, False]),
            "absent": torch.tensor([False, True]),
        },
    }


def varying() -> dict[str, dict[str, dict[int, str]]]:
    """Return which dimensions vary, by graph and input."""
    return {
        "encode": {"grey": {0: "n"}},
        "attend": {
            "image_embedding": {0: "u"},
            "item": {0: "n"},
            "memory": {0: "n", 1: "m"},
            "position": {0: "n", 1: "m"},
            "pointers": {0: "n", 1: "p"},
            "distances": {0: "n", 1: "p"},
        },
        "decode_mask": {},
        "decode_points": {"points": {2: "k"}, "labels": {2: "k"}},
        "decode_tracked": {name: {0: "n"} for name in ("image_embedding", "stride4", "stride8")},
        "memorise": {name: {0: "n"} for name in ("image_embedding", "logits", "drawn", "absent")},
    }
