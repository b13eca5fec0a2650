"""Other people's rules for SAM 2's memory, made for video, on volumes."""

from __future__ import annotations

from dataclasses import asdict, replace

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.methods import OURS_TRACKED
from voxtrail.study.plots import Bars, Series
from voxtrail.study.tasks.search_outlines import SearchOutlines
from voxtrail.study.tasks.track_outlines import TrackOutlines

#: Which tracked slices are attended to, by whose rule it is; SAM 2's own is the baseline.
MEMORIES = {
    "SAM 2": "recent:k=6",
    "IS": "intelligent",
    "SAM 3": "sam3",
    "SAMURAI": "samurai",
    "DAM4SAM": "dam4sam",
    "SurgSAM-2": "surgsam2",
    "SAM2Long": "samurai:iou=0.3",  # and several pathways
}
#: Which outlines are attended to, by what is added to a row's name.
PROMPTS = {"": "all", " + SPS": "near:tau=0.3"}
#: How outlines are heard as shape, likewise.
PRIORS = {"": "none", ", shape": "shape"}
OTHERS = tuple(name for name in MEMORIES if name not in ("SAM 2", "IS"))


def _task(name: str, prompts: str, prior: str) -> TrackOutlines:
    """Return the task of a row."""
    task = replace(OURS_TRACKED, prompt_memory=prompts, memory=MEMORIES[name], prior=prior)
    return SearchOutlines(**asdict(task)) if name == "SAM2Long" else task


EXPERIMENT = Experiment(
    name="memories",
    place="ours",
    hypothesis=(
        "what guards a video against occlusion helps little where nothing is ever hidden; rules "
        "that keep far slices hurt, because a structure's outline changes along the axis."
    ),
    paper_says="nothing: ours. All rows as `voxtrail segment` crops and ends; three outlines.",
    baseline="SAM 2",
    by_bone=True,
    timed=True,
    variants=tuple(
        Variant(
            f"{name}{sps}{shape}",
            _task(name, prompts, prior),
            f"SAM 2{shape}",
        )
        for shape, prior in PRIORS.items()
        for sps, prompts in PROMPTS.items()
        for name in MEMORIES
    ),
    claims=(
        *(
            Claim(f"{name}'s memory beats SAM 2's{sps}{shape}", f"{name}{sps}{shape}",
                  f"SAM 2{sps}{shape}")
            for shape in PRIORS
            for sps in PROMPTS
            for name in OTHERS
        ),
        *(
            Claim(f"IS + SPS beats {name} + SPS{shape}", f"IS + SPS{shape}", f"{name} + SPS{shape}")
            for shape in PRIORS
            for name in OTHERS
        ),
    ),
    plots=(
        Bars(
            "ours-memories",
            "Other people's memories, three outlines",
            ticks=tuple(MEMORIES),
            series=tuple(
                Series(f"{sps or ' alone'}{shape}".strip(" +"),
                       tuple(f"{name}{sps}{shape}" for name in MEMORIES))
                for shape in PRIORS
                for sps in PROMPTS
            ),
        ),
    ),
    recorded=Recorded(minutes=12.9, dice_phantoms=0.708, dice_cts=0.703),
)  # fmt: skip
