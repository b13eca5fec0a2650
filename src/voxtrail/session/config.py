"""Everything that changes a run's result, in one frozen object that serialises to JSON."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from voxtrail.core.axis import Axis
from voxtrail.errors import OptionError
from voxtrail.fuse import FUSIONS, Fusion
from voxtrail.fuse.priors import PRIORS, Prior
from voxtrail.memory import (
    PROMPT_MEMORIES,
    RECENT_MEMORIES,
    MemoryPolicy,
    PromptMemory,
    RecentMemory,
)
from voxtrail.model.loading import Runtime
from voxtrail.model.shortcuts import Precision, Shortcuts
from voxtrail.preprocess import MARGIN_MM, check_margin, describe, parse_preprocess
from voxtrail.propagate.schedule import Direction
from voxtrail.propagate.search import SEARCHES, Search

#: Where a pass ends: at the outermost prompts, where the object is gone, or at the scan's ends.
Extent = Literal["prompts", "object", "all"]
#: One crop a label that follows it, or that stays; one around all labels; or the whole slice.
CropMode = Literal["follow", "label", "all", "none"]
#: Whether labels compete for a voxel, or each is kept by itself.
Overlap = Literal["compete", "apart"]


@dataclass(frozen=True)
class Preset:
    """What a configuration's name stands for, where an option is not given by itself."""

    prompt_memory: str
    memory: str
    crop: CropMode = "label"
    prior: str = "none"


#: Ours, which hears outlines as shape besides, and the paper's configurations.
PRESETS: dict[str, Preset] = {
    "is+sps+shape": Preset("near:tau=0.3,n=2", "intelligent", "follow", "shape"),
    "is+sps": Preset("near:tau=0.3", "intelligent"),
    "baseline": Preset("all", "recent:k=6"),
    "sps": Preset("near:tau=0.3", "recent:k=6"),
    "is": Preset("all", "intelligent"),
}


@dataclass(frozen=True)
class Config:
    """How a scan is segmented. Texts are those of the command line; a part may be given itself.

    Parameters
    ----------
    model
        A name of the catalogue, a Hugging Face id, a folder or an official ``.pt`` file.
    preset
        ``is+sps+shape`` (ours) or one of the paper's configurations, for whichever of the next
        three and ``crop`` is not given.
    prompt_memory
        Which prompted slices are attended to, such as ``near:tau=0.3`` or ``NearPrompts(0.3)``.
    memory
        Which tracked slices are attended to, such as ``intelligent`` or ``Recent(k=3)``.
    prior
        What outlines say of the slices between them: ``none``, or ``shape``, fused with what was
        tracked; such as ``shape:align=0.1`` or ``Shape()``. From drawn masks only.
    search
        How passes search: ``single``, or ``pathways``, which leave open for a while which of
        several masks a slice has; such as ``pathways:n=3`` or ``Pathways(n=3)``.
    axes
        Slicing directions: ``axial``, ``coronal``, ``sagittal``.
    direction
        One pass (``forward``) or a forward and a backward one (``both``).
    extent
        Where passes end; None takes ``prompts`` for a label with two or more prompted slices on
        an axis and ``object`` for one with a single one; where a label is outlined on several
        axes, no pass goes further than all of its outlines and the margin reach.
    window
        Preprocessing, such as ``bone`` or ``bone+clahe``.
    crop
        A crop that ``follow``s what was drawn of a label from slice to slice, one that stays per
        ``label``, one around ``all`` labels, or ``none``.
    margin_mm
        What a crop leaves around what was drawn, in mm; None takes 20, and of a crop that follows
        what fits the section's size (`voxtrail.preprocess.fitting_margin_mm`).
    roi
        A region in stored voxel indices, ``x0:x1,y0:y1,z0:z1``, that nothing leaves.
    resolution
        Side of the model's input in pixels; None takes the checkpoint's own, ``auto`` one that
        follows from the size of the crop.
    fuse
        How directions and axes become one, such as ``mean-logit`` or ``MeanLogit()``.
    quality
        Whether each inner outline is left out in turn, to tell how good the result is likely to
        be; see `voxtrail.session.leave_one_out`. It changes nothing else.
    overlap
        Whether labels ``compete`` for a voxel or are kept ``apart``.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    runtime
        What runs the model: ``torch``, or ``openvino`` or ``onnx`` for an exported folder;
        ``auto`` takes the fastest that is installed, and for a run of many slices exports the
        model by itself, once (`voxtrail.export.kept`).
    precision, coarse_memories, compiled
        Shortcuts; see `voxtrail.model.shortcuts.Shortcuts`.

    Raises
    ------
    OptionError
        If a value is none of those accepted; the message lists them.
    """

    model: str = "small"
    preset: str = "is+sps+shape"
    prompt_memory: str | PromptMemory | None = None
    memory: str | RecentMemory | None = None
    prior: str | Prior | None = None
    search: str | Search = "single"
    axes: tuple[str, ...] = ("axial",)
    direction: Direction = "forward"
    extent: Extent | None = None
    window: str = "bone"
    crop: CropMode | None = None
    margin_mm: float | None = None
    roi: str | None = None
    resolution: int | Literal["auto"] | None = None
    fuse: str | Fusion = "mean-logit"
    overlap: Overlap = "compete"
    quality: bool = True
    device: str = "auto"
    runtime: Runtime = "auto"
    precision: Precision = "float32"
    coarse_memories: bool = False
    compiled: bool = False

    def __post_init__(self) -> None:
        _one_of("preset", self.preset, PRESETS)
        _one_of("direction", self.direction, get_args(Direction))
        if self.crop is not None:
            _one_of("crop", self.crop, get_args(CropMode))
        _one_of("overlap", self.overlap, get_args(Overlap))
        _one_of("runtime", self.runtime, get_args(Runtime))
        if isinstance(self.resolution, str):
            _one_of("resolution", self.resolution, ("auto",))
        if self.extent is not None:
            _one_of("extent", self.extent, get_args(Extent))
        # A tuple of plain names, also where a record's JSON is read back.
        labels = tuple(axis.label for axis in Axis.several(self.axes))
        object.__setattr__(self, "axes", labels)
        if self.margin_mm is not None:
            check_margin(self.margin_mm)
        _ = self.shortcuts
        parse_preprocess(self.window)
        _ = self.policy, self.fusion, self.shape_prior, self.pass_search

    @property
    def shortcuts(self) -> Shortcuts:
        """Where the model computes less than the reference."""
        return Shortcuts(self.precision, self.coarse_memories, self.compiled)

    @property
    def policy(self) -> MemoryPolicy:
        """Which memories a slice attends to."""
        preset = PRESETS[self.preset]
        return MemoryPolicy(
            PROMPT_MEMORIES.part(
                preset.prompt_memory if self.prompt_memory is None else self.prompt_memory
            ),
            RECENT_MEMORIES.part(preset.memory if self.memory is None else self.memory),
        )

    @property
    def shape_prior(self) -> Prior:
        """What outlines say of the slices between them."""
        return PRIORS.part(PRESETS[self.preset].prior if self.prior is None else self.prior)

    @property
    def pass_search(self) -> Search:
        """How passes search."""
        return SEARCHES.part(self.search)

    @property
    def fusion(self) -> Fusion:
        """How directions and axes become one."""
        return FUSIONS.part(self.fuse)

    def resolved(self) -> Config:
        """Return the same configuration with everything that the preset implies written out.

        Parts become texts, except those whose class is in no family: a text names no such part.
        """
        crop = self.crop or PRESETS[self.preset].crop
        margin_mm = MARGIN_MM if self.margin_mm is None and crop != "follow" else self.margin_mm
        return replace(
            self,
            crop=crop,
            margin_mm=margin_mm,
            prior=PRIORS.canonical(self.shape_prior),
            prompt_memory=PROMPT_MEMORIES.canonical(self.policy.prompts),
            memory=RECENT_MEMORIES.canonical(self.policy.recent),
            search=SEARCHES.canonical(self.search),
            fuse=FUSIONS.canonical(self.fuse),
            window=describe(parse_preprocess(self.window)),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the fields as plain values, parts as their texts."""
        texts: dict[str, Any] = {"axes": list(self.axes)}
        if self.prompt_memory is not None:
            texts["prompt_memory"] = PROMPT_MEMORIES.text(self.prompt_memory)
        if self.memory is not None:
            texts["memory"] = RECENT_MEMORIES.text(self.memory)
        if self.prior is not None:
            texts["prior"] = PRIORS.text(self.prior)
        texts["search"] = SEARCHES.text(self.search)
        texts["fuse"] = FUSIONS.text(self.fuse)
        return {**{one.name: getattr(self, one.name) for one in fields(self)}, **texts}


def _one_of(option: str, value: str, accepted: Any) -> None:
    if value not in accepted:
        raise OptionError(
            f"unknown {option}",
            received=value,
            accepted=", ".join(accepted),
            remedy=f"name one of them with --{option}",
        )
