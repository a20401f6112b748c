"""Keys on the page: make, revoke, answer those who ask."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from budwood.service.access.keys import KeyRing
from budwood.service.access.scopes import USUAL, Scope
from budwood.service.pages.layout import page

router: Final = APIRouter(prefix="/keys", include_in_schema=False)
Scopes = Annotated[list[str], Form()]


@router.get("")
def list_keys(request: Request) -> HTMLResponse:
    """All keys, and who asks for one."""
    return _keys(request)


@router.post("")
def make_key(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    scopes: Scopes,
    rate: Annotated[str, Form(max_length=200)] = "",
) -> HTMLResponse:
    """Make a key and show it, this once."""
    ring: KeyRing = request.app.state.keys
    secret = ring.add(name.strip(), scopes, rate=rate.strip())
    return _keys(request, name=name.strip(), secret=secret)


@router.post("/revoke")
def revoke_key(request: Request, name: Annotated[str, Form()]) -> Response:
    """End a key."""
    ring: KeyRing = request.app.state.keys
    ring.revoke(name)
    return RedirectResponse("/keys", 303)


@router.post("/requests/{number}")
def answer_request(
    request: Request, number: int, answer: Annotated[str, Form(pattern="^(approve|decline)$")]
) -> HTMLResponse:
    """Approve a request for access, which makes a key, or decline it."""
    ring: KeyRing = request.app.state.keys
    waiting = {each.number: each.name for each in ring.waiting()}
    secret = ring.settle(number, [str(scope) for scope in USUAL] if answer == "approve" else None)
    return _keys(request, name=waiting.get(number, ""), secret=secret)


def _keys(request: Request, *, name: str = "", secret: str | None = None) -> HTMLResponse:
    ring: KeyRing = request.app.state.keys
    return page(
        request,
        "keys.html",
        title="Keys",
        keys=ring.listed(),
        waiting=ring.waiting(),
        scopes=[str(scope) for scope in Scope],
        usual=[str(scope) for scope in USUAL],
        name=name,
        secret=secret,
    )
