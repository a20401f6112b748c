"""What every page has: its frame, its headers, who is signed in."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from budwood.service.access.gate import LOCAL, caller_of
from budwood.service.access.scopes import Scope
from budwood.service.pages.templates_of import render

#: Nothing of another site, and no script but our own file.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def page(request: Request, template: str, *, title: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page in the frame that all have.

    Parameters
    ----------
    request
        Who asks.
    template
        Name of the template.
    title
        Of the page.
    status
        HTTP status.
    **values
        What the template shows.

    Returns
    -------
    HTMLResponse
        With a policy that lets nothing of another site in.
    """
    caller = caller_of(request.state)
    text = render(
        template,
        title=title,
        signed_in="" if caller is LOCAL else caller.name,
        is_admin=Scope.ADMIN in caller.scopes,
        may_predict=Scope.PREDICT in caller.scopes,
        may_run=Scope.JOBS in caller.scopes,
        may_manage=Scope.ADMIN in caller.scopes,
        here=request.url.path,
        **values,
    )
    return HTMLResponse(
        text, status, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    )
