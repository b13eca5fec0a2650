"""The page as a person uses it: views, tools, keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.measure import approximate_polygon, find_contours

from tests.serve.page import Page, unpacked

Point = tuple[float, float]
AXES = {"sagittal": 0, "coronal": 1, "axial": 2}
WAIT_MS = 60_000


class Screen:
    """One tab of a browser.

    Parameters
    ----------
    tab
        Playwright's page.
    server
        What the page talks to.
    """

    def __init__(self, tab: Any, server: Page) -> None:
        self.tab = tab
        self.server = server
        #: What went wrong in the page itself.
        self.errors: list[str] = []
        tab.set_default_timeout(WAIT_MS)
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("console", self._note)

    def _note(self, message: Any) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    @staticmethod
    @contextmanager
    def opened(
        browser: Any, server: Page, width: int = 1280, height: int = 720
    ) -> Iterator[Screen]:
        """Open the printed address in a window of its own."""
        context = browser.new_context(viewport={"width": width, "height": height})
        try:
            screen = Screen(context.new_page(), server)
            screen.tab.goto(f"http://127.0.0.1:{server.port}/?key={server.key}")
            yield screen
        finally:
            context.close()

    @property
    def keys(self) -> Any:
        return self.tab.keyboard

    @property
    def mouse(self) -> Any:
        return self.tab.mouse

    def wait_for_scan(self) -> None:
        self.tab.get_by_text("connected", exact=True).wait_for()
        self.tab.locator("canvas[data-scale]").first.wait_for()
        self.tab.get_by_text("Loading the scan").first.wait_for(state="detached")

    def wait_until_saved(self) -> None:
        """Wait until the server has confirmed all that was drawn."""
        self.tab.get_by_text("saved", exact=True).wait_for()

    def see(self, text: str) -> None:
        self.tab.get_by_text(text).first.wait_for()

    def view(self, axis: str) -> Any:
        return self.tab.get_by_label(f"{axis.capitalize()} slice").and_(
            self.tab.get_by_role("application")
        )

    def bar(self, axis: str) -> Any:
        return self.tab.get_by_role("slider", name=f"{axis} slice")

    def slice(self, axis: str) -> int:
        return int(self.bar(axis).get_attribute("aria-valuenow"))

    def go_to(self, axis: str, index: int) -> None:
        """Click on the slice bar."""
        box = self.bar(axis).bounding_box()
        count = int(self.bar(axis).get_attribute("aria-valuemax")) + 1
        self.mouse.click(box["x"] + 8, box["y"] + box["height"] * (1 - (index + 0.5) / count))
        assert self.slice(axis) == index
        self.frame()

    def frame(self) -> None:
        """Wait until what changed has been painted."""
        self.tab.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def spot(self, axis: str, x: float, y: float) -> Point:
        """Return where a pixel of a slice is in the window."""
        view = self.view(axis)
        box = view.bounding_box()
        origin, scale = (
            [float(part) for part in view.get_attribute(f"data-{name}").split()]
            for name in ("origin", "scale")
        )
        return box["x"] + origin[0] - x * scale[0], box["y"] + origin[1] - y * scale[1]

    def click(self, axis: str, x: float, y: float, button: str = "left") -> None:
        self.mouse.click(*self.spot(axis, x, y), button=button)

    def drag(self, axis: str, points: Sequence[Point], button: str = "left") -> None:
        self.mouse.move(*self.spot(axis, *points[0]))
        self.mouse.down(button=button)
        for point in points[1:]:
            self.mouse.move(*self.spot(axis, *point), steps=4)
        self.mouse.up(button=button)

    def outline(self, axis: str, points: Sequence[Point]) -> None:
        """Click a closed polygon."""
        self.keys.press("3")
        for point in points:
            self.click(axis, *point)
        self.keys.press("Enter")

    def propagate(self) -> None:
        self.keys.press("g")
        self.tab.get_by_role("button", name="Stop").wait_for()
        self.tab.get_by_role("button", name="Propagate").wait_for()

    def drawn(self, label: int, axis: str, index: int) -> NDArray[np.bool_] | None:
        """Return the outline that the server keeps, (lower axis, higher axis)."""
        self.wait_until_saved()
        answer = self.server.ask("GET", f"/api/outline/{label}/{axis}/{index}")
        if answer.status == 204:
            return None
        shape = self.server.get("/api/state")["scan"]["shape"]
        lower, higher = (size for at, size in enumerate(shape) if at != AXES[axis])
        return unpacked(answer.body, (higher, lower)).T


def contour(mask: NDArray[np.bool_], tolerance: float = 0.6) -> list[Point]:
    """Return a polygon around the largest part of a mask (x, y)."""
    around = max(find_contours(np.pad(mask, 1).astype(float), 0.5), key=len) - 1
    return [tuple(point) for point in approximate_polygon(around, tolerance)[:-1]]


def dice(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))
