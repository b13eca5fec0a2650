"""The options of `voxtrail.Config` on the command line, for every command that segments.

All but the axes, which a command may take from what was drawn.

Here are their types and help texts; their defaults are those of `Config`, which is not imported
before a command runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_type_hints

import typer

from voxtrail.cli.usages import usages
from voxtrail.fuse.priors import PRIORS
from voxtrail.memory import PROMPT_MEMORIES, RECENT_MEMORIES

if TYPE_CHECKING:
    from voxtrail.session import Config


def _option(kind: type, help_text: str, *names: str) -> Any:
    """Return the annotation of an option; None takes the default of the field of `Config`."""
    return Annotated[kind | None, typer.Option(*names, help=help_text)]


#: By the name of the field of `Config`.
OPTIONS: dict[str, Any] = {
    "model": _option(
        str,
        "small, tiny, base-plus, large (SAM 2.1), the same with -2.0, micro (bundled), "
        "a Hugging Face id, a folder or a .pt file.",
    ),
    "preset": _option(
        str,
        "is+sps+shape, or the paper's: is+sps, baseline, sps, is.",
    ),
    "prompt_memory": _option(
        str,
        f"Prompted slices attended to: {usages(PROMPT_MEMORIES)}.",
    ),
    "memory": _option(
        str,
        f"Tracked slices attended to: {usages(RECENT_MEMORIES)}.",
    ),
    "prior": _option(
        str,
        f"What outlines say of the slices between them: {usages(PRIORS)}.",
    ),
    "search": _option(
        str,
        "How passes search: single, or pathways:n=3,spread=0.05, which leave open for a while "
        "which of several masks a slice has.",
    ),
    "direction": _option(
        str,
        "forward, or both ways.",
    ),
    "extent": _option(
        str,
        "Stop at the outermost prompts (default with two or more), where the object "
        "is gone (default with one), or at the scan's ends: prompts, object, all.",
    ),
    "window": _option(
        str,
        "bone, soft, lung, brain, LEVEL,WIDTH in HU, none, clahe; +clahe follows a window.",
    ),
    "crop": _option(
        str,
        "A crop that follows each label, one that stays, one around all labels, or none: "
        "follow (default of is+sps+shape), label, all, none.",
    ),
    "roi": _option(
        str,
        "x0:x1,y0:y1,z0:z1 in stored voxels; nothing leaves it.",
    ),
    "margin_mm": _option(
        float,
        "mm left around what was drawn: 20, or what fits the section where the crop follows.",
        "--margin",
    ),
    "resolution": _option(
        str,
        "Side of the model's input in pixels, or auto: four a voxel of the crop, 256 to "
        "1024; the checkpoint's own by default.",
    ),
    "fuse": _option(
        str,
        "How passes become one: mean-logit, mean-probability.",
    ),
    "overlap": _option(
        str,
        "Labels compete for a voxel, or are kept apart (one more file each).",
    ),
    "quality": _option(
        bool,
        "Leave out each inner outline in turn, to tell what Dice is to be expected.",
        "--quality/--no-quality",
    ),
    "device": _option(
        str,
        "auto, cpu, cuda or mps.",
    ),
    "runtime": _option(
        str,
        "What runs the model: torch; openvino or onnx, if exported; auto takes the fastest, "
        "and exports by itself for a run of many slices.",
    ),
    "precision": _option(
        str,
        "Of matrix products: float32; bfloat16 or int8 (x86, PyTorch only): faster, coarser.",
    ),
    "coarse_memories": _option(
        bool,
        "Remember at half the resolution: faster.",
        "--coarse-memories",
    ),
    "compiled": _option(
        bool,
        "Let PyTorch compile the model: minutes once.",
        "--compile",
    ),
}


def takes_config(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those options in place of its parameter ``config``, a `Config`."""

    def with_options(**given: Any) -> None:
        options = {name: given.pop(name) for name in OPTIONS}
        command(config=config_of(options), **given)

    # The class is known to type checkers only.
    hints = get_type_hints(command, localns={"Config": object}, include_extras=True)
    hints.pop("config")
    own = [
        one.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
        for name, one in inspect.signature(command).parameters.items()
        if name != "config"
    ]
    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in OPTIONS.items()
    ]
    # What typer reads of a command: its text, its parameters and their types.
    with_options.__doc__ = command.__doc__
    with_options.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    with_options.__annotations__ = {**hints, **OPTIONS}
    return with_options


def config_of(options: dict[str, Any]) -> Config:
    """Return the configuration that some options make.

    Raises
    ------
    OptionError
        If a value is none of those accepted; the message lists them.
    """
    from voxtrail.session import Config

    given = {name: value for name, value in options.items() if value is not None}
    if "resolution" in given:
        given["resolution"] = _resolution(given["resolution"])
    return Config(**given)


def _resolution(text: str) -> int | Literal["auto"]:
    from voxtrail.errors import OptionError

    if text == "auto":
        return "auto"
    try:
        return int(text)
    except ValueError:
        raise OptionError(
            "the resolution is no number",
            received=text,
            accepted="a multiple of 32 from 64 to 2048, or auto",
            remedy="pass for example --resolution 512",
        ) from None
