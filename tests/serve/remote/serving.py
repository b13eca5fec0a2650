"""A server for clients, on a real socket in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.serve.running import running
from voxtrail.model.base import LoadedModel
from voxtrail.serve.key import Key
from voxtrail.serve.model_worker import ModelWorker
from voxtrail.serve.remote.app import make_app
from voxtrail.serve.remote.budget import Budget
from voxtrail.serve.remote.leases import Leases
from voxtrail.serve.remote.long_reply import Patience
from voxtrail.serve.remote.service import Service
from voxtrail.session import Config

ROOM = 2**33


@dataclass(frozen=True)
class Served:
    port: int
    service: Service

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@contextmanager
def serving(
    model: LoadedModel,
    config: Config | None = None,
    *,
    key: str | None = None,
    max_sessions: int = 8,
    room: int = ROOM,
    silent_s: float = 20.0,
    clock: Clock | None = None,
) -> Iterator[Served]:
    service = Service(
        model=model,
        config=config or Config(),
        leases=Leases(max_sessions, Budget(room), **({"clock": clock} if clock else {})),
        worker=ModelWorker(),
        patience=Patience(silent_s),
        key=None if key is None else Key(key),
    )
    with running(lambda port: make_app(service, "127.0.0.1", port)) as port:
        yield Served(port, service)
