"""Every error of the service in one shape: ``{"error": {"what", "where", "mend"}}``."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response

from budwood.errors import BudwoodError
from budwood.service.pages.templates_of import render

#: Paths that programs call; errors under any other are pages.
FOR_PROGRAMS: Final = ("/v1/", "/brapi/", "/metrics", "/openapi.json")

#: Errors of the operating system where a disk, a quota or a bound on files is reached.
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_USUAL: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        400: ("the request cannot be read", "send what /openapi.json describes"),
        404: ("there is nothing at this address", "see /openapi.json for what there is"),
        416: ("the file has no such range", "ask for less, or leave the header Range out"),
        405: ("this address does not answer this method", "see /openapi.json for its methods"),
    }
)


class Refusal(HTTPException):
    """A request that is not answered, with the reason and the remedy.

    Parameters
    ----------
    status
        HTTP status.
    what
        What is wrong, without a full stop.
    where
        The field, file or path that is meant.
    mend
        What the client can do about it.
    headers
        Of the answer, such as ``Retry-After``.
    """

    def __init__(
        self,
        status: int,
        what: str,
        *,
        where: str = "",
        mend: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail=what, headers=dict(headers or {}))
        self.what, self.where, self.mend = what, where, mend


def refusal_of(error: Exception) -> Refusal:
    """Any error as a refusal; its text holds nothing of the server's inside.

    Parameters
    ----------
    error
        What was raised while a request was answered.

    Returns
    -------
    Refusal
        With status 422 for bad input and 500 for a fault of Budwood's own.
    """
    if isinstance(error, Refusal):
        return error
    if isinstance(error, BudwoodError):
        return Refusal(422, error.what, where=error.where, mend=error.mend)
    if isinstance(error, RequestValidationError):
        return _of_validation(error.errors())
    if isinstance(error, HTTPException):
        plain = HTTPStatus(error.status_code).phrase.lower()
        what, mend = _USUAL.get(error.status_code, (plain, "see /openapi.json"))
        return Refusal(error.status_code, what, mend=mend, headers=error.headers)
    if is_full_disk(error):
        return Refusal(507, "the disk of the server is full", mend="tell who runs it")
    if isinstance(error, OperationalError | InterfaceError):
        return Refusal(
            503,
            "the database of jobs does not answer",
            mend="try again in a minute",
            headers={"Retry-After": "30"},
        )
    return Refusal(
        500,
        "the service failed, which is its own fault",
        mend="tell who runs it; the time of the request finds it in the log",
    )


def is_full_disk(error: BaseException) -> bool:
    """Whether an error means that nothing more can be written: no space, or a bound on files or the account.

    Parameters
    ----------
    error
        Of the operating system, or of a SQLite database.

    Returns
    -------
    bool
        Also where SQLAlchemy wraps the error.

    Examples
    --------
    >>> is_full_disk(OSError(errno.ENOSPC, "no space")), is_full_disk(OSError(errno.ENOENT, "no file"))
    (True, False)
    """
    inner = getattr(error, "orig", None) or error
    if isinstance(inner, sqlite3.Error):
        return getattr(inner, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    return isinstance(inner, OSError) and inner.errno in _FULL


def _of_validation(errors: Sequence[Any]) -> Refusal:
    first = errors[0]
    where = ".".join(str(part) for part in first["loc"])
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    what = first["msg"].lower()
    if "expected uploadfile" in what:
        what = "a file with a name is expected here"
    return Refusal(422, f"{what}{more}", where=where[:200], mend="send what /openapi.json describes")


def answer(method: str, path: str, refusal: Refusal) -> Response:
    """A refusal as an answer: JSON for programs, a page for people.

    Parameters
    ----------
    method, path
        Of the request.
    refusal
        Why it is not answered; a page is loaded again after the time in its ``Retry-After``.

    Returns
    -------
    Response
        With the status of the refusal.
    """
    if path.startswith(FOR_PROGRAMS):
        shape = {"error": {"what": refusal.what, "where": refusal.where, "mend": refusal.mend}}
        return JSONResponse(shape, refusal.status_code, headers=refusal.headers)
    again = (refusal.headers or {}).get("Retry-After", "") if method == "GET" else ""
    page = render("error.html", title=refusal.what, refusal=refusal, again=again)
    return HTMLResponse(page, refusal.status_code, headers=refusal.headers)
