"""SAM 2 behind four calls (`voxtrail.model.base`), in PyTorch and in what runs its exports."""

import os

#: PyTorch takes large blocks in large pages where this is 1; it looks when it first takes memory.
#: A slice takes and leaves hundreds of megabytes, and each small page of them costs an interrupt.
LARGE_PAGES = "THP_MEM_ALLOC_ENABLE"

os.environ.setdefault(LARGE_PAGES, "1")
