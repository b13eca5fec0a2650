"""Train ``micro``: ``python -m training.train --out runs/micro [--recipe recipe.json]``.

Begins at step 0 with new weights, or goes on from ``state.pt`` in the output folder. With one
device, one thread count and one recipe, a run that was killed and resumed ends with the same
weights as one left alone. A recipe given on resuming replaces the old one from the next step on;
the state keeps every sitting with its recipe, command, commit and hardware, and every step's loss,
and the model card is written from those.

On a processor two processes with one thread each are the default, which beats one process with two
threads: small operations don't wait for each other, and nothing spins when another program takes a
core. On a GPU the same command makes scenes in worker processes and computes in bfloat16; such a
run goes on on a processor, and the other way round.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.utils.data import DataLoader, Dataset

from training import state as states
from training.architecture import new_model, quicken, set_slice_size
from training.curve import draw_curve
from training.default_recipe import RECIPE
from training.machine import Machine, die_with_parent, keep_freed_memory
from training.measure import scores_of
from training.optimiser import Optimiser
from training.recipe import Recipe, StepPlan, plan_step
from training.scenes.stack import StackBatch, make_batch
from training.step import step_loss

LOG_EVERY, SAVE_EVERY, VALIDATE_EVERY, KEEP_EVERY = 20, 50, 500, 500

VALIDATION_STACKS = 6
"""Held-out stacks that a run is watched on; `training.measure` takes more."""


@dataclass(frozen=True)
class Share:
    """Which of several equal processes this one is."""

    rank: int = 0
    count: int = 1


class Scenes(Dataset[StackBatch]):
    """The batch of every step, drawn from the step's own seed."""

    def __init__(self, recipe: Recipe, first: int, last: int, share: Share) -> None:
        self.recipe, self.first, self.last, self.share = recipe, first, last, share

    def __len__(self) -> int:
        return self.last - self.first

    def __getitem__(self, index: int) -> StackBatch:
        plan = plan_step(self.recipe, self.first + index)
        stacks = max(1, plan.stacks.stacks // self.share.count)
        return make_batch(replace(plan.stacks, stacks=stacks), plan.seed + self.share.rank)


class Trainer:
    """A run: model, average, optimiser, history; `run` takes it to the end of its recipe."""

    def __init__(
        self,
        recipe: Recipe,
        out: Path,
        device: torch.device,
        share: Share | None = None,
        bfloat16: bool = False,
    ) -> None:
        self.recipe, self.out, self.device = recipe, out, device
        self.share, self.bfloat16 = share or Share(), bfloat16
        self.step = 0
        self.history = states.History()
        self.model = new_model(recipe.architecture, recipe.stages[0].size, recipe.seed).to(device)
        quicken(self.model)
        self.model.train()
        self.average = states.Average(self.model, recipe.ema)
        self.optimiser = Optimiser(self.model, recipe.weight_decay)

    @property
    def state_path(self) -> Path:
        """Where the run's last state lies."""
        return self.out / "state.pt"

    def save(self) -> None:
        """Write the state, whole or not at all; every so often a second one that stays."""
        state = {**self._state(), "optimiser": self.optimiser.state_dict()}
        states.save(self.state_path, state)
        if self.step % KEEP_EVERY == 0:
            states.save(self.out / f"state-{self.step:06d}.pt", state)

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.state_dict(),
            "average": self.average.weights,
            "step": self.step,
            "history": asdict(self.history),
            "recipe": json.dumps(self.recipe.to_json()),
        }

    def resume(self) -> None:
        """Continue from the state in the output folder."""
        state = states.load(self.state_path, self.device)
        self.model.load_state_dict(state["model"])
        self.average.weights = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        self.history = states.History.from_json(state["history"])

    def run(self, workers: int = 0, until: int | None = None, command: str = "") -> None:
        """Train to step ``until`` (the recipe's end), saving, validating and logging on the way."""
        self.out.mkdir(parents=True, exist_ok=True)
        end = min(until or self.recipe.steps, self.recipe.steps)
        batches = self._batches(workers, end)
        machine = Machine.here(self.device, self.share.count)
        recipe = json.dumps(self.recipe.to_json())
        sitting = states.Sitting(self.step, self.step, 0.0, command, *machine.words(), recipe)
        self.history.sittings.append(sitting)
        with _progress() as progress:
            task = progress.add_task("training", total=end, completed=self.step)
            began = time.monotonic()
            while self.step < end:
                plan = plan_step(self.recipe, self.step)
                loss = self.advance(next(batches), plan)
                self.history.losses.append(loss)
                self.step += 1
                progress.update(task, completed=self.step, description=f"loss {loss:.3f}")
                last = self.step == end
                done = self.step == self.recipe.steps
                if self.share.rank == 0 and (self.step % VALIDATE_EVERY == 0 or done):
                    self._validate()
                sitting.last, sitting.seconds = self.step, time.monotonic() - began
                if self.share.rank == 0:
                    self._keep_books(plan, last)

    def _keep_books(self, plan: StepPlan, last: bool) -> None:
        """Log and save where it is time to."""
        if self.step % LOG_EVERY == 0 or last:
            self._log(plan)
        if self.step % SAVE_EVERY == 0 or last:
            self.save()

    def advance(self, batch: StackBatch, plan: StepPlan) -> float:
        """Take one optimiser step; return its loss."""
        set_slice_size(self.model, plan.stage.size)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            loss = step_loss(self.model, batch.to(self.device), plan, self.recipe.edge_weight)
        self.model.zero_grad(set_to_none=True)
        loss.backward()
        if self.share.count > 1:
            self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        if torch.isfinite(norm):
            self.optimiser.step(self.recipe.lr(self.step))
        self.average.update(self.model, self.step)
        return float(loss.detach())

    @torch.no_grad()
    def probe(self, step: int) -> float:
        """Return the loss that the present weights have on the batch of ``step``."""
        plan = plan_step(self.recipe, step)
        set_slice_size(self.model, plan.stage.size)
        batch = make_batch(plan.stacks, plan.seed).to(self.device)
        return float(step_loss(self.model, batch, plan, self.recipe.edge_weight))

    def _average_gradients(self) -> None:
        """Average gradients over processes; a weight that a step left out counts as zero."""
        parameters = list(self.model.parameters())
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([g.flatten() for g in gradients])
        dist.all_reduce(flat)
        flat /= self.share.count
        for parameter, part in zip(
            parameters, flat.split([p.numel() for p in parameters]), strict=True
        ):
            if parameter.grad is not None:
                parameter.grad = part.view_as(parameter)

    def _batches(self, workers: int, end: int) -> Iterator[StackBatch]:
        loader: DataLoader[StackBatch] = DataLoader(
            Scenes(self.recipe, self.step, end, self.share),
            batch_size=None,
            num_workers=workers,
            prefetch_factor=4 if workers else None,
            multiprocessing_context="forkserver" if workers else None,
            pin_memory=self.device.type == "cuda",
        )
        return iter(loader)

    def _log(self, plan: StepPlan) -> None:
        if not sys.stdout.isatty():
            recent = self.history.losses[-LOG_EVERY:]
            print(
                f"step {self.step}/{self.recipe.steps} {plan.stage.kind}@{plan.stage.size} "
                f"loss {sum(recent) / len(recent):.4f} lr {self.recipe.lr(self.step - 1):.2e} "
                f"{self.history.seconds / 60:.1f} min",
                flush=True,
            )

    def _validate(self) -> None:
        """Score the averaged weights on held-out scenes; draw the curve."""
        model = states.averaged(self._state()).to(self.device)
        quicken(model)
        entry: dict[str, float] = {"step": self.step, "size": int(model.config.image_size)}
        found = scores_of(model, ["is+sps"], budgets=(3, 9), stacks=VALIDATION_STACKS)
        for (_, budget), scores in found.items():
            beside, copied = scores.at(1)
            entry[f"{budget} outlines"] = scores.mean()[0]
            entry[f"{budget} outlines, distance 1"] = beside
            entry[f"{budget} outlines, distance 1, copied"] = copied
        entry["own memory"] = found["is+sps", 3].at(0)[0]
        self.history.validations.append(entry)
        draw_curve(self.history, self.out / "curve.png")
        if not sys.stdout.isatty():
            print(" ".join(f"{k} {v:.3f}" for k, v in entry.items()), flush=True)


def _progress() -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, disable=not sys.stdout.isatty())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    on_gpu = torch.cuda.is_available()
    makers = max((os.cpu_count() or 2) - 1, 1) if on_gpu else 0
    each = 1 if on_gpu else min(os.cpu_count() or 1, 2)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/micro"))
    parser.add_argument("--recipe", type=Path, help="JSON; default: training/default_recipe.py")
    parser.add_argument("--until", type=int, help="stop after this step; default: the end")
    parser.add_argument("--device", default="cuda" if on_gpu else "cpu")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of each process")
    parser.add_argument(
        "--workers", type=int, default=makers, help="scene makers (0: in this process)"
    )
    parser.add_argument(
        "--processes", type=int, default=each, help="share each batch among so many"
    )
    parser.add_argument(
        "--bfloat16",
        action=argparse.BooleanOptionalAction,
        default=on_gpu,
        help="compute in bfloat16 (default: on a GPU); on processors with AVX-512 BF16 a step "
        "takes two thirds of the time",
    )
    options = parser.parse_args(arguments)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # of scene makers
        os.environ.setdefault(name, str(options.threads))
    options.parent = os.getpid()
    options.command = "python -m training.train " + " ".join(arguments or sys.argv[1:])
    if options.processes == 1:
        _train(0, options)
    else:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "rendezvous").unlink(missing_ok=True)  # of a run that was killed
        torch.multiprocessing.spawn(_train, (options,), nprocs=options.processes)


def _train(rank: int, options: argparse.Namespace) -> None:
    keep_freed_memory()
    torch.set_num_threads(options.threads)
    share = Share(rank, options.processes)
    if share.count > 1:
        die_with_parent(options.parent)
        address = f"file://{(options.out / 'rendezvous').absolute()}"
        dist.init_process_group("gloo", init_method=address, rank=rank, world_size=share.count)
    recipe = Recipe.read(options.recipe) if options.recipe else RECIPE
    device = torch.device(options.device)
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")  # TF32
    trainer = Trainer(recipe, options.out, device, share, bfloat16=options.bfloat16)
    if trainer.state_path.exists():
        trainer.resume()
        print(f"resumed at step {trainer.step}", flush=True)
    trainer.run(options.workers, options.until, options.command)


if __name__ == "__main__":
    main()
