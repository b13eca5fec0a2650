"""What clients wait for, and what a server takes, when several annotate at once.

    VOXTRAIL_CT=... python benchmarks/serve_load.py [--clients 8] [--minutes 30 10]
        [--pause 0] [--at-most 3600]

Starts ``voxtrail serve --model micro`` in a process of its own. Each client (the real one of
nnInteractive) annotates bones of ``totalseg_mini/s0000``: an outline and the volume, three
corrections, an outline and a click whose slices alone are asked for, an undo, a reset, the next
bone. A person is taken to spend `THINKING_S` on each interaction; a client pauses for ``--pause``
seconds instead (0 presses 30 minutes into as few as the server needs), and ends when it has done
as many as a person in ``--minutes``. Then all clients leave, and others come to the same server for
the next number of minutes.

Everything that comes back is looked at: what is drawn has to stand, undo has to give the former
mask, and when all have left the memory has to be what it was before they came. Prints a Markdown
table a round. Only 127.0.0.1 is spoken to.
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
#: Interactions that a client does on each bone.
A_BONE = 8
BONES = ("hip_left", "hip_right", "sacrum", "vertebrae_L5", "femur_right", "vertebrae_L4")
COMMAND = (sys.executable, "-c", "from voxtrail.cli.main import main; main()", "serve")


class Client:
    """One person at work.

    Parameters
    ----------
    number
        Which; they begin with different bones.
    url, interactions, pause_s, until
        Where, how many interactions, how long between them, and when to stop at the latest.
    """

    def __init__(
        self, number: int, url: str, interactions: int, pause_s: float, until: float
    ) -> None:
        self.number, self.url = number, url
        self.interactions, self.pause_s, self.until = interactions, pause_s, until
        self.waited_s: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.done = 0

    def work(self, scan: np.ndarray, bones: dict[str, np.ndarray], spacing: list[float]) -> None:
        session = nnInteractiveRemoteInferenceSession(self.url)
        started = time.perf_counter()
        session.set_image(scan[None], {"spacing": spacing})
        self.waited_s["scan"].append(time.perf_counter() - started)
        session.set_target_buffer(np.zeros(scan.shape, np.uint8))
        names = list(bones)
        turn = self.number
        try:
            while self._goes_on():
                self._bone(session, bones[names[turn % len(names)]])
                turn += 1
        except Exception as error:
            self.wrong.append(f"client {self.number}: {error!r}")
        finally:
            session.close()

    def _goes_on(self) -> bool:
        return self.done < self.interactions and time.monotonic() < self.until

    def _bone(self, session: nnInteractiveRemoteInferenceSession, truth: np.ndarray) -> None:
        filled = np.flatnonzero(truth.sum((1, 2)) > 30)
        for share in (0.5, 0.1, 0.9, 0.3):
            self._outline(session, truth, int(filled[int(share * (filled.size - 1))]), volume=True)
        self._outline(session, truth, int(filled[int(0.7 * (filled.size - 1))]), volume=False)
        z = int(filled[filled.size // 4])
        y, x = (int(n) for n in np.argwhere(truth[z])[truth[z].sum() // 2])
        before = session.target_buffer.copy()
        self._timed("click, slice", session.add_point_interaction, (z, y, x), True, False)
        self._timed("undo", session.undo)
        if not np.array_equal(session.target_buffer, before):
            self.wrong.append(f"client {self.number}: undo gives another mask")
        self._timed("reset", session.reset_interactions)

    def _outline(
        self,
        session: nnInteractiveRemoteInferenceSession,
        truth: np.ndarray,
        z: int,
        *,
        volume: bool,
    ) -> None:
        self._timed(
            "lasso, volume" if volume else "lasso, slice",
            session.add_lasso_interaction,
            truth[z : z + 1],
            True,
            volume,
            interaction_bbox=[[z, z + 1], *([0, side] for side in truth.shape[1:])],
        )
        if not np.array_equal(session.target_buffer[z], truth[z]):
            self.wrong.append(f"client {self.number}: slice {z} is not as it was drawn")

    def _timed(self, name: str, call, *given, **options) -> None:
        time.sleep(self.pause_s)
        started = time.perf_counter()
        call(*given, **options)
        self.waited_s[name].append(time.perf_counter() - started)
        self.done += 1


class Round:
    """What all clients of one round have met with, and what the server took.

    Parameters
    ----------
    clients
        They have ended.
    seconds
        How long they worked.
    begin_mib, most_mib, end_mib
        Resident memory of the server before they came, at most, and after they had left.
    """

    def __init__(
        self,
        clients: list[Client],
        seconds: float,
        begin_mib: float,
        most_mib: float,
        end_mib: float,
    ) -> None:
        self.clients, self.seconds = clients, seconds
        self.begin_mib, self.most_mib, self.end_mib = begin_mib, most_mib, end_mib
        self.wrong = [text for one in clients for text in one.wrong]

    def table(self) -> str:
        waited: dict[str, list[float]] = defaultdict(list)
        for one in self.clients:
            for name, values in one.waited_s.items():
                waited[name] += values
                if name != "scan":
                    waited["any interaction"] += values
        waited["any interaction"] = waited.pop("any interaction", [0.0])
        rows = [
            "| what is waited for | times | median, s | 99th percentile, s |",
            "|---|---|---|---|",
        ]
        for name, values in waited.items():
            median, late = np.percentile(values, (50, 99))
            rows.append(f"| {name} | {len(values)} | {median:.2f} | {late:.2f} |")
        done = [one.done for one in self.clients]
        asked = self.clients[0].interactions
        minutes = min(done) * THINKING_S / 60
        return "\n".join(rows) + (
            f"\n\n{len(done)} clients, {sum(done)} interactions of {asked * len(done)} ("
            f"{minutes:.0f} minutes of annotating each, or more) in {self.seconds:.0f} s; resident "
            f"memory of the server {self.begin_mib:.0f} MiB at the beginning, at most "
            f"{self.most_mib:.0f}, {self.end_mib:.0f} at the end; wrong or lost: "
            f"{'; '.join(self.wrong) or 'nothing'}\n\n"
        )


class Work:
    """What clients work on, and how; see the options of the command."""

    def __init__(self, options: argparse.Namespace) -> None:
        folder = Path(os.environ["VOXTRAIL_CT"]) / "totalseg_mini" / "s0000"
        image = SimpleITK.ReadImage(str(folder / "ct.nii.gz"))
        self.scan = SimpleITK.GetArrayFromImage(image)
        self.spacing = image.GetSpacing()[::-1]
        self.bones = {
            name: _array(folder / "segmentations" / f"{name}.nii.gz").astype(np.uint8)
            for name in BONES
        }
        self.options = options

    def rehearse(self, url: str) -> None:
        """Let one client annotate each bone, so that what is loaded for good is not counted."""
        nearly_all = (len(BONES) - 1) * A_BONE + 1
        one = Client(0, url, nearly_all, 0.0, time.monotonic() + 600)
        one.work(self.scan, self.bones, self.spacing)
        time.sleep(SETTLED_S)

    def round(self, url: str, pid: int, minutes: float) -> Round:
        """Let all clients annotate at once."""
        given = self.options
        interactions = int(minutes * 60 / THINKING_S)
        started = time.monotonic()
        until = started + given.at_most
        clients = [Client(n, url, interactions, given.pause, until) for n in range(given.clients)]
        threads = [
            threading.Thread(target=one.work, args=(self.scan, self.bones, self.spacing))
            for one in clients
        ]
        begin_mib = most_mib = _resident_mib(pid)
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(1)
            most_mib = max(most_mib, _resident_mib(pid))
        seconds = time.monotonic() - started
        time.sleep(SETTLED_S)
        return Round(clients, seconds, begin_mib, most_mib, _resident_mib(pid))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument(
        "--minutes", type=float, nargs="+", default=[30, 10], help="of annotating, in each round"
    )
    parser.add_argument("--pause", type=float, default=0, help="seconds before an interaction")
    parser.add_argument("--at-most", type=float, default=3600, help="seconds of a round")
    work = Work(parser.parse_args())
    settings = ["--model", "micro", "--port", "0", "--max-bytes", "12G"]
    with subprocess.Popen([*COMMAND, *settings], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = re.search(r"http://\S+", server.stdout.readline())[0]
            work.rehearse(url)
            wrong = []
            for number, minutes in enumerate(work.options.minutes, 1):
                found = work.round(url, server.pid, minutes)
                sys.stdout.write(f"Round {number}\n\n{found.table()}")
                sys.stdout.flush()
                wrong += found.wrong
        finally:
            server.terminate()
        code = server.wait(60)
    sys.stdout.write(f"exit {code}\n")
    return 1 if wrong or code else 0


def _array(file: Path) -> np.ndarray:
    return SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(str(file)))


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
