"""A hub on the loopback: it serves one repository and breaks off as it is told."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Behaviour:
    """What a server does to those who ask.

    ``drops`` requests get no answer, the next ``busy`` ones 503; ``cut`` downloads end half way;
    each answer comes ``late_s`` seconds late. ``asked`` holds method and file name of each request.
    """

    drops: int = 0
    busy: int = 0
    cut: int = 0
    late_s: float = 0.0
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def hub_server(folder: Path, behaviour: Behaviour) -> Iterator[str]:
    """Serve a folder's files as any repository; give the server's address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(with_body=False)

        def do_GET(self) -> None:
            self._answer(with_body=True)

        def _answer(self, *, with_body: bool) -> None:
            name = Path(self.path).name
            behaviour.asked.append((self.command, name))
            if behaviour.drops:
                behaviour.drops -= 1
                self.close_connection = True
                return
            if behaviour.busy:
                behaviour.busy -= 1
                self.send_error(503)
                return
            time.sleep(behaviour.late_s)
            if not (folder / name).is_file():
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("X-Repo-Commit", REVISION)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = (folder / name).read_bytes()
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-"))
            self.send_response(206 if start else 200)
            self.send_header("X-Repo-Commit", REVISION)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content) - start))
            if start:
                size = len(content)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.end_headers()
            if not with_body:
                return
            if behaviour.cut and name.endswith(".safetensors"):
                behaviour.cut -= 1
                self.wfile.write(content[start : start + len(content) // 2])
                self.close_connection = True
                return
            self.wfile.write(content[start:])

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
