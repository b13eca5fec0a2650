"""The way in: a secret in the printed address, exchanged for a cookie, which all else needs."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import parse_qs

from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from voxtrail.serve.failures import parts, reply
from voxtrail.serve.key import Key

_LOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>voxtrail</title>
<h1>voxtrail annotate</h1>
<p>Open the address that <code>voxtrail annotate</code> printed: it ends in <code>?key=...</code>.
Each start of the program has an address of its own.</p></html>"""


class Entrance:
    """Lets in who has the key.

    Parameters
    ----------
    app
        What they are let into.
    key
        The secret.
    port
        Of the server: cookies are shared by all ports of a machine, so their name carries it.
    """

    def __init__(self, app: ASGIApp, key: Key, port: int) -> None:
        self._app = app
        self._key = key
        self._cookie = f"voxtrail-{port}"
        # Not the key itself: who sees a cookie cannot make the address of it.
        proof = hmac.new(key.reveal().encode(), b"voxtrail cookie", hashlib.sha256).hexdigest()
        self._proof = Key(proof)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Exchange a key for a cookie, refuse with 401, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked = HTTPConnection(scope)
        front = scope["type"] == "http" and scope["path"] == "/" and scope["method"] == "GET"
        given = parse_qs(asked.url.query).get("key", [])
        if front and len(given) == 1 and self._key.matches(given[0]):
            answer = RedirectResponse("/", 303)
            answer.set_cookie(
                self._cookie, self._proof.reveal(), httponly=True, samesite="strict", path="/"
            )
            await answer(scope, receive, send)
        elif self._proof.matches(asked.cookies.get(self._cookie)):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": "no key"})
        elif front:
            await HTMLResponse(_LOST, 401)(scope, receive, send)
        else:
            told = parts(
                "the key is missing or wrong",
                accepted="the cookie that the printed address gives",
                remedy="open the address that voxtrail annotate printed",
            )
            await reply(401, told)(scope, receive, send)
