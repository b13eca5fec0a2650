"""SAM 2 in PyTorch, built from the parts of transformers' ``Sam2VideoModel``.

Its parts only: image encoder, prompt encoder, mask decoder, memory attention, memory encoder and
embeddings. Neither its session nor its frame loop is used, because which memory a slice attends
to is voxtrail's own question. Shapes in comments: n slices, C channels, h x w positions at stride
16, M = 64 memory channels.
"""

from __future__ import annotations

import math
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from voxtrail.core.prompts import BoxPrompt, MaskPrompt, PointPrompt, Prompt
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.model.base import Step, Tracking
from voxtrail.model.image_encoder import ImageEncoder
from voxtrail.model.memory_attention import MemoryAttention
from voxtrail.model.shortcuts import Shortcuts

#: A drawn mask as logits: +10 inside, -10 outside.
MASK_LOGIT = 10.0
#: Logit of every pixel of a slice from which the object is absent.
ABSENT_LOGIT = -1024.0
#: Labels of the reference for a box's corners and for an empty point.
CORNER_LABELS = (2, 3)
EMPTY_POINT_LABEL = -1
#: Pixels encoded in one call: sixteen slices of 256 x 256, one of 1024 x 1024.
ENCODE_PIXELS = 1024 * 1024
#: What a slice's features are called in a file.
PACKED_NAMES = ("top", "stride4", "stride8")
#: Base of the sine encoding of pointer distances.
SINE_BASE = 10_000.0


@dataclass(frozen=True, eq=False)
class SliceFeatures:
    """One encoded slice.

    Parameters
    ----------
    top
        (C, h, w) features at stride 16.
    fine
        (C/8, 4h, 4w) and (C/4, 2h, 2w): the decoder's maps at strides 4 and 8.
    """

    top: Tensor
    fine: tuple[Tensor, Tensor]


class Sam2SliceModel:
    """A frozen SAM 2 at a fixed input size; implements `voxtrail.model.base.SliceModel`.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel`` whose configuration carries the input size. It is put
        into evaluation mode and asks for no gradients from then on.
    weights_sha256
        Checksum of the weights, by which cached features know them; a model without one shares
        its features with no other.
    shortcuts
        Where to compute less than the reference; by default nowhere.

    Notes
    -----
    Source of every step: ``sam2.modeling.sam2_base.SAM2Base`` and
    ``sam2.sam2_video_predictor.SAM2VideoPredictor`` (PyPI sam2 1.1.0), whose masks it reproduces.
    """

    def __init__(
        self,
        network: Any,
        weights_sha256: str | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.shortcuts = shortcuts or Shortcuts()
        self._net = network.eval().requires_grad_(False)
        config = network.config
        self._config = config
        self._size = int(config.image_size)
        self._side = self._size // 16
        self._device = network.no_memory_embedding.device
        self._channels = int(config.vision_config.fpn_hidden_size)
        self._memory_channels = int(config.memory_encoder_output_channels)
        self._weights = weights_sha256 or secrets.token_hex(16)
        self.stopwatch = Stopwatch()
        with torch.inference_mode():
            self._image_position = network.get_image_wide_positional_embeddings()
            # (h*w, C): the sine encoding of the neck, added to the queries of memory attention.
            query_position = self._sine_map(
                network.vision_encoder.neck.position_encoding, self._channels
            )
            memory_position = self._sine_map(
                network.memory_encoder.position_encoding, self._memory_channels
            )
            coarse = self.shortcuts.coarse_memories
            # (positions, M)
            self._memory_position = _tokens(_halved(memory_position) if coarse else memory_position)
            dtype = getattr(torch, self.shortcuts.precision)
            self._encoder = ImageEncoder(network, self._size, dtype)
            self._attention = MemoryAttention(
                network, _tokens(query_position)[0], self._side, coarse, dtype
            )
        if self.shortcuts.compiled:
            self._encoder.compile()
            self._attention.compile(dynamic=True)

    @property
    def input_size(self) -> int:
        """Side of the square, in pixels, to which slices are resized."""
        return self._size

    @property
    def device(self) -> str:
        """Where it runs, as PyTorch names it."""
        return str(self._device)

    @property
    def fingerprint(self) -> str:
        """What features depend on besides the slice."""
        arithmetic = f"torch {torch.__version__} {self._device} {self.shortcuts.precision}"
        return f"{self._weights}|{self._size}|{arithmetic}"

    @property
    def runtime(self) -> str:
        """What runs it."""
        return "torch"

    @torch.inference_mode()
    def encode(self, slices: NDArray[np.float32]) -> list[SliceFeatures]:
        """Encode slices: (n, rows, columns) float32, 0 to 1. Returns one item a slice."""
        chunk = max(1, ENCODE_PIXELS // self._size**2)
        encoded: list[SliceFeatures] = []
        for start in range(0, len(slices), chunk):
            with self.stopwatch.measure("image encoder"):
                encoded.extend(self._encode_chunk(slices[start : start + chunk]))
        return encoded

    def pack(self, features: SliceFeatures) -> dict[str, NDArray[np.generic]]:
        """Return one slice's features as arrays: top, stride 4 and stride 8.

        NumPy knows no bfloat16: such features are handed out as the int16 of the same bits.
        """
        tensors = [one.cpu() for one in (features.top, *features.fine)]
        arrays = [
            (one.view(torch.int16) if one.dtype == torch.bfloat16 else one).numpy()
            for one in tensors
        ]
        return dict(zip(PACKED_NAMES, arrays, strict=True))

    def unpack(self, arrays: Mapping[str, NDArray[np.generic]]) -> SliceFeatures:
        """Return the features that `pack` made arrays of."""
        read = [torch.from_numpy(arrays[name]) for name in PACKED_NAMES]
        top, stride4, stride8 = (
            (one.view(torch.bfloat16) if one.dtype == torch.int16 else one).to(self._device)
            for one in read
        )
        return SliceFeatures(top, (stride4, stride8))

    @torch.inference_mode()
    def prompt(self, features: SliceFeatures, prompt: Prompt, shape_hw: tuple[int, int]) -> Step:
        """Segment a slice from what was drawn on it, without any memory."""
        if isinstance(prompt, MaskPrompt):
            return self._prompt_mask(features, prompt.mask)
        points, labels = _points_of(prompt)
        rows, columns = shape_hw
        # The reference divides by the slice's size and multiplies by the input's.
        scale = torch.tensor([self._size / columns, self._size / rows], device=self._device)
        coordinates = torch.tensor(points, dtype=torch.float32, device=self._device) * scale
        sparse, dense = self._net.prompt_encoder(
            input_points=coordinates[None, None],
            input_labels=torch.tensor(labels, device=self._device)[None, None],
            input_boxes=None,
            input_masks=None,
        )
        top = features.top[None] + self._net.no_memory_embedding.view(1, -1, 1, 1)
        return self._decode(top, [features], sparse, dense, len(labels), prompted=True)[0]

    @torch.inference_mode()
    def track(self, trackings: Sequence[Tracking]) -> list[Step]:
        """Segment slices from memories alone; those with as many memories go in one batch."""
        alike: dict[tuple[int, int], list[int]] = defaultdict(list)
        for position, tracking in enumerate(trackings):
            alike[len(tracking.memories), len(tracking.pointers)].append(position)
        steps: dict[int, Step] = {}
        for positions in alike.values():
            batch = self._track_alike([trackings[position] for position in positions])
            steps.update(zip(positions, batch, strict=True))
        return [steps[position] for position in range(len(trackings))]

    @torch.inference_mode()
    def memorise(self, features: Sequence[SliceFeatures], steps: Sequence[Step]) -> list[Tensor]:
        """Make the spatial memories of segmented slices: (h*w, M) bfloat16 each.

        The reference keeps them in bfloat16 too, whatever the model computes in.
        """
        logits = torch.stack([step.logits for step in steps])[:, None]
        logits = _resize(logits, (self._size, self._size))
        drawn = torch.tensor([step.prompted for step in steps], device=self._device)
        masks = torch.where(
            drawn[:, None, None, None], (logits > 0).to(logits.dtype), torch.sigmoid(logits)
        )
        masks = masks * self._config.sigmoid_scale_for_mem_enc
        masks = masks + self._config.sigmoid_bias_for_mem_enc
        top = torch.stack([item.top for item in features])
        with self.stopwatch.measure("memory encoder"), self._in_precision():
            memories, _ = self._net.memory_encoder(top, masks)  # (n, M, h, w)
        absent_embedding = self._net.occlusion_spatial_embedding_parameter
        if absent_embedding is not None:
            absent = torch.tensor(
                [step.object_score <= 0 for step in steps], device=self._device
            ).to(memories.dtype)
            memories = memories + absent[:, None, None, None] * absent_embedding[..., None, None]
        if self.shortcuts.coarse_memories:
            memories = _halved(memories)
        return list(_tokens(memories).to(torch.bfloat16))

    @torch.inference_mode()
    def masks(self, steps: Sequence[Step], shape_hw: tuple[int, int]) -> NDArray[np.float32]:
        """Return mask logits (n, rows, columns) float32 at the size of the slices."""
        logits = torch.stack([step.logits for step in steps])[:, None]
        resized: NDArray[np.float32] = _resize(logits, shape_hw)[:, 0].cpu().numpy()
        return resized

    def _encode_chunk(self, slices: NDArray[np.float32]) -> list[SliceFeatures]:
        grey = torch.from_numpy(np.ascontiguousarray(slices, dtype=np.float32))[:, None]
        grey = grey.to(self._device)
        if grey.shape[-2:] != (self._size, self._size):
            grey = F.interpolate(
                grey,
                size=(self._size, self._size),
                mode="bilinear",
                align_corners=False,
                antialias=True,
            )
        top, finest, finer = self._encoder(grey)
        return [
            # Copies, so that one slice does not keep the memory of its whole chunk alive; laid out
            # as they come back from a file, so that those give the same bits.
            SliceFeatures(_copied(top[i]), (_copied(finest[i]), _copied(finer[i])))
            for i in range(len(slices))
        ]

    def _prompt_mask(self, features: SliceFeatures, drawn: NDArray[np.bool_]) -> Step:
        mask = torch.from_numpy(np.ascontiguousarray(drawn))[None, None].float().to(self._device)
        if mask.shape[-2:] != (self._size, self._size):
            mask = F.interpolate(
                mask,
                size=(self._size, self._size),
                mode="bilinear",
                align_corners=False,
                antialias=True,
            )
            mask = (mask >= 0.5).float()
        logits = F.interpolate(
            mask * (2 * MASK_LOGIT) - MASK_LOGIT,
            size=(self._size // 4, self._size // 4),
            mode="bilinear",
            align_corners=False,
            antialias=True,
        )
        # The mask is taken as it is; the decoder only makes its pointer (without no-memory
        # embedding, and from the single-mask token, as in the reference).
        points, labels = self._empty_point(1)
        sparse, dense = self._net.prompt_encoder(
            input_points=points,
            input_labels=labels,
            input_boxes=None,
            input_masks=self._net.mask_downsample(mask),
        )
        decoded = self._decode(features.top[None], [features], sparse, dense, None, prompted=True)
        present = bool(mask.any())
        pointer = decoded[0].pointer if present else self._net.no_object_pointer[0]
        return Step(
            logits=logits[0, 0],
            pointer=pointer,
            predicted_iou=1.0,
            object_score=MASK_LOGIT if present else -MASK_LOGIT,
            prompted=True,
        )

    def _track_alike(self, trackings: list[Tracking]) -> list[Step]:
        features = [tracking.features for tracking in trackings]
        # Labels that look at the same slice share what does not depend on the label.
        seen = list({id(item): item for item in features}.values())
        item = torch.tensor([seen.index(one) for one in features], device=self._device)
        memory, position = self._spatial_tokens(trackings)
        pointers, pointer_position = self._pointer_tokens(trackings)
        with self.stopwatch.measure("memory attention"):
            fused = self._attention(
                torch.stack([one.top for one in seen]),
                item,
                memory,
                position,
                pointers,
                pointer_position,
            )
        points, labels = self._empty_point(len(trackings))
        sparse, dense = self._net.prompt_encoder(
            input_points=points, input_labels=labels, input_boxes=None, input_masks=None
        )
        return self._decode(fused, features, sparse, dense, 0, prompted=False)

    def _spatial_tokens(self, trackings: list[Tracking]) -> tuple[Tensor, Tensor]:
        """Return the tokens of spatial memories and their positions: (n, m, positions, M) each."""
        temporal = self._net.memory_temporal_positional_encoding[:, 0, 0]  # (7, M)
        tokens = torch.stack(
            [torch.stack([memory for memory, _ in item.memories]) for item in trackings]
        )
        which = torch.tensor(
            [[index for _, index in item.memories] for item in trackings], device=self._device
        )
        return tokens.float(), self._memory_position + temporal[which][:, :, None]

    def _pointer_tokens(self, trackings: list[Tracking]) -> tuple[Tensor, Tensor]:
        """Split each pointer of C channels into C / M tokens; returns two of (n, t, M)."""
        count, each = len(trackings), len(trackings[0].pointers)
        if not each:
            none = torch.zeros(count, 0, self._memory_channels, device=self._device)
            return none, none
        pointers = torch.stack(
            [torch.stack([pointer for pointer, _ in item.pointers]) for item in trackings]
        )  # (n, p, C)
        split = self._channels // self._memory_channels
        tokens = pointers.reshape(count, each * split, self._memory_channels)
        if not self._config.enable_temporal_pos_encoding_for_object_pointers:
            return tokens, torch.zeros_like(tokens)
        distances = torch.tensor(
            [[distance for _, distance in item.pointers] for item in trackings],
            device=self._device,
        )
        position = self._net.temporal_positional_encoding_projection_layer(
            _sine(distances, self._channels)
        )
        return tokens, position.repeat_interleave(split, dim=1)

    def _decode(
        self,
        top: Tensor,
        features: Sequence[SliceFeatures],
        sparse: Tensor,
        dense: Tensor,
        num_points: int | None,
        *,
        prompted: bool,
    ) -> list[Step]:
        """Run the mask decoder: ``top`` (n, C, h, w) with the prompts' embeddings.

        ``num_points`` decides between one mask and the best of three; None means one.
        """
        several = (
            num_points is not None
            and self._config.multimask_output_in_sam
            and (prompted or self._config.multimask_output_for_tracking)
            and self._config.multimask_min_pt_num <= num_points <= self._config.multimask_max_pt_num
        )
        count = len(top)
        with self.stopwatch.measure("mask decoder"), self._in_precision():
            masks, ious, tokens, scores = self._net.mask_decoder(
                image_embeddings=top,
                image_positional_embeddings=self._image_position.expand(count, -1, -1, -1),
                sparse_prompt_embeddings=sparse,
                dense_prompt_embeddings=dense,
                multimask_output=several,
                high_resolution_features=[
                    torch.stack([item.fine[level] for item in features]) for level in range(2)
                ],
            )
        masks, ious = masks[:, 0].float(), ious[:, 0].float()
        tokens, scores = tokens[:, 0].float(), scores[:, 0, 0].float()
        rows = torch.arange(count, device=self._device)
        best = ious.argmax(dim=-1) if several else torch.zeros_like(rows)
        present = scores > 0
        logits = torch.where(present[:, None, None], masks[rows, best], ABSENT_LOGIT)
        pointers = self._net.object_pointer_proj(tokens[rows, best])
        pointers = torch.where(present[:, None], pointers, self._net.no_object_pointer)
        # One transfer for all numbers that the propagator looks at.
        numbers = torch.stack([ious[rows, best], scores], dim=1).cpu().tolist()
        return [
            Step(logits[i], pointers[i], iou, score, prompted)
            for i, (iou, score) in enumerate(numbers)
        ]

    def _sine_map(self, encoding: Any, channels: int) -> Tensor:
        """Return the sine encoding of positions at stride 16: (1, channels, h, w)."""
        shape = torch.Size((1, channels, self._side, self._side))
        found: Tensor = encoding(shape, self._device, torch.float32)
        return found

    def _in_precision(self) -> torch.autocast:
        """Let transformers' own parts compute in the precision that was asked for."""
        return torch.autocast(
            self._device.type, torch.bfloat16, enabled=self.shortcuts.precision == "bfloat16"
        )

    def _empty_point(self, count: int) -> tuple[Tensor, Tensor]:
        points = torch.zeros(count, 1, 1, 2, device=self._device)
        labels = torch.full((count, 1, 1), EMPTY_POINT_LABEL, device=self._device)
        return points, labels


def _points_of(
    prompt: BoxPrompt | PointPrompt,
) -> tuple[list[tuple[float, float]], list[int]]:
    """Return a box or clicks as the points and labels that SAM 2 embeds."""
    if isinstance(prompt, BoxPrompt):
        left, top, right, bottom = prompt.box_xyxy
        return [(left, top), (right, bottom)], list(CORNER_LABELS)
    return list(prompt.points_xy), [int(positive) for positive in prompt.positive]


def _copied(features: Tensor) -> Tensor:
    return features.clone(memory_format=torch.contiguous_format)


def _tokens(maps: Tensor) -> Tensor:
    """Turn (n, C, h, w) into (n, h*w, C)."""
    return maps.flatten(2).transpose(1, 2)


def _halved(maps: Tensor) -> Tensor:
    """Average (n, C, h, w) over 2 x 2 positions."""
    return F.avg_pool2d(maps, 2)


def _resize(logits: Tensor, shape_hw: tuple[int, int]) -> Tensor:
    if tuple(logits.shape[-2:]) == tuple(shape_hw):
        return logits
    return F.interpolate(logits, size=shape_hw, mode="bilinear", align_corners=False)


def _sine(positions: Tensor, channels: int) -> Tensor:
    """Encode numbers as sines and cosines of falling frequency: (...) to (..., channels)."""
    half = channels // 2
    exponent = 2 * (torch.arange(half, device=positions.device) // 2) / half
    angles = positions[..., None] / torch.exp(exponent * math.log(SINE_BASE))
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
