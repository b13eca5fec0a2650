"""Train ``micro``: ``python -m training.train --out runs/micro [--recipe recipe.json]``.

Resumes from ``state.pt`` in the output folder; a recipe given on resuming replaces the old one
from the next step on. Where there is none, the run begins with new weights, or with those of
``--weights`` as if ``--step`` steps of the recipe were done (the optimiser's moments start anew).
With one device, one thread count and one recipe, a run that was killed and resumed ends with the
same weights as one left alone.

On a processor, ``--processes 2`` with one thread each beats one process with two threads: small
operations don't wait for each other, and nothing spins when another program takes a core.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from safetensors.torch import load_file
from torch.utils.data import DataLoader, Dataset
from transformers import Sam2VideoModel

from training import state as states
from training.architecture import new_model, quicken, set_slice_size
from training.curve import draw_curve
from training.default_recipe import RECIPE
from training.recipe import Recipe, StepPlan, plan_step
from training.scenes import SceneSettings, StackBatch, make_batch
from training.step import step_loss, tracked_dice
from training.tracking import MemoryPlan

LOG_EVERY, SAVE_EVERY, VALIDATE_EVERY, KEEP_EVERY = 20, 50, 250, 500

VALIDATION = SceneSettings(stacks=12, slices=9, grid=56, required=(0, 4, 8), overrun=0.0)
VALIDATION_SEED = 987_654_321
VALIDATION_PLANS = {
    "baseline": MemoryPlan(),
    "is+sps": MemoryPlan(embeddings=(0, 5), reach=0.3 * VALIDATION.slices),
}


@dataclass(frozen=True)
class Share:
    """Which of several equal processes this one is."""

    rank: int = 0
    count: int = 1


class Scenes(Dataset[StackBatch]):
    """The batch of every step, drawn from the step's own seed."""

    def __init__(self, recipe: Recipe, first: int, device: torch.device, share: Share) -> None:
        self.recipe, self.first, self.device, self.share = recipe, first, device, share

    def __len__(self) -> int:
        return self.recipe.steps - self.first

    def __getitem__(self, index: int) -> StackBatch:
        plan = plan_step(self.recipe, self.first + index)
        scenes = replace(plan.scenes, stacks=max(1, plan.scenes.stacks // self.share.count))
        return make_batch(scenes, plan.seed + self.share.rank, self.device)


class Trainer:
    """A run: model, average, optimiser, history; `run` takes it to the end of its recipe."""

    def __init__(
        self, recipe: Recipe, out: Path, device: torch.device, share: Share | None = None
    ) -> None:
        self.recipe, self.out, self.device = recipe, out, device
        self.share = share or Share()
        self.step = 0
        self.history = states.History()
        self.model = new_model(recipe.stages[0].size, recipe.seed).to(device)
        quicken(self.model)
        self.model.train()
        self.average = states.Average(self.model, recipe.ema)
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        vectors = [p for p in self.model.parameters() if p.ndim <= 1]
        groups = [
            {"params": matrices, "weight_decay": recipe.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        self.optimiser = torch.optim.AdamW(groups, lr=recipe.lr(0))

    @property
    def state_path(self) -> Path:
        """Where the run's last state lies."""
        return self.out / "state.pt"

    def save(self) -> None:
        """Write the state, whole or not at all."""
        states.save(
            self.state_path,
            {
                "model": self.model.state_dict(),
                "average": self.average.weights,
                "optimiser": self.optimiser.state_dict(),
                "step": self.step,
                "history": asdict(self.history),
                "recipe": json.dumps(self.recipe.to_json()),
            },
        )

    def resume(self) -> None:
        """Continue from the state in the output folder."""
        state: dict[str, Any] = states.load(self.state_path, self.device)
        self.model.load_state_dict(state["model"])
        self.average.weights = state["average"]
        self.optimiser.load_state_dict(state["optimiser"])
        self.step = state["step"]
        self.history = states.History(**state["history"])

    def start_from(self, folder: Path, step: int) -> None:
        """Begin with a checkpoint's weights as if ``step`` steps were done; moments start anew."""
        weights = load_file(folder / "model.safetensors", device=str(self.device))
        self.model.load_state_dict(weights)
        self.average = states.Average(self.model, self.recipe.ema)
        self.step = step

    def run(self, workers: int = 0, until: int | None = None, bfloat16: bool = False) -> None:
        """Train to step ``until`` (the recipe's end), saving, validating and logging on the way."""
        self.out.mkdir(parents=True, exist_ok=True)
        end = min(until or self.recipe.steps, self.recipe.steps)
        batches = self._batches(workers)
        running: list[float] = []
        with _progress() as progress:
            task = progress.add_task("training", total=end, completed=self.step)
            began = time.monotonic()
            while self.step < end:
                plan = plan_step(self.recipe, self.step)
                loss = self.advance(next(batches), plan, bfloat16)
                running.append(loss)
                self.step += 1
                self.history.seconds += time.monotonic() - began
                began = time.monotonic()
                progress.update(task, completed=self.step, description=f"loss {loss:.3f}")
                if self.share.rank == 0:
                    self._keep_books(running, plan, last=self.step == end)

    def _keep_books(self, running: list[float], plan: StepPlan, last: bool) -> None:
        """Log, validate and save where it is time to."""
        if self.step % LOG_EVERY == 0 or last:
            self._log(sum(running) / len(running), plan)
            running.clear()
        if self.step % VALIDATE_EVERY == 0 or last:
            self._validate()
        if self.step % SAVE_EVERY == 0 or last:
            self.save()
        if self.step % KEEP_EVERY == 0:
            kept = self.out / f"average-{self.step:06d}.pt"
            states.save(kept, {"average": self.average.weights})

    def advance(self, batch: StackBatch, plan: StepPlan, bfloat16: bool = False) -> float:
        """Take one optimiser step; return its loss."""
        set_slice_size(self.model, plan.stage.size)
        for group in self.optimiser.param_groups:
            group["lr"] = self.recipe.lr(self.step)
        batch = StackBatch(batch.image.to(self.device), batch.mask.to(self.device))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16):
            loss = step_loss(self.model, batch, plan)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if self.share.count > 1:
            self._average_gradients()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        if torch.isfinite(norm):
            self.optimiser.step()
        self.average.update(self.model, self.step)
        return float(loss.detach())

    @torch.no_grad()
    def probe(self, step: int) -> float:
        """Return the loss that the present weights have on the batch of ``step``."""
        plan = plan_step(self.recipe, step)
        set_slice_size(self.model, plan.stage.size)
        return float(step_loss(self.model, make_batch(plan.scenes, plan.seed, self.device), plan))

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

    def _batches(self, workers: int) -> Iterator[StackBatch]:
        on_device = self.device if workers == 0 else torch.device("cpu")
        scenes = Scenes(self.recipe, self.step, on_device, self.share)
        loader: DataLoader[StackBatch] = DataLoader(
            scenes,
            batch_size=None,
            num_workers=workers,
            prefetch_factor=6 if workers else None,
            multiprocessing_context="forkserver" if workers else None,
        )
        return iter(loader)

    def _log(self, loss: float, plan: StepPlan) -> None:
        self.history.steps.append(self.step)
        self.history.losses.append(loss)
        if not sys.stdout.isatty():
            print(
                f"step {self.step}/{self.recipe.steps} {plan.stage.kind}@{plan.stage.size} "
                f"loss {loss:.4f} lr {self.recipe.lr(self.step - 1):.2e} "
                f"{self.history.seconds / 60:.1f} min",
                flush=True,
            )

    def _validate(self) -> None:
        """Score the averaged weights on held-out scenes; draw the curve."""
        model = averaged_model(self.model, self.average.weights)
        size = self.recipe.at(self.step)[0].size
        set_slice_size(model, size)
        batch = make_batch(VALIDATION, VALIDATION_SEED, self.device)
        scores = {
            name: tracked_dice(model, batch, size, VALIDATION.required, memory)
            for name, memory in VALIDATION_PLANS.items()
        }
        self.history.validations.append({"step": self.step, "size": size, **scores})
        draw_curve(self.history, self.out / "curve.png")
        if not sys.stdout.isatty():
            print(f"step {self.step} validation {scores}", flush=True)


def averaged_model(like: Sam2VideoModel, weights: dict[str, torch.Tensor]) -> Sam2VideoModel:
    """Return a model of the same configuration with ``weights``, in evaluation mode."""
    model = Sam2VideoModel(like.config).to(like.device)
    quicken(model)
    model.load_state_dict(weights)
    return model.eval()


def keep_freed_memory() -> None:
    """Make glibc keep freed blocks: returning them costs half of a step's time in page faults."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # malloc.h
    libc.mallopt(mmap_threshold, 2**30)
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(top_pad, 2**28)


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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/micro"))
    parser.add_argument("--recipe", type=Path, help="JSON; default: training/default_recipe.py")
    parser.add_argument("--weights", type=Path, help="begin from this checkpoint's folder")
    parser.add_argument("--step", type=int, default=0, help="steps that --weights stand for")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads (0: all)")
    parser.add_argument("--workers", type=int, default=0, help="scene makers (0: in this process)")
    parser.add_argument("--bfloat16", action="store_true", help="autocast; only where it is fast")
    parser.add_argument("--processes", type=int, default=1, help="share each batch among so many")
    options = parser.parse_args(arguments)
    if options.processes == 1:
        _train(0, options)
    else:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "rendezvous").unlink(missing_ok=True)  # of a run that was killed
        torch.multiprocessing.spawn(_train, (options,), nprocs=options.processes)


def _train(rank: int, options: argparse.Namespace) -> None:
    keep_freed_memory()
    if options.threads:
        torch.set_num_threads(options.threads)
    share = Share(rank, options.processes)
    if share.count > 1:
        address = f"file://{(options.out / 'rendezvous').absolute()}"
        dist.init_process_group("gloo", init_method=address, rank=rank, world_size=share.count)
    recipe = Recipe.read(options.recipe) if options.recipe else RECIPE
    trainer = Trainer(recipe, options.out, torch.device(options.device), share)
    if trainer.state_path.exists():
        trainer.resume()
        print(f"resumed at step {trainer.step}", flush=True)
    elif options.weights:
        trainer.start_from(options.weights, options.step)
    trainer.run(options.workers, bfloat16=options.bfloat16)


if __name__ == "__main__":
    main()
