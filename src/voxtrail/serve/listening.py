"""A server on a socket that is bound before it starts, and that ends cleanly when it is told to."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from voxtrail.errors import OptionError, OutputError
from voxtrail.serve.head_timeout import HeadTimeout, allow_many_files

if TYPE_CHECKING:
    from starlette.types import ASGIApp

#: Seconds in which answers under way may end when the server is told to end.
GRACE_S = 3
#: A message that a client sends over a WebSocket: a few words.
WEBSOCKET_BYTES = 2**16


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches a host that is listened on.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bind(host: str, port: int, *, key: bool) -> socket.socket:
    """Return a listening socket.

    Parameters
    ----------
    host
        A name or address of this machine.
    port
        0 takes a free one; ``getsockname`` of the socket says which.
    key
        Whether clients have to show a key.

    Raises
    ------
    OptionError
        If others could reach it and there is no key.
    OutputError
        If the system refuses the address.
    """
    if not key and not is_loopback(host):
        raise OptionError(
            "a server that other machines reach needs a key",
            received=f"--host {host} without a key",
            accepted="127.0.0.1, ::1 or localhost; any other address with a key",
            remedy="give a key, or leave --host out",
        )
    try:
        if not 0 <= port < 2**16:  # getaddrinfo would take the remainder
            raise OverflowError("ports are numbered from 0 to 65535")
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
        family, kind, protocol, _, address = found[0]
        # The protocol is named: for it alone asyncio sends small answers at once, and does not
        # wait for 40 ms until the first half of each is acknowledged.
        bound = socket.socket(family, kind, protocol)
        try:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
            bound.listen(128)
        except BaseException:
            bound.close()
            raise
    except (OSError, OverflowError, UnicodeError) as error:
        raise OutputError(
            "the server cannot listen there",
            received=f"{host}, port {port} ({getattr(error, 'strerror', None) or error})",
            accepted="an address of this machine with a free port; port 0 takes any",
            remedy="choose another --port or --host",
        ) from error
    return bound


def address_of(bound: socket.socket) -> str:
    """Return ``http://HOST:PORT`` of a bound socket."""
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Server(uvicorn.Server):
    """Serves until SIGINT, SIGTERM or `stop`; then ends the app's lifespan, and `run` returns.

    Parameters
    ----------
    app
        The application.
    bound
        What `bind` returned.
    ready
        Called once, when requests are answered.
    """

    def __init__(self, app: ASGIApp, bound: socket.socket, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="h11",
                ws="websockets-sansio",
                ws_max_size=WEBSOCKET_BYTES,
                ws_per_message_deflate=False,  # masks are packed; it would only delay them
                lifespan="on",
                log_config=None,
                log_level="critical",
                access_log=False,  # addresses may carry the key
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
            )
        )
        self._bound = bound
        self._ready = ready
        self._heads = HeadTimeout()

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        """Serve on the bound socket."""
        allow_many_files()
        super().run(sockets or [self._bound])

    def stop(self) -> None:
        """Let `run` return soon; may be called from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Look after connections, ten times a second; tell whether to end."""
        if counter % 10 == 0:
            self._heads.close_waiting(self.server_state.connections)
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """End; at a second SIGINT without waiting for answers under way."""
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True
