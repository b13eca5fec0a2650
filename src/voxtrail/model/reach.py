"""Whether a server answers at all, found out in a second or two.

Clients of the hub take half a minute to say that there is no network, which is what a person
without one does not need. Here only a connection is opened, nothing is sent.
"""

from __future__ import annotations

import queue
import threading
import time
from socket import create_connection
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

#: How often a connection is tried, and the seconds between: one that is refused may be restarting.
TRIES, PAUSE_S = 3, 0.3
#: How long all of it may take. Name servers that cannot be reached keep their callers for longer.
PATIENCE_S = 1.5

PORTS = {"http": 80, "https": 443, "socks5": 1080}


def why_unreachable(url: str) -> str | None:
    """Return why no connection to a server can be opened, or None where one can.

    Parameters
    ----------
    url
        Its address. Where the environment names a proxy for it, the proxy is tried.
    """
    host, port = _first_hop(url)
    answers: queue.Queue[str | None] = queue.Queue()
    # Looking up a name cannot be given a time limit: whoever waits for it is left behind.
    threading.Thread(target=_try, args=(host, port, answers), daemon=True).start()
    try:
        reason = answers.get(timeout=PATIENCE_S)
    except queue.Empty:
        reason = "it does not answer"
    return None if reason is None else f"no connection to {host} ({reason})"


def _try(host: str, port: int, answers: queue.Queue[str | None]) -> None:
    reason: str | None = None
    for number in range(TRIES):
        if number:
            time.sleep(PAUSE_S)
        try:
            create_connection((host, port), timeout=PATIENCE_S).close()
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            reason = None
            break
    answers.put(reason)


def _first_hop(url: str) -> tuple[str, int]:
    """Return host and port of what is connected to: the server's own, or its proxy's."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(parts.netloc):
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 443)
