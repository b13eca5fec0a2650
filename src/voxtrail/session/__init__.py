"""The one door to a segmentation: `segment` with a `Config`."""

from voxtrail.session.checks import check_request
from voxtrail.session.compose import LabelLogits
from voxtrail.session.config import PRESETS, Config
from voxtrail.session.segmentation import Segmentation, segment

__all__ = ["PRESETS", "Config", "LabelLogits", "Segmentation", "check_request", "segment"]
