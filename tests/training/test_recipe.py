"""What steps see and are asked: reproducible, of a run's kinds, read back from JSON."""

from __future__ import annotations

import json
import random

from training.architecture import Architecture, micro_config
from training.default_recipe import RECIPE
from training.export import BUNDLED
from training.recipe import Recipe, Stage, draw_task, plan_step


def test_a_step_is_drawn_alike_each_time() -> None:
    for step in (0, 450, RECIPE.steps - 1):
        assert plan_step(RECIPE, step) == plan_step(RECIPE, step)
    assert plan_step(RECIPE, 500) != plan_step(RECIPE, 501)


def test_a_recipe_comes_back_from_json() -> None:
    recipe = Recipe((Stage("stacks", 3, lengths=(8, 9)),), Architecture(memory_layers=4), seed=7)
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_the_learning_rate_rises_and_falls() -> None:
    assert RECIPE.lr(0) < RECIPE.lr(RECIPE.warmup) > RECIPE.lr(RECIPE.steps - 1)


def test_tasks_are_those_of_runs() -> None:
    stage = Stage("stacks", 1, tracked=5)
    rng = random.Random(1)
    budgets, distances = set(), set()
    for _ in range(300):
        slices, outlined, tracked = draw_task(rng, stage)
        assert 8 <= slices <= 32
        assert outlined[0] == 0
        assert outlined[-1] < slices
        assert len(set(outlined)) == len(outlined)
        assert not set(outlined) & set(tracked)
        assert tracked == tuple(sorted(tracked))
        assert 1 <= len(tracked) <= 5
        budgets.add(len(outlined))
        distances |= {min(abs(p - at) for p in outlined) for at in tracked}
    assert {1, 2, 3, 5, 7, 9} <= budgets
    assert {1, 2, 3, 4, 5} <= distances


def test_a_lead_goes_from_the_outline_to_what_is_tracked() -> None:
    recipe = Recipe((Stage("stacks", 300, lead=True, lengths=(8, 44)),))
    longest = 0
    for step in range(300):
        plan = plan_step(recipe, step)
        first = plan.tracked[0]
        assert plan.lead == tuple(range(first - len(plan.lead), first))
        assert first - len(plan.lead) - 1 in plan.outlined
        assert {*plan.lead} <= {*plan.stacks.visited}
        assert not {*plan.lead} & {*plan.outlined, *plan.tracked}
        longest = max(longest, len(plan.lead))
    assert longest > 12


def test_joined_and_faint_targets_are_drawn_as_often_as_the_stage_says() -> None:
    recipe = Recipe((Stage("stacks", 400, joined=0.6, faint=0.3, covered=(0.6, 1.0)),))
    plans = [plan_step(recipe, step) for step in range(400)]
    assert 0.5 < sum(plan.stacks.kind.target == "joined" for plan in plans) / 400 < 0.7
    assert 0.2 < sum(plan.stacks.kind.bone == "faint" for plan in plans) / 400 < 0.4
    assert {plan.stacks.covered for plan in plans} == {(0.6, 1.0)}


def test_every_kind_of_memory_and_prompt_is_drawn() -> None:
    plans = [plan_step(RECIPE, step) for step in range(1200, 1600)]
    assert {type(plan.policy.recent).name for plan in plans} == {
        "intelligent",
        "recent",
        "stride",
        "gate",
    }
    assert {type(plan.policy.prompts).name for plan in plans} == {"all", "near", "closest"}
    assert {plan.first for plan in plans} == {"mask", "box", "clicks"}
    assert any(plan.own in plan.outlined for plan in plans)
    assert any(at in plan.tracked for plan in plans for at in plan.clicked)


def test_the_recipe_makes_the_bundled_checkpoint_s_architecture() -> None:
    made = micro_config(RECIPE.architecture, 256).to_dict()
    held = json.loads((BUNDLED / "config.json").read_text())
    for key in (
        "memory_attention_num_layers",
        "memory_attention_hidden_size",
        "max_cond_frame_num",
    ):
        assert made[key] == held[key]
    backbone = made["vision_config"]["backbone_config"]
    for key in ("blocks_per_stage", "embed_dim_per_stage", "global_attention_blocks"):
        assert backbone[key] == held["vision_config"]["backbone_config"][key]
