"""What clients wait for, and what a server takes, when several annotate at once.

    VOXTRAIL_CT=... python benchmarks/serve_load.py [--clients 8] [--minutes 30] [--at-most 900]

Starts ``voxtrail serve --model micro`` in a process of its own. Each client (the real one of
nnInteractive) annotates bones of ``totalseg_mini/s0000`` as a person would, but without the pauses:
an outline and the volume, up to three corrections, a click, an undo, a reset, the next bone. A
person is taken to spend `THINKING_S` on each interaction; the run ends when each client has done
as many as that makes in so many minutes, or after ``--at-most`` seconds. Everything that comes back
is looked at: what is drawn has to stand, undo has to give the former mask, the end of a lease the
memory. Prints a Markdown table. Only 127.0.0.1 is spoken to.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import SimpleITK
from nnInteractive.inference.remote import nnInteractiveRemoteInferenceSession

#: Seconds that a person spends on an interaction: looking, scrolling, drawing.
THINKING_S = 20.0
#: Seconds after which the server has given back what the last client held.
SETTLED_S = 15.0
BONES = ("hip_left", "hip_right", "sacrum", "vertebrae_L5", "femur_right", "vertebrae_L4")


class Client:
    """One person at work.

    Parameters
    ----------
    number
        Which; they begin with different bones.
    url, interactions, until
        Where, how many interactions, and when to stop at the latest.
    """

    def __init__(self, number: int, url: str, interactions: int, until: float) -> None:
        self.number, self.url = number, url
        self.interactions, self.until = interactions, until
        self.waited_s: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.done = 0

    def work(self, scan: np.ndarray, bones: dict[str, np.ndarray], spacing: list[float]) -> None:
        session = nnInteractiveRemoteInferenceSession(self.url)
        self._timed("scan", session.set_image, scan[None], {"spacing": spacing})
        session.set_target_buffer(np.zeros(scan.shape, np.uint8))
        names = list(bones)
        turn = self.number
        try:
            while self.done < self.interactions and time.monotonic() < self.until:
                self._bone(session, bones[names[turn % len(names)]])
                turn += 1
        except Exception as error:
            self.wrong.append(f"client {self.number}: {error!r}")
        finally:
            session.close()

    def _bone(self, session: nnInteractiveRemoteInferenceSession, truth: np.ndarray) -> None:
        filled = np.flatnonzero(truth.sum((1, 2)) > 30)
        for share in (0.5, 0.1, 0.9, 0.3):
            z = int(filled[int(share * (filled.size - 1))])
            self._timed(
                "lasso, volume",
                session.add_lasso_interaction,
                truth[z : z + 1],
                True,
                interaction_bbox=[[z, z + 1], *([0, side] for side in truth.shape[1:])],
            )
            if not np.array_equal(session.target_buffer[z], truth[z]):
                self.wrong.append(f"client {self.number}: slice {z} is not as it was drawn")
        z = int(filled[filled.size // 4])
        y, x = (int(n) for n in np.argwhere(truth[z])[truth[z].sum() // 2])
        before = session.target_buffer.copy()
        self._timed("click, slice", session.add_point_interaction, (z, y, x), True, False)
        self._timed("undo", session.undo)
        if not np.array_equal(session.target_buffer, before):
            self.wrong.append(f"client {self.number}: undo gives another mask")
        self._timed("reset", session.reset_interactions)

    def _timed(self, name: str, call, *given, **options) -> None:
        started = time.perf_counter()
        call(*given, **options)
        self.waited_s[name].append(time.perf_counter() - started)
        self.done += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--at-most", type=float, default=900, help="seconds")
    options = parser.parse_args()
    folder = Path(os.environ["VOXTRAIL_CT"]) / "totalseg_mini" / "s0000"
    image = SimpleITK.ReadImage(str(folder / "ct.nii.gz"))
    scan = SimpleITK.GetArrayFromImage(image)
    bones = {
        name: _array(folder / "segmentations" / f"{name}.nii.gz").astype(np.uint8) for name in BONES
    }
    command = [sys.executable, "-c", "from voxtrail.cli.main import main; main()", "serve"]
    settings = ["--model", "micro", "--port", "0", "--max-bytes", "12G"]
    with subprocess.Popen(command + settings, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = re.search(r"http://\S+", server.stdout.readline())[0]
        _rehearse(url, scan, bones, image.GetSpacing()[::-1])
        begin_mib = _resident_mib(server.pid)
        started = time.monotonic()
        count = int(options.minutes * 60 / THINKING_S)
        until = started + options.at_most
        clients = [Client(n, url, count, until) for n in range(options.clients)]
        threads = [
            threading.Thread(target=one.work, args=(scan, bones, image.GetSpacing()[::-1]))
            for one in clients
        ]
        for thread in threads:
            thread.start()
        most_mib = begin_mib
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            most_mib = max(most_mib, _resident_mib(server.pid))
        seconds = time.monotonic() - started
        time.sleep(SETTLED_S)
        end_mib = _resident_mib(server.pid)
        server.terminate()
        code = server.wait(60)
    waited: dict[str, list[float]] = defaultdict(list)
    for one in clients:
        for name, values in one.waited_s.items():
            waited[name] += values
    done = sum(one.done for one in clients)
    sys.stdout.write(
        "| what is waited for | times | median, s | 99th percentile, s |\n|---|---|---|---|\n"
    )
    for name, values in waited.items():
        median, late = np.percentile(values, (50, 99))
        sys.stdout.write(f"| {name} | {len(values)} | {median:.2f} | {late:.2f} |\n")
    wrong = [text for one in clients for text in one.wrong]
    sys.stdout.write(
        f"\n{options.clients} clients, {done} of {count * options.clients} interactions "
        f"({done * THINKING_S / 60 / options.clients:.0f} minutes of annotating each) in "
        f"{seconds:.0f} s; resident memory of the server {begin_mib:.0f} MiB at the beginning, at "
        f"most {most_mib:.0f}, {end_mib:.0f} at the end; exit {code}; wrong or lost: "
        f"{'; '.join(wrong) or 'nothing'}\n"
    )
    return 1 if wrong or code else 0


def _rehearse(url: str, scan: np.ndarray, bones: dict[str, np.ndarray], spacing) -> None:
    """Let the server do everything once, so that what it loads for good is not counted."""
    one = Client(0, url, 1, time.monotonic() + 600)
    one.work(scan, dict(list(bones.items())[:1]), spacing)


def _array(file: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
