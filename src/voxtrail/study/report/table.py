"""A table as text: cells for people, and a tidy form with every number for machines."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from voxtrail.study.report.statistics import Estimate


@dataclass(frozen=True)
class Table:
    """A table.

    Parameters
    ----------
    name
        Of its files, such as ``slicing``.
    title
        One line.
    notes
        Lines under the title; the first says which checkpoint the numbers are of.
    heads
        Column heads.
    rows
        Cells as text, as many as heads.
    tidy
        Every number behind it: one row a variant and measure, for CSV.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    tidy: tuple[dict[str, Any], ...] = field(repr=False)

    def to_markdown(self) -> str:
        """Return title, notes and cells as Markdown."""
        lines = [f"### {self.title}", "", *[f"*{note}*  " for note in self.notes], ""]
        lines.append(_pipes(self.heads))
        lines.append("|" + "---|" * len(self.heads))
        lines += [_pipes(row) for row in self.rows]
        return "\n".join(lines) + "\n"

    def to_html(self) -> str:
        """Return title, notes and cells as HTML."""
        notes = "".join(f"<p class=note>{html.escape(note)}</p>" for note in self.notes)
        heads = "".join(f"<th>{html.escape(head)}</th>" for head in self.heads)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n"
            for row in self.rows
        )
        return (
            f"<section id={self.name}><h3>{html.escape(self.title)}</h3>{notes}"
            f"<table><thead><tr>{heads}</tr></thead><tbody>\n{body}</tbody></table></section>\n"
        )

    def to_latex(self) -> str:
        """Return a ``table`` with booktabs rules, ready to be input."""
        columns = "l" + "r" * (len(self.heads) - 1)
        rows = "\n".join(" & ".join(map(_latex, row)) + r" \\" for row in self.rows)
        caption = _latex(". ".join([self.title, *(note.rstrip(".") for note in self.notes)]) + ".")
        return (
            "% needs \\usepackage{booktabs}\n"
            f"\\begin{{table}}\n\\caption{{{caption}}}\n\\label{{tab:{self.name}}}\n"
            f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n"
            f"{' & '.join(map(_latex, self.heads))} \\\\\n\\midrule\n{rows}\n"
            "\\bottomrule\n\\end{tabular}\n\\end{table}\n"
        )

    def to_csv(self) -> str:
        """Return the tidy form."""
        text = io.StringIO()
        heads = list(self.tidy[0]) if self.tidy else []
        writer = csv.DictWriter(text, heads, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.tidy)
        return text.getvalue()


def spread(found: Estimate, digits: int) -> str:
    """Return ``mean +- sd``, or a dash.

    Examples
    --------
    >>> spread(Estimate(3, 0, 2.0, 1.0, 1.2, 2.8), 1)
    '2.0 ± 1.0'
    """
    if found.mean is None:
        return "-"
    return f"{found.mean:.{digits}f}" + ("" if found.sd is None else f" ± {found.sd:.{digits}f}")


def interval(found: Estimate, digits: int, *, signed: bool = False) -> str:
    """Return ``mean [low, high]``, or a dash.

    Examples
    --------
    >>> interval(Estimate(3, 0, 2.0, 1.0, 1.2, 2.8), 1, signed=True)
    '+2.0 [+1.2, +2.8]'
    """
    if found.mean is None:
        return "-"
    form = f"{'+' if signed else ''}.{digits}f"
    if found.low is None or found.high is None:
        return format(found.mean, form)
    return f"{found.mean:{form}} [{found.low:{form}}, {found.high:{form}}]"


def p_text(p: float | None) -> str:
    """Return a p-value as a reader wants it.

    Examples
    --------
    >>> p_text(0.0004), p_text(0.031), p_text(None)
    ('<0.001', '0.031', '-')
    """
    if p is None:
        return "-"
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _latex(text: str) -> str:
    for plain, escaped in (
        ("\\", r"\textbackslash "), ("&", r"\&"), ("%", r"\%"), ("#", r"\#"), ("_", r"\_"),
        ("$", r"\$"), ("{", r"\{"), ("}", r"\}"), ("~", r"\textasciitilde{}"),
        ("±", r"$\pm$"), ("Δ", r"$\Delta$"), ("<", "$<$"), (">", "$>$"),
    ):  # fmt: skip
        text = text.replace(plain, escaped)
    return text
