"""What is run: the same weights, scans and outlines for everybody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from voxtrail.bench.scan import Drawn
from voxtrail.model.processor import multiplies_bfloat16
from voxtrail.model.shortcuts import Precision
from voxtrail.session import Config

#: The reference predictor, the same as its authors compile it (``vos_optimized``, for a GPU), and
#: transformers' session.
Peer = Literal["sam2", "sam2-compiled", "transformers"]
PEERS: tuple[Peer, ...] = ("sam2", "transformers")
#: Other ways to run voxtrail: with a shortcut more, or an exported model in another runtime.
Variant = Literal["coarse", "compile", "int8", "openvino", "onnx"]
VARIANTS: tuple[Variant, ...] = ("coarse", "compile", "int8", "openvino", "onnx")
#: Runtimes among them, and the precisions that they offer.
EXPORTED = {"openvino": ("float32", "bfloat16"), "onnx": ("float32",)}
#: Precisions of the variants that do not take the plan's.
PRECISIONS: dict[str, tuple[str, ...]] = EXPORTED | {"int8": ("int8",)}
#: Labels of the runs with default options, besides as many as the plan has.
DEFAULT_LABELS = (1, 4)


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
    not_exported
        Why it could not be exported, where it could not.
    """

    weights: str
    resolution: int
    slices: int = 11
    labels: int = 8
    peers: tuple[Peer, ...] = PEERS
    precision: Precision = "float32"
    device: str = "cpu"
    repeats: int = 3
    variants: tuple[Variant, ...] = ()
    exported: str | None = None
    not_exported: str = ""


@dataclass(frozen=True)
class BenchRun:
    """One run of one contender.

    Parameters
    ----------
    key
        What its result is called in ratios and agreements.
    who
        ``voxtrail`` or a peer.
    preset, resolution, precision
        How.
    labels
        How many are segmented. One label nearly fills a scan of its own, so that its crop is the
        whole slice, which is what peers are given; see `spread`.
    spread
        Whether the structures lie apart in one scan, each with a crop of its own.
    crop
        As in `Config`; None leaves it to the preset.
    one_by_one
        Whether each label is segmented in a call of its own; the run is all of these calls.
    memory
        Another choice of recent slices than the preset's.
    variant
        Another way than PyTorch without further shortcuts.
    cached
        ``no`` cache, encoded ``features`` only, a ``first`` run that fills one, or one ``again``
        after that, when what is `drawn` has changed.
    drawn
        See `voxtrail.bench.scan.scan_and_prompts`.
    """

    key: str
    who: str
    preset: str
    resolution: int
    precision: str
    labels: int = 1
    spread: bool = False
    crop: Literal["all"] | None = None
    one_by_one: bool = False
    memory: str | None = None
    variant: Variant | None = None
    cached: Literal["no", "features", "first", "again"] = "no"
    drawn: Drawn = "three"

    @property
    def process(self) -> tuple[str, int, str, str | None]:
        """Runs that share a loaded model share a process."""
        return self.who, self.resolution, self.precision, self.variant

    @property
    def runtime(self) -> str:
        """What runs it and how, in a few words; of float32 weights where it is autocast."""
        if self.who != "voxtrail":
            return "torch " + ("autocast to bfloat16" if self.precision != "float32" else "float32")
        if self.variant in EXPORTED:
            return f"{self.variant} {self.precision}"
        shortcut = self.variant if self.variant != self.precision else None
        return f"torch {self.precision}" + (f", {shortcut}" if shortcut else "")

    @property
    def beside_peers(self) -> bool:
        """Whether peers do the same: one label, once, in whole slices."""
        return not self.spread and self.cached == "no"


def best_precision(device: str) -> Precision:
    """Return the number type that a device multiplies fastest: on a GPU, bfloat16."""
    able = device != "cpu" or multiplies_bfloat16()
    return "bfloat16" if able else "float32"


def one_round(plan: BenchPlan) -> list[BenchRun]:
    """Return the runs of one round, in order."""
    size, precision = plan.resolution, plan.precision

    def ours(key: str, preset: str = "is+sps", resolution: int = size, **how: Any) -> BenchRun:
        return BenchRun(key, "voxtrail", preset, resolution, precision, **how)

    def default(key: str, **how: Any) -> BenchRun:
        return ours(key, Config().preset, spread=True, **how)

    # As each is used: on a GPU, SAM 2's own examples run it in bfloat16 autocast.
    kind = "float32" if plan.device == "cpu" else precision
    return [
        *(BenchRun(peer, peer, "baseline", size, kind) for peer in plan.peers),
        ours("baseline", "baseline"),
        ours("is+sps"),
        ours(f"resolution-{size // 2}", resolution=size // 2),
        ours(f"labels-{plan.labels}", labels=plan.labels, spread=True, crop="all"),
        *(default(f"labels-{n}-default", labels=n) for n in default_labels(plan)),
        default("one-by-one-default", labels=plan.labels, one_by_one=True),
        default("first", cached="first"),
        default("rerun", cached="again", drawn="added"),
        default("rerun-wider", cached="again", drawn="wider"),
        default("rerun-middle", cached="again", drawn="redrawn"),
        *(
            BenchRun(
                " ".join(dict.fromkeys((preset, variant, kind))),
                "voxtrail",
                preset,
                size,
                kind,
                variant=variant,
            )
            for variant in plan.variants
            for kind in PRECISIONS.get(variant, (precision,))
            for preset in ("baseline", "is+sps")
        ),
    ]


def default_labels(plan: BenchPlan) -> list[int]:
    """Return how many labels are segmented together with default options, run by run."""
    return sorted({*(n for n in DEFAULT_LABELS if n < plan.labels), plan.labels})


def exact_runs(plan: BenchPlan) -> list[BenchRun]:
    """Return the float32 runs whose masks the others are compared with; run once."""
    return [
        BenchRun(f"{preset} float32", "voxtrail", preset, plan.resolution, "float32")
        for preset in ("baseline", "is+sps")
    ]


def memory_runs(plan: BenchPlan) -> list[BenchRun]:
    """Return one run for each number of recent memories, on cached features."""
    return [
        BenchRun(
            f"recent:k={k}",
            "voxtrail",
            "baseline",
            plan.resolution,
            plan.precision,
            memory=f"recent:k={k}",
            cached="features",
        )
        for k in range(7)
    ]
