"""Help texts that are made from a family's members name all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from voxtrail.cli.main import app
from voxtrail.memory import PROMPT_MEMORIES, RECENT_MEMORIES


@pytest.mark.parametrize(
    ("option", "family"), [("memory", RECENT_MEMORIES), ("prompt_memory", PROMPT_MEMORIES)]
)
def test_help_names_every_policy(option, family) -> None:
    command = typer.main.get_command(app).commands["segment"]  # type: ignore[attr-defined]
    (text,) = (one.help for one in command.params if one.name == option)
    for usage in family.usages():
        assert usage in text


@pytest.mark.parametrize(
    ("option", "family"), [("memory", RECENT_MEMORIES), ("prompt-memory", PROMPT_MEMORIES)]
)
def test_the_readme_shows_every_policy_as_it_is_written(option, family) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = re.findall(rf"`--{option} ([^`]+)`", readme)
    assert {text.partition(":")[0] for text in shown} == set(family.members())
    for text in shown:
        family.parse(text)
