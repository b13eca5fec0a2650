"""What is run, and on what: one synthetic stack, the same weights and prompts for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.prompts import Prompts
from voxtrail.core.volume import LabelMap, Volume
from voxtrail.evaluate import simulate

Peer = Literal["sam2", "transformers"]
PEERS: tuple[Peer, ...] = ("sam2", "transformers")
#: Other ways to run voxtrail: with a shortcut more, or an exported model in another runtime.
Variant = Literal["coarse", "compile", "openvino", "onnx"]
VARIANTS: tuple[Variant, ...] = ("coarse", "compile", "openvino", "onnx")
#: Runtimes among them, and the precisions that they offer.
EXPORTED = {"openvino": ("float32", "bfloat16"), "onnx": ("float32",)}
#: Side of the synthetic slices in pixels.
SIDE = 256


@dataclass(frozen=True)
class BenchPlan:
    """What a bench runs.

    Parameters
    ----------
    weights
        An official ``.pt`` file, or another model that voxtrail loads where `sam2` is no peer.
    resolution
        Side of the input in pixels.
    slices
        Of the stack; the first, the middle and the last are outlined.
    labels
        In the run of several labels.
    peers
        Whom to compare with; the first one's time is over voxtrail's in the ratios.
    precision
        voxtrail's, in all runs but the one that others' masks are compared with; on a GPU, peers
        are autocast to it too.
    device
        What everybody runs on: ``cpu`` or ``cuda``.
    repeats
        Rounds; the order is the same in each, so that runs of one kind lie apart.
    variants
        Other ways in which baseline and is+sps are run besides.
    exported
        The same model, exported; needed by the variants that are runtimes.
    """

    weights: str
    resolution: int
    slices: int = 11
    labels: int = 8
    peers: tuple[Peer, ...] = PEERS
    precision: Literal["float32", "bfloat16"] = "bfloat16"
    device: str = "cpu"
    repeats: int = 3
    variants: tuple[Variant, ...] = ()
    exported: str | None = None


@dataclass(frozen=True)
class Job:
    """One run of one contender.

    Parameters
    ----------
    key
        What its result is called in ratios and agreements.
    who
        ``voxtrail`` or a peer.
    preset, resolution, precision, labels
        How.
    memory
        Another choice of recent slices than the preset's.
    variant
        Another way than PyTorch without further shortcuts.
    cached
        ``no`` cache, ``first`` to fill one, or ``again`` after one outline was corrected.
    """

    key: str
    who: str
    preset: str
    resolution: int
    precision: str
    labels: int = 1
    memory: str | None = None
    variant: Variant | None = None
    cached: Literal["no", "first", "again"] = "no"

    @property
    def worker(self) -> tuple[str, int, str, str | None]:
        """Jobs that share a loaded model share a process."""
        return self.who, self.resolution, self.precision, self.variant

    @property
    def runtime(self) -> str:
        """What runs it and how, in a few words; of float32 weights where it is autocast."""
        if self.who != "voxtrail":
            return "torch " + ("autocast to bfloat16" if self.precision != "float32" else "float32")
        if self.variant in EXPORTED:
            return f"{self.variant} {self.precision}"
        return f"torch {self.precision}" + (f", {self.variant}" if self.variant else "")


def jobs(plan: BenchPlan) -> list[Job]:
    """Return one round, in order."""
    size, precision = plan.resolution, plan.precision
    ours = [
        Job("baseline", "voxtrail", "baseline", size, precision),
        Job("is+sps", "voxtrail", "is+sps", size, precision),
        Job(f"resolution-{size // 2}", "voxtrail", "is+sps", size // 2, precision),
        Job(f"labels-{plan.labels}", "voxtrail", "is+sps", size, precision, plan.labels),
        Job("first", "voxtrail", "is+sps", size, precision, cached="first"),
        Job("rerun", "voxtrail", "is+sps", size, precision, cached="again"),
    ]
    ours += [
        Job(f"{preset} {variant} {kind}", "voxtrail", preset, size, kind, variant=variant)
        for variant in plan.variants
        for kind in EXPORTED.get(variant, (precision,))
        for preset in ("baseline", "is+sps")
    ]
    # As each is used: on a GPU, SAM 2's own examples run it in bfloat16 autocast.
    kind = "float32" if plan.device == "cpu" else precision
    theirs = [Job(peer, peer, "baseline", size, kind) for peer in plan.peers]
    return [*theirs, *ours]


def exact_jobs(plan: BenchPlan) -> list[Job]:
    """Return the float32 runs whose masks the others are compared with; run once."""
    return [
        Job(f"{preset} float32", "voxtrail", preset, plan.resolution, "float32")
        for preset in ("baseline", "is+sps")
    ]


def memory_jobs(plan: BenchPlan) -> list[Job]:
    """Return one run for each number of recent memories, on cached features."""
    return [
        Job(
            f"recent:k={k}",
            "voxtrail",
            "baseline",
            plan.resolution,
            plan.precision,
            memory=f"recent:k={k}",
            cached="again",
        )
        for k in range(7)
    ]


def scene(plan: BenchPlan, labels: int, *, corrected: bool = False) -> tuple[Volume, Prompts]:
    """Return the stack and the outlines: bright discs that move and grow over noise.

    With ``corrected`` one more slice is outlined, as after a look at the result.
    """
    rng = np.random.default_rng(0)
    grey = rng.uniform(0.2, 0.4, (SIDE, SIDE, plan.slices)).astype(np.float32)
    labelled = np.zeros(grey.shape, dtype=np.uint8)
    for index in range(plan.slices):
        for label in range(1, labels + 1):
            labelled[_disc(index, label, labels), index] = label
    grey[labelled > 0] += 0.5
    truth = LabelMap.from_stored(labelled, np.eye(4), {})
    prompts = simulate(truth, slices="first-middle-last")
    if corrected:
        extra = simulate(truth, slices=f"uniform:{plan.slices}")
        third = (3 * plan.slices) // 4
        more = tuple(one for one in extra.prompts if one.slice_index == third and one.label == 1)
        prompts = Prompts((*prompts.prompts, *more), prompts.stored, prompts.names)
    return Volume.from_stored(grey, np.eye(4)), prompts


def _disc(index: int, label: int, labels: int) -> NDArray[np.bool_]:
    """Return a disc that moves by two pixels a slice; several lie on a grid of three a row."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    if labels == 1:
        distance = np.hypot(rows - 100 - 2 * index, columns - 90 - 2 * index)
        return np.asarray(distance < 35 + index)
    down, across = divmod(label - 1, 3)
    centre = (40 + 80 * down + index, 40 + 80 * across + index)
    return np.asarray(np.hypot(rows - centre[0], columns - centre[1]) < 20)
