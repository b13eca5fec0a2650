"""The model that a configuration asks for, at an input size that may follow from the scan."""

from __future__ import annotations

from dataclasses import replace

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import Volume
from voxtrail.errors import OptionError
from voxtrail.model.base import LoadedModel
from voxtrail.model.loading import load
from voxtrail.pipeline.config import Config
from voxtrail.pipeline.regions import bounds_of, plan

#: Mask logits come at a quarter of the input size: four input pixels a voxel give each its own.
PIXELS_PER_VOXEL = 4
SMALLEST_PROPOSED, LARGEST_PROPOSED = 256, 1024
#: Proposed sizes are multiples of it, so that like scans share a size.
PROPOSED_STEP = 128


def load_for(
    volume: Volume, prompts: Prompts, config: Config, *, quiet: bool = True
) -> LoadedModel:
    """Load the model of a configuration; see `voxtrail.model.loading.load` for what it raises."""
    if config.resolution == "auto":
        config = replace(config, resolution=propose_resolution(volume, prompts, config))
    return load_fixed(config, quiet=quiet)


def load_fixed(config: Config, *, quiet: bool = True) -> LoadedModel:
    """Load a model whose input size does not follow from the scan.

    Raises
    ------
    OptionError
        If it should.
    """
    if config.resolution == "auto":
        raise OptionError(
            "one model serves many scans, so its input size cannot follow from each",
            received="--resolution auto",
            accepted="a number of pixels",
            remedy="name a resolution, or segment the scans one by one",
        )
    return load(
        config.model,
        resolution=config.resolution,
        device=config.device,
        runtime=config.runtime,
        shortcuts=config.shortcuts,
        quiet=quiet,
    )


def propose_resolution(volume: Volume, prompts: Prompts, config: Config) -> int:
    """Return an input size in pixels that wastes little on a small crop.

    The largest crop of the run, before any growth, gets `PIXELS_PER_VOXEL` input pixels a voxel:
    more cannot show in masks that come at a quarter of the input size. (Ours; what it does to
    quality is measured by the study ``resolution``.)
    """
    bounds = bounds_of(volume, prompts, config)
    regions = plan(volume, prompts, config, bounds)
    axes = [Axis.named(name) for name in config.axes]
    longest = max(
        max(region.box.shape[axis.row_axis], region.box.shape[axis.column_axis])
        for region in regions
        for axis in axes
    )
    wanted = -(-longest * PIXELS_PER_VOXEL // PROPOSED_STEP) * PROPOSED_STEP
    return min(max(wanted, SMALLEST_PROPOSED), LARGEST_PROPOSED)
