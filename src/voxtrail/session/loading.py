"""The model that a configuration asks for, at an input size that may follow from the scan."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import Volume
from voxtrail.model.base import LoadedModel
from voxtrail.model.loading import load, nearest_input
from voxtrail.session.config import Config
from voxtrail.session.crops import bounds_of, plan, range_along

#: Mask logits come at a quarter of the input size: four input pixels a voxel give each its own.
PIXELS_PER_VOXEL = 4
SMALLEST_PROPOSED, LARGEST_PROPOSED = 256, 1024
#: Proposed sizes are multiples of it, so that like scans share a size.
PROPOSED_STEP = 128


def load_for(
    volume: Volume,
    prompts: Prompts,
    config: Config,
    *,
    held: LoadedModel | None = None,
    quiet: bool = True,
) -> LoadedModel:
    """Load the model of a configuration; see `voxtrail.model.loading.load` for what it raises.

    Parameters
    ----------
    volume, prompts
        From which the input size follows where the configuration says ``auto``.
    config
        What is asked for.
    held
        A model of the same configuration, returned if its input size is right.
    quiet
        Whether nothing is said while a model is fetched or exported.
    """
    if config.resolution == "auto":
        config = replace(config, resolution=propose_resolution(volume, prompts, config))
        if held and held.model.input_size == config.resolution:
            return held
    elif held:
        return held
    return load_unseen(config, slices=_slices(volume, prompts, config), quiet=quiet)


def load_unseen(config: Config, *, slices: int = 0, quiet: bool = True) -> LoadedModel:
    """Load a model before any scan is seen: where the size is ``auto``, at the checkpoint's own.

    Parameters
    ----------
    config
        What is asked for.
    slices
        How many slices are about to be encoded, as far as that is known: an export of the model's
        own is made for many (`voxtrail.export.kept`).
    quiet
        Whether nothing is said while a model is fetched or exported.
    """
    loaded = load(
        config.model,
        resolution=None if config.resolution == "auto" else config.resolution,
        device=config.device,
        runtime=config.runtime,
        shortcuts=config.shortcuts,
        quiet=quiet,
    )
    if config.runtime != "auto" or loaded.model.runtime != "torch":
        return loaded
    from voxtrail.export.kept import fastest  # needs PyTorch, which an exported model does not

    return fastest(loaded, slices, quiet=quiet)


def propose_resolution(volume: Volume, prompts: Prompts, config: Config) -> int:
    """Return an input size in pixels that wastes little on a small crop.

    The largest crop of the run, before any growth, gets `PIXELS_PER_VOXEL` input pixels a voxel:
    more cannot show in masks that come at a quarter of the input size. (Ours; what it does to
    quality is measured by the study ``resolution``.)
    """
    crops = plan(volume, prompts, config, bounds_of(volume, config))
    longest = max(max(path.size) for crop in crops for path in crop.paths.values())
    wanted = -(-longest * PIXELS_PER_VOXEL // PROPOSED_STEP) * PROPOSED_STEP
    return nearest_input(config.model, min(max(wanted, SMALLEST_PROPOSED), LARGEST_PROPOSED))


def _slices(volume: Volume, prompts: Prompts, config: Config) -> int:
    """Return how many slices a run encodes, before any crop grows."""
    bounds = bounds_of(volume, config)
    shared = config.resolved().crop in ("all", "none")
    encoded = {
        (axis, None if shared else label, index)
        for label in prompts.labels()
        for axis in Axis.several(config.axes)
        if (drawn := prompts.of(label, axis))
        for index in range(*range_along(axis, drawn, config.extent, bounds)[:2])
    }
    return len(encoded)
