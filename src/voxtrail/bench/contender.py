"""One contender in a process of its own, so that its peak memory is its own."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import torch
from numpy.typing import NDArray

from voxtrail.bench.plan import EXPORTED, BenchPlan, BenchRun
from voxtrail.bench.scan import scan_and_prompts, stack_of
from voxtrail.core.axis import Axis
from voxtrail.core.peak_memory import peak_memory
from voxtrail.core.prompts import MaskPrompt, Prompts
from voxtrail.core.stopwatch import Stopwatch, synchronizer
from voxtrail.core.volume import Volume
from voxtrail.errors import VoxtrailError, WorkError
from voxtrail.model.base import LoadedModel
from voxtrail.model.cuda_graphed import CudaGraphed
from voxtrail.model.loading import Runtime
from voxtrail.model.shortcuts import Precision, Shortcuts
from voxtrail.propagate.feature_cache import FeatureCache
from voxtrail.propagate.prediction_cache import PredictionCache
from voxtrail.session import Cache, Config, segment

WARM_UP_SLICES = 5
#: What a run is looked at for: its seconds; those of its components, for which a GPU is waited for
#: after each, which takes longer; or its floating-point operations, which takes longer yet.
Look = Literal["seconds", "components", "flops"]


@dataclass(frozen=True, eq=False)
class Measured:
    """One run.

    Parameters
    ----------
    run
        What ran.
    seconds
        In all.
    peak_mib
        Greatest memory while it ran: resident, or on the GPU; None where the system does not tell.
    components
        Seconds by component, a call at a time; on a GPU they mean something where these were
        looked for.
    flops
        Floating-point operations of matrix products and convolutions, where they were counted.
    masks
        (slices, rows, columns) bool of the first label.
    encoded, tracked
        Slices that went through the image encoder, and that were segmented; None of peers.
    """

    run: BenchRun
    seconds: float
    peak_mib: float | None
    components: tuple[dict[str, float], ...]
    flops: int | None
    masks: NDArray[np.bool_]
    encoded: int | None
    tracked: int | None

    def model_seconds(self, calls: int | None = None) -> float:
        """Return what the model took, in all calls or in the first ones."""
        return sum(sum(one.values()) for one in self.components[:calls])


@dataclass(frozen=True)
class Failed:
    """A run that could not be done, and why, in one line."""

    reason: str

    @classmethod
    def by(cls, error: Exception) -> Failed:
        """Return what an exception says; its class too where it was not raised on purpose."""
        text = " ".join(str(error).split())
        return cls(text if isinstance(error, VoxtrailError) else f"{type(error).__name__} {text}")


class ContenderProcess:
    """What one process holds: a contender's model, and what its runs share.

    Parameters
    ----------
    plan
        What the bench runs.
    run
        The first of the runs that it will be asked for.
    """

    def __init__(self, plan: BenchPlan, run: BenchRun) -> None:
        self._plan = plan
        self._cache = Cache()
        self._features = FeatureCache(keep=True)
        self._peer: Any = None
        self._loaded: LoadedModel | None = None
        if run.who == "voxtrail":
            from voxtrail.model.loading import load

            exported = run.variant in EXPORTED
            if exported and plan.exported is None:
                raise WorkError(plan.not_exported)
            self._loaded = load(
                cast(str, plan.exported) if exported else plan.weights,
                resolution=run.resolution,
                device="cpu" if exported else plan.device,
                runtime=cast(Runtime, run.variant) if exported else "torch",
                shortcuts=Shortcuts(
                    cast(Precision, run.precision),
                    coarse_memories=run.variant == "coarse",
                    compiled=run.variant == "compile",
                ),
            )
        else:
            from voxtrail.bench.peers import Sam2Peer, TransformersPeer

            if run.who == "transformers":
                self._peer = TransformersPeer(plan.weights, run.resolution, plan.device)
            else:
                compiled = run.who == "sam2-compiled"
                self._peer = Sam2Peer(plan.weights, run.resolution, plan.device, compiled=compiled)
            # Warmed up on a few slices; voxtrail warms up while its operations are counted.
            self._of_peer(run, *scan_and_prompts(WARM_UP_SLICES, 1, spread=False))

    @property
    def _stopwatch(self) -> Stopwatch:
        held = self._peer or cast(LoadedModel, self._loaded).model
        return cast(Stopwatch, held.stopwatch)

    def measure(self, run: BenchRun, look: Look = "seconds") -> Measured:
        """Do one run."""
        volume, prompts = scan_and_prompts(
            self._plan.slices, run.labels, spread=run.spread, drawn=run.drawn
        )
        if run.cached == "first":
            self._begin(run, volume, prompts)
        whole, stopwatch = Stopwatch(synchronizer(self._plan.device)), self._stopwatch
        CudaGraphed.enabled = look != "flops"
        stopwatch.synchronize = whole.synchronize if look == "components" else None
        with peak_memory(self._plan.device) as peak_mib, _counting(look == "flops") as counter:
            start = whole.now()
            calls = [self._call(run, volume, each) for each in _calls(run, prompts)]
            seconds = whole.now() - start
            peak = peak_mib()
        slices = [one.slices for one in calls if one.slices is not None]
        encoded, tracked = map(sum, zip(*slices, strict=True)) if slices else (None, None)
        return Measured(
            run,
            seconds,
            peak,
            tuple(one.components for one in calls),
            counter.get_total_flops() if counter else None,
            calls[0].masks,
            encoded,
            tracked,
        )

    def _begin(self, run: BenchRun, volume: Volume, prompts: Prompts) -> None:
        """Have nothing cached but crops that have grown as far as they will.

        Otherwise a first run would be all the slower, and a later one all the better beside it,
        the more often a mask touches the border of its crop, as those of random weights do.
        """
        crops = self._cache.crops
        assert crops is not None
        if not crops.recall(volume, prompts, config_of(self._plan, run).resolved()):
            self._call(run, volume, prompts)
        self._cache = Cache(crops=crops)

    def _call(self, run: BenchRun, volume: Volume, prompts: Prompts) -> _Call:
        """Segment once."""
        before = dict(self._stopwatch.seconds)
        if self._peer is not None:
            masks, slices = self._of_peer(run, volume, prompts), None
        else:
            config = config_of(self._plan, run)
            result = segment(volume, prompts, config, model=self._loaded, cache=self._kept(run))
            masks = Axis.AXIAL.to_stack(result.mask(prompts.labels()[0]))
            slices = result.record.slices["encoded"], result.record.predictions["segmented"]
        spent = self._stopwatch.seconds.items()
        return _Call(masks, slices, {name: s - before.get(name, 0.0) for name, s in spent})

    def _of_peer(self, run: BenchRun, volume: Volume, prompts: Prompts) -> NDArray[np.bool_]:
        outlines = [one for one in prompts.prompts if isinstance(one, MaskPrompt)]
        cast_to = torch.bfloat16 if run.precision == "bfloat16" else None
        with torch.autocast(self._plan.device, cast_to, enabled=cast_to is not None):
            found: NDArray[np.bool_] = self._peer.run(stack_of(volume), outlines)
        return found

    def _kept(self, run: BenchRun) -> Cache | None:
        if run.cached == "no":
            return None
        if run.cached == "features":
            return Cache(self._features, PredictionCache(ram_bytes=0), None)
        return self._cache


def config_of(plan: BenchPlan, run: BenchRun) -> Config:
    """Return what voxtrail is asked for.

    With the paper's presets no outline is left out to tell what Dice is to be expected: peers do
    no such thing.
    """
    return Config(
        model=plan.weights,
        preset=run.preset,
        memory=run.memory,
        crop=run.crop,
        quality=run.preset == Config().preset,
        precision=cast(Precision, run.precision),
    )


@dataclass(frozen=True, eq=False)
class _Call:
    """What one call gave; ``slices`` are those encoded and those segmented."""

    masks: NDArray[np.bool_]
    slices: tuple[int, int] | None
    components: dict[str, float]


def _calls(run: BenchRun, prompts: Prompts) -> list[Prompts]:
    """Return what is drawn, call by call."""
    if not run.one_by_one:
        return [prompts]
    return [replace(prompts, prompts=prompts.of(label)) for label in prompts.labels()]


def _counting(wanted: bool) -> AbstractContextManager[Any]:
    """Return what counts floating-point operations, or None."""
    if not wanted:
        return nullcontext()
    from torch.utils.flop_counter import FlopCounterMode

    return FlopCounterMode(display=False)


def serve(connection: Any, plan: BenchPlan, first: BenchRun) -> None:
    """Answer ``(run, look)`` with what was measured or why it failed, until None comes."""
    try:
        contender = ContenderProcess(plan, first)
    except Exception as error:  # whatever a library raises: it becomes a row of the table
        connection.send(Failed.by(error))
        return
    connection.send("ready")
    while (asked := connection.recv()) is not None:
        try:
            connection.send(contender.measure(*asked))
        except Exception as error:  # likewise
            connection.send(Failed.by(error))


def gigaflops(precision: str, device: str) -> float:
    """Return what this machine's matrix products reach, in 1e9 operations a second."""
    side = 1024 if device == "cpu" else 8192
    left, right = (
        torch.randn(size, device=device).to(getattr(torch, precision))
        for size in ((4096, side), (side, 4096))
    )
    watch = Stopwatch(synchronizer(device))
    left @ right
    fastest = float("inf")
    for _ in range(5):
        start = watch.now()
        left @ right
        fastest = min(fastest, watch.now() - start)
    return 2 * 4096 * side * 4096 / fastest / 1e9
