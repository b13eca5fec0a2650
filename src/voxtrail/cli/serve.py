"""``voxtrail serve``: 3D Slicer, napari and ITK-SNAP segment with voxtrail."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voxtrail.cli.config_options import takes_config
from voxtrail.errors import OptionError

if TYPE_CHECKING:
    from voxtrail.serve.key import Key
    from voxtrail.session import Config

#: nnInteractive's own port, which its clients propose.
PORT = 1527
SHARE_OF_FREE = 0.5
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


@takes_config
def run(
    config: Config,
    host: Annotated[
        str, typer.Option(help="Where it listens; other machines reach it only with a key.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = PORT,
    api_key: Annotated[
        str | None,
        typer.Option(help="What clients have to show; other users of this machine may see it."),
    ] = None,
    api_key_file: Annotated[
        Path | None, typer.Option(help="A file that holds the key in its first line.")
    ] = None,
    max_sessions: Annotated[
        int, typer.Option(min=1, help="Clients at once; further ones are told to come later.")
    ] = 8,
    max_bytes: Annotated[
        str | None,
        typer.Option(
            metavar="BYTES",
            help="Memory for all clients' scans, such as 16G; half of what is free by default.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Let 3D Slicer, napari and ITK-SNAP outline slices and get the volume.

    Speaks nnInteractive 2.x and ITK-SNAP's dialect on one port; docs/clients.md says how to point
    each of them at it. Prints the address when it is ready; ends at Ctrl+C.
    """
    key = _key(api_key, api_key_file)
    room = _bytes(max_bytes)
    _needs_extra()

    from voxtrail.serve.listening import Server, address_of, bind
    from voxtrail.serve.model_worker import ModelWorker
    from voxtrail.serve.remote.app import make_app
    from voxtrail.serve.remote.budget import Budget
    from voxtrail.serve.remote.leases import Leases
    from voxtrail.serve.remote.long_reply import Patience
    from voxtrail.serve.remote.service import CACHE_BYTES, Service
    from voxtrail.session.loading import load_unseen

    if config.roi is not None:
        raise OptionError(
            "a region is of one scan",
            received=f"--roi {config.roi}",
            accepted="a server without one",
            remedy="draw a box over several slices in the client",
        )
    if room <= CACHE_BYTES:
        raise OptionError(
            "no scan would fit into the memory for clients",
            received=f"{max_bytes or 'half of what is free'}, {room} bytes",
            accepted=f"more than {CACHE_BYTES} bytes, which the caches of one client take",
            remedy="pass for example --max-bytes 16G",
        )
    bound = bind(host, port, key=key is not None)
    with bound:
        model = load_unseen(config, quiet=quiet)
        service = Service(
            model=model,
            config=replace(config, quality=False),
            leases=Leases(max_sessions, Budget(room)),
            worker=ModelWorker(),
            patience=Patience(),
            key=key,
        )
        address = address_of(bound)
        app = make_app(service, host, int(address.rpartition(":")[2]))

        # What is loaded by now stays: the collector need not look at it each time a client leaves.
        gc.freeze()

        def ready() -> None:
            sys.stdout.write(f"serving 3D Slicer, napari and ITK-SNAP at {address}\n")
            sys.stdout.flush()

        Server(app, bound, ready).run()


def _key(said: str | None, file: Path | None) -> Key | None:
    """Return the key that was given."""
    from voxtrail.serve.key import Key

    if file is not None:
        if said is not None:
            raise OptionError(
                "two keys are given",
                received="--api-key and --api-key-file",
                accepted="one of them",
                remedy="leave --api-key out",
            )
        try:
            said = file.read_text(encoding="utf-8").partition("\n")[0].strip()
        except (OSError, UnicodeDecodeError) as error:
            raise OptionError(
                "the key's file cannot be read",
                received=f"{file} ({type(error).__name__})",
                accepted="a text file with the key in its first line",
                remedy="correct the path or its permissions",
            ) from error
    if said is None:
        return None
    if not said or not said.isascii() or not said.isprintable() or " " in said:
        raise OptionError(
            "the key cannot be sent in a header",
            received="an empty one" if not said else "one with other characters",
            accepted="printable ASCII characters without spaces",
            remedy="make one, for example with: openssl rand -hex 32",
        )
    return Key(said)


def _bytes(said: str | None) -> int:
    """Return how much memory clients' scans may take."""
    from voxtrail.io.free_memory import available_bytes

    if said is None:
        free = available_bytes()
        return int(SHARE_OF_FREE * (2**33 if free is None else free))
    text = said.strip().upper().removesuffix("B").removesuffix("I")
    unit = UNITS.get(text[-1:], 1)
    number = text[:-1] if text[-1:] in UNITS else text
    if not number.isascii() or not number.isdigit() or not 0 < int(number) * unit < 2**60:
        raise OptionError(
            "the memory for clients is no number of bytes",
            received=said,
            accepted="a whole number, with K, M, G or T if you like",
            remedy="pass for example --max-bytes 16G",
        )
    return int(number) * unit


def _needs_extra() -> None:
    """Refuse to go on where what `voxtrail serve` needs is not installed."""
    missing = [
        name for name in ("fastapi", "uvicorn", "blosc2", "multipart") if find_spec(name) is None
    ]
    if missing:
        raise OptionError(
            "what voxtrail serve needs is not installed",
            received=f"no {', '.join(missing)}",
            accepted="an installation with the extra serve",
            remedy="pip install 'voxtrail[serve]'",
        )
