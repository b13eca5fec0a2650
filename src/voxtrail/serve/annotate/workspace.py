"""What one server of the page holds: the model, the folder, the tabs, and the scan that is open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxtrail.core.volume import Volume
from voxtrail.io import read
from voxtrail.model.base import LoadedModel
from voxtrail.serve.annotate.events import Tabs
from voxtrail.serve.annotate.open_scan import OpenScan
from voxtrail.serve.annotate.places import SESSION_SUFFIX, is_kept, session_place
from voxtrail.serve.confined import Confined
from voxtrail.serve.failures import Refused, parts_of
from voxtrail.serve.model_worker import ModelWorker
from voxtrail.session import Config
from voxtrail.session.loading import load_unseen

#: What the demo scan is called.
DEMO = "demo"


@dataclass(frozen=True)
class ModelState:
    """How far the model is: ``loading``, ``ready`` or ``failed``, and then why."""

    name: str
    state: str
    error: dict[str, str] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        error = {"error": self.error} if self.error else {}
        return {"name": self.name, "state": self.state, **error}


class Workspace:
    """All that the routes work on.

    Parameters
    ----------
    folder
        Below which scans are chosen, and exports written.
    config
        How scans are segmented.
    load
        Loads the model of a configuration.
    """

    def __init__(
        self,
        folder: Path,
        config: Config,
        load: Callable[[Config], LoadedModel] = load_unseen,
    ) -> None:
        self.folder = Confined(folder)
        self.config = config
        self.worker = ModelWorker()
        self.tabs = Tabs()
        self.model = ModelState(config.model, "loading")
        self._opened: OpenScan | None = None
        self._opening = threading.Lock()
        self._load = load
        self._loaded: LoadedModel | None = None
        self._loading = self.worker.start(self, self._load_model())

    @property
    def scan(self) -> OpenScan:
        """The scan that is open.

        Raises
        ------
        Refused
            409 if none is.
        """
        if self._opened is None:
            raise Refused(
                409,
                "no scan is open",
                received="a request about a scan",
                accepted="an open scan",
                remedy="open one first",
            )
        return self._opened

    @property
    def opened(self) -> OpenScan | None:
        """The scan that is open, if any is."""
        return self._opened

    def wait_for_model(self) -> None:
        """Return when the model is there.

        Raises
        ------
        VoxtrailError
            If it could not be loaded.
        """
        self._loading.ended.result()

    def open_path(
        self, place: Path, session: Path | None = None, series: str | None = None
    ) -> OpenScan:
        """Open a scan, with the session that is kept of it; or the scan of a session file.

        Parameters
        ----------
        place
            A file, or a folder of DICOM files.
        session
            Where the session is kept; see `session_place` for where it is by default.
        series
            Which of several DICOM series.

        Raises
        ------
        InputError
            If it cannot be read, or the session is not one of it.
        """
        if place.name.endswith(SESSION_SUFFIX):
            place = self._scan_of(place)
        volume = read(place, series=series)
        file = session or session_place(place, self.folder.root)
        return self.open_volume(volume, place.resolve().name, file.absolute())

    def open_demo(self) -> OpenScan:
        """Open the synthetic scan of ``voxtrail demo``."""
        from voxtrail.datasets.phantom import demo_subject

        subject = demo_subject()
        volume = Volume.from_stored(subject.hu, subject.affine)
        return self.open_volume(volume, DEMO, self.folder.root / f"{DEMO}{SESSION_SUFFIX}")

    def open_volume(self, volume: Volume, name: str, file: Path) -> OpenScan:
        """Open a scan that was read; the one that was open is closed when that has worked."""
        with self._opening:
            if self._opened and self._opened.file == file:
                self._opened.close()  # its session is read again, as it is on disk
                self._opened = None
            scan = OpenScan(volume, name, self.config, file, self._loaded, self.worker)
            if self._opened:
                self._opened.close()
            self._opened = scan
            if self._loaded:  # it may have come meanwhile
                scan.session.model = self._loaded
            return scan

    def close(self) -> None:
        """End what is under way."""
        self.worker.close()
        if self._opened:
            self._opened.close()

    def _scan_of(self, session: Path) -> Path:
        """Return the scan beside a session file whose session it is."""
        for place in sorted(session.parent.iterdir()):
            if place.name.startswith(".") or place.name.endswith(SESSION_SUFFIX):
                continue
            if not is_kept(place.name) and session_place(place, self.folder.root) == session:
                return place
        raise Refused(
            404,
            "the scan of this session is not beside it",
            received=session.name,
            accepted="a session in the folder of its scan",
            remedy="open the scan itself",
        )

    def _load_model(self) -> Iterator[None]:
        try:
            self._loaded = self._load(self.config)
        except Exception as error:
            self.model = ModelState(self.config.model, "failed", parts_of(error))
            self.tabs.tell("model", {"model": self.model.to_json()})
            raise
        if self._opened:
            self._opened.session.model = self._loaded
        self.model = ModelState(self._loaded.name, "ready")
        self.tabs.tell("model", {"model": self.model.to_json()})
        yield
