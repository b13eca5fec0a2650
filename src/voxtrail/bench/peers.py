"""The reference predictor and transformers' session, given the very tensors that voxtrail sees."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from voxtrail.core.prompts import MaskPrompt
from voxtrail.core.stopwatch import Stopwatch
from voxtrail.errors import OptionError
from voxtrail.model import official
from voxtrail.model.spec import IMAGENET_MEAN, IMAGENET_STD

#: The reference's configuration of each published size, by version.
CONFIGS = {
    (size, version): f"configs/{folder}/{folder}_hiera_{letter}.yaml"
    for version, folder in (("2.1", "sam2.1"), ("2.0", "sam2"))
    for size, letter in (("tiny", "t"), ("small", "s"), ("base-plus", "b+"), ("large", "l"))
}
#: Random memory attention is drawn this much larger than PyTorch draws it, so that memory matters.
MEMORY_GAIN = 3.0


def build_sam2(
    size_name: str, version: str, resolution: int, device: str = "cpu", *, compiled: bool = False
) -> Any:
    """Build the reference predictor of a published size, with weights as PyTorch draws them."""
    torch.manual_seed(0)
    with warnings.catch_warnings():
        # hydra and iopath are old and warn on import
        warnings.simplefilter("ignore")
        from sam2.build_sam import build_sam2_video_predictor

        side = resolution // 16
        predictor = build_sam2_video_predictor(
            CONFIGS[size_name, version],
            device=device,
            vos_optimized=compiled,
            hydra_overrides_extra=[
                f"++model.image_size={resolution}",
                *(
                    f"++model.memory_attention.layer.{part}.feat_sizes=[{side},{side}]"
                    for part in ("self_attention", "cross_attention")
                ),
            ],
        )
    # It fills holes only where its CUDA extension is built, and warns elsewhere.
    predictor.fill_hole_area = 0
    return predictor.eval()


def randomised(predictor: Any) -> Any:
    """Give a reference predictor seeded random weights, with which memory matters; return it."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for key, value in predictor.named_parameters():
            if "gamma" in key or key in ("maskmem_tpos_enc", "no_obj_embed_spatial"):
                value.copy_(torch.randn(value.shape, generator=generator))
            elif value.dim() > 1 and "memory_attention" in key:
                value.mul_(MEMORY_GAIN)
        # Object scores that are positive on some slices only would make most masks empty: keep the
        # object there, as a tracked structure is.
        predictor.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.fill_(5.0)
    return predictor


def write_official(predictor: Any, path: Path) -> None:
    """Write a reference predictor's weights as Meta publishes its own."""
    torch.save({"model": predictor.state_dict()}, path)


def write_random_weights(size_name: str, path: Path) -> None:
    """Write seeded random weights of a size of SAM 2.1; masks are senseless."""
    write_official(randomised(build_sam2(size_name, "2.1", 1024)), path)


class Sam2Peer:
    """PyPI ``sam2``'s video predictor with its defaults.

    Parameters
    ----------
    weights
        An official ``.pt`` file.
    resolution
        Side of the input in pixels.
    device
        ``cpu`` or ``cuda``.
    compiled
        Whether all its parts are compiled (``vos_optimized``): minutes once. Its components are
        not timed apart then.

    Raises
    ------
    OptionError
        If the weights are in no official file.
    """

    def __init__(
        self, weights: str, resolution: int, device: str = "cpu", *, compiled: bool = False
    ) -> None:
        if Path(weights).suffix != ".pt":
            raise OptionError(
                "the reference predictor reads official checkpoints only",
                received=weights,
                accepted="a .pt file, or --random-weights",
                remedy="name one with --model, or leave sam2 out of --peers",
            )
        state = torch.load(weights, map_location="cpu", weights_only=True)
        state = state.get("model", state)
        version = "2.1" if "no_obj_embed_spatial" in state else "2.0"
        with contextlib.redirect_stdout(io.StringIO()):  # it says that it compiles
            self._predictor = build_sam2(
                _size_of(state), version, resolution, device, compiled=compiled
            )
        self._predictor.load_state_dict(state)
        self.stopwatch = Stopwatch()
        if compiled:
            return
        _time(self._predictor.image_encoder, "image encoder", self.stopwatch)
        _time(self._predictor.memory_attention, "memory attention", self.stopwatch)
        _time(self._predictor.memory_encoder, "memory encoder", self.stopwatch)
        _time(self._predictor.sam_mask_decoder, "mask decoder", self.stopwatch)

    @torch.inference_mode()
    def run(self, stack: NDArray[np.float32], prompts: list[MaskPrompt]) -> NDArray[np.bool_]:
        """Return the masks (slices, rows, columns) of one label of a stack, 0 to 1."""
        predictor = self._predictor
        state = state_of(predictor, stack)
        for prompt in prompts:
            predictor.add_new_mask(state, prompt.slice_index, 1, prompt.mask)
        found = np.zeros(stack.shape, dtype=np.bool_)
        with _quiet_bars():
            for index, _, logits in predictor.propagate_in_video(state, start_frame_idx=0):
                found[index] = logits[0, 0].cpu().numpy() > 0
        return found


class TransformersPeer:
    """transformers' ``Sam2VideoModel`` with its own session and frame loop.

    Parameters
    ----------
    weights
        Whatever voxtrail loads.
    resolution
        Side of the input in pixels.
    device
        ``cpu`` or ``cuda``.
    """

    def __init__(self, weights: str, resolution: int, device: str = "cpu") -> None:
        from voxtrail.model.torch_model import TorchSliceModel
        from voxtrail.model.weights import load_model

        loaded = load_model(weights, resolution=resolution, device=device).model
        assert isinstance(loaded, TorchSliceModel)
        self._network = loaded.network
        self._size = resolution
        self._device = device
        self.stopwatch = Stopwatch()
        _time(self._network.vision_encoder, "image encoder", self.stopwatch)
        _time(self._network.memory_attention, "memory attention", self.stopwatch)
        _time(self._network.memory_encoder, "memory encoder", self.stopwatch)
        _time(self._network.mask_decoder, "mask decoder", self.stopwatch)

    @torch.inference_mode()
    def run(self, stack: NDArray[np.float32], prompts: list[MaskPrompt]) -> NDArray[np.bool_]:
        """Return the masks (slices, rows, columns) of one label of a stack, 0 to 1."""
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoInferenceSession

        rows, columns = stack.shape[1:]
        images = _images(stack, self._size)
        session = Sam2VideoInferenceSession(
            video=images,
            video_height=rows,
            video_width=columns,
            inference_device=self._device,
            inference_state_device=self._device,
            dtype=torch.float32,
        )
        place = session.obj_id_to_idx(1)
        for prompt in prompts:
            mask = torch.from_numpy(prompt.mask)[None, None].float()
            mask = F.interpolate(mask, (self._size, self._size), mode="bilinear", antialias=True)
            session.add_mask_inputs(
                place, prompt.slice_index, (mask >= 0.5).float().to(self._device)
            )
            session.obj_with_new_inputs = [1]
            self._network(inference_session=session, frame_idx=prompt.slice_index)
        found = np.zeros(stack.shape, dtype=np.bool_)
        for output in self._network.propagate_in_video_iterator(session, start_frame_idx=0):
            logits = F.interpolate(output.pred_masks.float(), (rows, columns), mode="bilinear")
            found[output.frame_idx] = logits[0, 0].cpu().numpy() > 0
        return found


def _time(module: nn.Module, name: str, stopwatch: Stopwatch) -> None:
    """Measure every call of a module."""
    call = module.forward

    def measured(*arguments: Any, **named: Any) -> Any:
        with stopwatch.measure(name):
            return call(*arguments, **named)

    module.forward = measured


def _size_of(state: Mapping[str, Tensor]) -> str:
    width = int(state[official.SIGNATURE].size(0))
    blocks = len({key.split(".")[3] for key in state if key.startswith("image_encoder.trunk.bl")})
    return next(
        name
        for name, variant in official.OFFICIAL_SIZES.items()
        if variant.embed_dim == width and sum(variant.blocks) == blocks
    )


def _images(stack: NDArray[np.float32], size: int) -> Tensor:
    """Return normalised images (n, 3, size, size), resized as voxtrail's own."""
    grey = F.interpolate(
        torch.from_numpy(np.ascontiguousarray(stack))[:, None],
        (size, size),
        mode="bilinear",
        antialias=True,
    )
    mean, std = (torch.tensor(one)[:, None, None] for one in (IMAGENET_MEAN, IMAGENET_STD))
    return (grey - mean) / std


def state_of(predictor: Any, stack: NDArray[np.float32]) -> dict[str, Any]:
    """Make the reference's state; ``init_state`` reads JPEG files only, and the rest is its own."""
    device = predictor.device
    by_object = (
        "point_inputs_per_obj",
        "mask_inputs_per_obj",
        "cached_features",
        "constants",
        "output_dict_per_obj",
        "temp_output_dict_per_obj",
        "frames_tracked_per_obj",
    )
    return {
        "images": _images(stack, predictor.image_size).to(device),
        "num_frames": len(stack),
        "offload_video_to_cpu": False,
        "offload_state_to_cpu": False,
        "video_height": stack.shape[1],
        "video_width": stack.shape[2],
        "device": device,
        "storage_device": device,
        "obj_id_to_idx": OrderedDict(),
        "obj_idx_to_id": OrderedDict(),
        "obj_ids": [],
        **{key: {} for key in by_object},
    }


@contextmanager
def _quiet_bars() -> Iterator[None]:
    """Keep the reference's bar off the terminal."""
    import sam2.sam2_video_predictor as module

    bar = module.tqdm
    module.tqdm = lambda items, **_: items
    try:
        yield
    finally:
        module.tqdm = bar
