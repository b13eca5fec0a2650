"""A short run learns, and a killed run ends where one left alone does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from training import measure, train
from training import state as states
from training.architecture import Architecture
from training.export import check, export
from training.recipe import Recipe, Stage, plan_step
from training.scenes.stack import StackSettings, make_batch
from training.step import Task
from training.train import Trainer

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")

TINY = Recipe(
    stages=(
        Stage("slices", 12, size=64, stacks=2, tracked=3, lr=2e-3, lr_end=1e-3, largest=32),
        Stage("stacks", 5, size=64, stacks=1, tracked=3, lr=1e-3, lr_end=5e-4, largest=32),
    ),
    architecture=Architecture(width=16, blocks=(1, 1, 2, 1), channels=64),
    warmup=4,
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def _little_validation() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "VALIDATION_STACKS", 1)
        patch.setattr(measure, "SLICES", 13)
        yield


@pytest.fixture(scope="module")
def left_alone(tmp_path_factory: pytest.TempPathFactory) -> Trainer:
    trainer = Trainer(TINY, tmp_path_factory.mktemp("alone"), CPU)
    trainer.run(command="as it was typed")
    return trainer


def test_loss_falls(left_alone: Trainer) -> None:
    assert left_alone.step == TINY.steps == 17
    first_batch_again = Trainer(TINY, left_alone.out, CPU)
    before = first_batch_again.probe(0)
    first_batch_again.resume()
    assert first_batch_again.probe(0) < 0.8 * before


def test_killed_run_ends_with_the_same_weights(left_alone: Trainer, tmp_path: Path) -> None:
    killed = Trainer(TINY, tmp_path, CPU)
    killed.run(until=13)  # ends inside the second stage; everything but the file is lost
    resumed = Trainer(TINY, tmp_path, CPU)
    resumed.resume()
    assert resumed.step == 13
    resumed.run()
    assert [one.first for one in resumed.history.sittings] == [0, 13]
    assert resumed.history.losses == left_alone.history.losses
    alone, again = (states.load(t.state_path, CPU) for t in (left_alone, resumed))
    for kind in ("model", "average"):
        for name, weight in alone[kind].items():
            assert torch.equal(weight, again[kind][name]), f"{kind}: {name}"


def test_a_step_can_be_taken_in_bfloat16(tmp_path: Path) -> None:
    trainer = Trainer(TINY, tmp_path, CPU, bfloat16=True)
    for step in (0, TINY.steps - 1):
        trainer.step = step
        plan = plan_step(TINY, step)
        assert 0 < trainer.advance(make_batch(plan.stacks, plan.seed), plan) < 10


def test_a_lead_is_remembered_and_not_learned_from(left_alone: Trainer) -> None:
    stage = Stage("stacks", 1, size=64, stacks=1, largest=32, lengths=(20, 20), outlines=(2,))
    plan = replace(
        plan_step(Recipe((stage,)), 0),
        stacks=StackSettings(1, 20, (0, 19), (0, 1, 2, 3, 4, 19), size=64, largest=32),
        tracked=(3, 4),
        lead=(1, 2),
        own=None,
        clicked={},
        first="mask",
    )
    batch = make_batch(plan.stacks, 3)
    task = Task(left_alone.model, batch, plan, 0.5)
    task.read_prompts()
    task.follow(plan.lead)
    assert not task.losses
    assert not any(task.bank.memories[at].tokens.requires_grad for at in plan.lead)
    assert not any(task.bank.entries[at].prompted for at in plan.lead)
    task.track(3)
    with_lead = task.losses[0]
    alone = Task(left_alone.model, batch, plan, 0.5)
    alone.read_prompts()
    alone.track(3)
    assert with_lead.requires_grad
    assert with_lead != alone.losses[0]


def test_every_step_and_sitting_is_recorded(left_alone: Trainer) -> None:
    state = states.load(left_alone.state_path, CPU)
    history = states.History.from_json(state["history"])
    assert len(history.losses) == 17
    (sitting,) = history.sittings
    assert (sitting.first, sitting.last, sitting.command) == (0, 17, "as it was typed")
    assert sitting.seconds > 0
    assert states.recipe_of(state) == TINY
    assert (left_alone.out / "curve.png").stat().st_size > 0
    assert 0 <= history.validations[-1]["9 outlines, distance 1"] <= 1


def test_state_is_never_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "state.pt"
    states.save(path, {"step": 1})

    class Unsaveable:
        def __reduce__(self) -> str:
            raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        states.save(path, {"step": Unsaveable()})
    assert states.load(path, CPU) == {"step": 1}


def test_export_loads_whole(left_alone: Trainer, tmp_path: Path) -> None:
    export(left_alone.state_path, tmp_path / "micro", image_size=96)
    model = check(tmp_path / "micro")
    card = (tmp_path / "micro" / "README.md").read_text()
    assert "| steps | 17, all recorded from the first |" in card
    assert "`as it was typed`" in card
    assert (tmp_path / "micro" / "curve.png").exists()
    assert model.config.image_size == 96
    average = states.load(left_alone.state_path, CPU)["average"]
    for name, weight in model.state_dict().items():
        assert torch.equal(weight, average[name]), name
