"""A synthetic bone CT: analytic anatomy in TotalSegmentator v2's classes and layout.

`make_subject` and `demo_subject` return arrays; `write_dataset` writes files. Shapes come
from formulas written for this package, never from a scan.
"""

from voxtrail.datasets.phantom.dataset import META_COLUMNS, write_dataset
from voxtrail.datasets.phantom.subject import (
    CYCLE,
    REGIONS,
    PhantomSubject,
    Region,
    demo_subject,
    make_subject,
)

__all__ = [
    "CYCLE",
    "META_COLUMNS",
    "REGIONS",
    "PhantomSubject",
    "Region",
    "demo_subject",
    "make_subject",
    "write_dataset",
]
