"""Put a run's averaged weights where voxtrail looks: ``python -m training.export``.

Writes ``config.json`` and ``model.safetensors`` beside their place and renames them, so that a
reader sees the old checkpoint or the new one; then the model card anew from ``training/card.md``,
with the record of the run and its curve. The scores in it are `training.report`'s.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch
from transformers import Sam2VideoConfig, Sam2VideoModel

from training import state as states
from training.architecture import set_slice_size
from training.card import RUN_SECTION, TEMPLATE, run_text, write_card
from training.curve import draw_curve

BUNDLED = Path(__file__).parents[1] / "src/voxtrail/model/bundled/micro"
"""Folder of the bundled checkpoint."""

CURVE = "curve.png"
"""The picture of the run, beside the card."""

MAX_BYTES = 32_000_000
"""The file may not grow beyond this."""


def export(state_path: Path, folder: Path, image_size: int) -> Path:
    """Write the checkpoint of a saved state.

    Parameters
    ----------
    state_path
        ``state.pt`` or ``state-*.pt`` of a run.
    folder
        Where the checkpoint goes; made if it is missing.
    image_size
        Side in pixels that slices are resized to unless a user asks otherwise.

    Returns
    -------
    Path
        The weights file.

    Raises
    ------
    ValueError
        If the file would exceed `MAX_BYTES`, or doesn't load back whole.
    """
    state = states.load(state_path, torch.device("cpu"))
    model = states.averaged(state)
    set_slice_size(model, image_size)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as part:
        model.save_pretrained(part)
        check(Path(part))
        for name in ("model.safetensors", "config.json"):
            (Path(part) / name).chmod(0o644)
            (Path(part) / name).replace(folder / name)
    card = folder / "README.md"
    draw_curve(states.History.from_json(state["history"]), folder / CURVE)
    card.write_text(TEMPLATE.read_text())
    write_card(card, RUN_SECTION, run_text(state, CURVE))
    return folder / "model.safetensors"


def check(folder: Path) -> Sam2VideoModel:
    """Load a checkpoint and raise `ValueError` if anything about it is amiss."""
    size = (folder / "model.safetensors").stat().st_size
    if size > MAX_BYTES:
        raise ValueError(f"{folder}/model.safetensors has {size} bytes, allowed are {MAX_BYTES}")
    config = Sam2VideoConfig.from_pretrained(folder)
    model, report = Sam2VideoModel.from_pretrained(folder, config=config, output_loading_info=True)
    amiss = {k: v for k, v in report.items() if v}
    if amiss:
        raise ValueError(f"{folder} doesn't load whole: {amiss}")
    ours = model.prompt_encoder.shared_embedding.positional_embedding
    if not torch.equal(ours, model.shared_image_embedding.positional_embedding):
        raise ValueError(f"{folder}: the prompts' position matrix differs from the image's")
    return model


def main(arguments: list[str] | None = None) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("state", type=Path)
    parser.add_argument("--folder", type=Path, default=BUNDLED)
    parser.add_argument("--image-size", type=int, required=True)
    options = parser.parse_args(arguments)
    print(export(options.state, options.folder, options.image_size))


if __name__ == "__main__":
    main()
