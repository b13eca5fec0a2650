"""README's picture of the annotation page: a real pelvis, outlined, propagated, in Chromium.

    VOXTRAIL_CT=DATA python benchmarks/picture.py [--write docs/images/annotate.png]

Four bones of TotalSegmentator's s0000 with three outlines each, carried through by the bundled
checkpoint with default options.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from page import FLAGS, PROGRAM
from playwright.sync_api import Page, sync_playwright

BONES = "hip_left", "hip_right", "sacrum", "vertebrae_L5"


def voxtrail(folder: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-c", PROGRAM, *words], cwd=folder, check=True)


def propagated(page: Page, address: str) -> None:
    """Open the page, carry all outlines through, and go where to draw next."""
    page.goto(address)
    page.get_by_text("Loading the scan").first.wait_for(state="detached")
    page.get_by_text("micro ready").wait_for()
    page.keyboard.press("g")
    page.get_by_text("Draw next").wait_for()
    page.wait_for_timeout(3000)
    page.keyboard.press("n")
    page.get_by_role("button", name="Update 3D").click()
    page.wait_for_timeout(3000)  # surfaces are made and drawn in software
    page.keyboard.press("4")  # the brush


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, default=Path("docs/images/annotate.png"))
    options = parser.parse_args()
    case = Path(os.environ["VOXTRAIL_CT"]).resolve() / "totalseg_mini/s0000"
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        shutil.copy(case / "ct.nii.gz", folder / "pelvis.nii.gz")
        masks = [str(case / f"segmentations/{bone}.nii.gz") for bone in BONES]
        voxtrail(folder, "simulate", *masks, "-o", "outlines.json")
        server = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, "annotate", "pelvis.nii.gz", "--prompts",
             "outlines.json", "--model", "micro", "--no-browser"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip()
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=FLAGS
            )
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            page.set_default_timeout(120_000)
            propagated(page, address)
            page.screenshot(path=options.write)
            browser.close()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
