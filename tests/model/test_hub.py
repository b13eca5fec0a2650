"""Weights over a connection that is there, is not there, or breaks: loopback only."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import huggingface_hub
import pytest

from tests.model.hub_server import Behaviour, hub_server
from voxtrail.errors import WeightsError
from voxtrail.model import hub, reach
from voxtrail.model.weights import load_model

REPOSITORY = "someone/nano"


@pytest.fixture
def connects(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Return where this process opens connections to look whether there is a network."""
    opened = []
    create = reach.create_connection

    def counted(address: tuple[str, int], timeout: float) -> socket.socket:
        opened.append(address)
        return create(address, timeout=timeout)

    monkeypatch.setattr(reach, "create_connection", counted)
    return opened


@pytest.fixture
def at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Point the hub's client to an address, with an empty cache, no proxy, and no waiting."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    monkeypatch.setattr(reach, "PAUSE_S", 0)
    monkeypatch.setattr(hub, "WAIT_S", 0)

    def point(address: str) -> None:
        host = address.removeprefix("http://")
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        template = f"http://{host}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)

    yield point
    huggingface_hub.close_session()


@pytest.fixture
def closed_port() -> str:
    """Return an address where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


def test_where_nothing_listens_a_few_connections_tell(at, closed_port, connects, capfd) -> None:
    at(closed_port)
    with pytest.raises(WeightsError) as refused:
        load_model(REPOSITORY, quiet=False)
    assert len(connects) == reach.TRIES
    for part in ("no connection to 127.0.0.1", "hf download someone/nano", "--model micro"):
        assert part in str(refused.value)
    assert capfd.readouterr().err == ""


def test_a_name_server_that_does_not_answer_is_not_waited_for(
    at, connects, monkeypatch: pytest.MonkeyPatch
) -> None:
    at("http://hub.invalid")
    answered = threading.Event()

    def silent(*_: object, **__: object) -> None:
        answered.wait(60)
        raise OSError("too late")

    monkeypatch.setattr(reach, "create_connection", silent)
    monkeypatch.setattr(reach, "PATIENCE_S", 0.05)
    with pytest.raises(WeightsError, match=r"no connection to hub\.invalid \(it does not answer\)"):
        hub.fetch(REPOSITORY, None, quiet=True)
    answered.set()


def test_a_server_that_listens_late_is_reached(at, nano: Path, connects, monkeypatch) -> None:
    behaviour = Behaviour()
    with hub_server(nano, behaviour) as address:
        at(address)
        there, refusals = reach.create_connection, [1, 2]

        def refused_twice(*where: object, **how: object) -> object:
            if refusals:
                refusals.pop()
                raise ConnectionRefusedError(111, "Connection refused")
            return there(*where, **how)

        monkeypatch.setattr(reach, "create_connection", refused_twice)
        assert (hub.fetch(REPOSITORY, None, quiet=True) / "config.json").is_file()


def test_a_proxy_is_what_is_connected_to(at, closed_port, connects, monkeypatch) -> None:
    at("http://hub.invalid")
    monkeypatch.setenv("http_proxy", closed_port)
    with pytest.raises(WeightsError, match=r"no connection to 127\.0\.0\.1"):
        hub.fetch(REPOSITORY, None, quiet=True)
    assert {f"http://127.0.0.1:{port}" for _, port in connects} == {closed_port}


@pytest.mark.parametrize("late_s", [0.0, 0.2])
def test_a_server_that_answers_is_asked_once_a_file(at, nano: Path, late_s, capfd) -> None:
    behaviour = Behaviour(late_s=late_s)
    with hub_server(nano, behaviour) as address:
        at(address)
        folder = hub.fetch(REPOSITORY, None, quiet=True)
    assert load_model(str(folder), device="cpu").sha256 == load_model(str(nano)).sha256
    assert [one for one in behaviour.asked if one[0] == "GET"] == [
        ("GET", "config.json"),
        ("GET", "model.safetensors"),
    ]
    assert capfd.readouterr().err == ""
    assert hub.cached(REPOSITORY, None) == folder


@pytest.mark.parametrize("trouble", [{"drops": 2}, {"busy": 2}, {"drops": 1, "busy": 1}])
def test_a_flaky_server_is_tried_again_and_said_so(at, nano: Path, trouble, capfd) -> None:
    behaviour = Behaviour(**trouble)
    with hub_server(nano, behaviour) as address:
        at(address)
        assert hub.fetch(REPOSITORY, None, quiet=False).is_dir()
    said = [line for line in capfd.readouterr().err.splitlines() if "broken off" in line]
    assert [line.split("; ")[-1] for line in said] == ["try 2 of 5 in 0 s", "try 3 of 5 in 0 s"]


def test_quiet_says_no_tries(at, nano: Path, capfd) -> None:
    with hub_server(nano, Behaviour(drops=1, cut=1)) as address:
        at(address)
        hub.fetch(REPOSITORY, None, quiet=True)
    assert capfd.readouterr().err == ""


def test_a_download_that_is_cut_goes_on_where_it_was(at, nano: Path, capfd) -> None:
    behaviour = Behaviour(cut=1)
    with hub_server(nano, behaviour) as address:
        at(address)
        folder = hub.fetch(REPOSITORY, None, quiet=False)
    assert (folder / "model.safetensors").read_bytes() == (nano / "model.safetensors").read_bytes()
    assert behaviour.asked.count(("GET", "model.safetensors")) == 2
    assert "download: Error while downloading" in capfd.readouterr().err


def test_a_server_that_always_drops_is_given_up(at, nano: Path, capfd) -> None:
    behaviour = Behaviour(drops=99)
    with hub_server(nano, behaviour) as address:
        at(address)
        with pytest.raises(WeightsError, match="hf download someone/nano"):
            hub.fetch(REPOSITORY, None, quiet=False)
    assert behaviour.asked == [("HEAD", "config.json")] * hub.TRIES
    assert capfd.readouterr().err.count("\n") == hub.TRIES - 1


def test_what_is_not_there_is_asked_for_once(at, tmp_path: Path) -> None:
    behaviour = Behaviour()
    empty = tmp_path / "empty"
    empty.mkdir()
    with hub_server(empty, behaviour) as address:
        at(address)
        with pytest.raises(WeightsError, match="cannot be downloaded"):
            hub.fetch(REPOSITORY, None, quiet=True)
    assert len(behaviour.asked) == 1


@pytest.mark.parametrize(
    "command",
    [
        ("segment", "ct.nii.gz", "prompts.nii.gz", "-o", "seg.nii.gz"),
        ("models", "small", "--download"),
        ("export", "exported"),
    ],
    ids=lambda command: command[0],
)
def test_a_process_without_a_network_answers_before_pytorch_is_there(
    command: tuple[str, ...], tmp_path: Path, closed_port: str
) -> None:
    from tests.cli.files import outlined, save, stored

    save(tmp_path / "ct.nii.gz", stored()[0])
    save(tmp_path / "prompts.nii.gz", outlined())
    program = (
        "import sys; from voxtrail.cli.main import _run; code = _run(sys.argv[1:]); "
        "sys.exit('PyTorch was imported' if 'torch' in sys.modules else code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, *command],
        cwd=tmp_path,
        env={**os.environ, "HF_ENDPOINT": closed_port, "HF_HOME": str(tmp_path), "no_proxy": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr.startswith("error: the weights of facebook/sam2.1-hiera-small")
    assert "hf download facebook/sam2.1-hiera-small" in run.stderr
    assert "--model micro" in run.stderr
    assert run.stderr.count("\n") == 1
