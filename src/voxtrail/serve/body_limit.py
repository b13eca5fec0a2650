"""Bodies of requests are bounded in size and in time, whether or not they say how long they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from voxtrail.serve.failures import Refused, reply

#: Most bytes of the body of a request; told by its method and path.
Limit = Callable[[str, str], int]
#: Seconds in which the next piece of a body has to come.
PIECE_S = 30.0


class BodyLimit:
    """Ends requests whose body is larger than it may be, or stops coming.

    Parameters
    ----------
    app
        What answers the rest.
    limit
        How many bytes a body may have.
    """

    def __init__(self, app: ASGIApp, limit: Limit) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 413, or pass on what counts the bytes as they come."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        allowed = self._limit(scope["method"], scope["path"])
        said = Headers(scope=scope).get("content-length")
        if said is not None and (not said.isdigit() or int(said) > allowed):
            refused = _too_large(said, allowed)
            await reply(refused.status_code, refused.parts)(scope, receive, send)
            return
        seen, ended = 0, False

        async def counted() -> Message:
            nonlocal seen, ended
            if ended:  # what comes now is that the client has gone, which may take its time
                return await receive()
            try:
                message = await asyncio.wait_for(receive(), PIECE_S)
            except TimeoutError:
                raise _too_slow() from None
            seen += len(message.get("body", b""))
            ended = not message.get("more_body", False)
            if seen > allowed:
                raise _too_large(f"more than {allowed}", allowed)
            return message

        await self._app(scope, counted, send)


def _too_large(received: str, allowed: int) -> Refused:
    return Refused(
        413,
        "the request is too large",
        received=f"{received[:20]} bytes",
        accepted=f"at most {allowed} bytes",
        remedy="send less at once",
    )


def _too_slow() -> Refused:
    return Refused(
        408,
        "the request stopped coming",
        received=f"nothing for {PIECE_S:g} s",
        accepted="a whole request",
        remedy="send it again",
    )
