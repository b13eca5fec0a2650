"""The exceptions that voxtrail raises on purpose.

::

    VoxtrailError
    ├── InputError            the input or the request is wrong: command-line exit 2
    │   ├── ImageError        a scan or label map that cannot be read as one
    │   ├── GridError         two things that should lie on one grid do not
    │   ├── PromptError       outlines that cannot be used
    │   ├── OptionError       a name or a value that no option accepts
    │   ├── WeightsError      a checkpoint that cannot be found or does not fit
    │   ├── SessionError      a session file that is none, or of another scan
    │   └── OutputError       a place that cannot be written to
    ├── WorkError             the work itself failed: command-line exit 1
    └── UnavailableError      what a part of a study needs is not on this machine: left out

Every :class:`InputError` says four things, in this order: what was wrong, what was received, what
is accepted, and what to do.
"""

from __future__ import annotations


class VoxtrailError(Exception):
    """Base of every exception that voxtrail raises on purpose."""


class InputError(VoxtrailError):
    """The input or the request is wrong; nothing was computed and nothing written.

    Parameters
    ----------
    what
        What was wrong, in a few words, naming the file or option.
    received
        The value that was received.
    accepted
        What would have been accepted.
    remedy
        What to do about it.

    Examples
    --------
    >>> print(InputError("slice 80 is outside the scan", received="80", accepted="0..69",
    ...                  remedy="number slices from 0 as stored"))
    slice 80 is outside the scan; received: 80; accepted: 0..69; number slices from 0 as stored
    """

    def __init__(self, what: str, *, received: object, accepted: str, remedy: str) -> None:
        super().__init__(what, received, accepted, remedy)
        self.what = what
        self.received = str(received)
        self.accepted = accepted
        self.remedy = remedy

    def __str__(self) -> str:
        parts = (
            self.what,
            f"received: {self.received}",
            f"accepted: {self.accepted}",
            self.remedy,
        )
        # One line, whatever a library's own message held.
        return " ".join("; ".join(parts).split())


class ImageError(InputError):
    """A scan or label map that cannot be read as one."""


class GridError(InputError):
    """Two things that should lie on one grid do not."""


class PromptError(InputError):
    """Outlines that cannot be used."""


class OptionError(InputError):
    """A name or a value that no option accepts."""


class WeightsError(InputError):
    """A checkpoint that cannot be found or does not fit the model."""


class SessionError(InputError):
    """A session file that is none, or was drawn on another scan."""


class OutputError(InputError):
    """A place that cannot be written to."""


class WorkError(VoxtrailError):
    """The work itself failed."""


class UnavailableError(VoxtrailError):
    """What a part of a study needs (weights, a package) is not on this machine; it is left out."""
