"""Memory that clients' scans and uploads take, bounded in all, and given back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from voxtrail.serve.failures import Refused

#: Seconds after which a client that was refused may try again.
RETRY_S = 10


class Budget:
    """Bytes that may be taken.

    Parameters
    ----------
    total
        How many, by all together.
    """

    def __init__(self, total: int) -> None:
        self.total = total
        self.taken = 0

    def take(self, nbytes: int) -> None:
        """Take some.

        Raises
        ------
        Refused
            413 if they are more than all; 503 if others hold too many now.
        """
        if nbytes > self.total:
            raise Refused(
                413,
                "the scan is too large for this server",
                received=f"{nbytes} bytes of memory would be needed",
                accepted=f"at most {self.total} bytes",
                remedy="crop or resample it, or start the server with a larger --max-bytes",
            )
        if self.taken + nbytes > self.total:
            raise full(
                "the server's memory is taken by other clients",
                f"{self.taken} of {self.total} bytes are taken, {nbytes} are needed",
            )
        self.taken += nbytes

    def give(self, nbytes: int) -> None:
        """Give some back."""
        self.taken -= nbytes

    @contextmanager
    def lent(self, nbytes: int) -> Iterator[None]:
        """Take some for as long as the context lasts; see `take`."""
        self.take(nbytes)
        try:
            yield
        finally:
            self.give(nbytes)


def full(what: str, received: str) -> Refused:
    """Return the refusal of a server that is full for now."""
    return Refused(
        503,
        what,
        received=received,
        accepted="fewer clients at once",
        remedy="try again when one has ended, or start the server with larger limits",
        headers={"Retry-After": str(RETRY_S)},
    )
