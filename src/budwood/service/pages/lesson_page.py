"""The lesson as a page of the service: what a foundation model is."""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from budwood.service.refusal import Refusal

router: Final = APIRouter(include_in_schema=False)
_BACK: Final = '<p class="eyebrow"><a href="/">Budwood</a></p>'


@router.get("/lesson")
def lesson(request: Request) -> HTMLResponse:
    """The page of ``budwood lesson`` under its own policy, with a link back to the service."""
    text: str = request.app.state.settings.lesson
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    if policy is None:
        raise Refusal(404, "this service has no lesson", mend="start it with budwood serve")
    return HTMLResponse(
        text.replace('<p class="eyebrow">Budwood lesson</p>', _BACK, 1),
        headers={"Content-Security-Policy": f"{policy[1]}; frame-ancestors 'none'"},
    )
