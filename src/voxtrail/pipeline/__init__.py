"""The one door to a segmentation: `segment` with a `Config`."""

from voxtrail.pipeline.checks import check_request
from voxtrail.pipeline.compose import LabelLogits
from voxtrail.pipeline.config import PRESETS, Config
from voxtrail.pipeline.segmenter import Segmentation, segment

__all__ = ["PRESETS", "Config", "LabelLogits", "Segmentation", "check_request", "segment"]
