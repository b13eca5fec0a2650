"""What a client is told when something goes wrong: four parts as JSON, never a traceback."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from voxtrail.errors import InputError, OutputError, VoxtrailError

logger = logging.getLogger("voxtrail.serve")


class Refused(HTTPException):
    """A request that is answered with a status of its own and the four parts.

    Parameters
    ----------
    status
        The HTTP status.
    what, received, accepted, remedy
        See `voxtrail.errors.InputError`.
    headers
        Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        what: str,
        *,
        received: object,
        accepted: str,
        remedy: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, what, headers)
        self.parts = parts(what, received, accepted, remedy)


def parts(what: str, received: object = "", accepted: str = "", remedy: str = "") -> dict[str, str]:
    """Return the four parts of a refusal as plain values."""
    return {"what": what, "received": str(received), "accepted": accepted, "remedy": remedy}


def parts_of(error: BaseException) -> dict[str, str]:
    """Return what a client is told of an exception; of one that nobody meant, only its kind."""
    if isinstance(error, Refused):
        return error.parts
    if isinstance(error, InputError):
        return parts(error.what, error.received, error.accepted, error.remedy)
    if isinstance(error, VoxtrailError):
        return parts(str(error))
    if isinstance(error, MemoryError):
        return parts(
            "there is not enough memory for this",
            remedy="close other programs, or work on a part of the scan; what was drawn is kept",
        )
    return parts(
        f"the server failed ({type(error).__name__})",
        remedy="what was drawn is kept; try again, and report it if it happens again",
    )


def status_of(error: BaseException) -> int:
    """Return the HTTP status of an exception: 507 where a disk takes no more, 400 wrong input."""
    if isinstance(error, HTTPException):
        return error.status_code
    if isinstance(error, OutputError) and isinstance(error.__cause__, OSError):
        return 507
    return 400 if isinstance(error, InputError) else 500


def reply(status: int, told: Mapping[str, Any]) -> JSONResponse:
    """Return the answer that carries the four parts; in one line, too, for others' clients."""
    names = {"what": "", "received": "received: ", "accepted": "accepted: ", "remedy": ""}
    line = "; ".join(f"{said}{told[part]}" for part, said in names.items() if told.get(part))
    return JSONResponse({"error": dict(told), "detail": line}, status)


def answer_failures(app: FastAPI, documented: str = "docs/page-api.md") -> None:
    """Let an app answer every failure so; ``documented`` is where its requests are described."""

    async def known(_: Request, error: Exception) -> JSONResponse:
        return reply(status_of(error), parts_of(error))

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        told = error.parts if isinstance(error, Refused) else parts(str(error.detail))
        answer = reply(error.status_code, told)
        answer.headers.update(error.headers or {})
        return answer

    async def malformed(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(one) for one in first.get("loc", ()))
        told = parts(
            "the request is not as it should be",
            f"{place}: {str(first.get('input'))[:100]}",
            str(first.get("msg", ""))[:200],
            f"send what {documented} says",
        )
        return reply(400, told)

    async def unexpected(_: Request, error: Exception) -> JSONResponse:
        logger.error("a request failed", exc_info=error)
        return reply(500, parts_of(error))

    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(VoxtrailError, known)
    app.add_exception_handler(MemoryError, known)
    app.add_exception_handler(Exception, unexpected)
