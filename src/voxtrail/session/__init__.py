"""A scan that a person works on: `Session`, and `segment`, which is one that is asked once."""

from voxtrail.session.cache import Cache
from voxtrail.session.checks import check_request
from voxtrail.session.compose import LabelLogits
from voxtrail.session.config import PRESETS, Config
from voxtrail.session.preview import SlicePreview
from voxtrail.session.run import SliceDone
from voxtrail.session.segmentation import Segmentation
from voxtrail.session.session import Session, segment
from voxtrail.session.suggest import Suggestion

__all__ = [
    "PRESETS",
    "Cache",
    "Config",
    "LabelLogits",
    "Segmentation",
    "Session",
    "SliceDone",
    "SlicePreview",
    "Suggestion",
    "check_request",
    "segment",
]
