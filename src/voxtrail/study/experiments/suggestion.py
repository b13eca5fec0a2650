"""Which slice to outline next: rules against one another, as outlines are added."""

from __future__ import annotations

from voxtrail.study.experiment import Claim, Experiment, Recorded, Variant
from voxtrail.study.plots import Lines, Series
from voxtrail.study.tasks.suggest_outlines import ORACLE, RANDOM, UNIFORM, SuggestOutlines

BUDGETS = (3, 5, 7, 9)
STARTS = {"first-middle-last": "three", "middle": "one"}
#: By the name in tables.
RULES = {
    "largest gap": "largest-gap",
    "expected gain": "expected-gain",
    "lowest IoU": "lowest-iou",
    "evenly spaced": UNIFORM,
    "random": RANDOM,
    "oracle": ORACLE,
}
#: What the rule that is the default is held against, as findings say it.
OTHERS = {"largest gap": "those of the largest gap", "evenly spaced": "evenly spaced ones"}


def _name(rule: str, start: str, count: int) -> str:
    return f"{count} from {STARTS[start]}: {rule}"


EXPERIMENT = Experiment(
    name="suggestion",
    place="ours",
    hypothesis="outlines where most is expected to be wrong mend more than evenly spaced ones.",
    paper_says="nothing: ours.",
    baseline=_name("largest gap", "first-middle-last", 3),
    variants=tuple(
        Variant(
            _name(rule, start, count),
            SuggestOutlines(by, start, count),
            _name("largest gap", start, count),
        )
        for start in STARTS
        for count in BUDGETS
        for rule, by in RULES.items()
        # From one middle outline, evenly spaced ones would know the ends.
        if not (start == "middle" and by == UNIFORM)
    ),
    claims=tuple(
        Claim(
            f"{count} outlines by expected gain beat {words}",
            _name("expected gain", "first-middle-last", count),
            _name(rule, "first-middle-last", count),
        )
        for count in BUDGETS[1:]
        for rule, words in OTHERS.items()
    ),
    plots=tuple(
        Lines(
            f"ours-suggestion-{words}",
            f"Outlined slices against Dice, from {words} outline{'s' if words == 'three' else ''}",
            xlabel="outlined slices",
            series=tuple(
                Series(rule, tuple(_name(rule, start, n) for n in BUDGETS), "dice", BUDGETS)
                for rule in RULES
                if not (start == "middle" and RULES[rule] == UNIFORM)
            ),
            ylabel="Dice",
        )
        for start, words in STARTS.items()
    ),
    recorded=Recorded(minutes=13.4, dice_phantoms=0.746, dice_cts=0.796),
)
