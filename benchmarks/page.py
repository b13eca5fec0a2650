"""What the annotation page's own script costs in a browser, on a large CT.

    python benchmarks/page.py [--shape 512 512 400] [--write docs/page-numbers.md]

The real server with the bundled checkpoint, and Debian's Chromium, which draws in software where
there is no GPU. Steps are turns of the mouse wheel; script time is the browser's own account of
all JavaScript of the page (events, state, tables, canvas calls), not of drawing what the canvas was
told. `--picture FILE` also saves what the page looks like then.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import nibabel as nib
import numpy as np
from large_scan import SPACING_MM, write_scan
from playwright.sync_api import CDPSession, Page, sync_playwright

from voxtrail.study.machine import machine

PROGRAM = "from voxtrail.cli.main import main; main()"
FLAGS = ["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-sync",
         "--disable-component-update", "--enable-unsafe-swiftshader"]  # fmt: skip
AXES = ("axial", "coronal", "sagittal")
#: Turns of the wheel that are timed by axis, and how long each is given.
STEPS, PAUSE_MS = 40, 120
#: Seconds of turning the wheel without a pause.
RACE_S = 4.0
#: What a scroll step may cost.
WANTED_MS = 8.0

COLLECT = """() => {
  window.frames_ms = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries())
      if (entry.name === 'voxtrail:frame') window.frames_ms.push(entry.duration);
  }).observe({ type: 'measure' });
}"""
COUNT = """() => {
  window.pictures = 0;
  const count = () => { window.pictures++; requestAnimationFrame(count); };
  requestAnimationFrame(count);
}"""


@contextmanager
def server(folder: Path):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "annotate", "ct.nii.gz", "--labels", "bar.nii.gz",
         "--model", "micro", "--no-browser"],
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait()


def write_bar(shape: tuple[int, int, int], place: Path) -> None:
    """Write a label that every plane through the middle shows much of."""
    i, j = np.ogrid[: shape[0], : shape[1]]
    inside = np.hypot(i - shape[0] / 2, j - shape[1] / 2) < shape[0] / 5
    voxels = np.repeat(inside[..., None].astype(np.uint8), shape[2], axis=2)
    image = nib.Nifti1Image(voxels, np.diag([*SPACING_MM, 1.0]))
    image.header.set_xyzt_units("mm")
    nib.save(image, place)


def script_ms(browser: CDPSession) -> float:
    """Return the JavaScript time of the page up to now, in milliseconds."""
    told = browser.send("Performance.getMetrics")["metrics"]
    return 1e3 * next(one["value"] for one in told if one["name"] == "ScriptDuration")


def spread(values: list[float]) -> str:
    """Return the median, and what nine of ten stay below."""
    nine_of_ten = statistics.quantiles(values, n=10)[-1]
    return f"{statistics.median(values):.1f} ms (nine of ten below {nine_of_ten:.1f})"


def over(page: Page, axis: str) -> None:
    """Put the pointer over a view."""
    box = page.get_by_label(f"{axis.capitalize()} slice").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


def measure(page: Page, address: str, scan_mib: float) -> list[tuple[str, str, str]]:
    rows = []
    browser = page.context.new_cdp_session(page)
    browser.send("Performance.enable")
    started = time.perf_counter()
    page.goto(address)
    page.locator("canvas[data-scale]").first.wait_for()
    rows.append(("until the first slice is seen", f"{time.perf_counter() - started:.1f} s", ""))
    page.get_by_text("Loading the scan").first.wait_for(state="detached")
    page.get_by_text("connected", exact=True).wait_for()
    taken = time.perf_counter() - started
    rows.append((f"until all of the scan is there ({scan_mib:.0f} MiB)", f"{taken:.1f} s", ""))
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Update 3D").wait_for()  # surfaces are made beside the rest
    page.evaluate(COLLECT)
    for axis in AXES:
        over(page, axis)
        page.wait_for_timeout(500)
        each, painting = [], []
        for step in range(STEPS):
            page.evaluate("window.frames_ms.length = 0")
            before = script_ms(browser)
            page.mouse.wheel(0, 100 if step % 40 < 20 else -100)
            page.wait_for_timeout(PAUSE_MS)
            each.append(script_ms(browser) - before)
            painting.append(sum(page.evaluate("window.frames_ms")))
        wanted = f"{WANTED_MS:.0f} ms"
        rows.append((f"a scroll step, {axis}: all script", spread(each), wanted))
        rows.append(("of it the painting of the three views", spread(painting), ""))
    over(page, "axial")
    page.keyboard.press("4")
    page.evaluate(COUNT)
    page.evaluate("window.pictures = 0")
    before, started, steps = script_ms(browser), time.perf_counter(), 0
    while time.perf_counter() - started < RACE_S:
        page.mouse.wheel(0, 100 if steps % 200 < 100 else -100)
        steps += 1
    passed = time.perf_counter() - started
    rate = page.evaluate("window.pictures") / passed
    rows.append(
        (
            f"pictures a second while the wheel turns {steps / passed:.0f} times a second",
            f"{rate:.0f}",
            "",
        )
    )
    before = script_ms(browser)
    box = page.get_by_label("Axial slice").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 3, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    moves = 60
    for step in range(moves):
        page.mouse.move(x + step, y + step / 2)
        page.wait_for_timeout(20)
    page.mouse.up()
    each = (script_ms(browser) - before) / moves
    rows.append(("a move of the brush, all script", f"{each:.1f} ms", ""))
    page.get_by_text("saved", exact=True).wait_for()
    return rows


def text_of(rows: list[tuple[str, str, str]], shape: tuple[int, ...], command: str) -> str:
    on = machine()
    text = [
        "# What the annotation page costs in the browser",
        "",
        f"Written by `{command}`, {time.strftime('%Y-%m-%d')}, on {on['processor']}, {on['cores']} "
        f"cores, without a GPU: Chromium draws in software. The load of the machine was "
        f"{os.getloadavg()[0]:.1f} at the end; with a load above its cores other programs ran "
        "beside this one, and times are longer than on a machine of one's own. A synthetic CT of "
        f"{shape[0]} x {shape[1]} x {shape[2]} voxels under a label, in a window of 1280 x 720. "
        "What the server takes is in [annotate-numbers.md](annotate-numbers.md).",
        "",
        "| | measured | wanted |",
        "|---|---|---|",
    ]
    text += [f"| {what} | {measured} | {wanted} |" for what, measured, wanted in rows]
    return "\n".join(text) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shape", type=int, nargs=3, default=(512, 512, 400))
    parser.add_argument("--write", type=Path)
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    shape = tuple(options.shape)
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("chromium is not installed (apt-get install chromium)")
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        write_scan(shape, folder / "ct.nii.gz")
        write_bar(shape, folder / "bar.nii.gz")
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        with server(folder) as address:
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(120_000)
            rows = measure(page, address, np.prod(shape) * 2 / 2**20)
            if options.picture:
                page.screenshot(path=options.picture)
        browser.close()
    command = "python benchmarks/page.py" + (f" --write {options.write}" if options.write else "")
    text = text_of(rows, shape, command)
    sys.stdout.write(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
