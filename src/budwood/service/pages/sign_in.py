"""Sign in with a key, sign out, ask for a key; the style sheet and the script."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budwood.service.access.gate import COOKIE, session_token
from budwood.service.access.keys import KeyRing
from budwood.service.pages.layout import page
from budwood.service.pages.templates_of import asset, report_style

router: Final = APIRouter(include_in_schema=False)
_KEPT: Final = {"Cache-Control": "max-age=3600"}
_LONGEST_SESSION: Final = 12 * 3600


@router.get("/style.css")
def style() -> Response:
    """The style of the report, and what the page needs beside it."""
    return Response(report_style() + asset("page.css"), media_type="text/css", headers=_KEPT)


@router.get("/page.js")
def script() -> Response:
    """The little script of the page."""
    return Response(asset("page.js"), media_type="text/javascript", headers=_KEPT)


@router.get("/login")
def sign_in_form(request: Request) -> HTMLResponse:
    """The form that takes a key."""
    return page(request, "sign_in.html", title="Sign in", wrong=False)


@router.post("/login")
def sign_in(request: Request, key: Annotated[str, Form(max_length=200)]) -> Response:
    """Open a session with a key."""
    ring: KeyRing = request.app.state.keys
    found = ring.find(key.strip())
    if found is None:
        return page(request, "sign_in.html", title="Sign in", wrong=True, status=401)
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        COOKIE,
        ring.open_session(found),
        max_age=_LONGEST_SESSION,
        httponly=True,
        samesite="strict",
        secure=request.headers.get("x-forwarded-proto", request.url.scheme) == "https",
    )
    return answer


@router.post("/logout")
def sign_out(request: Request) -> Response:
    """End the session."""
    ring: KeyRing = request.app.state.keys
    token = session_token(request.headers)
    if token is not None:
        ring.close_session(token)
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/request-access")
def access_form(request: Request) -> HTMLResponse:
    """The form that asks for a key."""
    return page(request, "request_access.html", title="Ask for a key", sent=False)


@router.post("/request-access")
def ask_for_access(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    contact: Annotated[str, Form(max_length=400)],
    purpose: Annotated[str, Form(max_length=4000)],
) -> HTMLResponse:
    """Note that somebody asks for a key."""
    ring: KeyRing = request.app.state.keys
    ring.ask(name.strip(), contact.strip(), purpose.strip())
    return page(request, "request_access.html", title="Ask for a key", sent=True)
