"""Pictures that a person judges a segmentation by."""

from __future__ import annotations

from voxtrail.picture.contact_sheet import contact_sheet
from voxtrail.picture.scroll import scroll
from voxtrail.picture.view import View, show

__all__ = ["View", "contact_sheet", "scroll", "show"]
