"""SAM 2 and its kin in PyTorch, built from the parts of transformers' video models.

Their parts only: image encoder, prompt encoder, mask decoder, memory attention, memory encoder and
embeddings. Neither their session nor their frame loop is used, because which memory a slice attends
to is voxtrail's own question. Shapes in comments: n slices, C channels, h x w positions of the
image embedding, M = 64 memory channels.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, SupportsFloat

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from voxtrail.core.memory_spec import MemorySpec
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.model.agreement import Agreement
from voxtrail.model.base import SlicePrediction, Tracking
from voxtrail.model.conventions import (
    ENCODE_PIXELS,
    ENCODE_PIXELS_GPU,
    MASK_LOGIT,
    BestOfThree,
    in_batches,
)
from voxtrail.model.cuda_graphed import CudaGraphed
from voxtrail.model.decoder import Decoder, best
from voxtrail.model.device import on_device
from voxtrail.model.int8 import in_int8
from voxtrail.model.linear import number_type
from voxtrail.model.maps import as_tokens, copied, fitted, resized, shares, sine_map
from voxtrail.model.memory_attention import MemoryAttention
from voxtrail.model.memory_encoder import MemoryEncoder
from voxtrail.model.memory_layout import MemoryLayout
from voxtrail.model.memory_tokens import MemoryTokens
from voxtrail.model.prompt_reader import PromptReader
from voxtrail.model.shortcuts import Shortcuts
from voxtrail.model.slice_features import SliceFeatures, from_array, to_array
from voxtrail.model.spec import ModelSpec

#: What `voxtrail.model.decoder.Decoder` returns, in float32.
Decoded = tuple[Tensor, Tensor, Tensor, Tensor]

#: Label of the reference for an empty point.
EMPTY_POINT_LABEL = -1


class TorchSliceModel(PromptReader):
    """A frozen network at a fixed input size; implements `voxtrail.model.base.SliceModel`.

    Parameters
    ----------
    network
        A ``transformers.Sam2VideoModel``, or another that names its parts alike, whose
        configuration carries the input size; frozen, as `voxtrail.model.network` builds it.
    encoder
        From grey slices (n, 1, size, size), 0 to 1, to the image embedding (n, C, h, w) and the
        decoder's maps (n, C/8, 4h, 4w) and (n, C/4, 2h, 2w).
    layout
        How its memories become tokens.
    spec
        Its sizes and the room in its memory.
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
        encoder: nn.Module,
        layout: MemoryLayout,
        spec: ModelSpec,
        weights_sha256: str | None = None,
        shortcuts: Shortcuts | None = None,
    ) -> None:
        self.spec = spec
        self.shortcuts = shortcuts or Shortcuts()
        self._net = network
        config = network.config
        self._size = int(config.image_size)
        self.best_of_three = read_best_of_three(config)
        self._side = spec.positions(self._size)
        self._device = network.no_memory_embedding.device
        self._channels = int(config.vision_config.fpn_hidden_size)
        self._weights = weights_sha256 or secrets.token_hex(16)
        self.stopwatch = Stopwatch()
        with torch.no_grad():
            # The sine encoding of the neck is added to the queries of memory attention.
            query_position = sine_map(
                network.vision_encoder.neck.position_encoding,
                self._channels,
                self._side,
                self._device,
            )
            self.memory_tokens = MemoryTokens(network, layout.position)
            self.encoder = encoder
            self.memory_attention = MemoryAttention(
                network,
                as_tokens(query_position)[0],
                self._side,
                layout,
                number_type(self.shortcuts.precision),
            )
            self.decoder = Decoder(network)
            self.memory_encoder = MemoryEncoder(
                network, self._size, spec.drawn_side(self._size), layout.to_tokens
            )
            self.no_prompt = self._embedded_nothing()
        if self.shortcuts.precision == "int8":
            in_int8(self.encoder)
            in_int8(self.memory_attention)
        if self.shortcuts.compiled:
            # "Freezing" lays the weights out for the processor once and for all; it wants neither
            # gradients nor inference mode, which is why this module says no_grad.
            options = {"freezing": self._device.type == "cpu"}
            self.encoder.compile(options=options)
            self.memory_attention.compile(dynamic=True, options=options)
        self._attend = CudaGraphed(self.memory_attention)
        self._decoded = CudaGraphed(self._narrowed(self.decoder))
        self._written = CudaGraphed(self._narrowed(self.memory_encoder))

    def _narrowed(self, part: Callable[..., Any]) -> Callable[..., Any]:
        """Return a part in autocast where that gains something: on a GPU, as the reference runs."""
        if self._device.type != "cuda" or self.shortcuts.precision == "float32":
            return part

        def narrowed(*arguments: Any) -> Any:
            # Without PyTorch's cache of narrow weights, which a captured graph would not outlive.
            with torch.autocast("cuda", torch.bfloat16, cache_enabled=False):
                return part(*arguments)

        return narrowed

    @property
    def network(self) -> Any:
        """The ``Sam2VideoModel`` whose weights it uses."""
        return self._net

    @property
    def temporal_embeddings(self) -> Tensor:
        """One a slot of memory: (7, M)."""
        return self.memory_tokens.temporal_embeddings

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
    def memory_spec(self) -> MemorySpec:
        """What its memory has room for."""
        return self.spec.memory

    @property
    def runtime(self) -> str:
        """What runs it."""
        return "torch"

    @torch.no_grad()
    def encode(self, slices: NDArray[np.float32]) -> list[SliceFeatures]:
        """Encode slices: (n, rows, columns) float32, 0 to 1. Returns one item a slice."""
        pixels = ENCODE_PIXELS_GPU if self._device.type == "cuda" else ENCODE_PIXELS
        chunk = max(1, pixels // self._size**2)
        encoded: list[SliceFeatures] = []
        for start in range(0, len(slices), chunk):
            with self.stopwatch.measure("image encoder"):
                encoded.extend(self._encode_chunk(slices[start : start + chunk]))
        return encoded

    def pack(self, features: SliceFeatures) -> dict[str, NDArray[np.generic]]:
        """Return one slice's features as float32 arrays."""
        return features.pack()

    def unpack(self, arrays: Mapping[str, NDArray[np.generic]]) -> SliceFeatures:
        """Return the features that `pack` made arrays of."""
        return SliceFeatures.unpack(arrays, self._device)

    def to_array(self, tensor: Tensor) -> NDArray[np.generic]:
        """Return logits, a pointer or a spatial memory as an array, bfloat16 as its 16 bits."""
        return to_array(tensor)

    def from_array(self, array: NDArray[np.generic]) -> Tensor:
        """Return what `to_array` made an array of."""
        return from_array(array, self._device)

    @torch.no_grad()
    def track(self, trackings: Sequence[Tracking]) -> list[SlicePrediction]:
        """Segment slices from memories alone; those with as many memories go in one batch."""
        return in_batches(trackings, self._track_alike)

    @torch.no_grad()
    def hypotheses(self, trackings: Sequence[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        """Segment slices, keeping all masks; see `voxtrail.model.base.SliceModel`."""
        return in_batches(trackings, self._hypotheses_alike)

    @torch.no_grad()
    def memorise(
        self, features: Sequence[SliceFeatures], predictions: Sequence[SlicePrediction]
    ) -> list[Tensor]:
        """Make the spatial memories of segmented slices: (h*w, M) bfloat16 each.

        The reference keeps them in bfloat16 too, whatever the model computes in.
        """
        with self.stopwatch.measure("memory encoder"):
            memories = self._written(
                torch.stack([item.image_embedding for item in features]),
                torch.stack([prediction.logits for prediction in predictions]),
                on_device([prediction.prompted for prediction in predictions], self._device),
                torch.stack([self._number(one.object_score) for one in predictions]) <= 0,
            )
        return list(memories.to(torch.bfloat16))

    @torch.no_grad()
    def likeness(self, memory: Tensor, others: Sequence[Tensor]) -> list[Tensor]:
        """Return how alike a spatial memory is to others; see `voxtrail.model.base.SliceModel`."""
        if not others:
            return []
        # (m, h*w, M) and (h*w, M)
        alike = F.cosine_similarity(torch.stack(list(others)).float(), memory.float(), dim=-1)
        return list(alike.mean(dim=-1))

    @torch.no_grad()
    def weighted(self, memory: Tensor, weight: float) -> Tensor:
        """Return a spatial memory times a weight."""
        return memory * weight

    @torch.no_grad()
    def masks(
        self, predictions: Sequence[SlicePrediction], shape_hw: tuple[int, int]
    ) -> NDArray[np.float32]:
        """Return mask logits (n, rows, columns) float32 at the size of the slices."""
        logits = torch.stack([prediction.logits for prediction in predictions])[:, None]
        found: NDArray[np.float32] = resized(logits, shape_hw)[:, 0].cpu().numpy()
        return found

    def _encode_chunk(self, slices: NDArray[np.float32]) -> list[SliceFeatures]:
        grey = torch.from_numpy(np.ascontiguousarray(slices, dtype=np.float32))[:, None]
        grey = grey.to(self._device, non_blocking=True)
        image_embedding, finest, finer = self.encoder(fitted(grey, self._size))
        return [
            # Copies, so that one slice does not keep the memory of its whole chunk alive; laid out
            # as they come back from a file, so that those give the same bits.
            SliceFeatures(copied(image_embedding[i]), (copied(finest[i]), copied(finer[i])))
            for i in range(len(slices))
        ]

    @torch.no_grad()
    def _outline(self, drawn: NDArray[np.bool_]) -> tuple[Tensor, Tensor]:
        mask = torch.from_numpy(np.ascontiguousarray(drawn))[None, None].float().to(self._device)
        mask = (fitted(mask, self.spec.drawn_side(self._size)) >= 0.5).float()
        logits = fitted(mask * (2 * MASK_LOGIT) - MASK_LOGIT, self.spec.mask_side(self._size))
        return mask, logits[0, 0]

    @torch.no_grad()
    def _outlined(self, features: SliceFeatures, mask: Tensor, logits: Tensor) -> SlicePrediction:
        # The mask is taken as it is; the decoder only makes its pointer (without no-memory
        # embedding, and from the single-mask token, as in the reference).
        sparse, _ = self.no_prompt
        dense = self._net.prompt_encoder.mask_embed(self._net.mask_downsample(mask))
        _, pointers, _, _ = self._decode(
            features.image_embedding[None], [features], sparse, dense, False
        )
        present = bool(mask.any())
        pointer = pointers[0, 0] if present else self._net.no_object_pointer[0]
        return SlicePrediction(
            logits=logits,
            pointer=pointer,
            predicted_iou=1.0,
            object_score=MASK_LOGIT if present else -MASK_LOGIT,
            prompted=True,
            area=shares(logits[None])[0],
        )

    @torch.no_grad()
    def _pointed(
        self,
        features: SliceFeatures,
        points: NDArray[np.float32],
        labels: NDArray[np.int64],
        corrected: Tensor | None,
        tracking: Tracking | None,
        multimask: bool,
    ) -> SlicePrediction:
        sparse, dense = self._net.prompt_encoder(
            input_points=on_device(points, self._device)[None, None],
            input_labels=on_device(labels, self._device)[None, None],
            input_boxes=None,
            input_masks=None if corrected is None else corrected[None, None],
        )
        if tracking is None:
            no_memory = self._net.no_memory_embedding.view(1, -1, 1, 1)
            conditioned = features.image_embedding[None] + no_memory
        else:
            conditioned = self._conditioned([tracking])
        decoded = self._decode(conditioned, [features], sparse, dense, multimask)
        return self._chosen(*decoded, prompted=True)[0]

    def _track_alike(self, trackings: list[Tracking]) -> list[SlicePrediction]:
        return self._chosen(*self._decode_tracked(trackings), prompted=False)

    def _hypotheses_alike(self, trackings: list[Tracking]) -> list[tuple[SlicePrediction, ...]]:
        masks, pointers, ious, scores = self._decode_tracked(trackings)
        return [
            tuple(
                SlicePrediction(mask, pointer, iou, scores[i], False, area)
                for mask, pointer, iou, area in zip(
                    masks[i], pointers[i], ious[i], shares(masks[i]), strict=True
                )
            )
            for i in range(len(masks))
        ]

    def _decode_tracked(self, trackings: Sequence[Tracking]) -> Decoded:
        sparse, dense = self.no_prompt
        count = len(trackings)
        return self._decode(
            self._conditioned(trackings),
            [tracking.features for tracking in trackings],
            sparse.expand(count, -1, -1, -1),
            dense.expand(count, -1, -1, -1),
            self.best_of_three.applies(0, tracked=True),
        )

    def _conditioned(self, trackings: Sequence[Tracking]) -> Tensor:
        """Return what memory attention makes of the slices' embeddings: (n, C, h, w)."""
        features = [tracking.features for tracking in trackings]
        # Labels that look at the same slice share what does not depend on the label.
        seen = list({id(item): item for item in features}.values())
        item = on_device([seen.index(one) for one in features], self._device)
        memory, position = self.memory_tokens.spatial(trackings)
        with self.stopwatch.measure("memory attention"):
            conditioned: Tensor = self._attend(
                torch.stack([one.image_embedding for one in seen]),
                item,
                memory,
                position,
                *self.memory_tokens.pointers(trackings),
            )
        return conditioned

    def _decode(
        self,
        conditioned: Tensor,
        features: Sequence[SliceFeatures],
        sparse: Tensor,
        dense: Tensor,
        multimask: bool,
    ) -> Decoded:
        """Run the mask decoder: ``conditioned`` (n, C, h, w) with the prompts' embeddings."""
        stride4, stride8 = (
            torch.stack([item.fine[level] for item in features]) for level in range(2)
        )
        with self.stopwatch.measure("mask decoder"):
            decoded = self._decoded(conditioned, stride4, stride8, sparse, dense, multimask)
        masks, pointers, ious, scores = (one.float() for one in decoded)
        return masks, pointers, ious, scores

    def _chosen(
        self, masks: Tensor, pointers: Tensor, ious: Tensor, scores: Tensor, *, prompted: bool
    ) -> list[SlicePrediction]:
        """Return the best of the decoder's masks of each slice."""
        logits, pointers, best_ious, scores = best(masks, pointers, ious, scores)
        areas, inside, chosen = shares(logits), masks > 0, ious.argmax(dim=-1)
        return [
            SlicePrediction(
                logits[i],
                pointers[i],
                best_ious[i],
                scores[i],
                prompted,
                areas[i],
                Agreement(inside[i], chosen[i], self.to_array),
            )
            for i in range(len(logits))
        ]

    def _number(self, number: SupportsFloat) -> Tensor:
        return number if isinstance(number, Tensor) else on_device(float(number), self._device)

    def _embedded_nothing(self) -> tuple[Tensor, Tensor]:
        """Return the embedding of a slice without a prompt: (1, 1, 2, C) and (1, C, h, w)."""
        sparse, dense = self._net.prompt_encoder(
            input_points=torch.zeros(1, 1, 1, 2, device=self._device),
            input_labels=torch.full((1, 1, 1), EMPTY_POINT_LABEL, device=self._device),
            input_boxes=None,
            input_masks=None,
        )
        return sparse, dense


def read_best_of_three(config: Any) -> BestOfThree:
    """Return what a configuration of transformers says of three masks."""
    points = (int(config.multimask_min_pt_num), int(config.multimask_max_pt_num))
    return BestOfThree(
        *(points if config.multimask_output_in_sam else (1, 0)),
        tracked=bool(config.multimask_output_for_tracking),
    )
