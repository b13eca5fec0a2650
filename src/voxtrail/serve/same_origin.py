"""Requests from other web pages are refused, over HTTP and WebSocket.

A page of another site cannot read answers of this server, but it could send requests, and with a
name of its own that it points at this machine (DNS rebinding) even read. So the Host that a request
names has to be this server's, and an Origin, which browsers add, has to be the same.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from voxtrail.serve.failures import parts, reply
from voxtrail.serve.listening import is_loopback

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class SameOrigin:
    """Lets through what this server's own pages, and programs that are no browser, ask for.

    Parameters
    ----------
    app
        What answers the rest.
    host, port
        Where the server listens.
    tunnelled
        Whether clients may come through a tunnel, whose port is another.
    bearer
        Whether clients show a key in each request, which no browser adds by itself: then a name
        that is pointed at this machine gains nothing, and the server may have any.
    """

    def __init__(
        self,
        app: ASGIApp,
        host: str,
        port: int,
        *,
        tunnelled: bool = False,
        bearer: bool = False,
    ) -> None:
        self._app = app
        self._port = None if tunnelled else port
        self._any_name = bearer
        self._names = frozenset(_names(host))
        # A rebound name is a name: addresses, which nobody can rebind, are fine.
        self._any_address = not is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse with 403, or pass on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        wrong = self._wrong(scope, Headers(scope=scope))
        if wrong is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": wrong})
        else:
            told = parts(wrong, "", "this server's own address", "open the address it printed")
            await reply(403, told)(scope, receive, send)

    def _wrong(self, scope: Scope, headers: Headers) -> str | None:
        """Say what is wrong with where a request comes from; None where nothing is."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_me(hosts[0]):
            return "the request names another host"
        origins = headers.getlist("origin")
        if any(one not in (f"http://{hosts[0]}", f"https://{hosts[0]}") for one in origins):
            return "the request comes from another site"
        site = headers.get("sec-fetch-site")
        # A link to the page may be followed from anywhere; nothing else may.
        followed = (
            scope["type"] == "http"
            and scope["method"] == "GET"
            and scope["path"] == "/"
            and headers.get("sec-fetch-mode") == "navigate"
        )
        if site not in (None, "same-origin", "none") and not followed:
            return "the request comes from another site"
        return None

    def _is_me(self, host: str) -> bool:
        try:
            parsed = urlsplit(f"//{host}")
            name, port = parsed.hostname, parsed.port
        except ValueError:
            return False
        if name is None or parsed.path or parsed.username is not None:
            return False
        if self._port not in (None, 80 if port is None else port):
            return False
        named = name in self._names or (self._any_address and _is_address(name))
        return named or self._any_name


def _names(host: str) -> Iterable[str]:
    yield host.lower()
    yield from _LOOPBACK
    if not is_loopback(host):
        yield socket.gethostname().lower()
        yield socket.getfqdn().lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
