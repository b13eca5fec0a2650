"""Families of interchangeable parts, each a frozen dataclass in a file of its own.

A part is named by its class variable ``name`` and configured by its fields. Adding one is adding
its file: the command line, the study's grids and the family's contract tests find it here. Another
package adds one through an entry point whose group is the family's package, such as
``voxtrail.memory.recent``, and whose value is the part's class; the entry point's own name does
not matter.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sys
from dataclasses import fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from voxtrail.errors import OptionError

Part = TypeVar("Part")


class Family(Generic[Part]):
    """The parts of one kind that live in one package.

    Parameters
    ----------
    package
        Dotted name of the package whose modules hold the parts, and the group of the entry points
        through which other packages bring theirs.
    base
        The class that every part derives from.
    kind
        What one is called in messages, such as ``"recent-slice memory"``.
    """

    def __init__(self, package: str, base: type[Part], kind: str) -> None:
        self._package = package
        self._base = base
        self._kind = kind

    def members(self) -> dict[str, type[Part]]:
        """Return the parts' classes by name, sorted by name.

        Raises
        ------
        OptionError
            If a part of another package cannot be loaded, or has the name of one that is there.
        """
        found = self._own()
        for entry in _entry_points(self._package, tuple(sys.path)):
            part = self._load(entry)
            name: str = vars(part)["name"]
            if found.setdefault(name, part) is not part:
                raise OptionError(
                    f"two parts of the {self._kind} have the same name, {name}",
                    received=f"{_place(found[name])} and {_brought(entry)}",
                    accepted="a name of its own for each",
                    remedy="rename the second one, or uninstall its package",
                )
        return dict(sorted(found.items()))

    def _own(self) -> dict[str, type[Part]]:
        package = importlib.import_module(self._package)
        found: dict[str, type[Part]] = {}
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{self._package}.{module.name}")
            for value in vars(loaded).values():
                if (
                    isinstance(value, type)
                    and issubclass(value, self._base)
                    and value.__module__ == loaded.__name__
                    and isinstance(vars(value).get("name"), str)
                ):
                    found[vars(value)["name"]] = value
        return found

    def _load(self, entry: EntryPoint) -> type[Part]:
        """Return the class that an entry point stands for."""
        try:
            part = entry.load()
        except Exception as error:
            # whatever a stranger's module raises when it is imported
            raise self._unusable(entry, f"{type(error).__name__}: {error}") from error
        if isinstance(part, type) and issubclass(part, self._base):
            derived: type[Part] = part
            if _is_part(part):
                return derived
        raise self._unusable(entry, repr(part))

    def _unusable(self, entry: EntryPoint, received: str) -> OptionError:
        return OptionError(
            f"the {self._kind} {_brought(entry)} cannot be used",
            received=received,
            accepted=_part_of(self._base),
            remedy="mend or uninstall that package",
        )

    def parse(self, spec: str) -> Part:
        """Build the part that ``spec`` names, such as ``"recent:k=3"``.

        Raises
        ------
        OptionError
            If no part or option has that name, or a value does not fit; lists the valid ones.
        """
        name, _, rest = spec.strip().partition(":")
        members = self.members()
        if name not in members:
            raise OptionError(
                f"unknown {self._kind}",
                received=spec,
                accepted=", ".join(self.usages()),
                remedy="name one of them",
            )
        part = members[name]
        hints = get_type_hints(part)
        options = {field.name: hints[field.name] for field in fields(part)}  # type: ignore[arg-type]
        given: dict[str, Any] = {}
        for item in filter(None, rest.split(",")):
            key, separator, text = item.partition("=")
            if not separator or key not in options or key in given:
                raise OptionError(
                    f"unknown or repeated option of the {self._kind} {name}",
                    received=item,
                    accepted=self.usage(name),
                    remedy="write NAME:OPTION=VALUE",
                )
            given[key] = self._value(options[key], text, spec, name)
        return part(**given)

    def part(self, given: str | Part) -> Part:
        """Return a part that is named by its text, or given as it is.

        Raises
        ------
        OptionError
            As `parse`, or if it is neither a text nor such a part.
        """
        if isinstance(given, str):
            return self.parse(given)
        if isinstance(given, self._base) and _is_part(type(given)):
            return given
        raise OptionError(
            f"this is no {self._kind}",
            received=repr(given),
            accepted=f"a text such as {self.usages()[0]}, or an object of {_part_of(self._base)}",
            remedy="derive its class from that one",
        )

    def canonical(self, given: str | Part) -> str | Part:
        """Return the text of a part, or the part itself where its class is none of the family's."""
        part = self.part(given)
        if type(part) not in self.members().values():
            return part
        return self.spec(self.parse(self.spec(part)))  # a 5 that is given for a 5.0 becomes one

    def text(self, given: str | Part) -> str:
        """Return a part's text, and a text as it is."""
        return given if isinstance(given, str) else self.spec(given)

    def spec(self, part: Part) -> str:
        """Return the text from which `parse` builds ``part`` again."""
        options = ",".join(
            f"{field.name}={getattr(part, field.name)}"
            for field in fields(part)  # type: ignore[arg-type]
        )
        name: str = vars(type(part))["name"]
        return f"{name}:{options}" if options else name

    def usage(self, name: str) -> str:
        """Return how the part called ``name`` is written, with its defaults."""
        part = self.members()[name]
        options = ",".join(
            f"{field.name}={field.default}"
            for field in fields(part)  # type: ignore[arg-type]
        )
        return f"{name}:{options}" if options else name

    def usages(self) -> list[str]:
        """Return how every part is written."""
        return [self.usage(name) for name in self.members()]

    def _value(self, kind: Any, text: str, spec: str, name: str) -> Any:
        try:
            if kind is bool:
                return {"true": True, "false": False}[text.lower()]
            if get_origin(kind) is Literal:
                return {str(choice): choice for choice in get_args(kind)}[text]
            return kind(text)
        except (ValueError, KeyError, TypeError):
            raise OptionError(
                f"a value that the {self._kind} {name} cannot take",
                received=spec,
                accepted=self.usage(name),
                remedy="give a value of the same type",
            ) from None


@functools.lru_cache(maxsize=32)
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Return what installed packages name in a group; asked once for each search path."""
    del path  # entry_points itself looks at sys.path
    return tuple(entry_points(group=group))


def _is_part(kind: type) -> bool:
    return is_dataclass(kind) and isinstance(vars(kind).get("name"), str)


def _part_of(base: type) -> str:
    return f"a frozen dataclass derived from {_place(base)}, with a class variable called name"


def _place(part: type) -> str:
    return f"{part.__module__}.{part.__qualname__}"


def _brought(entry: EntryPoint) -> str:
    """Return what an entry point names, and the package that brought it."""
    return f"{entry.value} of {entry.dist.name if entry.dist else 'an unknown package'}"
