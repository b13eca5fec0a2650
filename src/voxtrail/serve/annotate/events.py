"""What the page is told without asking, and which of several tabs may change anything."""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from typing import Any

from voxtrail.serve.failures import Refused

#: Messages that wait for a tab; one that takes them no faster is let go, and comes back.
WAITING = 2_000

Message = str | bytes


class Tab:
    """One connected tab.

    Parameters
    ----------
    name
        The random name that it gave itself.
    loop
        Where its connection is served.
    """

    def __init__(self, name: str, loop: asyncio.AbstractEventLoop) -> None:
        self.name = name
        self._loop = loop
        #: What is to be sent; None ends it.
        self.messages: asyncio.Queue[Message | None] = asyncio.Queue()

    def send(self, message: Message | None) -> None:
        """Have a message sent, from whatever thread."""
        self._loop.call_soon_threadsafe(self._put, message)

    def _put(self, message: Message | None) -> None:
        # A tab that is too slow loses its connection, not single messages: it fetches all anew.
        self.messages.put_nowait(message if self.messages.qsize() < WAITING else None)


class Tabs:
    """The connected tabs; the first of them edits."""

    def __init__(self) -> None:
        self._tabs: list[Tab] = []
        self._editor: str | None = None

    def join(self, tab: Tab) -> None:
        """Add a tab; it edits if none does or if it did before it lost its connection."""
        self._tabs.append(tab)
        if self._editor in (None, tab.name):
            self._editor = tab.name
        else:
            tab.send(_text({"type": "other_tab"}))

    def leave(self, tab: Tab) -> None:
        """Take a tab away; if it edited, the one that came last may."""
        self._tabs.remove(tab)
        if tab.name == self._editor and all(one.name != tab.name for one in self._tabs):
            self._editor = self._tabs[-1].name if self._tabs else None
            if self._tabs:
                self._tabs[-1].send(_text({"type": "editor"}))

    def take_over(self, name: str) -> None:
        """Let a tab edit, and tell the one that did."""
        former, self._editor = self._editor, name
        for tab in self._tabs:
            if tab.name == former != name:
                tab.send(_text({"type": "other_tab"}))

    def check_editor(self, name: str | None) -> None:
        """Refuse changes by a tab while another one edits.

        Raises
        ------
        Refused
            409.
        """
        if self._editor is not None and name != self._editor:
            raise Refused(
                409,
                "the scan is being worked on in another tab",
                received="a change from this tab",
                accepted="changes from the tab that was opened first",
                remedy="take over here, or go on in the other tab",
            )

    def tell(self, kind: str, values: Mapping[str, Any], besides: str | None = None) -> None:
        """Send all tabs, but the one of a name, a message of some kind."""
        self._send(_text({"type": kind, **values}), besides)

    def pass_on(self, slice_: bytes) -> None:
        """Send all tabs a slice, see `framed`."""
        self._send(slice_, None)

    def close(self) -> None:
        """End all connections."""
        for tab in list(self._tabs):
            tab.send(None)

    def _send(self, message: Message, besides: str | None) -> None:
        for tab in list(self._tabs):
            if tab.name != besides or besides is None:
                tab.send(message)


def framed(header: Mapping[str, Any], mask: bytes) -> bytes:
    """Return the binary message of a slice: a JSON header after its length, and a packed mask."""
    head = json.dumps(header).encode()
    return struct.pack("<I", len(head)) + head + mask


def _text(values: Mapping[str, Any]) -> str:
    return json.dumps(values)
