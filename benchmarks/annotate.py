"""What a person waits for on the annotation page, and the memory that its server takes.

    python benchmarks/annotate.py [--shape 512 512 400] [--write docs/annotate-numbers.md]

A real server over a real socket, on a synthetic CT, with the bundled checkpoint and, unless
`--no-small`, with SAM 2.1 small of random weights at 1024 pixels. What the page's own script costs
is measured where the page is driven in a browser, not here.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from large_scan import SPACING_MM, section
from websockets.sync.client import ClientConnection, connect

from voxtrail.bench.peers import write_random_weights
from voxtrail.study.machine import machine

PROGRAM = "from voxtrail.cli.main import main; main()"
#: Strokes that are timed, and those that go before the last of them: a long history.
STROKES, HISTORY = 40, 300
#: Clicks that are timed.
CLICKS = 10
#: Slices between the outermost outlines with SAM 2.1 small, which takes a second and more for each.
SMALL_SPAN = 6
#: Seconds that a connection is idle before it is made anew; the server takes five.
KEPT_ALIVE_S = 3.0
MIB = 2**20


class Rows(list[tuple[str, str, str]]):
    """What was measured, and what is wanted; told as it comes."""

    def append(self, row: tuple[str, str, str]) -> None:
        sys.stderr.write(f"{row[0]}: {row[1]}\n")
        super().append(row)


class Tab:
    """One tab of a server that was just started."""

    def __init__(self, address: str) -> None:
        host, _, self._key = address.removeprefix("http://").partition("/?key=")
        self._host, self._port = host.split(":")[0], int(host.split(":")[1])
        self._connection = http.client.HTTPConnection(self._host, self._port, timeout=600)
        self._headers: dict[str, str] = {"X-Tab": "bench"}
        self._asked = time.monotonic()
        answer, _ = self.ask("GET", f"/?key={self._key}")
        self._headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[Any, bytes]:
        headers = dict(self._headers)
        if body is not None and not isinstance(body, bytes):
            body, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        if time.monotonic() - self._asked > KEPT_ALIVE_S:
            self._connection.close()  # the server has; the next request connects anew
        self._connection.request(method, path, body, headers)
        self._asked = time.monotonic()
        answer = self._connection.getresponse()
        read = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {read[:500]!r}")
        return answer, read

    def timed(self, method: str, path: str, body: Any = None) -> float:
        """Return the seconds until the answer is there, whole."""
        started = time.perf_counter()
        self.ask(method, path, body)
        return time.perf_counter() - started

    def events(self) -> ClientConnection:
        address = f"ws://{self._host}:{self._port}/api/events?tab=bench"
        origin = f"http://{self._host}:{self._port}"
        cookie = {"Cookie": self._headers["Cookie"]}
        return connect(address, additional_headers=cookie, origin=origin, max_size=2**30)


@dataclass(frozen=True)
class Numbers:
    """What was measured with one model."""

    model: str
    rows: list[tuple[str, str, str]]


@contextmanager
def server(folder: Path, model: str):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "annotate", "--model", model, "--no-browser"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.pid, Tab(process.stdout.readline().strip())
    finally:
        process.terminate()
        process.wait()


def memory_mib(pid: int, what: str) -> float:
    """Return ``VmRSS`` or ``VmHWM`` of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"the system does not say {what}")


def first_propagated(events: ClientConnection, drawn: set[int]) -> tuple[float, int, float]:
    """Return seconds to the first slice that was not drawn, the slices, and seconds to the end."""
    started, first, slices = time.perf_counter(), float("nan"), 0
    while True:
        message = events.recv(timeout=600)
        passed = time.perf_counter() - started
        if isinstance(message, bytes):
            (length,) = struct.unpack("<I", message[:4])
            if json.loads(message[4 : 4 + length])["slice"] not in drawn:
                first = first if slices else passed
                slices += 1
        elif json.loads(message)["type"] == "end":
            return first, slices, passed


def ms(seconds: list[float]) -> str:
    """Return median and worst."""
    return f"{statistics.median(seconds) * 1e3:.0f} ms (worst {max(seconds) * 1e3:.0f})"


def write_scan(shape: tuple[int, int, int], place: Path) -> None:
    """Write noise around a bright bar, no two slices alike: like ones are encoded once."""
    import nibabel as nib

    noise = np.random.default_rng(0).integers(-100, 100, shape[:2], dtype=np.int16)
    slice_ = noise + 800 * section(shape, 0).astype(np.int16)
    hu = np.empty(shape, np.int16, order="F")
    for index in range(shape[2]):
        hu[..., index] = np.roll(noise, index) // 2 + slice_
    image = nib.Nifti1Image(hu, np.diag([*SPACING_MM, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, place)


def measure(folder: Path, shape: tuple[int, int, int], model: str, name: str, span: int) -> Numbers:
    middle = shape[2] // 2
    bar = section(shape, 0)
    centre = np.argwhere(bar).mean(axis=0)
    mask = np.packbits(bar.T.ravel(), bitorder="little").tobytes()
    scan_mib = int(np.prod(shape)) * 2 / MIB
    rows = Rows()
    with server(folder, model) as (pid, tab):
        while json.loads(tab.ask("GET", "/api/state")[1])["model"]["state"] != "ready":
            time.sleep(0.2)
        # What the model takes once it has worked: on the demo scan, which is small.
        tab.ask("POST", "/api/open", {"demo": True})
        tab.ask("POST", "/api/label", {})
        click = {"label": 1, "axis": "axial", "slice": 9, "points": [[40, 40]], "positive": [True]}
        tab.ask("POST", "/api/preview", click)
        base = memory_mib(pid, "VmRSS")
        opened = tab.timed("POST", "/api/open", {"path": "ct.nii.gz"})
        fetched = tab.timed("GET", "/api/scan")
        rows.append((f"opening the CT ({scan_mib:.0f} MiB as voxels)", f"{opened:.1f} s", "5 s"))
        rows.append(("its voxels, sent to the page", f"{fetched:.1f} s", ""))
        tab.ask("POST", "/api/label", {"name": "bar"})
        drawn = [middle - span // 2, middle, middle + span // 2]
        strokes = [
            tab.timed("PUT", f"/api/outline/1/axial/{drawn[n % 3]}", mask) for n in range(STROKES)
        ]
        rows.append(("a stroke, confirmed", ms(strokes), "50 ms"))
        with tab.events() as events:
            tab.ask("POST", "/api/propagate", {"near": {"axis": "axial", "slice": middle}})
            first, slices, ended = first_propagated(events, {*drawn})
            rows.append(("the first propagated slice", f"{first:.2f} s", "1 s"))
            rows.append((f"all {slices} of them", f"{ended:.1f} s", ""))
            while_running(tab, events, rows, drawn, mask, middle)
            tab.ask("POST", "/api/look", {"axis": "axial", "slice": middle + span, "label": 1})
            while True:
                message = events.recv(timeout=600)
                if isinstance(message, str) and json.loads(message)["type"] == "encoded":
                    break
        clicks = []
        for n in range(CLICKS):
            points = [[float(centre[0]) + n, float(centre[1])]]
            click = {"label": 1, "axis": "axial", "slice": middle + span, "points": points}
            clicks.append(tab.timed("POST", "/api/preview", {**click, "positive": [True]}))
        rows.append(("a click's mask on an encoded slice", ms(clicks), "150 ms"))
        fresh = {**click, "slice": middle + span + 9, "positive": [True]}
        rows.append(("on one that is not", f"{tab.timed('POST', '/api/preview', fresh):.2f} s", ""))
        labels = tab.timed("GET", "/api/labels")
        rows.append(("the labels as shown, sent to the page", f"{labels:.1f} s", ""))
        peak = memory_mib(pid, "VmHWM") - base
        rows.append(
            (
                f"memory at its peak, beyond the model's {base:.0f} MiB",
                f"{peak:.0f} MiB, {peak / scan_mib:.2f} times the scan",
                "2.5 times",
            )
        )
        for n in range(HISTORY):
            tab.ask("PUT", f"/api/outline/1/axial/{drawn[n % 3]}", mask)
        late = [
            tab.timed("PUT", f"/api/outline/1/axial/{drawn[n % 3]}", mask) for n in range(STROKES)
        ]
        rows.append((f"a stroke after {HISTORY + STROKES} others", ms(late), "50 ms"))
    return Numbers(name, rows)


def while_running(
    tab: Tab,
    events: ClientConnection,
    rows: Rows,
    drawn: list[int],
    mask: bytes,
    middle: int,
) -> None:
    """Time what a person does while slices come in: one outline is new, so that some do."""
    tab.ask("PUT", f"/api/outline/1/axial/{middle - 2}", mask)
    tab.ask("POST", "/api/propagate", {})
    strokes = [tab.timed("PUT", f"/api/outline/1/axial/{drawn[n % 3]}", mask) for n in range(10)]
    tab.ask("POST", "/api/stop")
    while True:
        message = events.recv(timeout=600)
        if isinstance(message, str) and json.loads(message)["type"] == "end":
            break
    rows.append(("a stroke while slices come in", ms(strokes), "50 ms"))


def page(found: list[Numbers], shape: tuple[int, int, int], command: str) -> str:
    on = machine()
    load = os.getloadavg()[0]
    date = time.strftime("%Y-%m-%d")
    text = [
        "# What a person waits for on the annotation page",
        "",
        f"Written by `{command}`, {date}, on {on['processor']}, {on['cores']} cores. The load of "
        f"the machine was {load:.1f} at the end: with a load well above its cores, other programs "
        "ran beside this one, and every time below is longer than on a machine of one's own. "
        f"A synthetic CT of {shape[0]} x {shape[1]} x {shape[2]} voxels, packed as .nii.gz. "
        "Research use only. Not a medical device.",
        "",
        "Times are those of a client on the same machine, from the request until the whole answer "
        "is there; a stroke is confirmed when it is on disk.",
    ]
    for one in found:
        text += ["", f"## {one.model}", "", "| | measured | wanted |", "|---|---|---|"]
        text += [f"| {what} | {measured} | {wanted} |" for what, measured, wanted in one.rows]
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 400))
    parser.add_argument("--no-small", action="store_true")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    shape = tuple(options.shape)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scan(shape, folder / "ct.nii.gz")
        found = [measure(folder, shape, "micro", "The bundled checkpoint, micro", 60)]
        write(found, shape, options.write)
        if not options.no_small:
            (folder / "ct.voxtrail.json").unlink()
            weights = folder / "small.pt"
            write_random_weights("small", weights)
            title = "SAM 2.1 small at 1024 pixels, random weights"
            found.append(measure(folder, shape, str(weights), title, SMALL_SPAN))
            write(found, shape, options.write)
    sys.stdout.write(page(found, shape, "python benchmarks/annotate.py"))


def write(found: list[Numbers], shape: tuple[int, int, int], place: Path | None) -> None:
    """Write what was measured so far."""
    if place:
        command = f"python benchmarks/annotate.py --write {place}"
        place.write_text(page(found, shape, command), encoding="utf-8")


if __name__ == "__main__":
    main()
