"""Procedural scenes: reproducible, varied, and with a target where a prompt must lie."""

from __future__ import annotations

import torch

from training.scenes import SceneSettings, make_batch

SETTINGS = SceneSettings(stacks=6, slices=5, grid=24, required=(0, 2, 4))


def test_equal_seeds_give_equal_scenes() -> None:
    one, two = make_batch(SETTINGS, 3), make_batch(SETTINGS, 3)
    assert torch.equal(one.image, two.image)
    assert torch.equal(one.mask, two.mask)


def test_other_seeds_give_other_scenes() -> None:
    assert not torch.equal(make_batch(SETTINGS, 3).image, make_batch(SETTINGS, 4).image)


def test_target_is_seen_on_prompted_slices_and_never_fills_a_slice() -> None:
    for seed in range(5):
        covered = make_batch(SETTINGS, seed).mask.float().mean((2, 3))
        assert (covered[:, list(SETTINGS.required)] > 0).float().mean() > 0.8
        assert (covered < 0.95).all()


def test_target_changes_along_the_stack() -> None:
    mask = make_batch(SETTINGS, 1).mask
    first, last = mask[:, 0].float(), mask[:, -1].float()
    overlap = 2 * (first * last).sum((1, 2)) / (first.sum((1, 2)) + last.sum((1, 2)))
    assert overlap.mean() < 0.8


def test_target_vanishes_in_stacks_that_overrun() -> None:
    settings = SceneSettings(stacks=8, slices=6, grid=24, required=(0,), overrun=1.0)
    visible = torch.cat([make_batch(settings, s).mask.flatten(2).any(2) for s in range(4)])
    assert (~visible).any()
