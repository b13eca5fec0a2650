"""A study's folder in, a folder with the report out: HTML, Markdown, CSV, LaTeX, SVG and PNG."""

from __future__ import annotations

import base64
import html
import os
import re
from pathlib import Path
from typing import Any

from voxtrail.errors import OutputError
from voxtrail.io import replacing
from voxtrail.study.folder import make_folder
from voxtrail.study.pictures import Pictures
from voxtrail.study.record import NO_STRUCTURE, Records, parquet
from voxtrail.study.report.figures import figures, to_png, to_svg
from voxtrail.study.report.findings import findings
from voxtrail.study.report.results import Results
from voxtrail.study.report.sheets import sheets
from voxtrail.study.report.table import Table
from voxtrail.study.report.tables import tables
from voxtrail.study.study_file import read_study

HTML, MARKDOWN = "report.html", "report.md"
STYLE = """
body { font: 14px/1.5 system-ui, sans-serif; max-width: 1280px; margin: 2em auto; padding: 0 1em;
  color: #222; background: #fff }
table { border-collapse: collapse; font-size: 12px; display: block; overflow-x: auto }
th, td { padding: 3px 8px; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
thead th { border-bottom: 2px solid #666 }
.warning { background: #fff3cd; border: 1px solid #d39e00; padding: .6em 1em; font-weight: 600 }
.note { font-size: 12px; color: #555; margin: .2em 0 }
section { margin: 2.5em 0 } figure { display: inline-block; margin: 0 1em 1em 0; max-width: 620px }
figure svg { width: 100%; height: auto } img { max-width: 100% }
"""


def build(folder: Path, output: Path, force: bool = False) -> Path:
    """Write the report of a study; return its HTML page.

    Parameters
    ----------
    folder
        Of the study.
    output
        Where the report goes; made if need be.
    force
        Whether an earlier report may be replaced.

    Raises
    ------
    InputError
        If the folder holds no study or no records.
    OutputError
        If the report cannot be written.
    """
    study = read_study(folder)
    results = Results(Records(folder).frame(), study)
    if os.path.exists(output / HTML) and not force:
        raise OutputError(
            "there is a report already",
            received=output,
            accepted="a folder without one",
            remedy="choose another with -o, or replace it with --force",
        )
    _write(_files(study, results, Pictures(folder)), output)
    return output / HTML


def _files(study: dict[str, Any], results: Results, pictures: Pictures) -> dict[str, str | bytes]:
    """Return the report's files by their places in its folder."""
    made = [findings(results), *tables(results)]
    drawn = figures(results)
    vector = {name: to_svg(figure) for name, figure in drawn.items()}
    shown = sheets(results, pictures)
    account = _account(study, results)
    files: dict[str, str | bytes] = {}
    for table in made:
        files[f"tables/{table.name}.csv"] = table.to_csv()
        files[f"tables/{table.name}.tex"] = table.to_latex()
    for name, figure in drawn.items():
        files[f"figures/{name}.svg"] = vector[name]
        files[f"figures/{name}.png"] = to_png(figure)
    for name, png in shown.items():
        files[f"sheets/{name}.png"] = png
    files["records.parquet"] = parquet(results.frame)
    files[MARKDOWN] = _markdown(made, list(drawn), list(shown), account, results)
    files[HTML] = _html(made, vector, shown, account, results)
    return files


def _write(files: dict[str, str | bytes], output: Path) -> None:
    """Write a report's files, each whole or not at all, the page last."""
    for name, content in files.items():
        make_folder((output / name).parent)
        with replacing(output / name, force=True) as place:
            if isinstance(content, bytes):
                place.write_bytes(content)
            else:
                place.write_text(content, encoding="utf-8")


def _account(study: dict[str, Any], results: Results) -> list[str]:
    """Return lines that say what made the numbers."""
    what, runs = study["study"], study["runs"]
    cases = results.frame.loc[results.frame.case != NO_STRUCTURE, ["case", "structure"]]
    cases = cases.drop_duplicates()
    counts = results.frame.status.value_counts()
    lines = [
        f"Manifest {what['manifest']}: {what['structures']} structures, {len(cases)} with records",
        f"Model {what['model']}, SHA-256 {what['weights_sha256']}, input {what['input_size']} "
        f"pixels, margin {what['margin_mm']:g} mm, passes to the ends of the crop",
        "Rows: " + ", ".join(f"{count} {status}" for status, count in counts.items()),
    ]
    for key in ("machine", "versions", "device"):
        seen = []
        for run in runs:
            text = _flat(run[key])
            if text not in seen:
                seen.append(text)
        lines.append(f"{key.capitalize()}: {'; or '.join(seen)}")
    spent = results.frame.drop_duplicates(["case", "structure", "task"]).spent_s.sum()
    lines.append(
        f"{len(runs)} runs from {runs[0]['started']} to {results.frame.finished.max()}; "
        f"{spent / 60:.0f} min in tasks, scoring not counted"
    )
    return lines


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items() if item is not None)
    return str(value)


def _markdown(
    made: list[Table], drawn: list[str], shown: list[str], account: list[str], results: Results
) -> str:
    lines = ["# Study report", "", f"**{results.warning()}**", ""]
    lines += [f"- {line}" for line in account] + [""]
    for table in made:
        lines += [table.to_markdown(), f"[CSV](tables/{table.name}.csv), "
                  f"[LaTeX](tables/{table.name}.tex)", ""]  # fmt: skip
    lines += ["## Figures", ""] + [f"![{name}](figures/{name}.png)\n" for name in drawn]
    lines += ["## Cases", ""] + [f"![{name}](sheets/{name}.png)\n" for name in shown]
    return "\n".join(lines)


def _html(
    made: list[Table],
    vector: dict[str, str],
    shown: dict[str, bytes],
    account: list[str],
    results: Results,
) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in account)
    links = " · ".join(f"<a href=#{table.name}>{table.name}</a>" for table in made)
    drawings = "".join(f"<figure>{_inline(name, svg)}</figure>" for name, svg in vector.items())
    pictures = "".join(
        f'<p><img alt="{name} cases" src="data:image/png;base64,'
        f'{base64.b64encode(png).decode()}"></p>'
        for name, png in shown.items()
    )
    return (
        "<!doctype html>\n<html lang=en><meta charset=utf-8><title>voxtrail study</title>"
        f"<style>{STYLE}</style>\n<h1>Study report</h1>"
        f"<p class=warning>{html.escape(results.warning())}</p>"
        f"<ul>{items}</ul><p>{links}</p>\n"
        + "".join(table.to_html() for table in made)
        + f"<h2>Figures</h2>{drawings}\n<h2>Cases</h2>{pictures}</html>\n"
    )


def _inline(name: str, svg: str) -> str:
    """Return an SVG without its prologue, its ids made this figure's own."""
    body = svg[svg.index("<svg") :]
    return re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", body)
