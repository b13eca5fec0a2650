"""What each tool draws, on each plane; nothing here propagates."""

from __future__ import annotations

import numpy as np

from tests.browser.screen import Screen, dice
from voxtrail.core.volume import Volume


def test_each_tool_draws_what_it_says(screen: Screen, ct: Volume, hip: np.ndarray) -> None:
    # Brush and eraser, on every plane: a disc where the pointer is, and nowhere else.
    for axis, index, (x, y) in (
        ("axial", 19, (90, 40)),
        ("coronal", 50, (30, 12)),
        ("sagittal", 70, (60, 30)),
    ):
        screen.go_to(axis, index)
        screen.keys.press("4")
        screen.click(axis, x, y)
        disc = screen.drawn(1, axis, index)
        assert disc is not None
        assert disc[x, y]
        near = np.argwhere(disc)
        assert np.allclose(near.mean(axis=0), (x, y))
        assert (np.ptp(near, axis=0) + 1).max() == 9
        screen.keys.press("5")
        screen.click(axis, x + 4, y)
        erased = screen.drawn(1, axis, index)
        assert not erased[x + 4, y]
        assert erased[x - 4, y]
        screen.keys.press("Control+z")
        assert np.array_equal(screen.drawn(1, axis, index), disc)

    # The threshold brush takes bone alone; the right button takes it back.
    screen.go_to("axial", 8)
    screen.keys.press("6")
    x, y = np.argwhere(hip[:, :, 8]).mean(axis=0)
    screen.drag("axial", [(x - 5, y), (x + 5, y)])
    bone = screen.drawn(1, "axial", 8)
    hu = ct.voxels[:, :, 8]
    assert bone.any()
    assert hu[bone].min() >= 150
    screen.drag("axial", [(x - 5, y), (x + 5, y)], button="right")
    assert not screen.drawn(1, "axial", 8).any()

    # Fill closes the ring that the brush drew, and says where there is none.
    screen.keys.press("4")
    screen.drag("axial", [(40, 30), (60, 30), (60, 50), (40, 50), (40, 30)])
    ring = screen.drawn(1, "axial", 8)
    assert not ring[50, 40]
    screen.keys.press("7")
    screen.click("axial", 20, 20)
    screen.see("The outline is not closed here")
    screen.click("axial", 50, 40)
    filled = screen.drawn(1, "axial", 8)
    assert filled[50, 40]
    assert filled[ring].all()

    # What is drawn is copied to another slice, taken back, and said not to be there.
    screen.go_to("axial", 10)
    screen.keys.press("c")
    screen.see("Copied from slice 8")
    assert np.array_equal(screen.drawn(1, "axial", 10), filled)
    screen.keys.press("Delete")
    assert screen.drawn(1, "axial", 10) is None
    screen.keys.press("Shift+Delete")
    assert not screen.drawn(1, "axial", 10).any()


def test_box_and_clicks_show_a_mask_that_is_accepted(screen: Screen, hip: np.ndarray) -> None:
    screen.go_to("axial", 19)
    inside = np.argwhere(hip[:, :, 19])
    (x0, y0), (x1, y1) = inside.min(axis=0), inside.max(axis=0)
    screen.keys.press("8")
    screen.drag("axial", [(x0 - 2, y0 - 2), (x1 + 2, y1 + 2)])
    screen.see("IoU")
    assert screen.drawn(1, "axial", 19) is None  # nothing is drawn before it is accepted
    screen.keys.press("9")
    screen.click("axial", *inside[len(inside) // 2])
    screen.click("axial", 64, 75, button="right")
    screen.keys.press("Control+z")  # takes the last click back
    screen.frame()
    screen.see("IoU")
    screen.keys.press("Enter")
    accepted = screen.drawn(1, "axial", 19)
    assert dice(accepted, hip[:, :, 19]) > 0.5
    screen.click("axial", 20, 60)
    screen.tab.get_by_role("button", name="Discard").click()
    assert np.array_equal(screen.drawn(1, "axial", 19), accepted)


def test_a_locked_label_is_drawn_neither_on_nor_over(screen: Screen) -> None:
    screen.go_to("axial", 12)
    screen.keys.press("4")
    screen.click("axial", 60, 45)
    first = screen.drawn(1, "axial", 12)
    tab = screen.tab
    tab.get_by_role("button", name="lock hip").click()
    tab.get_by_role("button", name="unlock hip").wait_for()
    screen.click("axial", 70, 45)
    screen.see("Hip is locked")
    assert np.array_equal(screen.drawn(1, "axial", 12), first)
    tab.get_by_role("button", name="add a label").click()
    name = tab.get_by_role("textbox", name="name of label 2")
    name.fill("sacrum")
    name.press("Enter")
    tab.get_by_role("button", name="sacrum 0 drawn").wait_for()
    screen.click("axial", 64, 45)
    second = screen.drawn(2, "axial", 12)
    assert second.any()
    assert not (second & first).any()
    tab.get_by_role("button", name="hide sacrum").click()
    tab.get_by_role("button", name="show sacrum").wait_for()
    remove = tab.get_by_role("button", name="remove sacrum")
    remove.click()
    remove.click()  # it has a drawn slice: asked once more
    tab.get_by_role("button", name="sacrum 1 drawn").wait_for(state="detached")
    screen.keys.press("Control+z")
    tab.get_by_role("button", name="sacrum 1 drawn").wait_for()
