"""The secret that a client has to show: compared in constant time, written to no log."""

from __future__ import annotations

import hmac
import secrets

from voxtrail.errors import OptionError

#: Characters of a key that somebody chose: of 64 kinds drawn at random, 96 bits.
FEWEST = 16


class Key:
    """A secret.

    Parameters
    ----------
    secret
        The text, of `FEWEST` characters or more; by default a new one of 256 random bits.

    Raises
    ------
    OptionError
        If it is so short that it can be guessed.
    """

    def __init__(self, secret: str | None = None) -> None:
        if secret is not None and len(secret) < FEWEST:
            raise OptionError(
                "the key is too short",
                received=f"{len(secret)} characters",
                accepted=f"{FEWEST} or more",
                remedy="make one, for example with: openssl rand -hex 32",
            )
        self._secret = secrets.token_urlsafe(32) if secret is None else secret

    def __repr__(self) -> str:
        return "Key(...)"

    def reveal(self) -> str:
        """Return the text itself, to be shown to the person who started the server."""
        return self._secret

    def matches(self, shown: str | None) -> bool:
        """Tell whether a client has shown it; the time that this takes tells nothing."""
        given = (shown or "").encode("utf-8", "surrogatepass")
        return hmac.compare_digest(given, self._secret.encode("utf-8", "surrogatepass"))
