"""Help texts that are made from a family's members name all of them."""

from __future__ import annotations

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
