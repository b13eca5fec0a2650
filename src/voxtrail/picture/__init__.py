"""Pictures that a person judges a segmentation by."""

from __future__ import annotations

from voxtrail.picture.contact_sheet import contact_sheet

__all__ = ["contact_sheet"]
