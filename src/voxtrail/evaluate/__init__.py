"""One case against its truth: prompts drawn from the truth, and scores of what became of them."""

from __future__ import annotations

from voxtrail.evaluate.prompt_slices import PROMPT_SLICES, PromptSlices, parse_prompt_slices
from voxtrail.evaluate.score import Evaluation, ScoreTable, evaluate
from voxtrail.evaluate.simulate import simulate

__all__ = [
    "PROMPT_SLICES",
    "Evaluation",
    "PromptSlices",
    "ScoreTable",
    "evaluate",
    "parse_prompt_slices",
    "simulate",
]
