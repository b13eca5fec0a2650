"""A page's requests: what the browser would send, with cookie, tab and packed masks."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from websockets.sync.client import ClientConnection, connect

from tests.serve.running import Answer, ask, running
from voxtrail.model.base import LoadedModel
from voxtrail.serve.annotate.app import make_app
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.key import Key
from voxtrail.session import Config

CONFIG = Config(model="nano", preset="is+sps", margin_mm=4)


class Page:
    """One tab.

    Parameters
    ----------
    port
        Of the server.
    key
        What its address carries.
    """

    tab = "tab-1"

    def __init__(self, port: int, key: str, workspace: Workspace | None = None) -> None:
        self.port = port
        self.key = key
        self.workspace = workspace
        answer = ask(port, "GET", f"/?key={key}")
        assert answer.status == 303, answer
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Cookie": self.cookie, "X-Tab": self.tab, **headers}
        return ask(self.port, method, path, body, sent)

    def get(self, path: str) -> Any:
        answer = self.ask("GET", path)
        assert answer.status == 200, answer
        return answer.json()

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a change that has to work; return its JSON."""
        answer = self.ask(method, path, body)
        assert answer.status in (200, 202, 204), answer
        return answer.json() if answer.body else None

    def refused(self, status: int, method: str, path: str, body: Any = None) -> dict[str, str]:
        """Send something that has to be refused; return the four parts."""
        answer = self.ask(method, path, body)
        assert answer.status == status, answer
        told = answer.json()["error"]
        assert set(told) == {"what", "received", "accepted", "remedy"}
        return told

    def draw(self, label: int, axis: str, index: int, wire: NDArray[np.bool_]) -> Any:
        """Outline a slice: (upper axis, lower axis) bool, as on the wire."""
        return self.send("PUT", f"/api/outline/{label}/{axis}/{index}", packed(wire))

    def labels(self) -> NDArray[np.uint8]:
        """Return the labels as shown: (i, j, k)."""
        answer = self.ask("GET", "/api/labels")
        shape = [int(n) for n in answer.headers["x-shape"].split(",")]
        return np.frombuffer(answer.body, np.uint8).reshape(shape, order="F")

    @contextmanager
    def events(self, tab: str | None = None) -> Iterator[ClientConnection]:
        address = f"ws://127.0.0.1:{self.port}/api/events?tab={tab or self.tab}"
        with connect(
            address,
            additional_headers={"Cookie": self.cookie},
            origin=f"http://127.0.0.1:{self.port}",
        ) as socket:
            yield socket

    def propagate(self, **wanted: Any) -> list[Any]:
        """Propagate and return all that was told: JSON values, and (header, mask) of slices."""
        with self.events() as events:
            self.send("POST", "/api/propagate", wanted)
            return until(events, "end", "error")


def packed(wire: NDArray[np.bool_]) -> bytes:
    return np.packbits(wire.ravel(), bitorder="little").tobytes()


def unpacked(body: bytes, shape: tuple[int, int]) -> NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(body, np.uint8), bitorder="little")
    return bits[: shape[0] * shape[1]].reshape(shape).astype(bool)


def until(events: ClientConnection, *kinds: str) -> list[Any]:
    """Return what comes up to a message of one of some kinds."""
    told: list[Any] = []
    while True:
        message = events.recv(timeout=60)
        if isinstance(message, bytes):
            (length,) = struct.unpack("<I", message[:4])
            told.append((json.loads(message[4 : 4 + length]), message[4 + length :]))
        else:
            told.append(json.loads(message))
            if told[-1]["type"] in kinds:
                return told


@contextmanager
def serving(folder: Path, loaded: LoadedModel | Exception, config: Config = CONFIG):
    """Serve the page over a folder; yield its first tab."""

    def load(_: Config) -> LoadedModel:
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    workspace, key = Workspace(folder, config, load), Key()
    with running(lambda port: make_app(workspace, key, "127.0.0.1", port)) as port:
        yield Page(port, key.reveal(), workspace)
