"""The ``voxtrail`` command: one module a command, each importing what it needs when it runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from voxtrail import __version__
from voxtrail.cli import (
    annotate,
    bench,
    dataset,
    demo,
    evaluate,
    export,
    models,
    phantom,
    segment,
    serve,
    simulate,
    study,
    suggest,
)
from voxtrail.errors import InputError, VoxtrailError

DONE, FAILED, REFUSED, INTERRUPTED = 0, 1, 2, 130

#: What typer raises for unknown options and the like. It brings its own copy of click in some
#: releases and uses the installed one in others, so the class is found through a public one.
UsageErrors: type[Exception] = next(
    parent for parent in typer.BadParameter.__mro__ if parent.__name__ == "ClickException"
)

app = typer.Typer(
    name="voxtrail",
    help="Outline a structure on a few slices of a CT; a frozen SAM 2 carries it through the "
    "volume. Research use only: not a medical device.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"voxtrail {__version__}\n")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="The version.")
    ] = False,
) -> None:
    # takes the options that stand before a command
    pass


app.command("segment")(segment.run)
app.command("suggest")(suggest.run)
app.command("annotate")(annotate.run)
app.command("serve")(serve.run)
app.command("simulate")(simulate.run)
app.command("evaluate")(evaluate.run)
app.command("demo")(demo.run)
app.command("models")(models.run)
app.command("export")(export.run)
app.command("bench")(bench.run)
app.command("phantom")(phantom.run)
app.add_typer(dataset.app, name="dataset")
app.add_typer(study.app, name="study")


def main() -> None:
    """Run the command line: exit 0 done, 2 the request is wrong, 1 the work failed."""
    sys.exit(_run(sys.argv[1:] or ["--help"]))


def _run(arguments: list[str]) -> int:
    try:
        code = app(arguments, standalone_mode=False)
    except InputError as error:
        sys.stderr.write(f"error: {error}\n")
        return REFUSED
    except UsageErrors as error:
        # a class of click's: it formats itself
        message = getattr(error, "format_message", error.__str__)()
        sys.stderr.write(f"error: {' '.join(message.split())}; see 'voxtrail --help'\n")
        return REFUSED
    except (VoxtrailError, MemoryError) as error:
        sys.stderr.write(f"error: the work failed: {str(error) or type(error).__name__}\n")
        return FAILED
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    if code == INTERRUPTED:  # which typer itself returns
        sys.stderr.write("interrupted; no file is half written\n")
    return code if isinstance(code, int) else DONE
