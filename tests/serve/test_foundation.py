"""Each safety rule of a server by itself, against attacks on it."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fastapi import FastAPI, Request, WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.serve.running import ask, raw, running
from voxtrail.errors import OptionError, OutputError, PromptError, WorkError
from voxtrail.serve import body_limit
from voxtrail.serve.body_limit import BodyLimit
from voxtrail.serve.confined import Confined
from voxtrail.serve.failures import Refused, answer_failures
from voxtrail.serve.key import Key
from voxtrail.serve.listening import bind
from voxtrail.serve.safe_headers import SafeHeaders
from voxtrail.serve.same_origin import SameOrigin


def app(port: int):
    inner = FastAPI(openapi_url=None)
    answer_failures(inner)

    @inner.get("/")
    @inner.get("/api")
    def hello() -> str:
        return "hello"

    @inner.post("/body")
    async def body(request: Request) -> int:
        return len(await request.body())

    @inner.get("/fail/{kind}")
    def fail(kind: str) -> None:
        if kind == "full":
            raise OutputError("no room", received="x", accepted="y", remedy="z") from OSError(28)
        raise {
            "input": PromptError("bad", received=1, accepted="2", remedy="do this"),
            "work": WorkError("the work failed"),
            "refused": Refused(409, "taken", received="a", accepted="b", remedy="c"),
            "memory": MemoryError(),
            "bug": ValueError("a secret detail"),
        }[kind]

    @inner.post("/typed")
    def typed(number: int) -> int:
        return number

    @inner.websocket("/ws")
    async def events(connection: WebSocket) -> None:
        await connection.accept()
        await connection.send_text("hello")
        await connection.close()

    return SafeHeaders(SameOrigin(BodyLimit(inner, lambda method, path: 100), "127.0.0.1", port))


@pytest.fixture(scope="module")
def port():
    with running(app) as port:
        yield port


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"])
def test_a_host_that_is_this_server_is_answered(port, name):
    assert ask(port, "GET", "/api", headers={"Host": f"{name}:{port}"}).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:{port}", "evil.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:{port}/x",
        "a@127.0.0.1:{port}", "127.0.0.1.evil.example:{port}", "192.168.1.1:{port}", "[::1",
        "localhost.evil.example:{port}", "127.0.0.1:99999999", "",
    ],
)  # fmt: skip
def test_a_rebound_name_is_refused(port, host):
    answer = ask(port, "GET", "/api", headers={"Host": host.format(port=port)})
    assert answer.status in (400, 403)
    assert b"hello" not in answer.body


def test_two_hosts_are_refused(port):
    me = f"Host: 127.0.0.1:{port}\r\n".encode()
    answer = raw(port, b"GET /api HTTP/1.1\r\n" + me + b"Host: evil.example\r\n\r\n")
    assert b" 400 " in answer.partition(b"\r\n")[0] or b" 403 " in answer.partition(b"\r\n")[0]
    assert b"hello" not in answer


def test_the_server_s_own_page_is_answered(port):
    mine = {"Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
    assert ask(port, "GET", "/api", headers=mine).status == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:1", "http://localhost:{port}", ""]
)
def test_another_site_s_page_is_refused(port, origin):
    headers = {"Origin": origin.format(port=port)}
    assert ask(port, "POST", "/body", b"x", headers).status == 403
    assert ask(port, "GET", "/api", headers=headers).status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_another_page_embeds_is_refused_and_a_link_to_the_page_is_not(port, site):
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}
    assert ask(port, "GET", "/", headers=headers).status == 403
    followed = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate"}
    assert ask(port, "GET", "/", headers=followed).status == 200
    assert ask(port, "GET", "/api", headers=followed).status == 403


def test_websockets_are_checked_alike(port):
    with connect(f"ws://127.0.0.1:{port}/ws", origin=f"http://127.0.0.1:{port}") as mine:
        assert mine.recv() == "hello"
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "same-site"}):
        with pytest.raises(InvalidStatus) as refused:
            connect(f"ws://127.0.0.1:{port}/ws", additional_headers=headers)
        assert refused.value.response.status_code == 403


def test_bodies_are_bounded_however_they_come(port):
    assert ask(port, "POST", "/body", b"x" * 100).json() == 100
    assert ask(port, "POST", "/body", b"x" * 101).status == 413
    assert ask(port, "POST", "/body", iter([b"x" * 50, b"x" * 50])).json() == 100
    answer = ask(port, "POST", "/body", iter([b"x" * 50] * 3))
    assert answer.status == 413
    assert answer.json()["error"]["accepted"] == "at most 100 bytes"
    me = f"Host: 127.0.0.1:{port}\r\n".encode()
    for length in (b"99999999999999", b"-1", b"1e3", b"0x10"):
        head = b"POST /body HTTP/1.1\r\n" + me + b"Content-Length: " + length + b"\r\n\r\n"
        assert raw(port, head).split()[1] in (b"413", b"400")


def test_a_body_that_stops_coming_is_given_up(monkeypatch):
    monkeypatch.setattr(body_limit, "PIECE_S", 0.05)
    sent = []

    async def never():
        await asyncio.sleep(60)

    async def inner(scope, receive, send):
        with pytest.raises(Refused) as refused:
            await receive()
        sent.append(refused.value.status_code)

    scope = {"type": "http", "method": "POST", "path": "/", "headers": []}
    asyncio.run(BodyLimit(inner, lambda method, path: 1)(scope, never, never))
    assert sent == [408]


def test_answers_carry_the_headers_that_keep_a_page_to_itself(port):
    for answer in (
        ask(port, "GET", "/"),
        ask(port, "GET", "/missing"),
        ask(port, "GET", "/fail/bug"),
        ask(port, "GET", "/", headers={"Host": "evil.example"}),
    ):
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("kind", "status"),
    [("input", 400), ("full", 507), ("work", 500), ("refused", 409), ("memory", 500), ("bug", 500)],
)
def test_failures_say_four_things_and_no_traceback(port, kind, status, caplog):
    caplog.set_level(logging.CRITICAL)
    answer = ask(port, "GET", f"/fail/{kind}")
    assert answer.status == status
    told = answer.json()["error"]
    assert set(told) == {"what", "received", "accepted", "remedy"}
    assert told["what"]
    for word in (b"Traceback", b"secret detail", b"site-packages", b".py"):
        assert word not in answer.body


def test_malformed_requests_say_four_things(port):
    answer = ask(port, "POST", "/typed?number=many")
    assert (answer.status, answer.json()["error"]["received"]) == (400, "query.number: many")
    assert ask(port, "GET", "/missing").json()["error"]["what"] == "Not Found"
    assert ask(port, "DELETE", "/api").status == 405


def test_a_key_is_matched_whole_and_not_shown():
    key = Key()
    assert key.matches(key.reveal())
    for wrong in (None, "", key.reveal()[:-1], key.reveal() + "x", "\udcff", "ü"):
        assert not key.matches(wrong)
    assert key.reveal() not in repr(key)
    assert len({Key().reveal() for _ in range(20)}) == 20


def test_a_key_that_can_be_guessed_is_refused_and_not_shown():
    with pytest.raises(OptionError, match="too short") as caught:
        Key("password")
    assert "password" not in str(caught.value)


def test_names_stay_below_the_folder(tmp_path):
    root = tmp_path / "root"
    (root / "a" / "b").mkdir(parents=True)
    (tmp_path / "secret").write_text("x")
    (root / "out").symlink_to(tmp_path)
    (root / "file").symlink_to(tmp_path / "secret")
    (root / "inside").symlink_to(root / "a")
    (root / "circle").symlink_to(root / "circle")
    confined = Confined(root)
    assert confined.place("") == root
    assert confined.place("a/b/new.nii.gz") == root / "a" / "b" / "new.nii.gz"
    assert confined.place("inside/b") == root / "a" / "b"
    assert (confined.name(root / "a" / "b"), confined.name(root)) == ("a/b", "")
    for name in (
        "..", "../secret", "a/../../secret", "/etc/passwd", str(root / "a"), "out/secret", "file",
        "out", "a/b/../../../secret", "a\0", "..\\secret",
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            confined.place(name)
        assert refused.value.status_code == 403


def test_a_socket_is_for_this_machine_unless_there_is_a_key():
    for host in ("0.0.0.0", "::", "192.0.2.1"):
        with pytest.raises(OptionError, match="needs a key"):
            bind(host, 0, key=False)
    with bind("0.0.0.0", 0, key=True) as bound:
        assert bound.getsockname()[1] > 0
        # asyncio sends small answers at once only where the protocol is named
        assert bound.proto == socket.IPPROTO_TCP
    with bind("127.0.0.1", 0, key=False) as bound, pytest.raises(OutputError, match="listen"):
        bind("127.0.0.1", bound.getsockname()[1], key=False)
    for host, number in (("no.such.name.invalid", 0), ("127.0.0.1", 99999)):
        with pytest.raises(OutputError, match="listen"):
            bind(host, number, key=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_clean_end(number):
    program = """
import sys
from contextlib import asynccontextmanager
from fastapi import FastAPI
from voxtrail.serve.listening import Server, bind

@asynccontextmanager
async def lifespan(app):
    yield
    print("saved", flush=True)

bound = bind("127.0.0.1", 0, key=False)
Server(FastAPI(lifespan=lifespan), bound, lambda: print("ready", flush=True)).run()
print("over")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "saved\nover\n", "")


def test_the_layers_are_listed_in_the_architecture():
    page = (Path(__file__).parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "`serve`" in page
