"""A session on disk: everything that was drawn, with its history, in one JSON file.

::

    {"format": "voxtrail-session/1",
     "scan": {"shape": [...], "affine": [...], "voxels": "their digest"},
     "config": {...},
     "prompts": [...],          each once, as in voxtrail-prompts/1
     "states": [{"prompts": [0, 1], "labels": {"1": "hip"}, "accepted": [[1, "axial", 41]],
                 "imported": {"1": 1}}],
     "at": 3,                   which state holds
     "crops": [...],
     "looks": {"1": {"colour": "#ff4d4d", "visible": true, "locked": false}}}

The file is replaced whole at each change, so that a crash at any moment loses nothing that was
confirmed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtrail.core.axis import Axis
from voxtrail.core.digest import voxels_digest
from voxtrail.core.prompts import Prompt
from voxtrail.core.slice_frame import SliceFrame
from voxtrail.core.volume import Volume
from voxtrail.errors import SessionError
from voxtrail.io.atomic import replacing
from voxtrail.io.prompts import entry as prompt_entry
from voxtrail.session.config import Config
from voxtrail.session.crops import Crop
from voxtrail.session.look import Look
from voxtrail.session.state import History, Place, State

FORMAT = "voxtrail-session/1"
#: A larger file is refused: it is no session that a person has drawn.
MAX_BYTES = 512 * 2**20


@dataclass(frozen=True, eq=False)
class Saved:
    """What a file holds.

    Parameters
    ----------
    config
        How the session segments.
    history
        What was drawn.
    crops
        Where labels were segmented.
    looks
        How labels are shown.
    """

    config: Config
    history: History
    crops: tuple[Crop, ...]
    looks: Mapping[int, Look]


class SessionFile:
    """The file of one session.

    Parameters
    ----------
    path
        Where it is; the folder has to be there.
    volume
        The scan that is drawn on.
    """

    def __init__(self, path: str | os.PathLike[str], volume: Volume) -> None:
        self.path = Path(path)
        self._frames = {axis: SliceFrame.of(volume.stored, axis) for axis in Axis}
        #: What tells the scan.
        self.scan = {**volume.stored.to_json(), "voxels": voxels_digest(volume)}
        #: JSON of prompts that were written before, by identity: a mask is packed once.
        self._entries: dict[int, tuple[Prompt, str]] = {}

    def write(
        self,
        config: Config,
        history: History,
        crops: Sequence[Crop],
        looks: Mapping[int, Look],
    ) -> None:
        """Replace the file by what holds now.

        Raises
        ------
        OutputError
            If it cannot be written; the file stays as it was.
        """
        numbers: dict[int, int] = {}
        entries: list[str] = []
        for state in history.states:
            for prompt in state.prompts:
                if id(prompt) not in numbers:
                    numbers[id(prompt)] = len(entries)
                    entries.append(self._entry(prompt))
        states = [
            {
                "prompts": [numbers[id(prompt)] for prompt in state.prompts],
                "labels": {str(label): name for label, name in state.names.items()},
                "accepted": [
                    [place.label, place.axis.label, place.slice_index]
                    for place in sorted(state.accepted, key=_order)
                ],
                "imported": {str(label): number for label, number in state.imported.items()},
            }
            for state in history.states
        ]
        head = {
            "format": FORMAT,
            "scan": self.scan,
            "config": config.to_json(),
            "states": states,
            "at": history.at,
            "crops": [crop.to_json() for crop in crops],
            "looks": {str(label): look.to_json() for label, look in looks.items()},
        }
        text = json.dumps(head)[:-1] + ', "prompts": [\n' + ",\n".join(entries) + "\n]}\n"
        with replacing(self.path, force=True) as partial:
            partial.write_text(text, encoding="utf-8")

    def read(self) -> Saved:
        """Return what the file holds.

        Raises
        ------
        SessionError
            If it is no session, or one of another scan.
        """
        document = self._document()
        if document.get("scan") != self.scan:
            raise SessionError(
                "the session was drawn on another scan",
                received=str(self.path),
                accepted="the session of this scan, voxel for voxel",
                remedy="open the scan that it was drawn on, or start another session file",
            )
        try:
            return self._saved(document)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise _no_session(self.path, f"{type(error).__name__}: {error}") from error

    def _saved(self, document: dict[str, Any]) -> Saved:
        prompts = [
            prompt_entry.parse(entry, f"prompt {number}", self._frames)
            for number, entry in enumerate(document["prompts"])
        ]
        states = tuple(
            State(
                tuple(prompts[number] for number in state["prompts"]),
                {int(label): str(name) for label, name in state["labels"].items()},
                frozenset(
                    Place(int(label), Axis.named(axis), int(index))
                    for label, axis, index in state["accepted"]
                ),
                {int(label): int(number) for label, number in state["imported"].items()},
            )
            for state in document["states"]
        )
        at = int(document["at"])
        if not 0 <= at < len(states):
            raise ValueError(f"state {at} of {len(states)}")
        crops = tuple(Crop.from_json(one) for one in document["crops"])
        looks = {int(label): Look(**look) for label, look in document["looks"].items()}
        return Saved(Config(**document["config"]), History(states, at), crops, looks)

    def _document(self) -> dict[str, Any]:
        try:
            if self.path.stat().st_size > MAX_BYTES:
                raise _no_session(self.path, f"more than {MAX_BYTES / 2**20:g} MiB")
            document = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise _no_session(self.path, f"{type(error).__name__}: {error}") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise _no_session(self.path, "another format")
        return document

    def _entry(self, prompt: Prompt) -> str:
        held = self._entries.get(id(prompt))
        if held is None:
            # The prompt is held too, so that its identity is not given to another.
            held = prompt, json.dumps(prompt_entry.dump(prompt, self._frames))
            self._entries[id(prompt)] = held
        return held[1]


def _order(place: Place) -> tuple[int, int, int]:
    return place.label, place.axis.value, place.slice_index


def _no_session(path: Path, received: str) -> SessionError:
    return SessionError(
        "the session file cannot be read",
        received=f"{path} ({received[:200]})",
        accepted=f"a {FORMAT} file that voxtrail wrote",
        remedy="name another file; voxtrail makes it where there is none",
    )
