"""The gate that every request passes before anything of it is read: address, key, scope, rate, size."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import Any, Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import RedirectResponse, Response

from budwood.errors import BudwoodError
from budwood.genomics.io.text.whole_number import whole_number
from budwood.service.access.keys import Key, KeyRing
from budwood.service.access.rates import Rates
from budwood.service.access.request_log import RequestLog
from budwood.service.access.scopes import Scope, needs_key, scope_of
from budwood.service.metrics import Metrics
from budwood.service.refusal import FOR_PROGRAMS, Refusal, answer, refusal_of
from budwood.service.settings import ServiceSettings, is_loopback

COOKIE: Final = "budwood_session"
#: Holder of every right where no key is needed.
LOCAL: Final = Key(name="local", scopes=tuple(Scope), rate="", created="")
_UNSAFE: Final = {"POST", "PUT", "PATCH", "DELETE"}
#: After the first wait, a body must arrive at this many bytes a second on average.
_SLOWEST: Final = 1024
#: Noted for a client that closed the connection before its request was complete.
_GONE: Final = 499
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_log = logging.getLogger("budwood.service")


@dataclass(eq=False)
class _Passage:
    """One request on its way: what came, what was answered."""

    path: str
    method: str
    caller: str = ""
    status: int = 0
    received: int = 0
    sent: int = 0


class Gate:
    """ASGI application around the service's.

    Parameters
    ----------
    app
        The service.
    settings
        Limits.
    keys, rates, log, metrics
        Who may come in, how often, and where it is noted.
    """

    def __init__(
        self,
        app: App,
        *,
        settings: ServiceSettings,
        keys: KeyRing,
        rates: Rates,
        log: RequestLog,
        metrics: Metrics,
    ) -> None:
        self._app = app
        self.keys = keys
        self._settings = settings
        self._rates = rates
        self._log = log
        self._metrics = metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it.

        Parameters
        ----------
        scope, receive, send
            As ASGI has them.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        passage = _Passage(scope["path"], scope["method"])
        began = time.perf_counter()

        foreign: Refusal | None = None

        async def sending(message: Message) -> None:
            nonlocal foreign
            if message["type"] == "http.response.start":
                # Errors that a library answers by itself, such as those of ranges, get the usual shape.
                foreign = _foreign_error(message)
                if foreign is not None:
                    return
                passage.status = message["status"]
                message["headers"] = [*message.get("headers", ()), *_HEADERS]
            elif foreign is not None:
                if not message.get("more_body", False):
                    refusal, foreign = foreign, None
                    await self._refuse(scope, receive, sending, refusal)
                return
            elif message["type"] == "http.response.body":
                passage.sent += len(message.get("body", b""))
            await send(message)

        try:
            await self._pass(scope, receive, sending, passage)
        except ClientDisconnect:
            passage.status = passage.status or _GONE
        except Exception as error:  # the client gets a reason, whatever went wrong
            refusal = refusal_of(error)
            if refusal.status_code >= 500:
                _log.error("%s %s failed", passage.method, passage.path, exc_info=error)
            if passage.status == 0:
                await self._refuse(scope, receive, sending, refusal)
        finally:
            seconds = time.perf_counter() - began
            self._note(passage, scope, seconds)

    async def _pass(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, passage: _Passage
    ) -> None:
        headers = Headers(scope=scope)
        self._check_address(headers, passage.method)
        try:
            caller = await asyncio.to_thread(self._caller, headers, passage.path)
        except Refusal:  # a wrong key; whoever tries many waits
            self._count(LOCAL, scope)
            raise
        if caller is None:
            if not passage.path.startswith(FOR_PROGRAMS) and passage.method == "GET":
                await RedirectResponse("/login", 303)(scope, receive, send)
                return
            for_program = passage.path.startswith(FOR_PROGRAMS)
            raise Refusal(
                401,
                "a key is needed here" if for_program else "you are not signed in any more",
                mend="send the header Authorization: Bearer KEY" if for_program else "sign in and try again",
                headers={"WWW-Authenticate": "Bearer"},
            )
        passage.caller = caller.name
        needed = scope_of(passage.path)
        if needed is not None and needed not in caller.scopes:
            raise Refusal(403, f"the key lacks the scope {needed}", mend="ask who runs the service for it")
        self._count(caller, scope)
        scope.setdefault("state", {})["caller"] = caller
        await self._app(scope, self._bounded(headers, receive, passage), send)

    def _count(self, caller: Key, scope: MutableMapping[str, Any]) -> None:
        """Count a request of a key, or of an address without one; refuse what is too many."""
        client = scope.get("client")
        by_address = caller is LOCAL or not caller.name
        counted = f"address {client[0] if client else ''}" if by_address else f"key {caller.name}"
        wait = self._rates.wait(counted, caller.rate)
        if wait:
            raise Refusal(
                429,
                "too many requests",
                mend=f"try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )

    def _check_address(self, headers: Headers, method: str) -> None:
        """Refuse what a page of another site sends through a user's browser."""
        host = headers.get("host", "")
        name = _host_of(f"//{host}")
        if self._settings.is_open and not is_loopback(name):
            raise Refusal(
                421,
                "the service listens on this machine alone",
                where="Host",
                mend=f"open http://{self._settings.host}:{self._settings.port}",
            )
        origin = headers.get("origin")
        if method in _UNSAFE and origin is not None and _place_of(origin) != host:
            raise Refusal(403, "a page of another site sent this", where="Origin", mend="use the page here")
        if method in _UNSAFE and headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            raise Refusal(
                403, "a page of another site sent this", where="Sec-Fetch-Site", mend="use the page here"
            )

    def _caller(self, headers: Headers, path: str) -> Key | None:
        """Who asks: None where a key is needed and missing."""
        secret = _secret(headers)
        if secret is not None:
            found = self.keys.find(secret)
            if found is None:
                raise Refusal(
                    401,
                    "the key is wrong or was revoked",
                    mend="ask who runs the service for a new one",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            return found
        if self._settings.is_open:
            return LOCAL
        token = session_token(headers)
        if token is not None:
            found = self.keys.find_session(token)
            if found is not None:
                return found
        return None if needs_key(path) else Key(name="", scopes=(), rate="", created="")

    def _bounded(self, headers: Headers, receive: Receive, passage: _Passage) -> Receive:
        """Receive a body up to its bound and no slower than is allowed."""
        settings = self._settings
        with_files = headers.get("content-type", "").startswith("multipart/form-data")
        bound = settings.largest_upload if with_files else settings.largest_json
        too_large = Refusal(
            413,
            f"the request is over {bound:,} bytes",
            mend="send less at once, or ask who runs the service to raise the bound",
            headers={"Connection": "close"},
        )
        declared = headers.get("content-length", "")
        if declared.isdecimal():
            size = whole_number(declared.lstrip("0") or "0")
            if size is None or size > bound:  # None: more digits than a size can have
                raise too_large
        began = time.monotonic()
        complete = False

        async def receiving() -> Message:
            nonlocal complete
            if complete:  # what is awaited now is the end of the connection
                return await receive()
            late = began + settings.slow_seconds + passage.received / _SLOWEST - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, min(late, settings.slow_seconds)))
            except TimeoutError:
                raise Refusal(
                    408,
                    "the request arrives too slowly",
                    mend="send it again over a better connection",
                    headers={"Connection": "close"},
                ) from None
            passage.received += len(message.get("body", b""))
            complete = not message.get("more_body", False)
            if passage.received > bound:
                raise too_large
            return message

        return receiving

    async def _refuse(
        self, scope: MutableMapping[str, Any], receive: Receive, send: Send, refusal: Refusal
    ) -> None:
        response: Response = answer(scope["method"], scope["path"], refusal)
        await response(scope, receive, send)

    def _note(self, passage: _Passage, scope: MutableMapping[str, Any], seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.request(passage.method, route, passage.status, seconds)
        try:
            self._log.write(
                caller=passage.caller,
                method=passage.method,
                path=passage.path[:200],
                status=passage.status,
                received=passage.received,
                sent=passage.sent,
                seconds=round(seconds, 4),
            )
        except OSError as error:
            _log.warning("the request log cannot be written: %s", error)


def _foreign_error(message: Message) -> Refusal | None:
    """An error in plain text as a refusal, with its headers but those of the text."""
    headers = Headers(raw=message.get("headers", []))
    if message["status"] < 400 or not headers.get("content-type", "").startswith("text/plain"):
        return None
    kept = {name: value for name, value in headers.items() if not name.startswith("content-")}
    if "content-range" in headers:
        kept["content-range"] = headers["content-range"]
    return refusal_of(HTTPException(message["status"], headers=kept))


def _host_of(address: str) -> str:
    """Name in an address; empty where the client sent what is none."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets that do not close
        return ""


def _place_of(address: str) -> str | None:
    """Name and port in an address; None where the client sent what is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


def session_token(headers: Headers) -> str | None:
    """The session that a browser's cookie names.

    Parameters
    ----------
    headers
        Of a request.

    Returns
    -------
    str or None
        Its token; None without one.
    """
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def _secret(headers: Headers) -> str | None:
    """The key that a program sends."""
    given = headers.get("authorization")
    if given is None:
        return headers.get("x-api-key")
    kind, _, secret = given.partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise Refusal(
            401,
            "the header Authorization is not understood",
            where="Authorization",
            mend="send Authorization: Bearer KEY",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return secret.strip()


def caller_of(state: Any) -> Key:
    """Who sent a request that passed the gate.

    Parameters
    ----------
    state
        ``request.state``.

    Returns
    -------
    Key
        The key, or what stands for it where none is needed.

    Raises
    ------
    BudwoodError
        If the application runs without its gate.
    """
    found = getattr(state, "caller", None)
    if not isinstance(found, Key):
        raise BudwoodError("the request did not pass the gate", mend="serve what create_app returns")
    return found
