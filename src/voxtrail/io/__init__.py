"""Files in and out: scans, label maps and prompts, on exactly the grid that they are stored on.

Everything inside voxtrail is RAS+; here, and only here, files are turned into it and back. Reading
libraries are imported when a file is read, not before.
"""

from voxtrail.io.atomic import check_writable, replacing
from voxtrail.io.images import check_output, read, write
from voxtrail.io.labels import fills_grid, read_labels
from voxtrail.io.prompts import check_prompts_output, read_prompts, write_prompts
from voxtrail.io.registry import copies_patient

__all__ = [
    "check_output",
    "check_prompts_output",
    "check_writable",
    "copies_patient",
    "fills_grid",
    "read",
    "read_labels",
    "read_prompts",
    "replacing",
    "write",
    "write_prompts",
]
