"""Hostile requests by the thousand: ``python -m tests.serve.fuzz_requests --requests 5000``.

Each request is made from the seed and its number alone: ``--only 4711`` sends that one again. They
go to a server of this process' own, on 127.0.0.1. Exit 1 where an answer was none of those that a
refusal has, showed a traceback, or where afterwards another client's session was hurt.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import struct
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from tests.serve.remote.serving import Clock, Served, serving
from voxtrail.model.base import LoadedModel
from voxtrail.serve.nninteractive.pack import pack
from voxtrail.session import Config

SHAPE = (6, 10, 12)  # (z, y, x)
#: Statuses of answers that tell what is wrong, and of those that were right after all.
EXPECTED = {200, 400, 401, 403, 404, 405, 408, 410, 413, 422, 431, 503}
#: Bytes of the server's budget: more than the scans need, less than the requests promise.
ROOM = 2**31
JSON_PATHS = (
    "/claim", "/release", "/heartbeat", "/set_target_buffer", "/set_do_autozoom",
    "/reset_interactions", "/undo", "/predict", "/add_point_interaction", "/add_bbox_interaction",
)  # fmt: skip
ARRAY_PATHS = (
    "/set_image", "/add_scribble_interaction", "/add_lasso_interaction",
    "/add_initial_seg_interaction",
)  # fmt: skip
GET_PATHS = ("/capabilities", "/lease_status", "/healthz", "/status", "/v2/models", "/../../etc")
SNAP_PATHS = (
    "/upload_raw/{}", "/v2/upload_raw/{}", "/process_scribble_interaction/{}",
    "/process_lasso_interaction/{}", "/process_point_interaction/{}",
    "/v2/process_point_interaction/{}", "/reset_interactions/{}", "/v2/start_session/{}",
)  # fmt: skip
#: Texts in place of what a field should hold.
ODD = (
    "null", "true", "-1", "0", "1e999", "NaN", "-Infinity", "9" * 30, "1.5", '""', '"\\u0000"',
    "[]", "{}", "[[],[],[]]", "[0,0,0]", "[[0,1],[0,1],[0,1]]", "[1e308,1,1]",
    "[[0,0],[0,1],[0,1]]",
    "9" * 400, f"[{'9' * 400},1,1]", f"[[0,{'9' * 400}],[0,1],[0,1]]",
    '["a","b","c"]', "[" * 3000, '{"a":' * 500, "[0,0,0,0]", "[[-5,5],[2,3],[1,4]]",
)  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def make(index: int, seed: int, lease: str, session: str) -> Sent:
    """Return a request, of seed and number alone but for the lease that it may use."""
    random = Random(f"{seed}-{index}")
    kind = random.choice(("json", "json", "array", "array", "array", "get", "snap", "snap"))
    headers = {}
    if random.random() < 0.85:
        headers["X-Lease-Token"] = lease
    elif random.random() < 0.5:
        headers["X-Lease-Token"] = random.choice(("", "0" * 43, lease[:-1], lease + "a", "\t"))
    if random.random() < 0.05:
        headers["Authorization"] = random.choice(("Bearer x", "Basic eA==", "Bearer", "\xff"))
    if random.random() < 0.03:
        headers["Host"] = random.choice(("evil.example", "127.0.0.1:1", "", "[::1"))
    if random.random() < 0.03:
        headers["Origin"] = "http://evil.example"
    method = "POST" if random.random() < 0.97 else random.choice(("PUT", "DELETE", "HEAD", "X"))
    if kind == "json":
        return Sent(method, random.choice(JSON_PATHS), headers, _json(random))
    if kind == "array":
        headers["X-Meta"] = _json(random).decode("latin-1").replace("\n", "")[:60000]
        return Sent(method, random.choice(ARRAY_PATHS), headers, _array(random))
    if kind == "get":
        return Sent("GET", random.choice(GET_PATHS), headers, b"")
    path = random.choice(SNAP_PATHS).format(session if random.random() < 0.9 else "nobody")
    if "point" in path or "start" in path or "reset" in path:
        query = "&".join(
            f"{name}={random.choice((*ODD[:12], '1', '4', '99'))[:40].encode().hex()}"
            if random.random() < 0.2
            else f"{name}={random.choice(('1', '4', '-1', '99', '1e5', 'a', '9' * 400))}"
            for name in ("x", "y", "z", "point", "point", "point", "foreground")
            if random.random() < 0.9
        )
        return Sent("GET", f"{path}?{query}", headers, b"")
    headers["Content-Type"] = "multipart/form-data; boundary=edge"
    return Sent(method, f"{path}?foreground=true", headers, _form(random))


def _json(random: Random) -> bytes:
    values = {
        "coordinates": [random.randrange(-2, 14) for _ in range(3)],
        "bbox_coords": [sorted((random.randrange(14), random.randrange(14))) for _ in range(3)],
        "interaction_bbox": None,
        "include_interaction": random.random() < 0.7,
        "run_prediction": random.random() < 0.3,
        "shape": list(SHAPE),
        "dtype": random.choice(("uint8", "int64", "float32", "object", "U99999999", "<M8[ns]")),
        "do_autozoom": True,
        "image_properties": {"spacing": [2.0, 0.8, 0.8]},
    }
    text = json.dumps(values)
    if random.random() < 0.5:
        name = random.choice(list(values))
        text = text.replace(json.dumps(values[name]), random.choice(ODD), 1)
    return _damaged(text.encode(), random) if random.random() < 0.15 else text.encode()


def _array(random: Random) -> bytes:
    axes = 4 if random.random() < 0.4 else 3
    shape = (1,) * (axes - 3) + SHAPE
    choice = random.random()
    if choice < 0.15:
        shape = tuple(random.choice((1, 2, 6, 10, 12)) for _ in range(random.choice((1, 3, 4, 7))))
    numbers = np.random.default_rng(random.randrange(2**32))
    array = numbers.integers(-1000, 1000, shape).astype(
        random.choice(("int16", "float32", "uint8", "bool", "float64"))
    )
    if array.dtype.kind == "f" and random.random() < 0.3:
        array.flat[0] = random.choice((np.nan, np.inf, -np.inf))
    elif random.random() < 0.5:
        array[...] = 0
        if array.shape[-3:] == SHAPE:
            array[..., 3, 2:8, 3:9] = 1
    sent = bytearray(pack(array))
    if choice > 0.9:  # a lying header
        at = 8 + sent[7]
        struct.pack_into(
            "<q", sent, at, random.choice((2**40, 2**62, -1, 0, 65536, -(2**63), 2**31))
        )
    elif choice > 0.8:
        sent[6] = random.choice((0, 1, 5, 64, 255))  # axes
    elif choice > 0.7 and len(sent) > 60:
        at = random.randrange(8 + sent[7], len(sent) - 8)
        struct.pack_into("<Q", sent, at, random.choice((2**63, 2**64 - 1, 2**40, 0, 2**30)))
    return _damaged(bytes(sent), random) if random.random() < 0.4 else bytes(sent)


def _form(random: Random) -> bytes:
    said = {
        "dimensions": list(SHAPE[::-1]),
        "spacing": [0.8, 0.8, 2.0],
        "origin": [0, 0, 0],
        "direction": [1, 0, 0, 0, 1, 0, 0, 0, 1],
        "components_per_pixel": 1,
        "component_type": "float32",
    }
    text = json.dumps(said)
    if random.random() < 0.4:
        name = random.choice(list(said))
        text = text.replace(json.dumps(said[name]), random.choice(ODD), 1)
    voxels = np.zeros(SHAPE, np.float32)
    voxels[3, 2:8, 3:9] = 1
    raw = voxels.tobytes()
    if random.random() < 0.1:
        raw = bytes(random.choice((0, 1, len(raw) - 1, len(raw) + 1, 10**7)))
    packed = gzip.compress(raw)
    if random.random() < 0.2:
        packed = _damaged(packed, random)
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.gz"\r\n\r\n'
        + packed
        + b'\r\n--edge\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n'
        + text.encode()
        + b"\r\n--edge--\r\n"
    )
    return _damaged(body, random) if random.random() < 0.2 else body


def _damaged(data: bytes, random: Random) -> bytes:
    """Return bytes that are cut off, changed or longer."""
    way = random.randrange(4)
    if way == 0:
        return data[: random.randrange(len(data) + 1)]
    if way == 1:
        return data + random.randbytes(random.randrange(1, 40))
    if way == 2:
        return random.randbytes(random.randrange(0, 300))
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 8)) if changed else 0):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


@dataclass(frozen=True)
class Verdict:
    """How a request was answered: its status (0: not at all), and what is wrong with that."""

    status: int
    complaint: str | None


def send(port: int, sent: Sent) -> Verdict:
    """Send a request and judge the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        with suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent
            connection.request(sent.method, sent.path, sent.body, sent.headers)
        answer = connection.getresponse()
        body = answer.read()
    except (ValueError, UnicodeError):  # nothing that Python's own client would send
        return Verdict(0, None)
    except (http.client.HTTPException, OSError) as error:
        return Verdict(0, f"no answer: {error!r}")
    finally:
        connection.close()
    if answer.status not in EXPECTED:
        return Verdict(answer.status, f"status {answer.status}: {body[:200]!r}")
    if b"Traceback" in body or b'File "' in body:
        return Verdict(answer.status, f"a traceback: {body[:300]!r}")
    return Verdict(answer.status, None)


def attack(served: Served, seed: int, indices: range) -> Iterator[tuple[int, Verdict]]:
    """Send requests, each with a lease that has a scan."""
    lease = session = ""
    for index in indices:
        if not _lives(served, lease):
            lease = _with_scan(served)
        if not _lives(served, session):
            session = _with_scan(served)
        yield index, send(served.port, make(index, seed, lease, session))


def _lives(served: Served, token: str) -> bool:
    return token in served.service.leases


def _with_scan(served: Served) -> str:
    """Claim a lease and send a scan."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("POST", "/claim")
    token = json.loads(connection.getresponse().read())["lease_token"]
    scan = np.zeros((1, *SHAPE), np.int16)
    scan[0, 1:5, 2:8, 3:9] = 700
    connection.request("POST", "/set_image", pack(scan), {"X-Lease-Token": token})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    connection.close()
    return str(token)


def bystander(served: Served) -> tuple[str, bytes]:
    """Return a lease with an outline, and what it is answered."""
    token = _with_scan(served)
    return token, ask_again(served, token)


def ask_again(served: Served, token: str) -> bytes:
    """Return what a bystander's lease gives of one outline, from nothing."""
    outline = np.zeros(SHAPE, np.uint8)
    outline[3, 2:8, 3:9] = 1
    headers = {"X-Lease-Token": token, "X-Meta": '{"include_interaction": true}'}
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    connection.request("POST", "/reset_interactions", headers=headers)
    connection.getresponse().read()
    connection.request("POST", "/add_lasso_interaction", pack(outline), headers)
    answer = connection.getresponse()
    body = answer.read()
    assert answer.status == 200, body
    connection.close()
    return body


def serve_for_fuzz(model: LoadedModel):
    """Return the server that is attacked."""
    # No time passes: leases end by what is asked for alone.
    return serving(model, Config(), max_sessions=1000, room=ROOM, clock=Clock())


def main() -> int:
    from tests.nano import build
    from voxtrail.model.weights import load_model

    parser = argparse.ArgumentParser(prog="python -m tests.serve.fuzz_requests")
    parser.add_argument("--requests", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="send one request")
    options = parser.parse_args()
    indices = range(options.requests)
    if options.only is not None:
        indices = range(options.only, options.only + 1)
    started, found, statuses = time.perf_counter(), 0, Counter()
    with tempfile.TemporaryDirectory() as folder:
        model = load_model(str(build(Path(folder))), device="cpu")
        with serve_for_fuzz(model) as served:
            token, expected = bystander(served)
            for index, verdict in attack(served, options.seed, indices):
                statuses[verdict.status] += 1
                if verdict.complaint:
                    found += 1
                    sys.stdout.write(f"FOUND {index}: {verdict.complaint}\n")
                if (index + 1) % 500 == 0:
                    sys.stdout.write(f"{index + 1} requests, {found} found\n")
                    sys.stdout.flush()
            if ask_again(served, token) != expected:
                found += 1
                sys.stdout.write("FOUND: the bystander is answered otherwise\n")
    seconds = time.perf_counter() - started
    sys.stdout.write(f"{dict(sorted(statuses.items()))}\n")
    sys.stdout.write(
        f"{len(indices)} requests of seed {options.seed} in {seconds:.0f} s: {found} found\n"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
