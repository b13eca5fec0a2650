"""transformers' own video session, on the network that voxtrail's model computes with.

Where transformers and a project's own predictor differ, voxtrail does as the authors (decision
0020), and so does the session here: memories are kept in bfloat16; of a drawn mask the pointer is
that of the single mask, and what is remembered is what is left of it at a quarter of the size;
masks are enlarged for the memory encoder after the sigmoid. Without `as_authors` it is untouched.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from tests.parity.reference import Case
from voxtrail.core.prompts import MaskPrompt, Prompt
from voxtrail.model.gathered_prompts import GatheredPrompts
from voxtrail.model.torch_model import TorchSliceModel


def run_session(
    model: TorchSliceModel, stack: NDArray[np.float32], case: Case, *, authors: bool = True
) -> dict[int, dict[int, NDArray[np.float32]]]:
    """Return mask logits by object and slice."""
    patched = as_authors(model) if authors else nullcontext()
    with patched:
        return {
            label: _run_object(model, stack, label, case.prompts[label], case)
            for label in case.prompts
        }


def _run_object(
    model: TorchSliceModel,
    stack: NDArray[np.float32],
    label: int,
    prompts: Sequence[Prompt],
    case: Case,
) -> dict[int, NDArray[np.float32]]:
    from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

    network, size, spec = model.network, model.input_size, model.spec
    rows, columns = stack.shape[1:]
    grey = _fitted(torch.from_numpy(np.ascontiguousarray(stack))[:, None], size)
    mean, std = (torch.tensor(one)[:, None, None] for one in (spec.image_mean, spec.image_std))
    session = Sam2VideoInferenceSession(
        video=(grey - mean) / std,
        video_height=rows,
        video_width=columns,
        inference_device="cpu",
        inference_state_device="cpu",
        dtype=torch.float32,
    )
    place = session.obj_id_to_idx(label)
    scale = torch.tensor([size / columns, size / rows])
    for prompt in prompts:
        if isinstance(prompt, MaskPrompt):
            mask = torch.from_numpy(prompt.mask)[None, None].float()
            mask = (_fitted(mask, spec.drawn_side(size)) >= 0.5).float()
            session.add_mask_inputs(place, prompt.slice_index, mask)
        else:
            drawn = GatheredPrompts.of([prompt])
            inputs = {
                "point_coords": torch.tensor(drawn.points_xy)[None, None] * scale,
                "point_labels": torch.tensor(drawn.labels, dtype=torch.int32)[None, None],
            }
            session.add_point_inputs(place, prompt.slice_index, inputs)
        session.obj_with_new_inputs = [label]
        network(inference_session=session, frame_idx=prompt.slice_index)
    found: dict[int, NDArray[np.float32]] = {}
    for output in network.propagate_in_video_iterator(
        session, start_frame_idx=case.start, reverse=case.reverse
    ):
        logits = F.interpolate(output.pred_masks.float(), (rows, columns), mode="bilinear")
        found[output.frame_idx] = logits[0, 0].numpy()
    return found


@contextmanager
def as_authors(model: TorchSliceModel) -> Iterator[None]:
    """Let the network do as its authors' predictor where transformers' does otherwise."""
    network, size = model.network, model.input_size
    forward, outline = network._single_frame_forward, network._use_mask_as_output
    encode = network._encode_new_memory
    drawn_side = model.spec.drawn_side(size)

    def single_mask(*arguments: Any, **named: Any) -> Any:
        if named.get("input_points") is None and named.get("input_masks") is not None:
            named["multimask_output"] = False
        return forward(*arguments, **named)

    def drawn(*arguments: Any, **named: Any) -> Any:
        network.image_size = drawn_side  # the side at which the authors read a drawn mask
        try:
            made = outline(*arguments, **named)
        finally:
            network.image_size = size
        made.high_res_masks = F.interpolate(made.pred_masks, (size, size), mode="bilinear")
        return made

    def remember(
        current_vision_feats: Tensor,
        pred_masks_high_res: Tensor,
        object_score_logits: Tensor,
        is_mask_from_pts: bool,
    ) -> tuple[Tensor, Tensor]:
        if is_mask_from_pts:
            masks = (pred_masks_high_res > 0).float()
        else:
            masks = torch.sigmoid(pred_masks_high_res)
        config = network.config
        masks = masks * config.sigmoid_scale_for_mem_enc + config.sigmoid_bias_for_mem_enc
        masks = F.interpolate(masks, (drawn_side, drawn_side), mode="bilinear", antialias=True)
        side = network.backbone_feature_sizes[-1][0]
        embedding = current_vision_feats.permute(1, 2, 0).reshape(len(masks), -1, side, side)
        memory, position = network.memory_encoder(embedding, masks)
        absent = (object_score_logits <= 0).float().reshape(-1, 1, 1, 1)
        memory = memory + absent * network.occlusion_spatial_embedding_parameter[..., None, None]
        tokens = [one.flatten(2).permute(2, 0, 1) for one in (memory, position)]
        return tokens[0].to(torch.bfloat16), tokens[1]

    def rounded(module: Any, given: Any, made: Any) -> Any:
        return made[0].to(torch.bfloat16).float(), made[1]

    network._single_frame_forward, network._use_mask_as_output = single_mask, drawn
    hooks = []
    if hasattr(network, "spatial_perceiver"):
        hooks = [network.spatial_perceiver.register_forward_hook(rounded)]
    if drawn_side != size:
        network._encode_new_memory = remember
    try:
        yield
    finally:
        network._single_frame_forward, network._use_mask_as_output = forward, outline
        network._encode_new_memory = encode
        for hook in hooks:
            hook.remove()


def _fitted(images: Tensor, size: int) -> Tensor:
    return F.interpolate(images, (size, size), mode="bilinear", antialias=True)
