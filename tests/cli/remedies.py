"""Every advice in the source that names an option, and who follows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import voxtrail

#: An option in a text, and a text that is nothing else: a declaration.
_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]+")
_DECLARED = re.compile(r"--[a-z-]+(/--[a-z-]+)?")

#: What a refusal says besides its remedy, and what explains options.
_NO_ADVICE = ("what", "received", "accepted", "help")

#: By advice: the tests that follow it.
FOLLOWED: dict[str, list[str]] = {}


def follows(*advice: str) -> Callable:
    """Mark a test as one that does what some advice says; ``{}`` stands for what is filled in."""

    def mark(test):
        for one in advice:
            FOLLOWED.setdefault(one, []).append(test.__name__)
        return test

    return mark


def advice_in_source() -> dict[str, str]:
    """Return every text of the package that names an option to a user, and where it stands.

    Left out are docstrings, declarations of options with their help, and what a refusal says that
    it received and accepts.
    """
    found = {}
    root = Path(voxtrail.__file__).parent
    for path in sorted(root.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        left_out = _left_out(tree)
        for node in ast.walk(tree):
            if id(node) in left_out:
                continue
            text = _text(node)
            if text and _OPTION.search(text) and not _DECLARED.fullmatch(text.strip()):
                found[text] = f"{path.relative_to(root)}:{node.lineno}"
    return found


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return None


def _left_out(tree: ast.AST) -> set[int]:
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):  # a docstring
            skipped.add(id(node.value))
        if isinstance(node, ast.JoinedStr):  # its parts count together
            skipped |= {id(part) for part in node.values}
        if isinstance(node, ast.Call):
            parts = [word.value for word in node.keywords if word.arg in _NO_ADVICE]
            if isinstance(node.func, ast.Attribute) and node.func.attr in ("Option", "Argument"):
                parts.append(node)
            skipped |= {id(inner) for part in parts for inner in ast.walk(part)}
    return skipped
