"""An annotator who outlines one slice after another, where a rule says."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from voxtrail.core.axis import Axis
from voxtrail.core.prompts import MaskPrompt
from voxtrail.evaluate import simulate
from voxtrail.preprocess import roi_text
from voxtrail.session import Config, Segmentation, Session
from voxtrail.session.suggestions import Known
from voxtrail.session.suggestions.expected_gain import ExpectedGain
from voxtrail.study.target import LABEL, Target
from voxtrail.study.task_context import TaskContext
from voxtrail.study.tasks.base import Measurements, Task
from voxtrail.study.tasks.outlines import past_ends, picture, scores

AXIS = Axis.AXIAL
#: Choices that no rule makes: spaced anew each time, any slice, and with the truth at hand.
UNIFORM, RANDOM, ORACLE = "uniform", "random", "oracle"


@dataclass(frozen=True)
class SuggestOutlines(Task):
    """Outline axial slices of a structure one by one, as suggested, and segment it.

    Parameters
    ----------
    rule
        A suggestion rule, such as ``expected-gain``; or ``uniform`` (evenly spaced, which cannot be
        had by adding), ``random``, or ``oracle`` (what ``expected-gain`` would say if it knew what
        is wrong on each slice).
    start
        What is outlined first, as ``voxtrail simulate --slices``.
    outlines
        How many slices are outlined in the end.
    """

    kind: ClassVar[str] = "suggest"
    rule: str = "expected-gain"
    start: str = "first-middle-last"
    outlines: int = 5

    def run(self, target: Target | None, context: TaskContext) -> Measurements:
        """Play the annotator, score the result; see `Task.run`."""
        assert target is not None
        loaded = context.model(None, None)
        config = Config(
            model=loaded.name,
            roi=roi_text(target.crop, target.volume.stored),
            resolution=loaded.model.input_size,
            device=context.settings.device,
            quality=False,
        )
        # A rule's first outlines are the same with every budget.
        cache = context.cache(loaded, predictions=True)
        started = time.perf_counter()
        session = Session(target.volume, config, model=loaded, cache=cache)
        *_, result = annotate(session, target, self.rule, self.start, self.outlines)
        spent = time.perf_counter() - started
        prompts = session.prompts
        past_first, past_last = past_ends(result.labels, target)
        return Measurements(
            model=context.name_of(loaded),
            weights_sha256=loaded.sha256,
            input_size=loaded.model.input_size,
            device=loaded.model.device,
            config=json.dumps({**config.resolved().to_json(), "model": context.name_of(loaded)}),
            scores=scores(result.labels, target, prompts),
            crop_slices=target.crop.shape[2],
            prompts=len(prompts.prompts),
            past_first=past_first,
            past_last=past_last,
            spent_s=spent,
            picture=picture(result.labels, target, prompts),
        )


def annotate(
    session: Session, target: Target, rule: str, start: str, outlines: int
) -> Iterator[Segmentation]:
    """Outline one slice after another; yields what is found with each number of outlines.

    From a single outline both ends that are suggested are drawn before anything is run again, as a
    person would who was told both.
    """
    truth = AXIS.to_stack(target.truth.voxels > 0)
    if rule == UNIFORM:
        slices = f"uniform:{outlines}" if outlines > 3 else start
        session.load(simulate(target.truth, slices))
        yield session.run()
        return
    session.load(simulate(target.truth, start))
    seed = f"{target.item.case}/{target.item.structure}/{start}"
    rng = np.random.default_rng(list(seed.encode()))
    result = session.run()
    yield result
    while (drawn := len(session.prompts.prompts)) < outlines:
        wanted = 2 if drawn == 1 else 1
        chosen = _chosen(session, result, truth, rule, rng)[:wanted]
        if not chosen:
            return
        for index in chosen:
            session.add(MaskPrompt(LABEL, AXIS, index, truth[index].copy()))
        result = session.run()
        yield result


def _chosen(
    session: Session,
    result: Segmentation,
    truth: NDArray[np.bool_],
    rule: str,
    rng: np.random.Generator,
) -> list[int]:
    """Return slices (RAS+ numbers) in the order in which they are to be outlined."""
    if rule not in (RANDOM, ORACLE) or len(session.prompts.prompts) == 1:
        by = "expected-gain" if rule in (RANDOM, ORACLE) else rule
        return [one.slice_index for one in session.suggest(2, by)]
    drawn = sorted(prompt.slice_index for prompt in session.prompts.prompts)
    free = [index for index in range(drawn[0], drawn[-1]) if index not in drawn]
    if not free:
        return []
    if rule == RANDOM:
        return [int(rng.choice(free))]
    wrong = (AXIS.to_stack(result.mask(LABEL)) ^ truth).sum(axis=(1, 2)).astype(np.float64)
    known = Known(tuple(drawn), wrong, np.zeros_like(wrong), np.full_like(wrong, np.nan), 1.0)
    gained = ExpectedGain(weight="area").scores(known)
    return [max(free, key=lambda index: float(gained[index]))]
