"""The secret that a client has to show: compared in constant time, written to no log."""

from __future__ import annotations

import hmac
import secrets


class Key:
    """A secret.

    Parameters
    ----------
    secret
        The text; by default a new one of 256 random bits.
    """

    def __init__(self, secret: str | None = None) -> None:
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
