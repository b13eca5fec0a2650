"""The real client, and a scan to draw on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from nnInteractive.inference.remote import nnInteractiveRemoteInferenceSession

from tests.scans import three_blocks
from tests.serve.remote.serving import Served, serving
from voxtrail.model.weights import load_model

SPACING_ZYX = (2.5, 0.9, 0.7)
Connect = Callable[..., nnInteractiveRemoteInferenceSession]


@pytest.fixture(scope="session")
def tiny(nano):
    return load_model(str(nano), device="cpu")


@pytest.fixture(scope="session")
def array() -> np.ndarray:
    """(z, y, x) int16 HU: three bright blocks."""
    return np.ascontiguousarray(three_blocks()[0].T)


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    """(z, y, x) uint8: the brightest block."""
    return np.ascontiguousarray(three_blocks()[1].T == 3).astype(np.uint8)


@pytest.fixture(scope="module")
def served(tiny) -> Iterator[Served]:
    with serving(tiny) as server:
        yield server


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Connect clients to a server; they are closed at the end."""
    opened = []

    def make(server: Served, **options) -> nnInteractiveRemoteInferenceSession:
        client = nnInteractiveRemoteInferenceSession(server.url, **options)
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(served, connect, array):
    """A client with a scan."""
    one = connect(served)
    one.set_image(array[None], {"spacing": np.array(SPACING_ZYX)})
    one.set_target_buffer(np.zeros(array.shape, np.uint8))
    return one


def only(mask: np.ndarray, along: int, index: int) -> tuple[np.ndarray, list[list[int]]]:
    """Return a slice of a mask as a client sends it: a thin part of the array, and its box."""
    bounds = [[0, side] for side in mask.shape]
    bounds[along] = [index, index + 1]
    part = mask[tuple(slice(*ends) for ends in bounds)]
    return np.ascontiguousarray(part), bounds
