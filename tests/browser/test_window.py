"""What is seen in a small and a large window, and what a screen reader hears."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.screen import Screen
from tests.serve.page import Page

#: Every element that is worked with, and what it is called.
NAMELESS = """() => [...document.querySelectorAll(
  'button, a, input, select, canvas, progress, [role], dialog')]
  .filter((one) => one.checkVisibility())
  .filter((one) => !['presentation', 'status', 'alert', 'list'].includes(one.getAttribute('role')))
  .filter((one) => !(one.getAttribute('aria-label') || one.innerText?.trim()
    || one.labels?.[0]?.innerText.trim() || one.title))
  .map((one) => one.outerHTML.slice(0, 120))"""

#: Text whose contrast with its ground is below WCAG's AA: 4.5, or 3 where it is large.
FAINT = """() => {
  const parse = (colour) => {
    const [r, g, b, a] = colour.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a ?? 1];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => {
      const c = part / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const over = (top, under) => under.map((part, i) => i === 3 ? 1
    : top[i] * top[3] + part * (1 - top[3]));
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [0, 0, 0, 1]);
  };
  const faint = [];
  for (const one of document.querySelectorAll('body *')) {
    const texts = [...one.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    if (texts.length === 0 || !one.checkVisibility() || one.closest(':disabled, option, noscript'))
      continue;
    const style = getComputedStyle(one);
    const under = ground(one);
    const pair = [light(over(parse(style.color), under)), light(under)];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    const large = parseFloat(style.fontSize) >= 18.66;
    if (ratio < (large ? 3 : 4.5)) faint.push(`${texts[0].data.trim()}: ${ratio.toFixed(2)}`);
  }
  return faint;
}"""

#: Elements that are worked with and are not wholly in the window.
OUTSIDE = """() => [...document.querySelectorAll('button, select, canvas, footer strong')]
  .filter((one) => one.checkVisibility())
  .filter((one) => {
    const { left, top, right, bottom } = one.getBoundingClientRect();
    return left < 0 || top < 0 || right > innerWidth || bottom > innerHeight;
  })
  .map((one) => one.getAttribute('aria-label') || one.innerText)"""


#: Each dialog, and the button that opens it.
DIALOGS = {
    "Keys and pointer": "help: all keys",
    "Import labels": "Import",
    "Export the labels": "Export",
    "Open a scan": "ct.nii.gz",
}


@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080)])
def test_all_of_it_fits_is_named_and_can_be_read(
    chromium: Any, server: Page, width: int, height: int
) -> None:
    with Screen.opened(chromium, server, width, height) as screen:
        screen.wait_for_scan()
        tab = screen.tab
        screen.keys.press("4")
        screen.click("axial", 64, 40)
        screen.wait_until_saved()
        assert tab.evaluate(OUTSIDE) == []
        assert tab.evaluate(NAMELESS) == []
        assert tab.evaluate(FAINT) == []
        assert tab.get_by_text("Research use only. Not a medical device.").is_visible()
        for axis in ("axial", "coronal", "sagittal"):
            box = screen.view(axis).bounding_box()
            assert box["width"] > width / 4
            assert box["height"] > height / 3
        for dialog, opener in DIALOGS.items():
            tab.get_by_role("button", name=opener).click()
            tab.get_by_role("dialog", name=dialog).wait_for()
            assert tab.evaluate(NAMELESS) == []
            assert tab.evaluate(FAINT) == []
            screen.keys.press("Escape")
        assert screen.errors == []
