"""One line to whoever waits, on standard error."""

from __future__ import annotations

import sys


def say(text: str, *, quiet: bool) -> None:
    """Write one line to standard error unless quiet."""
    if not quiet:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
