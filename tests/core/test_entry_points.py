"""Parts that another package brings: found by their entry points, refused where they do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from voxtrail.cli.usages import usages
from voxtrail.errors import OptionError
from voxtrail.memory import RECENT_MEMORIES, Attended, Entry, Query, parse_policy

POLICY = '''
from dataclasses import dataclass
from typing import ClassVar

from voxtrail.memory import Attended, RecentMemory


@dataclass(frozen=True)
class LastOne(RecentMemory):
    """The slice just passed."""

    name: ClassVar[str] = "{name}"
    embedding: int = 0

    def select(self, query, tracked):
        last = query.back(1)
        return (Attended(last, self.embedding),) if last in tracked else ()

    def retain(self, query, tracked):
        return frozenset(tracked) & {{query.back(1)}}
'''


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what puts a distribution with one module on the search path."""

    def put(module: str, source: str, value: str, group: str = "voxtrail.memory.recent") -> None:
        place = tmp_path / module
        info = place / f"{module}-1.0.dist-info"
        info.mkdir(parents=True)
        (place / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{group}]\nany = {module}:{value}\n")
        monkeypatch.syspath_prepend(str(place))

    return put


def test_a_policy_of_another_package_is_one_of_the_family(install) -> None:
    install("acme_last", POLICY.format(name="last-one"), "LastOne")
    assert "last-one:embedding=0" in RECENT_MEMORIES.usages()
    assert "last-one:embedding=0" in usages(RECENT_MEMORIES)
    policy = parse_policy("all", "last-one:embedding=5")
    assert RECENT_MEMORIES.spec(policy.recent) == "last-one:embedding=5"
    tracked = {i: Entry(i, prompted=False) for i in (3, 4)}
    assert policy.recent.select(Query(5, 1, 9), tracked) == (Attended(4, 5),)


def test_it_is_gone_when_its_package_is() -> None:
    assert "last-one" not in RECENT_MEMORIES.members()


def test_the_same_name_twice_is_refused(install) -> None:
    install("acme_recent", POLICY.format(name="recent"), "LastOne")
    with pytest.raises(OptionError, match="the same name, recent") as caught:
        RECENT_MEMORIES.parse("intelligent")
    assert "voxtrail.memory.recent.recent.Recent" in caught.value.received
    assert "acme_recent:LastOne of acme_recent" in caught.value.received
    assert "same name" in usages(RECENT_MEMORIES)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('half installed')", "RuntimeError: half installed"),
        ("Other = 3", "AttributeError"),
        ("class LastOne: name = 'last-one'", "LastOne"),
        ("LastOne = 3", "3"),
    ],
)
def test_what_cannot_be_used_is_named(install, source: str, said: str, request) -> None:
    module = f"acme_broken_{abs(hash(source))}"
    install(module, source, "LastOne")
    with pytest.raises(OptionError, match=f"{module}:LastOne of {module} cannot be used") as caught:
        RECENT_MEMORIES.members()
    assert said in caught.value.received
    assert "voxtrail.memory.base.RecentMemory" in caught.value.accepted
