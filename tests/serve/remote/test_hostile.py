"""Clients that mean harm: the quick part of ``python -m tests.serve.fuzz_requests``, and more."""

from __future__ import annotations

import asyncio
import socket

import numpy as np
import pytest

from tests.serve.fuzz_requests import ask_again, attack, bystander, make, serve_for_fuzz
from tests.serve.remote.serving import serving
from tests.serve.running import ask
from voxtrail.serve import head_timeout, listening
from voxtrail.serve.failures import Refused
from voxtrail.serve.nninteractive.pack import header, pack
from voxtrail.serve.remote.budget import Budget
from voxtrail.serve.remote.leases import Leases

REQUESTS = 150
CONNECTIONS = 1000


# What was cut off before its end leaves a temporary file to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_hostile_requests_are_refused_and_hurt_nobody(tiny):
    with serve_for_fuzz(tiny) as served:
        token, expected = bystander(served)
        found, statuses = {}, set()
        for index, verdict in attack(served, 3, range(REQUESTS)):
            statuses.add(verdict.status)
            if verdict.complaint:
                found[index] = verdict.complaint
        assert not found, (
            f"try again: python -m tests.serve.fuzz_requests --seed 3 --only N; {found}"
        )
        # Otherwise they are too harmless or too harmful to test anything.
        assert {200, 400, 410} <= statuses
        assert ask_again(served, token) == expected
        served.service.leases.close()
        assert served.service.leases.budget.taken == 0


def test_a_request_is_made_of_seed_and_number_alone():
    assert make(11, 7, "a", "b") == make(11, 7, "a", "b")


def test_connections_that_never_finish_are_closed_and_hurt_nobody(tiny, monkeypatch):
    monkeypatch.setattr(listening, "HeadTimeout", lambda: head_timeout.HeadTimeout(1.0))
    with serve_for_fuzz(tiny) as served:
        token, expected = bystander(served)
        begun = (b"", b"POST /claim HTTP/1.1\r\nHost: 127")
        held = []
        for number in range(CONNECTIONS):
            one = socket.create_connection(("127.0.0.1", served.port), timeout=30)
            one.sendall(begun[number % 2])
            held.append(one)
        assert ask_again(served, token) == expected
        for one in held:
            with one:
                try:
                    assert one.recv(1) == b""
                except ConnectionResetError:
                    continue


def test_a_body_that_never_comes_is_given_up(tiny, monkeypatch):
    monkeypatch.setattr("voxtrail.serve.body_limit.PIECE_S", 0.3)
    with serving(tiny) as served:
        token = ask(served.port, "POST", "/claim").json()["lease_token"]
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as one:
            one.sendall(
                f"POST /set_image HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
                f"X-Lease-Token: {token}\r\nContent-Length: 100000\r\n\r\nNNIA".encode()
            )
            assert b" 408 " in one.recv(100)
        assert served.service.leases.budget.taken == 0


def test_numbers_beyond_any_are_refused(tiny):
    far = 10**400  # no float
    with serving(tiny) as served:
        headers = {"X-Lease-Token": ask(served.port, "POST", "/claim").json()["lease_token"]}
        scan = pack(np.zeros((1, 6, 10, 12), np.int16))
        spacing = {"X-Meta": f'{{"image_properties": {{"spacing": [{far}, 1, 1]}}}}'}
        refused = ask(served.port, "POST", "/set_image", scan, headers | spacing)
        assert refused.status == 400
        assert ask(served.port, "POST", "/set_image", scan, headers).status == 200
        for path, said in (
            ("/add_point_interaction", {"coordinates": [far, 1, 1]}),
            ("/add_bbox_interaction", {"bbox_coords": [[0, far], [0, 2], [0, 2]]}),
        ):
            said["include_interaction"] = True
            assert ask(served.port, "POST", path, said, headers).status == 400
        box = {"X-Meta": f'{{"include_interaction": true, "interaction_bbox": {[[0, far]] * 3}}}'}
        mask = pack(np.ones((1, 10, 12), np.uint8))
        refused = ask(served.port, "POST", "/add_lasso_interaction", mask, headers | box)
        assert refused.status == 400
        session = ask(served.port, "GET", "/v2/start_session/voxtrail").json()["session_id"]
        point = f"/v2/process_point_interaction/{session}?point={far}&point=1&point=1"
        assert ask(served.port, "GET", point).status == 400


def test_memory_is_bounded_in_all_and_given_back(tiny):
    scan = pack(np.zeros((1, 40, 64, 64), np.int16))
    with serving(tiny, room=400 * 2**20) as served:
        budget = served.service.leases.budget

        def claim() -> dict[str, str]:
            return {"X-Lease-Token": ask(served.port, "POST", "/claim").json()["lease_token"]}

        first, second = claim(), claim()
        assert ask(served.port, "POST", "/set_image", scan, first).status == 200
        full = ask(served.port, "POST", "/set_image", scan, second)
        assert (full.status, full.headers["retry-after"]) == (503, "10")
        promise = header((1, 2**20, 2**20, 2**10), np.dtype("float64"), 1) + bytes(64)
        assert ask(served.port, "POST", "/set_image", promise, second).status == 413
        assert ask(served.port, "POST", "/undo", bytes(2**17), first).status == 413
        assert 0 < budget.taken <= budget.total
        assert ask(served.port, "POST", "/release", None, first).status == 200
        assert budget.taken == 0
        assert ask(served.port, "POST", "/set_image", scan, second).status == 200


def test_a_lease_that_ends_while_its_scan_comes_holds_nothing(tiny):
    scan = pack(np.zeros((1, 40, 64, 64), np.int16))
    with serving(tiny) as served:
        headers = {"X-Lease-Token": ask(served.port, "POST", "/claim").json()["lease_token"]}

        def parts():
            yield scan[:10]
            assert ask(served.port, "POST", "/release", None, headers).status == 200
            yield scan[10:]

        assert ask(served.port, "POST", "/set_image", parts(), headers).status == 410
        assert served.service.leases.budget.taken == 0


def test_requests_of_other_sites_and_names_are_refused(tiny):
    with serving(tiny) as served, serving(tiny, key="a-key-of-some-length") as keyed:
        evil = {"Host": "evil.example", "Authorization": "Bearer a-key-of-some-length"}
        assert ask(served.port, "GET", "/healthz", headers=evil).status == 403
        # a key that no browser adds by itself: the server may have any name
        assert ask(keyed.port, "GET", "/capabilities", headers=evil).status == 200
        tunnelled = {"Host": "localhost:5555"}
        assert ask(served.port, "GET", "/healthz", headers=tunnelled).status == 200
        crossing = {"Origin": "http://localhost:5555"}
        assert ask(served.port, "GET", "/healthz", headers=crossing).status == 403


def test_what_a_lease_holds_stays_its_own_where_there_is_no_room_for_more():
    leases = Leases(3, Budget(100))
    one, other = leases.claim(), leases.claim()
    leases.hold(one, 60)
    leases.hold(other, 30)
    for nbytes, status in ((80, 503), (101, 413)):
        with pytest.raises(Refused) as refused:
            leases.hold(one, nbytes)
        assert refused.value.status_code == status
        assert (one.held, leases.budget.taken) == (60, 90)
    leases.hold(one, 70)
    leases.release(one.token)
    leases.release(one.token)
    assert (leases.budget.taken, len(leases), one.ended) == (30, 1, True)


def test_a_client_that_waits_for_an_answer_is_not_idle():
    now = [0.0]
    leases = Leases(3, Budget(100), lambda: now[0])

    async def wait() -> None:
        lease = leases.claim()
        async with lease.serial:
            now[0] += 10_000
            leases.sweep()
            assert lease.token in leases
        leases.sweep()
        assert lease.token not in leases

    asyncio.run(wait())
