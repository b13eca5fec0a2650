"""The built page: one document and its assets, as they lie in the package."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from voxtrail.serve.annotate.workspace import Workspace
from voxtrail.serve.confined import Confined
from voxtrail.serve.failures import Refused

#: Where the build puts the page.
PAGE = Path(__file__).parents[2] / "page"

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}
_NOT_BUILT = """<!doctype html><html lang="en"><meta charset="utf-8"><title>voxtrail</title>
<h1>The page is not built</h1>
<p>This is a checkout of the source. Build the page once, then reload:</p>
<pre>cd web &amp;&amp; npm ci &amp;&amp; npm run build</pre>
<p>An installed voxtrail (<code>pip install 'voxtrail[annotate]'</code>) brings it built.</p></html>
"""


def routes(_: Workspace) -> APIRouter:
    """Make the routes."""
    router = APIRouter()

    @router.get("/")
    def index(request: Request) -> Response:
        if not (PAGE / "index.html").is_file():
            return HTMLResponse(_NOT_BUILT, 503)
        return _send(PAGE / "index.html", request)

    @router.get("/assets/{name:path}")
    def asset(name: str, request: Request) -> Response:
        folder = PAGE / "assets"
        place = Confined(folder).place(name) if folder.is_dir() else folder
        if not place.is_file() or place.suffix not in _TYPES:
            raise Refused(
                404,
                "the page has no such file",
                received=name[:200],
                accepted="a file of the built page",
                remedy="reload the page",
            )
        return _send(place, request)

    return router


def _send(place: Path, request: Request) -> Response:
    """Send a file, or say that the browser's copy is still right."""
    found = place.stat()
    tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return FileResponse(place, headers=headers, media_type=_TYPES[place.suffix])
