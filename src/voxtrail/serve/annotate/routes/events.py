"""The WebSocket over which tabs are told what happens, and taking over from another tab."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, WebSocket, WebSocketDisconnect

from voxtrail.serve.annotate.events import Tab
from voxtrail.serve.annotate.routes.asking import XTab
from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.failures import Refused

TabName = Annotated[str, Query(min_length=1, max_length=100)]
#: The server is ending, or the tab is too slow: it should come back.
AGAIN = 1012


def routes(workspace: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.websocket("/api/events")
    async def events(socket: WebSocket, tab: TabName) -> None:
        await socket.accept()
        me = Tab(tab, asyncio.get_running_loop())
        workspace.tabs.join(me)
        running = workspace.opened.running if workspace.opened else None
        for slice_ in list(running.slices.values()) if running else ():
            me.send(slice_)
        sending = asyncio.create_task(_send(socket, me))
        listening = asyncio.create_task(_listen(socket))
        try:
            await asyncio.wait((sending, listening), return_when=asyncio.FIRST_COMPLETED)
        finally:
            workspace.tabs.leave(me)
            for task in (sending, listening):
                task.cancel()
            await asyncio.gather(sending, listening, return_exceptions=True)

    @router.post("/api/take-over", status_code=204)
    def take_over(x_tab: XTab = None) -> None:
        if x_tab is None:
            raise Refused(
                400,
                "a tab that takes over says its name",
                received="no X-Tab",
                accepted="the name that its WebSocket has",
                remedy="send the header X-Tab",
            )
        workspace.tabs.take_over(x_tab)

    return router


async def _send(socket: WebSocket, tab: Tab) -> None:
    while (message := await tab.messages.get()) is not None:
        if isinstance(message, str):
            await socket.send_text(message)
        else:
            await socket.send_bytes(message)
    await socket.close(AGAIN)


async def _listen(socket: WebSocket) -> None:
    """Wait until the tab goes; what it says means nothing."""
    try:
        while True:
            await socket.receive_text()
    except (WebSocketDisconnect, KeyError):
        return
