"""What a session held is free when it ends, however it ends: not only counted as free."""

from __future__ import annotations

import gc
import logging
import time
import weakref
from collections.abc import Callable
from dataclasses import replace

import httpx
import numpy as np
import pytest

from tests.serve.nninteractive.conftest import SPACING_ZYX, only
from tests.serve.nninteractive.test_client import slow
from tests.serve.remote.serving import Served, serving
from voxtrail.serve.remote import app

Held = dict[str, weakref.ref]


@pytest.fixture(autouse=True)
def only_the_server_collects(monkeypatch):
    """Let nothing be freed by a collection that comes by chance."""
    monkeypatch.setattr(app, "SWEEP_S", 0.1)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def draws(array, truth, connect) -> Callable:
    """Connect a client with a scan; return it, what it draws, and what the server holds of it."""
    part, bounds = only(truth, 0, 5)

    def make(server: Served, **options):
        client = connect(server, **options)
        client.set_image(array[None], {"spacing": SPACING_ZYX})
        client.set_target_buffer(np.zeros(array.shape, np.uint8))
        held = _held(server, client._lease_token)
        return (
            client,
            held,
            lambda: client.add_lasso_interaction(part, True, interaction_bbox=bounds),
        )

    return make


def _held(server: Served, token: str) -> Held:
    annotation = server.service.leases.find(token, acting=False).annotation
    found = {
        "annotation": annotation,
        "session": annotation._session,
        "features": annotation._cache.features,
        "predictions": annotation._cache.predictions,
        "mask": annotation.shown,
        "scan": annotation._volume,
    }
    return {name: weakref.ref(one) for name, one in found.items()}


def left(held: Held) -> list[str]:
    """Return what is still there once the server has had time."""
    for _ in range(100):
        found = [name for name, one in held.items() if one() is not None]
        if not found:
            break
        time.sleep(0.1)
    return found


def test_after_a_slice(tiny, draws):
    """The last thing done in the model's thread, which then waits."""
    with serving(tiny) as server:
        client, held, lasso = draws(server)
        lasso()
        client.add_point_interaction((4, 8, 6), True, False)
        assert held["annotation"]() is not None
        client.close()
        assert left(held) == []


def test_after_another_scan(tiny, draws, array):
    with serving(tiny) as server:
        client, held, lasso = draws(server)
        lasso()
        client.undo()
        client.set_image(array[None, 1:], {"spacing": SPACING_ZYX})
        assert left(held) == []


class Failing:
    """A model that fails once it tracks."""

    def __init__(self, model) -> None:
        self._model = model

    def __getattr__(self, name):
        return getattr(self._model, name)

    def track(self, trackings):
        raise MemoryError


def test_after_work_that_failed(tiny, draws, caplog):
    caplog.set_level(logging.CRITICAL + 1, "voxtrail.serve")  # what is logged would be kept
    with serving(replace(tiny, model=Failing(tiny.model))) as server:
        client, held, lasso = draws(server)
        with pytest.raises(httpx.HTTPStatusError):
            lasso()
        client.close()
        assert left(held) == []


def test_after_a_client_that_went_while_it_waited(tiny, draws):
    with serving(slow(tiny, 0.3), silent_s=0.2) as server:
        client, held, lasso = draws(server, read_timeout=0.1)
        with pytest.raises(httpx.ReadTimeout):
            lasso()
        client.close()
        assert left(held) == []
