"""``voxtrail serve`` as it is started."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from tests.serve.running import ask
from voxtrail.cli.main import _run
from voxtrail.cli.serve import _bytes


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_it_says_where_it_is_and_ends_cleanly(nano, tmp_path, end):
    key = tmp_path / "key"
    key.write_text("a-secret-of-length\nnot this\n")
    command = [sys.executable, "-c", "from voxtrail.cli.main import main; main()", "serve"]
    options = ["--port", "0", "--model", str(nano), "--device", "cpu", "--api-key-file", str(key)]
    with subprocess.Popen(
        command + options, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        line = server.stdout.readline()
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)$", line.strip())[1])
        assert ask(port, "GET", "/healthz").json() == {"ok": True}
        assert ask(port, "GET", "/capabilities").status == 401
        headers = {"Authorization": "Bearer a-secret-of-length"}
        assert ask(port, "GET", "/capabilities", headers=headers).status == 200
        server.send_signal(end)
        rest, said = server.communicate(timeout=60)
    assert (server.returncode, rest, said) == (0, "", "")


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        (["--host", "0.0.0.0"], "needs a key"),
        (["--api-key", "a", "--api-key-file", "b"], "two keys"),
        (["--api-key", ""], "cannot be sent"),
        (["--api-key", "guess-me"], "too short"),
        (["--api-key", "käse"], "cannot be sent"),
        (["--api-key-file", "/nowhere"], "cannot be read"),
        (["--max-bytes", "much"], "no number of bytes"),
        (["--max-bytes", "0"], "no number of bytes"),
        (["--max-bytes", "100M"], "no scan would fit"),
        (["--roi", "0:1,0:1,0:1"], "of one scan"),
        (["--max-sessions", "0"], "max-sessions"),
    ],
)
def test_what_cannot_be_served_is_refused(options, wrong, capsys):
    assert _run(["serve", "--model", "micro", "--port", "0", *options]) == 2
    assert wrong in capsys.readouterr().err


def test_sizes():
    assert (_bytes("16G"), _bytes("500 MiB".replace(" ", "")), _bytes("7")) == (
        2**34,
        500 * 2**20,
        7,
    )
    assert _bytes(None) > 0
